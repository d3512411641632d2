//! Who may use which server function: the table of contract §9, asked over HTTP by everybody there is.

use leptos::server_fn::axum::server_fn_paths;
use orgtrail::identity::access_token::Scope;
use orgtrail::identity::role::Role;

use crate::support::TestApplication;

mod cast;

pub use cast::Cast;

/// A password to change to.
pub const OTHER_PASSWORD: &str = "another horse of batteries";

/// What a server function asks of whoever calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Nothing: for whoever is not signed in yet, or any more.
    Nothing,
    /// A session of a user.
    Session,
    /// To read the organization.
    ReadsOrganization,
    /// To rename it.
    Renames,
    /// To change or remove a member.
    ChangesMembers,
    /// To invite people.
    Invites,
    /// To manage access tokens.
    ManagesTokens,
    /// To adopt one whose creator is gone.
    AdoptsTokens,
    /// To end the sessions of a member.
    EndsSessions,
    /// To create, rename and delete teams, and to change who is in them.
    ManagesTeams,
    /// To create and delete graphs.
    ManagesGraphs,
    /// To change a graph; no token here has a permission for one.
    ChangesGraph,
    /// To publish to a graph.
    PublishesToGraph,
    /// To create and delete models.
    ManagesModels,
    /// To add records to a model.
    AddsRecords,
    /// To read the audit log.
    ReadsLog,
    /// To export it.
    ExportsLog,
}

/// Every server function and its rule: one more is a decision, and a line here.
pub const ENDPOINTS: [(&str, &str, Rule); 80] = [
    ("GET", "/api/export_audit_logs", Rule::ExportsLog),
    ("POST", "/api/accept_invite", Rule::Session),
    ("POST", "/api/access_tokens_page", Rule::ManagesTokens),
    ("POST", "/api/add_records", Rule::AddsRecords),
    ("POST", "/api/add_team_member", Rule::ManagesTeams),
    ("POST", "/api/adopt_access_token", Rule::AdoptsTokens),
    ("POST", "/api/audit_actors", Rule::ReadsLog),
    ("POST", "/api/audit_count", Rule::ReadsLog),
    ("POST", "/api/audit_event", Rule::ReadsLog),
    ("POST", "/api/audit_page", Rule::ReadsLog),
    ("POST", "/api/branch_view", Rule::ReadsOrganization),
    ("POST", "/api/change_member_role", Rule::ChangesMembers),
    ("POST", "/api/change_password", Rule::Session),
    ("POST", "/api/change_team_role", Rule::ManagesTeams),
    ("POST", "/api/compared_supergraphs", Rule::ReadsOrganization),
    ("POST", "/api/compared_versions", Rule::ReadsOrganization),
    ("POST", "/api/confirm_email", Rule::Session),
    ("POST", "/api/create_access_token", Rule::ManagesTokens),
    ("POST", "/api/create_branch", Rule::ChangesGraph),
    ("POST", "/api/create_graph", Rule::ManagesGraphs),
    ("POST", "/api/create_invite", Rule::Invites),
    ("POST", "/api/create_model", Rule::ManagesModels),
    ("POST", "/api/create_organization", Rule::Session),
    ("POST", "/api/create_team", Rule::ManagesTeams),
    ("POST", "/api/delete_branch", Rule::ChangesGraph),
    ("POST", "/api/delete_graph", Rule::ManagesGraphs),
    ("POST", "/api/delete_model", Rule::ManagesModels),
    ("POST", "/api/delete_subgraph", Rule::ChangesGraph),
    ("POST", "/api/delete_team", Rule::ManagesTeams),
    ("POST", "/api/document_view", Rule::ReadsOrganization),
    ("POST", "/api/documents_page", Rule::ReadsOrganization),
    ("POST", "/api/email_change_view", Rule::Session),
    ("POST", "/api/end_member_sessions", Rule::EndsSessions),
    ("POST", "/api/end_other_sessions", Rule::Session),
    ("POST", "/api/end_session", Rule::Session),
    ("POST", "/api/flash", Rule::Nothing),
    ("POST", "/api/grant_access_token_graph", Rule::ManagesTokens),
    ("POST", "/api/grant_team_graph", Rule::ChangesGraph),
    ("POST", "/api/graph_view", Rule::ReadsOrganization),
    ("POST", "/api/graphs_page", Rule::ReadsOrganization),
    ("POST", "/api/invite_view", Rule::Nothing),
    ("POST", "/api/invites_page", Rule::Invites),
    ("POST", "/api/join_by_invite", Rule::Nothing),
    ("POST", "/api/login", Rule::Nothing),
    ("POST", "/api/logout", Rule::Nothing),
    ("POST", "/api/members_page", Rule::ReadsOrganization),
    ("POST", "/api/model_view", Rule::ReadsOrganization),
    ("POST", "/api/models_page", Rule::ReadsOrganization),
    ("POST", "/api/organization_view", Rule::ReadsOrganization),
    ("POST", "/api/own_sessions", Rule::Session),
    ("POST", "/api/publish_subgraph", Rule::PublishesToGraph),
    ("POST", "/api/remove_member", Rule::ChangesMembers),
    ("POST", "/api/remove_team_member", Rule::ManagesTeams),
    ("POST", "/api/rename_team", Rule::ManagesTeams),
    ("POST", "/api/request_email_change", Rule::Session),
    ("POST", "/api/request_password_reset", Rule::Nothing),
    ("POST", "/api/resend_invite", Rule::Invites),
    ("POST", "/api/reset_password", Rule::Nothing),
    ("POST", "/api/reset_view", Rule::Nothing),
    ("POST", "/api/revoke_access_token", Rule::ManagesTokens),
    ("POST", "/api/revoke_invite", Rule::Invites),
    ("POST", "/api/rotate_access_token", Rule::ManagesTokens),
    ("POST", "/api/signup", Rule::Nothing),
    ("POST", "/api/subgraph_version", Rule::ReadsOrganization),
    ("POST", "/api/subgraph_versions", Rule::ReadsOrganization),
    ("POST", "/api/submit_manifest", Rule::PublishesToGraph),
    ("POST", "/api/supergraph_view", Rule::ReadsOrganization),
    ("POST", "/api/supergraphs_page", Rule::ReadsOrganization),
    ("POST", "/api/team_view", Rule::ReadsOrganization),
    ("POST", "/api/teams_page", Rule::ReadsOrganization),
    ("POST", "/api/update_access_token", Rule::ManagesTokens),
    ("POST", "/api/update_account", Rule::Session),
    ("POST", "/api/update_branch", Rule::ChangesGraph),
    ("POST", "/api/update_graph", Rule::ChangesGraph),
    ("POST", "/api/update_invite", Rule::Invites),
    ("POST", "/api/update_organization", Rule::Renames),
    ("POST", "/api/update_subgraph", Rule::ChangesGraph),
    ("POST", "/api/viewer", Rule::Session),
    ("POST", "/api/withdraw_access_token_graph", Rule::ManagesTokens),
    ("POST", "/api/withdraw_team_graph", Rule::ChangesGraph),
];

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    Anonymous,
    /// Signed in, with this role in the organization.
    Member(Role),
    /// Signed in, and removed from the organization before.
    Former,
    /// Signed in, and the owner of another organization.
    Stranger,
    /// A token of the organization with one scope.
    Token(Scope),
    /// A token with every scope whose time is over.
    Expired,
    /// A token with every scope that was revoked.
    Revoked,
}

pub fn everybody() -> Vec<Who> {
    let mut everybody = vec![Who::Anonymous, Who::Former, Who::Stranger, Who::Expired, Who::Revoked];
    everybody.extend(Role::ALL.map(Who::Member));
    everybody.extend(Scope::ALL.map(Who::Token));
    everybody
}

/// Whether it makes, changes or deletes something of a graph.
fn changes_graph(path: &str) -> bool {
    let ends = ["_graph", "_branch", "_subgraph"];
    ends.iter().any(|end| path.ends_with(end)) && !path.ends_with("_access_token_graph")
}

/// The status that a rule has for somebody.
pub fn expected(rule: Rule, who: Who) -> u16 {
    let scope = match rule {
        Rule::Nothing | Rule::ReadsOrganization | Rule::EndsSessions => None,
        Rule::ManagesTokens
        | Rule::AdoptsTokens
        | Rule::ChangesGraph
        | Rule::PublishesToGraph
        | Rule::ManagesModels => {
            return expected_of_people(rule, who);
        }
        Rule::AddsRecords => Some(Scope::ModelsWrite),
        Rule::ManagesGraphs => Some(Scope::GraphsWrite),
        Rule::Session => return if matches!(who, Who::Member(_) | Who::Former | Who::Stranger) { 200 } else { 401 },
        Rule::Renames | Rule::ChangesMembers | Rule::ManagesTeams | Rule::Invites => Some(Scope::OrganizationWrite),
        Rule::ReadsLog => Some(Scope::AuditRead),
        Rule::ExportsLog => Some(Scope::AuditExport),
    };
    match who {
        // A token that is not good is refused whatever it is for.
        Who::Expired | Who::Revoked => 401,
        _ if rule == Rule::Nothing => 200,
        Who::Anonymous => 401,
        Who::Former | Who::Stranger => 404,
        _ if rule == Rule::EndsSessions && who != Who::Member(Role::Owner) => 403,
        Who::Member(Role::Member) if scope.is_some() && rule != Rule::AddsRecords => 403,
        Who::Token(own) if scope.is_some_and(|scope| scope != own) => 403,
        Who::Member(_) | Who::Token(_) => 200,
    }
}

/// What takes a role here: access tokens are managed by people only, and adopted by owners; no token has a permission for a graph.
fn expected_of_people(rule: Rule, who: Who) -> u16 {
    match who {
        Who::Anonymous | Who::Expired | Who::Revoked => 401,
        Who::Former | Who::Stranger => 404,
        Who::Member(Role::Owner) => 200,
        Who::Member(Role::Admin) if rule != Rule::AdoptsTokens => 200,
        Who::Member(_) | Who::Token(_) => 403,
    }
}

#[tokio::test]
async fn every_server_function_has_a_rule_and_keeps_it_for_everybody() {
    let mut registered: Vec<_> =
        server_fn_paths().map(|(path, method)| (method.to_string(), path.to_owned())).collect();
    registered.sort();
    let known: Vec<_> = ENDPOINTS.iter().map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned())).collect();
    assert_eq!(registered, known);
    let cast = Cast::new().await;
    let (mut wrong, mut number) = (Vec::new(), 0);
    for (method, path, rule) in ENDPOINTS {
        for who in everybody() {
            number += 1;
            let answer = cast.ask(who, method, path, number).await;
            let expected = expected(rule, who);
            let status = if answer.status == 202 { 200 } else { answer.status };
            if status != expected {
                wrong.push(format!("{path} for {who:?}: {} instead of {expected}: {}", answer.status, answer.body));
            }
            // A refusal is a problem and nothing else: no piece of what was asked for.
            if expected != 200 {
                assert_eq!(answer.header("content-type"), "application/problem+json", "{path} for {who:?}");
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn what_changes_something_is_no_get() {
    let app = TestApplication::start().await;
    let owner = app.owner().await;
    for (_, path, _) in ENDPOINTS.iter().filter(|(method, ..)| *method == "POST") {
        assert_eq!(owner.get(path).await.status, 405, "{path}");
    }
}
