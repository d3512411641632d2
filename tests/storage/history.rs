//! The history of a graph and of a branch: all that happened in it, and nothing of another one.

use orgtrail::audit::page;
use orgtrail::graph::documents::{self, Client};
use orgtrail::graph::subgraphs::{self, Publication, Target};
use orgtrail::graph::{branches, registry};
use orgtrail::identity::access_token::{self, Scope, Wanted, graphs as tokens};
use sqlx::PgPool;

use crate::filters::asked;
use crate::fixture::{Fixture, Tenant, lines};

/// Everything that is recorded of a graph, and of what is in it.
async fn live(fixture: &Fixture, acme: &Tenant, graph: &str) {
    let (platform, owner) = (&fixture.platform, &acme.owner);
    fixture.graph(acme, graph).await;
    let publication = Publication { schema: b"type Query { stock: Int }", url: Some("https://stock.example/") };
    subgraphs::publish(platform, owner, "acme", Target { graph, branch: "main", name: "stock" }, publication)
        .await
        .unwrap();
    branches::create(platform, owner, "acme", graph, "next", "main").await.unwrap();
    let more = Publication { schema: b"type Query { stock: Int! }", ..publication };
    subgraphs::publish(platform, owner, "acme", Target { graph, branch: "next", name: "stock" }, more).await.unwrap();
    let manifest = br#"{"1": "query Stock { stock }"}"#;
    // A client that calls itself as another graph does is in its own history only.
    let name = history_of(fixture, "other").await.unwrap_or_else(|| "shop".to_owned());
    documents::submit(platform, owner, "acme", Client { graph, branch: "next", name: &name }, manifest).await.unwrap();
    let robot = Wanted::new("robot", &[Scope::GraphsWrite]);
    let token = access_token::create(platform, owner, "acme", None, robot).await.unwrap();
    tokens::grant(platform, owner, "acme", token.id.into(), graph, "publish").await.unwrap();
}

/// The id of a graph.
async fn history_of(fixture: &Fixture, graph: &str) -> Option<String> {
    sqlx::query_scalar("select id::text from orgtrail.graphs where slug = $1")
        .bind(graph)
        .fetch_optional(&fixture.superuser)
        .await
        .unwrap()
}

/// Actions of an object's history, oldest first, which the count, a search and the list agree on.
async fn told(fixture: &Fixture, acme: &Tenant, object: &str) -> String {
    let query = format!("object={object}");
    let list = asked(fixture, acme, &query).await;
    let search = asked(fixture, acme, &format!("{query}&q=stock")).await;
    assert!(!search.events.is_empty() && search.events.len() <= list.events.len(), "{object}");
    let count = page::count(&fixture.platform, &acme.owner, "acme", &query).await.unwrap();
    assert_eq!(usize::try_from(count.events).unwrap(), list.events.len(), "{object}");
    let actions = list.events.into_iter().rev().map(|event| event.action);
    actions.collect::<Vec<_>>().join("\n")
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn of_a_graph_holds_what_happened_in_it(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let acme = fixture.organization("acme").await;
    live(&fixture, &acme, "other").await;
    live(&fixture, &acme, "inventory").await;
    let graphs = [history_of(&fixture, "other").await.unwrap(), history_of(&fixture, "inventory").await.unwrap()];
    for graph in &graphs {
        let story = told(&fixture, &acme, &format!("graph:{graph}")).await;
        insta::allow_duplicates! {
            insta::assert_snapshot!(story, @"
            graph.created
            branch.created
            subgraph.created
            subgraph.published
            branch.created
            subgraph.published
            trusted_document.submitted
            access_token.graph.added
            ");
        }
    }
    let next = lines(
        "select object_id from orgtrail.events where action = 'branch.created' and object_name = 'next'",
        &fixture.superuser,
    )
    .await;
    for branch in next.lines() {
        let story = told(&fixture, &acme, &format!("branch:{branch}")).await;
        insta::allow_duplicates! {
            insta::assert_snapshot!(story, @"
            branch.created
            subgraph.published
            trusted_document.submitted
            ");
        }
    }
    // What is deleted keeps its history.
    let [_, inventory] = graphs;
    registry::delete(&fixture.platform, &acme.owner, "acme", "inventory").await.unwrap();
    let story = told(&fixture, &acme, &format!("graph:{inventory}")).await;
    assert!(story.ends_with("access_token.graph.removed\ngraph.deleted"), "{story}");
}
