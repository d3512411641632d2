//! Every mutation: that there is one for each form of the pages, who may send it, and that it does what it says.

use std::collections::BTreeMap;

use leptos::server_fn::axum::server_fn_paths;
use orgtrail::identity::role::Role;
use orgtrail_server::audit::mutations::is_mutation;

use super::*;
use crate::mutations::{mutations_when, trail};
use crate::routes::{Cast, ENDPOINTS, OTHER_PASSWORD, Rule, Who, everybody, expected};
use crate::support::{ACME, PASSWORD};

/// What is called otherwise than its form: `account` is an organization here.
const RENAMED: [(&str, &str); 1] = [("/api/update_account", "updateViewer")];

/// Sessions begin and end by forms alone.
const FORMS_ONLY: [&str; 1] = ["/api/logout"];

const OWNER: Who = Who::Member(Role::Owner);

/// The mutation for a form.
fn field_of(path: &str) -> String {
    if let Some((_, field)) = RENAMED.iter().find(|(form, _)| *form == path) {
        return (*field).to_owned();
    }
    let mut words = path.trim_start_matches("/api/").split('_');
    let first = words.next().unwrap().to_owned();
    words.fold(first, |name, word| name + &word[..1].to_uppercase() + &word[1..])
}

/// The forms that change something, and their mutations.
fn forms() -> Vec<(String, String)> {
    let paths = server_fn_paths().filter(|(path, method)| *method == Method::POST && is_mutation(path));
    let paths = paths.map(|(path, _)| path.to_owned()).filter(|path| !FORMS_ONLY.contains(&path.as_str()));
    let mut forms: Vec<_> = paths.map(|path| (field_of(&path), path)).collect();
    forms.sort();
    forms
}

/// A mutation: the fields of its input with their types, and a field of its payload with what is to be read of it.
struct Described {
    inputs: Vec<(String, String)>,
    reads: String,
}

/// Every mutation there is, by its field.
pub struct Mutations(BTreeMap<String, Described>);

impl Mutations {
    /// As the schema describes them to `client`.
    pub async fn read(client: &Client) -> Self {
        Self(described(client).await)
    }

    /// Their fields, each with the form that does the same.
    pub fn forms() -> Vec<(String, String)> {
        forms()
    }

    /// The request that does what the form does with these arguments.
    pub fn request(&self, field: &str, arguments: Vec<(&str, String)>) -> Value {
        let described = &self.0[field];
        let input = described.input(field, &arguments.into_iter().collect());
        json!({ "query": described.document(field), "variables": { "input": input } })
    }
}

async fn described(client: &Client) -> BTreeMap<String, Described> {
    let asked = "{ __schema { mutationType { fields { name args { type { ofType { inputFields { name type { name ofType { name } } } } } }
        type { fields { name type { kind ofType { kind } } } } } } } }";
    let schema = data(&send(client, asked, json!({})).await);
    let fields = schema["__schema"]["mutationType"]["fields"].as_array().unwrap();
    fields.iter().map(|field| (field["name"].as_str().unwrap().to_owned(), Described::read(field))).collect()
}

impl Described {
    fn read(field: &Value) -> Self {
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let name =
            |value: &Value| value["name"].as_str().or(value["ofType"]["name"].as_str()).unwrap_or("list").to_owned();
        let inputs = list(&field["args"][0]["type"]["ofType"]["inputFields"]);
        let reads = list(&field["type"]["fields"]).into_iter().map(|field| {
            let is_object = field["type"]["kind"] == "OBJECT" || field["type"]["ofType"]["kind"] == "OBJECT";
            format!("{}{} ", field["name"].as_str().unwrap(), if is_object { " { __typename }" } else { "" })
        });
        Self {
            inputs: inputs.iter().map(|field| (name(field), name(&field["type"]))).collect(),
            reads: reads.collect(),
        }
    }

    fn has(&self, input: &str) -> bool {
        self.inputs.iter().any(|(name, _)| name == input)
    }

    fn document(&self, field: &str) -> String {
        let of = field[..1].to_uppercase() + &field[1..];
        if self.inputs.is_empty() {
            return format!("mutation {{ {field} {{ {} }} }}", self.reads);
        }
        format!("mutation ($input: {of}Input!) {{ {field}(input: $input) {{ {} }} }}", self.reads)
    }

    /// The input, made of the arguments of the form.
    fn input(&self, field: &str, arguments: &BTreeMap<&str, String>) -> Value {
        let of = |name: &str, kind: &str| -> Option<Value> {
            let form = match name {
                "account" => "organization",
                "teamId" => "team",
                "userId" => "user_id",
                "currentPassword" => "current_password",
                "newPassword" => "new_password",
                "id" if field.contains("AccessToken") => "token",
                "id" if field.ends_with("Invite") => "invite",
                "id" if field.ends_with("Team") => "team",
                "scopes" => return Some(json!(["AUDIT_READ"])),
                "teamIds" | "addresses" => return Some(json!([])),
                "description" => return Some(json!("")),
                "role" if field == "changeTeamRole" => return Some(json!("MAINTAINER")),
                "isProtected" => return Some(json!(false)),
                name if name.starts_with("expected") => return None,
                name => name,
            };
            let value = arguments.get(form)?;
            Some(match kind {
                "Int" => json!(value.parse::<i32>().ok()?),
                "OrganizationRole" | "TeamRole" | "GraphPermission" => json!(value.to_uppercase()),
                _ => json!(value),
            })
        };
        let given = self.inputs.iter().filter_map(|(name, kind)| Some((name.clone(), of(name, kind)?)));
        Value::Object(given.collect())
    }
}

#[tokio::test]
async fn there_is_one_for_every_form_of_the_pages() {
    let (_app, owner) = owner().await;
    let known: Vec<String> = described(&owner).await.into_keys().collect();
    let forms: Vec<String> = forms().into_iter().map(|(field, _)| field).collect();
    assert_eq!(known, forms);
}

/// What somebody is told: the code, or nothing where it is done.
pub fn told(answer: &Answer) -> String {
    let code = |error: &Value| error["extensions"]["code"].as_str().unwrap_or("?").to_owned();
    match answer.status {
        401 => "401".to_owned(),
        200 => answer.json()["errors"].as_array().map(|errors| code(&errors[0])).unwrap_or_default(),
        other => format!("{other}: {}", answer.body),
    }
}

/// What the rule of the form has for somebody, in the words of GraphQL.
fn expected_code(rule: Rule, who: Who) -> &'static str {
    match (expected(rule, who), who) {
        (200, _) => "",
        // The credential itself is refused before anything runs.
        (401, Who::Anonymous | Who::Expired | Who::Revoked) => "401",
        (401, _) => "UNAUTHENTICATED",
        (403, _) => "FORBIDDEN",
        (404, _) => "NOT_FOUND",
        (other, _) => panic!("{other}"),
    }
}

#[tokio::test]
async fn who_may_send_a_form_may_send_its_mutation_and_nobody_else() {
    let cast = Cast::new().await;
    let described = described(&cast.client(OWNER).await).await;
    let (mut wrong, mut number) = (Vec::new(), 0);
    for (field, path) in forms() {
        let (_, _, rule) = ENDPOINTS.into_iter().find(|(_, known, _)| *known == path).unwrap();
        for who in everybody() {
            number += 1;
            let client = cast.client(who).await;
            let arguments: BTreeMap<_, _> = cast.arguments(who, &client, &path, number).await.into_iter().collect();
            let (document, input) = (described[&field].document(&field), described[&field].input(&field, &arguments));
            let answer = send(&client, &document, json!({ "input": input })).await;
            let (told, expected) = (told(&answer), expected_code(rule, who));
            if told != expected {
                wrong.push(format!("{field} for {who:?}: {told} instead of {expected}: {} {input}", answer.body));
            }
            if field == "changePassword" && told.is_empty() {
                // The session goes on: it is renewed with the password.
                let back = json!({ "currentPassword": OTHER_PASSWORD, "newPassword": PASSWORD });
                data(&send(&client, &document, json!({ "input": back })).await);
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    every_one_did_something(&cast).await;
}

/// What was done is on the trail in the same transaction as the mutation, for each of them that is of an organization.
async fn every_one_did_something(cast: &Cast) {
    mutations_when(&cast.app, ACME, 1).await;
    let trail = trail(&cast.app, ACME).await;
    for (field, path) in forms() {
        let sent: Vec<_> = trail.iter().filter(|event| event["runs"] == json!([field])).collect();
        let with = |outcome: &str| sent.iter().any(|event| event["outcome"] == outcome);
        let (_, _, rule) = ENDPOINTS.into_iter().find(|(_, known, _)| *known == path).unwrap();
        if rule == Rule::Session {
            continue;
        }
        assert!(with("success") && with("denied"), "{field}: {sent:?}");
        let done = sent.iter().filter(|event| event["outcome"] == "success").filter(|sent| {
            trail.iter().any(|event| event["transaction"] == sent["transaction"] && event["action"] != sent["action"])
        });
        // Acme is called Acme already, and its newest manifest is this one: `reads.rs` has others.
        let changes = !["submitManifest", "updateOrganization"].contains(&field.as_str());
        assert_eq!(done.count() > 0, changes, "{field}: {sent:?}");
    }
}

#[tokio::test]
async fn what_is_another_organizations_is_not_there() {
    let cast = Cast::new().await;
    let (owner, stranger) = (OWNER, cast.client(Who::Stranger).await);
    let (described, before) = (described(&stranger).await, trail(&cast.app, ACME).await.len());
    let client = cast.client(owner).await;
    let (mut made, mut asked) = (0, 0);
    for (number, (field, path)) in forms().into_iter().enumerate() {
        let mutation = &described[&field];
        let names_something = ["id", "teamId", "userId", "graph", "model"].iter().any(|input| mutation.has(input));
        if !mutation.has("account") || !names_something {
            continue;
        }
        let arguments: BTreeMap<_, _> = cast.arguments(owner, &client, &path, number).await.into_iter().collect();
        let mut input = mutation.input(&field, &arguments);
        input["account"] = json!("other");
        let answer = send(&stranger, &mutation.document(&field), json!({ "input": input })).await;
        assert_eq!(told(&answer), "NOT_FOUND", "{field}: {}", answer.body);
        (made, asked) = (made + 1, trail(&cast.app, ACME).await.len());
    }
    assert!(made > 25 && asked > before, "{made}");
    let theirs = trail(&cast.app, ACME).await;
    assert!(theirs.iter().all(|event| event["user"] != "stranger@acme.example"), "nothing of it is told here");
}

#[tokio::test]
async fn what_is_another_organizations_cannot_be_read() {
    let cast = Cast::new().await;
    let (owner, stranger) = (cast.client(OWNER).await, cast.client(Who::Stranger).await);
    let given: BTreeMap<_, _> =
        cast.arguments(OWNER, &owner, "/api/revoke_access_token", 1).await.into_iter().collect();
    for field in [
        format!("member(userId: \"{}\") {{ name }}", given["user_id"]),
        format!("team(id: \"{}\") {{ name }}", given["team"]),
        format!("accessToken(id: \"{}\") {{ name }}", given["token"]),
        format!("graph(slug: \"{}\") {{ name }}", given["graph"]),
    ] {
        let ask = |slug: &str| format!("{{ account(slug: \"{slug}\") {{ it: {field} }} }}");
        let own = data(&send(&owner, &ask(ACME), json!({})).await);
        assert!(own["account"]["it"]["name"].is_string(), "{own}");
        for (client, slug) in [(&stranger, "other"), (&stranger, ACME), (&owner, "other")] {
            assert_eq!(error(&send(client, &ask(slug), json!({})).await).0, "NOT_FOUND", "{field}");
        }
    }
}
