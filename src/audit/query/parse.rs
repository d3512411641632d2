//! From query strings to queries, and back; on the server only, because ranges need its time-zone database.

use chrono::{DateTime, Utc};

use super::filter::{ALL_KINDS, ActionPattern, ActorFilter, EventFilter, MAX_ACTIONS, ObjectFilter, Words};
use super::{ExportFormat, ExportQuery, PageQuery, Pairs, Profile, link, pairs, parts};
use crate::audit::csv::Escaping;
use crate::audit::event::Kind;
use crate::audit::range::resolve;
use crate::{Error, Result};

impl PageQuery {
    /// Parameters of the page.
    pub const PARAMETERS: [&str; 12] =
        ["range", "start", "end", "tz", "kind", "action", "actor", "object", "q", "before", "after", "event"];

    /// Reads the page's query string (without `?`).
    ///
    /// # Errors
    /// [`Error::Invalid`] naming the parameter and what is allowed.
    pub fn parse(raw: &str, now: DateTime<Utc>) -> Result<Self> {
        let pairs = Pairs::parse(raw, &Self::PARAMETERS)?;
        Ok(Self {
            filter: parse_filter(&pairs)?,
            range: resolve(&parts::range(&pairs)?, pairs.get("tz"), now)?,
            position: parts::position(&pairs)?,
            event: pairs.get("event").map(parse_event).transpose()?,
        })
    }

    /// The same list in canonical form, without page and open event: what links are made of, and the scope of cursors.
    #[must_use]
    pub fn to_query_string(&self) -> String {
        link::page(&self.range.view, &self.filter.view())
    }

    /// The export that downloads what this page's filters show; always names bounds and kinds.
    #[must_use]
    pub fn export_query(&self, organization: &str) -> String {
        link::export(organization, &self.range.view, &self.filter.view())
    }
}

impl ExportQuery {
    /// Parameters of the export.
    pub const PARAMETERS: [&str; 13] = [
        "organization",
        "start",
        "end",
        "tz",
        "kind",
        "action",
        "actor",
        "object",
        "q",
        "profile",
        "csv",
        "format",
        "bom",
    ];

    /// Reads the export's query string (without `?`).
    ///
    /// # Errors
    /// [`Error::Invalid`] naming the parameter and what is allowed.
    pub fn parse(raw: &str, now: DateTime<Utc>) -> Result<Self> {
        let pairs = Pairs::parse(raw, &Self::PARAMETERS)?;
        let missing = || Error::invalid("organization", "Name the organization by its slug.");
        let (format, escaping, bom) = parts::form(&pairs)?;
        Ok(Self {
            organization: pairs.get("organization").ok_or_else(missing)?.to_owned(),
            filter: parse_filter(&pairs)?,
            range: resolve(&parts::bounds(&pairs), pairs.get("tz"), now)?,
            format,
            profile: parse_profile(&pairs, format)?,
            escaping,
            bom,
        })
    }

    /// The same export in canonical form.
    #[must_use]
    pub fn to_query_string(&self) -> String {
        let mut out = link::export(&self.organization, &self.range.view, &self.filter.view());
        let is_csv = self.format == ExportFormat::Csv;
        let layout = [
            ("profile", "full", is_csv && self.profile == Profile::Full),
            ("csv", "raw", is_csv && self.escaping == Escaping::Raw),
            ("format", "ndjson", !is_csv),
            ("bom", "1", self.bom),
        ];
        for (name, value, _) in layout.into_iter().filter(|(_, _, differs)| *differs) {
            pairs::push(&mut out, name, value);
        }
        out
    }
}

fn parse_filter(pairs: &Pairs) -> Result<EventFilter> {
    Ok(EventFilter {
        kinds: parse_kinds(pairs.get("kind"))?,
        actions: parse_actions(pairs.get("action"))?,
        actor: pairs.get("actor").map(ActorFilter::parse).transpose()?,
        object: pairs.get("object").map(ObjectFilter::parse).transpose()?,
        words: pairs.get("q").map(Words::parse).transpose()?,
    })
}

/// Reads the parameter `kind`: a list, or `all`; `change` if absent.
fn parse_kinds(list: Option<&str>) -> Result<Vec<Kind>> {
    match list {
        None => Ok(EventFilter::default().kinds),
        Some(ALL_KINDS) => Ok(Kind::ALL.to_vec()),
        Some(list) => {
            let chosen = list.split(',').map(parse_kind).collect::<Result<Vec<_>>>()?;
            Ok(Kind::ALL.into_iter().filter(|kind| chosen.contains(kind)).collect())
        }
    }
}

fn parse_kind(word: &str) -> Result<Kind> {
    let unknown =
        || Error::invalid("kind", "A kind is one of change, login, operation and export; a list with commas, or all.");
    Kind::parse(word).ok_or_else(unknown)
}

/// Reads the parameter `action`: a list of names and groups, each kept once; none if absent.
fn parse_actions(list: Option<&str>) -> Result<Vec<ActionPattern>> {
    let mut actions: Vec<ActionPattern> = Vec::new();
    for text in list.into_iter().flat_map(|list| list.split(',')) {
        let pattern = ActionPattern::parse(text)?;
        if !actions.contains(&pattern) {
            actions.push(pattern);
        }
    }
    if actions.len() > MAX_ACTIONS {
        let many = format!(
            "{} actions are too many: at most {MAX_ACTIONS}; a group like member.* counts once.",
            actions.len()
        );
        return Err(Error::invalid("action", many));
    }
    Ok(actions)
}

/// Reads the parameter `event`: the id of one event.
///
/// # Errors
/// [`Error::Invalid`] for `event` if it is no id.
pub fn parse_event(id: &str) -> Result<uuid::Uuid> {
    let malformed =
        |_| Error::invalid("event", "An event is named by its UUID, like 0199f3c2-7c1e-7000-8000-000000000001.");
    uuid::Uuid::try_parse(id).map_err(malformed)
}

/// Columns. NDJSON has none to choose: it holds everything.
fn parse_profile(pairs: &Pairs, format: ExportFormat) -> Result<Profile> {
    let profile = parts::choice(pairs, "profile", &[("standard", Profile::Standard), ("full", Profile::Full)])?;
    match format {
        ExportFormat::Csv => Ok(profile),
        ExportFormat::Ndjson if pairs.get("profile").is_some() => Err(parts::of_csv_only("profile")),
        ExportFormat::Ndjson => Ok(Profile::Full),
    }
}

#[cfg(test)]
mod tests;
