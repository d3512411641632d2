//! What is kept of a branch: its versions and supergraphs, page by page.

use orgtrail::graph::subgraphs::{self, Settings};
use orgtrail::graph::{branches, versions};
use sqlx::PgPool;

use super::{acme, main, publish, status};

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn pages_of_versions_follow_each_other(superuser: PgPool) {
    let (fixture, acme) = acme(superuser).await;
    let (platform, owner) = (&fixture.platform, &acme.owner);
    for number in 0..53 {
        publish(&fixture, owner, main("products"), &format!("type Query {{ a{number}: Int }}")).await.unwrap();
    }
    let first = versions::list(platform, owner, "acme", main("products"), None).await.unwrap();
    assert_eq!((first.versions.len(), first.versions[0].number, first.before), (50, 53, Some(4)));
    let second = versions::list(platform, owner, "acme", main("products"), first.before).await.unwrap();
    assert_eq!((second.versions.len(), second.before), (3, None));
    let first = versions::supergraphs(platform, owner, "acme", "inventory", "main", None).await.unwrap();
    assert_eq!((first.supergraphs.len(), first.before), (50, Some(4)));
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn each_supergraph_says_what_it_changed(superuser: PgPool) {
    let (fixture, acme) = acme(superuser).await;
    let (platform, owner) = (&fixture.platform, &acme.owner);
    publish(&fixture, owner, main("products"), "type Query { a: Int }").await.unwrap();
    publish(&fixture, owner, main("reviews"), "type Query { b: Int }").await.unwrap();
    publish(&fixture, owner, main("products"), "type Query { a: Int c: Int }").await.unwrap();
    let settings = Settings { url: "https://products.example", owner_team: "" };
    subgraphs::update(platform, owner, "acme", main("products"), settings, None).await.unwrap();
    subgraphs::delete(platform, owner, "acme", main("reviews")).await.unwrap();
    branches::create(platform, owner, "acme", "inventory", "next", "main").await.unwrap();
    let told = async |branch, before| {
        let page = versions::supergraphs(platform, owner, "acme", "inventory", branch, before).await.unwrap();
        let told = page.changes.into_iter().map(|change| {
            let version = |number: Option<i32>| number.map_or("none".to_owned(), |number| number.to_string());
            let (before, after) = (version(change.before), version(change.after));
            format!("{}: {} {before} to {after}, kept: {}", change.supergraph, change.name, change.is_kept)
        });
        told.collect::<Vec<_>>()
    };
    let all = [
        "5: reviews 1 to none, kept: false",
        "4: products 2 to 2, kept: true",
        "3: products 1 to 2, kept: true",
        "2: reviews none to 1, kept: false",
        "1: products none to 1, kept: true",
    ];
    assert_eq!(told("main", None).await, all);
    assert_eq!(told("main", Some(4)).await, all[2..]);
    assert_eq!(told("main", Some(1)).await, [""; 0]);
    assert_eq!(told("next", None).await, ["1: products none to 1, kept: true"]);
    let composed = versions::supergraph(platform, owner, "acme", "inventory", "main", 3).await.unwrap();
    assert_eq!(composed.parts.iter().map(|part| part.is_kept).collect::<Vec<_>>(), [true, false]);

    let compare =
        async |old, new| versions::compare_supergraphs(platform, owner, "acme", "inventory", "main", old, new).await;
    let compared = compare(2, 3).await.unwrap();
    assert_eq!((compared.since, compared.api.added, compared.api.removed), (2, 1, 0));
    assert!(compared.sdl.added > 0);
    let moved = compare(3, 4).await.unwrap();
    assert_eq!((moved.api.hunks.len(), moved.sdl.added, moved.sdl.removed), (0, 1, 1), "clients see no URL");
    for (old, new) in [(0, 1), (1, 6)] {
        assert_eq!(status(&compare(old, new).await), 404);
    }
}
