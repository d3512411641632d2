//! Which organization a program means that names none.

use crate::identity::access::{self, Operation};
use crate::identity::viewer::{Identity, Viewer, organization_of_token, view};
use crate::platform::Platform;
use crate::{Error, Result};

/// The slug of the organization that is meant: the named one, that of the access token, or the only one of who is signed in.
///
/// # Errors
/// [`Error::Unauthenticated`]; [`Error::NotFound`] for another organization or none, and for who is in none; [`Error::Invalid`] for `slug` if
/// it has to be named.
pub async fn meant(platform: &Platform, viewer: &Viewer, slug: Option<&str>) -> Result<String> {
    match (slug, &viewer.identity) {
        (Some(slug), _) => {
            let access = access::authorize(platform, viewer, slug, Operation::ReadOrganization).await?;
            Ok(access.organization().slug.clone())
        }
        (None, Identity::AccessToken(_)) => organization_of_token(viewer).map(str::to_owned),
        (None, _) => only_one(platform, viewer).await,
    }
}

async fn only_one(platform: &Platform, viewer: &Viewer) -> Result<String> {
    let mut organizations = view(platform, viewer).await?.organizations;
    match organizations.len() {
        0 => Err(Error::NotFound),
        1 => Ok(organizations.swap_remove(0).slug),
        _ => {
            let slugs: Vec<_> = organizations.into_iter().map(|organization| organization.slug).collect();
            let told = format!("You are a member of several organizations: name one of {}.", slugs.join(", "));
            Err(Error::invalid("slug", told))
        }
    }
}
