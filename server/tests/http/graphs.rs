//! Graphs over HTTP: forms with and without what they need, and what their pages show.

use orgtrail::graph::subgraphs::{self, Publication, Target};
use orgtrail::graph::{registry, versions};
use orgtrail::identity::access_token::{self, Scope, Wanted, graphs as tokens};
use orgtrail::identity::role::Role;
use orgtrail::identity::viewer::{Origin, Viewer};

use crate::support::{ACME, Answer, Client, TestApplication};

/// A schema that composes.
pub const PRODUCTS: &str = r#"extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key"])
type Query { products: [Product!]! }
type Product @key(fields: "id") { id: ID! name: String! }
"#;

/// The same with another line; with a comment that is hostile, in two ways.
const RENAMED: &str = r#"extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key"])
type Query { products: [Product!]! }
# </pre><script>alert(1)</script>
type Product @key(fields: "id") { id: ID! title: String! }
"#;

/// Publishes a schema as the subgraph `products`.
pub async fn publish(app: &TestApplication, graph: &str, branch: &str, schema: &str) {
    let target = Target { graph, branch, name: "products" };
    let publication = Publication { schema: schema.as_bytes(), url: None };
    subgraphs::publish(&app.platform, &owner(app), ACME, target, publication).await.unwrap();
}

fn owner(app: &TestApplication) -> Viewer {
    Viewer::user(app.owner.clone(), Origin::default())
}

/// Posts a form; answers the page on which it lands.
async fn post(client: &Client, path: &str, fields: &[(&str, &str)]) -> (String, Answer) {
    let fields: Vec<_> = [("organization", ACME)].iter().chain(fields).copied().collect();
    let answer = client.form(path, &fields).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    let page = answer.location.unwrap();
    let landed = client.get(&page).await;
    (page, landed)
}

/// Publishes by form to the branch `main` of the graph `inventory`.
async fn post_schema(client: &Client, name: &str, schema: &str) -> Answer {
    let fields = [("graph", "inventory"), ("branch", "main"), ("name", name), ("url", ""), ("schema", schema)];
    post(client, "/api/publish_subgraph", &fields).await.1
}

async fn versions_of_products(app: &TestApplication) -> usize {
    let target = Target { graph: "inventory", branch: "main", name: "products" };
    versions::list(&app.platform, &owner(app), ACME, target, None).await.unwrap().versions.len()
}

#[tokio::test]
async fn a_graph_from_beginning_to_end_without_javascript() {
    let app = TestApplication::start().await;
    let browser = app.owner().await;
    assert!(browser.get("/acme/graphs").await.body.contains("No graphs yet."));
    let hostile =
        [("name", "<script>alert(1)</script>"), ("slug", "inventory"), ("description", "</textarea><b>\n&amp;")];
    let (page, created) = post(&browser, "/api/create_graph", &hostile).await;
    assert_eq!(page, "/acme/graphs/inventory");
    assert!(created.body.contains("The graph was created."), "{}", created.body);
    assert!(created.body.contains("&lt;/textarea>&lt;b>"), "{}", created.body);
    assert!(!created.body.contains("<script>alert") && !created.body.contains("<b>"), "{}", created.body);
    let (_, taken) = post(&browser, "/api/create_graph", &hostile).await;
    assert!(taken.body.contains("id=\"slug-error\""), "{}", taken.body);

    let (page, branch) =
        post(&browser, "/api/create_branch", &[("graph", "inventory"), ("name", "next"), ("from", "main")]).await;
    assert_eq!(page, "/acme/graphs/inventory/branches/next");
    assert!(branch.body.contains("The branch was created.") && branch.body.contains("No subgraphs yet."));
    let fields = [("graph", "inventory"), ("branch", "next"), ("name", "v1.2"), ("protected", "on"), ("version", "1")];
    let (page, renamed) = post(&browser, "/api/update_branch", &fields).await;
    assert_eq!(page, "/acme/graphs/inventory/branches/v1.2");
    assert!(renamed.body.contains("Saved.") && renamed.body.contains("protected"), "{}", renamed.body);
    let (page, refused) = post(&browser, "/api/delete_branch", &[("graph", "inventory"), ("branch", "v1.2")]).await;
    assert_eq!(page, "/acme/graphs/inventory/branches/v1.2");
    assert!(refused.body.contains("take the protection away before"), "{}", refused.body);

    let (page, deleted) = post(&browser, "/api/delete_graph", &[("graph", "inventory")]).await;
    assert_eq!(page, "/acme/graphs");
    assert!(deleted.body.contains("The graph was deleted.") && deleted.body.contains("No graphs yet."));
}

#[tokio::test]
async fn publishing_by_form_and_reading_what_it_made() {
    let app = TestApplication::start().await;
    app.graph("inventory").await;
    let browser = app.owner().await;
    let published = post_schema(&browser, "products", &PRODUCTS.replace('\n', "\r\n")).await;
    assert!(
        published.body.contains("Version 1 of products was published. It is part of supergraph 1."),
        "{}",
        published.body
    );
    publish(&app, "inventory", "main", PRODUCTS).await;
    let unchanged = post_schema(&browser, "products", PRODUCTS).await;
    assert!(unchanged.body.contains("Nothing was published: schema and URL are those of version 1"));
    assert_eq!(versions_of_products(&app).await, 1, "line ends of forms are not a change");

    post_schema(&browser, "products", RENAMED).await;
    let path = "/acme/graphs/inventory/branches/main";
    let version = browser.get(&format!("{path}/subgraphs/products/versions/2")).await.body;
    assert!(version.contains("2 added, 1 removed, in lines."), "{version}");
    assert!(version.contains("<ins>     3 + # &lt;/pre&gt;&lt;script&gt;"), "{version}");
    assert!(version.contains("<del>     3 − type Product"), "{version}");
    assert!(!version.contains("<script>alert"), "{version}");
    assert!(version.contains("<span class=\"sdl-keyword\">type"), "{version}");
    let first = browser.get(&format!("{path}/subgraphs/products/versions/1")).await;
    assert_eq!(first.status, 200);
    assert!(!first.body.contains("Changed since"), "{}", first.body);
    let subgraph = browser.get(&format!("{path}/subgraphs/products")).await.body;
    assert!(subgraph.contains("/versions/2\"") && subgraph.contains("/versions/1\""), "{subgraph}");
    let supergraph = browser.get(&format!("{path}/supergraphs/2")).await.body;
    assert!(supergraph.contains("What clients see") && supergraph.contains("join__"), "{supergraph}");
    for missing in ["subgraphs/none", "subgraphs/products/versions/3", "subgraphs/products/versions/x", "supergraphs/0"]
    {
        assert_eq!(browser.get(&format!("{path}/{missing}")).await.status, 404, "{missing}");
    }
}

#[tokio::test]
async fn a_refused_schema_changes_nothing_and_says_where_it_is_wrong() {
    let app = TestApplication::start().await;
    app.graph("inventory").await;
    publish(&app, "inventory", "main", PRODUCTS).await;
    let browser = app.owner().await;
    let broken = "type Query {\n  a: Missing\n}\n# typed & kept";
    let refused = post_schema(&browser, "products", broken).await.body;
    assert!(refused.contains("id=\"schema-error\""), "{refused}");
    assert!(refused.contains("What is wrong:"), "{refused}");
    assert!(refused.contains("Missing"), "{refused}");
    assert!(refused.contains("# typed &amp; kept</textarea>"), "{refused}");
    let unreadable = post_schema(&browser, "products", "type Query {\n  a: Int % }").await.body;
    assert!(unreadable.contains("products, line 2, column 10: "), "{unreadable}");
    let long = format!("type Query {{\n# {}\n  a: Missing }}", "x".repeat(20_000));
    let lost = post_schema(&browser, "products", &long).await.body;
    assert!(lost.contains("too long to be kept here"), "{lost}");
    assert_eq!(versions_of_products(&app).await, 1);

    let program = app.program_with(&[Scope::GraphsWrite]).await;
    let fields = [("organization", ACME), ("graph", "inventory"), ("branch", "main"), ("name", "a"), ("schema", "x")];
    program.form("/api/publish_subgraph", &fields).await.assert_problem(403, "FORBIDDEN");
}

#[tokio::test]
async fn a_program_with_a_permission_publishes_and_is_told_each_place() {
    let app = TestApplication::start().await;
    app.graph("inventory").await;
    let wanted = Wanted::new("CI", &[Scope::AuditRead]);
    let made = access_token::create(&app.platform, &owner(&app), ACME, None, wanted).await.unwrap();
    tokens::grant(&app.platform, &owner(&app), ACME, made.id.into(), "inventory", "publish").await.unwrap();
    let program = Client::program(&app.url, Some(made.secret.expose()));
    let fields = |schema| {
        [("organization", ACME), ("graph", "inventory"), ("branch", "main"), ("name", "products"), ("schema", schema)]
    };
    let done = program.form("/api/publish_subgraph", &fields(PRODUCTS)).await;
    assert_eq!(done.status, 200, "{}", done.body);
    let refused = program.form("/api/publish_subgraph", &fields("type Query {\n  a: Int % }")).await;
    refused.assert_problem(422, "BAD_USER_INPUT");
    let fault = &refused.json()["faults"][0];
    assert_eq!((&fault["part"], &fault["line"], &fault["column"]), (&"products".into(), &2.into(), &10.into()));
}

/// The form was shown, then somebody else saved: what they saved stays, and what was typed is still there.
#[tokio::test]
async fn a_stale_form_overwrites_nothing() {
    let app = TestApplication::start().await;
    app.graph("inventory").await;
    let wanted = registry::Wanted { slug: "inventory", name: "Theirs", description: "" };
    registry::update(&app.platform, &owner(&app), ACME, "inventory", wanted, Some(1)).await.unwrap();
    let fields =
        [("graph", "inventory"), ("slug", "inventory"), ("name", "Mine"), ("description", ""), ("version", "1")];
    let (_, page) = post(&app.owner().await, "/api/update_graph", &fields).await;
    assert!(page.body.contains("meanwhile") && page.body.contains("value=\"Mine\""), "{}", page.body);
    assert!(page.body.contains("name=\"version\" value=\"2\""), "saving again is meant: {}", page.body);
    let kept = registry::graph(&app.platform, &owner(&app), ACME, "inventory").await.unwrap();
    assert_eq!(kept.name, "Theirs");
}

#[tokio::test]
async fn each_sees_what_they_may_do() {
    let app = TestApplication::start().await;
    app.graph("inventory").await;
    let member = app.add("member", Some(Role::Member)).await;
    let forms = ["create_branch", "update_graph", "delete_graph", "What happened to it"];
    for (client, shown) in [(app.owner().await, forms.as_slice()), (app.sign_in(&member.email).await, &[])] {
        let body = client.get("/acme/graphs/inventory").await.body;
        let seen: Vec<_> = forms.into_iter().filter(|form| body.contains(form)).collect();
        assert_eq!(seen, shown);
        let branch = client.get("/acme/graphs/inventory/branches/main").await.body;
        assert_eq!(branch.contains("publish_subgraph"), !shown.is_empty());
    }
    let stranger = app.stranger().await;
    for path in ["", "/branches/main", "/branches/main/subgraphs/products/versions/1"] {
        assert_eq!(stranger.get(&format!("/acme/graphs/inventory{path}")).await.status, 404, "{path}");
    }
    for path in ["none", "%00", "inventory/branches/none", "inventory/branches/%00"] {
        assert_eq!(app.owner().await.get(&format!("/acme/graphs/{path}")).await.status, 404, "{path}");
    }
}
