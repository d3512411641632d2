//! Who asks all the time while something happens: programs that write, people who look and send forms. Whatever fails is noted.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::Method;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::balancing::Pair;
use crate::client::{ACME, Client, ids, page, taken};

/// What several who ask share: whether they are to stop, and what went wrong until now, whatever they did about it.
#[derive(Clone, Default)]
pub struct Asking {
    stop: Arc<AtomicBool>,
    failed: Arc<Mutex<Vec<String>>>,
}

impl Asking {
    /// Whether they go on.
    pub fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::Relaxed)
    }

    /// Lets them stop.
    pub fn end(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Notes a request that failed.
    pub fn note(&self, failure: String) {
        self.failed.lock().unwrap().push(failure);
    }

    /// Every request that failed.
    pub fn failed(&self) -> Vec<String> {
        self.failed.lock().unwrap().clone()
    }
}

/// Sends events through the balancer until it is told to stop; answers what was acknowledged. What was not is noted, and sent again.
async fn write(program: Client, url: String, name: String, asking: Asking) -> Vec<(String, i64)> {
    let mut acknowledged = Vec::new();
    for number in 0.. {
        let some = ids(&format!("{name}-{number}"), 3);
        let indexes = loop {
            match program.send(&url, &some).await {
                Ok(indexes) => break indexes,
                Err(failure) => asking.note(format!("{name}-{number}: {failure}")),
            }
            sleep(Duration::from_millis(20)).await;
        };
        acknowledged.extend(some.into_iter().zip(indexes));
        if !asking.goes_on() {
            break;
        }
    }
    acknowledged
}

/// Programs that send events.
pub struct Writers {
    tasks: JoinSet<Vec<(String, i64)>>,
    pub asking: Asking,
}

impl Writers {
    pub fn start(pair: &Pair) -> Self {
        let asking = Asking::default();
        let write = |number| write(pair.program.clone(), pair.url.clone(), format!("writer-{number}"), asking.clone());
        Self { tasks: (0..4).map(write).collect(), asking }
    }

    pub async fn stop(self) -> Vec<(String, i64)> {
        self.asking.end();
        self.tasks.join_all().await.concat()
    }
}

/// People who look at page after page and send form after form, and never try again.
pub struct People {
    tasks: JoinSet<()>,
    pub asking: Asking,
}

impl People {
    pub fn start(pair: &Pair) -> Self {
        let asking = Asking::default();
        let paths = [page(ACME), format!("/{ACME}"), format!("/{ACME}/settings/members"), "/account".to_owned()];
        let look = |path| look(pair.owner.clone(), pair.url.clone(), path, asking.clone());
        let mut tasks: JoinSet<_> = paths.into_iter().map(look).collect();
        tasks.spawn(fill_in(pair.owner.clone(), pair.url.clone(), asking.clone()));
        Self { tasks, asking }
    }

    /// Whether something failed whose name begins so.
    pub fn noticed(&self, beginning: &str) -> bool {
        self.asking.failed().iter().any(|failure| failure.starts_with(beginning))
    }

    pub async fn stop(self) {
        self.asking.end();
        self.tasks.join_all().await;
    }
}

async fn look(owner: Client, url: String, path: String, asking: Asking) {
    while asking.goes_on() {
        if let Err(failure) = taken(owner.request(Method::GET, &url, &path)).await {
            asking.note(format!("{path}: {failure}"));
        }
        sleep(Duration::from_millis(20)).await;
    }
}

/// Makes a team after the other.
async fn fill_in(owner: Client, url: String, asking: Asking) {
    for number in (0..).take_while(|_| asking.goes_on()) {
        let name = format!("team-{number}");
        let form = owner.request(Method::POST, &url, "/api/create_team");
        if let Err(failure) = taken(form.form(&[("organization", ACME), ("name", &name)])).await {
            asking.note(format!("{name}: {failure}"));
        }
        sleep(Duration::from_millis(20)).await;
    }
}

/// What was acknowledged is in the trail where it was said to be, once; and the trail has no gap.
pub async fn assert_kept(pair: &Pair, acknowledged: &[(String, i64)]) {
    let feed = pair.program.follow(&pair.url).await;
    assert_eq!(feed.keys().copied().collect::<Vec<_>>(), (0..i64::try_from(feed.len()).unwrap()).collect::<Vec<_>>());
    for (id, index) in acknowledged {
        assert_eq!(feed.get(index), Some(id));
    }
    let sent: Vec<_> = feed.values().filter(|object| object.starts_with("writer-")).collect();
    assert_eq!(sent.len(), sent.iter().collect::<BTreeSet<_>>().len(), "nothing is there twice");
    assert_eq!(sent.len(), acknowledged.len());
}
