//! What the browser asks about an organization, and the forms that change it.

use leptos::prelude::*;

use orgtrail::organization::view::{MembersPage, OrganizationView};

use crate::answer::{Told, ToldJson};
#[cfg(feature = "ssr")]
use crate::context::{asking, leave_notice, set_location};
use crate::wire::Refusal;
#[cfg(feature = "ssr")]
use crate::wire::refuse;
#[cfg(feature = "ssr")]
use orgtrail::identity::sessions;
#[cfg(feature = "ssr")]
use orgtrail::organization::{members, settings};

/// An organization; its slug is another one than asked for where that is retired.
///
/// # Errors
/// 404 for who is not a member.
#[server(name = FindOrganization, endpoint = "organization_view", output = ToldJson)]
pub async fn organization_view(organization: String) -> Result<Told<OrganizationView>, Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    settings::organization(&platform, &viewer, &organization).await.map(Told::tell).map_err(refuse)
}

/// Makes an organization and goes to it.
///
/// # Errors
/// 422 at the field, 409 for a slug that is taken.
#[server(endpoint = "create_organization")]
pub async fn create_organization(name: String, slug: String) -> Result<(), Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    let made = settings::create(&platform, &viewer, &name, &slug).await.map_err(refuse)?;
    set_location(&format!("/{}", made.slug));
    Ok(())
}

/// Renames an organization, or changes its slug. `shown` is the name that the form showed.
///
/// # Errors
/// 403, 422 at the field, 409 for a slug that is taken and for what somebody else changed meanwhile.
#[server(endpoint = "update_organization")]
pub async fn update_organization(
    organization: String,
    name: String,
    slug: String,
    #[server(default)] shown: Option<String>,
) -> Result<(), Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    let changed = settings::update(&platform, &viewer, &organization, &name, &slug, shown.as_deref()).await;
    let changed = changed.map_err(refuse)?;
    leave_notice("/api/update_organization", "Saved.").await;
    set_location(&format!("/{}/settings", changed.slug));
    Ok(())
}

/// The members whose name or address contains `search`.
///
/// # Errors
/// 404 for who is not a member.
#[server(name = ListMembers, endpoint = "members_page", output = ToldJson)]
pub async fn members_page(
    organization: String,
    #[server(default)] search: String,
) -> Result<Told<MembersPage>, Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    members::list(&platform, &viewer, &organization, &search).await.map(Told::tell).map_err(refuse)
}

/// Gives a member another role. `shown` is the role that the form showed.
///
/// # Errors
/// 403, 409 for the last owner and for what somebody else changed meanwhile.
#[server(endpoint = "change_member_role")]
pub async fn change_member_role(
    organization: String,
    user_id: String,
    role: String,
    #[server(default)] shown: Option<String>,
) -> Result<(), Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    members::change_role(&platform, &viewer, &organization, &user_id, &role, shown.as_deref()).await.map_err(refuse)?;
    leave_notice("/api/change_member_role", "The role was changed.").await;
    set_location(&format!("/{organization}/settings/members"));
    Ok(())
}

/// Removes a member; who leaves goes to their account.
///
/// # Errors
/// 403, 409 for the last owner.
#[server(endpoint = "remove_member")]
pub async fn remove_member(organization: String, user_id: String) -> Result<(), Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    let leaves = viewer.require_user().is_ok_and(|user| user.id.to_string() == user_id);
    let found = settings::organization(&platform, &viewer, &organization).await.map_err(refuse)?;
    members::remove(&platform, &viewer, &organization, &user_id).await.map_err(refuse)?;
    let notice = if leaves { format!("You left {}.", found.name) } else { "The member was removed.".to_owned() };
    leave_notice("/api/remove_member", &notice).await;
    set_location(&if leaves { "/account".to_owned() } else { format!("/{}/settings/members", found.slug) });
    Ok(())
}

/// Ends every session of a member.
///
/// # Errors
/// 403 for all but owners, and for oneself; 404.
#[server(endpoint = "end_member_sessions")]
pub async fn end_member_sessions(organization: String, user_id: String) -> Result<(), Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    sessions::end_of_member(&platform, &viewer, &organization, &user_id).await.map_err(refuse)?;
    leave_notice("/api/end_member_sessions", "The sessions were ended.").await;
    set_location(&format!("/{organization}/settings/members"));
    Ok(())
}
