//! A platform as the server has it, over the database of one test, and the people and organizations to fill it with.

use chrono::{DateTime, Days, Utc};
use futures::FutureExt;
use futures::future::BoxFuture;
use orgtrail::audit::append::{Draft, Recorded};
use orgtrail::audit::change::Batch;
use orgtrail::audit::cursor::CursorKey;
use orgtrail::audit::event::{Actor, Kind};
use orgtrail::audit::redact::RedactionKey;
use orgtrail::graph::registry;
use orgtrail::identity::access::{self, Access, Operation};
use orgtrail::identity::access_token::{self, Scope, Wanted};
use orgtrail::identity::password::{HashingPool, Verdict, Work};
use orgtrail::identity::role::Role;
use orgtrail::identity::sign_in::create_user;
use orgtrail::identity::throttle::ThrottleKey;
use orgtrail::identity::viewer::{self, Origin, User, Viewer};
use orgtrail::mail::{Mail, Mailer};
use orgtrail::model::{records, registry as models};
use orgtrail::organization::teams::TeamRole;
use orgtrail::organization::{members, settings, teams};
use orgtrail::platform::work::Workers;
use orgtrail::platform::{Clock, Keys, Platform, SignUp};
use orgtrail::storage::{self, Database};
use sqlx::postgres::{PgConnection, PgQueryResult};
use sqlx::{AssertSqlSafe, Executor, PgPool, Postgres};
use std::sync::{Arc, Mutex};
use uuid::Uuid;

/// Password of those who have one.
pub const PASSWORD: &str = "a horse of correct batteries";

/// The platform of one test.
pub struct Fixture {
    /// What the use cases are given: everything in it connects as `orgtrail_app`.
    pub platform: Platform,
    /// The same database as a superuser.
    pub superuser: PgPool,
    /// What was mailed.
    pub mailbox: Mailbox,
}

/// An organization and the user who made it.
pub struct Tenant {
    pub id: Uuid,
    pub slug: String,
    pub owner: Viewer,
}

/// An event as it is stored, read past every policy.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct Stored {
    pub index: i64,
    pub id: Uuid,
    pub kind: String,
    pub action: String,
    pub outcome: String,
    pub occurred_at: DateTime<Utc>,
    pub recorded_at: DateTime<Utc>,
    pub actor_user_id: Option<String>,
    pub previous: Option<String>,
    pub next: Option<String>,
    pub login_email: Option<String>,
    pub csv_safe_length: i32,
    pub csv_raw_length: i32,
}

/// Hashes where it is asked to: tests have no threads to spare.
struct Inline;

impl HashingPool for Inline {
    fn run(&self, work: Work) -> BoxFuture<'static, orgtrail::Result<Verdict>> {
        async move { work.run() }.boxed()
    }
}

/// Computes on the test's threads for blocking work; what panics is an error, as the server's pool has it.
struct Threads;

impl Workers for Threads {
    fn run(&self, work: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, orgtrail::Result<()>> {
        async move { tokio::task::spawn_blocking(work).await.map_err(orgtrail::Error::internal) }.boxed()
    }
}

/// Keeps what is posted.
#[derive(Clone, Default)]
pub struct Mailbox(Arc<Mutex<Vec<Mail>>>);

impl Mailer for Mailbox {
    fn post(&self, mail: Mail) {
        self.0.lock().unwrap().push(mail);
    }
}

impl Mailbox {
    /// Takes everything out.
    pub fn empty(&self) -> Vec<Mail> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    /// The secret in the link of the only mail to `address`; takes everything out.
    pub fn secret_for(&self, address: &str) -> String {
        let mails: Vec<Mail> = self.empty().into_iter().filter(|mail| mail.to.as_str() == address).collect();
        assert_eq!(mails.len(), 1, "mails to {address}");
        secret_in(&mails[0].text)
    }
}

/// The last segment of the only link in a text whose last segment is a secret.
pub fn secret_in(text: &str) -> String {
    let links = text.split_whitespace().filter(|word| word.starts_with("https://audit.example/"));
    let secrets: Vec<&str> = links.filter_map(|link| link.rsplit('/').next()).filter(|last| last.len() == 43).collect();
    assert_eq!(secrets.len(), 1, "{text}");
    secrets[0].to_owned()
}

impl Fixture {
    /// With the machine's clock.
    pub async fn new(superuser: PgPool) -> Self {
        Self::with_clock(superuser, Clock::Real).await
    }

    /// With a clock that stands at `now`.
    pub async fn at(superuser: PgPool, now: DateTime<Utc>) -> Self {
        Self::with_clock(superuser, Clock::simulated(now)).await
    }

    async fn with_clock(superuser: PgPool, clock: Clock) -> Self {
        let database = Database::new(&superuser.connect_options().as_ref().clone().username("orgtrail_app"));
        let keys = Keys {
            cursor: CursorKey::derive(b"a key"),
            throttle: ThrottleKey::derive(b"a key").unwrap(),
            redaction: RedactionKey::derive(b"a key").unwrap(),
        };
        let mailbox = Mailbox::default();
        let platform = Platform {
            database,
            clock,
            keys: Arc::new(keys),
            hashing: Arc::new(Inline),
            workers: Arc::new(Threads),
            gathering: Arc::default(),
            looks: Arc::default(),
            exports: Arc::default(),
            sign_up: SignUp::Open,
            mail: Arc::new(mailbox.clone()),
            public_url: "https://audit.example".into(),
        };
        let today = platform.clock.now().date_naive();
        storage::make_partitions(&platform.database, today - Days::new(95), today + Days::new(40)).await.unwrap();
        Self { platform, superuser, mailbox }
    }

    /// The pool of the server's role for changes.
    pub fn app(&self) -> &PgPool {
        &self.platform.database.writes
    }

    /// A transaction of the server's role, bound to an organization.
    pub async fn bound(&self, organization: Uuid) -> storage::Transaction {
        storage::begin(self.app(), organization).await.unwrap()
    }

    /// An account `{name}@people.example` without a password.
    pub async fn user(&self, name: &str) -> User {
        create_user(&self.platform, &Viewer::operator(), name, &format!("{name}@people.example"), None).await.unwrap()
    }

    /// An account with [`PASSWORD`].
    pub async fn user_with_password(&self, name: &str) -> User {
        create_user(&self.platform, &Viewer::operator(), name, &format!("{name}@people.example"), Some(PASSWORD))
            .await
            .unwrap()
    }

    /// An organization and its owner.
    pub async fn organization(&self, slug: &str) -> Tenant {
        let owner = seen(&self.user(&format!("owner-of-{slug}")).await);
        let made = settings::create(&self.platform, &owner, &format!("The {slug}"), slug).await.unwrap();
        Tenant { id: made.id.parse().unwrap(), slug: slug.to_owned(), owner }
    }

    /// A new account as a member.
    pub async fn member(&self, tenant: &Tenant, name: &str, role: Role) -> Viewer {
        let user = self.user(name).await;
        members::add(&self.platform, &Viewer::operator(), &tenant.slug, &user.email, role).await.unwrap();
        seen(&user)
    }

    /// A new access token, made by `creator`, as viewer.
    pub async fn token(&self, tenant: &Tenant, creator: &Viewer, scopes: &[Scope]) -> Viewer {
        let token = access_token::create(&self.platform, creator, &tenant.slug, None, Wanted::new("robot", scopes))
            .await
            .unwrap();
        viewer::from_token(&self.platform, origin(), token.secret.expose()).await.unwrap()
    }

    /// A new graph, whose name is its slug.
    pub async fn graph(&self, tenant: &Tenant, slug: &str) {
        let wanted = registry::Wanted { slug, name: slug, description: "" };
        registry::create(&self.platform, &tenant.owner, &tenant.slug, wanted).await.unwrap();
    }

    /// A new model with these records.
    pub async fn model(&self, tenant: &Tenant, name: &str, lines: &str) {
        let wanted = models::Wanted { name, description: "", demo: false };
        models::create(&self.platform, &tenant.owner, &tenant.slug, wanted).await.unwrap();
        let sent = records::Submission { key: None, body: lines.to_owned().into() };
        records::add(&self.platform, &tenant.owner, &tenant.slug, name, sent).await.unwrap();
    }

    /// A new team with these people in it; answers its id.
    pub async fn team(&self, tenant: &Tenant, name: &str, people: &[(&Viewer, TeamRole)]) -> String {
        let id = teams::create(&self.platform, &tenant.owner, &tenant.slug, name).await.unwrap().to_string();
        for (viewer, role) in people {
            let email = &viewer.require_user().unwrap().email;
            teams::add_member(&self.platform, &tenant.owner, &tenant.slug, &id, email, role.as_str()).await.unwrap();
        }
        id
    }

    /// The owner's access.
    pub async fn access(&self, tenant: &Tenant) -> Access {
        access::authorize(&self.platform, &tenant.owner, &tenant.slug, Operation::ReadOrganization).await.unwrap()
    }

    /// Records events of another product, few at once: a build without optimization takes its time over them.
    pub async fn record(&self, tenant: &Tenant, drafts: &[Draft]) -> Vec<Recorded> {
        let access = self.access(tenant).await;
        let mut recorded = Vec::new();
        for drafts in drafts.chunks(250) {
            recorded.extend(Batch::record(&self.platform, &access, drafts).await.unwrap());
        }
        recorded
    }

    /// The whole trail of an organization, by index.
    pub async fn trail(&self, organization: Uuid) -> Vec<Stored> {
        sqlx::query_as(
            "select index, id, kind, action, outcome, occurred_at, recorded_at, actor_user_id, previous::text as previous, next::text as next,
                login_email, csv_safe_length, csv_raw_length
            from orgtrail.events where organization_id = $1 order by index",
        )
        .bind(organization)
        .fetch_all(&self.superuser)
        .await
        .unwrap()
    }
}

/// Where requests of tests come from.
pub fn origin() -> Origin {
    Origin {
        ip: Some("192.0.2.7".to_owned()),
        user_agent: Some("test".to_owned()),
        request_id: Some("a-request".to_owned()),
        mutation: None,
    }
}

/// A signed-in user.
pub fn seen(user: &User) -> Viewer {
    Viewer::user(user.clone(), origin())
}

/// The id of a signed-in user.
pub fn id_of(viewer: &Viewer) -> String {
    viewer.require_user().unwrap().id.to_string()
}

/// An event of another product by a user of it.
pub fn claimed(action: &str, at: DateTime<Utc>) -> Draft {
    let mut draft = Draft::named(Kind::Change, action, action.split('.').next().unwrap_or_default());
    draft.actor = Actor::user("u-1", "Ada Lovelace", "ada@other.example");
    draft.claimed_at = Some(at);
    draft
}

/// Runs a statement made from names of this test.
pub async fn run(sql: impl Into<String>, on: impl Executor<'_, Database = Postgres>) -> sqlx::Result<PgQueryResult> {
    sqlx::query(AssertSqlSafe(sql.into())).execute(on).await
}

/// The SQLSTATE with which a statement is refused; `done` if it is not.
pub async fn refusal(sql: impl Into<String>, on: impl Executor<'_, Database = Postgres>) -> String {
    code(run(sql, on).await.map(drop))
}

/// The SQLSTATE of a refusal; `done` of a success.
pub fn code(done: sqlx::Result<()>) -> String {
    match done {
        Ok(()) => "done".to_owned(),
        Err(sqlx::Error::Database(error)) => error.code().unwrap_or_default().into_owned(),
        Err(other) => panic!("{other}"),
    }
}

/// SQLSTATE of everything that roles, policies and the trail's guards refuse.
pub const INSUFFICIENT_PRIVILEGE: &str = "42501";

/// SQLSTATE of the rules that look at commit.
pub const INTEGRITY: &str = "23000";

/// One text per row.
pub async fn lines(sql: &'static str, on: &PgPool) -> String {
    sqlx::query_scalar::<_, String>(sql).fetch_all(on).await.unwrap().join("\n")
}

/// One number.
pub async fn number(sql: impl Into<String>, on: &mut PgConnection) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(sql.into())).fetch_one(on).await.unwrap()
}
