//! The forms that the steps of people would have been sent as, without the ids that only a page knows. What builds do is sent by REST, and what
//! somebody does to an account is recorded with the attempts.

use orgtrail::audit::operation::SentMutation;
use orgtrail::identity::access_token::Scope;
use serde_json::{Map, Value, json};

use super::ORGANIZATION;
use super::graphs::OnGraph;
use super::models::OnModel;
use super::people::PEOPLE;
use super::step::Act;

/// A step as the mutation that it is; none where it is a question, or no form.
pub(super) fn sent(act: &Act) -> Option<SentMutation> {
    let (form, fields) = about_people(act).or_else(|| about_tokens(act)).or_else(|| match act {
        Act::Graph { graph, what, .. } => about_graphs(graph, *what),
        Act::Model { model, what, .. } => about_models(model, *what),
        _ => None,
    })?;
    let mut variables = Map::from_iter([("organization".to_owned(), Value::from(ORGANIZATION))]);
    variables.extend(fields.as_object().cloned().unwrap_or_default());
    let text = format!("POST /api/{form}");
    Some(SentMutation::new(Some(form), &text, Value::Object(variables), vec![form.to_owned()], None))
}

fn about_people(act: &Act) -> Option<(&'static str, Value)> {
    Some(match act {
        Act::Invite { email, role, .. } => ("create_invite", json!({ "email": email, "role": role.as_str() })),
        Act::ChangeInvite { role, .. } => ("update_invite", json!({ "role": role.as_str() })),
        Act::RevokeInvite { .. } => ("revoke_invite", json!({})),
        Act::ChangeRole { to, .. } => ("change_member_role", json!({ "role": to.as_str() })),
        Act::Remove { .. } => ("remove_member", json!({})),
        Act::Rename { name, .. } => ("update_organization", json!({ "name": name, "slug": ORGANIZATION })),
        Act::MakeTeam { team, .. } => ("create_team", json!({ "name": team })),
        Act::RenameTeam { team, to, .. } => ("rename_team", json!({ "name": to, "shown": team })),
        Act::DeleteTeam { .. } => ("delete_team", json!({})),
        Act::AddToTeam { whom, .. } => ("add_team_member", json!({ "email": PEOPLE[*whom].email(), "role": "member" })),
        Act::ChangeTeamRole { maintains, .. } => {
            ("change_team_role", json!({ "role": if *maintains { "maintainer" } else { "member" } }))
        }
        Act::LeaveTeam { .. } => ("remove_team_member", json!({})),
        _ => return None,
    })
}

fn about_tokens(act: &Act) -> Option<(&'static str, Value)> {
    let scopes = |scopes: &[Scope]| scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>();
    Some(match act {
        Act::MakeToken { name, scopes: own, .. } => {
            ("create_access_token", json!({ "name": name, "scopes": scopes(own) }))
        }
        Act::ChangeToken { name, scopes: own, .. } => {
            ("update_access_token", json!({ "name": name, "scopes": scopes(own) }))
        }
        Act::RotateToken { .. } => ("rotate_access_token", json!({})),
        Act::RevokeToken { .. } => ("revoke_access_token", json!({})),
        _ => return None,
    })
}

fn about_graphs(graph: &str, what: OnGraph) -> Option<(&'static str, Value)> {
    Some(match what {
        OnGraph::Make { name, description } => {
            ("create_graph", json!({ "name": name, "slug": graph, "description": description }))
        }
        OnGraph::Change { name, description } => {
            ("update_graph", json!({ "graph": graph, "name": name, "slug": graph, "description": description }))
        }
        OnGraph::Grant { permission, .. } => ("grant_team_graph", json!({ "graph": graph, "permission": permission })),
        OnGraph::GrantBuilds { permission } => {
            ("grant_access_token_graph", json!({ "graph": graph, "permission": permission }))
        }
        OnGraph::MakeBranch { branch } => ("create_branch", json!({ "graph": graph, "name": branch, "from": "main" })),
        OnGraph::ChangeBranch { branch, to, protected } => {
            ("update_branch", json!({ "graph": graph, "branch": branch, "name": to, "protected": protected }))
        }
        OnGraph::DeleteBranch { branch } => ("delete_branch", json!({ "graph": graph, "branch": branch })),
        OnGraph::Own { subgraph, .. } => {
            ("update_subgraph", json!({ "graph": graph, "branch": "main", "subgraph": subgraph }))
        }
        OnGraph::DeleteSubgraph { branch, subgraph } => {
            ("delete_subgraph", json!({ "graph": graph, "branch": branch, "subgraph": subgraph }))
        }
        OnGraph::Publish { .. } | OnGraph::Submit { .. } => return None,
    })
}

fn about_models(model: &str, what: OnModel) -> Option<(&'static str, Value)> {
    Some(match what {
        OnModel::Make { description, .. } => ("create_model", json!({ "name": model, "description": description })),
        OnModel::Add { .. } => ("add_records", json!({ "model": model })),
        OnModel::Export { .. } => return None,
    })
}
