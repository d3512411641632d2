//! Who writes while things break: organizations, each with people who change it and a product that sends events; and what they were told.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use fastrand::Rng;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::client::{Client, breathe};
use crate::site::Site;

pub const PASSWORD: &str = "a horse of correct batteries";

/// How many organizations.
const ORGANIZATIONS: usize = 2;

/// What was acknowledged.
#[derive(Clone, Default)]
pub struct Acknowledged {
    /// The id of a request, and the action that its event has.
    pub requests: Vec<(String, &'static str)>,
    /// The events of products, each where it was said to be.
    pub events: Vec<Placed>,
    /// How many answers that were.
    answers: usize,
}

/// An event of a product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// As its sender calls it.
    pub client_id: String,
    /// As we call it.
    pub id: String,
    /// Its place in the trail.
    pub index: i64,
}

/// What is acknowledged, as long as it goes on.
#[derive(Clone, Default)]
pub struct Ledger(Arc<Mutex<Acknowledged>>);

impl Ledger {
    fn note_request(&self, request: String, action: &'static str) {
        let mut acknowledged = self.0.lock().unwrap();
        acknowledged.requests.push((request, action));
        acknowledged.answers += 1;
    }

    fn note_events(&self, told: &Value) {
        let text = |event: &Value, name: &str| event[name].as_str().unwrap().to_owned();
        let placed = |event: &Value| Placed {
            client_id: text(event, "client_id"),
            id: text(event, "id"),
            index: event["index"].as_i64().unwrap(),
        };
        let mut acknowledged = self.0.lock().unwrap();
        acknowledged.events.extend(told["events"].as_array().unwrap().iter().map(placed));
        acknowledged.answers += 1;
    }

    /// Everything until now.
    pub fn acknowledged(&self) -> Acknowledged {
        self.0.lock().unwrap().clone()
    }

    /// Waits until so many more answers are acknowledgements.
    pub async fn more(&self, count: usize) {
        let enough = self.0.lock().unwrap().answers + count;
        while self.0.lock().unwrap().answers < enough {
            sleep(Duration::from_millis(5)).await;
        }
    }
}

/// An organization with two people and a product.
pub struct Tenant {
    pub slug: String,
    member_id: String,
    member_email: String,
    pub owner: Client,
    pub product: Client,
}

/// The load. It ends with the value.
pub struct Load {
    pub ledger: Ledger,
    pub tenants: Vec<Arc<Tenant>>,
    clients: JoinSet<()>,
}

impl Load {
    /// Founds the organizations, and begins to write.
    pub async fn begin(site: &Site, url: &watch::Receiver<String>, random: &mut Rng) -> Self {
        let mut load = Self { ledger: Ledger::default(), tenants: Vec::new(), clients: JoinSet::new() };
        for number in 0..ORGANIZATIONS {
            let tenant = Arc::new(found(site, url, number).await);
            let of = || (Arc::clone(&tenant), load.ledger.clone());
            let ((renaming, a), (changing, b), (sending, c), (entering, d)) = (of(), of(), of(), of());
            load.clients.spawn(rename(renaming, a));
            load.clients.spawn(change_roles(changing, b));
            load.clients.spawn(send_events(sending, c, random.fork()));
            load.clients.spawn(sign_in(entering, d, url.clone()));
            load.tenants.push(tenant);
        }
        load
    }

    /// Does `what` under the load.
    pub async fn during<T>(&mut self, what: impl Future<Output = T>) -> T {
        tokio::select! {
            done = what => done,
            ended = self.clients.join_next() => panic!("a client ended: {ended:?}"),
        }
    }

    /// Breaks it off where it stands; answers what was acknowledged.
    pub async fn end(mut self) -> Acknowledged {
        self.clients.shutdown().await;
        let acknowledged = self.ledger.acknowledged();
        let kinds = ["organization.updated", "member.updated", "login.attempted"];
        let has = |kind: &&str| acknowledged.requests.iter().any(|(_, action)| action == kind);
        assert!(kinds.iter().all(has) && !acknowledged.events.is_empty(), "not all kinds were acknowledged");
        acknowledged
    }
}

async fn found(site: &Site, url: &watch::Receiver<String>, number: usize) -> Tenant {
    let (owner, member) = (Client::new(url), Client::new(url));
    let slug = format!("tenant-{number}");
    let member_email = format!("member-{number}@people.example");
    for (client, email) in [(&owner, &format!("owner-{number}@people.example")), (&member, &member_email)] {
        client.must("/api/signup", &[("name", "Somebody"), ("email", email), ("password", PASSWORD)]).await;
    }
    owner.must("/api/create_organization", &[("name", "Tenant"), ("slug", &slug)]).await;
    site.said_by(&["member", "add", "--organization", &slug, "--email", &member_email]).await;
    let scopes = ["--scope", "events:write", "audit:read"];
    let token = [&["token", "create", "--organization", &slug, "--name", "Product"], scopes.as_slice()].concat();
    let product = Client::with_token(url, &site.said_by(&token).await);
    let member_id = sqlx::query_scalar("select id::text from orgtrail.users where email = $1")
        .bind(&member_email)
        .fetch_one(&mut site.database().await)
        .await
        .unwrap();
    Tenant { slug, member_id, member_email, owner, product }
}

async fn rename(tenant: Arc<Tenant>, ledger: Ledger) {
    for number in 0.. {
        let name = format!("Name {number}");
        let fields = [("organization", &*tenant.slug), ("name", &name), ("slug", &tenant.slug)];
        match tenant.owner.post("/api/update_organization", &fields).await {
            Some(request) => ledger.note_request(request, "organization.updated"),
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
            Some(request) if was_certain => ledger.note_request(request, "member.updated"),
            Some(_) => {}
            None => breathe().await,
        }
    }
}

/// Sends batch after batch, each under its key until it is acknowledged.
async fn send_events(tenant: Arc<Tenant>, ledger: Ledger, mut random: Rng) {
    for number in 0.. {
        let (batch, of) = (format!("{}/{number}", tenant.slug), random.usize(1..=4));
        let event = |at: usize| {
            let (actor, next) = (json!({ "user": { "id": "u-1" } }), json!({ "batch": batch, "of": of }));
            json!({ "id": format!("{batch}/{at}"), "action": "invoice.paid", "actor": actor, "next": next })
        };
        let body = json!({ "events": (0..of).map(event).collect::<Vec<_>>() });
        let told = loop {
            match tenant.product.send(&batch, &body).await {
                Some(told) => break told,
                None => breathe().await,
            }
        };
        ledger.note_events(&told);
    }
}

async fn sign_in(tenant: Arc<Tenant>, ledger: Ledger, url: watch::Receiver<String>) {
    loop {
        let fields = [("email", &*tenant.member_email), ("password", PASSWORD)];
        match Client::new(&url).post("/api/login", &fields).await {
            Some(request) => ledger.note_request(request, "login.attempted"),
            None => breathe().await,
        }
    }
}
