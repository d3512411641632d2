//! The how-tos of the documentation, run as they are written: each block of each, one after the other, in a folder of its own.

use std::path::{Path, PathBuf};

use orgtrail::identity::access_token::Scope;
use reqwest::Method;
use serde_json::Value;
use tokio::process::Command;

use crate::graphql::client::python;
use crate::support::{ACME, Answer, Client, TestApplication};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// A how-to, a folder for what it leaves, and the environment that its readers have.
struct Howto<'a> {
    app: &'a TestApplication,
    blocks: Vec<(String, String)>,
    folder: tempfile::TempDir,
    variables: Vec<(&'static str, String)>,
}

impl<'a> Howto<'a> {
    fn new(app: &'a TestApplication, name: &str) -> Self {
        let text = std::fs::read_to_string(format!("{ROOT}/docs/howto/{name}")).unwrap();
        let folder = tempfile::tempdir().unwrap();
        Self { app, blocks: blocks(&text), folder, variables: Vec::new() }
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.variables.push((name, value.to_owned()));
        self
    }

    /// Runs every block; answers what they print.
    async fn run(&self) -> Vec<String> {
        let mut said = Vec::new();
        for (number, (language, text)) in self.blocks.iter().enumerate() {
            let mut command = self.command(number, language, text).await;
            command.current_dir(self.folder.path()).envs(self.app.environment()).envs(self.variables.iter().cloned());
            let output = command.output().await.unwrap();
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
            said.push(text);
        }
        said
    }

    async fn command(&self, number: usize, language: &str, text: &str) -> Command {
        match language {
            "sh" => {
                let mut command = Command::new("bash");
                command.args(["-euo", "pipefail", "-c", text]).env("PATH", path_with_orgtrail());
                command
            }
            "python" => {
                let mut command = Command::new(python().await);
                command.arg(self.write(&format!("block{number}.py"), text));
                command
            }
            "ts" => {
                let mut command = Command::new("node");
                command.arg(compiled(&self.write(&format!("block{number}.mts"), text)).await);
                command
            }
            other => panic!("nobody knows how to run {other}"),
        }
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// The lines of a file that it left.
    fn lines(&self, name: &str) -> Vec<Value> {
        let text = self.text(name);
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).unwrap()
    }
}

/// Language and text of each block of code.
fn blocks(markdown: &str) -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    let mut lines = markdown.lines();
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let text: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            blocks.push((language.to_owned(), text.join("\n") + "\n"));
        }
    }
    assert!(!blocks.is_empty());
    blocks
}

fn path_with_orgtrail() -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_orgtrail")).parent().unwrap();
    format!("{}:{}", program.display(), std::env::var("PATH").unwrap())
}

/// Checks a module's types and compiles it: not every Node does that by itself.
async fn compiled(module: &Path) -> PathBuf {
    let packages = format!("{ROOT}/end2end/node_modules");
    let mut compiler = Command::new(format!("{packages}/.bin/tsc"));
    compiler.args(["--strict", "--target", "es2022", "--module", "nodenext", "--types", "node", "--skipLibCheck"]);
    compiler.arg("--typeRoots").arg(format!("{packages}/@types")).arg(module);
    let output = compiler.output().await.expect("packages of npm: (cd end2end && npm ci)");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    module.with_extension("mjs")
}

async fn count(app: &TestApplication, condition: &'static str) -> usize {
    let sql = sqlx::AssertSqlSafe(format!("select count(*) from orgtrail.events where {condition}"));
    let count: i64 = sqlx::query_scalar(sql).fetch_one(&app.superuser).await.unwrap();
    usize::try_from(count).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn sending_events() {
    let app = TestApplication::start().await;
    let token = app.token(&[Scope::EventsWrite]).await;
    let howto = Howto::new(&app, "send-events.md").with("ORGTRAIL_URL", &app.url).with("ORGTRAIL_TOKEN", &token);
    let languages: Vec<&str> = howto.blocks.iter().map(|(language, _)| language.as_str()).collect();
    assert_eq!(languages, ["sh", "python", "ts"]);
    let said = howto.run().await;
    assert!(said[0].contains(r#""client_id":"invoice-1042-paid","known":false"#), "{said:?}");
    assert_eq!(said[1].matches(" new\n").count(), 3, "{said:?}");
    assert!(said[2].contains("known: false"), "{said:?}");
    assert_eq!(count(&app, "source_access_token_id is not null").await, 5);
    let again = howto.blocks.iter().position(|(language, _)| language == "python").unwrap();
    assert_eq!(howto.run().await[again].matches(" known\n").count(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn pulling_into_a_siem() {
    let app = TestApplication::start().await;
    let token = app.token(&[Scope::AuditRead]).await;
    let howto = Howto::new(&app, "siem.md").with("ORGTRAIL_URL", &app.url).with("ORGTRAIL_TOKEN", &token);
    let product = app.program_with(&[Scope::EventsWrite]).await;
    for round in 1..=2 {
        let owner = app.owner().await;
        for number in 0..60 {
            let name = format!("Team {round} {number}");
            let made = owner.call("/api/create_team", &[("organization", ACME), ("name", &name)]).await;
            assert_eq!(made.status, 200, "{}", made.body);
        }
        let events = (0..600).map(|_| r#"{"action":"door.opened","actor":{"user":{"id":"u"}}}"#);
        let sent = product.bare(Method::POST, "/api/v1/events").header("content-type", "application/x-ndjson");
        assert_eq!(Answer::read(sent.body(events.collect::<Vec<_>>().join("\n"))).await.status, 201);
        while count(&app, "kind = 'login'").await < round {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        howto.run().await;
        let indexes: Vec<i64> =
            howto.lines("orgtrail.ndjson").iter().map(|event| event["index"].as_i64().unwrap()).collect();
        assert_eq!(indexes, (0..i64::try_from(indexes.len()).unwrap()).collect::<Vec<_>>(), "no gap and no repeat");
        assert!(indexes.len() > round * 600, "{}", indexes.len());
    }
    for (log, condition) in [
        ("unauthenticatedAuditLogs", "kind = 'login'"),
        ("authenticatedAuditLogs", "kind = 'operation' and operation_text is not null"),
        ("exporterAuditLogs", "kind = 'export'"),
    ] {
        let ids = howto.lines(&format!("{log}.ndjson"));
        let ids: std::collections::HashSet<_> = ids.iter().map(|node| node["id"].to_string()).collect();
        assert_eq!(ids.len(), count(&app, condition).await, "{log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rotating_a_token() {
    let app = TestApplication::start().await;
    let token = app.token(&[Scope::AuditRead]).await;
    let sql = "select id::text from orgtrail.access_tokens";
    let id: String = sqlx::query_scalar(sql).fetch_one(&app.superuser).await.unwrap();
    let howto = Howto::new(&app, "rotate-a-token.md")
        .with("AUDIT_URL", &app.url)
        .with("ORGANIZATION", ACME)
        .with("TOKEN_ID", &id);
    let said = howto.run().await;
    assert!(said.iter().any(|said| said.contains("SIEM 2\taudit:read")), "{said:?}");
    for (secret, status) in [(token, 401), (howto.text("secret.new"), 401), (howto.text("secret.second"), 200)] {
        let program = Client::program(&app.url, Some(secret.trim()));
        assert_eq!(program.get("/api/v1/events").await.status, status);
    }
}
