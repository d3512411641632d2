//! The application on a port and a database of its own, and clients that are somebody.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use orgtrail::graph::registry;
use orgtrail::identity::access_token::{self, Scope, Wanted};
use orgtrail::identity::role::Role;
use orgtrail::identity::sign_in::create_user;
use orgtrail::identity::viewer::{Origin, User, Viewer};
use orgtrail::organization::{members, settings};
use orgtrail::platform::{Platform, SignUp};
use orgtrail::storage;
use orgtrail_server::application::Application;
use orgtrail_server::config::Config;
use orgtrail_server::secret_key::SecretKey;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, PgPool};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{OnceCell, oneshot};
use tokio::task::JoinHandle;

mod client;

pub use client::{Answer, Client};

/// Password of everybody that the fixture makes.
pub const PASSWORD: &str = "a horse of correct batteries";

/// Slug of the organization that every application starts with.
pub const ACME: &str = "acme";

/// A running application. It ends with the value, and its database with it.
pub struct TestApplication {
    /// `http://127.0.0.1:…`
    pub url: String,
    /// To look what it answers to.
    pub router: Router,
    /// To prepare and look at things through the use cases.
    pub platform: Platform,
    /// The owner of [`ACME`].
    pub owner: User,
    /// The database as a superuser, to look at what no role of the server may.
    pub superuser: PgPool,
    stop: Option<oneshot::Sender<()>>,
    running: Option<JoinHandle<std::io::Result<()>>>,
    database: Database,
    folder: TempDir,
    numbers: AtomicU32,
}

impl TestApplication {
    /// Starts one with the defaults, where everybody may sign up.
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// Starts one with a changed configuration.
    pub async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        // A test that fails shows what the server complained of.
        let log = tracing_subscriber::fmt().with_max_level(tracing::Level::WARN).with_test_writer();
        let _is_first = log.try_init();
        let database = Database::make().await;
        let folder = tempfile::tempdir().unwrap();
        let mut config = config(&database, &folder);
        change(&mut config);
        let application = Application::build(&config).await.unwrap();
        let url = format!("http://{}", application.address());
        let (router, platform) = (application.router().clone(), application.platform().clone());
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(application.run(async {
            let _ended = stopped.await;
        }));
        let owner = make_owner(&platform).await;
        let superuser = PgPoolOptions::new().max_connections(1).connect_lazy_with(database.as_role("postgres"));
        let (stop, running) = (Some(stop), Some(running));
        Self { url, router, platform, owner, superuser, stop, running, database, folder, numbers: AtomicU32::new(0) }
    }

    /// Where mails are.
    pub fn outbox(&self) -> PathBuf {
        self.folder.path().join("outbox")
    }

    /// The environment of the command line on the same database.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let key = self.folder.path().join("secret.key");
        vec![
            ("DATABASE_URL", self.database.as_role("orgtrail_app").to_url_lossy().to_string()),
            ("ORGTRAIL_SECRET_KEY_FILE", key.display().to_string()),
        ]
    }

    /// A number that was not given out yet.
    pub fn number(&self) -> u32 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    /// What comes back for these bytes, at least its first piece.
    pub async fn raw(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.url.trim_start_matches("http://")).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = vec![0; 4096];
        let length = stream.read(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer[..length]).into_owned()
    }

    /// Everything that comes back for these bytes, after which nothing more is sent.
    pub async fn answer_to_bytes(&self, request: &[u8]) -> String {
        answer_to_bytes(&self.url, request).await
    }

    /// Asks it to stop.
    pub fn begin_stop(&mut self) {
        drop(self.stop.take());
    }

    /// Asks it to stop, and waits until it has.
    pub async fn stop(&mut self) {
        self.begin_stop();
        if let Some(running) = self.running.take() {
            running.await.unwrap().unwrap();
        }
    }

    /// Somebody who is not signed in, with a browser.
    pub fn anonymous(&self) -> Client {
        Client::browser(&self.url)
    }

    /// A program without a credential.
    pub fn program(&self) -> Client {
        Client::program(&self.url, None)
    }

    /// A program with an access token of [`ACME`].
    pub async fn program_with(&self, scopes: &[Scope]) -> Client {
        Client::program(&self.url, Some(&self.token(scopes).await))
    }

    /// A new access token of [`ACME`].
    pub async fn token(&self, scopes: &[Scope]) -> String {
        let created =
            access_token::create(&self.platform, &Viewer::operator(), ACME, None, Wanted::new("SIEM", scopes))
                .await
                .unwrap();
        created.secret.expose().to_owned()
    }

    /// A new graph of [`ACME`], whose name is its slug.
    pub async fn graph(&self, slug: &str) {
        let owner = Viewer::user(self.owner.clone(), Origin::default());
        let wanted = registry::Wanted { slug, name: slug, description: "" };
        registry::create(&self.platform, &owner, ACME, wanted).await.unwrap();
    }

    /// The owner of [`ACME`], signed in.
    pub async fn owner(&self) -> Client {
        self.sign_in(&self.owner.email).await
    }

    /// A new admin of [`ACME`], signed in.
    pub async fn admin(&self) -> Client {
        let user = self.add("admin", Some(Role::Admin)).await;
        self.sign_in(&user.email).await
    }

    /// A new member of [`ACME`], signed in.
    pub async fn member(&self) -> Client {
        let user = self.add("member", Some(Role::Member)).await;
        self.sign_in(&user.email).await
    }

    /// Somebody with an account and no organization, signed in.
    pub async fn stranger(&self) -> Client {
        let user = self.add("stranger", None).await;
        self.sign_in(&user.email).await
    }

    /// Makes an account `{name}@acme.example`, with a role in [`ACME`] or without.
    pub async fn add(&self, name: &str, role: Option<Role>) -> User {
        let email = format!("{name}@acme.example");
        let user = create_user(&self.platform, &Viewer::operator(), name, &email, Some(PASSWORD)).await.unwrap();
        if let Some(role) = role {
            members::add(&self.platform, &Viewer::operator(), ACME, &email, role).await.unwrap();
        }
        user
    }

    /// Signs in through the form, as a browser.
    pub async fn sign_in(&self, email: &str) -> Client {
        Client::signed_in(&self.url, email, PASSWORD).await
    }
}

impl Drop for TestApplication {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(running) = self.running.take() {
            running.abort();
        }
        self.database.drop_soon();
    }
}

fn config(database: &Database, folder: &TempDir) -> Config {
    let key = folder.path().join("secret.key");
    let _made = SecretKey::read_or_make(&key).unwrap();
    let mut config = Config::from_variables(Vec::new()).unwrap();
    config.address = "127.0.0.1:0".parse().unwrap();
    config.data_folder = folder.path().to_owned();
    config.database = Some(database.as_role("orgtrail_app"));
    config.secret_key_file = Some(key);
    config.sign_up = SignUp::Open;
    config
}

async fn make_owner(platform: &Platform) -> User {
    let operator = Viewer::operator();
    let owner = create_user(platform, &operator, "Ada Owner", "owner@acme.example", Some(PASSWORD)).await.unwrap();
    let viewer = Viewer::user(owner.clone(), Origin::default());
    settings::create(platform, &viewer, "Acme", ACME).await.unwrap();
    owner
}

/// Everything that `url` answers to these bytes, after which nothing more is sent.
pub async fn answer_to_bytes(url: &str, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).await.unwrap();
    // It may hang up before everything is sent, and in the middle of its answer.
    let _sent = stream.write_all(request).await;
    let _ended = stream.shutdown().await;
    let mut answer = Vec::new();
    let _hung_up = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

/// A database of a test's own, copied from one that is migrated once.
pub struct Database {
    server: PgConnectOptions,
    name: String,
}

static TEMPLATE: OnceCell<String> = OnceCell::const_new();
static NEXT: AtomicU32 = AtomicU32::new(0);

impl Database {
    /// A new one.
    pub async fn make() -> Self {
        let server = server();
        let template = TEMPLATE.get_or_init(|| make_template(server.clone())).await;
        let name = format!("{template}_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        execute(&server, format!("create database {name} template {template}")).await;
        Self { server, name }
    }

    /// Options to connect to it as `role`.
    pub fn as_role(&self, role: &str) -> PgConnectOptions {
        self.server.clone().database(&self.name).username(role)
    }

    /// Drops it, from a thread with a runtime of its own: the test's is about to end.
    pub fn drop_soon(&self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(execute(&server, format!("drop database if exists {name} with (force)")));
        });
        drop(dropping.join());
    }
}

fn server() -> PgConnectOptions {
    let url = std::env::var("DATABASE_URL").expect("DATABASE_URL of a superuser; run the tests with with_postgres");
    url.parse().unwrap()
}

async fn make_template(server: PgConnectOptions) -> String {
    let name = format!("orgtrail_http_{}", std::process::id());
    execute(&server, format!("drop database if exists {name} with (force)")).await;
    execute(&server, format!("create database {name}")).await;
    let options = server.database(&name);
    storage::migrate(&options).await.unwrap();
    execute(&options, "grant select on public._sqlx_migrations to orgtrail_app".to_owned()).await;
    name
}

async fn execute(options: &PgConnectOptions, sql: String) {
    let mut connection: PgConnection = options.connect().await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}
