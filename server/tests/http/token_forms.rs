//! Settings → Access tokens: as a browser, as a program, from another site, and with too low a role.

use orgtrail::identity::access_token::{self, Scope, Wanted};
use orgtrail::identity::role::Role;
use orgtrail::identity::viewer::{Origin, Viewer};
use orgtrail::organization::members;
use reqwest::header::{ACCEPT, HeaderValue, ORIGIN};

use crate::support::{ACME, Answer, Client, TestApplication};

const PAGE: &str = "/acme/settings/access-tokens";

/// Makes a token as a browser does, and answers the page with its secret.
async fn make(client: &Client, name: &str) -> Answer {
    let fields = [
        ("organization", ACME),
        ("name", name),
        ("scopes[]", "audit:read"),
        ("scopes[]", "audit:export"),
        ("expires_on", ""),
    ];
    client.form("/api/create_access_token", &fields).await
}

/// The secret on a page that shows one.
fn secret_in(page: &str) -> String {
    let start = page.find("value=\"ot_").map(|found| found + "value=\"".len()).unwrap();
    page[start..].split('"').next().unwrap().to_owned()
}

/// A hidden field of the page.
fn hidden(page: &str, name: &str) -> String {
    let (_, rest) =
        page.split_once(&format!("name=\"{name}\" value=\"")).unwrap_or_else(|| panic!("no {name} in {page}"));
    rest.split('"').next().unwrap().to_owned()
}

async fn works(app: &TestApplication, secret: &str) -> u16 {
    Client::program(&app.url, Some(secret)).form("/api/organization_view", &[("organization", ACME)]).await.status
}

#[tokio::test]
async fn a_secret_is_on_the_answer_itself_and_nowhere_else() {
    let app = TestApplication::start().await;
    let owner = app.owner().await;
    let answer = make(&owner, "SIEM").await;
    assert_eq!((answer.status, answer.header("cache-control"), answer.location.as_deref()), (200, "no-store", None));
    assert!(answer.header("content-security-policy").contains("script-src 'nonce-"), "{:?}", answer.headers);
    let secret = secret_in(&answer.body);
    assert_eq!(answer.body.matches(&secret).count(), 1);
    assert_eq!(works(&app, &secret).await, 200);
    let kept: Vec<String> =
        sqlx::query_scalar("select data::text from orgtrail.sessions").fetch_all(&app.superuser).await.unwrap();
    assert!(kept.iter().all(|data| !data.contains("ot_")), "{kept:?}");
    let page = owner.get(PAGE).await;
    assert!(page.status == 200 && page.body.contains("SIEM") && !page.body.contains("ot_"), "{}", page.body);
}

/// Loading the page with the secret again sends its form again.
#[tokio::test]
async fn a_form_that_is_sent_twice_makes_one_token() {
    let app = TestApplication::start().await;
    let owner = app.owner().await;
    let id = hidden(&owner.get(PAGE).await.body, "form");
    let fields = [("organization", ACME), ("form", &id), ("name", "SIEM"), ("scopes[]", "audit:read")];
    assert_eq!(owner.form("/api/create_access_token", &fields).await.status, 200);
    let again = owner.form("/api/create_access_token", &fields).await;
    assert_eq!((again.status, again.location.as_deref()), (303, Some(PAGE)));
    let page = owner.get(PAGE).await.body;
    assert!(page.contains("was made already"), "{page}");
    assert_ne!(hidden(&page, "form"), id, "the next form makes another one");
    let listed = owner.call("/api/access_tokens_page", &[("organization", ACME)]).await.json();
    assert_eq!(listed["tokens"].as_array().unwrap().len(), 1);
    assert_ne!(listed["tokens"][0]["id"], id.as_str(), "nobody chooses the id of an actor");
    let bad = [("organization", ACME), ("form", "1"), ("name", "SIEM"), ("scopes[]", "audit:read")];
    owner.call("/api/create_access_token", &bad).await.assert_problem(422, "BAD_USER_INPUT");
}

#[tokio::test]
async fn a_token_is_good_from_its_addresses_alone() {
    let app = TestApplication::start().await;
    let owner = app.owner().await;
    let make = async |name: &str, addresses: &str| {
        let fields = [("organization", ACME), ("name", name), ("scopes[]", "audit:read"), ("addresses", addresses)];
        owner.call("/api/create_access_token", &fields).await
    };
    make("nowhere", "example.com").await.assert_problem(422, "BAD_USER_INPUT");
    let secret = |made: Answer| made.json()["secret"].as_str().unwrap().to_owned();
    let (here, elsewhere) = (secret(make("here", "127.0.0.0/8").await), secret(make("there", "203.0.113.7").await));
    assert_eq!(works(&app, &here).await, 200);
    let program = Client::program(&app.url, Some(&elsewhere));
    let refused = program.form("/api/organization_view", &[("organization", ACME)]).await;
    refused.assert_problem(401, "UNAUTHENTICATED");
    assert!(refused.body.contains("not good from your address"), "{}", refused.body);
    let listed = owner.call("/api/access_tokens_page", &[("organization", ACME)]).await.json();
    let there = listed["tokens"].as_array().unwrap().iter().find(|token| token["name"] == "there").unwrap();
    let open = owner.get(&format!("{PAGE}?open={}", there["id"].as_str().unwrap())).await.body;
    assert!(open.contains("name=\"addresses\"") && open.contains("value=\"203.0.113.7\""), "{open}");
}

#[tokio::test]
async fn a_program_gets_the_secret_as_json() {
    let app = TestApplication::start().await;
    let owner = app.owner().await;
    let fields = [("organization", ACME), ("name", "SIEM"), ("scopes[]", "audit:read"), ("expires_on", "2999-01-31")];
    let made = owner.call("/api/create_access_token", &fields).await;
    assert_eq!((made.status, made.header("content-type")), (200, "application/json"), "{}", made.body);
    let made = made.json();
    assert_eq!(works(&app, made["secret"].as_str().unwrap()).await, 200);
    let page = owner
        .call("/api/access_tokens_page", &[("organization", ACME), ("open", made["id"].as_str().unwrap())])
        .await
        .json();
    assert_eq!((page["open"]["expires_on"].as_str(), page["open"]["version"].as_i64()), (Some("2999-01-31"), Some(1)));
}

#[tokio::test]
async fn a_refused_form_keeps_what_was_typed_and_says_where() {
    let app = TestApplication::start().await;
    let owner = app.owner().await;
    let fields =
        [("organization", ACME), ("name", "My robot"), ("scopes[]", "audit:export"), ("expires_on", "2001-01-01")];
    let refused = owner.form("/api/create_access_token", &fields).await;
    assert_eq!((refused.status, refused.location.as_deref()), (303, Some(PAGE)));
    let page = owner.get(PAGE).await.body;
    for part in ["value=\"My robot\"", "value=\"2001-01-01\"", "id=\"expires_on-error\"", "expires in the future"] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    assert_eq!(page.matches(" checked").count(), 1, "the chosen scope is still chosen");
    let without = owner.form("/api/create_access_token", &[("organization", ACME), ("name", "Robot")]).await;
    assert_eq!(without.status, 303);
    assert!(owner.get(PAGE).await.body.contains("at least one scope"));
    let scope = [("organization", ACME), ("name", "Robot"), ("scopes[]", "everything")];
    owner.call("/api/create_access_token", &scope).await.assert_problem(422, "BAD_USER_INPUT");
}

#[tokio::test]
async fn a_token_is_changed_rotated_and_revoked() {
    let app = TestApplication::start().await;
    let owner = app.owner().await;
    let first = secret_in(&make(&owner, "SIEM").await.body);
    let id = owner.call("/api/access_tokens_page", &[("organization", ACME)]).await.json()["tokens"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let open = format!("{PAGE}?open={id}");
    let page = owner.get(&open).await.body;
    let version = hidden(&page, "version");
    assert_eq!((hidden(&page, "token"), page.matches(" checked").count()), (id.clone(), 2));
    assert!(page.contains("There are no graphs in this organization yet."), "{page}");
    let target = [("organization", ACME), ("token", id.as_str()), ("version", version.as_str())];
    let changed =
        [target.as_slice(), &[("name", "Reports"), ("scopes[]", "audit:read"), ("expires_on", "2999-12-31")]].concat();
    let saved = owner.form("/api/update_access_token", &changed).await;
    assert_eq!((saved.status, saved.location.as_deref()), (303, Some(open.as_str())));
    let page = owner.get(&open).await.body;
    assert!(
        page.contains("Saved.") && page.contains("value=\"Reports\"") && page.contains("last day 31 Dec 2999"),
        "{page}"
    );

    // The same form once more is another version's.
    let stale = owner.form("/api/update_access_token", &changed).await;
    assert_eq!((stale.status, stale.location.as_deref()), (303, Some(open.as_str())));
    let page = owner.get(&open).await.body;
    assert!(page.contains("Somebody else has changed this access token"), "{page}");
    assert!(page.contains("value=\"Reports\""), "as it is now, not as it was typed");

    let version = hidden(&page, "version");
    let target = [("organization", ACME), ("token", id.as_str()), ("version", version.as_str())];
    let rotated = owner.form("/api/rotate_access_token", &target).await;
    assert_eq!(rotated.status, 200);
    let second = secret_in(&rotated.body);
    assert!(rotated.body.contains(&format!("href=\"{open}\"")), "{}", rotated.body);
    assert_eq!((works(&app, &first).await, works(&app, &second).await), (401, 200));
    assert_eq!(owner.form("/api/rotate_access_token", &target).await.status, 303, "sent again it rotates nothing");
    assert_eq!(works(&app, &second).await, 200);

    let revoked = owner.form("/api/revoke_access_token", &target).await;
    assert_eq!((revoked.status, revoked.location.as_deref()), (303, Some(open.as_str())));
    let page = owner.get(&open).await.body;
    assert!(page.contains("The access token was revoked.") && page.contains(" expired or revoked"), "{page}");
    assert_eq!(works(&app, &second).await, 401);
}

#[tokio::test]
async fn permissions_for_graphs_are_granted_changed_and_taken_away() {
    let app = TestApplication::start().await;
    app.graph("inventory").await;
    let owner = app.owner().await;
    let operator = Viewer::operator();
    let id = access_token::create(&app.platform, &operator, ACME, None, Wanted::new("robot", &[Scope::GraphsWrite]))
        .await
        .unwrap()
        .id
        .to_string();
    let open = format!("{PAGE}?open={id}");
    for (path, permission, said) in [
        ("/api/grant_access_token_graph", "read", "The permission was saved."),
        ("/api/grant_access_token_graph", "admin", "The permission was saved."),
        ("/api/withdraw_access_token_graph", "", "The permission was taken away."),
    ] {
        let version = hidden(&owner.get(&open).await.body, "version");
        let fields = [
            ("organization", ACME),
            ("token", &id),
            ("version", &version),
            ("graph", "inventory"),
            ("permission", permission),
        ];
        let done = owner.form(path, &fields).await;
        assert_eq!((done.status, done.location.as_deref()), (303, Some(open.as_str())), "{path}");
        assert!(owner.get(&open).await.body.contains(said), "{path}");
    }
    let version = hidden(&owner.get(&open).await.body, "version");
    let nowhere =
        [("organization", ACME), ("token", &id), ("version", &version), ("graph", "nowhere"), ("permission", "read")];
    owner.form("/api/grant_access_token_graph", &nowhere).await;
    assert!(owner.get(&open).await.body.contains("There is no such graph"));
}

#[tokio::test]
async fn an_orphan_is_offered_to_owners_only() {
    let app = TestApplication::start().await;
    let gone = app.add("gone", Some(Role::Admin)).await;
    let viewer = Viewer::user(gone.clone(), Origin::default());
    let token = access_token::create(&app.platform, &viewer, ACME, None, Wanted::new("robot", &[Scope::AuditRead]))
        .await
        .unwrap();
    let owner_viewer = Viewer::user(app.owner.clone(), Origin::default());
    members::remove(&app.platform, &owner_viewer, ACME, &gone.id.to_string()).await.unwrap();
    let (owner, admin) = (app.owner().await, app.admin().await);
    let open = format!("{PAGE}?open={}", token.id);
    assert!(!admin.get(&open).await.body.contains("/api/adopt_access_token"));
    let page = owner.get(&open).await.body;
    assert!(
        page.contains("/api/adopt_access_token") && page.contains("orphaned") && page.contains("no longer a member"),
        "{page}"
    );
    let id = token.id.to_string();
    let fields = [("organization", ACME), ("token", &id), ("version", "1")];
    assert_eq!(owner.form("/api/adopt_access_token", &fields).await.location, Some(open));
    assert_eq!(works(&app, token.secret.expose()).await, 200);
}

#[tokio::test]
async fn members_see_neither_the_page_nor_the_way_to_it() {
    let app = TestApplication::start().await;
    let (member, stranger, admin) = (app.member().await, app.stranger().await, app.admin().await);
    assert_eq!(member.get(PAGE).await.status, 403);
    assert!(!member.get("/acme").await.body.contains("access-tokens"));
    assert_eq!(stranger.get(PAGE).await.status, 404);
    assert_eq!(
        app.anonymous().get(PAGE).await.location.as_deref(),
        Some("/login?next=%2Facme%2Fsettings%2Faccess-tokens")
    );
    let page = admin.get(PAGE).await;
    assert!(page.status == 200 && page.body.contains("No program has access yet."), "{}", page.body);
    assert!(admin.get("/acme").await.body.contains("/acme/settings/access-tokens"));
    assert_eq!(admin.get(&format!("{PAGE}?open=nothing")).await.status, 404);
    let refused = make(&member, "robot").await;
    assert_eq!((refused.status, refused.location.as_deref()), (303, Some(PAGE)));
}

#[tokio::test]
async fn another_site_makes_and_rotates_nothing() {
    let app = TestApplication::start().await;
    let owner = app.owner().await;
    let fields = [("organization", ACME), ("name", "robot"), ("scopes[]", "audit:read")];
    for header in ["sec-fetch-site", "origin"] {
        let value = if header == "origin" { "https://evil.example" } else { "cross-site" };
        let request = owner.bare(reqwest::Method::POST, "/api/create_access_token").form(&fields).header(header, value);
        let answer = Answer::read(request.header(ACCEPT, "text/html")).await;
        assert_eq!(answer.status, 403, "{header}: {}", answer.body);
        assert!(!answer.body.contains("ot_"));
    }
    let own = owner.bare(reqwest::Method::POST, "/api/create_access_token").form(&fields);
    let own = own.header(ORIGIN, HeaderValue::from_str(&app.url).unwrap());
    assert_eq!(Answer::read(own).await.status, 200);
}

#[tokio::test]
async fn hostile_names_are_text() {
    let app = TestApplication::start().await;
    let owner = app.owner().await;
    for name in ["<script>alert(1)</script>", "=1+1", "\u{202e}nimda", "😀"] {
        let answer = make(&owner, name).await;
        assert_eq!(answer.status, 200, "{name}");
        let id = owner.call("/api/access_tokens_page", &[("organization", ACME)]).await.json()["tokens"][0]["id"]
            .as_str()
            .unwrap()
            .to_owned();
        let page = owner.get(&format!("{PAGE}?open={id}")).await.body;
        for body in [&answer.body, &page] {
            assert!(!body.contains("<script>alert"), "{body}");
        }
    }
    for name in ["", "a\0b", &"x".repeat(10_000)] {
        let refused = make(&owner, name).await;
        assert_eq!((refused.status, refused.location.as_deref()), (303, Some(PAGE)), "{name:?}: {}", refused.body);
        assert!(owner.get(PAGE).await.body.contains("id=\"name-error\""));
    }
}

/// One click from a token to what it did and what happened to it, and from an event on.
#[tokio::test]
async fn a_token_leads_to_its_events_and_shows_beside_its_owner() {
    let app = TestApplication::start().await;
    let owner = app.owner().await;
    let viewer = Viewer::user(app.owner.clone(), Origin::default());
    let token =
        access_token::create(&app.platform, &viewer, ACME, None, Wanted::new("Renamer", &[Scope::OrganizationWrite]))
            .await
            .unwrap();
    let program = Client::program(&app.url, Some(token.secret.expose()));
    assert_eq!(
        program
            .form("/api/update_organization", &[("organization", ACME), ("name", "Acme 2"), ("slug", ACME)])
            .await
            .status,
        200
    );
    let page = owner.get(PAGE).await.body;
    for (filter, action) in [
        (format!("actor=token%3A{}", token.id), "organization.updated"),
        (format!("object=access_token%3A{}", token.id), "access_token.created"),
    ] {
        let (_, rest) = page.split_once(&filter).unwrap_or_else(|| panic!("{filter} is not in {page}"));
        assert!(rest.starts_with('"'), "{rest}");
        let log = owner.get(&format!("/acme/settings/audit-logs?range=90d&kind=all&{filter}")).await.body;
        assert!(log.contains(action), "{action} is not in {log}");
    }
    let log = owner.get("/acme/settings/audit-logs?action=organization.updated").await.body;
    assert!(log.contains("Renamer") && log.contains("access token · by Ada Owner"), "{log}");
}
