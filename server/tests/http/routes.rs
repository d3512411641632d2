//! Who may use which server function: the table of contract §9, asked over HTTP by everybody there is.

use leptos::server_fn::axum::server_fn_paths;
use orgtrail::audit::page;
use orgtrail::graph::{branches, teams as graph_teams};
use orgtrail::identity::access_token::{self, Scope, Wanted, graphs};
use orgtrail::identity::role::Role;
use orgtrail::identity::sign_in::create_user;
use orgtrail::identity::viewer::{Origin, User, Viewer};
use orgtrail::organization::{invites, members, settings, teams};
use reqwest::Method;

use crate::graphs::{MANIFEST, PRODUCTS, publish, submit};
use crate::mailed;
use crate::models;
use crate::support::{ACME, Answer, Client, PASSWORD, TestApplication};

/// A password to change to.
pub const OTHER_PASSWORD: &str = "another horse of batteries";

/// What a server function asks of whoever calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Nothing: for whoever is not signed in yet, or any more.
    Nothing,
    /// A session of a user.
    Session,
    /// To read the organization.
    ReadsOrganization,
    /// To rename it.
    Renames,
    /// To change or remove a member.
    ChangesMembers,
    /// To invite people.
    Invites,
    /// To manage access tokens.
    ManagesTokens,
    /// To adopt one whose creator is gone.
    AdoptsTokens,
    /// To end the sessions of a member.
    EndsSessions,
    /// To create, rename and delete teams, and to change who is in them.
    ManagesTeams,
    /// To create and delete graphs.
    ManagesGraphs,
    /// To change a graph; no token here has a permission for one.
    ChangesGraph,
    /// To publish to a graph.
    PublishesToGraph,
    /// To create and delete models.
    ManagesModels,
    /// To add records to a model.
    AddsRecords,
    /// To read the audit log.
    ReadsLog,
    /// To export it.
    ExportsLog,
}

/// Every server function and its rule: one more is a decision, and a line here.
pub const ENDPOINTS: [(&str, &str, Rule); 80] = [
    ("GET", "/api/export_audit_logs", Rule::ExportsLog),
    ("POST", "/api/accept_invite", Rule::Session),
    ("POST", "/api/access_tokens_page", Rule::ManagesTokens),
    ("POST", "/api/add_records", Rule::AddsRecords),
    ("POST", "/api/add_team_member", Rule::ManagesTeams),
    ("POST", "/api/adopt_access_token", Rule::AdoptsTokens),
    ("POST", "/api/audit_actors", Rule::ReadsLog),
    ("POST", "/api/audit_count", Rule::ReadsLog),
    ("POST", "/api/audit_event", Rule::ReadsLog),
    ("POST", "/api/audit_page", Rule::ReadsLog),
    ("POST", "/api/branch_view", Rule::ReadsOrganization),
    ("POST", "/api/change_member_role", Rule::ChangesMembers),
    ("POST", "/api/change_password", Rule::Session),
    ("POST", "/api/change_team_role", Rule::ManagesTeams),
    ("POST", "/api/compared_supergraphs", Rule::ReadsOrganization),
    ("POST", "/api/compared_versions", Rule::ReadsOrganization),
    ("POST", "/api/confirm_email", Rule::Session),
    ("POST", "/api/create_access_token", Rule::ManagesTokens),
    ("POST", "/api/create_branch", Rule::ChangesGraph),
    ("POST", "/api/create_graph", Rule::ManagesGraphs),
    ("POST", "/api/create_invite", Rule::Invites),
    ("POST", "/api/create_model", Rule::ManagesModels),
    ("POST", "/api/create_organization", Rule::Session),
    ("POST", "/api/create_team", Rule::ManagesTeams),
    ("POST", "/api/delete_branch", Rule::ChangesGraph),
    ("POST", "/api/delete_graph", Rule::ManagesGraphs),
    ("POST", "/api/delete_model", Rule::ManagesModels),
    ("POST", "/api/delete_subgraph", Rule::ChangesGraph),
    ("POST", "/api/delete_team", Rule::ManagesTeams),
    ("POST", "/api/document_view", Rule::ReadsOrganization),
    ("POST", "/api/documents_page", Rule::ReadsOrganization),
    ("POST", "/api/email_change_view", Rule::Session),
    ("POST", "/api/end_member_sessions", Rule::EndsSessions),
    ("POST", "/api/end_other_sessions", Rule::Session),
    ("POST", "/api/end_session", Rule::Session),
    ("POST", "/api/flash", Rule::Nothing),
    ("POST", "/api/grant_access_token_graph", Rule::ManagesTokens),
    ("POST", "/api/grant_team_graph", Rule::ChangesGraph),
    ("POST", "/api/graph_view", Rule::ReadsOrganization),
    ("POST", "/api/graphs_page", Rule::ReadsOrganization),
    ("POST", "/api/invite_view", Rule::Nothing),
    ("POST", "/api/invites_page", Rule::Invites),
    ("POST", "/api/join_by_invite", Rule::Nothing),
    ("POST", "/api/login", Rule::Nothing),
    ("POST", "/api/logout", Rule::Nothing),
    ("POST", "/api/members_page", Rule::ReadsOrganization),
    ("POST", "/api/model_view", Rule::ReadsOrganization),
    ("POST", "/api/models_page", Rule::ReadsOrganization),
    ("POST", "/api/organization_view", Rule::ReadsOrganization),
    ("POST", "/api/own_sessions", Rule::Session),
    ("POST", "/api/publish_subgraph", Rule::PublishesToGraph),
    ("POST", "/api/remove_member", Rule::ChangesMembers),
    ("POST", "/api/remove_team_member", Rule::ManagesTeams),
    ("POST", "/api/rename_team", Rule::ManagesTeams),
    ("POST", "/api/request_email_change", Rule::Session),
    ("POST", "/api/request_password_reset", Rule::Nothing),
    ("POST", "/api/resend_invite", Rule::Invites),
    ("POST", "/api/reset_password", Rule::Nothing),
    ("POST", "/api/reset_view", Rule::Nothing),
    ("POST", "/api/revoke_access_token", Rule::ManagesTokens),
    ("POST", "/api/revoke_invite", Rule::Invites),
    ("POST", "/api/rotate_access_token", Rule::ManagesTokens),
    ("POST", "/api/signup", Rule::Nothing),
    ("POST", "/api/subgraph_version", Rule::ReadsOrganization),
    ("POST", "/api/subgraph_versions", Rule::ReadsOrganization),
    ("POST", "/api/submit_manifest", Rule::PublishesToGraph),
    ("POST", "/api/supergraph_view", Rule::ReadsOrganization),
    ("POST", "/api/supergraphs_page", Rule::ReadsOrganization),
    ("POST", "/api/team_view", Rule::ReadsOrganization),
    ("POST", "/api/teams_page", Rule::ReadsOrganization),
    ("POST", "/api/update_access_token", Rule::ManagesTokens),
    ("POST", "/api/update_account", Rule::Session),
    ("POST", "/api/update_branch", Rule::ChangesGraph),
    ("POST", "/api/update_graph", Rule::ChangesGraph),
    ("POST", "/api/update_invite", Rule::Invites),
    ("POST", "/api/update_organization", Rule::Renames),
    ("POST", "/api/update_subgraph", Rule::ChangesGraph),
    ("POST", "/api/viewer", Rule::Session),
    ("POST", "/api/withdraw_access_token_graph", Rule::ManagesTokens),
    ("POST", "/api/withdraw_team_graph", Rule::ChangesGraph),
];

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    Anonymous,
    /// Signed in, with this role in the organization.
    Member(Role),
    /// Signed in, and removed from the organization before.
    Former,
    /// Signed in, and the owner of another organization.
    Stranger,
    /// A token of the organization with one scope.
    Token(Scope),
    /// A token with every scope whose time is over.
    Expired,
    /// A token with every scope that was revoked.
    Revoked,
}

pub fn everybody() -> Vec<Who> {
    let mut everybody = vec![Who::Anonymous, Who::Former, Who::Stranger, Who::Expired, Who::Revoked];
    everybody.extend(Role::ALL.map(Who::Member));
    everybody.extend(Scope::ALL.map(Who::Token));
    everybody
}

/// Whether it makes, changes or deletes something of a graph.
fn changes_graph(path: &str) -> bool {
    let ends = ["_graph", "_branch", "_subgraph"];
    ends.iter().any(|end| path.ends_with(end)) && !path.ends_with("_access_token_graph")
}

/// The status that a rule has for somebody.
pub fn expected(rule: Rule, who: Who) -> u16 {
    let scope = match rule {
        Rule::Nothing | Rule::ReadsOrganization | Rule::EndsSessions => None,
        Rule::ManagesTokens
        | Rule::AdoptsTokens
        | Rule::ChangesGraph
        | Rule::PublishesToGraph
        | Rule::ManagesModels => {
            return expected_of_people(rule, who);
        }
        Rule::AddsRecords => Some(Scope::ModelsWrite),
        Rule::ManagesGraphs => Some(Scope::GraphsWrite),
        Rule::Session => return if matches!(who, Who::Member(_) | Who::Former | Who::Stranger) { 200 } else { 401 },
        Rule::Renames | Rule::ChangesMembers | Rule::ManagesTeams | Rule::Invites => Some(Scope::OrganizationWrite),
        Rule::ReadsLog => Some(Scope::AuditRead),
        Rule::ExportsLog => Some(Scope::AuditExport),
    };
    match who {
        // A token that is not good is refused whatever it is for.
        Who::Expired | Who::Revoked => 401,
        _ if rule == Rule::Nothing => 200,
        Who::Anonymous => 401,
        Who::Former | Who::Stranger => 404,
        _ if rule == Rule::EndsSessions && who != Who::Member(Role::Owner) => 403,
        Who::Member(Role::Member) if scope.is_some() && rule != Rule::AddsRecords => 403,
        Who::Token(own) if scope.is_some_and(|scope| scope != own) => 403,
        Who::Member(_) | Who::Token(_) => 200,
    }
}

/// What takes a role here: access tokens are managed by people only, and adopted by owners; no token has a permission for a graph.
fn expected_of_people(rule: Rule, who: Who) -> u16 {
    match who {
        Who::Anonymous | Who::Expired | Who::Revoked => 401,
        Who::Former | Who::Stranger => 404,
        Who::Member(Role::Owner) => 200,
        Who::Member(Role::Admin) if rule != Rule::AdoptsTokens => 200,
        Who::Member(_) | Who::Token(_) => 403,
    }
}

/// The application with somebody of each kind.
pub struct Cast {
    /// Where they are.
    pub app: TestApplication,
    users: Vec<(Who, User)>,
    tokens: Vec<(Who, String)>,
    /// An event of the organization.
    event: String,
    /// A team of it.
    pub team: String,
}

impl Cast {
    pub async fn new() -> Self {
        let app = TestApplication::start().await;
        let owner = Viewer::user(app.owner.clone(), Origin::default());
        let mut users = vec![
            (Who::Member(Role::Owner), app.owner.clone()),
            (Who::Member(Role::Admin), app.add("admin", Some(Role::Admin)).await),
            (Who::Member(Role::Member), app.add("member", Some(Role::Member)).await),
            (Who::Former, app.add("former", Some(Role::Owner)).await),
            (Who::Stranger, app.add("stranger", None).await),
        ];
        users.sort_by_key(|(_, user)| user.id);
        for (who, user) in &users {
            match who {
                Who::Former => members::remove(&app.platform, &owner, ACME, &user.id.to_string()).await.unwrap(),
                Who::Stranger => {
                    let stranger = Viewer::user(user.clone(), Origin::default());
                    settings::create(&app.platform, &stranger, "Other", "other").await.unwrap();
                }
                _ => {}
            }
        }
        let tokens = tokens(&app, &owner).await;
        app.graph("inventory").await;
        publish(&app, "inventory", "main", PRODUCTS).await;
        submit(&app, "web", MANIFEST).await.unwrap();
        models::make(&app, "fraud", "{}".to_owned(), false).await;
        let event = page::events(&app.platform, &owner, ACME, "").await.unwrap().events[0].id.clone();
        let team = teams::create(&app.platform, &owner, ACME, "Security").await.unwrap().to_string();
        Self { app, users, tokens, event, team }
    }

    /// A client of its own: some functions end the session with which they are called, or begin another.
    pub async fn client(&self, who: Who) -> Client {
        if let Some((_, user)) = self.users.iter().find(|(known, _)| *known == who) {
            return self.app.sign_in(&user.email).await;
        }
        let token = self.tokens.iter().find(|(known, _)| *known == who).map(|(_, token)| token.as_str());
        Client::program(&self.app.url, token)
    }

    /// Somebody to do something to.
    async fn fellow(&self, number: usize) -> String {
        let email = format!("fellow-{number}@acme.example");
        let (platform, operator) = (&self.app.platform, Viewer::operator());
        let fellow = create_user(platform, &operator, "Fellow", &email, None).await.unwrap();
        members::add(platform, &operator, ACME, &email, Role::Member).await.unwrap();
        fellow.id.to_string()
    }

    /// An access token to do something with, and its version: orphaned where it is to be adopted, with a permission where it is to be lost.
    async fn target(&self, path: &str, number: usize) -> (String, String) {
        let (platform, operator) = (&self.app.platform, Viewer::operator());
        let creator = match path {
            "/api/adopt_access_token" => {
                let gone = self.app.add(&format!("gone-{number}"), Some(Role::Admin)).await;
                Viewer::user(gone, Origin::default())
            }
            _ => operator.clone(),
        };
        let made = access_token::create(platform, &creator, ACME, None, Wanted::new("target", &[Scope::AuditRead]))
            .await
            .unwrap();
        if let Ok(gone) = creator.require_user() {
            let owner = Viewer::user(self.app.owner.clone(), Origin::default());
            members::remove(platform, &owner, ACME, &gone.id.to_string()).await.unwrap();
        }
        if path == "/api/withdraw_access_token_graph" {
            graphs::grant(platform, &operator, ACME, made.id.into(), "inventory", "read").await.unwrap();
            return (made.id.to_string(), "2".to_owned());
        }
        (made.id.to_string(), "1".to_owned())
    }

    /// A team with somebody in it, to do something to.
    async fn team_of(&self, fellow: &str, number: usize) -> String {
        let (platform, owner) = (&self.app.platform, Viewer::user(self.app.owner.clone(), Origin::default()));
        let team = teams::create(platform, &owner, ACME, &format!("team {number}")).await.unwrap().to_string();
        let email = format!("fellow-{number}@acme.example");
        teams::add_member(platform, &owner, ACME, &team, &email, "member").await.unwrap();
        let people = teams::team(platform, &owner, ACME, &team).await.unwrap().members;
        assert_eq!(people[0].user_id, fellow);
        team
    }

    /// The id of a further session of somebody; of nothing if they have none.
    async fn session_of(&self, who: Who, client: &Client) -> String {
        if !self.users.iter().any(|(known, _)| *known == who) {
            return self.event.clone();
        }
        let _other = self.client(who).await;
        let sessions = client.call("/api/own_sessions", &[]).await.json();
        let mut others = sessions.as_array().unwrap().iter().filter(|session| session["is_present"] == false);
        others.next_back().unwrap()["id"].as_str().unwrap().to_owned()
    }

    /// A graph to change, with the version that the form would send: the one of what it changes.
    async fn graph(&self, path: &str, number: usize) -> (String, String) {
        let (platform, owner) = (&self.app.platform, Viewer::user(self.app.owner.clone(), Origin::default()));
        let slug = format!("graph-{number}");
        self.app.graph(&slug).await;
        if path.ends_with("_subgraph") {
            publish(&self.app, &slug, "main", PRODUCTS).await;
            return (slug, "2".to_owned());
        }
        branches::create(platform, &owner, ACME, &slug, "next", "main").await.unwrap();
        if path == "/api/withdraw_team_graph" {
            graph_teams::grant(platform, &owner, ACME, &slug, &self.team, "read", None).await.unwrap();
            return (slug, "2".to_owned());
        }
        (slug, "1".to_owned())
    }

    /// An invite to do something with, that was sent a while ago.
    async fn invite(&self, number: usize) -> String {
        let owner = Viewer::user(self.app.owner.clone(), Origin::default());
        let email = format!("invited-{number}@new.example");
        let sent = invites::create(&self.app.platform, &owner, ACME, &email, "member", &[]).await.unwrap();
        let mut transaction = self.app.superuser.begin().await.unwrap();
        // Time passes for it: the guard of the table would want an event for that.
        sqlx::query("set local session_replication_role = replica").execute(&mut *transaction).await.unwrap();
        let sql = "update orgtrail.invites set sent_at = sent_at - interval '1 hour'";
        sqlx::query(sql).execute(&mut *transaction).await.unwrap();
        transaction.commit().await.unwrap();
        sent.id
    }

    /// A link that works for who asks; none for who has no account.
    async fn secret(&self, who: Who, path: &str, number: usize) -> String {
        let user = self.users.iter().find(|(known, _)| *known == who).map(|(_, user)| user);
        match (path, user) {
            ("/api/accept_invite", Some(user)) => mailed::invited(&self.app, &user.email).await,
            ("/api/email_change_view" | "/api/confirm_email", Some(user)) => mailed::changing(&self.app, user).await,
            ("/api/invite_view" | "/api/join_by_invite", _) => {
                mailed::invited(&self.app, &format!("joins-{number}@new.example")).await
            }
            ("/api/reset_view" | "/api/reset_password", _) => {
                mailed::forgotten(&self.app, &format!("fellow-{number}@acme.example")).await
            }
            _ => String::new(),
        }
    }

    /// The address that a function is given: another one each time where one is invited or mailed to.
    fn email(&self, path: &str, number: usize) -> String {
        match path {
            "/api/create_invite" | "/api/request_password_reset" | "/api/request_email_change" => {
                format!("mailed-{number}@new.example")
            }
            _ => self.app.owner.email.clone(),
        }
    }

    /// Every argument that some server function takes, so that whoever may call the one at `path` succeeds.
    pub async fn arguments(&self, who: Who, client: &Client, path: &str, number: usize) -> Vec<(&'static str, String)> {
        let (fellow, made) = (self.fellow(number).await, format!("made-{number}"));
        let of_team = path.contains("team") && !changes_graph(path);
        let team = if of_team { self.team_of(&fellow, number).await } else { self.team.clone() };
        let id = if path == "/api/end_session" { self.session_of(who, client).await } else { self.event.clone() };
        let needs_target = path.contains("_access_token") && path != "/api/create_access_token";
        let (token, version) = if needs_target { self.target(path, number).await } else { Default::default() };
        let (email, secret) = (self.email(path, number), self.secret(who, path, number).await);
        let invite = if path.ends_with("_invite") { self.invite(number).await } else { String::new() };
        let version = if path.ends_with("_invite") { "1".to_owned() } else { version };
        let (graph, version) = match path {
            _ if changes_graph(path) => self.graph(path, number).await,
            _ => ("inventory".to_owned(), version),
        };
        let model = if path == "/api/delete_model" { &made } else { "fraud" };
        if path == "/api/delete_model" {
            models::make(&self.app, &made, String::new(), false).await;
        }
        let name = match path {
            "/api/publish_subgraph" => "products",
            "/api/create_model" => &made,
            _ if of_team || changes_graph(path) => &made,
            _ => "Acme",
        };
        let arguments = [
            ("organization", ACME),
            ("name", name),
            ("slug", if path == "/api/create_organization" || changes_graph(path) { &made } else { ACME }),
            ("query", ""),
            ("search", ""),
            ("id", &id),
            ("team", &team),
            ("user_id", &fellow),
            ("role", if of_team { "member" } else { "admin" }),
            ("token", &token),
            ("version", &version),
            ("scopes[]", "audit:read"),
            ("graph", &graph),
            ("model", model),
            ("records", "{}"),
            ("branch", if path.ends_with("_branch") { "next" } else { "main" }),
            ("from", "main"),
            ("subgraph", "products"),
            ("number", "1"),
            ("schema", PRODUCTS),
            ("client", "web"),
            ("manifest", MANIFEST),
            ("document", "all"),
            ("url", "https://products.example/graphql"),
            ("permission", "publish"),
            ("email", &email),
            ("invite", &invite),
            ("secret", &secret),
            ("password", PASSWORD),
            ("current_password", PASSWORD),
            ("new_password", OTHER_PASSWORD),
        ];
        arguments.map(|(name, value)| (name, value.to_owned())).into()
    }

    /// Calls a server function so that whoever may call it succeeds.
    async fn ask(&self, who: Who, method: &str, path: &str, number: usize) -> Answer {
        let client = self.client(who).await;
        let arguments = self.arguments(who, &client, path, number).await;
        let arguments: Vec<(&str, &str)> = arguments.iter().map(|(name, value)| (*name, value.as_str())).collect();
        loop {
            let answer = if method == "GET" {
                let today = self.app.platform.clock.now().date_naive();
                let request = client.bare(Method::GET, path);
                let range = [("start", today.to_string()), ("end", today.to_string())];
                Answer::read(request.query(&[("organization", ACME)]).query(&range)).await
            } else {
                client.call(path, &arguments).await
            };
            if path == "/api/change_password" && answer.status == 200 {
                let back = [("current_password", OTHER_PASSWORD), ("new_password", PASSWORD)];
                assert_eq!(client.call(path, &back).await.status, 200);
            }
            // The export before this one gives its place back after its last byte.
            if answer.status != 429 {
                return answer;
            }
        }
    }
}

async fn tokens(app: &TestApplication, owner: &Viewer) -> Vec<(Who, String)> {
    let mut tokens = Vec::new();
    for scope in Scope::ALL {
        tokens.push((Who::Token(scope), app.token(&[scope]).await));
    }
    let everything =
        access_token::create(&app.platform, owner, ACME, None, Wanted::new("revoked", &Scope::ALL)).await.unwrap();
    access_token::revoke(&app.platform, owner, ACME, everything.id).await.unwrap();
    tokens.push((Who::Revoked, everything.secret.expose().to_owned()));
    let expired =
        access_token::create(&app.platform, owner, ACME, None, Wanted::new("expired", &Scope::ALL)).await.unwrap();
    let mut transaction = app.superuser.begin().await.unwrap();
    // Time passes for it: the guard of the table would want an event for that.
    sqlx::query("set local session_replication_role = replica").execute(&mut *transaction).await.unwrap();
    let expire = "update orgtrail.access_tokens set expires_at = clock_timestamp() where id = $1";
    sqlx::query(expire).bind(expired.id).execute(&mut *transaction).await.unwrap();
    transaction.commit().await.unwrap();
    tokens.push((Who::Expired, expired.secret.expose().to_owned()));
    tokens
}

#[tokio::test]
async fn every_server_function_has_a_rule_and_keeps_it_for_everybody() {
    let mut registered: Vec<_> =
        server_fn_paths().map(|(path, method)| (method.to_string(), path.to_owned())).collect();
    registered.sort();
    let known: Vec<_> = ENDPOINTS.iter().map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned())).collect();
    assert_eq!(registered, known);
    let cast = Cast::new().await;
    let (mut wrong, mut number) = (Vec::new(), 0);
    for (method, path, rule) in ENDPOINTS {
        for who in everybody() {
            number += 1;
            let answer = cast.ask(who, method, path, number).await;
            let expected = expected(rule, who);
            let status = if answer.status == 202 { 200 } else { answer.status };
            if status != expected {
                wrong.push(format!("{path} for {who:?}: {} instead of {expected}: {}", answer.status, answer.body));
            }
            // A refusal is a problem and nothing else: no piece of what was asked for.
            if expected != 200 {
                assert_eq!(answer.header("content-type"), "application/problem+json", "{path} for {who:?}");
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn what_changes_something_is_no_get() {
    let app = TestApplication::start().await;
    let owner = app.owner().await;
    for (_, path, _) in ENDPOINTS.iter().filter(|(method, ..)| *method == "POST") {
        assert_eq!(owner.get(path).await.status, 405, "{path}");
    }
}
