//! Trusted documents: who may submit a manifest, what it leaves, what is refused whole, and what two at once get.

use orgtrail::audit;
use orgtrail::graph::documents::{self, Client, Find, Submitted};
use orgtrail::graph::subgraphs::{self, Publication, Target};
use orgtrail::graph::view::{DocumentPlace, DocumentsPage};
use orgtrail::graph::{self, branches};
use orgtrail::identity::access_token::{self, Scope, Wanted, graphs as tokens};
use orgtrail::identity::role::Role;
use orgtrail::identity::viewer::{self, Viewer};
use orgtrail::organization::teams::TeamRole;
use orgtrail::{Error, Result};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::fixture::{Fixture, Tenant, number, origin};

const SCHEMA: &str = "type Query { product(id: ID!): Product } type Product { id: ID! name: String! }";

/// Of Apollo's form, with the same documents as [`RELAY`].
const APOLLO: &[u8] = br#"{"format": "apollo-persisted-query-manifest", "version": 1, "operations": [
    {"id": "a", "name": "A", "type": "query", "body": "query A { product(id: 1) { id } }"},
    {"id": "b", "name": "B", "type": "query", "body": "query B { product(id: 1) { name } }"}
]}"#;

const RELAY: &[u8] = br#"{"a": "query A { product(id: 1) { id } }", "b": "query B { product(id: 1) { name } }"}"#;

fn status<T>(done: &Result<T>) -> u16 {
    done.as_ref().map_or_else(Error::status, |_| 200)
}

fn of<'a>(branch: &'a str, name: &'a str) -> Client<'a> {
    Client { graph: "inventory", branch, name }
}

/// The organization of these tests, with a graph that has a subgraph.
async fn acme(superuser: PgPool) -> (Fixture, Tenant) {
    let fixture = Fixture::new(superuser).await;
    let tenant = fixture.organization("acme").await;
    fixture.graph(&tenant, "inventory").await;
    let target = Target { graph: "inventory", branch: "main", name: "products" };
    let publication = Publication { schema: SCHEMA.as_bytes(), url: None };
    subgraphs::publish(&fixture.platform, &tenant.owner, "acme", target, publication).await.unwrap();
    (fixture, tenant)
}

async fn submit(fixture: &Fixture, viewer: &Viewer, client: Client<'_>, manifest: &[u8]) -> Result<Submitted> {
    documents::submit(&fixture.platform, viewer, "acme", client, manifest).await
}

async fn rows(fixture: &Fixture) -> Vec<i64> {
    let mut rows = Vec::new();
    let mut connection = fixture.superuser.acquire().await.unwrap();
    for table in ["events", "trusted_manifests", "trusted_documents", "graph_texts"] {
        rows.push(number(format!("select count(*) from orgtrail.{table}"), &mut connection).await);
    }
    rows
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn a_manifest_is_taken_once_and_its_documents_are_found(superuser: PgPool) {
    let (fixture, acme) = acme(superuser).await;
    let (platform, owner) = (&fixture.platform, &acme.owner);
    let done = |changed, new_documents| Submitted { changed, documents: 2, new_documents };
    assert_eq!(submit(&fixture, owner, of("main", "web"), RELAY).await.unwrap(), done(true, 2));
    let event = fixture.trail(acme.id).await.pop().unwrap();
    let next: Value = serde_json::from_str(event.next.as_deref().unwrap()).unwrap();
    assert_eq!((event.action.as_str(), event.previous), ("trusted_document.submitted", None));
    assert_eq!(next["manifest_sha256"].as_str().map(str::len), Some(64));
    assert_eq!(
        (&next["graph"], &next["branch"], &next["client"], &next["documents"], &next["new_documents"], &next["format"]),
        (&json!("inventory"), &json!("main"), &json!("web"), &json!(2), &json!(2), &json!("relay"))
    );
    let before = rows(&fixture).await;
    assert_eq!(submit(&fixture, owner, of("main", "web"), RELAY).await.unwrap(), done(false, 0));
    assert_eq!(rows(&fixture).await, before);
    assert_eq!(submit(&fixture, owner, of("main", "web"), APOLLO).await.unwrap(), done(true, 0));
    assert_eq!(submit(&fixture, owner, of("main", "<b>Ünïcødé</b>"), APOLLO).await.unwrap(), done(true, 2));

    let find = async |client: &str, search: &str| {
        let page = documents::list(platform, owner, "acme", "inventory", "main", Find { client, search, after: None })
            .await
            .unwrap();
        page.documents.into_iter().map(|document| format!("{} {}", document.client, document.name)).collect::<Vec<_>>()
    };
    assert_eq!(find("web", "").await, ["web A", "web B"]);
    assert_eq!(find("web", "{ NAME }").await, ["web B"], "the text is searched too");
    assert_eq!(find("", "query a").await.len(), 2);
    assert_eq!(find("web", "%").await.len() + find("nobody", "").await.len(), 0);
    let page = documents::list(platform, owner, "acme", "inventory", "main", Find::default()).await.unwrap();
    let clients: Vec<_> =
        page.clients.iter().map(|client| (client.name.as_str(), client.documents, client.manifests)).collect();
    assert_eq!(clients, [("<b>Ünïcødé</b>", 2, 1), ("web", 2, 2)]);
    let one = documents::document(platform, owner, "acme", of("main", "web"), "b").await.unwrap();
    assert_eq!((one.text.as_str(), one.document.kind.as_str()), ("query B { product(id: 1) { name } }", "query"));
    assert_eq!(status(&documents::document(platform, owner, "acme", of("main", "web"), "\0").await), 404);
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn one_bad_document_refuses_the_whole(superuser: PgPool) {
    let (fixture, acme) = acme(superuser).await;
    let owner = &acme.owner;
    submit(&fixture, owner, of("main", "web"), RELAY).await.unwrap();
    let before = rows(&fixture).await;
    let manifest = br#"{"a": "query A { product(id: 2) { id } }", "c": "{ product(id: 1) { id } }"}"#;
    let refused = submit(&fixture, owner, of("main", "web"), manifest).await.unwrap_err();
    assert_eq!(refused.faults()[0].to_string(), "a: this id stands for another text already, for good");
    let manifest =
        br#"{"c": "{ product(id: 1) { id } }", "d": "{ product(id: 1) {\n  price\n} }", "e": "{ product }"}"#;
    let refused = submit(&fixture, owner, of("main", "web"), manifest).await.unwrap_err();
    assert_eq!((refused.status(), refused.field()), (422, Some("manifest")));
    let named: Vec<_> = refused.faults().iter().map(|fault| (fault.part.clone().unwrap(), fault.line)).collect();
    assert!(named.contains(&("d".to_owned(), Some(2))) && named.contains(&("e".to_owned(), Some(1))), "{named:?}");
    assert!(named.iter().all(|(id, _)| id != "c"), "{named:?}");
    for (client, manifest, status, field) in [
        (of("main", ""), RELAY, 422, "client"),
        (of("main", "a\0"), RELAY, 422, "client"),
        (of("main", "web"), b"[]".as_slice(), 422, "manifest"),
        (of("nothing", "web"), RELAY, 404, ""),
    ] {
        let error = submit(&fixture, owner, client, manifest).await.unwrap_err();
        assert_eq!((error.status(), error.field().unwrap_or_default()), (status, field));
    }
    assert_eq!(rows(&fixture).await, before);
    let target = Target { graph: "inventory", branch: "main", name: "products" };
    subgraphs::delete(&fixture.platform, owner, "acme", target).await.unwrap();
    assert_eq!(status(&submit(&fixture, owner, of("main", "web"), APOLLO).await), 409, "nothing to validate against");
}

/// The table of contract §9; `protected` is a branch that is.
#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn who_may_submit(superuser: PgPool) {
    let (fixture, acme) = acme(superuser).await;
    let platform = &fixture.platform;
    branches::create(platform, &acme.owner, "acme", "inventory", "protected", "main").await.unwrap();
    let wanted = branches::Wanted { name: "protected", protected: true };
    branches::update(platform, &acme.owner, "acme", "inventory", "protected", wanted, None).await.unwrap();
    let mut everybody = vec![
        ("owner".to_owned(), acme.owner.clone()),
        ("admin".to_owned(), fixture.member(&acme, "admin", Role::Admin).await),
        ("member".to_owned(), fixture.member(&acme, "member", Role::Member).await),
        ("operator".to_owned(), Viewer::operator()),
        ("anonymous".to_owned(), Viewer::anonymous(origin())),
        ("owner of another".to_owned(), fixture.organization("other").await.owner),
    ];
    for permission in ["read", "publish", "admin"] {
        let member = fixture.member(&acme, &format!("member-{permission}"), Role::Member).await;
        let team = fixture.team(&acme, permission, &[(&member, TeamRole::Member)]).await;
        graph::teams::grant(platform, &acme.owner, "acme", "inventory", &team, permission, None).await.unwrap();
        everybody.push((format!("member, {permission}"), member));
        let wanted = Wanted::new("builds", &[Scope::AuditRead]);
        let made = access_token::create(platform, &acme.owner, "acme", None, wanted).await.unwrap();
        tokens::grant(platform, &acme.owner, "acme", made.id.into(), "inventory", permission).await.unwrap();
        let token = viewer::from_token(platform, origin(), made.secret.expose()).await.unwrap();
        everybody.push((format!("token, {permission}"), token));
    }
    let mut table = String::new();
    for (number, (name, viewer)) in everybody.into_iter().enumerate() {
        let client = format!("client-{number}");
        let cells = [
            ("list", status(&documents::list(platform, &viewer, "acme", "inventory", "main", Find::default()).await)),
            ("submit", status(&submit(&fixture, &viewer, of("main", &client), RELAY).await)),
            ("protected", status(&submit(&fixture, &viewer, of("protected", &client), RELAY).await)),
        ];
        let cells: Vec<_> = cells.iter().map(|(use_case, status)| format!("{use_case} {status}")).collect();
        table += &format!("{name}: {}\n", cells.join(", "));
    }
    insta::assert_snapshot!(table, @r"
    owner: list 200, submit 200, protected 200
    admin: list 200, submit 200, protected 200
    member: list 200, submit 403, protected 403
    operator: list 200, submit 403, protected 403
    anonymous: list 401, submit 401, protected 401
    owner of another: list 404, submit 404, protected 404
    member, read: list 200, submit 403, protected 403
    token, read: list 200, submit 403, protected 403
    member, publish: list 200, submit 200, protected 403
    token, publish: list 200, submit 200, protected 403
    member, admin: list 200, submit 200, protected 200
    token, admin: list 200, submit 200, protected 200
    ");
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn the_same_at_once_is_recorded_once(superuser: PgPool) {
    let (fixture, acme) = acme(superuser).await;
    let one = submit(&fixture, &acme.owner, of("main", "web"), RELAY);
    let other = submit(&fixture, &acme.owner, of("main", "web"), RELAY);
    let (one, other) = tokio::join!(one, other);
    assert_ne!(one.unwrap().changed, other.unwrap().changed);
    assert_eq!(rows(&fixture).await[1..3], [1, 2]);
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn a_thousand_documents_are_taken_at_once(superuser: PgPool) {
    let (fixture, acme) = acme(superuser).await;
    let document = |number| {
        (
            format!("{number:064x}"),
            Value::from(format!("query Q{number}($id: ID!) {{ product(id: $id) {{ id name }} }}")),
        )
    };
    let manifest = Value::Object((0..1_000).map(document).collect()).to_string();
    let done = submit(&fixture, &acme.owner, of("main", "web"), manifest.as_bytes()).await.unwrap();
    assert_eq!(done, Submitted { changed: true, documents: 1_000, new_documents: 1_000 });
    assert_eq!(rows(&fixture).await[2], 1_000);
}

async fn listed(fixture: &Fixture, acme: &Tenant, find: Find<'_>) -> DocumentsPage {
    documents::list(&fixture.platform, &acme.owner, "acme", "inventory", "main", find).await.unwrap()
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn pages_of_documents_follow_each_other(superuser: PgPool) {
    let (fixture, acme) = acme(superuser).await;
    // Most have the same name, so that only ids tell where a page ended.
    let document = |number| (format!("{number:03}"), Value::from("query Q { product(id: 1) { id } }"));
    let manifest = Value::Object((0..150).map(document).collect()).to_string();
    for client in ["web", "ios"] {
        submit(&fixture, &acme.owner, of("main", client), manifest.as_bytes()).await.unwrap();
    }
    let (mut found, mut lengths, mut after) = (Vec::new(), Vec::new(), None::<DocumentPlace>);
    loop {
        let place = after.as_ref().map(|place| (place.client.as_str(), place.id.as_str()));
        let page = listed(&fixture, &acme, Find { after: place, ..Find::default() }).await;
        lengths.push(page.documents.len());
        found.extend(page.documents.into_iter().map(|document| (document.client, document.id)));
        after = page.after;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(lengths, [100, 100, 100]);
    let all = ["ios", "web"].map(|client| (0..150).map(move |number| (client.to_owned(), format!("{number:03}"))));
    assert_eq!(found, all.into_iter().flatten().collect::<Vec<_>>());
    let rest = listed(&fixture, &acme, Find { client: "web", search: "14", after: Some(("web", "141")) }).await;
    assert_eq!((rest.documents.len(), rest.documents[0].id.as_str()), (8, "142"));
    assert_eq!(listed(&fixture, &acme, Find { after: Some(("web", "\0")), ..Find::default() }).await.documents, []);
    assert_eq!((rest.supergraph, rest.rights.publish, rest.reads_audit_log), (Some(1), true, true));
    let history = format!("object=trusted_document:{}", rest.clients[1].object_id);
    let history = audit::page::events(&fixture.platform, &acme.owner, "acme", &history).await.unwrap();
    assert_eq!(history.events.len(), 1, "the history of a client's documents is found by its id");
}
