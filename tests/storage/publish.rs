//! Publishing: who may, what it leaves, what is refused and leaves everything as it was, and what several at once get.

use orgtrail::graph::subgraphs::{self, Publication, Published, Settings, Target};
use orgtrail::graph::{self, branches, versions};
use orgtrail::identity::access_token::{self, Scope, Wanted, graphs as tokens};
use orgtrail::identity::role::Role;
use orgtrail::identity::viewer::{self, Viewer};
use orgtrail::organization::teams::TeamRole;
use orgtrail::{Error, Result};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::fixture::{Fixture, Tenant, number, origin};

mod at_once;
mod history;

const PRODUCTS: &str = r#"
    extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key"])
    type Query { products: [Product!]! }
    type Product @key(fields: "id") { id: ID! name: String! }
"#;

const REVIEWS: &str = r#"
    extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key"])
    type Query { reviews: [Review!]! }
    type Review { text: String! product: Product! }
    type Product @key(fields: "id") { id: ID! reviews: [Review!]! }
"#;

fn status<T>(done: &Result<T>) -> u16 {
    done.as_ref().map_or_else(Error::status, |_| 200)
}

fn of<'a>(branch: &'a str, name: &'a str) -> Target<'a> {
    Target { graph: "inventory", branch, name }
}

fn main(name: &str) -> Target<'_> {
    of("main", name)
}

/// The organization of these tests, with a graph.
async fn acme(superuser: PgPool) -> (Fixture, Tenant) {
    let fixture = Fixture::new(superuser).await;
    let tenant = fixture.organization("acme").await;
    fixture.graph(&tenant, "inventory").await;
    (fixture, tenant)
}

async fn publish(fixture: &Fixture, viewer: &Viewer, target: Target<'_>, schema: &str) -> Result<Published> {
    let publication = Publication { schema: schema.as_bytes(), url: None };
    subgraphs::publish(&fixture.platform, viewer, "acme", target, publication).await
}

/// Action, previous and next of what was recorded since index `past`.
async fn told(fixture: &Fixture, tenant: &Tenant, past: usize) -> Vec<(String, Value, Value)> {
    let state = |text: Option<String>| text.map_or(Value::Null, |text| serde_json::from_str(&text).unwrap());
    let trail = fixture.trail(tenant.id).await.split_off(past);
    trail.into_iter().map(|event| (event.action, state(event.previous), state(event.next))).collect()
}

async fn count(fixture: &Fixture, table: &str) -> i64 {
    let mut connection = fixture.superuser.acquire().await.unwrap();
    number(format!("select count(*) from orgtrail.{table}"), &mut connection).await
}

/// How many rows there are in what publishing writes.
async fn rows(fixture: &Fixture) -> Vec<i64> {
    let mut rows = Vec::new();
    for table in ["events", "graph_texts", "subgraphs", "subgraph_versions", "supergraphs", "supergraph_parts"] {
        rows.push(count(fixture, table).await);
    }
    rows
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn a_schema_is_published_in_versions_and_composed(superuser: PgPool) {
    let (fixture, acme) = acme(superuser).await;
    let (platform, owner) = (&fixture.platform, &acme.owner);
    let past = fixture.trail(acme.id).await.len();
    let publication = Publication { schema: PRODUCTS.as_bytes(), url: Some(" https://products.example/graphql ") };
    let first = subgraphs::publish(platform, owner, "acme", main("products"), publication).await.unwrap();
    assert_eq!(first, Published { version: 1, changed: true, supergraph: Some(1) });
    let second = publish(&fixture, owner, main("reviews"), REVIEWS).await.unwrap();
    assert_eq!(second, Published { version: 1, changed: true, supergraph: Some(2) });
    let longer = format!("{PRODUCTS}\nscalar Date");
    let third = publish(&fixture, owner, main("products"), &longer).await.unwrap();
    assert_eq!(third, Published { version: 2, changed: true, supergraph: Some(3) });
    let again = publish(&fixture, owner, main("products"), &longer).await.unwrap();
    assert_eq!(again, Published { version: 2, changed: false, supergraph: Some(3) });

    let sha256 = |schema: &str| versions_sha256(schema);
    let state = |name: &str, url: &str, schema: Option<&str>, version: i32| {
        json!({
            "graph": "inventory", "branch": "main", "name": name, "url": url, "owner_team": null, "schema_sha256": schema.map(sha256),
            "schema_bytes": schema.map(str::len), "version": version,
        })
    };
    let url = "https://products.example/graphql";
    let published = |previous, next| ("subgraph.published".to_owned(), previous, next);
    let created = |next| ("subgraph.created".to_owned(), Value::Null, next);
    let (empty, products) = (state("products", url, None, 0), state("products", url, Some(PRODUCTS), 1));
    assert_eq!(
        told(&fixture, &acme, past).await,
        [
            created(empty.clone()),
            published(empty, products.clone()),
            created(state("reviews", "", None, 0)),
            published(state("reviews", "", None, 0), state("reviews", "", Some(REVIEWS), 1)),
            published(products, state("products", url, Some(&longer), 2)),
        ]
    );

    let view = versions::branch(platform, owner, "acme", "inventory", "main").await.unwrap();
    let names: Vec<_> =
        view.subgraphs.iter().map(|subgraph| (subgraph.name.as_str(), subgraph.schema.number)).collect();
    assert_eq!(names, [("products", 2), ("reviews", 1)]);
    assert_eq!(view.supergraph.unwrap().number, 3);
    let composed = versions::supergraph(platform, owner, "acme", "inventory", "main", 2).await.unwrap();
    let parts: Vec<_> = composed.parts.iter().map(|part| (part.name.as_str(), part.number)).collect();
    assert_eq!(parts, [("products", 1), ("reviews", 1)]);
    assert!(composed.sdl.contains(url) && composed.sdl.contains("join__Graph"), "{}", composed.sdl);
    assert!(composed.api.contains("reviews") && !composed.api.contains("join__"), "{}", composed.api);
    let list = versions::list(platform, owner, "acme", main("products"), None).await.unwrap();
    assert_eq!(list.versions.iter().map(|version| version.number).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(versions::version(platform, owner, "acme", main("products"), 1).await.unwrap().sdl, PRODUCTS);
    let diff = versions::compare(platform, owner, "acme", main("products"), 1, 2).await.unwrap();
    assert_eq!((diff.added, diff.removed), (2, 0));
}

fn versions_sha256(schema: &str) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(schema).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The table of contract §9, of the use cases themselves; `protected` is a branch that is.
#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn who_may_publish(superuser: PgPool) {
    let (fixture, acme) = acme(superuser).await;
    let platform = &fixture.platform;
    publish(&fixture, &acme.owner, main("products"), PRODUCTS).await.unwrap();
    branches::create(platform, &acme.owner, "acme", "inventory", "protected", "main").await.unwrap();
    let wanted = branches::Wanted { name: "protected", protected: true };
    branches::update(platform, &acme.owner, "acme", "inventory", "protected", wanted, None).await.unwrap();
    let mut everybody = vec![
        ("owner".to_owned(), acme.owner.clone()),
        ("admin".to_owned(), fixture.member(&acme, "admin", Role::Admin).await),
        ("member".to_owned(), fixture.member(&acme, "member", Role::Member).await),
        ("graphs:write".to_owned(), fixture.token(&acme, &acme.owner, &[Scope::GraphsWrite]).await),
        ("operator".to_owned(), Viewer::operator()),
        ("anonymous".to_owned(), Viewer::anonymous(origin())),
        ("owner of another".to_owned(), fixture.organization("other").await.owner),
    ];
    for permission in ["read", "publish", "admin"] {
        let member = fixture.member(&acme, &format!("member-{permission}"), Role::Member).await;
        let team = fixture.team(&acme, permission, &[(&member, TeamRole::Member)]).await;
        graph::teams::grant(platform, &acme.owner, "acme", "inventory", &team, permission, None).await.unwrap();
        everybody.push((format!("member, {permission}"), member));
        let made =
            access_token::create(platform, &acme.owner, "acme", None, Wanted::new("builds", &[Scope::AuditRead]))
                .await
                .unwrap();
        tokens::grant(platform, &acme.owner, "acme", made.id.into(), "inventory", permission).await.unwrap();
        let token = viewer::from_token(platform, origin(), made.secret.expose()).await.unwrap();
        everybody.push((format!("token, {permission}"), token));
    }
    let mut table = String::new();
    for (number, (name, viewer)) in everybody.into_iter().enumerate() {
        let subgraph = format!("s{number}");
        publish(&fixture, &acme.owner, main(&subgraph), &format!("type Query {{ s{number}: Int }}")).await.unwrap();
        let (schema, url) = (format!("type Query {{ n{number}: Int }}"), format!("https://s{number}.example"));
        let settings = Settings { url: &url, owner_team: "" };
        let cells = [
            ("read", status(&versions::version(platform, &viewer, "acme", main("products"), 1).await)),
            ("compare", status(&versions::compare(platform, &viewer, "acme", main("products"), 1, 1).await)),
            ("supergraph", status(&versions::supergraph(platform, &viewer, "acme", "inventory", "main", 1).await)),
            ("supergraphs", status(&supergraphs(&fixture, &viewer).await)),
            ("publish", status(&publish(&fixture, &viewer, main(&format!("n{number}")), &schema).await)),
            ("protected", status(&publish(&fixture, &viewer, of("protected", &format!("n{number}")), &schema).await)),
            ("settings", status(&subgraphs::update(platform, &viewer, "acme", main(&subgraph), settings, None).await)),
            ("delete", status(&subgraphs::delete(platform, &viewer, "acme", main(&subgraph)).await)),
        ];
        let cells: Vec<_> = cells.iter().map(|(use_case, status)| format!("{use_case} {status}")).collect();
        table += &format!("{name}: {}\n", cells.join(", "));
    }
    insta::assert_snapshot!(table, @r"
    owner: read 200, compare 200, supergraph 200, supergraphs 200, publish 200, protected 200, settings 200, delete 200
    admin: read 200, compare 200, supergraph 200, supergraphs 200, publish 200, protected 200, settings 200, delete 200
    member: read 200, compare 200, supergraph 200, supergraphs 200, publish 403, protected 403, settings 403, delete 403
    graphs:write: read 200, compare 200, supergraph 200, supergraphs 200, publish 403, protected 403, settings 403, delete 403
    operator: read 200, compare 200, supergraph 200, supergraphs 200, publish 403, protected 403, settings 403, delete 403
    anonymous: read 401, compare 401, supergraph 401, supergraphs 401, publish 401, protected 401, settings 401, delete 401
    owner of another: read 404, compare 404, supergraph 404, supergraphs 404, publish 404, protected 404, settings 404, delete 404
    member, read: read 200, compare 200, supergraph 200, supergraphs 200, publish 403, protected 403, settings 403, delete 403
    token, read: read 200, compare 200, supergraph 200, supergraphs 200, publish 403, protected 403, settings 403, delete 403
    member, publish: read 200, compare 200, supergraph 200, supergraphs 200, publish 200, protected 403, settings 403, delete 403
    token, publish: read 200, compare 200, supergraph 200, supergraphs 200, publish 200, protected 403, settings 403, delete 403
    member, admin: read 200, compare 200, supergraph 200, supergraphs 200, publish 200, protected 200, settings 200, delete 200
    token, admin: read 200, compare 200, supergraph 200, supergraphs 200, publish 200, protected 200, settings 403, delete 403
    ");
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn what_does_not_compose_leaves_everything_as_it_was(superuser: PgPool) {
    let (fixture, acme) = acme(superuser).await;
    let owner = &acme.owner;
    publish(&fixture, owner, main("products"), "type Query { a: Int }").await.unwrap();
    let before = rows(&fixture).await;
    let cases = [
        ("products", "type Query {\n  a: Missing\n}"),
        ("reviews", "type Query { a: String }"),
        ("reviews", "type Query {"),
        ("reviews", "type Product { id: ID }  type Product { id: ID }"),
    ];
    let mut story = String::new();
    for (name, schema) in cases {
        let error = publish(&fixture, owner, main(name), schema).await.unwrap_err();
        assert_eq!((error.status(), error.field(), error.code()), (422, Some("schema"), "BAD_USER_INPUT"), "{error}");
        assert!(!error.faults().is_empty());
        story += &format!("{}\n", error.message());
    }
    insta::assert_snapshot!(story, @r"
    The subgraphs of the branch would not compose any more, so nothing was changed. products:2:6: there is no type `Missing` here
    The subgraphs of the branch would not compose any more, so nothing was changed. The Query.a field has conflicting types in different subgraphs: Int in products but String in reviews
    The subgraphs of the branch would not compose any more, so nothing was changed. reviews:1:13: unexpected end of file
    The subgraphs of the branch would not compose any more, so nothing was changed. reviews:1:26: the type `Product` is defined already
    ");
    assert_eq!(rows(&fixture).await, before);
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn what_cannot_be_is_refused_at_its_field(superuser: PgPool) {
    let (fixture, acme) = acme(superuser).await;
    let other = fixture.organization("other").await;
    fixture.graph(&other, "theirs").await;
    let elsewhere = fixture.team(&other, "Robots", &[]).await;
    let (platform, owner) = (&fixture.platform, &acme.owner);
    publish(&fixture, owner, main("line-items"), "type Query { a: Int }").await.unwrap();
    let before = rows(&fixture).await;
    let send = async |target: Target<'_>, schema: &[u8], url: Option<&str>| {
        subgraphs::publish(platform, owner, "acme", target, Publication { schema, url }).await.map(drop)
    };
    let set = async |url: &str, owner_team: &str, shown: Option<i32>| {
        subgraphs::update(platform, owner, "acme", main("line-items"), Settings { url, owner_team }, shown).await
    };
    let fine = b"type Query { b: Int }".as_slice();
    let large = vec![b'#'; 8 * 1024 * 1024 + 1];
    for (done, status, field) in [
        (send(main("x"), b"", None).await, 422, "schema"),
        (send(main("x"), &large, None).await, 422, "schema"),
        (send(main("x"), b"type Query { a: Int }\0", None).await, 422, "schema"),
        (send(main("x"), b"type Query { a: \xff }", None).await, 422, "schema"),
        (send(main("x"), &large[..1000], None).await, 422, "schema"),
        (send(main("x"), "{".repeat(100_000).as_bytes(), None).await, 422, "schema"),
        (send(main("1x"), fine, None).await, 422, "name"),
        (send(main("../x"), fine, None).await, 422, "name"),
        (send(main("LINE-items"), fine, None).await, 409, "name"),
        (send(main("x"), fine, Some("javascript:alert(1)")).await, 422, "url"),
        (send(main("x"), fine, Some("https://me:secret@x.example")).await, 422, "url"),
        (send(of("nothing", "x"), fine, None).await, 404, ""),
        (send(of("\0", "x"), fine, None).await, 404, ""),
        (send(Target { graph: "theirs", branch: "main", name: "x" }, fine, None).await, 404, ""),
        (set("ftp://x.example", "", None).await, 422, "url"),
        (set("", &elsewhere, None).await, 422, "owner_team"),
        (set("", "x", None).await, 422, "owner_team"),
        (set("https://x.example", "", Some(9)).await, 409, ""),
        (subgraphs::delete(platform, owner, "acme", main("x")).await, 404, ""),
        (versions::version(platform, owner, "acme", main("line-items"), 2).await.map(drop), 404, ""),
        (versions::supergraph(platform, owner, "acme", "inventory", "main", -1).await.map(drop), 404, ""),
    ] {
        let error = done.unwrap_err();
        assert_eq!((error.status(), error.field().unwrap_or_default()), (status, field), "{error}");
    }
    assert_eq!(rows(&fixture).await, before);
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn settings_and_deleting_compose_anew_where_they_must(superuser: PgPool) {
    let (fixture, acme) = acme(superuser).await;
    let (platform, owner) = (&fixture.platform, &acme.owner);
    let team = fixture.team(&acme, "Robots", &[]).await;
    publish(&fixture, owner, main("products"), "type Query { a: Int }").await.unwrap();
    publish(&fixture, owner, main("reviews"), "type Query { b: Int }").await.unwrap();
    let past = fixture.trail(acme.id).await.len();
    let set = async |url: &str, owner_team: &str| {
        let settings = Settings { url, owner_team };
        subgraphs::update(platform, owner, "acme", main("products"), settings, None).await.unwrap();
        versions::branch(platform, owner, "acme", "inventory", "main").await.unwrap()
    };
    let view = set("", &team).await;
    assert_eq!(view.subgraphs[0].owner_team.as_ref().unwrap().name, "Robots");
    assert_eq!(view.supergraph.unwrap().number, 2, "who owns it is no matter of the supergraph");
    assert_eq!(set("https://a.example", &team).await.supergraph.unwrap().number, 3);
    set("https://a.example", &team).await; // Already so.
    subgraphs::delete(platform, owner, "acme", main("products")).await.unwrap();
    subgraphs::delete(platform, owner, "acme", main("reviews")).await.unwrap();
    let view = versions::branch(platform, owner, "acme", "inventory", "main").await.unwrap();
    assert_eq!((view.subgraphs.len(), view.supergraph), (0, None));
    let kept = versions::supergraphs(platform, owner, "acme", "inventory", "main", None).await.unwrap();
    assert_eq!(kept.supergraphs.iter().map(|row| row.number).collect::<Vec<_>>(), [4, 3, 2, 1]);
    let brief = |(action, previous, next): (String, Value, Value)| {
        let of = |state: Value| format!("{} {} {}", state["url"], state["owner_team"], state["version"]);
        format!("{action}: {} → {}", of(previous), of(next))
    };
    let story: Vec<_> = told(&fixture, &acme, past).await.into_iter().map(brief).collect();
    insta::assert_snapshot!(story.join("\n"), @r#"
    subgraph.updated: "" null 1 → "" "Robots" 1
    subgraph.updated: "" "Robots" 1 → "https://a.example" "Robots" 1
    subgraph.deleted: "https://a.example" "Robots" 1 → null null null
    subgraph.deleted: "" null 1 → null null null
    "#);
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn a_branch_begins_with_what_another_has_and_goes_its_own_way(superuser: PgPool) {
    let (fixture, acme) = acme(superuser).await;
    let (platform, owner) = (&fixture.platform, &acme.owner);
    for schema in ["type Query { a: Int }", "type Query { b: Int }"] {
        publish(&fixture, owner, main("products"), schema).await.unwrap();
    }
    branches::create(platform, owner, "acme", "inventory", "next", "main").await.unwrap();
    let (_, _, made) = told(&fixture, &acme, 0).await.pop().unwrap();
    assert_eq!((&made["copied_from"], &made["subgraphs"][0]["version"]), (&json!("main"), &json!(1)));
    publish(&fixture, owner, of("next", "products"), "type Query { c: Int }").await.unwrap();
    let api = async |branch: &str, number: i32| {
        versions::supergraph(platform, owner, "acme", "inventory", branch, number).await.unwrap().api
    };
    assert_eq!(api("next", 1).await, api("main", 2).await);
    assert!(api("next", 2).await.contains("c: Int") && api("main", 2).await.contains("b: Int"));
    let texts = count(&fixture, "graph_texts").await;
    branches::delete(platform, owner, "acme", "inventory", "next").await.unwrap();
    assert!(count(&fixture, "graph_texts").await < texts, "what no other branch has is gone");
    assert!(api("main", 2).await.contains("b: Int"));
    graph::registry::delete(platform, owner, "acme", "inventory").await.unwrap();
    assert_eq!(rows(&fixture).await[1..], [0; 5]);
}

async fn supergraphs(fixture: &Fixture, viewer: &Viewer) -> Result<()> {
    let platform = &fixture.platform;
    versions::compare_supergraphs(platform, viewer, "acme", "inventory", "main", 1, 1).await?;
    versions::supergraphs(platform, viewer, "acme", "inventory", "main", None).await.map(drop)
}
