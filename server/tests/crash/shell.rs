//! Commands of the documentation, run as the account that a Postgres runs as, where its folders are those of a test.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::unistd::Uid;

use crate::site::Site;

/// A folder in which commands run, beside the Postgres of a site.
pub struct Shell {
    folder: PathBuf,
    /// Where `postgres` and its programs are.
    programs: PathBuf,
    /// Whom its files belong to.
    account: (u32, u32),
    /// What the documentation calls something, and what it is here.
    names: Vec<(String, String)>,
}

impl Shell {
    /// One that works in `folder`, which is made.
    pub fn beside(site: &Site, folder: &Path) -> Self {
        let files = site.folder_of_postgres().join("postgres").metadata().unwrap();
        let running = site.postmaster().unwrap();
        let program = fs::read_link(format!("/proc/{running}/exe")).unwrap();
        let programs = program.parent().unwrap().to_owned();
        let shell =
            Self { folder: folder.to_owned(), programs, account: (files.uid(), files.gid()), names: Vec::new() };
        shell.make(folder);
        shell
    }

    /// Makes a folder of the account's.
    pub fn make(&self, folder: &Path) {
        fs::create_dir_all(folder).unwrap();
        chown(folder, Some(self.account.0), Some(self.account.1)).unwrap();
    }

    /// From now on, what the documentation calls `there` is `here`.
    pub fn call(&mut self, there: &str, here: impl ToString) {
        self.names.push((there.to_owned(), here.to_string()));
    }

    /// The block with this in it, of a page of the documentation.
    pub fn block(&self, page: &str, wanted: &str) -> String {
        let page = fs::read_to_string(format!("{}/../docs/{page}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let blocks = page.split("```").skip(1).step_by(2);
        let mut found = blocks.filter_map(|block| block.split_once('\n')).map(|(_language, text)| text);
        let block = found.find(|text| text.contains(wanted)).unwrap_or_else(|| panic!("no block has {wanted}"));
        let called = |text: String, (there, here): &(String, String)| text.replace(there, here);
        self.names.iter().fold(without_indentation(block), called)
    }

    /// Runs commands that end well; the programs ask the Postgres with this socket. Answers what they print.
    pub fn run(&self, socket: &Path, commands: &str) -> String {
        let mut shell = self.bash(commands);
        shell.env("PGHOST", socket).env("PGUSER", "postgres");
        if Uid::effective().is_root() {
            use std::os::unix::process::CommandExt;
            shell.uid(self.account.0).gid(self.account.1);
        }
        Self::said(shell, commands)
    }

    /// Runs commands that end well as the account of the test, root or not, which say themselves which Postgres they ask.
    pub fn run_as_we_are(&self, commands: &str) -> String {
        Self::said(self.bash(commands), commands)
    }

    fn bash(&self, commands: &str) -> Command {
        let mut shell = Command::new("bash");
        let path = format!("{}:{}", self.programs.display(), std::env::var("PATH").unwrap());
        shell.args(["-euo", "pipefail", "-c", commands]).current_dir(&self.folder).env_clear();
        shell.env("PATH", path).env("LC_ALL", "C.UTF-8");
        shell
    }

    fn said(mut shell: Command, commands: &str) -> String {
        let output = shell.output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{commands}\n{said}{}", String::from_utf8_lossy(&output.stderr));
        said
    }
}

/// What stands in a list stands further to the right, all of it.
fn without_indentation(block: &str) -> String {
    let indentation = block.len() - block.trim_start_matches(' ').len();
    let lines = block.lines().map(|line| line.get(indentation..).unwrap_or_default());
    lines.flat_map(|line| [line, "\n"]).collect()
}
