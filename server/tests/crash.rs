//! The program under fire: real changes over HTTP, while the server and its Postgres are killed in turns. What was acknowledged is there with
//! its event, nothing is half there, and no event speaks of what did not happen.

#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use std::collections::HashMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

const PASSWORD: &str = "a horse of correct batteries";

/// Organizations, each with an owner, a member and three clients.
const ORGANIZATIONS: usize = 2;

/// Kills: of the server and of Postgres in turns.
const KILLS: usize = 6;

/// Changes that are acknowledged between two kills.
const BETWEEN_KILLS: usize = 30;

/// The data folder of a server with a private Postgres. Nothing of it outlives the value.
struct Site {
    folder: TempDir,
}

impl Site {
    fn new() -> Self {
        // Open to whoever runs Postgres when we are root.
        let permissions = Permissions::from_mode(0o711);
        let folder = tempfile::Builder::new().prefix("orgtrail-test-").permissions(permissions).tempdir_in("/tmp");
        Self { folder: folder.unwrap() }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_orgtrail"));
        command.args(arguments).env_clear().env("ORGTRAIL_DATA_DIR", self.path()).env("ORGTRAIL_ADDR", "127.0.0.1:0");
        if let Some(binaries) = std::env::var_os("ORGTRAIL_POSTGRES_BIN") {
            command.env("ORGTRAIL_POSTGRES_BIN", binaries);
        }
        command.env("ORGTRAIL_SIGNUP", "open").kill_on_drop(true).stderr(Stdio::null());
        command
    }

    /// A server that serves, and where.
    async fn serve(&self) -> (Child, String) {
        let mut server = self.command(&["serve"]).stdout(Stdio::piped()).spawn().unwrap();
        let mut said = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut said).await.unwrap();
        let url = said.trim().strip_prefix("Orgtrail listens on ").unwrap_or_else(|| panic!("it said {said:?}"));
        (server, url.to_owned())
    }

    fn postmaster(&self) -> Option<Pid> {
        let file = fs::read_to_string(self.path().join("postgres/postmaster.pid")).ok()?;
        file.lines().next()?.trim().parse().ok().map(Pid::from_raw)
    }

    /// The database as a superuser, past every policy.
    async fn database(&self) -> PgConnection {
        let socket = fs::read_to_string(self.path().join("postgres.socket")).unwrap();
        let options = PgConnectOptions::new().socket(socket.trim_end()).username("postgres").database("orgtrail");
        options.connect().await.unwrap()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if let Some(postmaster) = self.postmaster() {
            let _gone_already = kill(postmaster, Signal::SIGQUIT);
            while kill(postmaster, None).is_ok() && self.postmaster().is_some() {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }
}

/// A program with cookies, at whatever address the server has now.
#[derive(Clone)]
struct Client {
    http: reqwest::Client,
    url: watch::Receiver<String>,
}

impl Client {
    fn new(url: &watch::Receiver<String>) -> Self {
        Self { http: reqwest::Client::builder().cookie_store(true).build().unwrap(), url: url.clone() }
    }

    /// Posts a form; answers the id of the request if it was acknowledged, nothing if it is not known what became of it.
    async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Option<String> {
        let url = format!("{}{path}", *self.url.borrow());
        let response = self.http.post(url).form(fields).send().await.ok()?;
        let status = response.status();
        assert!(status == 200 || status.is_server_error(), "{path}: {status} {:?}", response.text().await);
        let id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
        // The headers alone are no acknowledgement.
        let whole = response.bytes().await.is_ok();
        (whole && status == 200).then_some(id)
    }

    async fn must(&self, path: &str, fields: &[(&str, &str)]) {
        self.post(path, fields).await.unwrap_or_else(|| panic!("{path} was not answered"));
    }

    async fn is_ready(&self) -> bool {
        let url = format!("{}/readyz", *self.url.borrow());
        self.http.get(url).send().await.is_ok_and(|answer| answer.status() == 200)
    }
}

/// What was acknowledged: the id of the request, and the action that its event has.
#[derive(Clone, Default)]
struct Ledger(Arc<Mutex<Vec<(String, &'static str)>>>);

impl Ledger {
    fn note(&self, request: String, action: &'static str) {
        self.0.lock().unwrap().push((request, action));
    }

    fn entries(&self) -> Vec<(String, &'static str)> {
        self.0.lock().unwrap().clone()
    }

    /// Waits until so many are noted.
    async fn until(&self, count: usize) {
        while self.0.lock().unwrap().len() < count {
            sleep(Duration::from_millis(5)).await;
        }
    }
}

/// An organization with two people, and one of them as client.
struct Tenant {
    slug: String,
    member_id: String,
    member_email: String,
    owner: Client,
}

async fn found(site: &Site, url: &watch::Receiver<String>, number: usize) -> Tenant {
    let (owner, member) = (Client::new(url), Client::new(url));
    let slug = format!("tenant-{number}");
    let member_email = format!("member-{number}@people.example");
    for (client, email) in [(&owner, &format!("owner-{number}@people.example")), (&member, &member_email)] {
        client.must("/api/signup", &[("name", "Somebody"), ("email", email), ("password", PASSWORD)]).await;
    }
    owner.must("/api/create_organization", &[("name", "Tenant"), ("slug", &slug)]).await;
    let add = ["member", "add", "--organization", &slug, "--email", &member_email];
    assert!(site.command(&add).status().await.unwrap().success());
    let mut database = site.database().await;
    let member_id = sqlx::query_scalar("select id::text from orgtrail.users where email = $1")
        .bind(&member_email)
        .fetch_one(&mut database)
        .await
        .unwrap();
    Tenant { slug, member_id, member_email, owner }
}

/// After what was not answered: a breath, until the next try.
async fn breathe() {
    sleep(Duration::from_millis(20)).await;
}

async fn rename(tenant: Arc<Tenant>, ledger: Ledger) {
    for number in 0.. {
        let name = format!("Name {number}");
        let fields = [("organization", &*tenant.slug), ("name", &name), ("slug", &tenant.slug)];
        match tenant.owner.post("/api/update_organization", &fields).await {
            Some(request) => ledger.note(request, "organization.updated"),
            None => breathe().await,
        }
    }
}

async fn change_roles(tenant: Arc<Tenant>, ledger: Ledger) {
    let mut certain = true; // The member's role is known: to change it to the other one leaves an event.
    for role in ["admin", "member"].into_iter().cycle() {
        let fields = [("organization", &*tenant.slug), ("user_id", &tenant.member_id), ("role", role)];
        let answer = tenant.owner.post("/api/change_member_role", &fields).await;
        let was_certain = std::mem::replace(&mut certain, answer.is_some());
        match answer {
            Some(request) if was_certain => ledger.note(request, "member.updated"),
            Some(_) => {}
            None => breathe().await,
        }
    }
}

async fn sign_in(tenant: Arc<Tenant>, ledger: Ledger, url: watch::Receiver<String>) {
    loop {
        let fields = [("email", &*tenant.member_email), ("password", PASSWORD)];
        match Client::new(&url).post("/api/login", &fields).await {
            Some(request) => ledger.note(request, "login.attempted"),
            None => breathe().await,
        }
    }
}

/// Kills the server and Postgres in turns; answers the server that runs at the end.
async fn fire(site: &Site, mut server: Child, url: &watch::Sender<String>, ledger: &Ledger) -> Child {
    let client = Client::new(&url.subscribe());
    for number in 1..=KILLS {
        ledger.until(number * BETWEEN_KILLS).await;
        if number % 2 == 1 {
            server.start_kill().unwrap();
            server.wait().await.unwrap();
            let (next, address) = site.serve().await;
            server = next;
            url.send_replace(address);
        } else {
            let killed = site.postmaster().unwrap();
            kill(killed, Signal::SIGKILL).unwrap();
            while site.postmaster().is_none_or(|postmaster| postmaster == killed) || !client.is_ready().await {
                sleep(Duration::from_millis(20)).await;
            }
        }
    }
    ledger.until((KILLS + 1) * BETWEEN_KILLS).await;
    server
}

/// Rows are complaints; each question compares the tables with the trail, or the trail with itself.
const QUESTIONS: [(&str, &str); 7] = [
    (
        "indexes without gap",
        "select format('%s: next %s, %s events, %s positions', h.organization_id, h.next_index, count(e.id), count(p.event_id))
        from orgtrail.trail_heads h
        left join orgtrail.event_positions p on p.organization_id = h.organization_id
        left join orgtrail.events e on e.organization_id = p.organization_id and e.index = p.index and e.id = p.event_id
        group by h.organization_id, h.next_index
        having h.next_index <> count(e.id) or h.next_index <> count(p.event_id) or h.next_index <> coalesce(max(e.index), -1) + 1",
    ),
    (
        "each event of an organization begins where the last one ended",
        "select format('%s #%s', organization_id, index)
        from (select *, lag(next::jsonb) over (partition by organization_id order by index) as before from orgtrail.events
            where action in ('organization.created', 'organization.updated')) as step
        where previous::jsonb is distinct from before",
    ),
    (
        "an organization is as its last event says",
        "select format('%s: %s', o.slug, o.name) from orgtrail.organizations o
        where o.name is distinct from (select e.next ->> 'name' from orgtrail.events e
            where e.organization_id = o.id and e.action in ('organization.created', 'organization.updated') order by e.index desc limit 1)",
    ),
    (
        "each event of a member begins where the last one ended",
        "select format('%s #%s', organization_id, index)
        from (select *, lag(next::jsonb) over (partition by organization_id, object_id order by index) as before from orgtrail.events
            where action in ('member.created', 'member.updated')) as step
        where previous::jsonb is distinct from before",
    ),
    (
        "a member is as the last event says",
        "select format('%s: %s', m.user_id, m.role) from orgtrail.memberships m
        where m.role is distinct from (select e.next ->> 'role' from orgtrail.events e
            where e.organization_id = m.organization_id and e.object_id = m.user_id::text and e.action in ('member.created', 'member.updated')
            order by e.index desc limit 1)",
    ),
    (
        "an attempt to sign in is one event",
        "select a.request_id from orgtrail.sign_in_attempts a
        where a.method = 'login' and 1 <> (select count(*) from orgtrail.events e where e.kind = 'login' and e.request_id = a.request_id)",
    ),
    (
        "an event of signing in is an attempt",
        "select e.request_id from orgtrail.events e
        where e.kind = 'login' and not exists (select from orgtrail.sign_in_attempts a where a.request_id = e.request_id)",
    ),
];

/// Everything that is wrong, in words.
async fn complaints(database: &mut PgConnection, ledger: &Ledger) -> Vec<String> {
    let mut complaints = Vec::new();
    for (rule, question) in QUESTIONS {
        let found: Vec<String> = sqlx::query_scalar(question).fetch_all(&mut *database).await.unwrap();
        complaints.extend(found.into_iter().map(|complaint| format!("not so: {rule}: {complaint}")));
    }
    let recorded: Vec<(String, String)> =
        sqlx::query_as("select request_id, action from orgtrail.events where request_id is not null")
            .fetch_all(&mut *database)
            .await
            .unwrap();
    let mut events = HashMap::<_, usize>::new();
    for event in recorded {
        *events.entry(event).or_default() += 1;
    }
    for (request, action) in ledger.entries() {
        let count = events.get(&(request.clone(), action.to_owned())).copied().unwrap_or_default();
        if count != 1 {
            complaints.push(format!("acknowledged request {request} has {count} events {action}"));
        }
    }
    complaints
}

/// Waits until no attempt waits to be copied.
async fn until_copied(database: &mut PgConnection) {
    let waiting = "select exists (select from orgtrail.sign_in_attempts where sorted_at is null) or exists (select from orgtrail.sign_in_copies)";
    while sqlx::query_scalar::<_, bool>(waiting).fetch_one(&mut *database).await.unwrap() {
        sleep(Duration::from_millis(50)).await;
    }
}

/// Lets a superuser without scruples do `damage`, looks, and undoes it.
async fn complaints_after(damage: &'static str, database: &mut PgConnection, ledger: &Ledger) -> Vec<String> {
    let mut transaction = database.begin().await.unwrap();
    let off = "do $$
        declare guarded regclass;
        begin
            set local session_replication_role = replica;
            for guarded in select relid from pg_partition_tree('orgtrail.events') union all select 'orgtrail.event_positions'::regclass loop
                execute format('alter table %s disable trigger all', guarded);
            end loop;
        end $$";
    sqlx::raw_sql(off).execute(&mut *transaction).await.unwrap();
    assert!(sqlx::query(damage).execute(&mut *transaction).await.unwrap().rows_affected() > 0, "{damage}");
    let complaints = complaints(&mut transaction, ledger).await;
    transaction.rollback().await.unwrap();
    complaints
}

/// What the check must notice: otherwise it proves nothing.
const DAMAGES: [&str; 6] = [
    "delete from orgtrail.events where (organization_id, index) in
        (select organization_id, max(index) / 2 from orgtrail.events group by organization_id limit 1)",
    // The last event, with its position and the head moved back: no gap tells of it.
    "with head as (update orgtrail.trail_heads set next_index = next_index - 1 returning organization_id, next_index),
        position as (delete from orgtrail.event_positions p using head where p.organization_id = head.organization_id and p.index = head.next_index)
    delete from orgtrail.events e using head where e.organization_id = head.organization_id and e.index = head.next_index",
    "update orgtrail.organizations set name = 'unrecorded'",
    "update orgtrail.memberships set role = case role when 'admin' then 'member' else 'admin' end where role <> 'owner'",
    "delete from orgtrail.sign_in_attempts where method = 'login'",
    "update orgtrail.events set request_id = 'another' where action = 'organization.updated'",
];

#[tokio::test]
async fn what_was_acknowledged_survives_kills_with_its_event() {
    let site = Site::new();
    let (server, address) = site.serve().await;
    let (url, urls) = watch::channel(address);
    let ledger = Ledger::default();
    let mut clients = JoinSet::new();
    for number in 0..ORGANIZATIONS {
        let tenant = Arc::new(found(&site, &urls, number).await);
        clients.spawn(rename(Arc::clone(&tenant), ledger.clone()));
        clients.spawn(change_roles(Arc::clone(&tenant), ledger.clone()));
        clients.spawn(sign_in(tenant, ledger.clone(), urls.clone()));
    }
    let server = tokio::select! {
        server = fire(&site, server, &url, &ledger) => server,
        ended = clients.join_next() => panic!("a client ended: {ended:?}"),
    };
    clients.shutdown().await;
    let mut database = site.database().await;
    until_copied(&mut database).await;
    assert_eq!(complaints(&mut database, &ledger).await, Vec::<String>::new());
    for damage in DAMAGES {
        assert!(!complaints_after(damage, &mut database, &ledger).await.is_empty(), "nobody noticed: {damage}");
    }
    let kinds = ["organization.updated", "member.updated", "login.attempted"];
    let entries = ledger.entries();
    assert!(
        kinds.iter().all(|kind| entries.iter().any(|(_, action)| action == kind)),
        "not all kinds were acknowledged"
    );
    drop(server);
}
