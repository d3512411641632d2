//! HAProxy, with the configuration that docs/operate hands out: its certificate and its ports are others, it keeps less on the way, and one port more
//! is for those who ask without TLS.

use std::fs;
use std::path::Path;

use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::machines::{Server, free_port};

/// What operators are given.
const CONFIGURATION: &str = include_str!("../../../docs/operate/haproxy.cfg");

/// Whom the certificate is for.
const HOST: &str = "audit.example";

/// Ports for a balancer that starts soon: the servers have to know the one without TLS before.
pub struct Front {
    plain: u16,
    encrypted: u16,
}

impl Front {
    /// Free ones.
    pub fn new() -> Self {
        Self { plain: free_port(), encrypted: free_port() }
    }

    /// What people type who ask without TLS.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.plain)
    }

    /// A balancer before two servers; it ends with the value.
    pub async fn open(self, servers: [&Server; 2]) -> Balancer {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("haproxy.cfg");
        certify(folder.path()).await;
        fs::write(&file, self.configuration(folder.path(), servers)).unwrap();
        // Debian keeps it where only root looks.
        let path = format!("{}:/usr/sbin", std::env::var("PATH").unwrap());
        let process = Command::new("haproxy").env("PATH", path).arg("-f").arg(&file).kill_on_drop(true).spawn();
        Balancer { _process: process.expect("scripts/setup --test installs haproxy"), folder, front: self }
    }

    fn configuration(&self, folder: &Path, [one, two]: [&Server; 2]) -> String {
        let mut configuration = CONFIGURATION.to_owned();
        let (plain, encrypted) = (self.plain, self.encrypted);
        for (ours, theirs) in [
            ("bind :443 ssl ", format!("bind 127.0.0.1:{plain}\n    bind 127.0.0.1:{encrypted} ssl ")),
            ("/etc/ssl/", format!("{}/", folder.display())),
            // What waits on the way is to be less than an export.
            ("maxconn 4000", "maxconn 4000\n    tune.rcvbuf.server 65536\n    tune.sndbuf.client 65536".to_owned()),
            ("127.0.0.1:3001", format!("127.0.0.1:{}", one.port)),
            ("127.0.0.1:3002", format!("127.0.0.1:{}", two.port)),
        ] {
            assert!(configuration.contains(ours), "{ours} is not in {configuration}");
            configuration = configuration.replace(ours, &theirs);
        }
        configuration
    }
}

/// A running balancer.
pub struct Balancer {
    _process: Child,
    folder: TempDir,
    front: Front,
}

impl Balancer {
    /// What people type who ask with TLS.
    pub const URL: &str = "https://audit.example";

    /// What curl is told so that it finds it, and believes it.
    pub fn found_by_curl(&self) -> [String; 4] {
        let (folder, port) = (self.folder.path().display(), self.front.encrypted);
        [
            "--cacert".into(),
            format!("{folder}/{HOST}.crt"),
            "--connect-to".into(),
            format!("{HOST}:443:127.0.0.1:{port}"),
        ]
    }
}

/// Makes a certificate and its key, for some days, in `folder`; also both in one file, as HAProxy reads them.
async fn certify(folder: &Path) {
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]);
    openssl.args(["-subj", &format!("/CN={HOST}"), "-addext", &format!("subjectAltName=DNS:{HOST}")]);
    let [certificate, key, both] = ["crt", "key", "pem"].map(|kind| folder.join(format!("{HOST}.{kind}")));
    let made = openssl.arg("-keyout").arg(&key).arg("-out").arg(&certificate).output().await;
    let made = made.expect("scripts/setup --test installs openssl");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    fs::write(both, [fs::read(certificate).unwrap(), fs::read(key).unwrap()].concat()).unwrap();
}
