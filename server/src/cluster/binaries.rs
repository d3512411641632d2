//! Finding Postgres' programs on this machine.

use std::cmp::Reverse;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::ClusterError;

/// The oldest major version that the product's SQL is written for.
const OLDEST_MAJOR: u32 = 15;

/// Where Debian and Ubuntu keep one folder for each major version.
const DEBIAN_ROOT: &str = "/usr/lib/postgresql";

/// A folder with `postgres` and `initdb` of one major version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Binaries {
    folder: PathBuf,
    /// The major version, 15 or more.
    pub(super) major: u32,
}

impl Binaries {
    /// The newest Postgres there is; for a cluster that exists, the version that made it.
    ///
    /// `given` (from `ORGTRAIL_POSTGRES_BIN`) is the only folder considered when it is set.
    pub(super) fn find(given: Option<&Path>, cluster: &Path) -> Result<Self, ClusterError> {
        let mut found = candidates(given).into_iter().filter_map(Self::inspect).collect::<Vec<_>>();
        found.sort_by_key(|binaries| Reverse(binaries.major));
        let newest = found.first().cloned().ok_or_else(|| ClusterError::NoBinaries { looked_in: looked_in(given) })?;
        match made_by(cluster) {
            None => Ok(newest),
            Some(major) => {
                found.into_iter().find(|binaries| binaries.major == major).ok_or_else(|| other_version(cluster, major))
            }
        }
    }

    /// The path of one of the programs.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn inspect(folder: PathBuf) -> Option<Self> {
        if !folder.join("initdb").is_file() {
            return None;
        }
        let output = Command::new(folder.join("postgres")).arg("--version").output().ok()?;
        let major = parse_major(&String::from_utf8_lossy(&output.stdout))?;
        (major >= OLDEST_MAJOR).then_some(Self { folder, major })
    }
}

fn candidates(given: Option<&Path>) -> Vec<PathBuf> {
    match given {
        Some(folder) => vec![folder.to_owned()],
        None => debian_folders().into_iter().chain(path_folders()).chain(pg_config_folder()).collect(),
    }
}

fn debian_folders() -> Vec<PathBuf> {
    let Ok(versions) = std::fs::read_dir(DEBIAN_ROOT) else { return Vec::new() };
    versions.flatten().map(|version| version.path().join("bin")).collect()
}

fn path_folders() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).filter(|folder| folder.join("postgres").is_file()).collect()
}

fn pg_config_folder() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    let folder = String::from_utf8(output.stdout).ok()?;
    Some(PathBuf::from(folder.trim()))
}

/// `postgres (PostgreSQL) 15.13 (Debian 15.13-0+deb12u1)` → 15; also `17beta1`, `18devel`.
fn parse_major(version: &str) -> Option<u32> {
    let number = version.strip_prefix("postgres (PostgreSQL) ")?;
    let end = number.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(number.len());
    number[..end].parse().ok()
}

/// The major version that made `cluster`, or `None` when there is no cluster yet.
pub(super) fn made_by(cluster: &Path) -> Option<u32> {
    std::fs::read_to_string(cluster.join("PG_VERSION")).ok()?.trim().parse().ok()
}

fn looked_in(given: Option<&Path>) -> String {
    match given {
        Some(folder) => format!("in {} (ORGTRAIL_POSTGRES_BIN)", folder.display()),
        None => format!("in {DEBIAN_ROOT}/*/bin or on the PATH"),
    }
}

fn other_version(cluster: &Path, made_by: u32) -> ClusterError {
    ClusterError::OtherVersion { cluster: cluster.to_owned(), made_by }
}

#[cfg(test)]
mod tests {
    use super::parse_major;

    #[test]
    fn the_major_version_is_the_first_number() {
        assert_eq!(parse_major("postgres (PostgreSQL) 15.13 (Debian 15.13-0+deb12u1)\n"), Some(15));
        assert_eq!(parse_major("postgres (PostgreSQL) 18beta1\n"), Some(18));
        assert_eq!(parse_major("postgres (EnterpriseDB) 15.1\n"), None);
    }
}
