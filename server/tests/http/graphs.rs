//! Graphs over HTTP: forms with and without what they need, and what their pages show.

use orgtrail::graph::documents;
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

/// A document that is valid with [`PRODUCTS`].
pub const MANIFEST: &str = r#"{"all": "query All { products { id } }"}"#;

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

/// Submits a manifest to the branch `main` of the graph `inventory`.
pub async fn submit(app: &TestApplication, client: &str, manifest: &str) -> orgtrail::Result<documents::Submitted> {
    let client = documents::Client { graph: "inventory", branch: "main", name: client };
    documents::submit(&app.platform, &owner(app), ACME, client, manifest.as_bytes()).await
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

const BRANCH: &str = "/acme/graphs/inventory/branches/main";

/// A page without what Leptos puts between texts.
async fn read(browser: &Client, path: &str) -> String {
    browser.get(path).await.body.replace("<!>", "")
}

/// Submits by form for the client `web`.
async fn post_manifest(client: &Client, manifest: &str) -> (String, Answer) {
    let fields = [("graph", "inventory"), ("branch", "main"), ("client", " web "), ("manifest", manifest)];
    let (page, mut landed) = post(client, "/api/submit_manifest", &fields).await;
    landed.body = landed.body.replace("<!>", "");
    (page, landed)
}

#[tokio::test]
async fn a_manifest_is_submitted_by_form_and_its_documents_are_read() {
    let app = TestApplication::start().await;
    app.graph("inventory").await;
    let browser = app.owner().await;
    let documents = format!("{BRANCH}/documents");
    let empty = read(&browser, &documents).await;
    assert!(empty.contains("No trusted documents yet.") && empty.contains("publish a subgraph before"), "{empty}");
    assert!(!empty.contains("submit_manifest"), "{empty}");
    publish(&app, "inventory", "main", PRODUCTS).await;

    let relay =
        "{\r\n\"a/b?<i>\": \"query All($n: Int) {\\n  products { id }\\n}\",\r\n\"n\": \"{ products { name } }\"}";
    let relay = relay.replace("($n: Int)", "");
    let (page, taken) = post_manifest(&browser, &relay).await;
    assert_eq!(page, format!("{documents}?client=web"));
    assert!(taken.body.contains("The manifest of web was taken: 2 documents, 2 of them new."), "{}", taken.body);
    assert!(
        taken.body.contains("<code>a/b?&lt;i&gt;</code>") && taken.body.contains("unnamed query"),
        "{}",
        taken.body
    );
    assert!(taken.body.contains("object=trusted_document%3A"), "{}", taken.body);
    assert!(!submit(&app, "web", &relay.replace("\r\n", "\n")).await.unwrap().changed, "line ends are not a change");
    let (_, again) = post_manifest(&browser, &relay).await;
    assert!(again.body.contains("Nothing was submitted: this is the newest manifest of web already."));

    let one = read(&browser, &format!("{documents}/document?client=web&id=a%2Fb%3F%3Ci%3E")).await;
    assert!(one.contains("<span class=\"sdl-keyword\">query</span> <span class=\"sdl-type\">All</span>"), "{one}");
    assert!(one.contains("SHA-256"), "{one}");
    let found = read(&browser, &format!("{documents}?search=NAME")).await;
    assert!(found.contains("unnamed query") && !found.contains(">All</a>"), "{found}");
    let nothing = read(&browser, &format!("{documents}?search=%3Cb%3E")).await;
    assert!(nothing.contains("No document here has “&lt;b&gt;”"), "{nothing}");
    for missing in ["?client=web&id=none", "?client=none&id=n", "", "?client=web&id=%00"] {
        assert_eq!(browser.get(&format!("{documents}/document{missing}")).await.status, 404, "{missing}");
        assert_eq!(browser.get(&format!("{documents}/document/file{missing}")).await.status, 404, "{missing}");
    }
    assert_eq!(browser.get(&format!("{documents}?search={}", "x".repeat(201))).await.status, 422);
}

#[tokio::test]
async fn a_refused_manifest_names_each_bad_document() {
    let app = TestApplication::start().await;
    app.graph("inventory").await;
    publish(&app, "inventory", "main", PRODUCTS).await;
    let browser = app.owner().await;
    let bad = r#"{"one": "{ products { price } }", "good": "{ products { id } }", "two": "{\n  missing\n}"}"#;
    let (page, refused) = post_manifest(&browser, bad).await;
    assert_eq!(page, format!("{BRANCH}/documents"));
    for told in
        ["one, line 1, column 14: ", "two, line 2, column 3: ", "id=\"manifest-error\"", "none was taken", "autofocus"]
    {
        assert!(refused.body.contains(told), "{told}: {}", refused.body);
    }
    assert!(refused.body.contains("No trusted documents yet.") && refused.body.contains("value=\" web \""));
    assert!(!refused.body.contains("good, line"), "{}", refused.body);
    let (_, none) = post_manifest(&browser, "[]").await;
    assert!(none.body.contains("id=\"manifest-error\"") && none.body.contains("JSON object"), "{}", none.body);
    let long = format!("{{\"a\": \"# {}\"}}", "x".repeat(20_000));
    assert!(post_manifest(&browser, &long).await.1.body.contains("too long to be kept here"));
}

#[tokio::test]
async fn documents_follow_page_by_page() {
    let app = TestApplication::start().await;
    app.graph("inventory").await;
    publish(&app, "inventory", "main", PRODUCTS).await;
    let documents: Vec<_> =
        (0..102).map(|n| format!("\"id {n:03}\": \"query Q{n:03} {{ products {{ id }} }}\"")).collect();
    submit(&app, "web & co", &format!("{{{}}}", documents.join(","))).await.unwrap();
    let browser = app.owner().await;
    let first = read(&browser, &format!("{BRANCH}/documents?client=web+%26+co")).await;
    assert!(first.contains(">Q099</a>") && !first.contains(">Q100</a>"), "{first}");
    let next = "documents?client=web+%26+co&after_client=web+%26+co&after=id+099";
    assert!(first.contains(&next.replace('&', "&amp;")), "{first}");
    let rest = read(&browser, &format!("{BRANCH}/{next}")).await;
    assert!(rest.contains(">Q100</a>") && rest.contains(">Q101</a>") && !rest.contains(">Q099</a>"), "{rest}");
    assert!(rest.contains("First documents") && !rest.contains("More documents"), "{rest}");
}

#[tokio::test]
async fn supergraphs_are_listed_and_any_two_compared() {
    let app = TestApplication::start().await;
    app.graph("inventory").await;
    let browser = app.owner().await;
    assert!(read(&browser, &format!("{BRANCH}/supergraphs")).await.contains("No supergraphs yet."));
    publish(&app, "inventory", "main", PRODUCTS).await;
    publish(&app, "inventory", "main", RENAMED).await;
    publish(&app, "inventory", "main", PRODUCTS).await;
    let list = read(&browser, &format!("{BRANCH}/supergraphs")).await;
    for told in ["version 1 of products</a> came in", "version 3 of products</a> instead of version 2", "SHA-256"] {
        assert!(list.contains(told), "{told}: {list}");
    }
    assert!(list.contains("/subgraphs/products/versions/3\""), "{list}");
    let first = read(&browser, &format!("{BRANCH}/supergraphs/1")).await;
    assert!(!first.contains("Changed since") && first.contains("name=\"since\""), "{first}");
    let second = read(&browser, &format!("{BRANCH}/supergraphs/2")).await;
    assert!(second.contains("Changed since <a") && second.contains("1 added, 1 removed, in lines."), "{second}");
    let same = read(&browser, &format!("{BRANCH}/supergraphs/3?since=1")).await;
    assert!(same.contains("supergraph 1</a>") && same.contains("Clients see the same."), "{same}");
    let version = read(&browser, &format!("{BRANCH}/subgraphs/products/versions/1?since=2")).await;
    assert!(version.contains("Different from <a") && version.contains("1 added, 2 removed, in lines."), "{version}");
    for missing in ["supergraphs/3?since=4", "supergraphs/3?since=0", "subgraphs/products/versions/1?since=9"] {
        assert_eq!(browser.get(&format!("{BRANCH}/{missing}")).await.status, 404, "{missing}");
    }
    assert_eq!(browser.get(&format!("{BRANCH}/supergraphs/3?since=x")).await.status, 200);
}

#[tokio::test]
async fn what_is_too_long_for_a_page_is_a_file() {
    let app = TestApplication::start().await;
    app.graph("inventory").await;
    // Longer than any page shows, and with what a browser must not run.
    let long =
        format!("{PRODUCTS}# <script>alert(1)</script>\n{}", format!("# {}\n", "long ".repeat(1_000)).repeat(40));
    publish(&app, "inventory", "main", &long).await;
    submit(&app, "web", MANIFEST).await.unwrap();
    let browser = app.owner().await;
    let version = format!("{BRANCH}/subgraphs/products/versions/1");
    let page = read(&browser, &version).await;
    assert!(page.contains("Not shown here: ") && page.contains(&format!("rel=\"external\" href=\"{version}/file\"")));
    let file = browser.get(&format!("{version}/file")).await;
    assert_eq!((file.status, file.body == long), (200, true));
    for (name, value) in [
        ("content-type", "text/plain; charset=utf-8"),
        ("content-disposition", "attachment; filename=\"inventory-main-products-version-1.graphql\""),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'; sandbox"),
        ("cache-control", "no-store"),
    ] {
        assert_eq!(file.header(name), value);
    }
    let supergraph = browser.get(&format!("{BRANCH}/supergraphs/1/file")).await;
    assert!(
        supergraph.body.contains("join__Graph") && supergraph.header("content-disposition").contains("supergraph-1")
    );
    let api = browser.get(&format!("{BRANCH}/supergraphs/1/api")).await;
    assert!(api.body.contains("products") && !api.body.contains("join__"), "{}", api.body);
    let document = browser.get(&format!("{BRANCH}/documents/document/file?client=web&id=all")).await;
    assert_eq!(document.body, "query All { products { id } }");
    for missing in [
        "subgraphs/products/versions/2/file",
        "subgraphs/none/versions/1/file",
        "supergraphs/x/file",
        "supergraphs/2/api",
    ] {
        let answer = browser.get(&format!("{BRANCH}/{missing}")).await;
        assert_eq!(answer.status, 404, "{missing}");
        assert!(answer.header("content-type").starts_with("text/html"), "{missing}");
    }
    let program = app.program();
    program.get(&format!("{version}/file")).await.assert_problem(401, "UNAUTHENTICATED");
    let token = app.program_with(&[Scope::AuditRead]).await;
    assert_eq!(token.get(&format!("{version}/file")).await.status, 200, "every token reads graphs");
}
