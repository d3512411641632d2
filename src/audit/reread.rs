//! What is kept of events, read again: each can still be read as one, and its record in the export is as long as was noted when it was
//! recorded. A change that leaves the length as it was is not found: that takes the hashes of a later version.

use futures::TryStreamExt;
use serde::Deserialize;
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{QueryBuilder, Row};
use uuid::Uuid;

use super::csv::Escaping;
use super::event::{Kind, Outcome};
use super::export::layout::Layout;
use super::export::record;
use crate::Result;

/// What is wrong with events of which something is.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Flaws {
    /// Their record in the export is longer or shorter than was noted.
    pub(crate) lengths: Flaw,
    /// What is stored is no event.
    pub(crate) unreadable: Flaw,
}

/// The events that have it, in the order of the trail.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Flaw {
    /// Indexes of the first [`NAMED`].
    first: Vec<i64>,
    events: usize,
}

/// Events that are named where several have the same flaw.
const NAMED: usize = 10;

impl FromIterator<i64> for Flaw {
    fn from_iter<T: IntoIterator<Item = i64>>(indexes: T) -> Self {
        let mut flaw = Self::default();
        indexes.into_iter().for_each(|index| flaw.add(index));
        flaw
    }
}

impl Flaw {
    /// One more event, of this index.
    fn add(&mut self, index: i64) {
        self.events += 1;
        if self.first.len() < NAMED {
            self.first.push(index);
        }
    }

    /// Those of a stretch that follows.
    pub(crate) fn extend(&mut self, later: Self) {
        self.events += later.events;
        self.first.extend(later.first);
        self.first.truncate(NAMED);
    }

    /// `event 7 is …`, `events 7, 9 are …`; nothing where no event has it. The same as long as the same events have it.
    pub(crate) fn told(&self, what: &str) -> Option<String> {
        let named = self.first.iter().map(i64::to_string).collect::<Vec<_>>().join(", ");
        match self.events {
            0 => None,
            1 => Some(format!("event {named} is {what}")),
            2..=NAMED => Some(format!("events {named} are {what}")),
            all => Some(format!("events {named} and {} more are {what}", all - NAMED)),
        }
    }
}

/// Reads the events of the bound organization from the index `first` to before `behind`, one after the other.
///
/// # Errors
/// What the database says, also where it cannot read one of them.
pub(crate) async fn flaws(connection: &mut PgConnection, organization: Uuid, first: i64, behind: i64) -> Result<Flaws> {
    let mut sql = QueryBuilder::new("select e.index, ");
    sql.push(record::columns(Layout::Ndjson)).push(", e.csv_safe_length, e.csv_raw_length from orgtrail.events as e");
    sql.push(" where e.organization_id = ").push_bind(organization);
    sql.push(" and e.index >= ").push_bind(first).push(" and e.index < ").push_bind(behind).push(" order by e.index");
    let query = sql.build();
    let mut rows = query.fetch(connection);
    let (mut flaws, mut written) = (Flaws::default(), Vec::new());
    while let Some(row) = rows.try_next().await? {
        // By its place: `index` is also a field as text.
        let index = row.try_get(0)?;
        if !is_event(&row, &mut written)? {
            flaws.unreadable.add(index);
        }
        if !has_length(&row, Escaping::FormulaSafe, "csv_safe_length", &mut written)?
            || !has_length(&row, Escaping::Raw, "csv_raw_length", &mut written)?
        {
            flaws.lengths.add(index);
        }
    }
    Ok(flaws)
}

/// What every event has to say of itself; the line may hold more.
#[derive(Deserialize)]
struct Line {
    #[serde(rename = "kind")]
    _kind: Kind,
    #[serde(rename = "outcome")]
    _outcome: Outcome,
}

/// Whether its line of the export for machines, in which every field is, is text and JSON, and of a kind and an outcome that there are.
fn is_event(row: &PgRow, written: &mut Vec<u8>) -> Result<bool> {
    written.clear();
    record::write(Layout::Ndjson, row, written)?;
    let line = str::from_utf8(written).ok().and_then(|text| serde_json::from_str::<Line>(text).ok());
    Ok(line.is_some())
}

/// Whether its record in an escaping, written as the export writes it, has the length that was noted. The nine columns are the first of all.
fn has_length(row: &PgRow, escaping: Escaping, noted: &str, written: &mut Vec<u8>) -> Result<bool> {
    written.clear();
    record::write(Layout::Standard(escaping), row, written)?;
    let noted: i32 = row.try_get(noted)?;
    Ok(usize::try_from(noted) == Ok(written.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(indexes: impl IntoIterator<Item = i64>) -> Flaw {
        indexes.into_iter().collect()
    }

    #[test]
    fn the_first_events_that_have_it_are_named() {
        assert_eq!(of([]).told("gone"), None);
        assert_eq!(of([7]).told("gone").unwrap(), "event 7 is gone");
        assert_eq!(of([7, 9]).told("gone").unwrap(), "events 7, 9 are gone");
        assert_eq!(of(0..10).told("gone").unwrap(), "events 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 are gone");
        assert_eq!(of(0..1000).told("gone").unwrap(), "events 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 990 more are gone");
    }

    #[test]
    fn stretches_together_are_as_if_they_were_one() {
        for border in [0, 1, 9, 10, 11, 30] {
            let mut flaw = of(0..border);
            flaw.extend(of(border..30));
            assert_eq!(flaw, of(0..30), "{border}");
        }
    }
}
