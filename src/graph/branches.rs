//! The branches of a graph: create from another one, rename, protect, delete.

use serde_json::Value;

use super::name::{MAIN, branch as branch_name};
use super::row::{Branch, Graph};
use super::texts;
use crate::audit::action::Action;
use crate::audit::append::NewEvent;
use crate::audit::change::Change;
use crate::identity::access::{self, Access, Operation};
use crate::identity::viewer::Viewer;
use crate::platform::Platform;
use crate::storage;
use crate::{Error, Result};

/// Branches of one graph.
pub const MAX_BRANCHES: i64 = 100;

/// What a branch shall be, as typed.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Name in the graph.
    pub name: &'a str,
    /// Whether publishing to it takes the permission `admin`, and it cannot be deleted.
    pub protected: bool,
}

/// Makes a branch with the subgraphs of the branch `from` in their present versions, and its supergraph; records `branch.created`.
///
/// # Errors
/// Those of [`access::authorize_on`]; [`Error::Invalid`] for `name`, and for `from` if there is no such branch; [`Error::Taken`] if another
/// branch has the name; [`Error::LimitExceeded`] where there are [`MAX_BRANCHES`].
pub async fn create(
    platform: &Platform,
    viewer: &Viewer,
    slug: &str,
    graph: &str,
    name: &str,
    from: &str,
) -> Result<()> {
    let access = access::authorize_on(platform, viewer, slug, graph, Operation::ChangeGraph).await?;
    let name = branch_name("name", name)?;
    let mut change = Change::begin(platform, &access).await?;
    let graph = Graph::held(&mut change, &access, None).await?;
    let source = match Branch::find(change.connection(), &access, from).await {
        Err(Error::NotFound) => return Err(Error::invalid("from", "There is no such branch in this graph.")),
        found => found?,
    };
    ensure_room(&mut change, &access).await?;
    let branch = insert(platform, &mut change, &access, &graph, name).await?;
    copy(platform, &mut change, &access, &source, &branch).await?;
    let mut state = branch.state(&mut change, &access, &graph).await?;
    state["copied_from"] = Value::from(source.name);
    change.commit(branch.event(Action::BranchCreated, &graph).next(&state)).await?;
    Ok(())
}

/// The branch that a new graph has; answers what is to be recorded.
pub(super) async fn insert_main(
    platform: &Platform,
    change: &mut Change,
    access: &Access,
    graph: &Graph,
) -> Result<NewEvent> {
    let branch = insert(platform, change, access, graph, MAIN.to_owned()).await?;
    let state = branch.state(change, access, graph).await?;
    Ok(branch.event(Action::BranchCreated, graph).next(&state))
}

async fn insert(
    platform: &Platform,
    change: &mut Change,
    access: &Access,
    graph: &Graph,
    name: String,
) -> Result<Branch> {
    let id = storage::new_id(platform.clock.now())?;
    sqlx::query!(
        "insert into orgtrail.branches (id, organization_id, graph_id, name, created_at)
        values ($1, $2, $3, $4, coalesce($5, clock_timestamp()))",
        id,
        access.organization().id,
        graph.id,
        name,
        platform.clock.simulated_now()
    )
    .execute(change.connection())
    .await
    .map_err(taken)?;
    Ok(Branch { id, name, protected: false, version: 1, composed: 0, supergraph: None })
}

async fn ensure_room(change: &mut Change, access: &Access) -> Result<()> {
    let present = sqlx::query_scalar!(
        r#"select count(*) as "present!" from orgtrail.branches where organization_id = $1 and graph_id = $2"#,
        access.organization().id,
        access.graph()?.id
    );
    if present.fetch_one(change.connection()).await? < MAX_BRANCHES {
        return Ok(());
    }
    Err(Error::LimitExceeded(format!("A graph has at most {MAX_BRANCHES} branches: delete one that nobody uses.")))
}

/// Copies subgraphs, the present version of each as its first one, and the present supergraph.
async fn copy(platform: &Platform, change: &mut Change, access: &Access, from: &Branch, to: &Branch) -> Result<()> {
    let (organization, simulated) = (access.organization().id, platform.clock.simulated_now());
    sqlx::query!(
        "with copied as (
            insert into orgtrail.subgraphs (id, organization_id, branch_id, name, url, owner_team, number, created_at)
            select gen_random_uuid(), organization_id, $3, name, url, owner_team, 1, coalesce($4, clock_timestamp())
            from orgtrail.subgraphs where organization_id = $1 and branch_id = $2
            returning id, name
        )
        insert into orgtrail.subgraph_versions (organization_id, subgraph_id, number, sha256, url, published_at, published_by)
        select $1, copied.id, 1, v.sha256, v.url, v.published_at, v.published_by from copied
        join orgtrail.subgraphs s on s.organization_id = $1 and s.branch_id = $2 and s.name = copied.name
        join orgtrail.subgraph_versions v on v.subgraph_id = s.id and v.number = s.number",
        organization,
        from.id,
        to.id,
        simulated
    )
    .execute(change.connection())
    .await?;
    let Some(supergraph) = from.supergraph else { return Ok(()) };
    sqlx::query!(
        "insert into orgtrail.supergraphs (organization_id, branch_id, number, sha256, api_sha256, composed_at, composed_by)
        select organization_id, $4, 1, sha256, api_sha256, composed_at, composed_by from orgtrail.supergraphs
        where organization_id = $1 and branch_id = $2 and number = $3",
        organization,
        from.id,
        supergraph,
        to.id
    )
    .execute(change.connection())
    .await?;
    sqlx::query!(
        "insert into orgtrail.supergraph_parts (organization_id, branch_id, supergraph, name, number, sha256, url)
        select organization_id, $4, 1, name, 1, sha256, url from orgtrail.supergraph_parts
        where organization_id = $1 and branch_id = $2 and supergraph = $3",
        organization,
        from.id,
        supergraph,
        to.id
    )
    .execute(change.connection())
    .await?;
    sqlx::query!(
        "update orgtrail.branches set supergraph = 1, composed = 1 where organization_id = $1 and id = $2",
        organization,
        to.id
    )
    .execute(change.connection())
    .await?;
    Ok(())
}

/// Renames a branch, protects it or takes the protection away; records `branch.updated`, and does nothing if nothing differs. `shown` is the
/// version that the form showed, where there was one.
///
/// # Errors
/// Those of [`access::authorize_on`]; [`Error::NotFound`]; [`Error::Invalid`] for `name`; [`Error::Taken`] if another branch has it;
/// [`Error::Conflict`] for another name of `main`, and where somebody else has changed it since it was shown.
pub async fn update(
    platform: &Platform,
    viewer: &Viewer,
    slug: &str,
    graph: &str,
    branch: &str,
    wanted: Wanted<'_>,
    shown: Option<i32>,
) -> Result<()> {
    let access = access::authorize_on(platform, viewer, slug, graph, Operation::ChangeGraph).await?;
    let (name, protected) = (branch_name("name", wanted.name)?, wanted.protected);
    let mut change = Change::begin(platform, &access).await?;
    let graph = Graph::held(&mut change, &access, None).await?;
    let before = Branch::shown(&mut change, &access, branch, shown).await?;
    if (&name, protected) == (&before.name, before.protected) {
        return Ok(());
    }
    if before.is_main() && name != MAIN {
        return Err(Error::Conflict("Every graph has a branch main: it keeps its name.".to_owned()));
    }
    let previous = before.state(&mut change, &access, &graph).await?;
    sqlx::query!(
        "update orgtrail.branches set name = $3, protected = $4, version = version + 1
        where organization_id = $1 and id = $2",
        access.organization().id,
        before.id,
        name,
        protected
    )
    .execute(change.connection())
    .await
    .map_err(taken)?;
    let after = Branch { name, protected, ..before };
    let next = after.state(&mut change, &access, &graph).await?;
    change.commit(after.event(Action::BranchUpdated, &graph).previous(&previous).next(&next)).await?;
    Ok(())
}

/// Deletes a branch with everything in it; records `branch.deleted`.
///
/// # Errors
/// Those of [`access::authorize_on`]; [`Error::NotFound`]; [`Error::Conflict`] for `main`, and for a branch that is protected.
pub async fn delete(platform: &Platform, viewer: &Viewer, slug: &str, graph: &str, branch: &str) -> Result<()> {
    let access = access::authorize_on(platform, viewer, slug, graph, Operation::ChangeGraph).await?;
    let mut change = Change::begin(platform, &access).await?;
    let graph = Graph::held(&mut change, &access, None).await?;
    let branch = Branch::find(change.connection(), &access, branch).await?;
    if branch.is_main() {
        return Err(Error::Conflict("Every graph has a branch main: it cannot be deleted.".to_owned()));
    }
    if branch.protected {
        return Err(Error::Conflict("This branch is protected: take the protection away before.".to_owned()));
    }
    let previous = branch.state(&mut change, &access, &graph).await?;
    sqlx::query!(
        "delete from orgtrail.branches where organization_id = $1 and id = $2",
        access.organization().id,
        branch.id
    )
    .execute(change.connection())
    .await?;
    texts::sweep(&mut change, &access).await?;
    change.commit(branch.event(Action::BranchDeleted, &graph).previous(&previous)).await?;
    Ok(())
}

fn taken(error: sqlx::Error) -> Error {
    if storage::violates(&error, "branches_name") {
        return Error::taken("name", "Another branch of this graph has this name: choose another one.");
    }
    error.into()
}
