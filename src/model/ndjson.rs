//! Records as they are sent: a JSON object in each line, with a time. Every line that is wrong is told by its number.

use chrono::{DateTime, Utc};
use serde_json::value::RawValue;

use super::records::{MAX_RECORD_BYTES, MAX_RECORDS};
use crate::audit::ingest::claimed_time;
use crate::audit::ingest::document::{Object, check_kept};
use crate::error::Fault;
use crate::export::line_ends;
use crate::{Error, Result};

/// Longest text that can be a time, in bytes.
const MAX_TIME: usize = 64;

/// What some programs write in front of a file to say that it is UTF-8.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// A record that was sent and read.
#[derive(Debug, PartialEq, Eq)]
pub struct Incoming {
    /// Its own time, or that of its arrival.
    pub at: DateTime<Utc>,
    /// It, byte for byte.
    pub content: String,
}

/// Reads the records of a request that arrives at `now`. Empty lines are none, but count as lines.
///
/// # Errors
/// [`Error::Faulty`] naming each line that is no record; [`Error::Invalid`] for `records` if there are none or too many.
pub fn read(body: &[u8], now: DateTime<Utc>) -> Result<Vec<Incoming>> {
    let text = std::str::from_utf8(body).map_err(|cause| no_text(body, &cause))?;
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    let lines = || text.lines().enumerate().filter(|(_, line)| !line.trim_ascii().is_empty());
    let sent = lines().count();
    if !(1..=MAX_RECORDS).contains(&sent) {
        let told = format!("Send 1 to {MAX_RECORDS} records at once, one in each line; these are {sent}.");
        return Err(Error::invalid("records", told));
    }
    let (mut records, mut faults) = (Vec::with_capacity(sent), Vec::new());
    for (number, line) in lines() {
        match record(line, now) {
            Ok(record) => records.push(record),
            Err(message) => faults.push(at_line(number + 1, message)),
        }
    }
    if faults.is_empty() {
        return Ok(records);
    }
    let told = format!("Nothing was added: {} of {sent} records are wrong.", faults.len());
    Err(Error::faulty("records", told, faults))
}

/// Reads one line, or says what is wrong with it.
fn record(line: &str, now: DateTime<Utc>) -> Result<Incoming, String> {
    if line.len() > MAX_RECORD_BYTES {
        return Err(format!("A record has at most {MAX_RECORD_BYTES} bytes; this one has {}.", line.len()));
    }
    let json: &RawValue = serde_json::from_str(line).map_err(|cause| no_json(&cause))?;
    if !json.get().starts_with('{') {
        return Err("A record is a JSON object.".to_owned());
    }
    let at = time(json, now).map_err(|refused| refused.to_string())?;
    Ok(Incoming { at, content: line.to_owned() })
}

/// What the library says, without its line: it has seen only one.
fn no_json(cause: &serde_json::Error) -> String {
    let (told, column) = (cause.to_string(), cause.column());
    let told = told.split(" at line ").next().unwrap_or_default();
    format!("This is no JSON: {told}, at column {column}.")
}

fn time(json: &RawValue, now: DateTime<Utc>) -> Result<DateTime<Utc>> {
    check_kept("record", json)?;
    let time = Object::parse("", json)?.text("time", MAX_TIME)?;
    time.map_or(Ok(now), |text| claimed_time("time", &text, now))
}

fn at_line(number: usize, message: String) -> Fault {
    Fault { line: u32::try_from(number).ok(), ..Fault::of(&format!("line {number}"), message) }
}

fn no_text(body: &[u8], cause: &std::str::Utf8Error) -> Error {
    let before = body.get(..cause.valid_up_to()).unwrap_or_default();
    let line = usize::try_from(line_ends(before)).unwrap_or(usize::MAX).saturating_add(1);
    let fault = at_line(line, "This is no UTF-8.".to_owned());
    Error::faulty("records", "Nothing was added: records are sent in UTF-8.", vec![fault])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-11-22T12:00:00Z".parse().unwrap()
    }

    fn refused(body: &[u8]) -> Vec<String> {
        match read(body, now()).unwrap_err() {
            Error::Faulty(faulty) => faulty.faults.iter().map(ToString::to_string).collect(),
            other => vec![other.to_string()],
        }
    }

    #[test]
    fn records_are_kept_as_they_were_sent() {
        let body = "\u{feff}{\"time\":\"2026-11-01T02:00:00+02:00\", \"n\": 1.0e2}\r\n\n  {\"a\":\"\\u00e9\"}  \n{\"time\":null}";
        let records = read(body.as_bytes(), now()).unwrap();
        let kept: Vec<_> = records.iter().map(|record| (record.at.to_rfc3339(), record.content.as_str())).collect();
        assert_eq!(
            kept,
            [
                ("2026-11-01T00:00:00+00:00".to_owned(), "{\"time\":\"2026-11-01T02:00:00+02:00\", \"n\": 1.0e2}"),
                ("2026-11-22T12:00:00+00:00".to_owned(), "  {\"a\":\"\\u00e9\"}  "),
                ("2026-11-22T12:00:00+00:00".to_owned(), "{\"time\":null}"),
            ]
        );
    }

    #[test]
    fn every_bad_line_is_named() {
        let body = "{}\n\n{\"a\":1\n[1]\n{\"time\":\"yesterday\"}\n{\"time\":\"2026-01-01T00:00:00Z\"}\n{\"a\":1,\"a\":2}\n{\"a\":\"\\u0000\"}\n{\"time\":7}";
        insta::assert_snapshot!(refused(body.as_bytes()).join("\n"), @r"
        line 3: This is no JSON: EOF while parsing an object, at column 6.
        line 4: A record is a JSON object.
        line 5: time: This is a moment as in RFC 3339, with Z or an offset.
        line 6: time: This is from 2026-08-25T00:00:00Z to five minutes ahead of now.
        line 7: record.a: This is there twice.
        line 8: record.a: The character U+0000 cannot be kept.
        line 9: time: This is a text of 1 to 64 bytes without control characters.
        ");
        assert_eq!(refused(b"{}\n{\"a\":\"\xff\"}"), ["line 2: This is no UTF-8."]);
    }

    #[test]
    fn none_too_many_and_too_long_ones_are_refused() {
        let told = |count| format!("records: Send 1 to 10000 records at once, one in each line; these are {count}.");
        assert_eq!(refused(b" \n\r\n"), [told(0)]);
        assert_eq!(refused("{}\n".repeat(MAX_RECORDS + 1).as_bytes()), [told(10_001)]);
        let long = format!("{{\"a\":\"{}\"}}", "x".repeat(MAX_RECORD_BYTES));
        assert_eq!(refused(long.as_bytes()), ["line 1: A record has at most 65536 bytes; this one has 65544."]);
        assert_eq!(read("{}\n".repeat(MAX_RECORDS).as_bytes(), now()).unwrap().len(), MAX_RECORDS);
    }
}
