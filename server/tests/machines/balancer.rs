//! HAProxy, with the configuration that docs/operate hands out: only its certificate and its ports are others.

use std::fs;

use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::machines::{Server, free_port};

/// What operators are given.
const CONFIGURATION: &str = include_str!("../../../docs/operate/haproxy.cfg");

/// A port for a balancer that starts soon: the servers have to know it before.
pub struct Front(u16);

impl Front {
    /// A free one.
    pub fn new() -> Self {
        Self(free_port())
    }

    /// What people type.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.0)
    }

    /// A balancer before two servers; it ends with the value.
    pub fn open(&self, servers: [&Server; 2]) -> Balancer {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("haproxy.cfg");
        fs::write(&file, self.configuration(servers)).unwrap();
        // Debian keeps it where only root looks.
        let path = format!("{}:/usr/sbin", std::env::var("PATH").unwrap());
        let process = Command::new("haproxy").env("PATH", path).arg("-f").arg(&file).kill_on_drop(true).spawn();
        Balancer { _process: process.expect("scripts/setup --test installs haproxy"), _folder: folder }
    }

    fn configuration(&self, [one, two]: [&Server; 2]) -> String {
        let mut configuration = CONFIGURATION.to_owned();
        for (ours, theirs) in [
            (":443 ssl crt /etc/ssl/audit.example.pem alpn h2,http/1.1", format!("127.0.0.1:{}", self.0)),
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
    _folder: TempDir,
}
