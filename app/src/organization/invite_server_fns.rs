//! What the pages of invites ask, and their forms.

use leptos::prelude::*;

use orgtrail::organization::view::invite::{InviteSent, InviteView, InvitesPage};

use crate::answer::{Told, ToldJson};
#[cfg(feature = "ssr")]
use crate::context::{asking, leave_notice, set_location};
#[cfg(feature = "ssr")]
use crate::identity::server_fns::begin_session;
use crate::wire::Refusal;
#[cfg(feature = "ssr")]
use crate::wire::refuse;
#[cfg(feature = "ssr")]
use orgtrail::organization::invites;

/// The open invites of an organization.
///
/// # Errors
/// 403 for a member, 404 for who is none.
#[server(name = ListInvites, endpoint = "invites_page", output = ToldJson)]
pub async fn invites_page(organization: String) -> Result<Told<InvitesPage>, Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    invites::list(&platform, &viewer, &organization).await.map(Told::tell).map_err(refuse)
}

/// Invites an address, and tells the link this once.
///
/// # Errors
/// 403, 422 at the field, 409 for who is a member or invited already, 429.
#[server(endpoint = "create_invite", output = ToldJson)]
pub async fn create_invite(
    organization: String,
    email: String,
    role: String,
    #[server(default)] teams: Vec<String>,
) -> Result<Told<InviteSent>, Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    invites::create(&platform, &viewer, &organization, &email, &role, &teams).await.map(Told::tell).map_err(refuse)
}

/// Sends an invite again, with a new link, and tells it this once.
///
/// # Errors
/// 403, 404, 409 if it has ended meanwhile, 429.
#[server(endpoint = "resend_invite", output = ToldJson)]
pub async fn resend_invite(organization: String, invite: String) -> Result<Told<InviteSent>, Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    invites::resend(&platform, &viewer, &organization, &invite).await.map(Told::tell).map_err(refuse)
}

/// Gives an invite another role or other teams.
///
/// # Errors
/// 403, 404, 422 at the field, 409 if it is no longer what was shown.
#[server(endpoint = "update_invite")]
pub async fn update_invite(
    organization: String,
    invite: String,
    version: i32,
    role: String,
    #[server(default)] teams: Vec<String>,
) -> Result<(), Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    let updated = invites::update(&platform, &viewer, &organization, &invite, &role, &teams, version).await;
    updated.map_err(refuse)?;
    leave_notice("/api/update_invite", "The invite was changed. Its link stays good.").await;
    Ok(())
}

/// Takes an invite back.
///
/// # Errors
/// 403, 404, 409 if it has ended meanwhile.
#[server(endpoint = "revoke_invite")]
pub async fn revoke_invite(organization: String, invite: String) -> Result<(), Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    invites::revoke(&platform, &viewer, &organization, &invite).await.map_err(refuse)?;
    leave_notice("/api/revoke_invite", "The invite was revoked. Its link leads nowhere now.").await;
    Ok(())
}

/// What the link of an invite leads to.
///
/// # Errors
/// 404 for a link that was never made, or that a newer one replaced.
#[server(name = LookAtInvite, endpoint = "invite_view", output = ToldJson)]
pub async fn invite_view(secret: String) -> Result<Told<InviteView>, Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    invites::look(&platform, &viewer, &secret).await.map(Told::tell).map_err(refuse)
}

/// Makes who is signed in a member.
///
/// # Errors
/// 401, 403 for another address, 404, 409 for an invite that is not open any more.
#[server(endpoint = "accept_invite")]
pub async fn accept_invite(secret: String) -> Result<(), Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    let slug = invites::accept(&platform, &viewer, &secret).await.map_err(refuse)?;
    set_location(&format!("/{slug}"));
    Ok(())
}

/// Makes an account for the invited address, or signs in to it, and accepts the invite.
///
/// # Errors
/// 401 for a wrong password, 403 where nobody may sign up, 404, 409, 422 at the field, 429.
#[server(endpoint = "join_by_invite")]
pub async fn join_by_invite(secret: String, name: String, password: String) -> Result<(), Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    let joined = invites::sign_up(&platform, &viewer, &secret, &name, &password).await.map_err(refuse)?;
    begin_session(joined.signed_in).await.map_err(refuse)?;
    set_location(&format!("/{}", joined.slug));
    Ok(())
}
