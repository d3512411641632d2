//! The viewer: who asks, and from where. Made once per request, from a session or an access token.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::access_token::{self, AccessToken};
use super::sign_in::SignedIn;
use super::view::{OrganizationLink, ViewerView};
use crate::audit::event::Actor;
use crate::audit::operation::SentMutation;
use crate::platform::Platform;
use crate::{Error, Result};

/// Where a request came from, as events record it.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// Address of the client.
    pub ip: Option<String>,
    /// `User-Agent` as sent, at most 512 bytes.
    pub user_agent: Option<String>,
    /// Id of the request.
    pub request_id: Option<String>,
    /// The mutation that the request is, where it is one.
    pub mutation: Option<Arc<SentMutation>>,
}

impl Origin {
    /// Notes that the mutation is recorded, where it is one: the transaction with its event is committed.
    pub(crate) fn set_recorded(&self) {
        if let Some(mutation) = &self.mutation {
            mutation.set_recorded();
        }
    }
}

/// Who asks, and from where.
#[derive(Debug, Clone)]
pub struct Viewer {
    /// Where from.
    pub origin: Origin,
    /// Who.
    pub identity: Identity,
    /// The session of the request, by the SHA-256 of its id, where it has one that is stored.
    pub session: Option<[u8; 32]>,
}

/// Who a viewer is. What they may do is decided by [`super::access::authorize`], for one organization and operation at a time.
#[derive(Debug, Clone)]
pub enum Identity {
    /// Nobody that we know.
    Anonymous,
    /// A signed-in user.
    User(User),
    /// An access token, an actor in its own right.
    AccessToken(AccessToken),
    /// The operator at the command line of the server.
    Operator,
}

/// A signed-in user, with name and address as they are now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Id.
    pub id: Uuid,
    /// Name.
    pub name: String,
    /// E-mail address.
    pub email: String,
}

impl User {
    /// The user as actor of an event.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor::user(self.id.to_string(), &self.name, &self.email)
    }
}

/// Id of the operator token: the named actor of the command line, never a credential.
pub const OPERATOR_TOKEN_ID: Uuid = Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0001);

/// Id of the token that stands for upkeep, which nobody asks for: a named actor, never a credential.
pub const UPKEEP_TOKEN_ID: Uuid = Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0002);

/// Who does what the platform does by itself.
pub(crate) fn upkeep() -> Actor {
    Actor::access_token(UPKEEP_TOKEN_ID.to_string(), "Orgtrail (upkeep)")
}

impl Viewer {
    /// Somebody, from `origin`, without a session.
    #[must_use]
    pub fn new(origin: Origin, identity: Identity) -> Self {
        Self { origin, identity, session: None }
    }

    /// Nobody, from `origin`.
    #[must_use]
    pub fn anonymous(origin: Origin) -> Self {
        Self::new(origin, Identity::Anonymous)
    }

    /// The operator at the command line: whoever can run the program on its data may do what its commands do.
    #[must_use]
    pub fn operator() -> Self {
        Self::new(Origin::default(), Identity::Operator)
    }

    /// A known user, from `origin`.
    #[must_use]
    pub fn user(user: User, origin: Origin) -> Self {
        Self::new(origin, Identity::User(user))
    }

    /// The same, whose access token was found a moment ago and counts as it is for so long: the use cases of one short request do not ask for
    /// it again. A revoked token is refused within a second (R-07), so this must be less.
    #[must_use]
    pub fn with_current_token(mut self, lasting: TimeDelta) -> Self {
        if let Identity::AccessToken(token) = &mut self.identity {
            token.current_until += lasting;
        }
        self
    }

    /// The signed-in user.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] for everybody else.
    pub fn require_user(&self) -> Result<&User> {
        match &self.identity {
            Identity::User(user) => Ok(user),
            _ => Err(Error::Unauthenticated),
        }
    }

    /// The actor that events of this viewer name.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] for nobody.
    pub fn actor(&self) -> Result<Actor> {
        match &self.identity {
            Identity::Anonymous => Err(Error::Unauthenticated),
            Identity::User(user) => Ok(user.actor()),
            Identity::AccessToken(token) => Ok(Actor::access_token(token.id.to_string(), &token.name)),
            Identity::Operator => Ok(Actor::access_token(OPERATOR_TOKEN_ID.to_string(), "operator (command line)")),
        }
    }
}

/// The viewer of a session that was begun by `signed_in`: anonymous if the user is gone, disabled, or has another password since.
///
/// # Errors
/// [`Error::Unavailable`] without a database.
pub async fn from_session(platform: &Platform, origin: Origin, signed_in: SignedIn) -> Result<Viewer> {
    let found = sqlx::query_as!(
        User,
        "select id, name, email from orgtrail.users where id = $1 and password_changed_at is not distinct from $2 and disabled_at is null",
        signed_in.user_id,
        signed_in.password_changed_at
    )
    .fetch_optional(&mut *platform.database.lookup().await?)
    .await?;
    Ok(Viewer::new(origin, found.map_or(Identity::Anonymous, Identity::User)))
}

/// The viewer of an access token as a program sent it.
///
/// # Errors
/// [`Error::Unauthenticated`] if it is not a token of ours, or is expired or revoked.
pub async fn from_token(platform: &Platform, origin: Origin, secret: &str) -> Result<Viewer> {
    let token = access_token::find(platform, secret, origin.ip.as_deref()).await?;
    Ok(Viewer::new(origin, Identity::AccessToken(token)))
}

/// The slug of the only organization that the viewer's access token is good for: programs do not name it.
///
/// # Errors
/// [`Error::Unauthenticated`] for who is no token.
pub fn organization_of_token(viewer: &Viewer) -> Result<&str> {
    let Identity::AccessToken(token) = &viewer.identity else { return Err(Error::Unauthenticated) };
    Ok(&token.organization_slug)
}

/// What the frame of every page shows of the viewer.
///
/// # Errors
/// [`Error::Unauthenticated`] if nobody is signed in.
pub async fn view(platform: &Platform, viewer: &Viewer) -> Result<ViewerView> {
    let user = viewer.require_user()?;
    let organizations = sqlx::query_as!(
        OrganizationLink,
        r#"select slug as "slug!", name as "name!", role as "role!" from orgtrail.organizations_of_user($1)"#,
        user.id
    )
    .fetch_all(&platform.database.reads)
    .await?;
    Ok(ViewerView { name: user.name.clone(), email: user.email.clone(), organizations })
}

/// Whether a credential with these dates is still good at `now`.
pub(in crate::identity) fn is_current(
    expires_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> bool {
    revoked_at.is_none() && expires_at.is_none_or(|end| now < end)
}
