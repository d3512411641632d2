//! Mutations of GraphQL in the trail: what was claimed, what ran, and how it ended.

use orgtrail::identity::access_token::Scope;

use super::*;
use crate::mutations::{mutations, mutations_when, trail};
use crate::support::{ACME, PASSWORD};

const CREATE_TEAM: &str =
    "mutation Make($name: String!) { createTeam(input: { name: $name }) { team { id name memberCount } } }";

#[tokio::test]
async fn a_mutation_and_what_it_did_are_one_transaction() {
    let (app, owner) = owner().await;
    let made = data(&send(&owner, CREATE_TEAM, json!({ "name": "Security" })).await);
    assert_eq!(
        (&made["createTeam"]["team"]["name"], &made["createTeam"]["team"]["memberCount"]),
        (&json!("Security"), &json!(0))
    );
    let mut trail = trail(&app, ACME).await;
    trail.retain(|event| event["action"] != "login.attempted"); // these are copied when they are
    let [.., did, sent] = trail.as_slice() else { panic!("{trail:?}") };
    assert_eq!((&did["action"], &sent["action"]), (&json!("team.created"), &json!("mutation.sent")));
    assert_eq!((&did["transaction"], &did["request"]), (&sent["transaction"], &sent["request"]));
    assert_eq!((&sent["user"], &sent["outcome"]), (&json!(app.owner.email), &json!("success")));
    assert_eq!(
        (&sent["name"], &sent["text"], &sent["runs"]),
        (&json!("Make"), &json!(CREATE_TEAM), &json!(["createTeam"]))
    );
    assert_eq!(sent["variables"], json!({ "name": "Security" }));
    // The same document, spaced otherwise, is the same.
    data(&send(&owner, &CREATE_TEAM.replace(' ', "\n, "), json!({ "name": "Other" })).await);
    let sent = mutations(&app, ACME).await;
    assert_eq!((sent[0]["document"].as_str().unwrap().len(), &sent[0]["document"]), (64, &sent[1]["document"]));
}

#[tokio::test]
async fn what_is_refused_or_fails_is_recorded_alone() {
    let (app, owner) = owner().await;
    let (member, stranger) = (app.member().await, app.stranger().await);
    let token = app.program_with(&[Scope::AuditRead]).await;
    let to =
        |account: &str| CREATE_TEAM.replace("{ name: $name }", &format!("{{ account: \"{account}\", name: $name }}"));
    for (client, document, name, code) in [
        (&member, CREATE_TEAM.to_owned(), "Mine", "FORBIDDEN"),
        (&owner, CREATE_TEAM.to_owned(), " ", "BAD_USER_INPUT"),
        (&token, CREATE_TEAM.to_owned(), "Robots", "FORBIDDEN"),
        (&token, to("elsewhere"), "Away", "NOT_FOUND"),
        (&stranger, to(ACME), "Theirs", "NOT_FOUND"),
        (
            &owner,
            "mutation Make($name: String!) { createTeam(input: { nam: $name }) { team { id } } }".into(),
            "Invalid",
            "BAD_USER_INPUT",
        ),
    ] {
        let answer = send(client, &document, json!({ "name": name })).await;
        assert_eq!(answer.json()["errors"][0]["extensions"]["code"], code, "{}", answer.body);
    }
    // Of whom no organization is known, the own ones are told.
    let sent = mutations_when(&app, ACME, 5).await;
    let told: Vec<_> =
        sent.iter().map(|event| (event["outcome"].clone(), event["variables"]["name"].clone())).collect();
    let expected =
        [("denied", "Mine"), ("failure", " "), ("denied", "Robots"), ("failure", "Away"), ("failure", "Invalid")];
    assert_eq!(told, expected.map(|(outcome, name)| (json!(outcome), json!(name))));
    assert_eq!((&sent[2]["token"], &sent[2]["user"]), (&json!("SIEM"), &Value::Null));
    assert!(!trail(&app, ACME).await.iter().any(|event| event["action"] == "team.created"));
}

#[tokio::test]
async fn what_changes_nothing_is_recorded_too() {
    let (app, owner) = owner().await;
    let rename = "mutation { updateOrganization(input: { name: \"Acme\", slug: \"acme\" }) { account { name slug } } }";
    assert_eq!(data(&send(&owner, rename, json!({})).await)["updateOrganization"]["account"]["name"], "Acme");
    let sent = mutations(&app, ACME).await;
    assert_eq!((sent.len(), &sent[0]["outcome"], &sent[0]["name"]), (1, &json!("success"), &Value::Null));
    // Questions are none, and what does not run is none.
    data(&send(&owner, "query updateOrganization { account { slug } }", json!({})).await);
    let two = "mutation { a: deleteTeam(input: { id: \"x\" }) { deletedTeamId } b: deleteTeam(input: { id: \"y\" }) { deletedTeamId } }";
    assert_eq!(error(&send(&owner, two, json!({})).await).0, "BAD_USER_INPUT");
    assert_eq!(mutations(&app, ACME).await.len(), 1);
}

#[tokio::test]
async fn a_name_is_a_claim() {
    let (app, owner) = owner().await;
    let document = "query ReadTeams { account { slug } } mutation ReadMyTeams { createTeam(input: { name: \"Hidden\" }) { team { id } } }";
    let body = json!({ "query": document, "operationName": "ReadMyTeams" });
    data(&raw(&owner, "application/json", body.to_string()).await);
    let honest = CREATE_TEAM.replace("Make", "PageCreateTeam");
    data(&send(&owner, &honest, json!({ "name": "Shown" })).await);
    let asked =
        "{ account { authenticatedAuditLogs(first: 10) { edges { node { operationName rootFields nameMatches } } } } }";
    let log = data(&send(&owner, asked, json!({})).await)["account"]["authenticatedAuditLogs"]["edges"].clone();
    let node = |name: &str, matches: bool| json!({ "node": { "operationName": name, "rootFields": ["createTeam"], "nameMatches": matches } });
    assert_eq!(log, json!([node("PageCreateTeam", true), node("ReadMyTeams", false)]));
    assert_eq!(mutations(&app, ACME).await.len(), 2);
}

#[tokio::test]
async fn secrets_are_not_stored() {
    let (app, owner) = owner().await;
    let change = "mutation Change($input: ChangePasswordInput!) { changePassword(input: $input) { viewer { id } } }";
    let named = "mutation ($a: String!, $b: String!) { changePassword(input: { currentPassword: $a, newPassword: $b }) { viewer { id } } }";
    let inline = |new: &str| {
        format!(
            "mutation {{ changePassword(input: {{ currentPassword: \"canary one\", newPassword: \"\"\"{new}\"\"\" }}) {{ viewer {{ id }} }} }}"
        )
    };
    let input = json!({ "currentPassword": "canary three", "newPassword": "canary four, which is long" });
    for (document, variables) in [
        (inline("canary two, which is long"), json!({})),
        (change.to_owned(), json!({ "input": input })),
        (
            change.to_owned(),
            json!({ "input": { "currentPassword": PASSWORD, "newPassword": "x" }, "apiToken": "canary five" }),
        ),
        (named.to_owned(), json!({ "a": "canary six", "b": "canary seven, which is long" })),
        (named.replace("$a: String!", "$a: String = \"canary eight\""), json!({ "b": "canary nine" })),
    ] {
        assert_eq!(error(&send(&owner, &document, variables).await).0, "BAD_USER_INPUT");
    }
    let token = "mutation { createAccessToken(input: { name: \"Robot\", scopes: [AUDIT_READ] }) { secret accessToken { id } } }";
    let made = data(&send(&owner, token, json!({})).await)["createAccessToken"].clone();
    let secret = made["secret"].as_str().unwrap();
    let quoted = format!("mutation {{ createTeam(input: {{ name: \"{secret}\" }}) {{ team {{ id }} }} }}");
    send(&owner, &quoted, json!({ "note": secret })).await;
    mutations_when(&app, ACME, 6).await;
    let stored: String = sqlx::query_scalar(
        "select string_agg(coalesce(operation::text, ''), '') || (select string_agg(e::text, '') from orgtrail.events e
            where e.action = 'mutation.sent') from orgtrail.sign_in_attempts",
    )
    .fetch_one(&app.superuser)
    .await
    .unwrap();
    assert!(stored.contains("changePassword") && stored.contains("createAccessToken"), "{stored}");
    for canary in ["canary", PASSWORD, secret] {
        assert!(!stored.contains(canary), "{canary}: {stored}");
    }
}
