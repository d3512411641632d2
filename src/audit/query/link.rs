//! Query strings made from what a page shows: pure, so that the browser makes the same links as the server.

use super::filter::kinds_text;
use super::pairs::push;
use crate::audit::event::Kind;
use crate::audit::range::Preset;
use crate::audit::view::{FilterView, RangeView};

/// The page's query string (without `?`): range and filters, from the newest event on. Never empty; what is default is left out, but for the range.
#[must_use]
pub fn page(range: &RangeView, filter: &FilterView) -> String {
    let mut out = self::range(range);
    if filter.kinds != [Kind::Change.as_str()] {
        push_kinds(&mut out, filter);
    }
    push_rest(&mut out, filter);
    out
}

/// The query string of the export that downloads what the page shows: bounds and kinds are always spelled out.
#[must_use]
pub fn export(organization: &str, range: &RangeView, filter: &FilterView) -> String {
    let mut out = String::new();
    push(&mut out, "organization", organization);
    push_bounds(&mut out, range);
    push_zone(&mut out, range);
    push_kinds(&mut out, filter);
    push_rest(&mut out, filter);
    out
}

/// The query string of a list that has nothing but a range.
#[must_use]
pub fn range(range: &RangeView) -> String {
    let mut out = String::new();
    match range.preset.as_deref().and_then(Preset::parse) {
        Some(preset) => push(&mut out, "range", preset.as_str()),
        None => push_bounds(&mut out, range),
    }
    push_zone(&mut out, range);
    out
}

/// The query string of what is exported by range alone: bounds are always spelled out.
#[must_use]
pub fn export_of_range(range: &RangeView) -> String {
    let mut out = String::new();
    push_bounds(&mut out, range);
    push_zone(&mut out, range);
    out
}

fn push_bounds(out: &mut String, range: &RangeView) {
    let days = (&range.first_day, &range.last_day);
    let (start, end) = if range.whole_days { days } else { (&range.start, &range.end) };
    push(out, "start", start);
    push(out, "end", end);
}

fn push_zone(out: &mut String, range: &RangeView) {
    if range.zone != "UTC" {
        push(out, "tz", &range.zone);
    }
}

fn push_kinds(out: &mut String, filter: &FilterView) {
    push(out, "kind", &kinds_text(&filter.kinds));
}

fn push_rest(out: &mut String, filter: &FilterView) {
    let actions = (!filter.actions.is_empty()).then(|| filter.actions.join(","));
    let actor = filter.actor.as_ref().map(|actor| &actor.value);
    let rest = [
        ("action", actions.as_ref()),
        ("actor", actor),
        ("object", filter.object.as_ref()),
        ("q", filter.words.as_ref()),
    ];
    for (name, value) in rest.into_iter().filter_map(|(name, value)| Some((name, value?))) {
        push(out, name, value);
    }
}
