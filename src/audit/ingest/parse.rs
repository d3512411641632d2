//! The forms in which events are sent, and what each of them must have.

use std::collections::HashSet;
use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::document::Object;
use crate::audit::action::{self, Action};
use crate::audit::append::Draft;
use crate::audit::event::{Actor, ActorToken, ActorUser, Kind, Outcome};
use crate::audit::range::calendar;
use crate::identity::viewer::Origin;
use crate::{Error, Result};

/// Most events of one request.
pub const MAX_EVENTS: usize = 1000;

/// Longest event, in bytes as it is sent.
pub const MAX_EVENT_BYTES: usize = 64 * 1024;

/// Longest id, of whatever.
const MAX_ID: usize = 256;

/// Longest name, address or description of a client.
const MAX_TEXT: usize = 512;

/// How far ahead a clock of somebody else may be.
const AHEAD: TimeDelta = TimeDelta::minutes(5);

/// How events are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One event, or `{"events": […]}`.
    Json,
    /// An event in each line.
    Ndjson,
}

/// An event that was sent and read.
#[derive(Debug)]
pub struct Parsed {
    /// Where its id is in the request, for refusals.
    pub id_path: String,
    /// The id that its sender gave it.
    pub client_id: Option<String>,
    /// Hash of what was sent.
    pub sha256: [u8; 32],
    /// It, but for its place.
    pub draft: Draft,
}

/// Reads the events of a request by the access token `source`.
///
/// # Errors
/// [`Error::Invalid`] naming the event and the field.
pub fn events(body: &[u8], format: Format, now: DateTime<Utc>, source: Uuid) -> Result<Vec<Parsed>> {
    let text = std::str::from_utf8(body).map_err(|_| Error::invalid("body", "Events are sent in UTF-8."))?;
    let sent = match format {
        Format::Json => of_json(text)?,
        Format::Ndjson => of_lines(text)?,
    };
    if !(1..=MAX_EVENTS).contains(&sent.len()) {
        return Err(Error::invalid("events", format!("A request has 1 to {MAX_EVENTS} events.")));
    }
    let events = sent.iter().map(|sent| incoming(sent, now, source)).collect::<Result<Vec<_>>>()?;
    refuse_repeated(&events)?;
    Ok(events)
}

/// An event as it was sent, and where: nowhere in particular if it is alone.
struct Sent<'a> {
    path: String,
    json: &'a RawValue,
}

fn of_json(text: &str) -> Result<Vec<Sent<'_>>> {
    let body: &RawValue = serde_json::from_str(text).map_err(|cause| no_json("body", &cause))?;
    let mut object = Object::parse("", body)?;
    let Some(list) = object.take("events") else { return Ok(vec![Sent { path: String::new(), json: body }]) };
    object.finish()?;
    let list: Vec<&RawValue> =
        serde_json::from_str(list.get()).map_err(|_| Error::invalid("events", "This is a list of events."))?;
    Ok(list.into_iter().enumerate().map(|(number, json)| Sent { path: path(number), json }).collect())
}

fn of_lines(text: &str) -> Result<Vec<Sent<'_>>> {
    let read = |(number, line)| {
        let json = serde_json::from_str(line).map_err(|cause| no_json(&path(number), &cause))?;
        Ok(Sent { path: path(number), json })
    };
    text.lines().filter(|line| !line.trim().is_empty()).enumerate().map(read).collect()
}

fn path(number: usize) -> String {
    format!("events[{number}]")
}

fn no_json(path: &str, cause: &serde_json::Error) -> Error {
    Error::invalid(path, format!("This is no JSON: {cause}."))
}

fn refuse_repeated(events: &[Parsed]) -> Result<()> {
    let mut ids = HashSet::new();
    match events.iter().find(|event| event.client_id.as_ref().is_some_and(|id| !ids.insert(id))) {
        Some(event) => Err(Error::invalid(&event.id_path, "Another event of this request has the same id.")),
        None => Ok(()),
    }
}

fn incoming(sent: &Sent<'_>, now: DateTime<Utc>, source: Uuid) -> Result<Parsed> {
    let Sent { path, json } = sent;
    if json.get().len() > MAX_EVENT_BYTES {
        let whole = if path.is_empty() { "body" } else { path };
        return Err(Error::invalid(whole, format!("An event has at most {MAX_EVENT_BYTES} bytes.")));
    }
    let mut event = Object::parse(path, json)?;
    let (id_path, client_id) = (event.path("id"), event.text("id", MAX_ID)?);
    let action = parse_action(&mut event)?;
    let own_type = action.split('.').next().unwrap_or_default().to_owned();
    let mut draft = Draft::named(Kind::Change, &action, &own_type);
    draft.claimed_at = parse_time(&mut event, now)?;
    draft.actor = parse_actor(&mut event)?;
    parse_object(&mut event, &mut draft)?;
    draft.outcome = parse_outcome(&mut event)?;
    draft.previous = event.document("previous")?;
    draft.next = event.document("next")?;
    draft.origin = parse_origin(&mut event)?;
    draft.source_access_token_id = Some(source);
    event.finish()?;
    Ok(Parsed { id_path, client_id, sha256: Sha256::digest(json.get()).into(), draft })
}

fn parse_action(event: &mut Object<'_>) -> Result<String> {
    let path = event.path("action");
    let action = event.text("action", action::MAX_NAME_BYTES)?.filter(|name| action::is_well_formed(name));
    let form = "An action is a dotted name of two to four words, like invoice.line_item.added: small letters, digits and underscores.";
    let action = action.ok_or_else(|| Error::invalid(&path, form))?;
    if Action::parse(&action).is_some() {
        return Err(Error::invalid(path, "This name is one of the platform's own actions."));
    }
    Ok(action)
}

fn parse_time(event: &mut Object<'_>, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>> {
    let path = event.path("occurred_at");
    let text = event.text("occurred_at", MAX_ID)?;
    text.map(|text| claimed_time(&path, &text, now)).transpose()
}

/// When something happened, as its sender claims: within the days that are kept, and hardly ahead of our clock.
pub(crate) fn claimed_time(path: &str, text: &str, now: DateTime<Utc>) -> Result<DateTime<Utc>> {
    let form = "This is a moment as in RFC 3339, with Z or an offset.";
    let at = DateTime::parse_from_rfc3339(text).map_err(|_| Error::invalid(path, form))?.to_utc();
    let first = calendar::earliest(now.date_naive()).and_time(chrono::NaiveTime::MIN).and_utc();
    if (first..=now + AHEAD).contains(&at) {
        return Ok(at);
    }
    let from = first.format("%Y-%m-%dT%H:%M:%SZ");
    Err(Error::invalid(path, format!("This is from {from} to five minutes ahead of now.")))
}

fn parse_actor(event: &mut Object<'_>) -> Result<Actor> {
    let nobody = Error::invalid(event.path("actor"), "An event has an actor: a user, an access token, or both.");
    let Some(mut actor) = event.object("actor")? else { return Err(nobody) };
    let user = actor.object("user")?.map(|mut user| {
        let known = ActorUser {
            id: required(&mut user, "id")?,
            name: user.text("name", MAX_TEXT)?,
            email: user.text("email", MAX_TEXT)?,
        };
        user.finish().map(|()| known)
    });
    let token = actor.object("access_token")?.map(|mut token| {
        let known = ActorToken { id: required(&mut token, "id")?, name: token.text("name", MAX_TEXT)? };
        token.finish().map(|()| known)
    });
    actor.finish()?;
    let actor = Actor { user: user.transpose()?, access_token: token.transpose()? };
    if actor.user.is_none() && actor.access_token.is_none() { Err(nobody) } else { Ok(actor) }
}

fn required(object: &mut Object<'_>, name: &str) -> Result<String> {
    let path = object.path(name);
    object.text(name, MAX_ID)?.ok_or_else(|| Error::invalid(path, "This is missing."))
}

/// What it is about; by itself, what its action begins with.
fn parse_object(event: &mut Object<'_>, draft: &mut Draft) -> Result<()> {
    let Some(mut object) = event.object("object")? else { return Ok(()) };
    let path = object.path("type");
    if let Some(object_type) = object.text("type", action::MAX_NAME_BYTES)? {
        if !action::is_word(&object_type) {
            return Err(Error::invalid(
                path,
                "A type is a word like line_item: small letters, digits and underscores.",
            ));
        }
        draft.object_type = object_type;
    }
    draft.object_id = object.text("id", MAX_ID)?;
    draft.object_name = object.text("name", MAX_TEXT)?;
    object.finish()
}

fn parse_outcome(event: &mut Object<'_>) -> Result<Outcome> {
    let path = event.path("outcome");
    let Some(word) = event.text("outcome", MAX_ID)? else { return Ok(Outcome::Success) };
    let known = Outcome::ALL.map(Outcome::as_str).join(", ");
    Outcome::parse(&word).ok_or_else(|| Error::invalid(path, format!("An outcome is one of: {known}.")))
}

/// Where its actor was, as its sender claims.
fn parse_origin(event: &mut Object<'_>) -> Result<Origin> {
    let path = event.path("ip");
    let ip = event
        .text("ip", MAX_ID)?
        .map(|text| text.parse::<IpAddr>().map_err(|_| Error::invalid(path, "This is an address of IPv4 or IPv6.")));
    Ok(Origin {
        ip: ip.transpose()?.map(|ip| ip.to_string()),
        user_agent: event.text("user_agent", MAX_TEXT)?,
        request_id: event.text("request_id", MAX_ID)?,
        mutation: None,
    })
}

#[cfg(test)]
mod tests;
