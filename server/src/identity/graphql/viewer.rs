//! Who is signed in: `viewer`.

use async_graphql::{Context, ID, Object, Result, SimpleObject};
use orgtrail::identity::sessions;
use orgtrail::identity::view::{OrganizationLink, SessionRow};
use orgtrail::identity::viewer::{self, User};

use crate::graphql::connection::{List, Part};
use crate::graphql::scalars::Moment;
use crate::graphql::schema::asked;
use crate::organization::graphql::Account;
use crate::organization::graphql::role::OrganizationRole;

/// Who is signed in.
pub struct Viewer {
    user: User,
}

impl Viewer {
    /// Who is signed in.
    ///
    /// # Errors
    /// [`orgtrail::Error::Unauthenticated`] for access tokens.
    pub fn find(context: &Context<'_>) -> Result<Self> {
        let (_, viewer) = asked(context)?;
        Ok(Self { user: viewer.require_user()?.clone() })
    }

    /// The same person, by a name that they have just been given.
    #[must_use]
    pub fn renamed(self, name: String) -> Self {
        Self { user: User { name, ..self.user } }
    }

    /// The same person, by an address that they have just confirmed.
    #[must_use]
    pub fn moved(self, email: String) -> Self {
        Self { user: User { email, ..self.user } }
    }
}

async fn memberships(context: &Context<'_>, part: &Part) -> Result<List<Membership>> {
    let (platform, viewer) = asked(context)?;
    let organizations = viewer::view(platform, viewer).await?.organizations;
    let keyed = organizations.into_iter().map(|link| Ok((link.slug.clone(), Membership::new(link)?)));
    Ok(List::all(keyed.collect::<orgtrail::Result<_>>()?, part)?)
}

async fn own_sessions(context: &Context<'_>, part: &Part) -> Result<List<Session>> {
    let (platform, viewer) = asked(context)?;
    let sessions = sessions::list(platform, viewer).await?;
    let keyed = sessions.into_iter().map(|row| Ok((row.id.clone(), Session::new(row)?)));
    Ok(List::all(keyed.collect::<orgtrail::Result<_>>()?, part)?)
}

/// Who is signed in.
#[Object(serial)]
impl Viewer {
    /// Id.
    async fn id(&self) -> ID {
        ID(self.user.id.to_string())
    }

    /// Name.
    async fn name(&self) -> &str {
        &self.user.name
    }

    /// E-mail address.
    async fn email(&self) -> &str {
        &self.user.email
    }

    /// The organizations that one is a member of, by name.
    async fn memberships(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Memberships on the page, 1 to 100.")] first: i32,
        #[graphql(desc = "The cursor after which it begins: `endCursor` of the page before.")] after: Option<String>,
    ) -> Option<Result<List<Membership>>> {
        Some(memberships(context, &Part::new(first, after)).await)
    }

    /// One's running sessions: the one that asks first, then those used last.
    async fn sessions(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Sessions on the page, 1 to 100.")] first: i32,
        #[graphql(desc = "The cursor after which it begins: `endCursor` of the page before.")] after: Option<String>,
    ) -> Option<Result<List<Session>>> {
        Some(own_sessions(context, &Part::new(first, after)).await)
    }
}

/// An organization that one is a member of.
#[derive(SimpleObject)]
#[graphql(serial)]
pub struct Membership {
    /// One's role in it.
    role: OrganizationRole,
    /// The organization.
    account: Account,
}

impl Membership {
    fn new(link: OrganizationLink) -> orgtrail::Result<Self> {
        Ok(Self { role: OrganizationRole::told(&link.role)?, account: Account::new(link.slug) })
    }
}

/// A session of one's own.
#[derive(SimpleObject)]
#[graphql(serial)]
pub struct Session {
    /// Id, which is good for nothing but to end it.
    id: ID,
    /// Browser and system, such as `Firefox on Linux`.
    client: String,
    /// Address of the client that began it.
    ip: Option<String>,
    /// When it was begun.
    began_at: Moment,
    /// When it was last used, to the minute.
    last_seen_at: Moment,
    /// Whether it is the one that asks.
    is_present: bool,
}

impl Session {
    fn new(row: SessionRow) -> orgtrail::Result<Self> {
        Ok(Self {
            began_at: Moment::told(&row.since_at)?,
            last_seen_at: Moment::told(&row.last_seen_at)?,
            id: ID(row.id),
            client: row.client,
            ip: row.address,
            is_present: row.is_present,
        })
    }
}
