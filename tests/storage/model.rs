//! A plain model of a trail: events as values, and what it means that a search finds one.

use chrono::{DateTime, TimeDelta, Utc};
use orgtrail::audit::append::{Draft, LoginFacts};
use orgtrail::audit::event::{Actor, Kind};
use orgtrail::identity::viewer::Origin;
use std::collections::BTreeSet;

/// An event as the tests know it.
pub struct Known {
    pub index: i64,
    pub at: DateTime<Utc>,
    pub kind: Kind,
    pub action: String,
    pub user: Option<String>,
    pub token: Option<String>,
    pub object_type: String,
    pub object_id: Option<String>,
    pub csv_safe_length: usize,
    words: BTreeSet<String>,
}

impl Known {
    /// Whether each of the words begins one of its own.
    pub fn finds(&self, words: &[&str]) -> bool {
        words.iter().all(|wanted| self.words.iter().any(|word| word.starts_with(wanted)))
    }
}

pub fn known(draft: &Draft, index: i64, csv_safe_length: i32) -> Known {
    Known {
        index,
        at: draft.claimed_at.unwrap(),
        kind: draft.kind,
        action: draft.action.clone(),
        user: draft.actor.user.as_ref().map(|user| user.id.clone()),
        token: draft.actor.access_token.as_ref().map(|token| token.id.clone()),
        object_type: draft.object_type.clone(),
        object_id: draft.object_id.clone(),
        csv_safe_length: usize::try_from(csv_safe_length).unwrap(),
        words: words(draft),
    }
}

/// Everything that a person would search for.
fn words(draft: &Draft) -> BTreeSet<String> {
    let mut texts: Vec<String> = vec![draft.action.clone(), draft.object_type.clone()];
    texts.extend([&draft.object_id, &draft.object_name, &draft.origin.ip].into_iter().flatten().cloned());
    texts.extend(draft.login.iter().map(|login| login.email.clone()));
    texts.extend(
        draft
            .actor
            .user
            .iter()
            .flat_map(|user| [Some(user.id.clone()), user.name.clone(), user.email.clone()])
            .flatten(),
    );
    texts.extend(
        draft.actor.access_token.iter().flat_map(|token| [Some(token.id.clone()), token.name.clone()]).flatten(),
    );
    for document in [&draft.previous, &draft.next].into_iter().flatten() {
        collect(&serde_json::from_str(document).unwrap(), &mut texts);
    }
    let cut = |text: &String| {
        text.to_lowercase()
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    texts.iter().flat_map(cut).collect()
}

/// The keys and values of a document.
fn collect(value: &serde_json::Value, texts: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(members) => members.iter().for_each(|(key, value)| {
            texts.push(key.clone());
            collect(value, texts);
        }),
        serde_json::Value::Array(items) => items.iter().for_each(|item| collect(item, texts)),
        serde_json::Value::String(text) => texts.push(text.clone()),
        other => texts.push(other.to_string()),
    }
}

/// Numbers that look like chance and are the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[usize::try_from(self.roll(all.len() as u64)).unwrap()]
    }
}

const ACTIONS: [(&str, &str); 7] = [
    ("invoice.paid", "invoice"),
    ("invoice.line.added", "invoice"),
    ("member.created", "member"),
    ("member.updated", "member"),
    ("team.member.added", "team_member"),
    ("team.member.removed", "team_member"),
    ("graph.created", "graph"),
];

const DOCUMENTS: [&str; 5] = [
    r#"{"role":"admin","name":"Ada Lovelace"}"#,
    r#"{"note":"caf\u00e9 \"au lait\"\nline two"}"#,
    r#"{"amount":1.50,"lines":[{"plan":"enterprise"}]}"#,
    r#"{"cafe":null}"#,
    "{}",
];

/// Varied events of the eighty-nine days before 15 June 2025, many at the same microsecond.
pub fn drafts(count: usize) -> Vec<Draft> {
    let mut dice = Dice(2025);
    (0..count).map(|_| draft(&mut dice)).collect()
}

fn draft(dice: &mut Dice) -> Draft {
    let kind = dice.one_of(&[
        Kind::Change,
        Kind::Change,
        Kind::Change,
        Kind::Change,
        Kind::Login,
        Kind::Operation,
        Kind::Export,
    ]);
    let (action, object_type) = if kind == Kind::Login { ("login.attempted", "user") } else { dice.one_of(&ACTIONS) };
    let mut draft = Draft::named(kind, action, object_type);
    let newest: DateTime<Utc> = "2025-06-15T11:59:59.999999Z".parse().unwrap();
    // Few hours, fewer microseconds: ties.
    let days = TimeDelta::hours(i64::try_from(dice.roll(88 * 24)).unwrap());
    draft.claimed_at = Some(
        newest
            - if dice.roll(3) == 0 { TimeDelta::days(days.num_days() / 30) } else { days }
            - TimeDelta::microseconds(dice.roll(2).cast_signed()),
    );
    draft.actor = actor(dice);
    draft.object_id = dice.one_of(&[None, Some("7"), Some("8"), Some("2025/06:7")]).map(str::to_owned);
    draft.object_name = dice.one_of(&[None, Some("Grace Hopper"), Some("Ada's own")]).map(str::to_owned);
    draft.previous = (dice.roll(2) == 0).then(|| dice.one_of(&DOCUMENTS).to_owned());
    draft.next = Some(dice.one_of(&DOCUMENTS).to_owned());
    draft.origin = Origin {
        ip: dice.one_of(&[None, Some("192.0.2.1"), Some("192.0.2.14")]).map(str::to_owned),
        ..Origin::default()
    };
    draft.login = (kind == Kind::Login)
        .then(|| LoginFacts { method: "login".to_owned(), email: "Typed@elsewhere.example".to_owned() });
    draft
}

fn actor(dice: &mut Dice) -> Actor {
    let number = dice.roll(5);
    let name = dice.one_of(&["Ada Lovelace", "Grace Hopper", "Łukasz ÉTÉ"]);
    if dice.roll(4) == 0 {
        Actor::access_token(format!("t-{number}"), "robot")
    } else {
        Actor::user(format!("u-{number}"), name, "x@acme.example")
    }
}
