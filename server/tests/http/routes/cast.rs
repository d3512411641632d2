//! Somebody of each kind, and the application that they ask.

use orgtrail::audit::page;
use orgtrail::graph::{branches, teams as graph_teams};
use orgtrail::identity::access_token::{self, Scope, Wanted, graphs};
use orgtrail::identity::role::Role;
use orgtrail::identity::sign_in::create_user;
use orgtrail::identity::viewer::{Origin, User, Viewer};
use orgtrail::organization::{invites, members, settings, teams};
use orgtrail_server::config::Config;
use reqwest::Method;

use super::{OTHER_PASSWORD, Who, changes_graph};
use crate::graphs::{MANIFEST, PRODUCTS, publish, submit};
use crate::mailed;
use crate::models;
use crate::support::{ACME, Answer, Client, PASSWORD, TestApplication};

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
        Self::new_with(|_| {}).await
    }

    /// Likewise, with a changed configuration.
    pub async fn new_with(change: impl FnOnce(&mut Config)) -> Self {
        let app = TestApplication::start_with(change).await;
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
    pub(super) async fn ask(&self, who: Who, method: &str, path: &str, number: usize) -> Answer {
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
