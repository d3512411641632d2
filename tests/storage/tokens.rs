//! Access tokens: who may do what with them, what each use case leaves, and what two people at once get.

use chrono::TimeDelta;
use orgtrail::identity::access::{Operation, authorize};
use orgtrail::identity::access_token::expiry::Expiry;
use orgtrail::identity::access_token::{self, CreatedToken, Scope, Target, Wanted, graphs, list};
use orgtrail::identity::role::Role;
use orgtrail::identity::viewer::{self, Viewer};
use orgtrail::organization::members;
use orgtrail::{Error, Result};
use serde_json::{Value, json};
use sqlx::PgPool;
use uuid::Uuid;

use crate::fixture::{Fixture, Tenant, id_of, number, origin, run};

mod rights;

/// The organization of these tests, with a graph.
async fn acme(superuser: PgPool) -> (Fixture, Tenant) {
    let fixture = Fixture::new(superuser).await;
    let tenant = fixture.organization("acme").await;
    fixture.graph(&tenant, "inventory").await;
    (fixture, tenant)
}

async fn make(fixture: &Fixture, creator: &Viewer, scopes: &[Scope]) -> CreatedToken {
    access_token::create(&fixture.platform, creator, "acme", None, Wanted::new("robot", scopes)).await.unwrap()
}

fn wanted(name: &str) -> Wanted<'_> {
    Wanted::new(name, &[Scope::AuditRead])
}

fn status<T>(done: Result<T>) -> u16 {
    done.map_or_else(|error| error.status(), |_| 200)
}

/// Action, previous and next of the newest event.
async fn newest(fixture: &Fixture, tenant: &Tenant) -> (String, Value, Value) {
    let event = fixture.trail(tenant.id).await.pop().unwrap();
    let state = |text: Option<String>| text.map_or(Value::Null, |text| serde_json::from_str(&text).unwrap());
    (event.action, state(event.previous), state(event.next))
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn every_change_tells_the_whole_state_before_and_after(superuser: PgPool) {
    let (fixture, tenant) = acme(superuser).await;
    let (platform, owner) = (&fixture.platform, &tenant.owner);
    let id = make(&fixture, owner, &[Scope::AuditRead]).await.id;
    let state = json!({
        "id": id, "name": "robot", "scopes": ["audit:read"], "addresses": [], "created_by": id_of(owner), "expires_at": null, "rotated_at": null, "revoked": false,
    });
    assert_eq!(newest(&fixture, &tenant).await, ("access_token.created".to_owned(), Value::Null, state.clone()));
    let end = "2999-12-31T00:00:00Z";
    let changed = Wanted {
        name: "Robot 2",
        scopes: &[Scope::ModelsWrite, Scope::AuditRead],
        expiry: Expiry::At(end.parse().unwrap()),
        addresses: "192.0.2.9 203.0.113.7/24",
    };
    access_token::update(platform, owner, "acme", id.into(), changed).await.unwrap();
    let mut updated = state.clone();
    for (field, value) in [
        ("name", json!("Robot 2")),
        ("scopes", json!(["audit:read", "models:write"])),
        ("expires_at", json!(end)),
        ("addresses", json!(["192.0.2.9", "203.0.113.0/24"])),
    ] {
        updated[field] = value;
    }
    assert_eq!(newest(&fixture, &tenant).await, ("access_token.updated".to_owned(), state, updated.clone()));
    access_token::rotate(platform, owner, "acme", id).await.unwrap();
    let (action, previous, next) = newest(&fixture, &tenant).await;
    assert_eq!((action.as_str(), &previous), ("access_token.updated", &updated));
    assert!(next["rotated_at"].as_str().is_some_and(|at| at.ends_with('Z')), "{next}");
    let before = fixture.trail(tenant.id).await.len();
    access_token::update(platform, owner, "acme", id.into(), changed).await.unwrap();
    assert_eq!(fixture.trail(tenant.id).await.len(), before, "nothing differs, nothing is recorded");
    access_token::revoke(platform, owner, "acme", id).await.unwrap();
    assert_eq!(newest(&fixture, &tenant).await, ("access_token.deleted".to_owned(), next, Value::Null));
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn permissions_for_graphs(superuser: PgPool) {
    let (fixture, tenant) = acme(superuser).await;
    let (platform, owner) = (&fixture.platform, &tenant.owner);
    let id = make(&fixture, owner, &[Scope::GraphsWrite]).await.id;
    let state = |permission: &str| json!({ "token_id": id, "token_name": "robot", "graph": "inventory", "permission": permission });
    let grant = |permission: &'static str| graphs::grant(platform, owner, "acme", id.into(), "inventory", permission);
    grant("read").await.unwrap();
    assert_eq!(newest(&fixture, &tenant).await, ("access_token.graph.added".to_owned(), Value::Null, state("read")));
    grant("publish").await.unwrap();
    assert_eq!(
        newest(&fixture, &tenant).await,
        ("access_token.graph.updated".to_owned(), state("read"), state("publish"))
    );
    let before = fixture.trail(tenant.id).await.len();
    grant("publish").await.unwrap();
    assert_eq!(fixture.trail(tenant.id).await.len(), before);
    let shown = list::page(platform, owner, "acme", &id.to_string()).await.unwrap().open.unwrap();
    assert_eq!((shown.graphs.len(), shown.graphs[0].permission.as_str(), shown.other_graphs.len()), (1, "publish", 0));
    graphs::withdraw(platform, owner, "acme", id.into(), "inventory").await.unwrap();
    assert_eq!(
        newest(&fixture, &tenant).await,
        ("access_token.graph.removed".to_owned(), state("publish"), Value::Null)
    );
    assert_eq!(status(graphs::withdraw(platform, owner, "acme", id.into(), "inventory").await), 404);
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn a_graph_that_is_not_there_or_another_organizations_is_none(superuser: PgPool) {
    let (fixture, tenant) = acme(superuser).await;
    let other = fixture.organization("other").await;
    fixture.graph(&other, "theirs").await;
    let id = make(&fixture, &tenant.owner, &[Scope::GraphsWrite]).await.id;
    for graph in ["nothing", "theirs", "", "a\0b", "<b>"] {
        let refused =
            graphs::grant(&fixture.platform, &tenant.owner, "acme", id.into(), graph, "read").await.unwrap_err();
        assert_eq!((refused.status(), refused.field()), (422, Some("graph")), "{graph:?}");
    }
    for permission in ["", "owner", "READ"] {
        let refused = graphs::grant(&fixture.platform, &tenant.owner, "acme", id.into(), "inventory", permission)
            .await
            .unwrap_err();
        assert_eq!(refused.field(), Some("permission"));
    }
    // What the database itself refuses: a permission across organizations.
    let across = "insert into orgtrail.access_token_graphs (organization_id, access_token_id, graph_id, permission)
        select t.organization_id, t.id, g.id, 'admin' from orgtrail.access_tokens t, orgtrail.graphs g where g.slug = 'theirs'";
    assert_eq!(crate::fixture::refusal(across, &fixture.superuser).await, "23503");
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn a_stale_form_is_a_conflict_and_loses_nothing(superuser: PgPool) {
    let (fixture, tenant) = acme(superuser).await;
    let (platform, owner) = (&fixture.platform, &tenant.owner);
    let id = make(&fixture, owner, &[Scope::AuditRead]).await.id;
    let shown = || Target { id, version: Some(1) };
    access_token::update(platform, owner, "acme", shown(), wanted("first")).await.unwrap();
    let before = fixture.trail(tenant.id).await;
    let refused = access_token::update(platform, owner, "acme", shown(), wanted("second")).await.unwrap_err();
    assert!(matches!(&refused, Error::Conflict(why) if why.contains("Somebody else")), "{refused:?}");
    assert_eq!(status(access_token::rotate(platform, owner, "acme", shown()).await), 409);
    assert_eq!(status(graphs::grant(platform, owner, "acme", shown(), "inventory", "read").await), 409);
    assert_eq!(fixture.trail(tenant.id).await, before);
    let page = list::page(platform, owner, "acme", &id.to_string()).await.unwrap().open.unwrap();
    assert_eq!((page.name.as_str(), page.version), ("first", 2));
    access_token::revoke(platform, owner, "acme", id).await.unwrap();
    for done in [
        status(access_token::update(platform, owner, "acme", id.into(), wanted("third")).await),
        status(access_token::rotate(platform, owner, "acme", id).await),
        status(access_token::revoke(platform, owner, "acme", id).await),
        status(graphs::grant(platform, owner, "acme", id.into(), "inventory", "read").await),
    ] {
        assert_eq!(done, 409, "revoked is revoked");
    }
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn of_two_who_change_the_same_token_at_once_one_does(superuser: PgPool) {
    let (fixture, tenant) = acme(superuser).await;
    let (platform, owner, admin) =
        (&fixture.platform, &tenant.owner, fixture.member(&tenant, "admin", Role::Admin).await);
    for round in 0..5 {
        let id = make(&fixture, owner, &[Scope::AuditRead]).await.id;
        let shown = || Target { id, version: Some(1) };
        let before = fixture.trail(tenant.id).await.len();
        let (one, other) = tokio::join!(
            access_token::rotate(platform, owner, "acme", shown()),
            access_token::update(platform, &admin, "acme", shown(), wanted("renamed")),
        );
        let mut statuses = [status(one), status(other)];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409], "{round}");
        assert_eq!(fixture.trail(tenant.id).await.len(), before + 1);
    }
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn rotation_ends_the_old_secret_at_once(superuser: PgPool) {
    let (fixture, tenant) = acme(superuser).await;
    let platform = &fixture.platform;
    let old = make(&fixture, &tenant.owner, &[Scope::AuditExport, Scope::OrganizationWrite]).await;
    let program = viewer::from_token(platform, origin(), old.secret.expose()).await.unwrap();
    let exporting = authorize(platform, &program, "acme", Operation::ExportAuditLog).await.unwrap();
    let renaming = authorize(platform, &program, "acme", Operation::RenameOrganization).await.unwrap();
    let new = access_token::rotate(platform, &tenant.owner, "acme", old.id).await.unwrap();
    assert_ne!(new.secret, old.secret);
    // A running export asks again every second; a change asks once more where it commits.
    assert_eq!(status(exporting.renew(platform, Operation::ExportAuditLog).await), 401);
    assert_eq!(status(orgtrail::audit::change::Change::begin(platform, &renaming).await), 401);
    assert_eq!(status(viewer::from_token(platform, origin(), old.secret.expose()).await), 401);
    assert_eq!(status(viewer::from_token(platform, origin(), new.secret.expose()).await), 200);
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn what_a_request_found_of_its_token_counts_for_as_long_as_it_says(superuser: PgPool) {
    let now = "2026-05-04T10:00:00Z".parse().unwrap();
    let fixture = Fixture::at(superuser, now).await;
    let (tenant, platform) = (fixture.organization("acme").await, &fixture.platform);
    let token = make(&fixture, &tenant.owner, &[Scope::AuditRead]).await;
    let program = viewer::from_token(platform, origin(), token.secret.expose()).await.unwrap();
    let in_a_request = program.clone().with_current_token(TimeDelta::milliseconds(100));
    access_token::revoke(platform, &tenant.owner, "acme", token.id).await.unwrap();
    let asked = async |viewer: &Viewer| status(authorize(platform, viewer, "acme", Operation::ReadAuditLog).await);
    assert_eq!((asked(&program).await, asked(&in_a_request).await), (401, 200));
    platform.clock.set(now + TimeDelta::milliseconds(100));
    assert_eq!(asked(&in_a_request).await, 401);
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn a_running_export_ends_with_its_token_or_its_creators_role(superuser: PgPool) {
    let (fixture, tenant) = acme(superuser).await;
    let platform = &fixture.platform;
    let exports = async |creator: &Viewer| {
        let token = make(&fixture, creator, &[Scope::AuditExport]).await;
        let program = viewer::from_token(platform, origin(), token.secret.expose()).await.unwrap();
        (token.id, authorize(platform, &program, "acme", Operation::ExportAuditLog).await.unwrap())
    };
    let admin = fixture.member(&tenant, "admin", Role::Admin).await;
    let (revoked, by_revoked) = exports(&tenant.owner).await;
    let (narrowed, by_narrowed) = exports(&tenant.owner).await;
    let (_, by_lowered) = exports(&admin).await;
    access_token::revoke(platform, &tenant.owner, "acme", revoked).await.unwrap();
    access_token::update(platform, &tenant.owner, "acme", narrowed.into(), wanted("robot")).await.unwrap();
    members::change_role(platform, &tenant.owner, "acme", &id_of(&admin), "member", None).await.unwrap();
    for (access, expected) in [(by_revoked, 401), (by_narrowed, 403), (by_lowered, 403)] {
        assert_eq!(status(access.renew(platform, Operation::ExportAuditLog).await), expected);
    }
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn an_expired_token_lives_again_only_by_a_later_day(superuser: PgPool) {
    let (fixture, tenant) = acme(superuser).await;
    let (platform, owner) = (&fixture.platform, &tenant.owner);
    let id = make(&fixture, owner, &[Scope::AuditRead]).await.id;
    let mut transaction = fixture.superuser.begin().await.unwrap();
    run("set local session_replication_role = replica", &mut *transaction).await.unwrap();
    run("update orgtrail.access_tokens set expires_at = now() - interval '1 day'", &mut *transaction).await.unwrap();
    transaction.commit().await.unwrap();
    let shown = list::page(platform, owner, "acme", &id.to_string()).await.unwrap();
    assert!(shown.tokens[0].state == "expired" && !shown.open.unwrap().is_live);
    assert_eq!(status(access_token::rotate(platform, owner, "acme", id).await), 409);
    let past = Wanted { expiry: Expiry::At(platform.clock.now() - TimeDelta::hours(1)), ..wanted("robot") };
    assert_eq!(
        access_token::update(platform, owner, "acme", id.into(), past).await.unwrap_err().field(),
        Some("expires_on")
    );
    access_token::update(platform, owner, "acme", id.into(), wanted("robot")).await.unwrap();
    assert_eq!(list::page(platform, owner, "acme", "").await.unwrap().tokens[0].state, "active");
    assert_eq!(status(access_token::rotate(platform, owner, "acme", id).await), 200);
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn hostile_names_are_kept_and_shown_harmless_or_refused(superuser: PgPool) {
    let (fixture, tenant) = acme(superuser).await;
    let (platform, owner) = (&fixture.platform, &tenant.owner);
    for name in [
        "<script>alert(1)</script>",
        "=HYPERLINK(\"https://evil.example\")",
        "\u{202e}nimda",
        "😀 Ünïcødé 日本",
        &"é".repeat(100),
    ] {
        let id = access_token::create(platform, owner, "acme", None, Wanted::new(name, &[Scope::AuditRead]))
            .await
            .unwrap()
            .id;
        let page = list::page(platform, owner, "acme", &id.to_string()).await.unwrap();
        assert_eq!(page.open.unwrap().name, name);
        let row = page.tokens.iter().find(|row| row.id == id.to_string()).unwrap();
        assert!(!row.name.contains('\u{202e}'), "{}", row.name);
        assert_eq!(newest(&fixture, &tenant).await.2["name"], json!(name));
    }
    for name in ["", "  ", &"x".repeat(10_000), "a\0b", "a\nb"] {
        let refused = access_token::create(platform, owner, "acme", None, Wanted::new(name, &[Scope::AuditRead]))
            .await
            .unwrap_err();
        assert_eq!((refused.status(), refused.field()), (422, Some("name")));
    }
    let without = access_token::create(platform, owner, "acme", None, Wanted::new("robot", &[])).await.unwrap_err();
    assert_eq!((without.status(), without.field()), (422, Some("scope")));
    for id in ["x", "' or true --", &Uuid::nil().to_string()] {
        assert_eq!(status(list::page(platform, owner, "acme", id).await), 404, "{id}");
    }
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn live_tokens_are_bounded_and_dead_ones_do_not_count(superuser: PgPool) {
    let (fixture, tenant) = acme(superuser).await;
    let (platform, owner) = (&fixture.platform, &tenant.owner);
    let spare = make(&fixture, owner, &[Scope::AuditRead]).await.id;
    let fill = format!(
        "insert into orgtrail.access_tokens (id, organization_id, name, secret_sha256, scopes, revoked_at)
        select gen_random_uuid(), '{}', 'robot', sha256(n::text::bytea), '{{audit:read}}', case when n >= 199 then now() end
        from generate_series(1, 300) n",
        tenant.id
    );
    let mut transaction = fixture.superuser.begin().await.unwrap();
    run("set local session_replication_role = replica", &mut *transaction).await.unwrap();
    run(fill, &mut *transaction).await.unwrap();
    transaction.commit().await.unwrap();
    // One place is left, for which two ask at once.
    let ask = || access_token::create(platform, owner, "acme", None, Wanted::new("last", &[Scope::AuditRead]));
    let admin = fixture.member(&tenant, "admin", Role::Admin).await;
    let (one, other) = tokio::join!(
        ask(),
        access_token::create(platform, &admin, "acme", None, Wanted::new("last", &[Scope::AuditRead]))
    );
    let mut statuses = [status(one), status(other)];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 429]);
    assert!(matches!(ask().await, Err(Error::LimitExceeded(_))));
    access_token::revoke(platform, owner, "acme", spare).await.unwrap();
    assert_eq!(status(ask().await), 200);
    let shown = list::page(platform, owner, "acme", "").await.unwrap().tokens;
    let live = shown.iter().filter(|token| token.state == "active").count();
    assert_eq!((live, shown.len()), (200, 250), "all that are good, and the newest of the others");
}

/// A crash between any two steps is a transaction that was never committed.
#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn a_dropped_change_of_a_token_leaves_nothing(superuser: PgPool) {
    let (fixture, tenant) = acme(superuser).await;
    let token = make(&fixture, &tenant.owner, &[Scope::AuditRead]).await;
    let before = fixture.trail(tenant.id).await;
    let access = authorize(&fixture.platform, &tenant.owner, "acme", Operation::ManageAccessTokens).await.unwrap();
    for step in [
        "update orgtrail.access_tokens set secret_sha256 = sha256('x'), rotated_at = now(), version = version + 1",
        "update orgtrail.access_tokens set revoked_at = now()",
        "insert into orgtrail.access_token_graphs (organization_id, access_token_id, graph_id, permission)
            select t.organization_id, t.id, g.id, 'admin' from orgtrail.access_tokens t, orgtrail.graphs g",
    ] {
        let mut change = orgtrail::audit::change::Change::begin(&fixture.platform, &access).await.unwrap();
        assert_eq!(run(step, change.connection()).await.unwrap().rows_affected(), 1, "{step}");
        drop(change);
    }
    assert_eq!(fixture.trail(tenant.id).await, before);
    assert_eq!(status(viewer::from_token(&fixture.platform, origin(), token.secret.expose()).await), 200);
    let mut connection = fixture.superuser.acquire().await.unwrap();
    assert_eq!(number("select count(*) from orgtrail.access_token_graphs", &mut connection).await, 0);
}
