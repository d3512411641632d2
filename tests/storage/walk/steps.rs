//! The walk itself: each use case once, and what else it takes for that.

use orgtrail::audit::event::Outcome::{Denied, Failure, Success};
use orgtrail::audit::export::{self, End, Receipt};
use orgtrail::audit::feed;
use orgtrail::audit::ingest::{self, Format, Submission};
use orgtrail::audit::logs::{self, Asked};
use orgtrail::audit::operation::{self, SentMutation};
use orgtrail::audit::page;
use orgtrail::audit::query::EventFilter;
use orgtrail::graph::{self, branches, documents, download, registry, subgraphs, versions};
use orgtrail::identity::access_token::{self, Scope, Wanted, graphs as tokens_of_graphs, list};
use orgtrail::identity::role::Role;
use orgtrail::identity::sign_in::{create_user, sign_in, sign_up};
use orgtrail::identity::viewer::{self, Origin, User, Viewer};
use orgtrail::identity::{account, email_change, recovery, sessions};
use orgtrail::model::{self, records, registry as models};
use orgtrail::organization::{choice, invites, members, settings, teams};
use serde_json::json;
use std::sync::Arc;

use super::Walk;
use crate::account::{begin_session, clear_throttles};
use crate::fixture::{Fixture, PASSWORD, origin, run, secret_in, seen};

pub(super) async fn organizations(walk: &mut Walk<'_>, owner: &Viewer) {
    let platform = &walk.fixture.platform;
    walk.step("organization/settings::create", settings::create(platform, owner, "Acme", "acme")).await.unwrap();
    walk.step("organization/settings::organization", settings::organization(platform, owner, "acme")).await.unwrap();
    walk.step(
        "organization/settings::update",
        settings::update(platform, owner, "acme", "Acme Robotics", "acme-robotics", None),
    )
    .await
    .unwrap();
    walk.step("organization/settings::update", settings::update(platform, owner, "acme", "Acme", "acme", None))
        .await
        .unwrap();
}

pub(super) async fn people(walk: &mut Walk<'_>, owner: &Viewer) {
    let (platform, operator) = (&walk.fixture.platform, Viewer::operator());
    let made = create_user(platform, &operator, "Grace", "grace@people.example", Some(PASSWORD));
    let grace = walk.step("identity/sign_in::create_user", made).await.unwrap();
    walk.step("organization/members::add", members::add(platform, &operator, "acme", &grace.email, Role::Member))
        .await
        .unwrap();
    let account = ("Katherine", "katherine@people.example", PASSWORD);
    let add_new = members::add_new(platform, &operator, "acme", account, Role::Member);
    walk.step("organization/members::add_new", add_new).await.unwrap();
    walk.step("organization/members::list", members::list(platform, owner, "acme", "")).await.unwrap();
    let id = grace.id.to_string();
    walk.step("organization/members::member", members::member(platform, owner, "acme", &id)).await.unwrap();
    walk.step("organization/members::change_role", members::change_role(platform, owner, "acme", &id, "admin", None))
        .await
        .unwrap();
    sign_ins(walk, &grace.email).await;
    walk.step("identity/viewer::view", viewer::view(platform, &seen(&grace))).await.unwrap();
    own_account(walk, &seen(&grace)).await;
    mailed_links(walk, &seen(&grace)).await;
    let end = sessions::end_of_member(platform, owner, "acme", &id);
    walk.step("identity/sessions::end_of_member", end).await.unwrap();
    teams(walk, owner, &grace).await;
    walk.step("organization/members::remove", members::remove(platform, owner, "acme", &id)).await.unwrap();
}

async fn own_account(walk: &mut Walk<'_>, grace: &Viewer) {
    let platform = &walk.fixture.platform;
    walk.step("identity/account::rename", account::rename(platform, grace, "Grace Hopper", None)).await.unwrap();
    let password = "another horse of batteries";
    let wrong = account::change_password(platform, grace, "not her password", password);
    walk.step("identity/account::change_password", wrong).await.unwrap_err();
    // Her address waits after the failures before.
    clear_throttles(walk.fixture).await;
    let change = account::change_password(platform, grace, PASSWORD, password);
    walk.step("identity/account::change_password", change).await.unwrap();
    for number in 0..2 {
        begin_session(walk.fixture, grace, number).await;
    }
    let running = walk.step("identity/sessions::list", sessions::list(platform, grace)).await.unwrap();
    walk.step("identity/sessions::end", sessions::end(platform, grace, &running[0].id)).await.unwrap();
    walk.step("identity/sessions::end_others", sessions::end_others(platform, grace)).await.unwrap();
}

async fn teams(walk: &mut Walk<'_>, owner: &Viewer, grace: &User) {
    let platform = &walk.fixture.platform;
    let id = grace.id.to_string();
    let mut made = Vec::new();
    for name in ["Security", "Platform"] {
        let create = teams::create(platform, owner, "acme", name);
        let team = walk.step("organization/teams::create", create).await.unwrap().to_string();
        let add = teams::add_member(platform, owner, "acme", &team, &grace.email, "member");
        walk.step("organization/teams/people::add_member", add).await.unwrap();
        made.push(team);
    }
    let [security, other] = &made[..] else { panic!("two teams were made") };
    walk.step("organization/teams::list", teams::list(platform, owner, "acme", "")).await.unwrap();
    walk.step("organization/teams::team", teams::team(platform, owner, "acme", security)).await.unwrap();
    let rename = teams::rename(platform, owner, "acme", security, "Safety", None);
    walk.step("organization/teams::rename", rename).await.unwrap();
    let raise = teams::change_member_role(platform, owner, "acme", security, &id, "maintainer", None);
    walk.step("organization/teams/people::change_member_role", raise).await.unwrap();
    let remove = teams::remove_member(platform, owner, "acme", security, &id);
    walk.step("organization/teams/people::remove_member", remove).await.unwrap();
    walk.step("organization/teams::delete", teams::delete(platform, owner, "acme", other)).await.unwrap();
    teams::add_member(platform, owner, "acme", security, &grace.email, "member").await.unwrap();
}

async fn mailed_links(walk: &mut Walk<'_>, grace: &Viewer) {
    let (platform, nobody, email) =
        (&walk.fixture.platform, Viewer::anonymous(origin()), &grace.require_user().unwrap().email);
    walk.step("identity/recovery::request", recovery::request(platform, &nobody, email)).await.unwrap();
    let secret = walk.fixture.mailbox.secret_for(email);
    let reset = recovery::reset(platform, &nobody, &secret, PASSWORD);
    walk.step("identity/recovery::reset", reset).await.unwrap();
    walk.fixture.mailbox.empty();
    let other = "Grace@people.example"; // the same mailbox, spelt differently
    let request = email_change::request(platform, grace, other, PASSWORD);
    walk.step("identity/email_change::request", request).await.unwrap();
    let secret = walk.fixture.mailbox.secret_for(other);
    walk.step("identity/email_change::look", email_change::look(platform, grace, &secret)).await.unwrap();
    walk.step("identity/email_change::confirm", email_change::confirm(platform, grace, &secret)).await.unwrap();
}

pub(super) async fn invitations(walk: &mut Walk<'_>, owner: &Viewer) {
    let (platform, nobody) = (&walk.fixture.platform, Viewer::anonymous(origin()));
    let mut secrets = Vec::new();
    for name in ["new", "known", "unwanted"] {
        let email = format!("{name}@invited.example");
        let create = invites::create(platform, owner, "acme", &email, "member", &[]);
        let sent = walk.step("organization/invites::create", create).await.unwrap();
        secrets.push((sent.id, secret_in(&sent.link)));
    }
    walk.step("organization/invites::list", invites::list(platform, owner, "acme")).await.unwrap();
    let [(_, new), (known, _), (unwanted, _)] = &secrets[..] else { panic!("three were invited") };
    let look = invites::look(platform, &nobody, new);
    walk.step("organization/invites/accept::look", look).await.unwrap();
    let up = invites::sign_up(platform, &nobody, new, "New", PASSWORD);
    walk.step("organization/invites/accept::sign_up", up).await.unwrap();
    let raise = invites::update(platform, owner, "acme", known, "admin", &[], 1);
    walk.step("organization/invites::update", raise).await.unwrap();
    sent_long_ago(walk.fixture).await;
    let again = invites::resend(platform, owner, "acme", known);
    let known = secret_in(&walk.step("organization/invites::resend", again).await.unwrap().link);
    let user = create_user(platform, &Viewer::operator(), "Known", "known@invited.example", None).await.unwrap();
    let viewer = seen(&user);
    let accept = invites::accept(platform, &viewer, &known);
    walk.step("organization/invites/accept::accept", accept).await.unwrap();
    walk.step("organization/invites::revoke", invites::revoke(platform, owner, "acme", unwanted)).await.unwrap();
}

/// Time passes for the invites. The guard wants an event for that, so it looks away here.
async fn sent_long_ago(fixture: &Fixture) {
    let mut transaction = fixture.superuser.begin().await.unwrap();
    for statement in [
        "set local session_replication_role = replica",
        "update orgtrail.invites set sent_at = sent_at - interval '1 hour'",
    ] {
        run(statement, &mut *transaction).await.unwrap();
    }
    transaction.commit().await.unwrap();
}

async fn sign_ins(walk: &mut Walk<'_>, email: &str) {
    let (platform, nobody) = (&walk.fixture.platform, Viewer::anonymous(origin()));
    let up = sign_up(platform, &nobody, "Linus", "linus@people.example", PASSWORD);
    walk.step("identity/sign_in::sign_up", up).await.unwrap();
    walk.step("identity/sign_in::sign_in", sign_in(platform, &nobody, email, PASSWORD)).await.unwrap();
    for _ in 0..7 {
        walk.step("identity/sign_in::sign_in", sign_in(platform, &nobody, email, "a wrong password"))
            .await
            .unwrap_err();
    }
}

pub(super) async fn tokens(walk: &mut Walk<'_>, owner: &Viewer) {
    let platform = &walk.fixture.platform;
    let make = access_token::create(platform, owner, "acme", None, Wanted::new("SIEM", &[Scope::AuditRead]));
    let made = walk.step("identity/access_token/manage::create", make).await.unwrap();
    let (id, robot) = (made.id, viewer::from_token(platform, origin(), made.secret.expose()).await.unwrap());
    assert_eq!(viewer::organization_of_token(&robot).unwrap(), "acme");
    walk.step("identity/access_token/list::page", list::page(platform, owner, "acme", "")).await.unwrap();
    let wanted = Wanted::new("Reports", &[Scope::AuditRead, Scope::AuditExport]);
    walk.step("identity/access_token/manage::update", access_token::update(platform, owner, "acme", id.into(), wanted))
        .await
        .unwrap();
    walk.step("identity/access_token/manage::rotate", access_token::rotate(platform, owner, "acme", id)).await.unwrap();
    made_graph(walk, owner).await;
    for permission in ["read", "admin"] {
        let granted = tokens_of_graphs::grant(platform, owner, "acme", id.into(), "inventory", permission);
        walk.step("identity/access_token/graphs::grant", granted).await.unwrap();
    }
    let withdrawn = tokens_of_graphs::withdraw(platform, owner, "acme", id.into(), "inventory");
    walk.step("identity/access_token/graphs::withdraw", withdrawn).await.unwrap();
    walk.step("identity/access_token/manage::revoke", access_token::revoke(platform, owner, "acme", id)).await.unwrap();
    adoption(walk, owner).await;
}

/// A graph that tokens can be given permissions for.
async fn made_graph(walk: &mut Walk<'_>, owner: &Viewer) {
    let wanted = registry::Wanted { slug: "inventory", name: "Inventory", description: "" };
    let made = registry::create(&walk.fixture.platform, owner, "acme", wanted);
    walk.step("graph/registry::create", made).await.unwrap();
}

pub(super) async fn graphs(walk: &mut Walk<'_>, owner: &Viewer) {
    let platform = &walk.fixture.platform;
    walk.step("graph/registry::list", registry::list(platform, owner, "acme", "")).await.unwrap();
    walk.step("graph/registry::graph", registry::graph(platform, owner, "acme", "inventory")).await.unwrap();
    let wanted = registry::Wanted { slug: "stock", name: "Stock", description: "What there is." };
    let update = registry::update(platform, owner, "acme", "inventory", wanted, Some(1));
    walk.step("graph/registry::update", update).await.unwrap();
    let team = teams::list(platform, owner, "acme", "Safety").await.unwrap().teams.remove(0).id;
    let grant = graph::teams::grant(platform, owner, "acme", "stock", &team, "publish", None);
    walk.step("graph/teams::grant", grant).await.unwrap();
    let withdraw = graph::teams::withdraw(platform, owner, "acme", "stock", &team, None);
    walk.step("graph/teams::withdraw", withdraw).await.unwrap();
    let create = branches::create(platform, owner, "acme", "stock", "next", "main");
    walk.step("graph/branches::create", create).await.unwrap();
    let wanted = branches::Wanted { name: "later", protected: false };
    let update = branches::update(platform, owner, "acme", "stock", "next", wanted, None);
    walk.step("graph/branches::update", update).await.unwrap();
    let delete = branches::delete(platform, owner, "acme", "stock", "later");
    walk.step("graph/branches::delete", delete).await.unwrap();
    schemas(walk, owner, &team).await;
    let token = access_token::create(platform, owner, "acme", None, Wanted::new("Builds", &[Scope::GraphsWrite]))
        .await
        .unwrap();
    tokens_of_graphs::grant(platform, owner, "acme", token.id.into(), "stock", "publish").await.unwrap();
    walk.step("graph/registry::delete", registry::delete(platform, owner, "acme", "stock")).await.unwrap();
}

async fn schemas(walk: &mut Walk<'_>, owner: &Viewer, team: &str) {
    let platform = &walk.fixture.platform;
    let target = subgraphs::Target { graph: "stock", branch: "main", name: "products" };
    for schema in ["type Query { a: Int }", "type Query { a: Int b: Int }"] {
        let publication = subgraphs::Publication { schema: schema.as_bytes(), url: Some("https://products.example") };
        let publish = subgraphs::publish(platform, owner, "acme", target, publication);
        walk.step("graph/subgraphs::publish", publish).await.unwrap();
    }
    let settings = subgraphs::Settings { url: "https://products.example/graphql", owner_team: team };
    let update = subgraphs::update(platform, owner, "acme", target, settings, None);
    walk.step("graph/subgraphs/settings::update", update).await.unwrap();
    walk.step("graph/versions::branch", versions::branch(platform, owner, "acme", "stock", "main")).await.unwrap();
    walk.step("graph/versions::list", versions::list(platform, owner, "acme", target, None)).await.unwrap();
    walk.step("graph/versions::version", versions::version(platform, owner, "acme", target, 1)).await.unwrap();
    walk.step("graph/versions::compare", versions::compare(platform, owner, "acme", target, 1, 2)).await.unwrap();
    let all = versions::supergraphs(platform, owner, "acme", "stock", "main", None);
    walk.step("graph/versions/supergraphs::supergraphs", all).await.unwrap();
    let one = versions::supergraph(platform, owner, "acme", "stock", "main", 3);
    walk.step("graph/versions/supergraphs::supergraph", one).await.unwrap();
    let sdl = download::subgraph(platform, owner, "acme", target, None);
    walk.step("graph/download::subgraph", sdl).await.unwrap();
    let sdl = download::supergraph(platform, owner, "acme", "stock", "main", Some(1));
    walk.step("graph/download::supergraph", sdl).await.unwrap();
    let compared = versions::compare_supergraphs(platform, owner, "acme", "stock", "main", 1, 3);
    walk.step("graph/versions/supergraphs::compare_supergraphs", compared).await.unwrap();
    let client = documents::Client { graph: "stock", branch: "main", name: "web" };
    let submit = documents::submit(platform, owner, "acme", client, br#"{"a": "query A { a }"}"#);
    walk.step("graph/documents::submit", submit).await.unwrap();
    let list = documents::list(platform, owner, "acme", "stock", "main", documents::Find::default());
    walk.step("graph/documents/reading::list", list).await.unwrap();
    let one = documents::document(platform, owner, "acme", client, "a");
    walk.step("graph/documents/reading::document", one).await.unwrap();
    let delete = subgraphs::delete(platform, owner, "acme", target);
    walk.step("graph/subgraphs::delete", delete).await.unwrap();
}

pub(super) async fn data(walk: &mut Walk<'_>, owner: &Viewer) {
    let platform = &walk.fixture.platform;
    let wanted = models::Wanted { name: "fraud", description: "What was paid.", demo: false };
    walk.step("model/registry::create", models::create(platform, owner, "acme", wanted)).await.unwrap();
    walk.step("model/registry::list", models::list(platform, owner, "acme")).await.unwrap();
    let today = platform.clock.now().date_naive();
    let range = format!("start={today}&end={today}");
    for (lines, outcome) in [("", End::Complete), ("{\"a\":1}\n{\"a\":2}", End::Complete), ("{}", End::Aborted)] {
        if !lines.is_empty() {
            let sent = records::Submission { key: None, body: lines.into() };
            let add = records::add(platform, owner, "acme", "fraud", sent);
            walk.step("model/records::add", add).await.unwrap();
        }
        let start = model::export::start(platform, owner, "acme", "fraud", &range);
        let export = walk.step("model/export::start", start).await.unwrap();
        walk.step("export/ticket::finish", export.ticket().finish(outcome, Receipt::default())).await;
    }
    walk.step("model/records/reading::page", records::page(platform, owner, "acme", "fraud", "")).await.unwrap();
    walk.step("model/registry::delete", models::delete(platform, owner, "acme", "fraud")).await.unwrap();
}

async fn adoption(walk: &mut Walk<'_>, owner: &Viewer) {
    let platform = &walk.fixture.platform;
    let admin = seen(&walk.fixture.user("leaves").await);
    let user = admin.require_user().unwrap();
    members::add(platform, &Viewer::operator(), "acme", &user.email, Role::Admin).await.unwrap();
    let orphan =
        access_token::create(platform, &admin, "acme", None, Wanted::new("Orphan", &[Scope::AuditRead])).await.unwrap();
    members::remove(platform, owner, "acme", &user.id.to_string()).await.unwrap();
    let adopted = access_token::adopt(platform, owner, "acme", orphan.id.into());
    walk.step("identity/access_token/manage::adopt", adopted).await.unwrap();
}

pub(super) async fn trail(walk: &mut Walk<'_>, owner: &Viewer) {
    let (platform, member) = (&walk.fixture.platform, seen(&walk.fixture.user("member").await));
    let email = &member.require_user().unwrap().email;
    members::add(platform, &Viewer::operator(), "acme", email, Role::Member).await.unwrap();
    let shown = walk.step("audit/page::events", page::events(platform, owner, "acme", "")).await.unwrap();
    walk.step("audit/page::events", page::events(platform, owner, "acme", "")).await.unwrap();
    walk.step("audit/page::event", page::event(platform, owner, "acme", &shown.events[0].id)).await.unwrap();
    walk.step("audit/page::count", page::count(platform, owner, "acme", "")).await.unwrap();
    walk.step("audit/page::actors", page::actors(platform, owner, "acme")).await.unwrap();
    walk.step("audit/page::events", page::events(platform, &member, "acme", "")).await.unwrap_err();
    walk.step("audit/page::events", page::events(platform, &member, "acme", "")).await.unwrap_err();
    let export = walk.step("audit/export::start", export::start(platform, owner, &shown.export_query)).await.unwrap();
    walk.step("export/ticket::finish", export.ticket().finish(End::Complete, Receipt::default())).await;
    assert!(walk.step("audit/export::start", export::start(platform, &member, &shown.export_query)).await.is_err());
    let wanted = Wanted::new("product", &[Scope::EventsWrite]);
    let product = access_token::create(platform, owner, "acme", None, wanted).await.unwrap();
    let product = viewer::from_token(platform, origin(), product.secret.expose()).await.unwrap();
    let body = br#"{"id":"1","action":"invoice.paid","actor":{"user":{"id":"1"}}}"#;
    for _ in 0..2 {
        let sent = Submission { key: None, body, format: Format::Json };
        walk.step("audit/ingest::record", ingest::record(platform, &product, "acme", sent)).await.unwrap();
    }
    let asked = Asked { first: 10, ..Asked::default() };
    walk.step("organization/choice::meant", choice::meant(platform, owner, None)).await.unwrap();
    walk.step("audit/logs::sign_ins", logs::sign_ins(platform, owner, "acme", &asked)).await.unwrap();
    walk.step("audit/logs::operations", logs::operations(platform, owner, "acme", &asked)).await.unwrap();
    walk.step("audit/logs::exports", logs::exports(platform, owner, "acme", &asked)).await.unwrap();
    let every = EventFilter::default();
    walk.step("audit/logs::changes", logs::changes(platform, owner, "acme", &every, &asked)).await.unwrap();
    walk.step("audit/logs::count", logs::count(platform, owner, "acme", &every, &asked)).await.unwrap();
    walk.step("audit/logs::complete_through", logs::complete_through(platform, owner, "acme")).await.unwrap();
    walk.step("audit/feed::read", feed::read(platform, owner, "acme", None, 10)).await.unwrap();
    let sent = sending(owner);
    walk.step("organization/teams::create", teams::create(platform, &sent, "acme", "Asked for")).await.unwrap();
    walk.step("audit/operation::settle", operation::settle(platform, &sent, Some("acme"), Success)).await.unwrap();
    for (named, outcome) in [(Some("acme"), Denied), (Some("elsewhere"), Denied), (None, Failure)] {
        let sent = sending(owner);
        walk.step("audit/operation::settle", operation::settle(platform, &sent, named, outcome)).await.unwrap();
    }
}

/// Somebody whose request is a mutation.
fn sending(viewer: &Viewer) -> Viewer {
    let sent =
        SentMutation::new(Some("create_team"), "POST /api/create_team", json!({}), vec!["create_team".into()], None);
    let origin = Origin { mutation: Some(Arc::new(sent)), ..origin() };
    Viewer { origin, ..viewer.clone() }
}
