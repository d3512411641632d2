//! How events read, and that none is unreadable.

use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::*;
use crate::audit::visible::visible;

fn facts(action: &str) -> Facts<'_> {
    Facts {
        action,
        outcome: Outcome::Success,
        object_type: "thing",
        object_name: None,
        previous: None,
        next: None,
        login_method: None,
        operation_name: None,
        export_model: None,
        export_rows: None,
    }
}

/// The sentence with names between asterisks.
fn told(facts: &Facts<'_>) -> String {
    let part = |part: SentencePart| if part.strong { format!("*{}*", part.text) } else { part.text };
    sentence(facts).into_iter().map(part).collect()
}

fn of(action: Action, previous: &Value, next: &Value) -> String {
    let [previous, next] = [previous, next].map(|state| (!state.is_null()).then(|| state.to_string()));
    told(&Facts { previous: previous.as_deref(), next: next.as_deref(), ..facts(action.name()) })
}

/// The state of a shape, each field holding a word.
fn sample(shape: &crate::audit::action::Shape, suffix: &str) -> Value {
    let word = |name: &str| match name {
        "start" => json!("2026-10-24T00:00:00Z"),
        "end" => json!("2026-11-22T00:00:00Z"),
        "rows" => json!(2391),
        "documents" => json!(42),
        "records" => json!(1200),
        "scopes" => json!(["audit:read", "audit:export"]),
        "sessions" => json!(if suffix.is_empty() { 3 } else { 1 }),
        "protected" | "revoked" => json!(!suffix.is_empty()),
        _ => json!(format!("{name}{suffix}")),
    };
    shape.fields.iter().map(|(name, _)| ((*name).to_owned(), word(name))).collect()
}

#[test]
fn every_action_has_its_own_sentence() {
    let lines = Action::ALL.map(|action| {
        let previous = action.previous().map_or(Value::Null, |shape| sample(shape, ""));
        let next = action.next().map_or(Value::Null, |shape| sample(shape, "2"));
        format!("{}: {}", action.name(), of(action, &previous, &next))
    });
    insta::assert_snapshot!(lines.join("\n"), @r"
    graph.created: Created graph *name2*
    graph.deleted: Deleted graph *name*
    graph.updated: Renamed graph *name* to *name2*
    subgraph.created: Created subgraph *name2* in *graph2* / branch2
    subgraph.deleted: Deleted subgraph *name* from *graph* / branch
    subgraph.updated: Renamed subgraph *name* to *name2*
    subgraph.published: Published subgraph *name2* to *graph2* / branch2
    member.created: Added *name2* as *role2*, invited by invited_by2
    member.deleted: Removed role *name*
    member.updated: Changed *name2* from role to *role2*
    member.sessions.ended: Ended 2 sessions of *name2*
    branch.created: Created branch *name2* of *graph2* from copied_from2
    branch.deleted: Deleted branch *name* of *graph*
    branch.updated: Renamed branch *name* of *graph2* to *name2*
    team.created: Created team *name2*
    team.deleted: Deleted team *name*
    team.updated: Renamed team *name* to *name2*
    team.member.added: Added *name2* to team *team_name2* as *role2*
    team.member.updated: Changed *name2* from role to *role2* in team *team_name2*
    team.member.removed: Removed *name* from team *team_name*
    invite.created: Invited *email2* as *role2*
    invite.deleted: Deleted the invite of *email*
    invite.updated: Changed the invite of *email2* from role to *role2*
    organization.created: Created organization *name2*
    organization.updated: Renamed organization *name* to *name2*
    access_token.created: Created access token *name2* with audit:read, audit:export
    access_token.deleted: Deleted access token *name*
    access_token.updated: Revoked access token *name2*
    access_token.graph.added: Granted *token_name2* access to graph *graph2*: permission2
    access_token.graph.updated: Changed *token_name2*'s access to graph *graph2* from permission to *permission2*
    access_token.graph.removed: Revoked *token_name*'s access to graph *graph*
    audit_log.export.downloaded: Downloaded 2,391 events, 24 Oct – 21 Nov 2026
    audit_log.export.requested: Requested an export of 2,391 events, 24 Oct – 21 Nov 2026
    audit_log.viewed: Looked at the audit log
    audit_log.integrity.failed: Read the audit log again: it is not as it was recorded
    audit_log.integrity.restored: Read the audit log again: what is kept of it is as it was recorded
    trusted_document.submitted: Submitted 42 trusted documents for client *client2* to *graph2* / branch2
    model.created: Created model *name2*
    model.deleted: Deleted model *name*
    model.records.added: Added 1,200 records to model *model2*
    model.export.requested: Requested an export of 2,391 rows of model *model2*, 24 Oct – 21 Nov 2026
    model.exported: Exported model *model2*
    model.records.pruned: Removed records of model *model2* that were older than days2 days
    retention.pruned: Removed events from before until2: they are kept for days2 days
    login.attempted: Signed in
    mutation.sent: Sent a mutation
    account.updated: Renamed themselves from name to *name2*
    ");
}

#[test]
fn every_action_has_a_sentence_without_any_state() {
    let lines = Action::ALL.map(|action| told(&facts(action.name())));
    insta::assert_snapshot!(lines.join("\n"), @r"
    Created a graph
    Deleted a graph
    Updated a graph
    Created a subgraph
    Deleted a subgraph
    Updated a subgraph
    Published a subgraph
    Added a member
    Removed a member
    Updated a member
    Ended the sessions of a member
    Created a branch
    Deleted a branch
    Updated a branch
    Created a team
    Deleted a team
    Updated a team
    Added a member to a team
    Updated a member of a team
    Removed a member from a team
    Invited somebody
    Deleted an invite
    Updated an invite
    Created the organization
    Updated the organization
    Created an access token
    Deleted an access token
    Updated an access token
    Granted an access token access to a graph
    Changed an access token's access to a graph
    Revoked an access token's access to a graph
    Downloaded an export of the audit log
    Requested an export of the audit log
    Looked at the audit log
    Read the audit log again: it is not as it was recorded
    Read the audit log again: what is kept of it is as it was recorded
    Submitted trusted documents
    Created a model
    Deleted a model
    Added records to a model
    Requested an export of a model
    Exported a model
    Removed old records of a model
    Removed events that are no longer kept
    Signed in
    Sent a mutation
    Updated their account
    ");
}

#[test]
fn a_change_says_what_it_changed() {
    let grace = json!({ "user_id": "u1", "name": "Grace Hopper", "email": "grace@acme.example", "role": "member" });
    let admin = json!({ "user_id": "u1", "name": "Grace Hopper", "email": "grace@acme.example", "role": "admin" });
    assert_eq!(of(Action::MemberUpdated, &grace, &admin), "Changed *Grace Hopper* from member to *admin*");
    let acme = |name: &str, slug: &str| json!({ "id": "o1", "name": name, "slug": slug });
    let renamed = of(Action::OrganizationUpdated, &acme("Acme", "acme"), &acme("Acme Robotics", "acme"));
    assert_eq!(renamed, "Renamed organization *Acme* to *Acme Robotics*");
    let moved = of(Action::OrganizationUpdated, &acme("Acme", "acme"), &acme("Acme", "acme-robotics"));
    assert_eq!(moved, "Changed the slug of organization *Acme* from acme to *acme-robotics*");
    let token =
        |value: u8| json!({ "name": "ci", "a": value, "b": value, "expires_at": value, "scopes": [value], "e": value });
    let several = of(Action::AccessTokenUpdated, &token(1), &token(2));
    assert_eq!(several, "Changed a, b, expires at and 2 more of access token *ci*");
}

#[test]
fn sign_ins_say_how_they_ended() {
    let attempt =
        |outcome, method, next| told(&Facts { outcome, login_method: method, next, ..facts("login.attempted") });
    let wrong = Some(r#"{"reason":"wrong_credentials"}"#);
    assert_eq!(attempt(Outcome::Success, Some("login"), None), "Signed in");
    assert_eq!(attempt(Outcome::Success, Some("signup"), None), "Signed up");
    assert_eq!(attempt(Outcome::Failure, Some("login"), wrong), "Failed to sign in: wrong e-mail address or password");
    assert_eq!(
        attempt(Outcome::Denied, None, Some(r#"{"reason":"throttled"}"#)),
        "Was refused to sign in: too many attempts"
    );
    assert_eq!(attempt(Outcome::Failure, None, None), "Failed to sign in");
}

#[test]
fn changes_of_an_account_say_what_changed() {
    let account = |email: &str, changed: Option<&str>, sessions: u8| json!({ "user_id": "u1", "name": "Ada", "email": email, "password_changed_at": changed, "sessions": sessions });
    let before = account("ada@acme.example", None, 3);
    let said = |method, next: &Value| {
        let (previous, next) = (before.to_string(), next.to_string());
        let facts = Facts {
            previous: Some(&previous),
            next: Some(&next),
            login_method: Some(method),
            ..facts("account.updated")
        };
        told(&facts)
    };
    let later = Some("2026-11-22T00:00:00Z");
    assert_eq!(
        said("changeEmail", &account("ada@new.example", None, 3)),
        "Changed their e-mail address from ada@acme.example to *ada@new.example*"
    );
    assert_eq!(said("changePassword", &account("ada@acme.example", later, 1)), "Changed their password");
    assert_eq!(said("resetPassword", &account("ada@acme.example", later, 0)), "Chose a new password by a mailed link");
    assert_eq!(said("endSessions", &account("ada@acme.example", None, 2)), "Ended 1 session of their own");
    let wrong = Facts {
        outcome: Outcome::Failure,
        login_method: Some("changePassword"),
        next: Some(r#"{"reason":"wrong_password"}"#),
        ..facts("account.updated")
    };
    assert_eq!(told(&wrong), "Failed to change their password: wrong password");
}

#[test]
fn exports_say_what_was_in_them() {
    let export = |outcome, action, rows: u32, end: &str| {
        let next = json!({ "start": "2026-10-24T00:00:00.000000Z", "end": end, "rows": rows }).to_string();
        told(&Facts { outcome, next: Some(&next), ..facts(action) })
    };
    let (requested, downloaded) = ("audit_log.export.requested", "audit_log.export.downloaded");
    let (midnight, noon) = ("2026-11-22T00:00:00Z", "2026-10-24T12:30:00Z");
    assert_eq!(export(Outcome::Success, downloaded, 2391, midnight), "Downloaded 2,391 events, 24 Oct – 21 Nov 2026");
    assert_eq!(
        export(Outcome::Success, requested, 1, noon),
        "Requested an export of 1 event, 24 Oct 2026 00:00 – 24 Oct 2026 12:30 UTC"
    );
    assert_eq!(
        export(Outcome::Aborted, downloaded, 1_000_000, midnight),
        "Broke off the download of 1,000,000 events, 24 Oct – 21 Nov 2026"
    );
    assert_eq!(
        export(Outcome::Empty, downloaded, 0, midnight),
        "Downloaded an export without events, 24 Oct – 21 Nov 2026"
    );
    let denied = |action| told(&Facts { outcome: Outcome::Denied, ..facts(action) });
    assert_eq!(denied(requested), "Was refused an export of the audit log");
    assert_eq!(denied("audit_log.viewed"), "Was refused the audit log");
}

#[test]
fn what_did_not_succeed_says_so() {
    let ended = |outcome| told(&Facts { outcome, object_name: Some("store"), ..facts("graph.deleted") });
    assert_eq!(ended(Outcome::Denied), "Refused: Deleted graph *store*");
    assert_eq!(ended(Outcome::Failure), "Failed: Deleted graph *store*");
    assert_eq!(ended(Outcome::Aborted), "Broken off: Deleted graph *store*");
}

#[test]
fn events_of_other_products_read_like_their_names() {
    assert_eq!(told(&facts("invoice.line_item.added")), "Invoice line item added");
    assert_eq!(told(&Facts { object_name: Some("INV-7"), ..facts("invoice.paid") }), "Invoice paid: *INV-7*");
    assert_eq!(told(&Facts { operation_name: Some("AddTeam"), ..facts("api.called") }), "Api called: *AddTeam*");
    let export = Facts { export_model: Some("fraud"), export_rows: Some(1200), ..facts("model.exported") };
    assert_eq!(told(&export), "Exported 1,200 rows of model *fraud*");
}

#[test]
fn what_people_wrote_stays_what_it_is() {
    let name = "[old.name] {range}\u{202e}\n<b>";
    let hostile = Facts { object_name: Some(name), ..facts("team.created") };
    assert_eq!(told(&hostile), "Created team *[old.name] {range}⟨U+202E⟩⟨U+000A⟩<b>*");
    let long = "é".repeat(5_000);
    assert_eq!(told(&Facts { object_name: Some(&long), ..facts("team.created") }).chars().count(), 13 + 2 + 121);
    let odd = json!({ "name": { "first": "Grace" }, "role": [null, true], "email": "" });
    assert_eq!(of(Action::MemberCreated, &Value::Null, &odd), "Added a member");
    assert_eq!(told(&Facts { next: Some("{\"name\":"), ..facts("team.created") }), "Created a team");
}

proptest! {
    #[test]
    fn no_event_is_unreadable(
        action in prop_oneof![select(&Action::ALL[..]).prop_map(|action| action.name().to_owned()), any::<String>()],
        outcome in select(&Outcome::ALL[..]),
        texts in proptest::collection::vec(option::of(any::<String>()), 6),
        fields in proptest::collection::hash_map("name|role|start|end|rows|documents|scopes|slug", any::<String>(), 0..6),
        rows in option::of(any::<i64>()),
    ) {
        let next = json!(fields).to_string();
        let text = |number: usize| texts[number].as_deref();
        let facts = Facts {
            outcome,
            object_name: text(0),
            previous: text(1),
            next: text(2).or(Some(&next)),
            login_method: text(3),
            operation_name: text(4),
            export_model: text(5),
            export_rows: rows,
            ..facts(&action)
        };
        let parts = sentence(&facts);
        prop_assert!(action.is_empty() || !parts.is_empty());
        for part in parts {
            prop_assert_eq!(visible(&part.text), part.text);
        }
    }
}
