//! Who may see which page: the table of contract §9, asked over HTTP by everybody there is. No page without a rule.

use leptos_axum::generate_route_list;
use orgtrail::identity::access_token::Scope;
use orgtrail::identity::role::Role;
use orgtrail_app::App;
use reqwest::Method;
use reqwest::header::ACCEPT;

use crate::routes::{Cast, Who, everybody};
use crate::support::Answer;

/// What a page asks of whoever looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// Nothing.
    Nothing,
    /// That nobody is signed in yet: everybody else is led on.
    NotSignedIn,
    /// It only leads on, to whatever is right for who asks.
    LeadsOn,
    /// A session of a user.
    Session,
    /// A link that is good, which nobody has here.
    Link,
    /// The same, and a session of a user.
    LinkForUser,
    /// To read the organization.
    ReadsOrganization,
    /// To invite people.
    Invites,
    /// To manage access tokens.
    ManagesTokens,
    /// To read the audit log.
    ReadsLog,
}

/// Every page, its address for the test, and its rule: one more is a decision, and a line here.
const PAGES: [(&str, &str, Rule); 28] = [
    ("/", "/", Rule::LeadsOn),
    ("/account", "/account", Rule::Session),
    ("/account/email/{secret}", "/account/email/unknown", Rule::LinkForUser),
    ("/forgot", "/forgot", Rule::Nothing),
    ("/invites/{secret}", "/invites/unknown", Rule::Link),
    ("/login", "/login", Rule::NotSignedIn),
    ("/organizations/new", "/organizations/new", Rule::Session),
    ("/reset/{secret}", "/reset/unknown", Rule::Link),
    ("/signup", "/signup", Rule::Nothing),
    ("/{organization}", "/acme", Rule::ReadsOrganization),
    ("/{organization}/graphs", "/acme/graphs", Rule::ReadsOrganization),
    ("/{organization}/graphs/{graph}", "/acme/graphs/inventory", Rule::ReadsOrganization),
    (
        "/{organization}/graphs/{graph}/branches/{branch}",
        "/acme/graphs/inventory/branches/main",
        Rule::ReadsOrganization,
    ),
    (
        "/{organization}/graphs/{graph}/branches/{branch}/documents",
        "/acme/graphs/inventory/branches/main/documents",
        Rule::ReadsOrganization,
    ),
    (
        "/{organization}/graphs/{graph}/branches/{branch}/documents/document",
        "/acme/graphs/inventory/branches/main/documents/document?client=web&id=all",
        Rule::ReadsOrganization,
    ),
    (
        "/{organization}/graphs/{graph}/branches/{branch}/subgraphs/{subgraph}",
        "/acme/graphs/inventory/branches/main/subgraphs/products",
        Rule::ReadsOrganization,
    ),
    (
        "/{organization}/graphs/{graph}/branches/{branch}/subgraphs/{subgraph}/versions/{number}",
        "/acme/graphs/inventory/branches/main/subgraphs/products/versions/1",
        Rule::ReadsOrganization,
    ),
    (
        "/{organization}/graphs/{graph}/branches/{branch}/supergraphs",
        "/acme/graphs/inventory/branches/main/supergraphs",
        Rule::ReadsOrganization,
    ),
    (
        "/{organization}/graphs/{graph}/branches/{branch}/supergraphs/{number}",
        "/acme/graphs/inventory/branches/main/supergraphs/1",
        Rule::ReadsOrganization,
    ),
    ("/{organization}/models", "/acme/models", Rule::ReadsOrganization),
    ("/{organization}/models/{model}", "/acme/models/fraud", Rule::ReadsOrganization),
    ("/{organization}/settings", "/acme/settings", Rule::ReadsOrganization),
    ("/{organization}/settings/access-tokens", "/acme/settings/access-tokens", Rule::ManagesTokens),
    ("/{organization}/settings/audit-logs", "/acme/settings/audit-logs", Rule::ReadsLog),
    ("/{organization}/settings/invites", "/acme/settings/invites", Rule::Invites),
    ("/{organization}/settings/members", "/acme/settings/members", Rule::ReadsOrganization),
    ("/{organization}/settings/teams", "/acme/settings/teams", Rule::ReadsOrganization),
    ("/{organization}/settings/teams/{team}", "/acme/settings/teams/{team}", Rule::ReadsOrganization),
];

/// What is no page and linked from one: it asks what its page does.
const FILES: [&str; 4] = [
    "/acme/graphs/inventory/branches/main/documents/document/file?client=web&id=all",
    "/acme/graphs/inventory/branches/main/subgraphs/products/versions/1/file",
    "/acme/graphs/inventory/branches/main/supergraphs/1/api",
    "/acme/graphs/inventory/branches/main/supergraphs/1/file",
];

/// The status that a rule has for somebody who asks for a page. A token is as good there as anywhere else; one that is not good is nobody.
fn expected(rule: Rule, who: Who) -> u16 {
    let has_session = matches!(who, Who::Member(_) | Who::Former | Who::Stranger);
    let invites = matches!(who, Who::Member(Role::Owner | Role::Admin) | Who::Token(Scope::OrganizationWrite));
    let manages_tokens = matches!(who, Who::Member(Role::Owner | Role::Admin));
    let reads_log = matches!(who, Who::Member(Role::Owner | Role::Admin) | Who::Token(Scope::AuditRead));
    match rule {
        _ if matches!(who, Who::Expired | Who::Revoked) => 303,
        Rule::NotSignedIn if has_session => 303,
        Rule::Session | Rule::LinkForUser if !has_session => 303,
        Rule::Link | Rule::LinkForUser => 404,
        Rule::LeadsOn => 303,
        Rule::Nothing | Rule::NotSignedIn | Rule::Session => 200,
        Rule::ReadsOrganization | Rule::Invites | Rule::ManagesTokens | Rule::ReadsLog => match who {
            Who::Anonymous => 303,
            Who::Former | Who::Stranger => 404,
            _ if rule == Rule::ReadsLog && !reads_log => 403,
            _ if rule == Rule::Invites && !invites => 403,
            _ if rule == Rule::ManagesTokens && !manages_tokens => 403,
            _ => 200,
        },
    }
}

#[tokio::test]
async fn every_page_has_a_rule_and_keeps_it_for_everybody() {
    let mut routes: Vec<String> = generate_route_list(App).iter().map(|route| route.path().to_owned()).collect();
    routes.sort();
    assert_eq!(routes, PAGES.map(|(route, ..)| route));
    let (cast, mut wrong) = (Cast::new().await, Vec::new());
    for who in everybody() {
        let client = cast.client(who).await;
        let pages = PAGES.into_iter().map(|(_, path, rule)| (path, rule));
        for (path, rule) in pages.chain(FILES.map(|path| (path, Rule::ReadsOrganization))) {
            let path = path.replace("{team}", &cast.team);
            let answer = Answer::read(client.bare(Method::GET, &path).header(ACCEPT, "text/html")).await;
            let expected = expected(rule, who);
            if answer.status != expected {
                wrong.push(format!("{path} for {who:?}: {} instead of {expected}", answer.status));
            }
            // Whoever does not belong there learns nothing of it.
            if expected == 404 {
                assert!(!answer.body.contains("Acme"), "{path} for {who:?}: {}", answer.body);
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
