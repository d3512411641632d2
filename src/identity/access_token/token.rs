//! A token as somebody changes it: its row, locked, and its state as events hold it.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::scope::Scope;
use crate::audit::action::Action;
use crate::audit::append::{NewEvent, Object};
use crate::audit::change::Change;
use crate::identity::access::Access;
use crate::identity::role::Role;
use crate::{Error, Result};

/// Which token is meant, and which version of it was shown to whoever changes it.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Id.
    pub id: Uuid,
    /// The version on the form; none where nothing was shown, as on the command line.
    pub version: Option<i32>,
}

impl Target {
    /// The token of a form.
    ///
    /// # Errors
    /// [`Error::NotFound`] for what is no id: there is no such token.
    pub fn parse(id: &str, version: i32) -> Result<Self> {
        Ok(Self { id: id.parse().map_err(|_| Error::NotFound)?, version: Some(version) })
    }
}

/// A token, whatever its version.
impl From<Uuid> for Target {
    fn from(id: Uuid) -> Self {
        Self { id, version: None }
    }
}

/// The row of a token that somebody is about to change.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) id: Uuid,
    pub(super) name: String,
    pub(super) scopes: Vec<String>,
    pub(super) addresses: Vec<String>,
    pub(super) created_by: Option<Uuid>,
    pub(super) expires_at: Option<DateTime<Utc>>,
    pub(super) rotated_at: Option<DateTime<Utc>>,
    pub(super) revoked_at: Option<DateTime<Utc>>,
    pub(super) version: i32,
    /// The creator's present role, if the creator still is a member whose account is not disabled.
    pub(super) creator_role: Option<String>,
}

impl Token {
    /// The token, locked until the change ends, if it is what was shown and not revoked.
    pub(super) async fn lock(change: &mut Change, access: &Access, target: Target) -> Result<Self> {
        let token = sqlx::query_as!(
            Self,
            r#"select t.id, t.name, t.scopes, t.addresses, t.created_by, t.expires_at, t.rotated_at, t.revoked_at, t.version,
                case when u.disabled_at is null then m.role end as creator_role
            from orgtrail.access_tokens t
            left join orgtrail.users u on u.id = t.created_by
            left join orgtrail.memberships m on m.organization_id = t.organization_id and m.user_id = t.created_by
            where t.organization_id = $1 and t.id = $2 for update of t"#,
            access.organization().id,
            target.id
        )
        .fetch_optional(change.connection())
        .await?
        .ok_or(Error::NotFound)?;
        if token.revoked_at.is_some() {
            return Err(Error::Conflict(
                "This access token was revoked: nothing of it can be changed any more.".to_owned(),
            ));
        }
        if target.version.is_some_and(|shown| shown != token.version) {
            return Err(Error::Conflict(
                "Somebody else has changed this access token meanwhile: look at it as it is now, and try again."
                    .to_owned(),
            ));
        }
        Ok(token)
    }

    /// Whether nobody answers for it any more: its creator is no longer a member, or disabled.
    pub(super) fn is_orphaned(&self) -> bool {
        self.created_by.is_some() && self.creator_role.is_none()
    }

    /// Nobody gets rights by a token that they do not have themselves. A token that changes the organization does so with its creator's
    /// rights, so that an admin who could rotate an owner's would be an owner.
    pub(super) fn refuse_above(&self, access: &Access, scopes: &[String]) -> Result<()> {
        let changes_organization = [&self.scopes, scopes]
            .iter()
            .any(|scopes| scopes.iter().any(|scope| scope == Scope::OrganizationWrite.as_str()));
        let by_owner = !matches!(self.creator_role.as_deref(), Some("admin" | "member"));
        if access.role() == Role::Owner || !changes_organization || !by_owner {
            return Ok(());
        }
        Err(Error::Forbidden(
            "This access token acts with an owner’s rights: only an owner can change what it may do, or rotate it."
                .to_owned(),
        ))
    }

    /// The state as `previous` and `next` hold it; never its secret.
    pub(super) fn state(&self) -> Value {
        json!({
            "id": self.id, "name": self.name, "scopes": self.scopes, "addresses": self.addresses, "created_by": self.created_by,
            "expires_at": self.expires_at, "rotated_at": self.rotated_at, "revoked": self.revoked_at.is_some(),
        })
    }

    pub(super) fn object(&self) -> Object {
        Object::new("access_token", self.id, &self.name)
    }

    /// `access_token.updated`, from this state to `after`.
    pub(super) fn updated_to(&self, after: &Self) -> NewEvent {
        NewEvent::new(Action::AccessTokenUpdated, after.object()).previous(&self.state()).next(&after.state())
    }
}
