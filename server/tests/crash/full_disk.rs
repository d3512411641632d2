//! A disk without room, of the data folder with its private Postgres: what cannot be written is not acknowledged, and with room it goes on by
//! itself, even if Postgres had to end.

use std::env;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::unistd::{Gid, Uid};
use tempfile::TempDir;
use tokio::sync::watch;

use crate::amount::rounds;
use crate::check::problems;
use crate::client::breathe;
use crate::doors::{is_alive, until_all_are_open};
use crate::load::{Load, Tenant};
use crate::site::{Site, folder};

/// Room for a cluster and some of its log.
const MEBIBYTES: u64 = 300;

/// The variable that leaves the test out where nobody may mount (`scripts/test`).
const LEFT_OUT: &str = "ORGTRAIL_TEST_WITHOUT_MOUNTS";

/// One of root's commands.
fn as_root(program: &str) -> Command {
    if Uid::effective().is_root() {
        return Command::new(program);
    }
    let mut sudo = Command::new("sudo");
    sudo.args(["--non-interactive", program]);
    sudo
}

/// A disk of its own, in memory. It is gone with the value.
struct SmallDisk(TempDir);

impl SmallDisk {
    /// Nothing where that cannot be done and [`LEFT_OUT`] says that it need not be.
    fn mount() -> Option<Self> {
        let folder = folder();
        let owner = format!("uid={},gid={}", Uid::effective(), Gid::effective());
        let options = format!("size={MEBIBYTES}m,mode=0711,{owner}");
        let mut mount = as_root("mount");
        mount.args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(folder.path());
        let mounted = mount.status().is_ok_and(|status| status.success());
        let left_out = env::var_os(LEFT_OUT).is_some_and(|value| !value.is_empty());
        assert!(
            mounted || left_out,
            "a small disk cannot be mounted: that takes root, or `sudo` without a password. {LEFT_OUT}=1 leaves the test of a full disk out."
        );
        mounted.then(|| Self(folder))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Takes all the room that there is.
    fn fill(&self) -> Ballast {
        let path = self.path().join("ballast");
        let mut file = File::options().create(true).append(true).open(&path).unwrap();
        for size in [1 << 20, 1 << 12] {
            let piece = vec![0; size];
            let full = loop {
                if let Err(error) = file.write_all(&piece) {
                    break error;
                }
            };
            assert_eq!(full.kind(), ErrorKind::StorageFull, "{full}");
        }
        Ballast(path)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let unmounted = as_root("umount").args(["--lazy"]).arg(self.path()).status();
        assert!(unmounted.is_ok_and(|status| status.success()), "{} stays mounted", self.path().display());
    }
}

/// A file that takes room.
struct Ballast(PathBuf);

impl Ballast {
    fn remove(self) {
        fs::remove_file(self.0).unwrap();
    }
}

/// Waits until an event is refused for want of room; whatever gets in until then has room that was there before.
async fn until_refused(disk: &SmallDisk, tenant: &Tenant) -> Ballast {
    let note = "x".repeat(20_000);
    let mut number = 0;
    loop {
        let ballast = disk.fill(); // what Postgres gave back meanwhile, too
        number += 1;
        let event = serde_json::json!({ "action": "room.taken", "actor": { "user": { "id": "u-1" } }, "next": { "note": note } });
        if tenant.product.send(&format!("room-{number}"), &event).await.is_none() {
            return ballast;
        }
    }
}

#[tokio::test]
async fn what_finds_no_room_on_the_disk_is_not_acknowledged() {
    let Some(disk) = SmallDisk::mount() else { return };
    for (round, mut random) in rounds("a full disk", 1).enumerate() {
        let data = disk.path().join(round.to_string());
        let site = Site::at(&data);
        let (server, address) = site.serve().await;
        let (_url, urls) = watch::channel(address);
        let mut load = Load::begin(&site, &urls, &mut random).await;
        let (ledger, tenant) = (load.ledger.clone(), load.tenants[0].clone());
        let filling = async {
            ledger.more(20).await;
            let ballast = until_refused(&disk, &tenant).await;
            // It stays so: nothing makes room but whoever took it.
            for _ in 0..20 {
                assert!(is_alive(&tenant.owner).await);
                breathe().await;
            }
            ballast.remove();
            until_all_are_open(&tenant).await;
            ledger.more(20).await;
        };
        load.during(filling).await;
        let acknowledged = load.end().await;
        assert_eq!(problems(&site, &acknowledged).await, Vec::<String>::new());
        drop(server);
        drop(site);
        fs::remove_dir_all(&data).unwrap();
    }
}
