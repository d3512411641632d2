//! The outbox: mails as files, for trying the product without a mail server. They hold links that are secrets.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use orgtrail::platform::Clock;
use orgtrail::storage::new_id;

/// The folder `outbox` in the data folder.
#[derive(Clone)]
pub(super) struct Outbox {
    folder: PathBuf,
    clock: Clock,
}

impl Outbox {
    pub(super) fn new(data_folder: &Path, clock: Clock) -> Self {
        Self { folder: data_folder.join("outbox"), clock }
    }

    /// Puts a mail into a file `<time>-<id>.eml`, readable by this account only.
    pub(super) async fn put(&self, mail: Vec<u8>) -> io::Result<()> {
        let outbox = self.clone();
        tokio::task::spawn_blocking(move || outbox.write(&mail)).await?
    }

    /// Beside, then under its name: whoever looks into the folder finds whole mails.
    fn write(&self, mail: &[u8]) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        let now = self.clock.now();
        let id = new_id(now).map_err(io::Error::other)?;
        let name = format!("{}-{id}", now.format("%Y%m%dT%H%M%S%.3fZ"));
        let (beside, file) = (self.folder.join(format!(".{name}")), self.folder.join(format!("{name}.eml")));
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?.write_all(mail)?;
        std::fs::rename(beside, file)
    }
}
