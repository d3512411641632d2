//! The forms of Settings → Access tokens, and what its page asks.

use leptos::prelude::*;

use orgtrail::identity::view::access_token::{AccessTokensPage, ShownSecret};

use crate::answer::{Told, ToldJson};
#[cfg(feature = "ssr")]
use crate::context::{asking, leave_notice, set_location};
use crate::wire::Refusal;
#[cfg(feature = "ssr")]
use crate::wire::refuse;
#[cfg(feature = "ssr")]
use orgtrail::identity::access_token::expiry::Expiry;
#[cfg(feature = "ssr")]
use orgtrail::identity::access_token::{self, CreatedToken, Scope, Target, Wanted, graphs, list};

/// The access tokens of an organization; `open` is the id of the one to show whole.
///
/// # Errors
/// 403 for a member, 404 for an organization of others and for a token that is not there.
#[server(name = ListAccessTokens, endpoint = "access_tokens_page", output = ToldJson)]
pub async fn access_tokens_page(
    organization: String,
    #[server(default)] open: String,
) -> Result<Told<AccessTokensPage>, Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    list::page(&platform, &viewer, &organization, &open).await.map(Told::tell).map_err(refuse)
}

/// Makes an access token, and tells its secret this once. `form` is the id of the form: sent twice, it makes one token.
///
/// # Errors
/// 403, 409 for a form that was sent already, 422 at the field, 429 where there are too many.
#[server(endpoint = "create_access_token", output = ToldJson)]
pub async fn create_access_token(
    organization: String,
    name: String,
    #[server(default)] scopes: Vec<String>,
    #[server(default)] addresses: String,
    #[server(default)] expires_on: String,
    #[server(default)] form: Option<String>,
) -> Result<Told<ShownSecret>, Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    let scopes = Scope::parse_all(&scopes).map_err(refuse)?;
    let wanted = Wanted { name: &name, scopes: &scopes, expiry: Expiry::LastDay(&expires_on), addresses: &addresses };
    let form = form.map(|id| access_token::parse_form(&id)).transpose().map_err(refuse)?;
    let made = access_token::create(&platform, &viewer, &organization, form, wanted).await;
    made.map(shown).map_err(refuse)
}

/// Changes name, scopes, addresses and last day of a token.
///
/// # Errors
/// 403, 404, 409 where somebody else changed it meanwhile, 422 at the field.
#[server(endpoint = "update_access_token")]
pub async fn update_access_token(
    organization: String,
    token: String,
    version: i32,
    name: String,
    #[server(default)] scopes: Vec<String>,
    #[server(default)] addresses: String,
    #[server(default)] expires_on: String,
) -> Result<(), Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    let target = Target::parse(&token, version).map_err(refuse)?;
    let scopes = Scope::parse_all(&scopes).map_err(refuse)?;
    let wanted = Wanted { name: &name, scopes: &scopes, expiry: Expiry::LastDay(&expires_on), addresses: &addresses };
    access_token::update(&platform, &viewer, &organization, target, wanted).await.map_err(refuse)?;
    done("/api/update_access_token", "Saved.", &organization, &token).await;
    Ok(())
}

/// Gives a token another secret, and tells it this once. The old one has ended.
///
/// # Errors
/// As [`update_access_token`].
#[server(endpoint = "rotate_access_token", output = ToldJson)]
pub async fn rotate_access_token(
    organization: String,
    token: String,
    version: i32,
) -> Result<Told<ShownSecret>, Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    let target = Target::parse(&token, version).map_err(refuse)?;
    access_token::rotate(&platform, &viewer, &organization, target).await.map(shown).map_err(refuse)
}

/// Revokes a token for good.
///
/// # Errors
/// 403, 404, 409 if it is revoked already.
#[server(endpoint = "revoke_access_token")]
pub async fn revoke_access_token(organization: String, token: String) -> Result<(), Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    let id = token.parse().map_err(|_| refuse(orgtrail::Error::NotFound))?;
    access_token::revoke(&platform, &viewer, &organization, id).await.map_err(refuse)?;
    done("/api/revoke_access_token", "The access token was revoked.", &organization, &token).await;
    Ok(())
}

/// Makes the viewer, an owner, answer for a token whose creator is gone.
///
/// # Errors
/// As [`update_access_token`].
#[server(endpoint = "adopt_access_token")]
pub async fn adopt_access_token(organization: String, token: String, version: i32) -> Result<(), Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    let target = Target::parse(&token, version).map_err(refuse)?;
    access_token::adopt(&platform, &viewer, &organization, target).await.map_err(refuse)?;
    let notice = "You answer for the access token now: it works again.";
    done("/api/adopt_access_token", notice, &organization, &token).await;
    Ok(())
}

/// Lets a token do something with a graph, instead of what it might do before.
///
/// # Errors
/// As [`update_access_token`].
#[server(endpoint = "grant_access_token_graph")]
pub async fn grant_access_token_graph(
    organization: String,
    token: String,
    version: i32,
    graph: String,
    permission: String,
) -> Result<(), Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    let target = Target::parse(&token, version).map_err(refuse)?;
    graphs::grant(&platform, &viewer, &organization, target, &graph, &permission).await.map_err(refuse)?;
    done("/api/grant_access_token_graph", "The permission was saved.", &organization, &token).await;
    Ok(())
}

/// Takes a token's permission for a graph away.
///
/// # Errors
/// As [`update_access_token`].
#[server(endpoint = "withdraw_access_token_graph")]
pub async fn withdraw_access_token_graph(
    organization: String,
    token: String,
    version: i32,
    graph: String,
) -> Result<(), Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    let target = Target::parse(&token, version).map_err(refuse)?;
    graphs::withdraw(&platform, &viewer, &organization, target, &graph).await.map_err(refuse)?;
    done("/api/withdraw_access_token_graph", "The permission was taken away.", &organization, &token).await;
    Ok(())
}

#[cfg(feature = "ssr")]
fn shown(made: CreatedToken) -> Told<ShownSecret> {
    let secret = made.secret.expose().to_owned();
    Told::tell(ShownSecret { id: made.id.to_string(), name: made.name, secret })
}

/// Back to the token, which says what was done.
#[cfg(feature = "ssr")]
async fn done(form: &str, notice: &str, organization: &str, token: &str) {
    leave_notice(form, notice).await;
    set_location(&format!("/{organization}/settings/access-tokens?open={token}"));
}
