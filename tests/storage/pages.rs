//! Pages of the trail: forwards and backwards each event once, also while new ones arrive; and cursors that are good for their own list only.

use chrono::{DateTime, TimeDelta, Utc};
use orgtrail::Error;
use orgtrail::audit::page;
use sqlx::PgPool;
use std::collections::BTreeSet;

use crate::filters::{NOW, RANGE, asked, filled, indexes};
use crate::fixture::{Fixture, Tenant, claimed, run};

const LISTS: [&str; 7] = [
    "",
    "&kind=all",
    "&kind=login,operation",
    "&action=member.*,invoice.paid",
    "&actor=user:u-3",
    "&object=invoice",
    "&q=ada",
];

/// All pages from the newest on; `between` happens before each further one.
async fn forwards(fixture: &Fixture, tenant: &Tenant, list: &str, between: &mut impl AsyncFnMut()) -> Vec<Vec<i64>> {
    let mut page = asked(fixture, tenant, &format!("{RANGE}{list}")).await;
    let mut pages = vec![indexes(&page)];
    while let Some(older) = page.older {
        between().await;
        page = asked(fixture, tenant, &format!("{RANGE}{list}&after={older}")).await;
        assert!(page.newer.is_some());
        pages.push(indexes(&page));
    }
    pages
}

/// All pages from the one that `after` leads to back to the newest.
async fn backwards(fixture: &Fixture, tenant: &Tenant, list: &str, after: &str) -> Vec<Vec<i64>> {
    let mut page = asked(fixture, tenant, &format!("{RANGE}{list}&after={after}")).await;
    let mut pages = vec![indexes(&page)];
    while let Some(newer) = page.newer {
        page = asked(fixture, tenant, &format!("{RANGE}{list}&before={newer}")).await;
        pages.push(indexes(&page));
    }
    pages.reverse();
    pages
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn forwards_and_backwards_are_the_same_events(superuser: PgPool) {
    let (fixture, tenant, known) = filled(superuser).await;
    for list in LISTS {
        let there = forwards(&fixture, &tenant, list, &mut async || {}).await;
        let events = there.concat();
        let expected =
            page::count(&fixture.platform, &tenant.owner, "acme", &format!("{RANGE}{list}")).await.unwrap().events;
        assert_eq!((events.len(), distinct(&events)), (usize::try_from(expected).unwrap(), events.len()), "{list}");
        let order: Vec<i64> = known.iter().map(|event| event.index).filter(|index| events.contains(index)).collect();
        assert_eq!(events, order, "{list}");
        if let Some(last) = last_cursor(&fixture, &tenant, list).await {
            let back = backwards(&fixture, &tenant, list, &last).await.concat();
            assert_eq!(back, events, "{list}");
        }
    }
}

fn distinct(events: &[i64]) -> usize {
    events.iter().collect::<BTreeSet<_>>().len()
}

/// The cursor of the last page.
async fn last_cursor(fixture: &Fixture, tenant: &Tenant, list: &str) -> Option<String> {
    let mut last = None;
    let mut next = asked(fixture, tenant, &format!("{RANGE}{list}")).await.older;
    while let Some(older) = next {
        next = asked(fixture, tenant, &format!("{RANGE}{list}&after={older}")).await.older;
        last = Some(older);
    }
    last
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn new_events_neither_repeat_nor_hide_old_ones(superuser: PgPool) {
    let (fixture, tenant, known) = filled(superuser).await;
    let oldest = known.last().unwrap().at;
    for list in ["", "&action=invoice.paid,member.created", "&q=ada"] {
        let before = forwards(&fixture, &tenant, list, &mut async || {}).await.concat();
        let mut turn = 0;
        let mut arrive = async || {
            turn += 1;
            // Newest, oldest, and in the midst of what is being read.
            let times = [
                at(NOW) - TimeDelta::microseconds(1),
                oldest - TimeDelta::seconds(1),
                oldest + (at(NOW) - oldest) * turn / 60,
            ];
            fixture.record(&tenant, &times.map(|at| claimed("invoice.paid", at))).await;
        };
        let seen = forwards(&fixture, &tenant, list, &mut arrive).await.concat();
        assert_eq!(distinct(&seen), seen.len(), "{list}");
        let old: Vec<i64> = seen.iter().copied().filter(|index| before.contains(index)).collect();
        assert_eq!(old, before, "{list}");
        assert!(seen.len() > before.len());
    }
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn a_cursor_is_good_for_its_own_list_only(superuser: PgPool) {
    let (fixture, tenant, _) = filled(superuser).await;
    let other = fixture.organization("other").await;
    let cursor = asked(&fixture, &tenant, RANGE).await.older.unwrap();
    let refused = async |tenant: &Tenant, query: String| {
        let answer = page::events(&fixture.platform, &tenant.owner, &tenant.slug, &query).await;
        matches!(answer, Err(Error::BadCursor))
    };
    for side in ["before", "after"] {
        // Control: the list that it was made for, its default spelled out or not.
        assert!(!refused(&tenant, format!("{RANGE}&{side}={cursor}")).await);
        assert!(!refused(&tenant, format!("kind=change&{RANGE}&{side}={cursor}")).await);
        assert!(refused(&other, format!("{RANGE}&{side}={cursor}")).await);
        for list in &LISTS[1..] {
            assert!(refused(&tenant, format!("{RANGE}{list}&{side}={cursor}")).await, "{list}");
        }
        assert!(refused(&tenant, format!("range=90d&{side}={cursor}")).await);
        assert!(refused(&tenant, format!("{}&{side}={cursor}", RANGE.replace("2025-03-18", "2025-03-19"))).await);
        for tampered in [
            "x",
            "AAAA",
            &cursor[1..],
            &format!("{}{}", &cursor[..43], if cursor.ends_with('A') { 'B' } else { 'A' }),
            &cursor.to_uppercase(),
        ] {
            assert!(refused(&tenant, format!("{RANGE}&{side}={tampered}")).await, "{tampered}");
        }
    }
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn one_event_is_found_in_its_own_trail_only(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let (acme, other) = (fixture.organization("acme").await, fixture.organization("other").await);
    let id = fixture.trail(acme.id).await[0].id.to_string();
    let found = page::event(&fixture.platform, &acme.owner, "acme", &id).await.unwrap();
    assert_eq!((found.row.id.as_str(), found.row.action.as_str()), (id.as_str(), "organization.created"));
    for (owner, slug, id, status) in [
        (&other.owner, "other", id.as_str(), 404),
        (&acme.owner, "acme", "00000000-0000-7000-8000-000000000000", 404),
        (&acme.owner, "acme", "x", 422),
    ] {
        assert_eq!(page::event(&fixture.platform, owner, slug, id).await.unwrap_err().status(), status);
    }
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn the_picker_offers_each_actor_once_with_its_newest_name(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let tenant = fixture.organization("acme").await;
    let now = fixture.platform.clock.now();
    let mut renamed = claimed("a.b", now - TimeDelta::hours(1));
    renamed.actor.user.as_mut().unwrap().name = Some("Ada King".to_owned());
    let old = claimed("a.b", now - TimeDelta::hours(2));
    fixture.record(&tenant, &[renamed, old.clone(), old]).await;
    let offered = page::actors(&fixture.platform, &tenant.owner, "acme").await.unwrap();
    let labels: Vec<_> =
        offered.iter().map(|choice| (choice.label.as_str(), choice.value.starts_with("user:"))).collect();
    assert_eq!(labels, [("Ada King", true), ("owner-of-acme", true)]);
}

/// What the page promises: nothing that was recorded before this moment will appear later.
#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn the_trail_is_complete_up_to_what_is_still_being_written(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let tenant = fixture.organization("acme").await;
    let through = async || at(&asked(&fixture, &tenant, "").await.complete_through.rfc3339);
    let before = fixture.platform.clock.now();
    // With nobody writing: now.
    assert!(through().await > before);
    let mut writing = fixture.bound(tenant.id).await;
    run("update orgtrail.trail_heads set next_index = next_index", &mut *writing).await.unwrap();
    let last = fixture.trail(tenant.id).await.pop().unwrap().recorded_at;
    assert_eq!(through().await, last);
    writing.rollback().await.unwrap();
    // Attempts to sign in are recorded before they are copied.
    let attempt = "insert into orgtrail.sign_in_attempts (id, attempted_at, method, email_typed, outcome)
        values (gen_random_uuid(), clock_timestamp(), 'login', 'x', 'failure')";
    run(attempt, fixture.app()).await.unwrap();
    let waiting: DateTime<Utc> = sqlx::query_scalar("select attempted_at from orgtrail.sign_in_attempts")
        .fetch_one(&fixture.superuser)
        .await
        .unwrap();
    assert_eq!(through().await, waiting);
    orgtrail::identity::attempt::copy_pending(&fixture.platform).await.unwrap();
    assert!(through().await > waiting);
}
