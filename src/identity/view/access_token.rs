//! What Settings → Access tokens shows.

use serde::{Deserialize, Serialize};

use crate::audit::view::Moment;

/// The page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessTokensPage {
    /// Tokens, those that are good first, then the newest first; of those that are not only the newest 50.
    pub tokens: Vec<TokenRow>,
    /// What a token can be used for.
    pub scopes: Vec<ScopeChoice>,
    /// The token that is open.
    pub open: Option<TokenDetail>,
    /// Today, UTC, `YYYY-MM-DD`: the first day on which a token can end.
    pub today: String,
    /// Id of the form on the page that makes a token: sent twice, it makes one.
    pub form_id: String,
}

/// A scope, to be chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScopeChoice {
    /// The word of the API.
    pub name: String,
    /// What it lets a program do.
    pub explanation: String,
}

/// An access token, as the list shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRow {
    /// UUID.
    pub id: String,
    /// Name, with control and bidi characters made visible.
    pub name: String,
    /// Words of its scopes.
    pub scopes: Vec<String>,
    /// `active`, `expired`, `revoked`, or `orphaned`: its creator is gone, and it does nothing until an owner adopts it.
    pub state: String,
    /// Who made it or adopted it, and the role that bounds it: `Ada Lovelace (admin)`.
    pub creator: String,
    /// Day of making, `22 Nov 2026`, UTC.
    pub created: String,
    /// Last day on which it is good, `22 Nov 2026`, UTC; none: it does not expire.
    pub expires: Option<String>,
    /// When its secret was last replaced: a day.
    pub rotated: Option<String>,
    /// Last use, to the minute.
    pub last_used: Option<Moment>,
    /// Address of the last use.
    pub last_used_ip: Option<String>,
    /// Moment of making, in RFC 3339.
    pub created_at: String,
    /// The moment from which it is not good any more, in RFC 3339.
    pub expires_at: Option<String>,
    /// The moment at which its secret was last replaced, in RFC 3339.
    pub rotated_at: Option<String>,
    /// Which state of it this is: a change of an older one is refused.
    pub version: i32,
    /// Addresses and networks from which it is good; none: from everywhere.
    pub addresses: Vec<String>,
}

/// The token that is open, with what its forms need.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenDetail {
    /// UUID.
    pub id: String,
    /// Name as it is.
    pub name: String,
    /// The version that is shown: a form sends it along.
    pub version: i32,
    /// Words of its scopes.
    pub scopes: Vec<String>,
    /// Addresses and networks from which it is good, with commas between them; empty: from everywhere.
    pub addresses: String,
    /// Last day on which it is good, `YYYY-MM-DD`; empty: it does not expire.
    pub expires_on: String,
    /// Its permissions, by slug of the graph.
    pub graphs: Vec<GraphGrant>,
    /// The graphs that it has no permission for: slug and name.
    pub other_graphs: Vec<(String, String)>,
    /// Whether it can be changed at all: it is not revoked.
    pub is_changeable: bool,
    /// Whether it is good: only then it can be rotated.
    pub is_live: bool,
    /// Whether the viewer can adopt it.
    pub is_adoptable: bool,
}

/// A permission for a graph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GraphGrant {
    /// Slug of the graph.
    pub graph: String,
    /// Name of the graph.
    pub name: String,
    /// `read`, `publish` or `admin`.
    pub permission: String,
}

/// A secret that has just been made: shown once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownSecret {
    /// UUID of the token.
    pub id: String,
    /// Name of the token.
    pub name: String,
    /// The secret.
    pub secret: String,
}
