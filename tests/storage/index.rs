//! The index of a trail: gap-free and in the order of commits, whatever many writers at once do, with a time that rises with it.

use chrono::{DateTime, TimeDelta, Utc};
use orgtrail::Error;
use orgtrail::audit::action::Action;
use orgtrail::audit::append::{NewEvent, Object, Recorded};
use orgtrail::audit::change::{Batch, Change};
use orgtrail::identity::access::Access;
use orgtrail::platform::Platform;
use orgtrail::storage;
use sqlx::PgPool;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use uuid::Uuid;

use crate::fixture::{Fixture, INTEGRITY, claimed, code, run};

const WRITERS: usize = 16;
const ROUNDS: usize = 12;

/// Writes in one of three ways; answers what was acknowledged. Refused for want of a connection or lock, it tries again: nothing was written.
async fn write(platform: &Platform, access: &Access, turn: usize) -> Vec<Recorded> {
    loop {
        let written = match turn % 3 {
            0 => rename(platform, access).await.map(|recorded| vec![recorded]),
            1 => batch(platform, access, turn).await,
            _ => roll_back(platform, access).await,
        };
        match written {
            Ok(recorded) => return recorded,
            Err(Error::Unavailable(_)) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
}

fn event() -> NewEvent {
    NewEvent::new(Action::OrganizationUpdated, Object::new("organization", "", ""))
}

async fn rename(platform: &Platform, access: &Access) -> orgtrail::Result<Recorded> {
    let mut change = Change::begin(platform, access).await?;
    run("update orgtrail.organizations set name = name", change.connection()).await?;
    change.commit_all(event(), vec![event(), event()]).await
}

async fn batch(platform: &Platform, access: &Access, turn: usize) -> orgtrail::Result<Vec<Recorded>> {
    let drafts = vec![claimed("invoice.paid", platform.clock.now() - TimeDelta::days(1)); turn % 7 + 1];
    Batch::record(platform, access, &drafts).await
}

/// Appends, and is refused at commit: the places that it took are given to others.
async fn roll_back(platform: &Platform, access: &Access) -> orgtrail::Result<Vec<Recorded>> {
    let mut change = Change::begin(platform, access).await?;
    run("delete from orgtrail.memberships", change.connection()).await?;
    match change.commit(event()).await {
        Err(Error::Conflict(_)) => Ok(Vec::new()),
        Err(other) => Err(other),
        Ok(_) => panic!("the last owner went"),
    }
}

/// Follows the trail by index until nothing more will come, and looks once more then.
async fn follow(platform: Platform, organization: Uuid, done: Arc<AtomicBool>) -> Vec<i64> {
    let mut seen: Vec<i64> = Vec::new();
    loop {
        let last_look = done.load(Ordering::Acquire);
        let mut transaction = storage::begin(&platform.database.reads, organization).await.unwrap();
        let found: Vec<i64> = sqlx::query_scalar(
            "select index from orgtrail.events where organization_id = $1 and index > $2 order by index",
        )
        .bind(organization)
        .bind(seen.last().copied().unwrap_or(-1))
        .fetch_all(&mut *transaction)
        .await
        .unwrap();
        transaction.commit().await.unwrap();
        seen.extend(found);
        if last_look {
            return seen;
        }
    }
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn many_writers_leave_no_gap_and_no_reader_sees_one(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let tenant = fixture.organization("acme").await;
    let access = fixture.access(&tenant).await;
    let done = Arc::new(AtomicBool::new(false));
    let reader = tokio::spawn(follow(fixture.platform.clone(), tenant.id, done.clone()));
    let writers = (0..WRITERS).map(|writer| {
        let (platform, access) = (fixture.platform.clone(), access.clone());
        tokio::spawn(async move {
            let mut acknowledged = Vec::new();
            for round in 0..ROUNDS {
                acknowledged.extend(write(&platform, &access, writer + round).await);
            }
            acknowledged
        })
    });
    let acknowledged: Vec<Recorded> = futures::future::try_join_all(writers).await.unwrap().concat();
    done.store(true, Ordering::Release);
    let seen = reader.await.unwrap();
    let trail = fixture.trail(tenant.id).await;
    assert!(
        trail.len() > WRITERS * ROUNDS && acknowledged.len() > WRITERS * ROUNDS / 2,
        "{} {}",
        trail.len(),
        acknowledged.len()
    );
    let counted: Vec<i64> = (0_i64..).take(trail.len()).collect();
    assert_eq!(trail.iter().map(|event| event.index).collect::<Vec<_>>(), counted);
    // What a reader has not seen when it has seen something later, it never sees: so it would miss some here.
    assert_eq!(seen, counted);
    assert!(trail.windows(2).all(|pair| pair[0].recorded_at < pair[1].recorded_at));
    for event in acknowledged {
        let stored = &trail[usize::try_from(event.index).unwrap()];
        assert_eq!((stored.id, stored.recorded_at), (event.id, event.recorded_at));
    }
    assert_positions_agree(&fixture, tenant.id).await;
}

async fn assert_positions_agree(fixture: &Fixture, organization: Uuid) {
    let strays: i64 = sqlx::query_scalar(
        "select count(*) from (select index, id, recorded_at from orgtrail.events where organization_id = $1) e
        full join (select index, event_id as id, recorded_at from orgtrail.event_positions where organization_id = $1) p using (index, id, recorded_at)
        where e.index is null or p.index is null",
    )
    .bind(organization)
    .fetch_one(&fixture.superuser)
    .await
    .unwrap();
    assert_eq!(strays, 0);
    let next: i64 = sqlx::query_scalar("select next_index from orgtrail.trail_heads where organization_id = $1")
        .bind(organization)
        .fetch_one(&fixture.superuser)
        .await
        .unwrap();
    assert_eq!(usize::try_from(next).unwrap(), fixture.trail(organization).await.len());
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn the_head_moves_over_events_and_nothing_else(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let tenant = fixture.organization("acme").await;
    for moved in ["next_index + 1", "next_index - 1", "0"] {
        let mut transaction = fixture.bound(tenant.id).await;
        run(format!("update orgtrail.trail_heads set next_index = {moved}"), &mut *transaction).await.unwrap();
        assert_eq!(code(transaction.commit().await), INTEGRITY, "{moved}");
    }
    assert_positions_agree(&fixture, tenant.id).await;
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn our_own_changes_occur_when_they_are_recorded(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let tenant = fixture.organization("acme").await;
    let yesterday = fixture.platform.clock.now() - TimeDelta::days(1);
    let whole = DateTime::from_timestamp_micros(yesterday.timestamp_micros()).unwrap();
    fixture.record(&tenant, &[claimed("invoice.paid", whole)]).await;
    let trail = fixture.trail(tenant.id).await;
    let (theirs, ours): (Vec<_>, Vec<_>) = trail.iter().partition(|event| event.action == "invoice.paid");
    assert!(ours.len() >= 2 && ours.iter().all(|event| event.occurred_at == event.recorded_at));
    assert!(theirs.iter().all(|event| event.occurred_at == whole && event.recorded_at > whole));
    // The id is a UUIDv7 of the moment of recording.
    for event in trail {
        let (seconds, nanos) = event.id.get_timestamp().unwrap().to_unix();
        assert_eq!(
            DateTime::from_timestamp(seconds.cast_signed(), nanos).unwrap().timestamp_millis(),
            event.recorded_at.timestamp_millis()
        );
    }
}

async fn set_head(fixture: &Fixture, ahead: &str) -> DateTime<Utc> {
    let set = format!("update orgtrail.trail_heads set last_recorded_at = clock_timestamp() + interval '{ahead}'");
    run(set, &fixture.superuser).await.unwrap();
    sqlx::query_scalar("select last_recorded_at from orgtrail.trail_heads").fetch_one(&fixture.superuser).await.unwrap()
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn a_head_in_the_future_refuses_and_says_so(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let tenant = fixture.organization("acme").await;
    let access = fixture.access(&tenant).await;
    let before = fixture.trail(tenant.id).await;
    set_head(&fixture, "1 hour").await;
    let refused = rename(&fixture.platform, &access).await.unwrap_err();
    let Error::Unavailable(cause) = &refused else { panic!("{refused:?}") };
    assert_eq!(refused.status(), 503);
    assert!(cause.to_string().contains("but the database's clock shows"), "{cause}");
    assert_eq!(batch(&fixture.platform, &access, 0).await.unwrap_err().status(), 503);
    assert_eq!(fixture.trail(tenant.id).await, before);
    // Control: a little ahead is bridged, a microsecond at a time.
    let head = set_head(&fixture, "4 seconds").await;
    let recorded = rename(&fixture.platform, &access).await.unwrap();
    assert_eq!(recorded.recorded_at, head + TimeDelta::microseconds(1));
}
