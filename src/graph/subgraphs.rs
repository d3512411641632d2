//! The subgraphs of a branch: publish and delete; settings: `settings.rs`. Each composes the branch anew, outside of the transaction that
//! keeps it.

use std::sync::Arc;

use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use uuid::Uuid;

use super::composition::{self, ATTEMPTS, Part, Present};
use super::name::subgraph as subgraph_name;
use super::row::Branch;
use super::schema;
use super::texts::{self, Text};
use crate::audit::action::Action;
use crate::audit::append::{NewEvent, Object};
use crate::audit::change::Change;
use crate::identity::access::{self, Access, Operation};
use crate::identity::viewer::Viewer;
use crate::platform::Platform;
use crate::storage;
use crate::{Error, Result};

mod owners;
mod settings;

pub(super) use owners::disown;
pub use settings::{Settings, update};

/// Which subgraph is meant.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// Slug of the graph.
    pub graph: &'a str,
    /// Name of the branch.
    pub branch: &'a str,
    /// Name of the subgraph in it.
    pub name: &'a str,
}

/// What is published.
#[derive(Debug, Clone, Copy)]
pub struct Publication<'a> {
    /// The schema, as it was sent: SDL in UTF-8.
    pub schema: &'a [u8],
    /// Where the subgraph is served; without it, it stays where it was.
    pub url: Option<&'a str>,
}

/// What a publication came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Version of the subgraph now.
    pub version: i32,
    /// Whether there is a new version; otherwise schema and URL were what they are already, and nothing was changed or recorded.
    pub changed: bool,
    /// Number of the branch's supergraph now.
    pub supergraph: Option<i32>,
}

/// A subgraph that somebody is about to change.
#[derive(Debug, Clone)]
struct Subgraph {
    id: Uuid,
    name: String,
    url: String,
    owner_team: Option<Uuid>,
    owner_name: Option<String>,
    number: i32,
    version: i32,
    sha256: Option<Vec<u8>>,
    bytes: Option<i32>,
}

impl Subgraph {
    async fn find(change: &mut Change, access: &Access, branch: &Branch, name: &str) -> Result<Option<Self>> {
        let found = sqlx::query_as!(
            Self,
            r#"select s.id, s.name, s.url, s.owner_team, o.name as "owner_name?", s.number, s.version, v.sha256 as "sha256?", t.bytes as "bytes?"
            from orgtrail.subgraphs s
            join orgtrail.subgraph_versions v on v.subgraph_id = s.id and v.number = s.number
            join orgtrail.graph_texts t on t.organization_id = v.organization_id and t.sha256 = v.sha256
            left join orgtrail.teams o on o.organization_id = s.organization_id and o.id = s.owner_team
            where s.organization_id = $1 and s.branch_id = $2 and s.name = $3"#,
            access.organization().id,
            branch.id,
            name.replace('\0', " ")
        );
        Ok(found.fetch_optional(change.connection()).await?)
    }

    /// The state as `previous` and `next` hold it: of schemas the hash and the size.
    fn state(&self, place: &Place<'_>) -> Value {
        json!({
            "graph": place.graph, "branch": place.branch, "name": self.name, "url": self.url, "owner_team": self.owner_name,
            "schema_sha256": self.sha256.as_deref().map(|sha256| HEXLOWER.encode(sha256)), "schema_bytes": self.bytes, "version": self.number,
        })
    }

    fn event(&self, action: Action, place: &Place<'_>) -> NewEvent {
        NewEvent::new(action, Object::new("subgraph", format!("{}:{}", place.object_id, self.id), &self.name))
    }
}

/// The branch that a subgraph is in.
struct Place<'a> {
    /// Slug of the graph.
    graph: &'a str,
    /// Name of the branch.
    branch: &'a str,
    /// Id of the branch in the trail: the subgraph belongs to its history.
    object_id: String,
}

impl<'a> Place<'a> {
    fn of(access: &'a Access, branch: &'a Branch) -> Result<Self> {
        let graph = access.graph()?;
        Ok(Self { graph: &graph.slug, branch: &branch.name, object_id: branch.object_id(graph.id) })
    }
}

/// A [`Publication`] that may be.
struct Accepted {
    name: String,
    schema: Arc<Text>,
    url: Option<String>,
}

impl Publication<'_> {
    fn accept(self, name: &str) -> Result<Accepted> {
        let (name, url) = (subgraph_name(name)?, self.url.map(accept_url).transpose()?);
        Ok(Accepted { name, schema: Arc::new(Text::from(schema::text(self.schema)?.to_owned())), url })
    }
}

/// Accepts an address as typed: absolute, `http` or `https`, without user and password; or none.
fn accept_url(typed: &str) -> Result<String> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Ok(String::new());
    }
    let rule = || {
        Error::invalid(
            "url",
            "A URL begins with https:// or http://, and has a host and no password; at most 2,000 bytes.",
        )
    };
    let url = url::Url::parse(typed).map_err(|_| rule())?;
    let plain = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none();
    if plain && typed.len() <= 2_000 { Ok(typed.to_owned()) } else { Err(rule()) }
}

/// Publishes a schema: makes the subgraph if the branch has none of this name, makes a version, and composes the branch. Records
/// `subgraph.published`, before it `subgraph.created` of a new one, and nothing if schema and URL are what they are already.
///
/// # Errors
/// Those of [`access::authorize_on`]; [`Error::NotFound`] if there is no such branch; [`Error::Invalid`] for `name`, `url` and `schema`;
/// [`Error::Faulty`] for `schema` if it is none, or does not compose with the others; [`Error::Taken`] if another subgraph has nearly the same
/// name; [`Error::LimitExceeded`]; [`Error::Conflict`] if others change the branch all the time.
pub async fn publish(
    platform: &Platform,
    viewer: &Viewer,
    slug: &str,
    target: Target<'_>,
    publication: Publication<'_>,
) -> Result<Published> {
    let access = access::authorize_on(platform, viewer, slug, target.graph, Operation::PublishToGraph).await?;
    let accepted = publication.accept(target.name)?;
    for _ in 0..ATTEMPTS {
        let present = Present::read(platform, &access, target.branch).await?;
        refuse_protected(&access, &present.branch)?;
        let (part, before) = accepted.part(&present)?;
        if before.is_some_and(|before| before.schema.sha256 == part.schema.sha256 && before.url == part.url) {
            return Ok(Published { version: part.number - 1, changed: false, supergraph: present.branch.supergraph });
        }
        let parts = with(&present.parts, &part);
        let supergraph = composition::compose(platform, &parts).await?;
        let mut change = Change::begin(platform, &access).await?;
        let Some(branch) = present.still(&mut change, &access).await? else { continue };
        refuse_protected(&access, &branch)?;
        let events = keep_version(platform, &mut change, &access, &branch, &part).await?;
        let number = composition::keep(platform, &mut change, &access, &branch, supergraph.as_ref(), &parts).await?;
        commit(change, events).await?;
        return Ok(Published { version: part.number, changed: true, supergraph: number });
    }
    Err(composition::crowded())
}

impl Accepted {
    /// The subgraph as it will be among those that are there, and as it is.
    fn part<'a>(&self, present: &'a Present) -> Result<(Part, Option<&'a Part>)> {
        let before = present.parts.iter().find(|part| part.name.eq_ignore_ascii_case(&self.name));
        if before.is_some_and(|before| before.name != self.name) {
            return Err(alike());
        }
        let kept = || before.map(|before| before.url.clone()).unwrap_or_default();
        let part = Part {
            name: self.name.clone(),
            url: self.url.clone().unwrap_or_else(kept),
            number: before.map_or(1, |before| before.number + 1),
            schema: self.schema.clone(),
        };
        Ok((part, before))
    }
}

/// The parts of a branch with one in its new version, by name.
fn with(parts: &[Part], part: &Part) -> Vec<Part> {
    let others = parts.iter().filter(|other| other.name != part.name).cloned();
    let mut parts: Vec<Part> = others.chain([part.clone()]).collect();
    parts.sort_by(|one, other| one.name.cmp(&other.name));
    parts
}

/// Publishing to a protected branch takes more.
pub(super) fn refuse_protected(access: &Access, branch: &Branch) -> Result<()> {
    if branch.protected { access.require(Operation::PublishToProtected) } else { Ok(()) }
}

/// Keeps a version of a subgraph, which is made if there is none; answers what is to be recorded.
async fn keep_version(
    platform: &Platform,
    change: &mut Change,
    access: &Access,
    branch: &Branch,
    part: &Part,
) -> Result<Vec<NewEvent>> {
    let found = Subgraph::find(change, access, branch, &part.name).await?;
    let is_new = found.is_none();
    let before = match found {
        Some(found) => found,
        None => insert(platform, change, access, branch, part).await?,
    };
    texts::store(change, access, &[&*part.schema]).await?;
    sqlx::query!(
        "insert into orgtrail.subgraph_versions (organization_id, subgraph_id, number, sha256, url, published_at, published_by)
        values ($1, $2, $3, $4, $5, coalesce($6, clock_timestamp()), $7)",
        access.organization().id,
        before.id,
        part.number,
        &part.schema.sha256,
        part.url,
        platform.clock.simulated_now(),
        composition::author(access)
    )
    .execute(change.connection())
    .await?;
    sqlx::query!(
        "update orgtrail.subgraphs set number = $3, url = $4, version = version + 1 where organization_id = $1 and id = $2",
        access.organization().id,
        before.id,
        part.number,
        part.url
    )
    .execute(change.connection())
    .await?;
    let after = Subgraph {
        url: part.url.clone(),
        number: part.number,
        sha256: Some(part.schema.sha256.to_vec()),
        bytes: Some(part.schema.bytes()),
        ..before.clone()
    };
    let place = Place::of(access, branch)?;
    let (previous, next) = (before.state(&place), after.state(&place));
    let published = after.event(Action::SubgraphPublished, &place).previous(&previous).next(&next);
    if is_new {
        return Ok(vec![before.event(Action::SubgraphCreated, &place).next(&previous), published]);
    }
    Ok(vec![published])
}

/// A subgraph without a version.
async fn insert(
    platform: &Platform,
    change: &mut Change,
    access: &Access,
    branch: &Branch,
    part: &Part,
) -> Result<Subgraph> {
    let id = storage::new_id(platform.clock.now())?;
    sqlx::query!(
        "insert into orgtrail.subgraphs (id, organization_id, branch_id, name, url, number, created_at)
        values ($1, $2, $3, $4, $5, 0, coalesce($6, clock_timestamp()))",
        id,
        access.organization().id,
        branch.id,
        part.name,
        part.url,
        platform.clock.simulated_now()
    )
    .execute(change.connection())
    .await
    .map_err(taken)?;
    let (name, url) = (part.name.clone(), part.url.clone());
    Ok(Subgraph { id, name, url, owner_team: None, owner_name: None, number: 0, version: 1, sha256: None, bytes: None })
}

/// Deletes a subgraph with its versions, and composes the others; records `subgraph.deleted`.
///
/// # Errors
/// Those of [`access::authorize_on`]; [`Error::NotFound`]; [`Error::Faulty`] if the others do not compose without it; [`Error::Conflict`] if
/// others change the branch all the time.
pub async fn delete(platform: &Platform, viewer: &Viewer, slug: &str, target: Target<'_>) -> Result<()> {
    let access = access::authorize_on(platform, viewer, slug, target.graph, Operation::ChangeGraph).await?;
    for _ in 0..ATTEMPTS {
        let present = Present::read(platform, &access, target.branch).await?;
        let parts: Vec<Part> = present.parts.iter().filter(|part| part.name != target.name).cloned().collect();
        if parts.len() == present.parts.len() {
            return Err(Error::NotFound);
        }
        let supergraph = composition::compose(platform, &parts).await?;
        let mut change = Change::begin(platform, &access).await?;
        let Some(branch) = present.still(&mut change, &access).await? else { continue };
        let event = remove(&mut change, &access, &branch, target.name).await?;
        composition::keep(platform, &mut change, &access, &branch, supergraph.as_ref(), &parts).await?;
        texts::sweep(&mut change, &access).await?;
        change.commit(event).await?;
        return Ok(());
    }
    Err(composition::crowded())
}

async fn remove(change: &mut Change, access: &Access, branch: &Branch, name: &str) -> Result<NewEvent> {
    let subgraph = Subgraph::find(change, access, branch, name).await?.ok_or(Error::NotFound)?;
    sqlx::query!(
        "delete from orgtrail.subgraphs where organization_id = $1 and id = $2",
        access.organization().id,
        subgraph.id
    )
    .execute(change.connection())
    .await?;
    let place = Place::of(access, branch)?;
    Ok(subgraph.event(Action::SubgraphDeleted, &place).previous(&subgraph.state(&place)))
}

async fn commit(change: Change, mut events: Vec<NewEvent>) -> Result<()> {
    let first = events.remove(0);
    change.commit_all(first, events).await?;
    Ok(())
}

/// A supergraph writes names in capitals.
fn alike() -> Error {
    Error::taken("name", "A subgraph of this branch has this name in other letters: choose another one.")
}

fn taken(error: sqlx::Error) -> Error {
    if storage::violates(&error, "subgraphs_name") {
        return alike();
    }
    error.into()
}
