//! Two servers as one, for those who ask: both are started anew under load and nobody notices, and what one took the other shows at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::balancing::{Pair, Writers, assert_kept};
use crate::client::{ACME, Client, export, page};
use crate::machines::Server;
use crate::replica::{BEHIND, until_answered};

/// People who look at page after page, and never try again.
struct Readers {
    tasks: JoinSet<Vec<String>>,
    stop: Arc<AtomicBool>,
}

impl Readers {
    fn start(pair: &Pair) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let paths = [page(ACME), format!("/{ACME}"), format!("/{ACME}/settings/members"), "/account".to_owned()];
        let look = |path| look(pair.owner.clone(), pair.url.clone(), path, Arc::clone(&stop));
        Self { tasks: paths.into_iter().map(look).collect(), stop }
    }

    /// Lets them go; answers what went wrong.
    async fn stop(self) -> Vec<String> {
        self.stop.store(true, Ordering::Relaxed);
        self.tasks.join_all().await.concat()
    }
}

async fn look(owner: Client, url: String, path: String, stop: Arc<AtomicBool>) -> Vec<String> {
    let mut failed = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        match owner.request(reqwest::Method::GET, &url, &path).send().await {
            Ok(answer) if answer.status() == 200 => {}
            Ok(answer) => failed.push(format!("{path}: {}", answer.status())),
            Err(cause) => failed.push(format!("{path}: {cause:?}")),
        }
        sleep(Duration::from_millis(20)).await;
    }
    failed
}

/// Pages are never asked for twice, and events as often as it takes: senders have to send again what was not acknowledged.
#[tokio::test]
async fn both_servers_are_started_anew_and_nobody_notices() {
    let mut pair = Pair::up().await;
    let (writers, readers) = (Writers::start(&pair), Readers::start(&pair));
    for number in [0, 1] {
        pair.servers[number].stop().await;
        pair.start_again(number).await;
        while pair.servers[number].answered().await < 20 {
            sleep(Duration::from_millis(50)).await;
        }
    }
    assert_eq!(readers.stop().await, Vec::<String>::new());
    let acknowledged = writers.stop().await;
    assert_kept(&pair, &acknowledged).await;
}

/// Sends an event to one server, and looks whether whoever asks the other one sees it.
async fn assert_shown(pair: &Pair, writer: &Server, reader: &Server, id: &str) {
    pair.program.send(&writer.url, &[id.to_owned()]).await.unwrap();
    for (what, shown) in [
        ("the page", pair.owner.text(&reader.url, &page(ACME)).await),
        ("the feed", pair.program.text(&reader.url, "/api/v1/events").await),
        ("GraphQL", pair.program.graphql(&reader.url).await),
        ("the export", pair.program.text(&reader.url, &export()).await),
    ] {
        assert!(shown.contains(id), "{what} lacks {id}: {shown}");
    }
}

#[tokio::test]
async fn what_one_server_took_the_other_shows_at_once() {
    let pair = Pair::up_with(&["recovery_min_apply_delay=300"]).await;
    let [one, two] = &pair.servers;
    for server in [one, two] {
        until_answered(server, &pair.owner, ACME).await;
    }
    for round in 0..5 {
        assert_shown(&pair, one, two, &format!("lagging-one-{round}")).await;
        assert_shown(&pair, two, one, &format!("lagging-two-{round}")).await;
    }
    pair.standby.pause().await;
    let before = [one.counted(BEHIND).await, two.counted(BEHIND).await];
    assert_shown(&pair, one, two, "paused-one").await;
    assert_shown(&pair, two, one, "paused-two").await;
    for (server, before) in [one, two].into_iter().zip(before) {
        assert!(server.counted(BEHIND).await >= before + 4, "the replica could not know of it");
    }
    pair.standby.resume().await;
    for server in [one, two] {
        assert!(until_answered(server, &pair.owner, ACME).await.contains("paused-two"));
    }
}
