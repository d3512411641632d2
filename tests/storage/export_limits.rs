//! Around an export: who may, how many at once, and the two events that frame it.

use chrono::TimeDelta;
use orgtrail::Error;
use orgtrail::audit::export::{self, End, Export, Receipt};
use orgtrail::identity::access_token::Scope;
use orgtrail::identity::role::Role;
use orgtrail::identity::viewer::Viewer;
use orgtrail::organization::members;
use serde_json::Value;
use sqlx::PgPool;

use crate::expected::{self, STANDARD};
use crate::export::{finish, query, start};
use crate::fixture::{Fixture, Stored, Tenant, id_of, number, run};

async fn start_by(fixture: &Fixture, tenant: &Tenant, viewer: &Viewer) -> orgtrail::Result<Export> {
    export::start(&fixture.platform, viewer, &query(fixture, tenant, "")).await
}

/// The events of exports, as action and outcome.
async fn framed(fixture: &Fixture, tenant: &Tenant) -> Vec<(Stored, Value)> {
    let trail = fixture.trail(tenant.id).await.into_iter().filter(|event| event.action.starts_with("audit_log.export"));
    trail.map(|event| (event.clone(), serde_json::from_str(event.next.as_deref().unwrap()).unwrap())).collect()
}

fn said(framed: &[(Stored, Value)]) -> Vec<(&str, &str, &str)> {
    framed.iter().map(|(event, _)| (event.kind.as_str(), event.action.as_str(), event.outcome.as_str())).collect()
}

const REQUESTED: (&str, &str, &str) = ("operation", "audit_log.export.requested", "success");

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn requested_comes_before_the_first_byte_and_downloaded_after_the_last(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let tenant = fixture.organization("acme").await;
    let export = start(&fixture, &tenant, "").await;
    let (id, length) = (export.head().id, export.head().content_length);
    assert_eq!(said(&framed(&fixture, &tenant).await), [REQUESTED]);
    export
        .ticket()
        .finish(End::Complete, Receipt { bytes: length, sha256: Some([0xab; 32]), ..Receipt::default() })
        .await;
    let framed = framed(&fixture, &tenant).await;
    assert_eq!(said(&framed), [REQUESTED, ("change", "audit_log.export.downloaded", "success")]);
    let [(_, before), (_, after)] = framed.as_slice() else { panic!("{framed:?}") };
    assert_eq!(
        (&before["export_id"], &before["rows"], &before["bytes"]),
        (&id.to_string().into(), &2.into(), &length.into())
    );
    assert_eq!(
        (&after["export_id"], &after["bytes_sent"], &after["sha256"]),
        (&before["export_id"], &length.into(), &"ab".repeat(32).into())
    );
    assert!(before.get("sha256").is_none());
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn an_export_never_contains_itself_but_the_next_contains_it(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let tenant = fixture.organization("acme").await;
    for exports_before in 0..3 {
        let rows = expected::rows(&fixture.superuser, tenant.id, "true").await;
        let found = finish(start(&fixture, &tenant, "&kind=all").await).await;
        assert_eq!(String::from_utf8(found).unwrap(), String::from_utf8(expected::csv(&rows, STANDARD, true)).unwrap());
        assert_eq!(rows.len(), 2 + 2 * exports_before);
    }
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn an_empty_range_is_a_header_and_is_recorded(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let tenant = fixture.organization("acme").await;
    let long_ago = fixture.platform.clock.now().date_naive() - TimeDelta::days(80);
    for (layout, wanted) in [("", expected::csv(&[], STANDARD, true)), ("&format=ndjson", Vec::new())] {
        let asked = format!("organization=acme&start={long_ago}&end={long_ago}{layout}");
        let export = export::start(&fixture.platform, &tenant.owner, &asked).await.unwrap();
        assert_eq!(export.head().rows, 0);
        assert_eq!(finish(export).await, wanted);
    }
    let empty = ("change", "audit_log.export.downloaded", "empty");
    assert_eq!(said(&framed(&fixture, &tenant).await), [REQUESTED, empty, REQUESTED, empty]);
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn the_end_says_how_it_came(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let tenant = fixture.organization("acme").await;
    for (end, outcome) in [(End::Aborted, "aborted"), (End::Failed, "failure"), (End::Complete, "success")] {
        start(&fixture, &tenant, "").await.ticket().finish(end, Receipt { bytes: 7, ..Receipt::default() }).await;
        let (last, facts) = framed(&fixture, &tenant).await.pop().unwrap();
        assert_eq!((last.outcome.as_str(), &facts["bytes_sent"], &facts["sha256"]), (outcome, &7.into(), &Value::Null));
    }
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn two_run_at_once_for_an_organization_and_no_third(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let (acme, other) = (fixture.organization("acme").await, fixture.organization("other").await);
    let first = start(&fixture, &acme, "").await;
    let _second = start(&fixture, &acme, "").await;
    let before = fixture.trail(acme.id).await;
    let refused = start_by(&fixture, &acme, &acme.owner).await.err().unwrap();
    assert!(matches!(&refused, Error::LimitExceeded(why) if why.starts_with("2 exports")), "{refused:?}");
    assert_eq!(fixture.trail(acme.id).await, before);
    start(&fixture, &other, "").await;
    finish(first).await;
    start(&fixture, &acme, "").await;
}

/// However many organizations there are: what they take out together is one server's work.
#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn eight_run_at_once_in_a_server_and_no_ninth(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let mut running = Vec::new();
    for slug in ["one", "two", "three", "four"] {
        let tenant = fixture.organization(slug).await;
        running.push(start(&fixture, &tenant, "").await);
        running.push(start(&fixture, &tenant, "").await);
    }
    let fifth = fixture.organization("five").await;
    let before = fixture.trail(fifth.id).await;
    let refused = start_by(&fixture, &fifth, &fifth.owner).await.err().unwrap();
    assert!(
        matches!(&refused, Error::LimitExceeded(why) if why.starts_with("8 exports are running here")),
        "{refused:?}"
    );
    assert_eq!((refused.status(), fixture.trail(fifth.id).await), (429, before));
    finish(running.pop().unwrap()).await;
    running.push(start(&fixture, &fifth, "").await);
    assert_eq!(start_by(&fixture, &fifth, &fifth.owner).await.err().unwrap().status(), 429);
}

/// What grows with the trail is done in a place: a third export is refused without a look at the events.
#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn the_place_comes_before_the_counting_and_goes_with_its_failure(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let tenant = fixture.organization("acme").await;
    let places = async || {
        number("select count(*) from orgtrail.running_exports", &mut fixture.superuser.acquire().await.unwrap()).await
    };
    let whole = query(&fixture, &tenant, "&format=ndjson");
    let start_whole = async || export::start(&fixture.platform, &tenant.owner, &whole).await.err().unwrap().status();
    run("revoke select on orgtrail.events from orgtrail_app, orgtrail_verify", &fixture.superuser).await.unwrap();
    assert_eq!((start_whole().await, places().await), (500, 0));
    let taken = format!(
        "insert into orgtrail.running_exports select gen_random_uuid(), '{}', now() + interval '1 minute' from generate_series(1, 2)",
        tenant.id
    );
    run(taken, &fixture.superuser).await.unwrap();
    assert_eq!((start_whole().await, places().await), (429, 2));
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn of_many_that_start_at_once_two_run(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let tenant = fixture.organization("acme").await;
    let starts = (0..6).map(|_| start_by(&fixture, &tenant, &tenant.owner));
    let started = futures::future::join_all(starts).await;
    let statuses: Vec<u16> =
        started.iter().map(|started| started.as_ref().map_or_else(Error::status, |_| 200)).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 2, "{statuses:?}");
    assert!(statuses.iter().all(|status| [200, 429].contains(status)), "{statuses:?}");
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn a_place_whose_lease_ended_is_given_to_another(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let tenant = fixture.organization("acme").await;
    let (dead, alive) = (start(&fixture, &tenant, "").await, start(&fixture, &tenant, "").await);
    run(
        "update orgtrail.running_exports set leased_until = clock_timestamp() - interval '1 second'",
        &fixture.superuser,
    )
    .await
    .unwrap();
    alive.ticket().renew().await.unwrap();
    start(&fixture, &tenant, "").await;
    assert_eq!(start_by(&fixture, &tenant, &tenant.owner).await.err().unwrap().status(), 429);
    // Who comes back too late is broken off.
    assert!(dead.ticket().renew().await.is_err());
    alive.ticket().renew().await.unwrap();
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn whoever_loses_the_right_loses_the_running_export(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let tenant = fixture.organization("acme").await;
    let (platform, owner) = (&fixture.platform, &tenant.owner);
    let admin = fixture.member(&tenant, "ada", Role::Admin).await;
    let token = fixture.token(&tenant, &admin, &[Scope::AuditExport]).await;
    let (by_admin, by_token) =
        (start_by(&fixture, &tenant, &admin).await.unwrap(), start_by(&fixture, &tenant, &token).await.unwrap());
    let renewed = async || {
        [by_admin.ticket().renew().await, by_token.ticket().renew().await]
            .map(|done| done.map_or_else(|error| error.status(), |()| 200))
    };
    assert_eq!(renewed().await, [200, 200]);
    members::change_role(platform, owner, "acme", &id_of(&admin), "member", None).await.unwrap();
    assert_eq!(renewed().await, [403, 403]);
    members::change_role(platform, owner, "acme", &id_of(&admin), "admin", None).await.unwrap();
    assert_eq!(renewed().await, [200, 200]);
    for (disabled_at, statuses) in [("now()", [404, 403]), ("null", [200, 200])] {
        let sql = format!("update orgtrail.users set disabled_at = {disabled_at} where id = '{}'", id_of(&admin));
        run(sql, &fixture.superuser).await.unwrap();
        assert_eq!(renewed().await, statuses);
    }
    members::remove(platform, owner, "acme", &id_of(&admin)).await.unwrap();
    assert_eq!(renewed().await, [404, 403]);
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn a_refusal_is_recorded_once_in_a_while(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let tenant = fixture.organization("acme").await;
    let member = fixture.member(&tenant, "ada", Role::Member).await;
    let stranger = fixture.organization("other").await.owner;
    for _ in 0..3 {
        assert_eq!(start_by(&fixture, &tenant, &member).await.err().unwrap().status(), 403);
        assert_eq!(start_by(&fixture, &tenant, &stranger).await.err().unwrap().status(), 404);
    }
    let framed = framed(&fixture, &tenant).await;
    assert_eq!(said(&framed), [("operation", "audit_log.export.requested", "denied")]);
    assert_eq!((&framed[0].0.actor_user_id, &framed[0].1["role"]), (&Some(id_of(&member)), &"member".into()));
}
