//! No secret is in the log, in the database, in traces or in a refusal: the program at its most talkative goes through everything that has
//! secrets, each a canary, and afterwards all it said, all that is kept, all that a collector got and all that it refused is searched for them.

use orgtrail::identity::access_token::{self, Scope, Wanted, graphs as tokens};
use orgtrail::identity::attempt;
use orgtrail::identity::role::Role;
use orgtrail::identity::viewer::{Origin, Viewer};
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;

use crate::collector::Collector;
use crate::graphs::PRODUCTS;
use crate::mailed::{changing, forgotten, secret_after};
use crate::program::Program;
use crate::support::{ACME, Answer, Client, PASSWORD, TestApplication};

const JSON: &str = "application/json";

/// What must be found nowhere, with what it is; and what was answered to whom sent it and was refused.
#[derive(Default)]
struct Canaries(Vec<(&'static str, String)>, Vec<String>);

impl Canaries {
    /// A password, or whatever else people choose.
    fn typed(&mut self, what: &'static str) -> String {
        let canary = format!("canary-{}-{}", self.0.len(), what.replace(' ', "-"));
        self.0.push((what, canary.clone()));
        canary
    }

    /// A secret that the server made. Part of it would be too much already.
    fn made(&mut self, what: &'static str, secret: &str) {
        assert!(secret.len() >= 32, "{what}: {secret}");
        self.0.push((what, secret[secret.len() - 24..].to_owned()));
    }

    /// Keeps an answer that refuses: by its status, by sending back to the form, or with an error in it.
    fn refused(&mut self, answer: &Answer) {
        let is_refused = answer.status >= 400 || answer.status == 303 || answer.body.contains("\"errors\"");
        assert!(is_refused, "{answer:?}");
        self.1.push(said_in(answer));
    }

    /// Keeps the page to which somebody was sent back, which says why.
    fn shown(&mut self, answer: &Answer) {
        assert_eq!(answer.status, 200, "{answer:?}");
        self.1.push(said_in(answer));
    }

    /// Those that are in `text`, as they are or as bytes are shown.
    fn in_text(&self, text: &str) -> Vec<&'static str> {
        let is_in = |canary: &str| text.contains(canary) || text.contains(&as_hex(canary));
        self.0.iter().filter(|(_, canary)| is_in(canary)).map(|(what, _)| *what).collect()
    }
}

/// An answer with its headers.
fn said_in(answer: &Answer) -> String {
    let headers =
        answer.headers.iter().map(|(name, value)| format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes())));
    format!("{}\n{}\n{}", answer.status, headers.collect::<String>(), answer.body)
}

fn as_hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// All rows of all tables, as text.
async fn everything_kept(app: &TestApplication) -> String {
    let tables: Vec<String> = sqlx::query_scalar(
        "select format('%I.%I', nspname, relname) from pg_class c join pg_namespace n on n.oid = relnamespace
        where relkind = 'r' and nspname in ('orgtrail', 'public') order by 1",
    )
    .fetch_all(&app.superuser)
    .await
    .unwrap();
    assert!(tables.len() > 20, "{tables:?}");
    let mut kept = String::new();
    for table in tables {
        let rows = format!("select coalesce(string_agg(kept::text, e'\\n'), '') from {table} kept");
        kept += &sqlx::query_scalar::<_, String>(AssertSqlSafe(rows)).fetch_one(&app.superuser).await.unwrap();
    }
    kept
}

async fn graphql(client: &Client, query: &str, variables: Value) -> Answer {
    let body = json!({ "query": query, "variables": variables }).to_string();
    Answer::read(client.bare(Method::POST, "/graphql").header(CONTENT_TYPE, JSON).body(body)).await
}

/// Signs in and up, with right and wrong passwords, and changes them.
async fn passwords(app: &TestApplication, url: &str, canaries: &mut Canaries) {
    let (wrong, chosen, next) =
        (canaries.typed("wrong password"), canaries.typed("chosen password"), canaries.typed("next password"));
    let (browser, program) = (Client::browser(url), Client::program(url, None));
    for client in [&browser, &program] {
        for email in [app.owner.email.as_str(), "nobody@acme.example"] {
            canaries.refused(&client.form("/api/login", &[("email", email), ("password", &wrong)]).await);
        }
    }
    canaries.shown(&browser.get("/login").await);
    let email = "grace@acme.example";
    browser.form("/api/signup", &[("name", "Grace"), ("email", email), ("password", &chosen)]).await;
    let grace = app.add("hopper", Some(Role::Member)).await;
    let signed_in = Client::signed_in(url, &grace.email, PASSWORD).await;
    let change = [("current_password", wrong.as_str()), ("new_password", &next)];
    canaries.refused(&signed_in.form("/api/change_password", &change).await);
    canaries.shown(&signed_in.get("/account").await);
    canaries.refused(&signed_in.call("/api/change_password", &change).await);
    signed_in.form("/api/change_password", &[("current_password", PASSWORD), ("new_password", &next)]).await;
    let entered = program.form("/api/login", &[("email", &grace.email), ("password", &next)]).await;
    assert_eq!(entered.status, 200, "{}", entered.body);
    let cookie = entered.session_cookie().unwrap();
    canaries.made("session cookie", &cookie);
    let seen = program.bare(Method::POST, "/api/viewer").header(COOKIE, format!("sid={cookie}"));
    assert_eq!(Answer::read(seen).await.status, 200);
    let inline = format!(
        "mutation {{ changePassword(input: {{ currentPassword: \"{wrong}\", newPassword: \"{next}\" }}) {{ __typename }} }}"
    );
    canaries.refused(&graphql(&signed_in, &inline, json!({})).await);
    let document = "mutation C($input: ChangePasswordInput!) { changePassword(input: $input) { __typename } }";
    let variables = json!({ "input": { "currentPassword": wrong, "newPassword": next }, "clientSecret": wrong });
    canaries.refused(&graphql(&signed_in, document, variables).await);
    let nothing = inline.replace("changePassword", "changeNothing");
    canaries.refused(&graphql(&signed_in, &nothing, json!({ "password": wrong })).await);
    canaries.refused(&graphql(&signed_in, &inline[..inline.len() - 8], json!({})).await);
}

/// Makes access tokens on a page and through GraphQL, and uses them where they belong and where they do not.
async fn access_tokens(app: &TestApplication, url: &str, canaries: &mut Canaries) {
    let owner = Client::signed_in(url, &app.owner.email, PASSWORD).await;
    let fields = [("organization", ACME), ("name", "CI"), ("scopes[]", "events:write"), ("expires_on", "")];
    let page = owner.form("/api/create_access_token", &fields).await.body;
    let secret = page.split_once("value=\"ot_").unwrap().1.split('"').next().unwrap();
    canaries.made("access token of a page", secret);
    let token = format!("ot_{secret}");
    let create = "mutation M($input: CreateAccessTokenInput!) { createAccessToken(input: $input) { secret } }";
    let made = graphql(&owner, create, json!({ "input": { "name": "SIEM", "scopes": ["AUDIT_READ"] } })).await;
    let other = made.json()["data"]["createAccessToken"]["secret"].as_str().unwrap().to_owned();
    canaries.made("access token of GraphQL", &other);
    graphql(&Client::program(url, Some(&other)), "{ __typename }", json!({ "token": token })).await;
    let nobody = Client::program(url, None);
    for path in [format!("/login?token={token}"), format!("/{token}"), format!("/api/v1/{token}/events")] {
        canaries.refused(&nobody.get(&path).await);
        canaries.refused(&Client::browser(url).get(&path).await);
    }
    let wrong = canaries.typed("credential of a header");
    for value in [format!("Bearer {wrong}"), format!("Basic {wrong}"), format!("Bearer ot_{wrong}")] {
        let refused = Answer::read(nobody.bare(Method::GET, "/api/v1/events").header(AUTHORIZATION, value)).await;
        canaries.refused(&refused);
    }
    let cookies = format!("sid={wrong}; __Host-sid={wrong}");
    canaries.refused(&Answer::read(nobody.bare(Method::POST, "/api/viewer").header(COOKIE, &cookies)).await);
    canaries.shown(&Answer::read(nobody.bare(Method::GET, "/login").header(COOKIE, cookies)).await);
    events(&Client::program(url, Some(&token)), &token, canaries).await;
}

/// Sends events with secrets in them, good and bad ones.
async fn events(product: &Client, token: &str, canaries: &mut Canaries) {
    let secret = canaries.typed("secret of another product");
    let states = json!({ "password": secret, "nested": [{ "apiKey": secret }], "note": format!("it was {token}") });
    let event =
        json!({ "action": "key.rotated", "actor": { "user": { "id": "1" } }, "previous": states, "next": states });
    let send = async |body: String| {
        Answer::read(product.bare(Method::POST, "/api/v1/events").header(CONTENT_TYPE, JSON).body(body)).await
    };
    let event = event.to_string();
    assert_eq!(send(event.clone()).await.status, 201);
    for bad in [event.replace("key.rotated", " "), event.replace("}]", "}")] {
        canaries.refused(&send(bad).await);
    }
}

/// Links that are mailed, opened and used.
async fn links(app: &TestApplication, url: &str, canaries: &mut Canaries) {
    let owner = Client::signed_in(url, &app.owner.email, PASSWORD).await;
    let invite = [("organization", ACME), ("email", "invited@acme.example"), ("role", "member")];
    let page = owner.form("/api/create_invite", &invite).await.body;
    let secret = secret_after(&page, "/invites/").unwrap();
    canaries.made("link of an invite", &secret);
    let (browser, password) = (Client::browser(url), canaries.typed("password of who joins"));
    assert_eq!(browser.get(&format!("/invites/{secret}")).await.status, 200);
    for name in ["", "Invited"] {
        let join = [("secret", secret.as_str()), ("name", name), ("password", &password)];
        assert_eq!(browser.form("/api/join_by_invite", &join).await.status, 303);
    }
    let again = [("secret", secret.as_str()), ("name", "Again"), ("password", &password)];
    canaries.refused(&Client::program(url, None).form("/api/join_by_invite", &again).await);
    let ada = app.add("forgetful", Some(Role::Member)).await;
    browser.form("/api/request_password_reset", &[("email", &app.owner.email)]).await;
    let secret = forgotten(app, &ada.email).await;
    canaries.made("link of a forgotten password", &secret);
    assert_eq!(browser.get(&format!("/reset/{secret}")).await.status, 200);
    let password = canaries.typed("password instead of a forgotten one");
    let program = Client::program(url, None);
    canaries.refused(&program.form("/api/reset_password", &[("secret", &secret), ("password", "short")]).await);
    assert_eq!(browser.form("/api/reset_password", &[("secret", &secret), ("password", &password)]).await.status, 303);
    canaries.refused(&program.form("/api/reset_password", &[("secret", &secret), ("password", &password)]).await);
    let mover = app.add("mover", Some(Role::Member)).await;
    let secret = changing(app, &mover).await;
    canaries.made("link of another address", &secret);
    let mover = Client::signed_in(url, &mover.email, PASSWORD).await;
    mover.get(&format!("/account/email/{secret}")).await;
    assert_eq!(mover.form("/api/confirm_email", &[("secret", &secret)]).await.status, 303);
}

/// Publishes schemas, of which one does not compose.
async fn publishing(app: &TestApplication, url: &str, canaries: &mut Canaries) {
    let owner = Viewer::user(app.owner.clone(), Origin::default());
    app.graph("inventory").await;
    let wanted = Wanted::new("Pipeline", &[Scope::AuditRead]);
    let made = access_token::create(&app.platform, &owner, ACME, None, wanted).await.unwrap();
    tokens::grant(&app.platform, &owner, ACME, made.id.into(), "inventory", "publish").await.unwrap();
    canaries.made("access token of a pipeline", made.secret.expose());
    let pipeline = Client::program(url, Some(made.secret.expose()));
    for (schema, is_good) in [(PRODUCTS, true), ("type Query {", false)] {
        let fields = [
            ("organization", ACME),
            ("graph", "inventory"),
            ("branch", "main"),
            ("name", "products"),
            ("schema", schema),
        ];
        let answer = pipeline.form("/api/publish_subgraph", &fields).await;
        if is_good {
            assert_eq!(answer.status, 200, "{answer:?}");
        } else {
            canaries.refused(&answer);
        }
    }
}

/// Requests that fail in a layer, with secrets in their bodies.
async fn failing(url: &str, canaries: &mut Canaries) {
    let (nobody, secret) = (Client::program(url, None), canaries.typed("password of a broken request"));
    let body = format!("{{\"email\":\"a@b.example\",\"password\":\"{secret}\"");
    for content_type in [JSON, "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "text/plain"] {
        let request = nobody.bare(Method::POST, "/api/login").header(CONTENT_TYPE, content_type);
        canaries.refused(&Answer::read(request.body(body.clone())).await);
    }
    canaries.refused(&nobody.form("/api/login", &[("password", &secret)]).await);
    canaries.refused(&nobody.get(&format!("/api/login?password={secret}")).await);
    for times in [100, 100_000] {
        let password = secret.repeat(times);
        let request =
            nobody.bare(Method::POST, "/api/login").form(&[("email", "a@b.example"), ("password", &password)]);
        // What is too long is not read, and the connection closed: perhaps before it is answered.
        if let Ok(answer) = Answer::of(request).await {
            canaries.refused(&answer);
        }
    }
}

#[tokio::test]
async fn no_secret_is_logged_kept_or_traced() {
    let (app, collector) = (TestApplication::start().await, Collector::start().await);
    let mut canaries = Canaries::default();
    let of_database = canaries.typed("password of the database");
    let (_, database) = app.environment().into_iter().find(|(name, _)| *name == "DATABASE_URL").unwrap();
    let database = database.parse::<PgConnectOptions>().unwrap().password(&of_database).to_url_lossy().to_string();
    let mail = format!("smtp://user:{}@127.0.0.1:9", canaries.typed("password of the mail server"));
    let headers = format!("api-key={}", canaries.typed("key of the collector"));
    let variables = [
        ("ORGTRAIL_LOG", "trace"),
        ("ORGTRAIL_SIGNUP", "open"),
        ("DATABASE_URL", database.as_str()),
        ("ORGTRAIL_SMTP_URL", mail.as_str()),
        ("ORGTRAIL_MAIL_FROM", "orgtrail@acme.example"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url),
        ("OTEL_EXPORTER_OTLP_HEADERS", &headers),
    ];
    let program = Program::start(&app, &variables).await;
    let url = program.url.clone();
    passwords(&app, &url, &mut canaries).await;
    access_tokens(&app, &url, &mut canaries).await;
    links(&app, &url, &mut canaries).await;
    publishing(&app, &url, &mut canaries).await;
    failing(&url, &mut canaries).await;
    // What may be found, and is: so the search can find.
    let mut planted = Canaries(vec![("planted", "planted-0123456789abcdef".to_owned())], Vec::new());
    Client::program(&url, None).get(&format!("/{}", planted.0[0].1)).await;
    let owner = Client::signed_in(&url, &app.owner.email, PASSWORD).await;
    owner.form("/api/create_team", &[("organization", ACME), ("name", &planted.0[0].1)]).await;
    let unknown = [("organization", ACME), ("email", planted.0[0].1.as_str()), ("role", "member")];
    owner.form("/api/create_invite", &unknown).await;
    planted.shown(&owner.get("/acme/settings/invites").await);
    while attempt::longest_wait(&app.platform).await.unwrap() > 0.0 {
        tokio::task::yield_now().await;
    }
    let (said, kept) = (program.end().await, everything_kept(&app).await);
    assert_eq!((planted.in_text(&said), planted.in_text(&kept)), (vec!["planted"], vec!["planted"]));
    assert_eq!(planted.in_text(&planted.1[0]), ["planted"], "what was typed, no secret, is in the form again");
    assert!(canaries.1.len() > 25, "{}", canaries.1.len());
    for refusal in &canaries.1 {
        assert_eq!(canaries.in_text(refusal), Vec::<&str>::new(), "{refusal}");
    }
    assert_eq!(canaries.in_text(&said), Vec::<&str>::new(), "{}", lines_with(&canaries, &said));
    assert_eq!(canaries.in_text(&kept), Vec::<&str>::new(), "{}", lines_with(&canaries, &kept));
    assert!(said.contains("\"level\":\"TRACE\""));
    assert_each_line_has_its_request(&said);
    assert_nothing_is_traced_of(&canaries, &planted, &collector);
}

/// The collector got the key that it was to get, the names of routes, and nothing of what was typed or made.
fn assert_nothing_is_traced_of(canaries: &Canaries, planted: &Canaries, collector: &Collector) {
    let taken = collector.taken();
    let traced: String = taken.iter().map(|(_, body)| String::from_utf8_lossy(body)).collect();
    assert!(
        taken
            .iter()
            .all(|(headers, _)| canaries.in_text(headers["api-key"].to_str().unwrap()) == ["key of the collector"])
    );
    assert!(traced.matches("POST /api/login").count() > 5 && traced.contains("GET /reset/"), "{}", traced.len());
    assert_eq!((canaries.in_text(&traced), planted.in_text(&traced)), (vec![], vec![]));
}

/// The lines of `text` that have a canary, for whoever looks for the reason.
fn lines_with(canaries: &Canaries, text: &str) -> String {
    text.lines().filter(|line| !canaries.in_text(line).is_empty()).collect::<Vec<_>>().join("\n")
}

/// Every line is an object; those that were written while a request was answered name it.
fn assert_each_line_has_its_request(log: &str) {
    let lines: Vec<Value> =
        log.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect();
    let ids: Vec<&str> = lines.iter().filter_map(|line| line["request_id"].as_str()).collect();
    assert!(ids.len() > 50 && ids.iter().all(|id| id.starts_with("req_")), "{ids:?}");
    let making: Vec<_> = lines
        .iter()
        .filter(|line| line["summary"].as_str().is_some_and(|sql| sql.starts_with("insert into orgtrail.teams")))
        .collect();
    assert!(
        making.len() == 1 && making[0]["span"]["request_id"].is_string(),
        "a task of its own says for whom: {making:?}"
    );
    let within: Vec<&Value> = lines.iter().filter(|line| line["span"]["name"] == "request").collect();
    assert!(within.len() > 50, "{}", within.len());
    for line in within {
        assert!(line["span"]["request_id"].as_str().is_some_and(|id| ids.contains(&id)), "{line}");
    }
}
