//! A walk through every use case that a viewer can ask for: what it leaves in the trail. It fails when a use case exists that is not walked,
//! and when one that is walked no longer exists.

use orgtrail::audit::action::{Action, Shape};
use orgtrail::identity::attempt::copy_pending;
use serde_json::Value;
use sqlx::PgPool;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::fixture::{Fixture, seen};
use steps::{data, graphs, invitations, organizations, people, tokens, trail};

mod steps;

/// Use cases that change nothing of an organization. What leaves no event and is not here fails, and so does what is here and leaves one.
const LEAVES_NOTHING: [&str; 41] = [
    "audit/feed::read",
    "audit/logs::changes",
    "audit/logs::complete_through",
    "audit/logs::count",
    "audit/logs::exports",
    "audit/logs::operations",
    "audit/logs::sign_ins",
    "audit/page::actors",
    "audit/page::count",
    "audit/page::event",
    "graph/documents/reading::document",
    "graph/documents/reading::list",
    "graph/download::subgraph",
    "graph/download::supergraph",
    "graph/registry::graph",
    "graph/registry::list",
    "graph/versions/supergraphs::compare_supergraphs",
    "graph/versions/supergraphs::supergraph",
    "graph/versions/supergraphs::supergraphs",
    "graph/versions::branch",
    "graph/versions::compare",
    "graph/versions::list",
    "graph/versions::version",
    "identity/access_token/list::page",
    "identity/email_change::look",
    "identity/email_change::request", // nothing has changed yet
    "identity/recovery::request",     // likewise, and whether there is an account is told nobody
    "identity/sessions::list",
    "identity/sign_in::create_user", // an account that belongs to no organization yet
    "identity/sign_in::sign_up",     // likewise: the attempt is the platform's, and is copied nowhere
    "identity/viewer::view",
    "model/records/reading::page",
    "model/registry::list",
    "organization/choice::meant",
    "organization/invites/accept::look",
    "organization/invites::list",
    "organization/members::list",
    "organization/members::member",
    "organization/settings::organization",
    "organization/teams::list",
    "organization/teams::team",
];

/// What has been walked: the use case and the events that it left, in all trails.
struct Walk<'a> {
    fixture: &'a Fixture,
    steps: Vec<(&'static str, Vec<String>)>,
}

impl Walk<'_> {
    async fn step<T>(&mut self, name: &'static str, use_case: impl Future<Output = T>) -> T {
        let before = self.events().await.len();
        let answer = use_case.await;
        copy_pending(&self.fixture.platform).await.unwrap();
        let left = self.events().await.split_off(before);
        self.steps.push((name, left));
        answer
    }

    async fn events(&self) -> Vec<String> {
        sqlx::query_scalar(
            "select format('%s %s %s', kind, action, outcome) from orgtrail.events order by recorded_at, index",
        )
        .fetch_all(&self.fixture.superuser)
        .await
        .unwrap()
    }

    fn names(&self) -> BTreeSet<String> {
        self.steps.iter().map(|(name, _)| (*name).to_owned()).collect()
    }

    /// A line for each step.
    fn story(&self) -> String {
        let left = |left: &[String]| if left.is_empty() { "nothing".to_owned() } else { left.join(", ") };
        self.steps.iter().map(|(name, events)| format!("{name}: {}\n", left(events))).collect()
    }
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn every_use_case_leaves_what_it_must(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let owner = seen(&fixture.user("ada").await);
    let mut walk = Walk { fixture: &fixture, steps: Vec::new() };
    organizations(&mut walk, &owner).await;
    people(&mut walk, &owner).await;
    invitations(&mut walk, &owner).await;
    tokens(&mut walk, &owner).await;
    graphs(&mut walk, &owner).await;
    data(&mut walk, &owner).await;
    trail(&mut walk, &owner).await;
    insta::assert_snapshot!(walk.story(), @r"
    organization/settings::create: change organization.created success, change member.created success
    organization/settings::organization: nothing
    organization/settings::update: change organization.updated success
    organization/settings::update: change organization.updated success
    identity/sign_in::create_user: nothing
    organization/members::add: change member.created success
    organization/members::add_new: change member.created success
    organization/members::list: nothing
    organization/members::member: nothing
    organization/members::change_role: change member.updated success
    identity/sign_in::sign_up: nothing
    identity/sign_in::sign_in: login login.attempted success
    identity/sign_in::sign_in: login login.attempted failure
    identity/sign_in::sign_in: login login.attempted failure
    identity/sign_in::sign_in: login login.attempted failure
    identity/sign_in::sign_in: login login.attempted failure
    identity/sign_in::sign_in: login login.attempted failure
    identity/sign_in::sign_in: login login.attempted failure
    identity/sign_in::sign_in: login login.attempted denied
    identity/viewer::view: nothing
    identity/account::rename: login account.updated success
    identity/account::change_password: login account.updated denied
    identity/account::change_password: login account.updated success
    identity/sessions::list: nothing
    identity/sessions::end: login account.updated success
    identity/sessions::end_others: login account.updated success
    identity/recovery::request: nothing
    identity/recovery::reset: login account.updated success
    identity/email_change::request: nothing
    identity/email_change::look: nothing
    identity/email_change::confirm: login account.updated success
    identity/sessions::end_of_member: operation member.sessions.ended success
    organization/teams::create: change team.created success
    organization/teams/people::add_member: change team.member.added success
    organization/teams::create: change team.created success
    organization/teams/people::add_member: change team.member.added success
    organization/teams::list: nothing
    organization/teams::team: nothing
    organization/teams::rename: change team.updated success
    organization/teams/people::change_member_role: change team.member.updated success
    organization/teams/people::remove_member: change team.member.removed success
    organization/teams::delete: change team.member.removed success, change team.deleted success
    organization/members::remove: change team.member.removed success, change member.deleted success
    organization/invites::create: change invite.created success
    organization/invites::create: change invite.created success
    organization/invites::create: change invite.created success
    organization/invites::list: nothing
    organization/invites/accept::look: nothing
    organization/invites/accept::sign_up: change member.created success, login login.attempted success
    organization/invites::update: change invite.updated success
    organization/invites::resend: change invite.updated success
    organization/invites/accept::accept: change member.created success
    organization/invites::revoke: change invite.deleted success
    identity/access_token/manage::create: change access_token.created success
    identity/access_token/list::page: nothing
    identity/access_token/manage::update: change access_token.updated success
    identity/access_token/manage::rotate: change access_token.updated success
    graph/registry::create: change graph.created success, change branch.created success
    identity/access_token/graphs::grant: change access_token.graph.added success
    identity/access_token/graphs::grant: change access_token.graph.updated success
    identity/access_token/graphs::withdraw: change access_token.graph.removed success
    identity/access_token/manage::revoke: change access_token.deleted success
    identity/access_token/manage::adopt: change access_token.updated success
    graph/registry::list: nothing
    graph/registry::graph: nothing
    graph/registry::update: change graph.updated success
    graph/teams::grant: change graph.updated success
    graph/teams::withdraw: change graph.updated success
    graph/branches::create: change branch.created success
    graph/branches::update: change branch.updated success
    graph/branches::delete: change branch.deleted success
    graph/subgraphs::publish: change subgraph.created success, change subgraph.published success
    graph/subgraphs::publish: change subgraph.published success
    graph/subgraphs/settings::update: change subgraph.updated success
    graph/versions::branch: nothing
    graph/versions::list: nothing
    graph/versions::version: nothing
    graph/versions::compare: nothing
    graph/versions/supergraphs::supergraphs: nothing
    graph/versions/supergraphs::supergraph: nothing
    graph/download::subgraph: nothing
    graph/download::supergraph: nothing
    graph/versions/supergraphs::compare_supergraphs: nothing
    graph/documents::submit: change trusted_document.submitted success
    graph/documents/reading::list: nothing
    graph/documents/reading::document: nothing
    graph/subgraphs::delete: change subgraph.deleted success
    graph/registry::delete: change access_token.graph.removed success, change graph.deleted success
    model/registry::create: change model.created success
    model/registry::list: nothing
    model/export::start: operation model.export.requested success
    export/ticket::finish: export model.exported empty
    model/records::add: change model.records.added success
    model/export::start: operation model.export.requested success
    export/ticket::finish: export model.exported success
    model/records::add: change model.records.added success
    model/export::start: operation model.export.requested success
    export/ticket::finish: export model.exported aborted
    model/records/reading::page: nothing
    model/registry::delete: change model.deleted success
    audit/page::events: operation audit_log.viewed success
    audit/page::events: nothing
    audit/page::event: nothing
    audit/page::count: nothing
    audit/page::actors: nothing
    audit/page::events: operation audit_log.viewed denied
    audit/page::events: nothing
    audit/export::start: operation audit_log.export.requested success
    export/ticket::finish: change audit_log.export.downloaded success
    audit/export::start: operation audit_log.export.requested denied
    audit/ingest::record: change invoice.paid success
    audit/ingest::record: nothing
    organization/choice::meant: nothing
    audit/logs::sign_ins: nothing
    audit/logs::operations: nothing
    audit/logs::exports: nothing
    audit/logs::changes: nothing
    audit/logs::count: nothing
    audit/logs::complete_through: nothing
    audit/feed::read: nothing
    organization/teams::create: change team.created success, operation mutation.sent success
    audit/operation::settle: nothing
    audit/operation::settle: operation mutation.sent denied
    audit/operation::settle: nothing
    audit/operation::settle: operation mutation.sent failure
    ");
    let silent = |name: &str| walk.steps.iter().filter(|(step, _)| *step == name).all(|(_, left)| left.is_empty());
    let walked = walk.names();
    assert_eq!(walked.iter().filter(|name| silent(name)).collect::<Vec<_>>(), LEAVES_NOTHING);
    assert_eq!(use_cases(), walked);
}

/// Kind, object and states of what the platform records are those of its catalogue.
#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn every_event_is_as_the_catalogue_says(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let owner = seen(&fixture.user("ada").await);
    let mut walk = Walk { fixture: &fixture, steps: Vec::new() };
    organizations(&mut walk, &owner).await;
    people(&mut walk, &owner).await;
    invitations(&mut walk, &owner).await;
    tokens(&mut walk, &owner).await;
    graphs(&mut walk, &owner).await;
    data(&mut walk, &owner).await;
    trail(&mut walk, &owner).await;
    let recorded: Vec<Recorded> = sqlx::query_as(
        "select action, kind, object_type, previous::text as previous, next::text as next from orgtrail.events",
    )
    .fetch_all(&fixture.superuser)
    .await
    .unwrap();
    assert!(recorded.len() > 20);
    for event in recorded.iter().filter(|event| event.action != "invoice.paid") {
        let action = Action::parse(&event.action).unwrap();
        assert_eq!((event.kind.as_str(), event.object_type.as_str()), (action.kind().as_str(), action.object_type()));
        assert_state(&event.action, action.previous(), event.previous.as_deref());
        assert_state(&event.action, action.next(), event.next.as_deref());
    }
}

#[derive(sqlx::FromRow)]
struct Recorded {
    action: String,
    kind: String,
    object_type: String,
    previous: Option<String>,
    next: Option<String>,
}

/// A state has fields of its shape only, and is there where the catalogue has one. A sign-in has one if it failed.
fn assert_state(action: &str, shape: Option<&Shape>, state: Option<&str>) {
    let fields: BTreeMap<String, Value> = state.map(|state| serde_json::from_str(state).unwrap()).unwrap_or_default();
    let known = |field: &str| shape.is_some_and(|shape| shape.fields.iter().any(|(name, _)| *name == field));
    let unknown: Vec<_> = fields.keys().filter(|field| !known(field)).collect();
    assert!(unknown.is_empty(), "{action}: {unknown:?}");
    assert!(state.is_some() == shape.is_some() || action == "login.attempted", "{action}: {state:?}");
}

/// Every public function of `src/` that takes a viewer, and what ends what one of them began.
fn use_cases() -> BTreeSet<String> {
    let mut found = BTreeSet::from(["export/ticket::finish".to_owned()]);
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![source.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let module = path.strip_prefix(&source).unwrap().with_extension("").display().to_string();
            let text = std::fs::read_to_string(&path).unwrap();
            found.extend(asked_by_viewers(&text).map(|name| format!("{module}::{name}")));
        }
    }
    // The doors through which all of them go.
    assert!(found.remove("identity/access::authorize") && found.remove("identity/access::authorize_on"));
    found
}

fn asked_by_viewers(source: &str) -> impl Iterator<Item = &str> {
    source.split("pub async fn ").skip(1).filter_map(|function| {
        let (name, rest) = function.split_once('(')?;
        let (parameters, _) = rest.split_once(") ->").or_else(|| rest.split_once(") {"))?;
        parameters.contains("&Viewer").then_some(name)
    })
}

#[test]
fn the_scan_finds_use_cases() {
    let source = "pub async fn a(\n p: &Platform,\n v: &Viewer) -> B {}\n async fn c(v: &Viewer) -> B {}\n pub async fn d(p: &Platform) {}\n pub async fn e(v: &Viewer) {}";
    assert_eq!(asked_by_viewers(source).collect::<Vec<_>>(), ["a", "e"]);
}
