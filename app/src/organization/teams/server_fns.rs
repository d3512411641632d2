//! What the browser asks about teams, and the forms that change them.

use leptos::prelude::*;

use orgtrail::organization::view::{TeamView, TeamsPage};

use crate::answer::{Told, ToldJson};
#[cfg(feature = "ssr")]
use crate::context::{asking, leave_notice, set_location};
use crate::wire::Refusal;
#[cfg(feature = "ssr")]
use crate::wire::refuse;
#[cfg(feature = "ssr")]
use orgtrail::organization::teams;

/// The teams whose name contains `search`.
///
/// # Errors
/// 404 for who is not a member.
#[server(name = ListTeams, endpoint = "teams_page", output = ToldJson)]
pub async fn teams_page(organization: String, #[server(default)] search: String) -> Result<Told<TeamsPage>, Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    teams::list(&platform, &viewer, &organization, &search).await.map(Told::tell).map_err(refuse)
}

/// One team, with who is in it.
///
/// # Errors
/// 404 for who is not a member of the organization, and for a team that it does not have.
#[server(name = FindTeam, endpoint = "team_view", output = ToldJson)]
pub async fn team_view(organization: String, team: String) -> Result<Told<TeamView>, Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    teams::team(&platform, &viewer, &organization, &team).await.map(Told::tell).map_err(refuse)
}

/// Makes a team and goes to it.
///
/// # Errors
/// 403, 422 at the field, 409 for a name that another team has.
#[server(endpoint = "create_team")]
pub async fn create_team(organization: String, name: String) -> Result<(), Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    let team = teams::create(&platform, &viewer, &organization, &name).await.map_err(refuse)?;
    leave_notice("/api/create_team", "The team was created.").await;
    to_team(&organization, &team.to_string());
    Ok(())
}

/// Gives a team another name. `shown` is the name that the form showed.
///
/// # Errors
/// 403, 404, 422 at the field, 409 for a name that another team has and for what somebody else changed meanwhile.
#[server(endpoint = "rename_team")]
pub async fn rename_team(
    organization: String,
    team: String,
    name: String,
    #[server(default)] shown: Option<String>,
) -> Result<(), Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    teams::rename(&platform, &viewer, &organization, &team, &name, shown.as_deref()).await.map_err(refuse)?;
    leave_notice("/api/rename_team", "Saved.").await;
    to_team(&organization, &team);
    Ok(())
}

/// Deletes a team and goes to the list of those left.
///
/// # Errors
/// 403, 404.
#[server(endpoint = "delete_team")]
pub async fn delete_team(organization: String, team: String) -> Result<(), Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    teams::delete(&platform, &viewer, &organization, &team).await.map_err(refuse)?;
    leave_notice("/api/delete_team", "The team was deleted.").await;
    set_location(&format!("/{organization}/settings/teams"));
    Ok(())
}

/// Adds a member of the organization to a team.
///
/// # Errors
/// 403, 404, 422 at the field, 409 for who is in it already.
#[server(endpoint = "add_team_member")]
pub async fn add_team_member(organization: String, team: String, email: String, role: String) -> Result<(), Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    teams::add_member(&platform, &viewer, &organization, &team, &email, &role).await.map_err(refuse)?;
    leave_notice("/api/add_team_member", "The member was added.").await;
    to_team(&organization, &team);
    Ok(())
}

/// Gives a member of a team another role in it. `shown` is the role that the form showed.
///
/// # Errors
/// 403, 404, 409 for what somebody else changed meanwhile.
#[server(endpoint = "change_team_role")]
pub async fn change_team_role(
    organization: String,
    team: String,
    user_id: String,
    role: String,
    #[server(default)] shown: Option<String>,
) -> Result<(), Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    teams::change_member_role(&platform, &viewer, &organization, &team, &user_id, &role, shown.as_deref())
        .await
        .map_err(refuse)?;
    leave_notice("/api/change_team_role", "The role was changed.").await;
    to_team(&organization, &team);
    Ok(())
}

/// Takes somebody out of a team, or leaves it.
///
/// # Errors
/// 403, 404.
#[server(endpoint = "remove_team_member")]
pub async fn remove_team_member(organization: String, team: String, user_id: String) -> Result<(), Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    let leaves = viewer.require_user().is_ok_and(|user| user.id.to_string() == user_id);
    teams::remove_member(&platform, &viewer, &organization, &team, &user_id).await.map_err(refuse)?;
    let notice = if leaves { "You left the team." } else { "The member was taken out of the team." };
    leave_notice("/api/remove_team_member", notice).await;
    to_team(&organization, &team);
    Ok(())
}

#[cfg(feature = "ssr")]
fn to_team(organization: &str, team: &str) {
    set_location(&format!("/{organization}/settings/teams/{team}"));
}
