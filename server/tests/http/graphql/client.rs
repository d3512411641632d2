//! The loop of the seed, word for word, in Python with the client `gql` from PyPI, in an environment of its own under `target`.

use std::path::{Path, PathBuf};

use orgtrail::identity::access_token::Scope;
use tokio::process::Command;

use super::logs::tidy;
use super::*;

/// The environment, made once for each state of the requirements, whose hashes `pip` checks.
pub async fn python() -> PathBuf {
    let requirements = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/graphql/requirements.txt");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("gql");
    let (python, ready) = (folder.join("bin/python"), folder.join("ready"));
    let wanted = std::fs::read(requirements).unwrap();
    if std::fs::read(&ready).is_ok_and(|have| have == wanted) {
        return python;
    }
    let _old = std::fs::remove_dir_all(&folder);
    run(Command::new("python3").args(["-m", "venv"]).arg(&folder)).await;
    run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--require-hashes", "-r", requirements])).await;
    std::fs::write(ready, wanted).unwrap();
    python
}

/// Runs a command to its end; answers what it says of errors, which is where the loop leaves what it has read.
async fn run(command: &mut Command) -> String {
    let output = command.output().await.unwrap();
    let (said, complained) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}{complained}");
    complained.into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_loop_of_the_seed_reads_everything() {
    let app = TestApplication::start().await;
    let token = app.token(&[Scope::AuditRead]).await;
    tidy(&app, 250).await;
    let document = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/graphql/authenticated.graphql");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/graphql/pull.py");
    let mut command = Command::new(python().await);
    let read = run(command.arg(script).arg(format!("{}/graphql", app.url)).args([&token, document])).await;
    let nodes: Vec<Value> = serde_json::from_str(read.lines().last().unwrap()).unwrap();
    assert_eq!(nodes.len(), 250);
    let names: std::collections::BTreeSet<_> = nodes.iter().map(|node| node["operationName"].to_string()).collect();
    assert_eq!(names.len(), 250);
}
