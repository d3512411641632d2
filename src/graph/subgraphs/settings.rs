//! The settings of a subgraph: where it is served, and which team owns it.

use uuid::Uuid;

use super::{Place, Subgraph, Target, accept_url, with};
use crate::audit::action::Action;
use crate::audit::append::NewEvent;
use crate::audit::change::Change;
use crate::graph::composition::{self, ATTEMPTS, Part, Present};
use crate::graph::row::{Branch, changed_meanwhile};
use crate::identity::access::{self, Access, Operation};
use crate::identity::viewer::Viewer;
use crate::platform::Platform;
use crate::{Error, Result};

/// What a subgraph's settings shall be, as typed.
#[derive(Debug, Clone, Copy)]
pub struct Settings<'a> {
    /// Where it is served; empty if that is told nowhere.
    pub url: &'a str,
    /// Id of the team that owns it; empty for none.
    pub owner_team: &'a str,
}

/// Changes where a subgraph is served and which team owns it; records `subgraph.updated`, and does nothing if nothing differs. Another URL is
/// part of the supergraph, which is composed anew. `shown` is the version that the form showed, where there was one.
///
/// # Errors
/// Those of [`access::authorize_on`]; [`Error::NotFound`]; [`Error::Invalid`] for `url`, and for `owner_team` if there is no such team;
/// [`Error::Conflict`] where somebody else has changed it since it was shown, or others change the branch all the time.
pub async fn update(
    platform: &Platform,
    viewer: &Viewer,
    slug: &str,
    target: Target<'_>,
    settings: Settings<'_>,
    shown: Option<i32>,
) -> Result<()> {
    let access = access::authorize_on(platform, viewer, slug, target.graph, Operation::ChangeGraph).await?;
    let url = accept_url(settings.url)?;
    let owner: Option<Uuid> = match settings.owner_team {
        "" => None,
        id => Some(id.parse().map_err(|_| no_such_team())?),
    };
    for _ in 0..ATTEMPTS {
        let present = Present::read(platform, &access, target.branch).await?;
        let mut part = present.parts.iter().find(|part| part.name == target.name).ok_or(Error::NotFound)?.clone();
        part.url = url.clone();
        let parts = with(&present.parts, &part);
        let is_moved = present.parts.iter().any(|before| before.name == part.name && before.url != part.url);
        let supergraph = if is_moved { composition::compose(platform, &parts).await? } else { None };
        let mut change = Change::begin(platform, &access).await?;
        let Some(branch) = present.still(&mut change, &access).await? else { continue };
        let Some(event) = set(&mut change, &access, &branch, &part, owner, shown).await? else { return Ok(()) };
        if is_moved {
            composition::keep(platform, &mut change, &access, &branch, supergraph.as_ref(), &parts).await?;
        }
        change.commit(event).await?;
        return Ok(());
    }
    Err(composition::crowded())
}

/// Sets what differs; answers what is to be recorded.
async fn set(
    change: &mut Change,
    access: &Access,
    branch: &Branch,
    part: &Part,
    owner_team: Option<Uuid>,
    shown: Option<i32>,
) -> Result<Option<NewEvent>> {
    let before = Subgraph::find(change, access, branch, &part.name).await?.ok_or(Error::NotFound)?;
    if shown.is_some_and(|shown| shown != before.version) {
        return Err(changed_meanwhile("this subgraph"));
    }
    if (&part.url, owner_team) == (&before.url, before.owner_team) {
        return Ok(None);
    }
    let owner_name = match owner_team {
        Some(team) => Some(team_name(change, access, team).await?),
        None => None,
    };
    sqlx::query!(
        "update orgtrail.subgraphs set url = $3, owner_team = $4, version = version + 1 where organization_id = $1 and id = $2",
        access.organization().id,
        before.id,
        part.url,
        owner_team
    )
    .execute(change.connection())
    .await?;
    let after = Subgraph { url: part.url.clone(), owner_team, owner_name, ..before.clone() };
    let place = Place::of(access, branch)?;
    let event = after.event(Action::SubgraphUpdated, &place);
    Ok(Some(event.previous(&before.state(&place)).next(&after.state(&place))))
}

/// The name of a team, which stays until the change ends.
async fn team_name(change: &mut Change, access: &Access, team: Uuid) -> Result<String> {
    let name = sqlx::query_scalar!(
        "select name from orgtrail.teams where organization_id = $1 and id = $2 for key share",
        access.organization().id,
        team
    );
    name.fetch_optional(change.connection()).await?.ok_or_else(no_such_team)
}

fn no_such_team() -> Error {
    Error::invalid("owner_team", "There is no such team in this organization.")
}
