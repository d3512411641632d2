//! The access tokens of an organization, and one of them with all that can be changed.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::expiry;
use super::manage::MAX_LIVE;
use super::scope::Scope;
use crate::audit::moment::{moment, rfc3339};
use crate::audit::visible::visible;
use crate::identity::access::{self, Access, Operation};
use crate::identity::view::access_token::{AccessTokensPage, GraphGrant, ScopeChoice, TokenDetail, TokenRow};
use crate::identity::viewer::{Viewer, is_current};
use crate::platform::Platform;
use crate::storage;
use crate::{Error, Result};

/// Tokens shown at once that are good for nothing any more, the newest ones; of the others all are.
const ENDED_SHOWN: usize = 50;

/// Tokens that are read: all that are good, and enough of the others.
const READ: i64 = MAX_LIVE + 200;

/// The tokens, those that are good first, and those that ended within the last 90 days; `open` is the id of the one to show whole, or empty.
///
/// # Errors
/// Those of [`access::authorize`]; [`Error::NotFound`] if there is no token `open`.
pub async fn page(platform: &Platform, viewer: &Viewer, slug: &str, open: &str) -> Result<AccessTokensPage> {
    let access = access::authorize(platform, viewer, slug, Operation::ManageAccessTokens).await?;
    let now = platform.clock.now();
    let mut transaction = storage::begin(&platform.database.reads, access.organization().id).await?;
    let mut tokens = read(&mut transaction, &access, now).await?;
    let open = match open {
        "" => None,
        id => {
            let token = tokens.iter().find(|token| token.id.to_string() == id).ok_or(Error::NotFound)?;
            Some(detail(&mut transaction, &access, token, now).await?)
        }
    };
    transaction.commit().await?;
    let live = tokens.iter().take_while(|token| token.is_live(now)).count();
    let is_open = |token: &Listed| open.as_ref().is_some_and(|open| token.id.to_string() == open.id);
    let mut place = 0;
    tokens.retain(|token| {
        place += 1;
        place <= live + ENDED_SHOWN || is_open(token)
    });
    Ok(AccessTokensPage {
        tokens: tokens.iter().map(|token| token.row(now)).collect(),
        scopes: Scope::ALL.map(choice).into(),
        open,
        today: now.date_naive().to_string(),
        form_id: storage::new_id(now)?.to_string(),
    })
}

fn choice(scope: Scope) -> ScopeChoice {
    ScopeChoice { name: scope.as_str().to_owned(), explanation: scope.explanation().to_owned() }
}

struct Listed {
    id: Uuid,
    name: String,
    scopes: Vec<String>,
    addresses: Vec<String>,
    created_by: Option<Uuid>,
    created_at: DateTime<Utc>,
    expires_at: Option<DateTime<Utc>>,
    rotated_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
    last_used_at: Option<DateTime<Utc>>,
    last_used_ip: Option<String>,
    version: i32,
    creator_name: Option<String>,
    creator_role: Option<String>,
}

async fn read(connection: &mut PgConnection, access: &Access, now: DateTime<Utc>) -> Result<Vec<Listed>> {
    let tokens = sqlx::query_as!(
        Listed,
        r#"select t.id, t.name, t.scopes, t.addresses, t.created_by, t.created_at, t.expires_at, t.rotated_at, t.revoked_at, t.last_used_at, t.last_used_ip,
            t.version, u.name as "creator_name?", case when u.disabled_at is null then m.role end as creator_role
        from orgtrail.access_tokens t
        left join orgtrail.users u on u.id = t.created_by
        left join orgtrail.memberships m on m.organization_id = t.organization_id and m.user_id = t.created_by
        where t.organization_id = $1 and (least(t.revoked_at, t.expires_at) > $2::timestamptz - interval '90 days' or coalesce(t.revoked_at, t.expires_at) is null)
        order by t.revoked_at is null and (t.expires_at is null or t.expires_at > $2) desc, t.created_at desc, t.id limit $3"#,
        access.organization().id,
        now,
        READ
    )
    .fetch_all(connection)
    .await?;
    Ok(tokens)
}

impl Listed {
    fn is_live(&self, now: DateTime<Utc>) -> bool {
        is_current(self.expires_at, self.revoked_at, now)
    }

    fn state(&self, now: DateTime<Utc>) -> &'static str {
        if self.revoked_at.is_some() {
            "revoked"
        } else if !is_current(self.expires_at, None, now) {
            "expired"
        } else if self.created_by.is_some() && self.creator_role.is_none() {
            "orphaned"
        } else {
            "active"
        }
    }

    fn creator(&self) -> String {
        match (&self.creator_name, &self.creator_role) {
            (None, _) => "the operator (command line)".to_owned(),
            (Some(name), Some(role)) => format!("{} ({role})", visible(name)),
            (Some(name), None) => format!("{} (no longer a member)", visible(name)),
        }
    }

    fn row(&self, now: DateTime<Utc>) -> TokenRow {
        let day = |at: DateTime<Utc>| at.format("%-d %b %Y").to_string();
        TokenRow {
            id: self.id.to_string(),
            name: visible(&self.name),
            scopes: self.scopes.clone(),
            state: self.state(now).to_owned(),
            creator: self.creator(),
            created: day(self.created_at),
            expires: self.expires_at.map(|end| day(end - chrono::TimeDelta::microseconds(1))),
            rotated: self.rotated_at.map(day),
            last_used: self.last_used_at.map(|at| moment(at, now)),
            last_used_ip: self.last_used_ip.as_deref().map(visible),
            created_at: rfc3339(self.created_at),
            expires_at: self.expires_at.map(rfc3339),
            rotated_at: self.rotated_at.map(rfc3339),
            version: self.version,
            addresses: self.addresses.clone(),
        }
    }
}

async fn detail(
    connection: &mut PgConnection,
    access: &Access,
    token: &Listed,
    now: DateTime<Utc>,
) -> Result<TokenDetail> {
    let graphs = sqlx::query!(
        r#"select g.slug, g.name, p.permission as "permission?"
        from orgtrail.graphs g
        left join orgtrail.access_token_graphs p on p.organization_id = g.organization_id and p.graph_id = g.id and p.access_token_id = $2
        where g.organization_id = $1 order by g.slug"#,
        access.organization().id,
        token.id
    )
    .fetch_all(connection)
    .await?;
    let (mut granted, mut other_graphs) = (Vec::new(), Vec::new());
    for graph in graphs {
        let name = visible(&graph.name);
        match graph.permission {
            Some(permission) => granted.push(GraphGrant { graph: graph.slug, name, permission }),
            None => other_graphs.push((graph.slug, name)),
        }
    }
    let state = token.state(now);
    Ok(TokenDetail {
        id: token.id.to_string(),
        name: token.name.clone(),
        version: token.version,
        scopes: token.scopes.clone(),
        addresses: token.addresses.join(", "),
        expires_on: token.expires_at.map(expiry::last_day).unwrap_or_default(),
        graphs: granted,
        other_graphs,
        is_changeable: state != "revoked",
        is_live: matches!(state, "active" | "orphaned"),
        is_adoptable: state == "orphaned" && access.allows(Operation::AdoptAccessToken),
    })
}
