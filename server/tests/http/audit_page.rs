//! Settings → Audit Logs over HTTP: what it answers to whom, what it says to bad input, and that nothing of another organization is in any
//! answer.

use orgtrail::audit::append::Draft;
use orgtrail::audit::change::Batch;
use orgtrail::audit::event::{Actor, Kind};
use orgtrail::identity::access::{Operation, authorize};
use orgtrail::identity::access_token::{self, Scope, Wanted};
use orgtrail::identity::sign_in::create_user;
use orgtrail::identity::viewer::{Origin, Viewer};
use orgtrail::organization::settings;
use reqwest::Method;
use serde_json::Value;
use url::form_urlencoded;

use crate::support::{ACME, Answer, Client, PASSWORD, TestApplication};

const PAGE: &str = "/acme/settings/audit-logs";

/// Slug of the organization that nobody of [`ACME`] may learn anything of.
const OTHER: &str = "canary-slug";

/// In every name, address and document of the other organization, and in nothing that is asked.
const CANARY: &str = "qz7canary";

/// The other organization: its owner's client, and what only its members may see.
struct Other {
    owner: Client,
    events: Vec<String>,
    cursor: String,
    /// Ids, names, addresses, cursors.
    secrets: Vec<String>,
}

async fn record(app: &TestApplication, viewer: &Viewer, slug: &str, drafts: &[Draft]) {
    let access = authorize(&app.platform, viewer, slug, Operation::ReadAuditLog).await.unwrap();
    Batch::record(&app.platform, &access, drafts).await.unwrap();
}

fn event(name: &str, number: usize) -> Draft {
    let mut draft = Draft::named(Kind::Change, "invoice.paid", "invoice");
    draft.actor = Actor::user(format!("{name}-actor"), format!("{name} Person"), format!("{name}@x.example"));
    draft.object_id = Some(format!("{name}-object-{number}"));
    draft.object_name = Some(format!("{name} Invoice"));
    draft.next = Some(serde_json::json!({ "note": name, "number": number }).to_string());
    draft
}

async fn page_of(client: &Client, slug: &str, query: &str) -> Value {
    let answer = client.call("/api/audit_page", &[("organization", slug), ("query", query)]).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()
}

/// More than a page of events in both organizations.
async fn two() -> (TestApplication, Other) {
    let app = TestApplication::start().await;
    let owner = Viewer::user(app.owner.clone(), Origin::default());
    let email = format!("{CANARY}-owner@x.example");
    let name = format!("{CANARY} Owner");
    let user = create_user(&app.platform, &Viewer::operator(), &name, &email, Some(PASSWORD)).await.unwrap();
    let stranger = Viewer::user(user.clone(), Origin::default());
    settings::create(&app.platform, &stranger, &format!("{CANARY} Limited"), OTHER).await.unwrap();
    let token = access_token::create(&app.platform, &stranger, OTHER, None, Wanted::new(CANARY, &[Scope::AuditRead]));
    let token = token.await.unwrap();
    for number in 0..60 {
        record(&app, &owner, ACME, &[event("ours", number)]).await;
        record(&app, &stranger, OTHER, &[event(CANARY, number)]).await;
    }
    let client = app.sign_in(&email).await;
    let page = page_of(&client, OTHER, "kind=all").await;
    let cursor = page["older"].as_str().unwrap().to_owned();
    let events: Vec<String> =
        sqlx::query_scalar("select e.id::text from orgtrail.events e join orgtrail.organizations o on o.id = e.organization_id where o.slug = $1")
            .bind(OTHER)
            .fetch_all(&app.superuser)
            .await
            .unwrap();
    assert!(events.len() > 60);
    let mut secrets =
        vec![CANARY.to_owned(), OTHER.to_owned(), user.id.to_string(), token.id.to_string(), cursor.clone()];
    secrets.extend(events.iter().cloned());
    let organization: String = sqlx::query_scalar("select id::text from orgtrail.organizations where slug = $1")
        .bind(OTHER)
        .fetch_one(&app.superuser)
        .await
        .unwrap();
    secrets.push(organization);
    (app, Other { owner: client, events, cursor, secrets })
}

/// The secrets that an answer tells; what was asked with is no news.
fn told<'a>(other: &'a Other, asked: &str, answer: &Answer) -> Vec<&'a str> {
    let said = format!("{:?} {}", answer.headers, answer.body);
    let news = other.secrets.iter().filter(|secret| !asked.contains(*secret));
    news.map(String::as_str).filter(|secret| said.contains(secret)).collect()
}

fn encoded(value: &str) -> String {
    form_urlencoded::byte_serialize(value.as_bytes()).collect()
}

/// Queries that try to reach over.
fn reaching(other: &Other) -> Vec<String> {
    let (event, actor) = (&other.events[0], format!("user:{CANARY}-actor"));
    vec![
        "kind=all".to_owned(),
        "kind=all&range=90d".to_owned(),
        format!("kind=all&event={event}"),
        format!("kind=all&actor={}", encoded(&actor)),
        format!("kind=all&object=invoice:{CANARY}-object-1"),
        format!("kind=all&q={CANARY}"),
        "kind=all&q=qz7".to_owned(),
        format!("kind=all&after={}", other.cursor),
        format!("kind=all&before={}", other.cursor),
    ]
}

#[tokio::test]
async fn nothing_of_another_organization_is_in_any_answer() {
    let (app, other) = two().await;
    let owner = app.owner().await;
    let today = app.platform.clock.now().date_naive();
    let mut answers = Vec::new();
    for query in reaching(&other) {
        answers.push((query.clone(), owner.get(&format!("{PAGE}?{query}")).await));
        for slug in [ACME, OTHER] {
            let fields = [("organization", slug), ("query", query.as_str())];
            for path in ["/api/audit_page", "/api/audit_count"] {
                answers.push((format!("{slug} {query}"), owner.call(path, &fields).await));
            }
        }
    }
    for (slug, event) in [(ACME, &other.events[0]), (OTHER, &other.events[0])] {
        let fields = [("organization", slug), ("id", event.as_str())];
        answers.push((format!("{slug} {event}"), owner.call("/api/audit_event", &fields).await));
        answers.push((slug.to_owned(), owner.call("/api/audit_actors", &[("organization", slug)]).await));
        for more in ["", "&profile=full", "&format=ndjson", "&csv=raw&q=qz7", "&actor=user:qz7"] {
            let path = format!("/api/export_audit_logs?organization={slug}&start={today}&end={today}&kind=all{more}");
            let answer = loop {
                let answer = Answer::read(owner.bare(Method::GET, &path)).await;
                if answer.status != 429 {
                    break answer;
                }
            };
            answers.push((path, answer));
        }
    }
    for path in
        ["/canary-slug", "/canary-slug/settings", "/canary-slug/settings/members", "/canary-slug/settings/audit-logs"]
    {
        let answer = owner.get(path).await;
        assert_eq!(answer.status, 404, "{path}");
        answers.push((path.to_owned(), answer));
    }
    for (asked, answer) in &answers {
        assert!(answer.status < 500, "{asked}: {}", answer.body);
        assert_eq!(told(&other, asked, answer), Vec::<&str>::new(), "{asked}: {}", answer.body);
    }
    assert!(
        answers.iter().any(|(asked, answer)| asked.contains("format=ndjson") && answer.body.contains("ours-actor"))
    );
    // Control: its own members are told.
    let page = other.owner.get("/canary-slug/settings/audit-logs?kind=all").await;
    assert!(told(&other, "", &page).len() > 50, "{}", page.body);
}

#[tokio::test]
async fn what_reaches_over_finds_as_much_as_what_is_made_up() {
    let (app, other) = two().await;
    let owner = app.owner().await;
    let made_up = "0199f3c2-7c1e-7000-8000-000000000001";
    let of = |answer: Answer| {
        let mut problem = answer.json();
        problem["request_id"].take();
        (answer.status, problem)
    };
    for slug in [ACME, OTHER, "no-such-organization"] {
        let [theirs, nobodys] = [other.events[0].as_str(), made_up].map(|id| [("organization", slug), ("id", id)]);
        let theirs = of(owner.call("/api/audit_event", &theirs).await);
        assert_eq!(theirs.0, 404);
        assert_eq!(theirs, of(owner.call("/api/audit_event", &nobodys).await), "{slug}");
    }
    for query in [format!("actor=user:{CANARY}-actor"), "actor=user:made-up".to_owned(), format!("q={CANARY}")] {
        let page = page_of(&owner, ACME, &format!("kind=all&{query}")).await;
        assert_eq!(page["events"].as_array().unwrap().len(), 0, "{query}");
        let count = owner.call("/api/audit_count", &[("organization", ACME), ("query", &query)]).await;
        assert_eq!(count.json()["events"], 0, "{query}");
    }
}

#[tokio::test]
async fn a_permalink_opens_its_event_for_who_may_see_it() {
    let (app, other) = two().await;
    let owner = app.owner().await;
    let page = page_of(&owner, ACME, "").await;
    // One that is not on the first page.
    let older = page_of(&owner, ACME, &format!("after={}", page["older"].as_str().unwrap())).await;
    let ours = older["events"][0]["id"].as_str().unwrap();
    let opened = owner.get(&format!("{PAGE}?event={ours}")).await;
    assert_eq!(opened.status, 200);
    assert!(opened.body.contains("ours-object-"), "{}", opened.body);
    for unknown in ["0199f3c2-7c1e-7000-8000-000000000001", &other.events[0]] {
        // In place of the event is why it is not there; another organization's is as unknown as none.
        let page = owner.get(&format!("{PAGE}?event={unknown}")).await;
        assert_eq!((page.status, page.header("content-type")), (404, "text/html; charset=utf-8"), "{unknown}");
        assert!(page.body.contains("There is nothing here, or you may not know of it."), "{unknown}: {}", page.body);
    }
    let member = app.member().await;
    assert_eq!(member.get(&format!("{PAGE}?event={ours}")).await.status, 403);
    assert_eq!(other.owner.get(&format!("{PAGE}?event={ours}")).await.status, 404);
}

/// What cannot be asked: the query, and what the refusal must say.
fn refused(app: &TestApplication) -> Vec<(String, &'static str, String)> {
    let today = app.platform.clock.now().date_naive();
    let day = |offset: i64| (today + chrono::TimeDelta::days(offset)).to_string();
    let (first, long) = (day(-89), "x".repeat(201));
    [
        ("start=2026-02-30&end=2026-03-01".to_owned(), "start", "2026-02-30"),
        (format!("start={}&end=2026-13-01", day(0)), "end", "2026-13-01"),
        (format!("start={}&end={}", day(0), day(1)), "end", &*day(0)),
        (format!("start={}&end={}", day(30), day(60)), "", &*day(0)),
        (format!("start={}&end={}", day(0), day(-1)), "end", ""),
        (format!("start={}&end={}", day(-90), day(0)), "start", &*first),
        (format!("start={}", day(0)), "end", ""),
        ("range=1y".to_owned(), "range", "7d, 30d, 90d"),
        ("range=7d&range=30d".to_owned(), "range", "more than once"),
        (format!("range=7d&start={}", day(0)), "range", "either"),
        ("colour=red".to_owned(), "query", "The parameters are range, start, end"),
        ("kind=changes".to_owned(), "kind", "change, login, operation and export"),
        ("kind=change&kind=login".to_owned(), "kind", "lists with commas"),
        ("action=member".to_owned(), "action", "member.updated"),
        ("action=nothing.*".to_owned(), "action", "member.*"),
        ("actor=ada".to_owned(), "actor", "user:ID or token:ID"),
        ("object=Member".to_owned(), "object", "type:ID"),
        ("q=%3F".to_owned(), "q", "letter or digit"),
        (format!("q={long}"), "q", "200 characters"),
        ("q=%FF".to_owned(), "q", "UTF-8"),
        ("q=%00".to_owned(), "q", "NUL"),
        ("tz=Mars/Base".to_owned(), "tz", "Europe/Berlin"),
        ("event=x".to_owned(), "event", "UUID"),
        ("before=a&after=b".to_owned(), "before", "either"),
        ("organization=acme".to_owned(), "query", "organization"),
    ]
    .map(|(query, field, said)| (query, field, said.to_owned()))
    .into()
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_by_name_as_a_page_and_as_a_program() {
    let app = TestApplication::start().await;
    let (owner, program) = (app.owner().await, app.program_with(&[Scope::AuditRead]).await);
    for (query, field, said) in refused(&app) {
        let page = owner.get(&format!("{PAGE}?{query}")).await;
        assert_eq!((page.status, page.header("content-type")), (422, "text/html; charset=utf-8"), "{query}");
        assert!(page.body.contains(&said), "{query} should say {said}: {}", page.body);
        for path in ["/api/audit_page", "/api/audit_count"] {
            let answer = program.form(path, &[("organization", ACME), ("query", &query)]).await;
            answer.assert_problem(422, "BAD_USER_INPUT");
            let problem = answer.json();
            assert!(problem["detail"].as_str().unwrap().contains(&said), "{query} should say {said}: {problem}");
            assert!(field.is_empty() || problem["field"] == field, "{query} is about {field}: {problem}");
        }
    }
}

#[tokio::test]
async fn a_query_of_any_length_is_answered() {
    let app = TestApplication::start().await;
    let (owner, program) = (app.owner().await, app.program_with(&[Scope::AuditRead]).await);
    let too_long = owner.get(&format!("{PAGE}?q={}", "x".repeat(8_200))).await;
    assert_eq!((too_long.status, too_long.header("content-type")), (414, "text/html; charset=utf-8"));
    let request = format!("GET {PAGE}?q={} HTTP/1.1\r\nhost: a\r\n\r\n", "x".repeat(100_000));
    assert!(app.raw(&request).await.starts_with("HTTP/1.1 414 "));
    for (bytes, status) in [(8_000, 422), (60_000, 422), (100_000, 413)] {
        let query = format!("q={}", "x".repeat(bytes));
        let answer = program.form("/api/audit_page", &[("organization", ACME), ("query", &query)]).await;
        answer.assert_problem(status, "BAD_USER_INPUT");
    }
    let parameters = "&kind=change".repeat(600);
    let many = program.form("/api/audit_page", &[("organization", ACME), ("query", &parameters)]).await;
    many.assert_problem(422, "BAD_USER_INPUT");
}

#[tokio::test]
async fn a_cursor_is_good_for_its_own_list_only() {
    let (app, other) = two().await;
    let owner = app.owner().await;
    let program = app.program_with(&[Scope::AuditRead]).await;
    let page = page_of(&owner, ACME, "kind=all&range=7d").await;
    let cursor = page["older"].as_str().unwrap();
    assert_eq!(owner.get(&format!("{PAGE}?kind=all&range=7d&after={cursor}")).await.status, 200, "the control");
    let mut bad = vec![
        format!("kind=all&range=7d&after={}", other.cursor),
        format!("kind=change&range=7d&after={cursor}"),
        format!("kind=all&range=30d&after={cursor}"),
        format!("kind=all&range=7d&q=ours&before={cursor}"),
        format!("kind=all&range=7d&after={cursor}A"),
        format!("kind=all&range=7d&after={}", &cursor[1..]),
        format!("kind=all&range=7d&after={}", encoded("'; drop table events; --")),
        "after=-1".to_owned(),
    ];
    for place in 0..cursor.len() {
        let flipped = if cursor.as_bytes()[place] == b'A' { "B" } else { "A" };
        bad.push(format!("kind=all&range=7d&after={}{flipped}{}", &cursor[..place], &cursor[place + 1..]));
    }
    for query in &bad {
        let answer = program.form("/api/audit_page", &[("organization", ACME), ("query", query)]).await;
        answer.assert_problem(400, "BAD_CURSOR");
        assert!(answer.body.contains("first page"), "{query}: {}", answer.body);
    }
    for query in &bad[..8] {
        let page = owner.get(&format!("{PAGE}?{query}")).await;
        assert_eq!((page.status, page.header("content-type")), (400, "text/html; charset=utf-8"), "{query}");
        assert!(page.body.contains("first page"), "{query}: {}", page.body);
    }
}

#[tokio::test]
async fn each_answer_has_its_status() {
    let app = TestApplication::start().await;
    let (nobody, owner, admin, member, stranger) =
        (app.anonymous(), app.owner().await, app.admin().await, app.member().await, app.stranger().await);
    let (reads, exports) = (app.program_with(&[Scope::AuditRead]).await, app.program_with(&[Scope::AuditExport]).await);
    for (client, who, status) in [
        (&nobody, "nobody", 303),
        (&owner, "owner", 200),
        (&admin, "admin", 200),
        (&member, "member", 403),
        (&stranger, "stranger", 404),
        (&reads, "audit:read", 200),
        (&exports, "audit:export", 403),
    ] {
        let page = client.get(&format!("{PAGE}?kind=all")).await;
        assert_eq!(page.status, status, "{who}: {}", page.body);
        let asked = client.call("/api/audit_page", &[("organization", ACME), ("query", "kind=all")]).await;
        assert_eq!(asked.status, if status == 303 { 401 } else { status }, "{who}: {}", asked.body);
        // What is refused does not depend on whether the question was a good one.
        if status != 200 {
            let bad = client.get(&format!("{PAGE}?kind=nonsense")).await;
            assert_eq!(bad.status, status, "{who}: {}", bad.body);
        }
    }
}
