//! Links of the audit-log page: its whole state is the query string, and every control is another query string.

use form_urlencoded::{Serializer, parse};

/// Which page of the list, and which event is open: gone when the filters change.
const POSITION: [&str; 3] = ["before", "after", "event"];

/// What says from when to when.
const RANGE: [&str; 3] = ["range", "start", "end"];

/// A query string taken apart, in its own order. Nothing is checked here: the server does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Takes a query string (without `?`) apart; parameters without a value are dropped.
    #[must_use]
    pub fn parse(raw: &str) -> Self {
        let pairs = parse(raw.as_bytes()).into_owned();
        Self(pairs.filter(|(_, value)| !value.is_empty()).collect())
    }

    /// The value of a parameter.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// Every parameter with its value, but those named: what a form carries along in hidden fields.
    pub fn all_but<'a>(&'a self, names: &'a [&str]) -> impl Iterator<Item = &'a (String, String)> {
        self.0.iter().filter(move |(own, _)| !names.contains(&own.as_str()) && !POSITION.contains(&own.as_str()))
    }

    /// Without the parameters named.
    #[must_use]
    pub fn without(&self, names: &[&str]) -> Self {
        Self(self.0.iter().filter(|(own, _)| !names.contains(&own.as_str())).cloned().collect())
    }

    /// With one parameter set, last; unset where the value is empty.
    #[must_use]
    fn with(&self, name: &str, value: &str) -> Self {
        let mut changed = self.without(&[name]);
        if !value.is_empty() {
            changed.0.push((name.to_owned(), value.to_owned()));
        }
        changed
    }

    /// The list itself: without the open event.
    #[must_use]
    pub fn list(&self) -> Self {
        self.without(&["event"])
    }

    /// What is counted and exported: without page and open event.
    #[must_use]
    pub fn scope(&self) -> Self {
        self.without(&POSITION)
    }

    /// With an event open.
    #[must_use]
    pub fn open(&self, event: &str) -> Self {
        self.with("event", event)
    }

    /// The page of older events.
    #[must_use]
    pub fn older(&self, cursor: &str) -> Self {
        self.scope().with("after", cursor)
    }

    /// The page of newer events.
    #[must_use]
    pub fn newer(&self, cursor: &str) -> Self {
        self.scope().with("before", cursor)
    }

    /// With a filter set (or unset by an empty value), on the newest page.
    #[must_use]
    pub fn filter(&self, name: &str, value: &str) -> Self {
        self.scope().with(name, value)
    }

    /// With a named range instead of the present one; the zone stays.
    #[must_use]
    pub fn preset(&self, range: &str) -> Self {
        self.scope().without(&RANGE).with("range", range)
    }

    /// Without filters; range, zone and kinds stay.
    #[must_use]
    pub fn unfiltered(&self) -> Self {
        self.scope().without(&["action", "actor", "object", "q"])
    }

    /// Other kinds of events (the first ones by an empty value), without the filters that belong to a kind.
    #[must_use]
    pub fn of_kind(&self, kind: &str) -> Self {
        self.filter("kind", kind).without(&["action", "object"])
    }

    /// Address on `path`.
    #[must_use]
    pub fn on(&self, path: &str) -> String {
        if self.0.is_empty() { path.to_owned() } else { format!("{path}?{self}") }
    }
}

impl std::fmt::Display for Query {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&Serializer::new(String::new()).extend_pairs(&self.0).finish())
    }
}

/// A raw query string without the open event: what the list is asked with. Nothing else is touched, so that the server
/// sees, and can refuse, what was really asked.
#[must_use]
pub fn list_of(raw: &str) -> String {
    raw_without(raw, &["event"])
}

/// A raw query string without page and open event: what is counted.
#[must_use]
pub fn scope_of(raw: &str) -> String {
    raw_without(raw, &POSITION)
}

fn raw_without(raw: &str, names: &[&str]) -> String {
    let name = |pair: &str| pair.split('=').next().is_some_and(|name| names.contains(&name));
    raw.split('&').filter(|pair| !name(pair)).collect::<Vec<_>>().join("&")
}

/// A list of values as one parameter holds it, with `value` added if it was absent and taken out if it was there.
#[must_use]
pub fn toggled(chosen: &[String], value: &str) -> String {
    let rest: Vec<&str> = chosen.iter().map(String::as_str).filter(|own| *own != value).collect();
    let added = (rest.len() == chosen.len()).then_some(value);
    rest.into_iter().chain(added).collect::<Vec<_>>().join(",")
}

/// `path` with one parameter, escaped.
#[must_use]
pub fn with_parameter(path: &str, name: &str, value: &str) -> String {
    Query::default().with(name, value).on(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "range=7d&tz=Europe%2FBerlin&kind=change&q=a+b%26c&after=CURSOR&event=ID";

    #[test]
    fn keeps_values_as_they_are() {
        let query = Query::parse(PAGE);
        assert_eq!(query.to_string(), PAGE);
        assert_eq!(query.get("q"), Some("a b&c"));
        assert_eq!(query.get("tz"), Some("Europe/Berlin"));
    }

    #[test]
    fn asks_with_what_was_really_asked() {
        assert_eq!(list_of("q=%FF&event=ID&q=2&eventual=x"), "q=%FF&q=2&eventual=x");
        assert_eq!(scope_of("after=A&range=7d&event=ID"), "range=7d");
        assert_eq!(scope_of(""), "");
    }

    #[test]
    fn drops_what_is_empty() {
        assert_eq!(Query::parse("q=&range=7d&object=").to_string(), "range=7d");
        assert_eq!(Query::parse("").on("/acme"), "/acme");
    }

    #[test]
    fn a_changed_filter_starts_at_the_newest_page() {
        let query = Query::parse(PAGE).filter("actor", "user:1");
        assert_eq!(query.on("/acme"), "/acme?range=7d&tz=Europe%2FBerlin&kind=change&q=a+b%26c&actor=user%3A1");
    }

    #[test]
    fn a_preset_replaces_typed_dates_and_keeps_the_zone() {
        let query = Query::parse("start=2026-10-01&end=2026-10-31&tz=Asia%2FTokyo&actor=user%3A1");
        assert_eq!(query.preset("30d").to_string(), "tz=Asia%2FTokyo&actor=user%3A1&range=30d");
    }

    #[test]
    fn pages_exclude_each_other_and_close_the_event() {
        let query = Query::parse("q=x&after=A&event=E");
        assert_eq!(query.newer("B").to_string(), "q=x&before=B");
        assert_eq!(query.older("C").to_string(), "q=x&after=C");
        assert_eq!(query.open("F").to_string(), "q=x&after=A&event=F");
        assert_eq!(query.list().to_string(), "q=x&after=A");
    }

    #[test]
    fn clearing_keeps_the_range() {
        let query = Query::parse("range=7d&tz=UTC&kind=all&action=a.b&actor=user%3A1&object=member&q=x&before=B");
        assert_eq!(query.unfiltered().to_string(), "range=7d&tz=UTC&kind=all");
    }

    #[test]
    fn other_kinds_have_other_actions() {
        let query = Query::parse("range=7d&kind=all&action=a.b&actor=user%3A1&object=member&q=x&before=B");
        assert_eq!(query.of_kind("login").to_string(), "range=7d&actor=user%3A1&q=x&kind=login");
        assert_eq!(query.of_kind("").to_string(), "range=7d&actor=user%3A1&q=x");
    }

    #[test]
    fn forms_carry_the_rest_along() {
        let query = Query::parse("range=7d&q=x&after=A&actor=user%3A1");
        let rest: Vec<_> = query.all_but(&["q"]).map(|(name, _)| name.as_str()).collect();
        assert_eq!(rest, ["range", "actor"]);
    }

    #[test]
    fn toggles_a_value_of_a_list() {
        let chosen = ["member.*".to_owned(), "team.created".to_owned()];
        assert_eq!(toggled(&chosen, "member.*"), "team.created");
        assert_eq!(toggled(&chosen, "graph.*"), "member.*,team.created,graph.*");
        assert_eq!(toggled(&[], "graph.*"), "graph.*");
    }
}
