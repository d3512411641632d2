//! A crash between any two steps of a change: whichever of its writes fails, nothing of it is there afterwards, neither rows nor events, and
//! the same done again succeeds (R-40, R-41).

use chrono::TimeDelta;
use futures::future::LocalBoxFuture;
use orgtrail::Result;
use orgtrail::graph::{self, branches, documents, registry, subgraphs};
use orgtrail::identity::access_token::{self, Scope, Wanted, graphs};
use orgtrail::identity::role::Role;
use orgtrail::identity::sign_in::create_user;
use orgtrail::identity::viewer::Viewer;
use orgtrail::identity::{account, email_change, recovery, sessions};
use orgtrail::model::{records, registry as models};
use orgtrail::organization::{invites, members, settings, teams};
use orgtrail::platform::{Clock, Platform};
use orgtrail::upkeep::{Job, Retention};
use sqlx::{AssertSqlSafe, PgPool};

use crate::account::begin_session;
use crate::fixture::{Fixture, PASSWORD, Tenant, id_of, origin, run, secret_in, seen};

const NEW_PASSWORD: &str = "another good password";

/// Writes of one change at most: more means that it never succeeds.
const MOST_WRITES: i64 = 100;

/// A database in which the n-th write fails, of whichever table. A sequence counts them, which no rollback sets back.
struct Failing<'a> {
    fixture: &'a Fixture,
    tables: Vec<String>,
}

impl<'a> Failing<'a> {
    async fn new(fixture: &'a Fixture) -> Self {
        let superuser = &fixture.superuser;
        for statement in [
            "create sequence writes",
            "create table failing (write bigint)",
            "grant all on writes, failing to public",
            "create function fail() returns trigger language plpgsql as $$ begin
                if nextval('public.writes') = (select write from public.failing) then raise exception 'crash'; end if; return null; end $$",
        ] {
            run(statement, superuser).await.unwrap();
        }
        let tables: Vec<String> = sqlx::query_scalar(
            "select c.oid::regclass::text from pg_class c
            where c.relnamespace = 'orgtrail'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition order by 1",
        )
        .fetch_all(superuser)
        .await
        .unwrap();
        for table in &tables {
            let statement = format!(
                "create trigger aaa_fail before insert or update or delete on {table} for each statement execute function public.fail()"
            );
            run(statement, superuser).await.unwrap();
        }
        Self { fixture, tables }
    }

    /// Lets the n-th write from now on fail; none for 0.
    async fn at(&self, write: i64) {
        for statement in [
            "truncate failing".to_owned(),
            format!("insert into failing select {write} where {write} > 0"),
            "select setval('writes', 1, false)".to_owned(),
        ] {
            run(statement, &self.fixture.superuser).await.unwrap();
        }
    }

    /// Everything that is stored.
    async fn everything(&self) -> Vec<String> {
        let mut all = Vec::new();
        for table in &self.tables {
            let rows = format!("select coalesce(string_agg(t::text, ' ' order by t::text), '') from {table} as t");
            let rows: String =
                sqlx::query_scalar(AssertSqlSafe(rows)).fetch_one(&self.fixture.superuser).await.unwrap();
            all.push(format!("{table}: {rows}"));
        }
        all
    }

    /// Does `change` with its first write failing, then its second, and so on, until it succeeds.
    async fn each<'f>(&self, name: &str, change: impl Fn() -> LocalBoxFuture<'f, Result<()>>) {
        let before = self.everything().await;
        for write in 1..=MOST_WRITES {
            self.at(write).await;
            let done = change().await;
            self.at(0).await;
            let after = self.everything().await;
            if done.is_ok() {
                assert!(write > 2, "{name} writes a row and an event at least, and each can fail");
                assert_ne!(after, before, "{name} changes something");
                return;
            }
            let status = done.unwrap_err().status();
            assert_eq!(status, 500, "{name}, write {write}");
            for (after, before) in after.iter().zip(&before) {
                assert_eq!(after, before, "{name}, write {write}");
            }
        }
        panic!("{name} fails whatever is written");
    }
}

/// The change `$change` of the platform, as [`Failing::each`] wants it: its answer does not matter.
macro_rules! crash {
    ($failing:ident, $($change:tt)+) => {
        $failing
            .each(stringify!($($change)+).split('(').next().unwrap().trim(), || Box::pin(async { $($change)+.await.map(drop) }))
            .await
    };
}

struct Cast {
    acme: Tenant,
    ada: Viewer,
    grace: Viewer,
    team: String,
}

async fn cast(fixture: &Fixture) -> Cast {
    let acme = fixture.organization("acme").await;
    let [ada, grace] = ["ada", "grace"];
    let mut people = Vec::new();
    for name in [ada, grace] {
        let user = fixture.user_with_password(name).await;
        members::add(&fixture.platform, &Viewer::operator(), "acme", &user.email, Role::Member).await.unwrap();
        people.push(seen(&user));
    }
    let team = fixture.team(&acme, "Security", &[]).await;
    fixture.graph(&acme, "inventory").await;
    let [ada, grace] = people.try_into().unwrap();
    Cast { acme, ada, grace, team }
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn of_an_organization_its_members_and_teams(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let Cast { acme, ada, grace, team } = cast(&fixture).await;
    let (platform, owner, operator) = (&fixture.platform, &acme.owner, &Viewer::operator());
    create_user(platform, operator, "Linus", "linus@people.example", Some(PASSWORD)).await.unwrap();
    let (ada_id, grace_id) = (&id_of(&ada), &id_of(&grace));
    let failing = Failing::new(&fixture).await;
    crash!(failing, settings::create(platform, owner, "Second", "second"));
    crash!(failing, settings::update(platform, owner, "acme", "Acme Robotics", "acme-robotics", None));
    let new = ("New", "new@people.example", PASSWORD);
    crash!(failing, members::add(platform, operator, "acme", "linus@people.example", Role::Member));
    crash!(failing, members::add_new(platform, operator, "acme", new, Role::Member));
    crash!(failing, members::change_role(platform, owner, "acme", ada_id, "admin", None));
    crash!(failing, teams::create(platform, owner, "acme", "Payments"));
    crash!(failing, teams::rename(platform, owner, "acme", &team, "Safety", None));
    crash!(failing, teams::add_member(platform, owner, "acme", &team, "grace@people.example", "member"));
    crash!(failing, teams::change_member_role(platform, owner, "acme", &team, grace_id, "maintainer", None));
    crash!(failing, teams::remove_member(platform, owner, "acme", &team, grace_id));
    teams::add_member(platform, owner, "acme", &team, "grace@people.example", "member").await.unwrap();
    crash!(failing, members::remove(platform, owner, "acme", grace_id));
    teams::add_member(platform, owner, "acme", &team, "ada@people.example", "member").await.unwrap();
    graph::teams::grant(platform, owner, "acme", "inventory", &team, "read", None).await.unwrap();
    crash!(failing, teams::delete(platform, owner, "acme", &team));
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn of_invites_and_of_joining(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let Cast { acme, team, .. } = cast(&fixture).await;
    let (platform, owner, nobody) = (&fixture.platform, &acme.owner, &Viewer::anonymous(origin()));
    let linus = seen(&fixture.user_with_password("linus").await);
    let invite = async |name: &str| {
        let email = format!("{name}@people.example");
        let sent = invites::create(platform, owner, "acme", &email, "member", std::slice::from_ref(&team)).await;
        sent.unwrap()
    };
    let [revoked, changed, joins, signs_up] =
        [invite("one").await, invite("two").await, invite("linus").await, invite("three").await];
    let (joins, signs_up) = (secret_in(&joins.link), secret_in(&signs_up.link));
    let failing = Failing::new(&fixture).await;
    crash!(failing, invites::create(platform, owner, "acme", "four@people.example", "admin", &[]));
    crash!(failing, invites::revoke(platform, owner, "acme", &revoked.id));
    crash!(failing, invites::update(platform, owner, "acme", &changed.id, "admin", &[], 1));
    crash!(failing, invites::accept(platform, &linus, &joins));
    crash!(failing, invites::sign_up(platform, nobody, &signs_up, "Three", PASSWORD));
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn of_access_tokens(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let Cast { acme, ada, .. } = cast(&fixture).await;
    let (platform, owner, scopes) = (&fixture.platform, &acme.owner, &[Scope::AuditRead]);
    members::change_role(platform, owner, "acme", &id_of(&ada), "admin", None).await.unwrap();
    let made = async |by: &Viewer| {
        access_token::create(platform, by, "acme", None, Wanted::new("robot", scopes)).await.unwrap().id
    };
    let (token, orphan) = (made(owner).await, made(&ada).await);
    members::remove(platform, owner, "acme", &id_of(&ada)).await.unwrap();
    let failing = Failing::new(&fixture).await;
    crash!(failing, access_token::create(platform, owner, "acme", None, Wanted::new("SIEM", scopes)));
    crash!(failing, access_token::update(platform, owner, "acme", token.into(), Wanted::new("Robot", scopes)));
    crash!(failing, access_token::rotate(platform, owner, "acme", token));
    crash!(failing, graphs::grant(platform, owner, "acme", token.into(), "inventory", "read"));
    crash!(failing, graphs::withdraw(platform, owner, "acme", token.into(), "inventory"));
    crash!(failing, access_token::adopt(platform, owner, "acme", orphan.into()));
    crash!(failing, access_token::revoke(platform, owner, "acme", token));
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn of_graphs_and_their_branches(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let Cast { acme, team, .. } = cast(&fixture).await;
    let (platform, owner) = (&fixture.platform, &acme.owner);
    let token = access_token::create(platform, owner, "acme", None, Wanted::new("robot", &[Scope::GraphsWrite]))
        .await
        .unwrap()
        .id;
    let wanted = |slug, name| registry::Wanted { slug, name, description: "What there is" };
    let renamed = |protected| branches::Wanted { name: "later", protected };
    let failing = Failing::new(&fixture).await;
    crash!(failing, registry::create(platform, owner, "acme", wanted("billing", "Billing")));
    crash!(failing, registry::update(platform, owner, "acme", "billing", wanted("money", "Money"), None));
    crash!(failing, graph::teams::grant(platform, owner, "acme", "money", &team, "publish", None));
    crash!(failing, graph::teams::grant(platform, owner, "acme", "money", &team, "admin", None));
    crash!(failing, graph::teams::withdraw(platform, owner, "acme", "money", &team, None));
    publish_stock(&fixture, owner, "money", "type Query { stock: Int }").await.unwrap();
    crash!(failing, branches::create(platform, owner, "acme", "money", "next", "main"));
    crash!(failing, branches::update(platform, owner, "acme", "money", "next", renamed(false), None));
    crash!(failing, branches::delete(platform, owner, "acme", "money", "later"));
    graph::teams::grant(platform, owner, "acme", "money", &team, "admin", None).await.unwrap();
    graphs::grant(platform, owner, "acme", token.into(), "money", "read").await.unwrap();
    crash!(failing, registry::delete(platform, owner, "acme", "money"));
}

async fn publish_stock(fixture: &Fixture, viewer: &Viewer, graph: &str, schema: &str) -> Result<()> {
    let target = subgraphs::Target { graph, branch: "main", name: "stock" };
    let publication = subgraphs::Publication { schema: schema.as_bytes(), url: Some("https://stock.example/") };
    subgraphs::publish(&fixture.platform, viewer, "acme", target, publication).await.map(drop)
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn of_what_is_published(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let Cast { acme, team, .. } = cast(&fixture).await;
    let (platform, owner) = (&fixture.platform, &acme.owner);
    let target = subgraphs::Target { graph: "inventory", branch: "main", name: "stock" };
    let settings = subgraphs::Settings { url: "https://elsewhere.example/", owner_team: &team };
    let client = documents::Client { graph: "inventory", branch: "main", name: "shop" };
    let failing = Failing::new(&fixture).await;
    crash!(failing, publish_stock(&fixture, owner, "inventory", "type Query { stock: Int }"));
    crash!(failing, publish_stock(&fixture, owner, "inventory", "type Query { stock: Int! }"));
    crash!(failing, subgraphs::update(platform, owner, "acme", target, settings, None));
    crash!(failing, documents::submit(platform, owner, "acme", client, br#"{"1": "query Stock { stock }"}"#));
    graph::teams::grant(platform, owner, "acme", "inventory", &team, "read", None).await.unwrap();
    crash!(failing, teams::delete(platform, owner, "acme", &team));
    crash!(failing, subgraphs::delete(platform, owner, "acme", target));
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn of_models(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let acme = fixture.organization("acme").await;
    let (platform, owner) = (&fixture.platform, &acme.owner);
    let program = &fixture.token(&acme, owner, &[Scope::ModelsWrite]).await;
    let wanted = models::Wanted { name: "fraud", description: "What was paid", demo: false };
    let sent = |key| records::Submission { key, body: "{\"a\":1}\n{\"a\":2}".into() };
    let failing = Failing::new(&fixture).await;
    crash!(failing, models::create(platform, owner, "acme", wanted));
    crash!(failing, records::add(platform, owner, "acme", "fraud", sent(None)));
    crash!(failing, records::add(platform, program, "acme", "fraud", sent(Some("k"))));
    crash!(failing, models::delete(platform, owner, "acme", "fraud"));
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn of_accounts_and_sessions(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let Cast { acme, mut ada, grace, .. } = cast(&fixture).await;
    let platform: &Platform = &fixture.platform;
    let nobody = &Viewer::anonymous(origin());
    ada.session = Some(begin_session(&fixture, &ada, 1).await);
    begin_session(&fixture, &ada, 2).await;
    begin_session(&fixture, &grace, 3).await;
    begin_session(&fixture, &grace, 4).await;
    let other = sessions::list(platform, &grace).await.unwrap().pop().unwrap().id;
    email_change::request(platform, &grace, "hopper@people.example", PASSWORD).await.unwrap();
    let confirm = fixture.mailbox.secret_for("hopper@people.example");
    recovery::request(platform, nobody, "ada@people.example").await.unwrap();
    let reset = fixture.mailbox.secret_for("ada@people.example");
    let failing = Failing::new(&fixture).await;
    crash!(failing, account::rename(platform, &ada, "Ada Lovelace", None));
    crash!(failing, sessions::end(platform, &grace, &other));
    crash!(failing, sessions::end_of_member(platform, &acme.owner, "acme", &id_of(&grace)));
    crash!(failing, email_change::confirm(platform, &grace, &confirm));
    crash!(failing, sessions::end_others(platform, &ada));
    crash!(failing, recovery::reset(platform, nobody, &reset, NEW_PASSWORD));
    crash!(failing, account::change_password(platform, &ada, NEW_PASSWORD, PASSWORD));
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn of_upkeep(superuser: PgPool) {
    let long_ago = Clock::Real.now() - TimeDelta::days(150);
    let fixture = Fixture::at(superuser, long_ago).await;
    let acme = fixture.organization("acme").await;
    fixture.model(&acme, "fraud", &format!(r#"{{"time":"{}"}}"#, long_ago.to_rfc3339())).await;
    fixture.platform.clock.set(Clock::Real.now());
    let platform = &fixture.platform;
    let failing = Failing::new(&fixture).await;
    crash!(failing, Job::Organizations.run(platform, Retention::default()));
    crash!(failing, Job::Retention.run(platform, Retention::default()));
}
