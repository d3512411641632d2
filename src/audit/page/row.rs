//! Dressing stored events for the page.

use chrono::{DateTime, Utc};
use std::collections::HashMap;
use uuid::Uuid;

use crate::Result;
use crate::audit::event::{Actor, Kind, Outcome};
use crate::audit::moment::moment;
use crate::audit::operation::name_matches;
use crate::audit::sentence::{Facts, sentence};
use crate::audit::store::{EventRecord, SeenActor};
use crate::audit::view::{ActorChoice, ActorView, EventRow};
use crate::audit::visible::visible;
use crate::number::grouped;
use crate::platform::Platform;
use crate::storage;

/// What the rows of one page have in common: the time, and the owners of the access tokens that acted.
pub(super) struct Rows {
    now: DateTime<Utc>,
    token_owners: HashMap<Uuid, String>,
}

impl Rows {
    pub(super) async fn new(
        platform: &Platform,
        organization: Uuid,
        events: &[EventRecord],
        now: DateTime<Utc>,
    ) -> Result<Self> {
        let tokens: Vec<Uuid> =
            events.iter().filter_map(|event| event.actor_access_token_id.as_ref()?.parse().ok()).collect();
        let token_owners =
            if tokens.is_empty() { HashMap::new() } else { owners(platform, organization, &tokens).await? };
        Ok(Self { now, token_owners })
    }

    pub(super) fn row(&self, event: &EventRecord) -> EventRow {
        EventRow {
            id: event.id.to_string(),
            index: event.index,
            kind: event.kind.clone(),
            action: event.action.clone(),
            occurred_at: moment(event.occurred_at, self.now),
            actor: self.actor(event),
            sentence: sentence(&sentence_facts(event)),
            outcome: event.outcome.clone(),
            ip: event.ip.as_deref().map(visible),
            extra: extra(event),
        }
    }

    fn actor(&self, event: &EventRecord) -> ActorView {
        match event.actor() {
            Actor { access_token: Some(token), .. } => {
                let owner = token.id.parse().ok().and_then(|id: Uuid| self.token_owners.get(&id));
                let note = owner
                    .map_or_else(|| "access token".to_owned(), |owner| format!("access token · by {}", visible(owner)));
                view(Some(format!("token:{}", token.id)), token.name.as_deref().unwrap_or(&token.id), note, true)
            }
            Actor { user: Some(user), .. } => {
                let note = user.email.as_deref().map(visible).unwrap_or_default();
                view(Some(format!("user:{}", user.id)), user.name.as_deref().unwrap_or(&user.id), note, false)
            }
            // Who failed to sign in did not prove to be anybody: the address as typed is all there is.
            Actor { .. } => {
                view(None, event.login_email.as_deref().unwrap_or("Unknown"), "not signed in".to_owned(), false)
            }
        }
    }
}

fn view(filter: Option<String>, name: &str, note: String, is_token: bool) -> ActorView {
    ActorView { filter, name: visible(name), note, is_token, initials: initials(name) }
}

fn initials(name: &str) -> String {
    let words: Vec<&str> = name.split_whitespace().collect();
    let ends = match words.as_slice() {
        [] => return "?".to_owned(),
        [only] => vec![*only],
        [first, .., last] => vec![*first, *last],
    };
    ends.iter().filter_map(|word| word.chars().find(|c| c.is_alphanumeric())).flat_map(char::to_uppercase).collect()
}

fn sentence_facts(event: &EventRecord) -> Facts<'_> {
    Facts {
        action: &event.action,
        outcome: Outcome::parse(&event.outcome).unwrap_or(Outcome::Success),
        object_type: &event.object_type,
        object_name: event.object_name.as_deref(),
        previous: event.previous.as_deref(),
        next: event.next.as_deref(),
        login_method: event.login_method.as_deref(),
        operation_name: event.operation_name.as_deref(),
        export_model: event.export_model.as_deref(),
        export_rows: event.export_rows,
    }
}

/// The facts of an event that only its kind has, in reading order.
pub(super) fn facts(event: &EventRecord) -> Vec<(String, String)> {
    let source = event.source_access_token_id.map(|id| id.to_string());
    let rows = event.export_rows.map(|rows| rows.to_string());
    let runs = event.operation_root_fields.as_ref().map(|fields| fields.join(", "));
    let named = event.operation_name.as_ref().map(|name| claimed(name, event.operation_root_fields.as_deref()));
    let known = [
        ("Sent by access token", source.as_ref()),
        ("Method", event.login_method.as_ref()),
        ("E-mail as typed", event.login_email.as_ref()),
        ("Operation that ran", runs.as_ref()),
        ("Name from the client", named.as_ref()),
        ("Text from the client", event.operation_text.as_ref()),
        ("Variables", event.operation_variables.as_ref()),
        ("Model", event.export_model.as_ref()),
        ("Rows", rows.as_ref()),
    ];
    known.into_iter().filter_map(|(name, value)| Some((name.to_owned(), visible(value?)))).collect()
}

/// See [`EventRow::extra`].
fn extra(event: &EventRecord) -> Option<String> {
    let text = match Kind::parse(&event.kind)? {
        Kind::Change => None,
        Kind::Login => event.login_email.clone(),
        Kind::Operation => {
            event.operation_name.as_ref().map(|name| claimed(name, event.operation_root_fields.as_deref()))
        }
        Kind::Export => event.export_rows.map(grouped),
    };
    text.as_deref().map(visible)
}

/// The name that a client gave to an operation, marked where it does not speak of what ran.
fn claimed(name: &str, runs: Option<&[String]>) -> String {
    match runs {
        Some(runs) if !name_matches(name, runs) => format!("{name} (does not match what ran)"),
        _ => name.to_owned(),
    }
}

/// A seen actor as the picker offers it.
pub(super) fn choice(seen: SeenActor) -> ActorChoice {
    let kind = if seen.is_token { "token" } else { "user" };
    let note =
        if seen.is_token { "access token".to_owned() } else { seen.email.as_deref().map(visible).unwrap_or_default() };
    ActorChoice { value: format!("{kind}:{}", seen.id), label: visible(seen.name.as_deref().unwrap_or(&seen.id)), note }
}

async fn owners(platform: &Platform, organization: Uuid, tokens: &[Uuid]) -> Result<HashMap<Uuid, String>> {
    let mut transaction = storage::begin(&platform.database.reads, organization).await?;
    let found = sqlx::query!(
        "select t.id, u.name from orgtrail.access_tokens t join orgtrail.users u on u.id = t.created_by
        where t.organization_id = $1 and t.id = any($2)",
        organization,
        tokens
    )
    .fetch_all(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(found.into_iter().map(|row| (row.id, row.name)).collect())
}

#[cfg(test)]
mod tests {
    use super::{claimed, initials};

    #[test]
    fn a_name_that_speaks_of_something_else_is_marked() {
        let runs = ["deleteTeam".to_owned()];
        assert_eq!(claimed("DeleteTeam", Some(&runs)), "DeleteTeam");
        assert_eq!(claimed("ReadTeams", Some(&runs)), "ReadTeams (does not match what ran)");
        assert_eq!(claimed("ReadTeams", None), "ReadTeams");
    }

    #[test]
    fn initials_are_of_the_first_and_last_word() {
        let of: Vec<_> =
            ["Ada Lovelace", "ci-deploy", "Grace Brewster Hopper", "  ", "<b>x</b>", "éa"].map(initials).into();
        assert_eq!(of, ["AL", "C", "GH", "?", "B", "É"]);
    }
}
