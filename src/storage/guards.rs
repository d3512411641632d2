//! What guards the schema: grants, policies, triggers, rules, functions, roles and who is a member of them, compared with what the migrations make.
//! `guards.txt` is that, written down by a test from a new database: a change of a guard is a change of the file. What differs between installations
//! that are as they should be is in no line: each line is looked for in all of them.

use std::collections::BTreeSet;

use sqlx::PgExecutor;

use crate::Result;

/// What the migrations make. Lines of partitions stand there once, for `<month>`.
const EXPECTED: &str = include_str!("guards.txt");

/// The months for which lines of partitions are expected are those that have a table.
const MONTH: &str = "<month>";

/// What is there, a line for each guard.
///
/// # Errors
/// [`crate::Error::Unavailable`] without a database.
pub async fn found(app: impl PgExecutor<'_>) -> Result<Vec<String>> {
    Ok(sqlx::query_file_scalar!("src/storage/guards.sql").fetch_all(app).await?)
}

/// What is there, as [`EXPECTED`] has it: every partition that is like the others is told once.
///
/// # Errors
/// As [`found`].
pub async fn written_down(app: impl PgExecutor<'_>) -> Result<String> {
    let lines: BTreeSet<String> = found(app).await?.into_iter().map(|line| without_month(&line)).collect();
    Ok(lines.into_iter().map(|line| line + "\n").collect())
}

/// What is not as the migrations made it, a sentence for each.
///
/// # Errors
/// As [`found`].
pub async fn problems(app: impl PgExecutor<'_>) -> Result<Vec<String>> {
    Ok(compare(EXPECTED, &found(app).await?))
}

fn compare(expected: &str, found: &[String]) -> Vec<String> {
    let months: Vec<&str> = found.iter().filter_map(|line| line.strip_prefix("table ")).filter_map(month).collect();
    let expected: BTreeSet<String> = expected.lines().flat_map(|line| of_months(line, &months)).collect();
    let found: BTreeSet<&str> = found.iter().map(String::as_str).collect();
    let missing =
        expected.iter().filter(|line| !found.contains(line.as_str())).map(|line| format!("It is missing: {line}"));
    let strange =
        found.iter().filter(|line| !expected.contains(**line)).map(|line| format!("It does not belong there: {line}"));
    missing.chain(strange).collect()
}

/// An expected line for each month, or the line itself if it is of no partition.
fn of_months(line: &str, months: &[&str]) -> Vec<String> {
    if !line.contains(MONTH) {
        return vec![line.to_owned()];
    }
    months.iter().map(|month| line.replace(MONTH, month)).collect()
}

/// The month of the first partition that a line names: `2026_11` of `events_2026_11`.
fn month(line: &str) -> Option<&str> {
    let month = line.split("events_").nth(1)?.get(..7)?;
    let is_month = |(place, byte): (usize, u8)| if place == 4 { byte == b'_' } else { byte.is_ascii_digit() };
    month.bytes().enumerate().all(is_month).then_some(month)
}

fn without_month(line: &str) -> String {
    month(line)
        .map_or_else(|| line.to_owned(), |month| line.replace(&format!("events_{month}"), &format!("events_{MONTH}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WRITTEN: &str = "grant select on table events to app\ntable events_<month> of owner\ntrigger always, on orgtrail.events_<month>\n";

    fn lines(lines: &[&str]) -> Vec<String> {
        lines.iter().map(|line| (*line).to_owned()).collect()
    }

    #[test]
    fn each_month_has_what_one_has() {
        let whole = lines(&[
            "grant select on table events to app",
            "table events_2026_11 of owner",
            "table events_2026_12 of owner",
            "trigger always, on orgtrail.events_2026_11",
            "trigger always, on orgtrail.events_2026_12",
        ]);
        assert_eq!(compare(WRITTEN, &whole), Vec::<String>::new());
        assert_eq!(compare(WRITTEN, &whole[..4]), ["It is missing: trigger always, on orgtrail.events_2026_12"]);
        assert_eq!(compare(WRITTEN, &whole[1..]), ["It is missing: grant select on table events to app"]);
        let more = [whole, lines(&["grant delete on table events to app"])].concat();
        assert_eq!(compare(WRITTEN, &more), ["It does not belong there: grant delete on table events to app"]);
    }

    #[test]
    fn months_are_told_from_other_names() {
        assert_eq!(month("table events_2026_11 of"), Some("2026_11"));
        assert_eq!(month("table events_default of"), None);
        assert_eq!(month("table events of"), None);
        assert_eq!(without_month("on events_2026_11, events_2026_11"), "on events_<month>, events_<month>");
    }
}
