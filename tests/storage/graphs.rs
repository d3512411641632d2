//! Graphs and their branches: who may do what with them, what is recorded, and what two people at once get.

use orgtrail::graph::{self, branches, registry, subgraphs, versions};
use orgtrail::identity::access_token::{self, Scope, Wanted, graphs as tokens};
use orgtrail::identity::role::Role;
use orgtrail::identity::viewer::{self, Viewer};
use orgtrail::organization::teams::{self, TeamRole};
use orgtrail::{Error, Result};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::fixture::{Fixture, Tenant, id_of, origin};

mod rights;

fn status<T>(done: &Result<T>) -> u16 {
    done.as_ref().map_or_else(Error::status, |_| 200)
}

/// The organization of these tests, with a graph.
async fn acme(superuser: PgPool) -> (Fixture, Tenant) {
    let fixture = Fixture::new(superuser).await;
    let tenant = fixture.organization("acme").await;
    fixture.graph(&tenant, "inventory").await;
    (fixture, tenant)
}

fn wanted<'a>(slug: &'a str, name: &'a str) -> registry::Wanted<'a> {
    registry::Wanted { slug, name, description: "" }
}

/// A member who is in a team with this permission for the graph.
async fn member_with(fixture: &Fixture, acme: &Tenant, permission: &str) -> Viewer {
    let member = fixture.member(acme, &format!("member-{permission}"), Role::Member).await;
    let team = fixture.team(acme, &format!("Team {permission}"), &[(&member, TeamRole::Member)]).await;
    graph::teams::grant(&fixture.platform, &acme.owner, "acme", "inventory", &team, permission, None).await.unwrap();
    member
}

/// A token with this permission for the graph.
async fn token_with(fixture: &Fixture, creator: &Viewer, scopes: &[Scope], permission: &str) -> Viewer {
    let platform = &fixture.platform;
    let made = access_token::create(platform, creator, "acme", None, Wanted::new("robot", scopes)).await.unwrap();
    tokens::grant(platform, creator, "acme", made.id.into(), "inventory", permission).await.unwrap();
    viewer::from_token(platform, origin(), made.secret.expose()).await.unwrap()
}

/// Action and states of what was recorded since index `past`.
async fn told(fixture: &Fixture, tenant: &Tenant, past: usize) -> Vec<(String, Value, Value)> {
    let state = |text: Option<String>| text.map_or(Value::Null, |text| serde_json::from_str(&text).unwrap());
    let trail = fixture.trail(tenant.id).await.split_off(past);
    trail.into_iter().map(|event| (event.action, state(event.previous), state(event.next))).collect()
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn every_change_of_a_graph_tells_its_whole_state(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let acme = fixture.organization("acme").await;
    let (platform, owner) = (&fixture.platform, &acme.owner);
    let team = fixture.team(&acme, "Robots", &[]).await;
    let past = fixture.trail(acme.id).await.len();
    let made = registry::Wanted { slug: "inventory", name: " Inventory ", description: "What there is\r\nand was" };
    assert_eq!(registry::create(platform, owner, "acme", made).await.unwrap(), "inventory");
    let shown = registry::graph(platform, owner, "acme", "inventory").await.unwrap();
    let state = |slug: &str, name: &str, teams: Value| json!({ "id": shown.id, "slug": slug, "name": name, "description": "What there is\nand was", "teams": teams });
    let renamed = registry::Wanted { slug: "stock", name: "Stock", ..made };
    assert_eq!(registry::update(platform, owner, "acme", "inventory", renamed, Some(1)).await.unwrap(), "stock");
    registry::update(platform, owner, "acme", "stock", renamed, Some(2)).await.unwrap(); // Already so.
    for permission in ["read", "admin", "admin"] {
        graph::teams::grant(platform, owner, "acme", "stock", &team, permission, None).await.unwrap();
    }
    graph::teams::withdraw(platform, owner, "acme", "stock", &team, Some(4)).await.unwrap();
    registry::delete(platform, owner, "acme", "stock").await.unwrap();
    let (none, robots) = (json!([]), |permission: &str| json!([{ "team": "Robots", "permission": permission }]));
    let was = state("inventory", "Inventory", none.clone());
    let is = |teams: Value| state("stock", "Stock", teams);
    let mut events = told(&fixture, &acme, past).await;
    let (action, _, main) = events.remove(1);
    assert_eq!(
        (action.as_str(), &main["name"], &main["graph"]),
        ("branch.created", &json!("main"), &json!("inventory"))
    );
    let updated = |previous: Value, next: Value| ("graph.updated".to_owned(), previous, next);
    assert_eq!(
        events,
        [
            ("graph.created".to_owned(), Value::Null, was.clone()),
            updated(was, is(none.clone())),
            updated(is(none.clone()), is(robots("read"))),
            updated(is(robots("read")), is(robots("admin"))),
            updated(is(robots("admin")), is(none.clone())),
            ("graph.deleted".to_owned(), is(none), Value::Null),
        ]
    );
    assert_eq!(status(&registry::graph(platform, owner, "acme", "stock").await), 404);
    registry::create(platform, owner, "acme", made).await.unwrap(); // Its slugs are free again.
    registry::create(platform, owner, "acme", renamed).await.unwrap();
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn a_graph_goes_with_all_that_was_given_for_it(superuser: PgPool) {
    let (fixture, acme) = acme(superuser).await;
    let (platform, owner) = (&fixture.platform, &acme.owner);
    let team = fixture.team(&acme, "Robots", &[]).await;
    graph::teams::grant(platform, owner, "acme", "inventory", &team, "publish", None).await.unwrap();
    token_with(&fixture, owner, &[Scope::AuditRead], "publish").await;
    branches::create(platform, owner, "acme", "inventory", "next", "main").await.unwrap();
    let past = fixture.trail(acme.id).await.len();
    registry::delete(platform, owner, "acme", "inventory").await.unwrap();
    let actions: Vec<_> = told(&fixture, &acme, past).await.into_iter().map(|(action, ..)| action).collect();
    assert_eq!(actions, ["access_token.graph.removed", "graph.deleted"]);
    for table in ["graphs", "branches", "team_graphs", "access_token_graphs"] {
        let left: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(format!("select count(*) from orgtrail.{table}")))
            .fetch_one(&fixture.superuser)
            .await
            .unwrap();
        assert_eq!(left, 0, "{table}");
    }
    teams::delete(platform, owner, "acme", &team).await.unwrap();
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn a_team_goes_with_all_that_it_has_in_graphs(superuser: PgPool) {
    let (fixture, acme) = acme(superuser).await;
    let (platform, owner) = (&fixture.platform, &acme.owner);
    let (robots, others) = (fixture.team(&acme, "Robots", &[]).await, fixture.team(&acme, "Others", &[]).await);
    fixture.graph(&acme, "billing").await;
    for (graph, team) in [("inventory", &robots), ("inventory", &others), ("billing", &robots)] {
        graph::teams::grant(platform, owner, "acme", graph, team, "publish", None).await.unwrap();
    }
    let target = subgraphs::Target { graph: "inventory", branch: "main", name: "stock" };
    let first = subgraphs::Publication { schema: b"type Query { stock: Int }", url: Some("https://stock.example/") };
    subgraphs::publish(platform, owner, "acme", target, first).await.unwrap();
    let settings = subgraphs::Settings { url: "https://stock.example/", owner_team: &robots };
    subgraphs::update(platform, owner, "acme", target, settings, None).await.unwrap();
    let past = fixture.trail(acme.id).await.len();
    teams::delete(platform, owner, "acme", &robots).await.unwrap();
    let story: Vec<_> = told(&fixture, &acme, past)
        .await
        .into_iter()
        .map(|(action, previous, next)| {
            let brief = |state: Value| {
                let teams = state["teams"].as_array().into_iter().flatten().map(|team| team["team"].clone());
                format!("{} {} {}", state["name"], state["owner_team"], teams.collect::<Value>())
            };
            format!("{action}: {} → {}", brief(previous), brief(next))
        })
        .collect();
    insta::assert_snapshot!(story.join("\n"), @r#"
    graph.updated: "billing" null ["Robots"] → "billing" null []
    graph.updated: "inventory" null ["Others","Robots"] → "inventory" null ["Others"]
    subgraph.updated: "stock" "Robots" [] → "stock" null []
    team.deleted: "Robots" null [] → null null []
    "#);
    let shown = registry::graph(platform, owner, "acme", "inventory").await.unwrap();
    assert_eq!(shown.teams.iter().map(|grant| grant.name.as_str()).collect::<Vec<_>>(), ["Others"]);
    let branch = versions::branch(platform, owner, "acme", "inventory", "main").await.unwrap();
    assert_eq!(branch.subgraphs[0].owner_team, None);
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn every_change_of_a_branch_tells_its_whole_state(superuser: PgPool) {
    let (fixture, acme) = acme(superuser).await;
    let (platform, owner) = (&fixture.platform, &acme.owner);
    let past = fixture.trail(acme.id).await.len();
    branches::create(platform, owner, "acme", "inventory", "next", "main").await.unwrap();
    let later = |protected| branches::Wanted { name: "later", protected };
    branches::update(platform, owner, "acme", "inventory", "next", later(true), Some(1)).await.unwrap();
    branches::update(platform, owner, "acme", "inventory", "later", later(true), Some(2)).await.unwrap(); // Already so.
    let refused = branches::delete(platform, owner, "acme", "inventory", "later").await;
    assert!(matches!(&refused, Err(Error::Conflict(told)) if told.contains("protected")), "{refused:?}");
    branches::update(platform, owner, "acme", "inventory", "later", later(false), Some(2)).await.unwrap();
    branches::delete(platform, owner, "acme", "inventory", "later").await.unwrap();
    let story: Vec<_> = told(&fixture, &acme, past)
        .await
        .into_iter()
        .map(|(action, previous, next)| {
            let brief = |state: Value| format!("{} {}", state["name"], state["protected"]);
            format!("{action}: {} → {}", brief(previous), brief(next))
        })
        .collect();
    insta::assert_snapshot!(story.join("\n"), @r#"
    branch.created: null null → "next" false
    branch.updated: "next" false → "later" true
    branch.updated: "later" true → "later" false
    branch.deleted: "later" false → null null
    "#);
    let shown = registry::graph(platform, owner, "acme", "inventory").await.unwrap();
    assert_eq!(shown.branches.iter().map(|branch| branch.name.as_str()).collect::<Vec<_>>(), ["main"]);
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn what_cannot_be_is_refused_at_its_field(superuser: PgPool) {
    let (fixture, acme) = acme(superuser).await;
    let other = fixture.organization("other").await;
    fixture.graph(&other, "theirs").await;
    let elsewhere = fixture.team(&other, "Robots", &[]).await;
    let (platform, owner) = (&fixture.platform, &acme.owner);
    let refused = |done: Result<()>| {
        let error = done.unwrap_err();
        (error.status(), error.field().unwrap_or_default().to_owned())
    };
    let create =
        async |slug: &str, name: &str| registry::create(platform, owner, "acme", wanted(slug, name)).await.map(drop);
    let branch =
        async |name: &str, from: &str| branches::create(platform, owner, "acme", "inventory", name, from).await;
    let grant = async |team: &str, permission: &str| {
        graph::teams::grant(platform, owner, "acme", "inventory", team, permission, None).await
    };
    let change = async |name: &str, wanted: branches::Wanted<'_>, shown: Option<i32>| {
        branches::update(platform, owner, "acme", "inventory", name, wanted, shown).await
    };
    let called = |name| branches::Wanted { name, protected: false };
    for (done, status, field) in [
        (create("inventory", "Again").await, 409, "slug"),
        (create("new", "New").await, 422, "slug"),
        (create("a\0b", "NUL").await, 422, "slug"),
        (create("ok", "").await, 422, "name"),
        (create("ok", "a\0b").await, 422, "name"),
        (branch("main", "main").await, 409, "name"),
        (branch("a/b", "main").await, 422, "name"),
        (branch("next", "nothing").await, 422, "from"),
        (branch("next", "\0").await, 422, "from"),
        (grant(&elsewhere, "read").await, 422, "team"),
        (grant("x", "read").await, 422, "team"),
        (grant(&elsewhere, "owner").await, 422, "permission"),
        (change("main", called("trunk"), None).await, 409, ""),
        (change("main", called("main"), Some(7)).await, 409, ""),
        (change("gone", called("gone"), None).await, 404, ""),
        (branches::delete(platform, owner, "acme", "inventory", "main").await, 409, ""),
        (branches::delete(platform, owner, "acme", "theirs", "main").await, 404, ""),
        (registry::delete(platform, owner, "acme", "theirs").await, 404, ""),
        (registry::delete(platform, owner, "acme", "\0").await, 404, ""),
        (registry::list(platform, owner, "acme", "\0").await.map(drop), 422, "search"),
    ] {
        assert_eq!(refused(done), (status, field.to_owned()));
    }
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn hostile_names_stay_what_they_are_and_are_found(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let acme = fixture.organization("acme").await;
    let names = ["<script>alert(1)</script>", "=cmd|' /C calc'!A0", "\u{202e}hparg", "🔐 Ünïcødé", "100% _'\"\\;--"];
    for (number, name) in names.into_iter().enumerate() {
        let slug = format!("graph-{number}");
        registry::create(&fixture.platform, &acme.owner, "acme", wanted(&slug, name)).await.unwrap();
        let found = registry::list(&fixture.platform, &acme.owner, "acme", name).await.unwrap();
        assert_eq!(found.graphs.iter().map(|graph| graph.name.as_str()).collect::<Vec<_>>(), [name]);
    }
    let page = registry::list(&fixture.platform, &acme.owner, "acme", "%").await.unwrap();
    assert_eq!((page.graphs.len(), page.total), (1, 5), "a search is no pattern");
}

/// Whoever loses a permission a moment before changes nothing any more.
#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn who_is_taken_out_of_a_team_loses_what_it_was_given(superuser: PgPool) {
    let (fixture, acme) = acme(superuser).await;
    let (platform, owner) = (&fixture.platform, &acme.owner);
    let member = member_with(&fixture, &acme, "admin").await;
    let rename = async |name: &str| {
        registry::update(platform, &member, "acme", "inventory", wanted("inventory", name), None).await
    };
    assert_eq!(status(&rename("One").await), 200);
    let team = teams::list(platform, owner, "acme", "Team admin").await.unwrap().teams.remove(0).id;
    teams::remove_member(platform, owner, "acme", &team, &id_of(&member)).await.unwrap();
    assert_eq!(status(&rename("Two").await), 403);
    teams::add_member(platform, owner, "acme", &team, &member.require_user().unwrap().email, "member").await.unwrap();
    assert_eq!(status(&rename("Three").await), 200);
    graph::teams::grant(platform, owner, "acme", "inventory", &team, "publish", None).await.unwrap();
    assert_eq!(status(&rename("Four").await), 403);
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn of_two_who_were_shown_the_same_one_is_told_that_it_changed(superuser: PgPool) {
    let (fixture, acme) = acme(superuser).await;
    let second = fixture.member(&acme, "second", Role::Owner).await;
    let (platform, owner) = (&fixture.platform, &acme.owner);
    let rename =
        |viewer, name| registry::update(platform, viewer, "acme", "inventory", wanted("inventory", name), Some(1));
    let (one, two) = tokio::join!(rename(owner, "One"), rename(&second, "Two"));
    let mut statuses = [status(&one), status(&two)];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    let protect = |viewer, protected| {
        let wanted = branches::Wanted { name: "main", protected };
        branches::update(platform, viewer, "acme", "inventory", "main", wanted, Some(1))
    };
    let (one, two) = tokio::join!(protect(owner, true), protect(&second, true));
    let mut statuses = [status(&one), status(&two)];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    let delete = |viewer| registry::delete(platform, viewer, "acme", "inventory");
    let (one, two) = tokio::join!(delete(owner), delete(&second));
    let mut statuses = [status(&one), status(&two)];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 404]);
}
