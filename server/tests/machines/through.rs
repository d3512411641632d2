//! An export that breaks behind the balancer is seen to be broken by whoever reads it in front of it: over HTTP/1.0 and 1.1, and with TLS over
//! HTTP/1.1 and HTTP/2. And what people do goes through TLS and HTTP/2 as well.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::sleep;

use crate::balancer::Balancer;
use crate::balancing::Pair;
use crate::client::{ACME, PASSWORD, export, page};
use crate::machines::end_postmaster;

/// How somebody asks: whether with TLS, curl's option, and the version as curl says it.
type Way = (bool, &'static str, &'static str);

/// Two for each balancer: more exports of an organization do not run at once.
const PLAIN: [Way; 2] = [(false, "--http1.1", "1.1"), (false, "--http1.0", "1")];
const ENCRYPTED: [Way; 2] = [(true, "--http2", "2"), (true, "--http1.1", "1.1")];

/// curl, which asks for `path` in this way, and says at last which version it was.
fn curl(pair: &Pair, (encrypted, option, _): Way, path: &str) -> Command {
    let mut curl = Command::new("curl");
    let url = if encrypted { Balancer::URL } else { &pair.url };
    curl.args(["--silent", "--fail", option]).args(pair.balancer.found_by_curl());
    curl.args(["--write-out", "%{http_version}"]).arg(format!("{url}{path}")).kill_on_drop(true);
    curl
}

/// curl, which has read a beginning and waits.
struct Curl {
    way: Way,
    process: Child,
    folder: TempDir,
}

impl Curl {
    async fn begin(pair: &Pair, way: Way) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut curl = curl(pair, way, &export());
        curl.args(["--limit-rate", "4M", "--header"]).arg(format!("Authorization: Bearer {}", pair.program.token()));
        curl.arg("--output").arg(folder.path().join("export.csv")).stdout(Stdio::piped());
        let curl = Self { way, process: curl.spawn().unwrap(), folder };
        while curl.bytes() == 0 {
            sleep(Duration::from_millis(5)).await;
        }
        curl.signal(Signal::SIGSTOP);
        curl
    }

    fn bytes(&self) -> u64 {
        fs::metadata(self.folder.path().join("export.csv")).map_or(0, |file| file.len())
    }

    fn signal(&self, signal: Signal) {
        let id = self.process.id().unwrap();
        kill(Pid::from_raw(id.try_into().unwrap()), signal).unwrap();
    }

    /// Lets it read on; answers its status.
    async fn end(self) -> Option<i32> {
        self.signal(Signal::SIGCONT);
        let output = self.process.wait_with_output().await.unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), self.way.2, "the version");
        output.status.code()
    }
}

async fn begin(pair: &Pair, [one, two]: [Way; 2]) -> [Curl; 2] {
    [Curl::begin(pair, one).await, Curl::begin(pair, two).await]
}

/// Exports that the servers know to have been broken off.
async fn broken_off(pair: &Pair) -> u64 {
    let mut count = 0;
    for server in &pair.servers {
        for outcome in ["aborted", "failed"] {
            count += server.counted(&format!("orgtrail_exports_total{{outcome=\"{outcome}\"}}")).await;
        }
    }
    count
}

#[tokio::test]
async fn what_breaks_behind_the_balancer_is_broken_before_it() {
    break_behind_the_balancer(PLAIN).await;
}

#[tokio::test]
async fn what_breaks_behind_the_balancer_is_broken_before_it_with_tls() {
    break_behind_the_balancer(ENCRYPTED).await;
}

async fn break_behind_the_balancer(ways: [Way; 2]) {
    let mut pair = Pair::up().await;
    pair.fill().await;

    // Control: an export that nothing happens to.
    for reader in begin(&pair, ways).await {
        assert_eq!(reader.end().await, Some(0));
    }

    // The servers are killed.
    until_free(&pair).await;
    let readers = begin(&pair, ways).await;
    for server in &mut pair.servers {
        server.kill().await;
    }
    assert_broken(readers).await;
    for number in [0, 1] {
        pair.start_again(number).await;
    }

    // The database goes.
    until_free(&pair).await;
    let readers = begin(&pair, ways).await;
    end_postmaster(&pair.machines.folder.path().join("postgres"));
    while broken_off(&pair).await < 2 {
        sleep(Duration::from_millis(50)).await;
    }
    assert_broken(readers).await;
}

/// Over HTTP/1 the balancer closes its connections to them, and it is the promised length that tells; over HTTP/2 it resets the stream.
async fn assert_broken(readers: [Curl; 2]) {
    for reader in readers {
        let (version, ended) = (reader.way.2, reader.end().await.unwrap());
        // Fewer bytes than promised or a reset; and a stream that was not closed cleanly.
        let expected: &[i32] = if version == "2" { &[92] } else { &[18, 56] };
        assert!(expected.contains(&ended), "HTTP/{version}: {ended}");
    }
}

#[tokio::test]
async fn people_sign_in_and_look_with_tls_and_http_2() {
    let pair = Pair::up().await;
    let folder = tempfile::tempdir().unwrap();
    let cookies = folder.path().join("cookies");
    let [http_2, _] = ENCRYPTED;
    let fields = [format!("email=owner@{ACME}.example"), format!("password={PASSWORD}")];
    let mut sign_in = curl(&pair, http_2, "/api/login");
    sign_in.arg("--cookie-jar").arg(&cookies).args(fields.iter().flat_map(|field| ["--data-urlencode", field]));
    let signed_in = sign_in.output().await.unwrap();
    assert!(signed_in.status.success(), "{}", signed_in.status);
    for _ in 0..4 {
        let shown = curl(&pair, http_2, &page(ACME)).arg("--cookie").arg(&cookies).output().await.unwrap();
        let shown = String::from_utf8(shown.stdout).unwrap();
        assert!(shown.contains("organization.created") && shown.contains("</html>") && shown.ends_with('2'), "{shown}");
    }
}

/// Waits until the balancer sends requests to the servers again, and both places for exports are free.
async fn until_free(pair: &Pair) {
    let ready = format!("{}/readyz", pair.url);
    while !reqwest::get(&ready).await.is_ok_and(|answer| answer.status() == 200) {
        sleep(Duration::from_millis(50)).await;
    }
    let running = "select count(*) from orgtrail.running_exports where leased_until > clock_timestamp()";
    let mut superuser = pair.machines.superuser().await;
    while sqlx::query_scalar::<_, i64>(running).fetch_one(&mut superuser).await.unwrap() > 0 {
        sleep(Duration::from_millis(100)).await;
    }
}
