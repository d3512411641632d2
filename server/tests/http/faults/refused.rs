//! The trail refuses what would be recorded: then it does not happen, whoever asks at whichever door (R-40).

use orgtrail::identity::access_token::{self, Scope, Wanted, graphs as tokens};
use orgtrail::identity::attempt;
use orgtrail::identity::role::Role;
use orgtrail::identity::viewer::Viewer;
use orgtrail_server::audit::mutations::{QUESTIONS, SIGN_INS};
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use sqlx::AssertSqlSafe;

use crate::graphql::mutations::{Mutations, told};
use crate::routes::{Cast, ENDPOINTS, Who, expected};
use crate::support::{ACME, Answer, Client, PASSWORD, TestApplication};

const OWNER: Who = Who::Member(Role::Owner);

/// Signing out works whatever happens: the session goes, recorded or not. And who asks for a link by mail has not done anything yet.
const NOT_RECORDED: [&str; 2] = ["/api/logout", "/api/request_password_reset"];

/// After these everybody here would need another password.
const NOT_REPEATED: [&str; 1] = ["/api/change_password"];

/// Tables in which the server notes what it does by itself, and that somebody tried (R-40 wants that, recorded or not).
const NOTES: [&str; 2] = ["upkeep_jobs", "sign_in_throttles"];

/// A trail that can refuse to take anything more, as it would with a full disk.
struct Trail<'a>(&'a TestApplication);

impl<'a> Trail<'a> {
    async fn of(app: &'a TestApplication) -> Self {
        let refuse = "create table public.refusing ();
            create function public.refuse() returns trigger language plpgsql security definer as $$ begin
                if exists (select from public.refusing) then raise exception 'no room' using errcode = 'disk_full'; end if;
                return new;
            end $$;
            create trigger aaa_refuse before insert on orgtrail.events for each row execute function public.refuse();
            create trigger aaa_refuse before insert on orgtrail.sign_in_attempts for each row execute function public.refuse()";
        sqlx::raw_sql(refuse).execute(&app.superuser).await.unwrap();
        Self(app)
    }

    async fn refuses(&self, refuses: bool) {
        let sql = if refuses { "insert into public.refusing default values" } else { "truncate public.refusing" };
        sqlx::raw_sql(sql).execute(&self.0.superuser).await.unwrap();
    }

    /// All rows of all tables but [`NOTES`], by table; when nothing waits to be copied.
    async fn everything(&self) -> Vec<String> {
        while attempt::longest_wait(&self.0.platform).await.unwrap() > 0.0 {
            tokio::task::yield_now().await;
        }
        let tables: Vec<String> = sqlx::query_scalar(
            "select relname::text from pg_class where relnamespace = 'orgtrail'::regnamespace and relkind in ('r', 'p')
                and not relispartition order by 1",
        )
        .fetch_all(&self.0.superuser)
        .await
        .unwrap();
        let mut all = Vec::new();
        for table in tables.iter().filter(|table| !NOTES.contains(&table.as_str())) {
            let rows =
                format!("select coalesce(string_agg(t::text, ' ' order by t::text), '') from orgtrail.{table} t");
            let rows: String = sqlx::query_scalar(AssertSqlSafe(rows)).fetch_one(&self.0.superuser).await.unwrap();
            all.push(format!("{table}: {rows}"));
        }
        all
    }

    /// Lets `ask` ask while nothing can be recorded, and looks that nothing else is done either.
    async fn answer_of_refused(&self, what: &str, ask: impl AsyncFnOnce() -> Answer) -> Answer {
        let before = self.everything().await;
        self.refuses(true).await;
        let answer = ask().await;
        self.refuses(false).await;
        for (after, before) in self.everything().await.iter().zip(&before) {
            assert_eq!(after, before, "{what}: {}", answer.body);
        }
        answer
    }
}

#[track_caller]
fn assert_later(what: &str, answer: &Answer) {
    assert_eq!((answer.status, answer.header("retry-after")), (503, "2"), "{what}: {}", answer.body);
    assert!(!answer.body.contains("no room"), "{what}: {}", answer.body);
}

#[tokio::test]
async fn no_form_changes_anything_that_cannot_be_recorded() {
    let cast = Cast::new().await;
    let trail = Trail::of(&cast.app).await;
    let forms = ENDPOINTS.iter().filter(|(method, path, _)| *method == "POST" && !QUESTIONS.contains(path));
    let mut asked = 0;
    for (number, (_, path, rule)) in forms.enumerate().filter(|(_, (_, path, _))| !NOT_RECORDED.contains(path)) {
        let client = cast.client(OWNER).await;
        let arguments = cast.arguments(OWNER, &client, path, number).await;
        let fields: Vec<(&str, &str)> = arguments.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = trail.answer_of_refused(path, async || client.call(path, &fields).await).await;
        assert_later(path, &answer);
        asked += 1;
        if NOT_REPEATED.contains(path) {
            continue;
        }
        // Control: it was only that. What is asked for once more is done.
        let done = client.call(path, &fields).await.status;
        let done = if done == 202 { 200 } else { done };
        assert_eq!(done, expected(*rule, OWNER), "{path}");
    }
    assert!(asked > 45 && SIGN_INS.len() == 5, "{asked}");
}

#[tokio::test]
async fn no_mutation_of_graphql_does_either() {
    let cast = Cast::new().await;
    let trail = Trail::of(&cast.app).await;
    let mutations = Mutations::read(&cast.client(OWNER).await).await;
    let mut asked = 0;
    for (number, (field, path)) in Mutations::forms().into_iter().enumerate() {
        let client = cast.client(OWNER).await;
        let arguments = cast.arguments(OWNER, &client, &path, number).await;
        let request = mutations.request(&field, arguments);
        let ask = async || Answer::read(client.bare(Method::POST, "/graphql").json(&request)).await;
        let answer = trail.answer_of_refused(&field, ask).await;
        assert_eq!(told(&answer), "UNAVAILABLE", "{field}: {}", answer.body);
        asked += 1;
        if asked % 5 == 0 {
            let again = Answer::read(client.bare(Method::POST, "/graphql").json(&request)).await;
            assert_eq!(told(&again), "", "{field}: {}", again.body);
        }
    }
    assert!(asked > 40, "{asked}");
}

/// What programs can change, with a body that is taken.
const OF_PROGRAMS: [(&str, &str, &str); 3] = [
    ("/api/v1/events", "application/json", r#"{"action":"door.opened","actor":{"user":{"id":"u-1"}}}"#),
    ("/api/v1/models/fraud/records", "application/x-ndjson", "{\"a\":1}\n{\"a\":2}\n"),
    ("/api/v1/graphs/inventory/branches/main/subgraphs/stock", "application/graphql", "type Query { stock: Int }"),
];

#[tokio::test]
async fn no_program_does_either_and_nothing_is_taken_out() {
    let cast = Cast::new().await;
    let app = &cast.app;
    let (platform, operator) = (&app.platform, &Viewer::operator());
    let made = access_token::create(platform, operator, ACME, None, Wanted::new("all", &Scope::ALL)).await.unwrap();
    tokens::grant(platform, operator, ACME, made.id.into(), "inventory", "publish").await.unwrap();
    let program = Client::program(&app.url, Some(made.secret.expose()));
    program.get("/api/v1/events").await; // from now on it is known when the token was used
    let trail = Trail::of(app).await;
    for (path, media_type, body) in OF_PROGRAMS {
        let ask =
            async || Answer::read(program.bare(Method::POST, path).header(CONTENT_TYPE, media_type).body(body)).await;
        let answer = trail.answer_of_refused(path, ask).await;
        assert_later(path, &answer);
        assert_eq!(ask().await.status, 201, "{path}");
    }
    let today = app.platform.clock.now().date_naive();
    for path in ["/api/export_audit_logs?organization=acme&", "/api/v1/models/fraud/export?"] {
        let path = format!("{path}start={today}&end={today}");
        let answer = trail.answer_of_refused(&path, async || program.get(&path).await).await;
        assert_later(&path, &answer);
        let done = program.get(&path).await;
        assert_eq!(done.status, 200, "{path}");
        until_recorded(app, done.header("audit-export-id")).await;
    }
}

/// Waits until the end of an export is recorded, which is after its last byte.
async fn until_recorded(app: &TestApplication, id: &str) {
    let ended = "select exists (select from orgtrail.events
        where next ->> 'export_id' = $1 and action in ('audit_log.export.downloaded', 'model.exported'))";
    while !sqlx::query_scalar::<_, bool>(ended).bind(id).fetch_one(&app.superuser).await.unwrap() {
        tokio::task::yield_now().await;
    }
}

/// Whoever only looks is served, also where a look would be recorded.
#[tokio::test]
async fn who_only_looks_is_served() {
    let app = TestApplication::start().await;
    let (admin, trail) = (app.admin().await, Trail::of(&app).await);
    for page in ["/acme", "/acme/settings/members", "/acme/settings/audit-logs", "/account"] {
        let answer = trail.answer_of_refused(page, async || admin.get(page).await).await;
        assert_eq!(answer.status, 200, "{page}: {}", answer.body);
    }
}

/// Who is signed in is served though sessions cannot be written; who is not gets none, and is told so.
#[tokio::test]
async fn sessions_that_cannot_be_written_are_good_enough_for_looking() {
    let app = TestApplication::start().await;
    let owner = app.owner().await;
    let fill = "update orgtrail.sessions set last_seen_at = last_seen_at - interval '2 minutes';
        create function public.full() returns trigger language plpgsql as $$ begin raise exception 'no room' using errcode = 'disk_full'; end $$;
        create trigger full_disk before insert or update on orgtrail.sessions for each row execute function public.full()";
    sqlx::raw_sql(fill).execute(&app.superuser).await.unwrap();
    let page = owner.get("/acme").await;
    assert_eq!(page.status, 200, "{}", page.body);
    let fields = [("email", app.owner.email.as_str()), ("password", PASSWORD)];
    let entered = app.program().form("/api/login", &fields).await;
    assert_later("/api/login", &entered);
    assert_eq!(entered.session_cookie(), None);
    // What a page leaves for the next one waits in the session.
    assert_later("a form's refusal", &owner.form("/api/create_team", &[("organization", ACME), ("name", "")]).await);
    sqlx::raw_sql("drop trigger full_disk on orgtrail.sessions").execute(&app.superuser).await.unwrap();
    assert_eq!(app.program().form("/api/login", &fields).await.status, 200);
}
