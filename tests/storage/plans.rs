//! The plans of the trail's questions, as the server's role gets them at fifty thousand events: the right index, and no more rows read than
//! shown. The statements are those that the use cases really send: the database itself tells their plans.

use chrono::{DateTime, TimeDelta, Utc};
use orgtrail::audit::append::Draft;
use orgtrail::audit::event::{Actor, Kind};
use orgtrail::audit::export;
use orgtrail::audit::page;
use orgtrail::model::{self, records};
use orgtrail::storage::Database;
use sqlx::PgPool;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tracing::field::{Field, Visit};
use tracing::subscriber::DefaultGuard;
use tracing::{Dispatch, Event, Metadata, Subscriber, span};

use crate::filters::asked;
use crate::fixture::{Fixture, Tenant, run};

const EVENTS: usize = 50_000;

/// Rows that a step of one page may handle: a page from each of the four months, and what a filter leaves out on the way.
const A_PAGE: u64 = 400;

/// What Postgres says, collected while it is kept.
#[derive(Clone, Default)]
struct Notices(Arc<Mutex<Vec<String>>>);

impl Notices {
    /// Listens on this thread. With a single subscriber, tracing would ask whichever thread is the first to meet a notice whether anybody listens
    /// to its like, and keep the answer for all threads; with two it asks them.
    fn listen(&self) -> (DefaultGuard, Dispatch) {
        let second = Dispatch::new(self.clone());
        let listening = tracing::subscriber::set_default(self.clone());
        tracing::callsite::rebuild_interest_cache();
        (listening, second)
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Subscriber for Notices {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "sqlx::postgres::notice"
    }

    fn event(&self, event: &Event<'_>) {
        event.record(&mut Collector(self));
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

struct Collector<'a>(&'a Notices);

impl Visit for Collector<'_> {
    fn record_debug(&mut self, _: &Field, value: &dyn std::fmt::Debug) {
        self.0.0.lock().unwrap().push(format!("{value:?}").replace("\\n", "\n"));
    }

    fn record_str(&mut self, _: &Field, value: &str) {
        self.0.0.lock().unwrap().push(value.to_owned());
    }
}

/// A large trail, and a database that tells the plan of each statement of the server's role.
struct Explained {
    fixture: Fixture,
    tenant: Tenant,
    notices: Notices,
    _listening: (DefaultGuard, Dispatch),
    /// Partitions' indexes, each with the name of the parent's.
    indexes: BTreeMap<String, String>,
}

impl Explained {
    async fn new(superuser: PgPool) -> Self {
        let mut fixture = Fixture::at(superuser, at(0)).await;
        let tenant = fixture.organization("acme").await;
        fill(&fixture, &tenant).await;
        run("vacuum analyze orgtrail.events", &fixture.superuser).await.unwrap();
        explain(&mut fixture).await;
        let indexes = indexes(&fixture.superuser).await;
        let notices = Notices::default();
        let listening = notices.listen();
        Self { fixture, tenant, notices, _listening: listening, indexes }
    }

    /// The plan of the one statement of `use_case` that reads events by `part` of its text.
    async fn plan<T>(&self, part: &str, use_case: impl Future<Output = T>) -> Plan {
        self.notices.take();
        use_case.await;
        let said = self.notices.take();
        let plans: Vec<&String> =
            said.iter().filter(|plan| plan.contains("Query Text:") && plan.contains(part)).collect();
        assert_eq!(plans.len(), 1, "{} plans with {part:?} of {}", plans.len(), said.len());
        let mut text = plans[0].clone();
        for (partition, parent) in &self.indexes {
            text = text.replace(partition, parent);
        }
        Plan(text)
    }

    async fn list(&self, query: &str) -> Plan {
        self.plan("select e.id, e.index", asked(&self.fixture, &self.tenant, query)).await
    }

    async fn count(&self, query: &str) -> Plan {
        let platform = &self.fixture.platform;
        self.plan("select count(*) as events", page::count(platform, &self.tenant.owner, "acme", query)).await
    }

    async fn search(&self, query: &str) -> Plan {
        self.plan("e.kind = ($2)[1]", asked(&self.fixture, &self.tenant, query)).await
    }
}

struct Plan(String);

impl Plan {
    fn uses(&self, index: &str) -> &Self {
        assert!(
            self.0.contains(&format!("using {index} ")) || self.0.contains(&format!("Bitmap Index Scan on {index} ")),
            "not by {index}: {}",
            self.0
        );
        self
    }

    /// No step handles more rows, kept or thrown away.
    fn reads_at_most(&self, rows: u64) -> &Self {
        assert!(self.most_rows() <= rows, "{} rows: {}", self.most_rows(), self.0);
        self
    }

    fn most_rows(&self) -> u64 {
        self.numbers("(actual rows=").chain(self.thrown_away()).max().unwrap_or(u64::MAX)
    }

    fn thrown_away(&self) -> impl Iterator<Item = u64> {
        self.numbers("Rows Removed by Filter: ")
    }

    fn numbers(&self, after: &str) -> impl Iterator<Item = u64> {
        self.0.split(after).skip(1).filter_map(|rest| rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok())
    }

    /// No step of this sort has anything to do; in an empty partition it may stand.
    fn never(&self, step: &str) -> &Self {
        let idle = |line: &str| line.contains("(actual rows=0 ") || line.contains("(never executed)");
        assert!(self.0.lines().all(|line| !line.contains(step) || idle(line)), "{step}: {}", self.0);
        self
    }
}

/// Events recorded at the same time.
const AT_ONCE: usize = 250;

/// The clock after so many events: eighty days, in which three months end, for all of them.
fn at(events: usize) -> DateTime<Utc> {
    let start: DateTime<Utc> = "2025-03-27T12:00:00Z".parse().unwrap();
    start + TimeDelta::days(80) * i32::try_from(events / AT_ONCE).unwrap() / i32::try_from(EVENTS / AT_ONCE).unwrap()
}

/// Half of the events are by one user; one kind, one action, one actor, one object and one word are rare.
async fn fill(fixture: &Fixture, tenant: &Tenant) {
    for first in (0..EVENTS).step_by(AT_ONCE) {
        let drafts: Vec<Draft> = (first..first + AT_ONCE).map(draft).collect();
        fixture.record(tenant, &drafts).await;
        fixture.platform.clock.set(at(first + AT_ONCE));
    }
}

fn draft(number: usize) -> Draft {
    let action = match number {
        number if number % 10_000 == 77 => "invoice.disputed",
        number if number.is_multiple_of(3) => "member.updated",
        _ => "invoice.paid",
    };
    let kind = if number % 1_000 == 1 { Kind::Operation } else { Kind::Change };
    let mut draft = Draft::named(kind, action, "invoice");
    let (user, token) = (if number.is_multiple_of(2) { 0 } else { number % 500 }, number % 700);
    draft.actor = if number.is_multiple_of(5) {
        Actor::access_token(format!("t-{token}"), "robot")
    } else {
        Actor::user(format!("u-{user}"), "Ada", "ada@x")
    };
    draft.object_id = Some((number % 9_000).to_string());
    // A tenth is about the subgraphs of five hundred graphs.
    if number % 10 == 9 {
        draft.object_type = "subgraph".to_owned();
        draft.object_id = Some(format!("g-{}:main:{}", number / 10 % 500, number % 7));
    }
    // Only the oldest are about another sort of thing.
    if number % 50 == 11 && number < EVENTS / 10 {
        draft.object_type = "relic".to_owned();
    }
    let animal = if number % 5_000 == 3 { "platypus" } else { "horse" };
    // As long as states of objects are: rows of a realistic width, on which the choice of a plan depends.
    let note = "an ordinary note of some length ".repeat(6);
    draft.previous = Some(format!(r#"{{"common":"everywhere","number":{number},"note":"{note}"}}"#));
    draft.next = Some(format!(r#"{{"common":"everywhere","number":{number},"note":"{note}","animal":"{animal}"}}"#));
    draft
}

/// From now on every statement of the server's role in this database answers with its plan.
async fn explain(fixture: &mut Fixture) {
    let name: String =
        sqlx::query_scalar("select quote_ident(current_database())").fetch_one(&fixture.superuser).await.unwrap();
    let settings = [
        "session_preload_libraries = 'auto_explain'",
        "auto_explain.log_min_duration = 0",
        "auto_explain.log_analyze = on",
        "auto_explain.log_timing = off",
        "auto_explain.log_nested_statements = on",
        "auto_explain.log_level = notice",
    ];
    run("load 'auto_explain'", &fixture.superuser).await.unwrap();
    for setting in settings {
        run(format!("alter role orgtrail_app in database {name} set {setting}"), &fixture.superuser).await.unwrap();
    }
    fixture.platform.database.close().await;
    fixture.platform.database =
        Database::new(&fixture.superuser.connect_options().as_ref().clone().username("orgtrail_app"));
}

async fn indexes(superuser: &PgPool) -> BTreeMap<String, String> {
    let pairs: Vec<(String, String)> = sqlx::query_as(
        "select child.relname::text, parent.relname::text from pg_inherits join pg_class child on child.oid = inhrelid join pg_class parent on parent.oid = inhparent
        where parent.relkind = 'I'",
    )
    .fetch_all(superuser)
    .await
    .unwrap();
    pairs.into_iter().collect()
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn plans_at_fifty_thousand_events(superuser: PgPool) {
    let explained = Explained::new(superuser).await;
    lists(&explained).await;
    searches(&explained).await;
    actors(&explained).await;
    counts(&explained).await;
    batches(&explained).await;
    records_of_a_model(&explained).await;
}

async fn lists(explained: &Explained) {
    let by_index = [
        ("", "events_by_kind"),
        ("kind=all", "events_by_kind"),
        ("action=invoice.paid", "events_by_action"),
        ("action=invoice.disputed", "events_by_action"),
        ("action=member.*,invoice.disputed", "events_by_action"),
        ("actor=user:u-0", "events_by_user"),
        ("actor=user:u-77", "events_by_user"),
        ("actor=token:t-35", "events_by_access_token"),
        ("object=invoice", "events_by_type"),
        ("object=relic", "events_by_type"),
        ("object=subgraph&kind=all", "events_by_type"),
        ("object=invoice:77", "events_by_object"),
        ("object=graph:g-77", "events_by_object"),
        ("object=branch:g-77:main", "events_by_object"),
    ];
    for (filter, index) in by_index {
        let plan = explained.list(&format!("range=90d&{filter}")).await;
        plan.uses(index).reads_at_most(A_PAGE).never("Seq Scan");
    }
    // However often it was asked: a plan for values in general would walk all that the busiest user ever did.
    for _ in 0..12 {
        let rare = explained.list("range=90d&actor=user:u-0&action=invoice.disputed").await;
        rare.uses("events_by_action").reads_at_most(A_PAGE);
    }
    // A page deep down costs what the first one does.
    let mut page = asked(&explained.fixture, &explained.tenant, "range=90d").await;
    for _ in 0..40 {
        page = asked(&explained.fixture, &explained.tenant, &format!("range=90d&after={}", page.older.unwrap())).await;
    }
    let deep = explained.list(&format!("range=90d&after={}", page.older.unwrap())).await;
    deep.uses("events_by_kind").reads_at_most(A_PAGE);
}

async fn searches(explained: &Explained) {
    explained.search("range=90d&q=platypus").await.uses("events_by_words").reads_at_most(A_PAGE).never("Seq Scan");
    explained.search("range=90d&q=everywhere+platy").await.uses("events_by_words").reads_at_most(A_PAGE);
}

/// Each actor is found with one look into an index, however much the busiest one did.
async fn actors(explained: &Explained) {
    for (part, index) in
        [("actor_user_id desc", "events_by_user"), ("actor_access_token_id desc", "events_by_access_token")]
    {
        let offered = page::actors(&explained.fixture.platform, &explained.tenant.owner, "acme");
        explained.plan(part, offered).await.uses(index).reads_at_most(A_PAGE).never("Sort  (").never("Seq Scan");
    }
    // Months that no page can show any more are not looked into, however long they are kept.
    let clock = &explained.fixture.platform.clock;
    clock.set(at(EVENTS) + TimeDelta::days(200));
    let offered = page::actors(&explained.fixture.platform, &explained.tenant.owner, "acme").await.unwrap();
    clock.set(at(EVENTS));
    assert_eq!(offered.len(), 0);
}

async fn counts(explained: &Explained) {
    // Of whole days nothing but their sums is read.
    for filter in ["", "kind=operation", "kind=all"] {
        let query = format!("range=90d&{filter}");
        let count = page::count(&explained.fixture.platform, &explained.tenant.owner, "acme", &query);
        explained.plan("from orgtrail.trail_days", count).await.reads_at_most(A_PAGE);
    }
    for (filter, index) in [
        ("action=invoice.disputed", "events_by_action"),
        ("actor=user:u-77", "events_by_user"),
        ("object=relic", "events_by_type"),
    ] {
        let plan = explained.count(&format!("range=90d&{filter}")).await;
        plan.uses(index).never("Seq Scan").never("Bitmap Heap Scan").never("Index Scan using");
        assert!(plan.0.contains("Index Only Scan") && plan.thrown_away().sum::<u64>() <= A_PAGE, "{}", plan.0);
    }
}

/// Each batch of an export enters the index where the one before ended.
async fn batches(explained: &Explained) {
    let today = explained.fixture.platform.clock.now().date_naive();
    let query = format!("organization=acme&start={}&end={today}", today - TimeDelta::days(80));
    let mut export = export::start(&explained.fixture.platform, &explained.tenant.owner, &query).await.unwrap();
    export.next_chunk().await.unwrap();
    let mut chunk = None;
    let edge =
        explained.plan("select e.occurred_at, e.index", async { chunk = export.next_chunk().await.unwrap() }).await;
    edge.uses("events_by_kind").reads_at_most(8_192).never("Sort  (").never("Seq Scan").never("Index Scan using");
    let records = explained.plan("select e.index, ", async { chunk.unwrap().read().await.unwrap() }).await;
    records.uses("events_by_kind").reads_at_most(8_192).never("Sort  (").never("Seq Scan");
}

/// A page of a model's records, however deep, reads a page of its index; its count reads nothing but the index, and a batch begins where the
/// one before ended.
async fn records_of_a_model(explained: &Explained) {
    let (platform, owner) = (&explained.fixture.platform, &explained.tenant.owner);
    let first = platform.clock.now() - TimeDelta::days(50);
    // As wide as records are: of shorter ones all would be read sooner than their index.
    let line = |number: i32| {
        let time = (first + TimeDelta::minutes(number.into())).to_rfc3339();
        format!("{{\"time\":\"{time}\",\"note\":\"{}\"}}\n", "x".repeat(400))
    };
    explained.fixture.model(&explained.tenant, "other", "{}").await;
    explained.fixture.model(&explained.tenant, "fraud", &(0..10_000).map(line).collect::<String>()).await;
    run("vacuum analyze orgtrail.model_records", &explained.fixture.superuser).await.unwrap();
    let page = async |query: &str| records::page(platform, owner, "acme", "fraud", query).await.unwrap();
    let mut older = page("range=90d").await.older.unwrap();
    for _ in 0..40 {
        older = page(&format!("range=90d&after={older}")).await.older.unwrap();
    }
    let read = async |query: &str| explained.plan("left(content::text", page(query)).await;
    for query in ["range=90d".to_owned(), format!("range=90d&after={older}")] {
        read(&query).await.uses("model_records_by_time").reads_at_most(51).never("Sort  (").never("Seq Scan");
    }
    let today = platform.clock.now().date_naive();
    let query = format!("start={}&end={today}", today - TimeDelta::days(80));
    let mut export = None;
    let start = async { export = model::export::start(platform, owner, "acme", "fraud", &query).await.ok() };
    explained.plan("sum(ndjson_length)", start).await.uses("model_records_by_time").never("Seq Scan");
    let mut export = export.unwrap();
    export.next_chunk().await.unwrap();
    let mut chunk = None;
    let edge = explained.plan("select occurred_at, number", async { chunk = export.next_chunk().await.unwrap() }).await;
    edge.uses("model_records_by_time").reads_at_most(8_192).never("Sort  (").never("Index Scan using");
    let batch = explained.plan("select number, occurred_at, content", async { chunk.unwrap().read().await.unwrap() });
    batch.await.uses("model_records_by_time").reads_at_most(8_192).never("Sort  (").never("Seq Scan");
}
