//! The sentences of the catalogue: of each action's templates, the most telling first.

use super::template::Template::{self, Always, Changed, Ended};
use crate::audit::action::Action;
use crate::audit::event::Outcome::{Aborted, Denied, Empty, Failure, Success};

/// The templates of an action.
pub(super) fn templates(action: Action) -> &'static [Template] {
    let row = SENTENCES.iter().find(|(known, _)| *known == action);
    row.map_or(OTHERS, |(_, templates)| templates)
}

/// Actions of other products.
pub(super) const OTHERS: &[Template] = &[
    Always("Exported {exported rows} of model [model]"),
    Always("{action}: [name]"),
    Always("{action}: [operation]"),
    Always("{action}"),
];

/// The platform's own.
#[rustfmt::skip] // a table: as few lines per action as it takes
const SENTENCES: &[(Action, &[Template])] = &[
    (Action::GraphCreated, &[Always("Created graph [name]"), Always("Created a graph")]),
    (Action::GraphDeleted, &[Always("Deleted graph [name]"), Always("Deleted a graph")]),
    (Action::GraphUpdated, &[
        Changed("name", "Renamed graph [old.name] to [new.name]"),
        Changed("slug", "Changed the slug of graph [name] from {old.slug} to [new.slug]"),
        Changed("teams", "Changed what teams may do with graph [name]"),
        Always("Changed {changes} of graph [name]"), Always("Updated graph [name]"), Always("Updated a graph"),
    ]),
    (Action::SubgraphCreated, &[
        Always("Created subgraph [name] in [graph] / {branch}"), Always("Created subgraph [name]"), Always("Created a subgraph"),
    ]),
    (Action::SubgraphDeleted, &[
        Always("Deleted subgraph [name] from [graph] / {branch}"), Always("Deleted subgraph [name]"), Always("Deleted a subgraph"),
    ]),
    (Action::SubgraphUpdated, &[
        Changed("name", "Renamed subgraph [old.name] to [new.name]"),
        Always("Changed {changes} of subgraph [name] in [graph] / {branch}"),
        Always("Updated subgraph [name]"), Always("Updated a subgraph"),
    ]),
    (Action::SubgraphPublished, &[
        Always("Published subgraph [name] to [graph] / {branch}"), Always("Published subgraph [name]"), Always("Published a subgraph"),
    ]),
    (Action::MemberCreated, &[
        Always("Added [name] as [new.role], invited by {invited_by}"), Always("Added [name] as [new.role]"),
        Always("Added [name]"), Always("Added a member"),
    ]),
    (Action::MemberDeleted, &[Always("Removed {old.role} [name]"), Always("Removed [name]"), Always("Removed a member")]),
    (Action::MemberUpdated, &[
        Changed("role", "Changed [name] from {old.role} to [new.role]"),
        Changed("name", "Renamed member [old.name] to [new.name]"),
        Always("Changed {changes} of member [name]"), Always("Updated member [name]"), Always("Updated a member"),
    ]),
    (Action::MemberSessionsEnded, &[
        Always("Ended {ended sessions} of [name]"), Always("Ended the sessions of [name]"), Always("Ended the sessions of a member"),
    ]),
    (Action::BranchCreated, &[
        Always("Created branch [name] of [graph] from {copied_from}"), Always("Created branch [name] of [graph]"),
        Always("Created branch [name]"), Always("Created a branch"),
    ]),
    (Action::BranchDeleted, &[Always("Deleted branch [name] of [graph]"), Always("Deleted branch [name]"), Always("Deleted a branch")]),
    (Action::BranchUpdated, &[
        Changed("name", "Renamed branch [old.name] of [graph] to [new.name]"),
        Always("Changed {changes} of branch [name] of [graph]"), Always("Updated branch [name]"), Always("Updated a branch"),
    ]),
    (Action::TeamCreated, &[Always("Created team [name]"), Always("Created a team")]),
    (Action::TeamDeleted, &[Always("Deleted team [name]"), Always("Deleted a team")]),
    (Action::TeamUpdated, &[
        Changed("name", "Renamed team [old.name] to [new.name]"),
        Always("Changed {changes} of team [name]"), Always("Updated team [name]"), Always("Updated a team"),
    ]),
    (Action::TeamMemberAdded, &[
        Always("Added [name] to team [team_name] as [role]"), Always("Added [name] to team [team_name]"),
        Always("Added [name] to a team"), Always("Added a member to a team"),
    ]),
    (Action::TeamMemberUpdated, &[
        Changed("role", "Changed [name] from {old.role} to [new.role] in team [team_name]"),
        Always("Updated [name] in team [team_name]"), Always("Updated a member of a team"),
    ]),
    (Action::TeamMemberRemoved, &[
        Always("Removed [name] from team [team_name]"), Always("Removed [name] from a team"), Always("Removed a member from a team"),
    ]),
    (Action::InviteCreated, &[Always("Invited [email] as [role]"), Always("Invited [name]"), Always("Invited somebody")]),
    (Action::InviteDeleted, &[Always("Deleted the invite of [email]"), Always("Deleted the invite of [name]"), Always("Deleted an invite")]),
    (Action::InviteUpdated, &[
        Changed("role", "Changed the invite of [email] from {old.role} to [new.role]"),
        Always("Changed {changes} of the invite of [email]"), Always("Updated the invite of [name]"), Always("Updated an invite"),
    ]),
    (Action::OrganizationCreated, &[Always("Created organization [name]"), Always("Created the organization")]),
    (Action::OrganizationUpdated, &[
        Changed("name", "Renamed organization [old.name] to [new.name]"),
        Changed("slug", "Changed the slug of organization [new.name] from {old.slug} to [new.slug]"),
        Always("Changed {changes} of organization [name]"), Always("Updated organization [name]"), Always("Updated the organization"),
    ]),
    (Action::AccessTokenCreated, &[
        Always("Created access token [name] with {scopes}"), Always("Created access token [name]"), Always("Created an access token"),
    ]),
    (Action::AccessTokenDeleted, &[Always("Deleted access token [name]"), Always("Deleted an access token")]),
    (Action::AccessTokenUpdated, &[
        Changed("revoked", "Revoked access token [name]"),
        Changed("rotated_at", "Rotated access token [name]: it has another secret"),
        Changed("created_by", "Adopted access token [name]"),
        Changed("name", "Renamed access token [old.name] to [new.name]"),
        Always("Changed {changes} of access token [name]"), Always("Updated access token [name]"), Always("Updated an access token"),
    ]),
    (Action::AccessTokenGraphAdded, &[
        Always("Granted [token_name] access to graph [graph]: {permission}"), Always("Granted an access token access to graph [graph]"),
        Always("Granted an access token access to a graph"),
    ]),
    (Action::AccessTokenGraphUpdated, &[
        Changed("permission", "Changed [token_name]'s access to graph [graph] from {old.permission} to [new.permission]"),
        Always("Changed an access token's access to graph [graph]"), Always("Changed an access token's access to a graph"),
    ]),
    (Action::AccessTokenGraphRemoved, &[
        Always("Revoked [token_name]'s access to graph [graph]"), Always("Revoked an access token's access to graph [graph]"),
        Always("Revoked an access token's access to a graph"),
    ]),
    (Action::AuditLogExportDownloaded, &[
        Ended(Success, "Downloaded {events}, {range}"),
        Ended(Empty, "Downloaded an export without events, {range}"),
        Ended(Aborted, "Broke off the download of {events}, {range}"),
        Ended(Failure, "The download of {events}, {range}, failed"),
        Always("Downloaded an export of the audit log"),
    ]),
    (Action::AuditLogExportRequested, &[
        Ended(Denied, "Was refused an export of the audit log"),
        Always("Requested an export of {events}, {range}"), Always("Requested an export of the audit log"),
    ]),
    (Action::AuditLogIntegrityFailed, &[Always("Read the audit log again: it is not as it was recorded")]),
    (Action::AuditLogIntegrityRestored, &[Always("Read the audit log again: what is kept of it is as it was recorded")]),
    (Action::AuditLogViewed, &[Ended(Denied, "Was refused the audit log"), Always("Looked at the audit log")]),
    (Action::TrustedDocumentSubmitted, &[
        Always("Submitted {trusted documents} for client [client] to [graph] / {branch}"),
        Always("Submitted trusted documents for client [client]"), Always("Submitted trusted documents"),
    ]),
    (Action::ModelCreated, &[Always("Created model [name]"), Always("Created a model")]),
    (Action::ModelDeleted, &[Always("Deleted model [name]"), Always("Deleted a model")]),
    (Action::ModelRecordsAdded, &[
        Always("Added {added records} to model [model]"), Always("Added records to model [model]"), Always("Added records to a model"),
    ]),
    (Action::ModelExportRequested, &[
        Ended(Denied, "Was refused an export of model [name]"),
        Always("Requested an export of {wanted rows} of model [model], {range}"),
        Always("Requested an export of model [model]"), Always("Requested an export of a model"),
    ]),
    (Action::ModelExported, &[
        Ended(Success, "Exported {exported rows} of model [model], {range}"),
        Ended(Empty, "Exported no rows of model [model], {range}"),
        Ended(Aborted, "Broke off the export of model [model], {range}, after {exported rows}"),
        Ended(Failure, "The export of model [model], {range}, failed after {exported rows}"),
        Always("Exported {exported rows} of model [model]"), Always("Exported model [model]"), Always("Exported a model"),
    ]),
    (Action::ModelRecordsPruned, &[
        Always("Removed records of model [model] that were older than {days} days"), Always("Removed old records of a model"),
    ]),
    (Action::RetentionPruned, &[
        Always("Removed events from before {until}: they are kept for {days} days"), Always("Removed events that are no longer kept"),
    ]),
    (Action::LoginAttempted, &[
        Ended(Failure, "Failed to {attempt}: {reason}"),
        Ended(Failure, "Failed to {attempt}"),
        Ended(Denied, "Was refused to {attempt}: {reason}"),
        Ended(Denied, "Was refused to {attempt}"),
        Always("{attempted}"),
    ]),
    (Action::MutationSent, &[
        Ended(Denied, "Sent mutation [name], which was refused"), Ended(Failure, "Sent mutation [name], which failed"),
        Always("Sent mutation [name]"), Always("Sent a mutation"),
    ]),
    (Action::AccountUpdated, &[
        Ended(Failure, "Failed to {attempt}: {reason}"),
        Ended(Failure, "Failed to {attempt}"),
        Ended(Denied, "Was refused to {attempt}: {reason}"),
        Ended(Denied, "Was refused to {attempt}"),
        Changed("name", "Renamed themselves from {old.name} to [new.name]"),
        Changed("email", "Changed their e-mail address from {old.email} to [new.email]"),
        Changed("password_changed_at", "{attempted}"),
        Changed("sessions", "Ended {ended sessions} of their own"),
        Always("Updated their account"),
    ]),
];

#[cfg(test)]
mod tests {
    use super::super::template::{Piece, pieces};
    use super::*;

    /// Places that are known of every event.
    const KNOWN: [&str; 3] = ["action", "attempt", "attempted"];

    #[test]
    fn the_last_template_of_every_action_needs_nothing() {
        assert_eq!(SENTENCES.len(), Action::ALL.len());
        for templates in Action::ALL.map(templates).into_iter().chain([OTHERS]) {
            let last = templates.last().unwrap();
            assert!(matches!(last, Always(_)), "{}", last.text());
            let needs = |piece| matches!(piece, Piece::Place { name, .. } if !KNOWN.contains(&name));
            assert!(!pieces(last.text()).any(needs), "{}", last.text());
        }
    }

    #[test]
    fn templates_name_fields_that_the_catalogue_has() {
        let places = [
            "name",
            "changes",
            "events",
            "range",
            "trusted documents",
            "ended sessions",
            "reason",
            "added records",
            "wanted rows",
            "exported rows",
        ];
        for action in Action::ALL {
            let shapes = [action.previous(), action.next()].into_iter().flatten();
            let fields: Vec<_> = shapes.flat_map(|shape| shape.fields).map(|(name, _)| *name).collect();
            for template in templates(action) {
                for piece in pieces(template.text()) {
                    let Piece::Place { name, .. } = piece else { continue };
                    let field = name.strip_prefix("old.").or(name.strip_prefix("new.")).unwrap_or(name);
                    let known = fields.contains(&field) || places.contains(&field) || KNOWN.contains(&field);
                    assert!(known, "{}: {name} in “{}”", action.name(), template.text());
                }
            }
        }
    }
}
