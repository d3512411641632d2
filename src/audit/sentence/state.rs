//! What is known of an event, field by field, in words.

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use serde_json::{Map, Value};

use super::Facts;
use crate::audit::range::calendar;
use crate::audit::visible::visible;
use crate::number::counted;

/// Longest JSON document that is read for a sentence, in bytes.
const MAX_DOCUMENT: usize = 64 * 1024;

/// Longest value in a sentence, in characters; a cut is visible.
const MAX_CHARS: usize = 120;

/// Changed fields that a sentence names.
const MAX_CHANGES: usize = 3;

/// The facts of an event, their JSON read.
pub(super) struct State<'a> {
    pub(super) facts: &'a Facts<'a>,
    old: Map<String, Value>,
    new: Map<String, Value>,
}

impl<'a> State<'a> {
    pub(super) fn of(facts: &'a Facts<'a>) -> Self {
        Self { facts, old: read(facts.previous), new: read(facts.next) }
    }

    /// The words of a place of a template: a field of the new or old state, `old.` or `new.` something, or one of the names below.
    pub(super) fn words(&self, place: &str) -> Option<String> {
        let words = match place {
            "name" => self.name(),
            "action" => Some(self.words_of_action()),
            "attempt" => Some(self.way().0.to_owned()),
            "attempted" => Some(self.way().1.to_owned()),
            "ended sessions" => self.ended_sessions(),
            "operation" => self.facts.operation_name.map(str::to_owned),
            "model" => self.facts.export_model.map(str::to_owned).or_else(|| self.field("model")),
            "exported rows" => self.facts.export_rows.map(|rows| counted(rows, "row")),
            "wanted rows" => self.number("rows").map(|rows| counted(rows, "row")),
            "added records" => self.number("records").map(|records| counted(records, "record")),
            "events" => self.number("rows").map(|rows| counted(rows, "event")),
            "trusted documents" => self.number("documents").map(|documents| counted(documents, "trusted document")),
            "changes" => self.changes(),
            "range" => self.range(),
            "reason" => self.field("reason").map(|class| reason(&class)),
            _ => self.field(place),
        };
        words.filter(|words| !words.trim().is_empty()).map(|words| visible(&cut(&words)))
    }

    /// Whether both states have the field, and not alike.
    pub(super) fn is_changed(&self, field: &str) -> bool {
        self.old.get(field).zip(self.new.get(field)).is_some_and(|(old, new)| old != new)
    }

    /// A dotted name as words: `invoice.line_item.added` is “Invoice line item added”.
    pub(super) fn words_of_action(&self) -> String {
        let words = self.facts.action.replace(['.', '_'], " ");
        let mut characters = words.chars();
        let first = characters.next().map(|first| first.to_ascii_uppercase());
        visible(&cut(&first.into_iter().chain(characters).collect::<String>()))
    }

    /// What was tried, and what was done, by the way that was used.
    fn way(&self) -> (&'static str, &'static str) {
        match self.facts.login_method.unwrap_or_default() {
            "signup" => ("sign up", "Signed up"),
            "acceptInvite" => ("accept an invite", "Accepted an invite"),
            "updateAccount" => ("change their account", "Changed their account"),
            "changeEmail" => ("change their e-mail address", "Changed their e-mail address"),
            "changePassword" => ("change their password", "Changed their password"),
            "resetPassword" => ("choose a new password by a mailed link", "Chose a new password by a mailed link"),
            "endSessions" => ("end sessions of their own", "Ended sessions of their own"),
            _ => ("sign in", "Signed in"),
        }
    }

    /// How many sessions there are less than before.
    fn ended_sessions(&self) -> Option<String> {
        let [before, after] = [&self.old, &self.new].map(|state| state.get("sessions").and_then(Value::as_i64));
        Some(counted(before?.checked_sub(after?)?, "session"))
    }

    fn name(&self) -> Option<String> {
        let given = self.facts.object_name.filter(|name| !name.trim().is_empty()).map(str::to_owned);
        given.or_else(|| self.field("name"))
    }

    fn field(&self, place: &str) -> Option<String> {
        match place.split_once('.') {
            Some(("old", field)) => self.old.get(field).and_then(plain),
            Some(("new", field)) => self.new.get(field).and_then(plain),
            _ => self.new.get(place).or_else(|| self.old.get(place)).and_then(plain),
        }
    }

    fn number(&self, field: &str) -> Option<i64> {
        let value = self.new.get(field)?;
        value.as_i64().or_else(|| i64::try_from(value.as_array()?.len()).ok())
    }

    /// The names of the fields that differ.
    fn changes(&self) -> Option<String> {
        let names: Vec<_> = self.new.keys().filter(|field| self.old.get(*field) != self.new.get(*field)).collect();
        let first: Vec<_> = names.iter().take(MAX_CHANGES).map(|name| name.replace('_', " ")).collect();
        let more = names.len().saturating_sub(MAX_CHANGES);
        let known = !self.old.is_empty() && !names.is_empty();
        let suffix = if more > 0 { format!(" and {more} more") } else { String::new() };
        known.then(|| first.join(", ") + &suffix)
    }

    /// The days of an export, or its instants in UTC.
    fn range(&self) -> Option<String> {
        let instant = |field| self.field(field)?.parse::<DateTime<Utc>>().ok();
        let (start, end) = (instant("start")?, instant("end")?);
        if start.time() == NaiveTime::MIN && end.time() == NaiveTime::MIN && start < end {
            return Some(calendar::label(start.date_naive(), (end - TimeDelta::microseconds(1)).date_naive()));
        }
        Some(format!("{} – {} UTC", start.format("%-d %b %Y %H:%M"), end.format("%-d %b %Y %H:%M")))
    }
}

fn read(document: Option<&str>) -> Map<String, Value> {
    let short = document.filter(|text| text.len() <= MAX_DOCUMENT);
    short.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

/// A value as words: text, numbers, and lists of them.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Array(values) => Some(values.iter().filter_map(plain).collect::<Vec<_>>().join(", ")),
        Value::Null | Value::Bool(_) | Value::Object(_) => None,
    }
}

fn reason(class: &str) -> String {
    match class {
        "wrong_credentials" => "wrong e-mail address or password".to_owned(),
        "throttled" => "too many attempts".to_owned(),
        other => other.replace('_', " "),
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
