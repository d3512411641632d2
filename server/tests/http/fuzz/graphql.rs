//! Every field of GraphQL and every mutation there is, asked for with what does not belong there, and by documents that are almost right.

use std::collections::BTreeMap;

use fastrand::Rng;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::faulty::assert_every_fault_is_found;
use super::functions::arguments;
use super::hostile::{like, lossy, text};
use super::judge::{Asked, patient_cast};
use super::routes::{Askers, OWNER};
use super::schema::{Schema, anything};
use crate::amount::rounds;
use crate::graphql::mutations::Mutations;
use crate::routes::Cast;
use crate::support::{ACME, Answer, Client};

/// Documents that work, of more than one field.
const QUERIES: [&str; 5] = [
    include_str!("../../graphql/authenticated.graphql"),
    include_str!("../../graphql/unauthenticated.graphql"),
    include_str!("../../graphql/exporter.graphql"),
    "query A($n: Int! = 1) { account(slug: \"acme\") { name ...M auditLogs(first: $n) @include(if: true) { edges { node { action } } } } } fragment M on Account { slug }",
    "{ __schema { types { name fields(includeDeprecated: true) { name args { defaultValue } } } } a: __typename }",
];

/// The request with this body.
pub fn request(client: &Client, body: Vec<u8>) -> RequestBuilder {
    client.bare(Method::POST, "/graphql").header(CONTENT_TYPE, "application/json").body(body)
}

/// Everybody there is, the schema, and what there is to ask for by name.
struct Stage {
    cast: Cast,
    askers: Askers,
    schema: Schema,
    mutations: Mutations,
    ids: BTreeMap<&'static str, String>,
}

impl Stage {
    async fn up() -> Self {
        let cast = patient_cast().await;
        let askers = Askers::of(&cast).await;
        let asked = Schema::request().to_string().into_bytes();
        let schema = Schema::read(&Answer::read(request(&askers.browser, asked)).await.json());
        let mutations = Mutations::read(&askers.browser).await;
        let ids = cast.arguments(OWNER, &askers.browser, "/api/revoke_access_token", 0).await.into_iter().collect();
        Self { cast, askers, schema, mutations, ids }
    }

    /// What an argument of a field is, so that something is found.
    fn known(&self, field: &str, argument: &str) -> Option<Value> {
        Some(match (field, argument) {
            (_, "first") => json!(2),
            ("account", "slug") => json!(ACME),
            ("graph", "slug") => json!("inventory"),
            ("branch", "name") => json!("main"),
            ("subgraph", "name") => json!("products"),
            ("model", "name") => json!("fraud"),
            ("trustedDocument", "client") => json!("web"),
            ("trustedDocument", "id") => json!("all"),
            ("member", "userId") => json!(self.ids["user_id"]),
            ("team", "id") => json!(self.cast.team),
            ("accessToken", "id") => json!(self.ids["token"]),
            _ => return None,
        })
    }

    /// Asks for every field; answers what is wrong.
    async fn ask_for_fields(&self, asked: &Asked, random: &mut Rng) -> Vec<String> {
        let known = |field: &str, argument: &str| self.known(field, argument);
        let fields = self.schema.ways().into_iter().map(|way| self.schema.request_for(&way, known, Some(random)));
        let mut requests: Vec<Value> = fields.collect();
        requests.extend(QUERIES.map(|query| json!({ "query": query, "variables": variables(random) })));
        let mut wrong = Vec::new();
        for request in requests {
            wrong.extend(send(&self.askers.browser, asked, request, random).await);
        }
        wrong
    }

    /// Sends every mutation; answers what is wrong.
    async fn send_mutations(&mut self, asked: &Asked, number: usize, random: &mut Rng) -> Vec<String> {
        let mut wrong = Vec::new();
        for (at, (field, path)) in Mutations::forms().into_iter().enumerate() {
            let arguments = arguments(&self.cast, &self.askers.browser, &path, number * 1000 + at, random).await;
            let mut request = self.mutations.request(&field, arguments);
            let input = request["variables"]["input"].as_object_mut().unwrap();
            for (_, value) in input.iter_mut().filter(|(name, _)| *name != "slug" && *name != "secret") {
                if random.u8(..10) == 0 {
                    *value = anything(random);
                }
            }
            wrong.extend(send(&self.askers.browser, asked, request, random).await);
            self.askers.renew(&self.cast).await;
        }
        wrong
    }
}

/// Variables of [`QUERIES`].
fn variables(random: &mut Rng) -> Value {
    let mut variables = json!({ "num": 10, "startTime": "2026-01-01T00:00:00Z", "endTime": null, "cursor": null });
    for name in ["num", "startTime", "endTime", "cursor"] {
        if random.u8(..4) == 0 {
            variables[name] = if random.bool() { json!(text(random)) } else { anything(random) };
        }
    }
    variables
}

/// Sends a request, or one that is like it.
async fn send(client: &Client, asked: &Asked, mut wanted: Value, random: &mut Rng) -> Option<String> {
    let change = random.u8(..4);
    if change == 0 {
        wanted["query"] = json!(lossy(&like(wanted["query"].as_str().unwrap().as_bytes(), random)));
    }
    let body = wanted.to_string().into_bytes();
    let body = if change == 1 { like(&body, random) } else { body };
    asked.complaint(request(&client.at(&asked.url), body.clone()), || lossy(&body)).await
}

/// The control of what follows: each field is found where it is looked for, so that what is wrong with it would be too.
#[tokio::test]
async fn every_field_is_found_by_what_is_known_of_its_arguments() {
    let stage = Stage::up().await;
    let known = |field: &str, argument: &str| stage.known(field, argument);
    let ways = stage.schema.ways();
    assert!(ways.len() > 100, "{}", ways.len());
    for way in ways {
        let asked = stage.schema.request_for(&way, known, None);
        let answer = Answer::read(request(&stage.askers.browser, asked.to_string().into_bytes())).await;
        assert!(answer.status == 200 && answer.json().get("errors").is_none(), "{asked}: {}", answer.body);
    }
}

#[tokio::test]
async fn no_field_of_graphql_is_a_fault_of_ours() {
    let stage = Stage::up().await;
    let asked = Asked::of(&stage.cast.app);
    for mut random in rounds("fields of GraphQL", 6) {
        let wrong = stage.ask_for_fields(&asked, &mut random).await;
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

#[tokio::test]
async fn no_mutation_of_graphql_is_a_fault_of_ours() {
    for mut random in rounds("mutations of GraphQL", 2) {
        let mut stage = Stage::up().await;
        let asked = Asked::of(&stage.cast.app);
        let wrong = stage.send_mutations(&asked, 1, &mut random).await;
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

#[tokio::test]
async fn a_fault_of_graphql_is_found() {
    let (mut stage, mut number) = (Stage::up().await, 0);
    assert_every_fault_is_found(async |asked, random| stage.ask_for_fields(asked, random).await).await;
    assert_every_fault_is_found(async |asked, random| {
        number += 1;
        stage.send_mutations(asked, number, random).await
    })
    .await;
}
