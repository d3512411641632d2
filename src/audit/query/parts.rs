//! Parts of query strings that several doors have: a range, a page, the form of an export.

use super::{ExportFormat, Pairs, Position};
use crate::audit::csv::Escaping;
use crate::audit::range::{Preset, RangeInput};
use crate::{Error, Result};

/// The range of a page: by name, by bounds, or the default.
pub(crate) fn range(pairs: &Pairs) -> Result<RangeInput> {
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
pub(crate) fn bounds(pairs: &Pairs) -> RangeInput {
    let typed = |name| pairs.get(name).unwrap_or_default().to_owned();
    RangeInput::Bounds { start: typed("start"), end: typed("end") }
}

/// Which page of a list.
pub(crate) fn position(pairs: &Pairs) -> Result<Option<Position>> {
    match (pairs.get("before"), pairs.get("after")) {
        (Some(_), Some(_)) => Err(Error::invalid("before", "Give either before or after.")),
        (Some(cursor), None) => Ok(Some(Position::Before(cursor.to_owned()))),
        (None, Some(cursor)) => Ok(Some(Position::After(cursor.to_owned()))),
        (None, None) => Ok(None),
    }
}

/// The format of an export, its escaping and its byte-order mark. NDJSON has neither of the latter: it is byte for byte.
pub(crate) fn form(pairs: &Pairs) -> Result<(ExportFormat, Escaping, bool)> {
    let format = choice(pairs, "format", &[("csv", ExportFormat::Csv), ("ndjson", ExportFormat::Ndjson)])?;
    let escaping = choice(pairs, "csv", &[("formula-safe", Escaping::FormulaSafe), ("raw", Escaping::Raw)])?;
    let bom = choice(pairs, "bom", &[("0", false), ("1", true)])?;
    if format == ExportFormat::Csv {
        return Ok((format, escaping, bom));
    }
    match ["csv", "bom"].into_iter().find(|name| pairs.get(name).is_some()) {
        Some(name) => Err(of_csv_only(name)),
        None => Ok((format, Escaping::Raw, false)),
    }
}

/// What NDJSON has not to choose.
pub(super) fn of_csv_only(name: &str) -> Error {
    Error::invalid(name, "This belongs to CSV: format=ndjson always holds every field, byte for byte.")
}

/// The value that one of a few words stands for; the first if the parameter is absent.
pub(super) fn choice<T: Copy, const N: usize>(pairs: &Pairs, name: &str, words: &[(&str, T); N]) -> Result<T> {
    let chosen = pairs.get(name).unwrap_or(words[0].0);
    let names = || words.map(|(word, _)| word).join(" or ");
    let unknown = || Error::invalid(name, format!("{name} is {}; {} if absent.", names(), words[0].0));
    words.iter().find(|(word, _)| *word == chosen).map(|(_, value)| *value).ok_or_else(unknown)
}
