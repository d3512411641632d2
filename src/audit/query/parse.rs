//! From query strings to queries, and back; on the server only, because ranges need its time-zone database.

use chrono::{DateTime, Utc};

use super::filter::{ALL_KINDS, ActionPattern, ActorFilter, EventFilter, MAX_ACTIONS, ObjectFilter, Words};
use super::{ExportFormat, ExportQuery, PageQuery, Pairs, Position, Profile, link, pairs};
use crate::audit::csv::Escaping;
use crate::audit::event::Kind;
use crate::audit::range::{Preset, RangeInput, resolve};
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
            range: resolve(&parse_range(&pairs)?, pairs.get("tz"), now)?,
            position: parse_position(&pairs)?,
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
        let format = choice(&pairs, "format", &[("csv", ExportFormat::Csv), ("ndjson", ExportFormat::Ndjson)])?;
        let (profile, escaping, bom) = parse_layout(&pairs, format)?;
        Ok(Self {
            organization: pairs.get("organization").ok_or_else(missing)?.to_owned(),
            filter: parse_filter(&pairs)?,
            range: resolve(&bounds(&pairs), pairs.get("tz"), now)?,
            format,
            profile,
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

fn parse_range(pairs: &Pairs) -> Result<RangeInput> {
    let has_bounds = pairs.get("start").is_some() || pairs.get("end").is_some();
    match pairs.get("range") {
        None if has_bounds => Ok(bounds(pairs)),
        None => Ok(RangeInput::Default),
        Some(_) if has_bounds => Err(Error::invalid("range", "Give either a range by name, or start and end.")),
        Some(word) => Preset::parse(word).map(RangeInput::Preset).ok_or_else(unknown_range),
    }
}

fn unknown_range() -> Error {
    let names: Vec<_> = Preset::ALL.iter().map(|preset| preset.as_str()).collect();
    Error::invalid("range", format!("A range is one of {}; or give start and end.", names.join(", ")))
}

/// The typed bounds. One that is missing is refused as an empty one: that names the form and the days allowed.
fn bounds(pairs: &Pairs) -> RangeInput {
    let typed = |name| pairs.get(name).unwrap_or_default().to_owned();
    RangeInput::Bounds { start: typed("start"), end: typed("end") }
}

fn parse_position(pairs: &Pairs) -> Result<Option<Position>> {
    match (pairs.get("before"), pairs.get("after")) {
        (Some(_), Some(_)) => Err(Error::invalid("before", "Give either before or after.")),
        (Some(cursor), None) => Ok(Some(Position::Before(cursor.to_owned()))),
        (None, Some(cursor)) => Ok(Some(Position::After(cursor.to_owned()))),
        (None, None) => Ok(None),
    }
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

/// Columns, escaping and byte-order mark. NDJSON has none of them to choose: it holds everything, byte for byte.
fn parse_layout(pairs: &Pairs, format: ExportFormat) -> Result<(Profile, Escaping, bool)> {
    let profile = choice(pairs, "profile", &[("standard", Profile::Standard), ("full", Profile::Full)])?;
    let escaping = choice(pairs, "csv", &[("formula-safe", Escaping::FormulaSafe), ("raw", Escaping::Raw)])?;
    let bom = choice(pairs, "bom", &[("0", false), ("1", true)])?;
    if format == ExportFormat::Csv {
        return Ok((profile, escaping, bom));
    }
    match ["profile", "csv", "bom"].into_iter().find(|name| pairs.get(name).is_some()) {
        Some(name) => {
            Err(Error::invalid(name, "This belongs to CSV: format=ndjson always holds every field, byte for byte."))
        }
        None => Ok((Profile::Full, Escaping::Raw, false)),
    }
}

/// The value that one of a few words stands for; the first if the parameter is absent.
fn choice<T: Copy, const N: usize>(pairs: &Pairs, name: &str, words: &[(&str, T); N]) -> Result<T> {
    let chosen = pairs.get(name).unwrap_or(words[0].0);
    let names = || words.map(|(word, _)| word).join(" or ");
    let unknown = || Error::invalid(name, format!("{name} is {}; {} if absent.", names(), words[0].0));
    words.iter().find(|(word, _)| *word == chosen).map(|(_, value)| *value).ok_or_else(unknown)
}

#[cfg(test)]
mod tests;
