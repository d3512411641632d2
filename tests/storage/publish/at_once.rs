//! What happens to a branch while a schema for it is composed.

use futures::FutureExt;
use futures::future::BoxFuture;
use orgtrail::graph::subgraphs::{self, Publication};
use orgtrail::graph::versions;
use orgtrail::platform::work::Workers;
use orgtrail::{Error, Result};
use sqlx::PgPool;
use std::sync::Arc;

use super::{acme, count, main, publish, rows, status, told};
use crate::fixture::run;

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn several_at_once_are_put_in_order_and_all_recorded(superuser: PgPool) {
    let (fixture, acme) = acme(superuser).await;
    let past = fixture.trail(acme.id).await.len();
    let work = (0..4).map(|number| {
        let (platform, owner) = (fixture.platform.clone(), acme.owner.clone());
        tokio::spawn(async move {
            let (name, schema) = (format!("s{number}"), format!("type Query {{ s{number}: Int }}"));
            let publication = Publication { schema: schema.as_bytes(), url: None };
            subgraphs::publish(&platform, &owner, "acme", main(&name), publication).await.unwrap()
        })
    });
    let mut supergraphs = Vec::new();
    for done in futures::future::join_all(work).await {
        supergraphs.push(done.unwrap().supergraph.unwrap());
    }
    supergraphs.sort_unstable();
    assert_eq!(supergraphs, [1, 2, 3, 4]);
    let actions: Vec<_> = told(&fixture, &acme, past).await.into_iter().map(|(action, ..)| action).collect();
    assert_eq!(actions, ["subgraph.created", "subgraph.published"].repeat(4));
    let last = versions::supergraph(&fixture.platform, &acme.owner, "acme", "inventory", "main", 4).await.unwrap();
    assert_eq!(last.parts.len(), 4);
    assert!((0..4).all(|number| last.api.contains(&format!("s{number}: Int"))), "{}", last.api);
}

/// Two that would compose one by one, and not together: the second is composed with what the first has published.
#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn of_two_at_once_that_do_not_compose_together_one_is_refused(superuser: PgPool) {
    let (fixture, acme) = acme(superuser).await;
    let one = publish(&fixture, &acme.owner, main("one"), "type Query { a: Int }");
    let other = publish(&fixture, &acme.owner, main("other"), "type Query { a: String }");
    let (one, other) = tokio::join!(one, other);
    let mut statuses = [status(&one), status(&other)];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 422]);
    assert_eq!(count(&fixture, "subgraphs").await, 1);
}

/// Publishes to a branch whenever something is about to be composed, so that it is out of date every time.
struct Meanwhile {
    fixture: PgPool,
    inner: Arc<dyn Workers>,
}

impl Workers for Meanwhile {
    fn run(&self, work: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, Result<()>> {
        let (database, inner) = (self.fixture.clone(), self.inner.clone());
        async move {
            let mut transaction = database.begin().await?;
            run("set local session_replication_role = replica", &mut *transaction).await?;
            run("update orgtrail.branches set composed = composed + 1", &mut *transaction).await?;
            transaction.commit().await?;
            inner.run(work).await
        }
        .boxed()
    }
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn nobody_composes_for_ever(superuser: PgPool) {
    let (mut fixture, acme) = acme(superuser).await;
    fixture.platform.workers =
        Arc::new(Meanwhile { fixture: fixture.superuser.clone(), inner: fixture.platform.workers.clone() });
    let refused = publish(&fixture, &acme.owner, main("products"), "type Query { a: Int }").await;
    assert!(matches!(&refused, Err(Error::Conflict(told)) if told.contains("try again")), "{refused:?}");
    assert_eq!(count(&fixture, "subgraphs").await, 0);
}

/// Loses its work, as a thread does that panics.
struct Broken;

impl Workers for Broken {
    fn run(&self, _: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, Result<()>> {
        async { tokio::task::spawn_blocking(|| panic!("broken")).await.map_err(Error::internal) }.boxed()
    }
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn a_panic_while_composing_is_an_error_and_changes_nothing(superuser: PgPool) {
    let (mut fixture, acme) = acme(superuser).await;
    let before = rows(&fixture).await;
    fixture.platform.workers = Arc::new(Broken);
    let refused = publish(&fixture, &acme.owner, main("products"), "type Query { a: Int }").await;
    assert!(matches!(refused, Err(Error::Internal(_))), "{refused:?}");
    assert_eq!(rows(&fixture).await, before);
}
