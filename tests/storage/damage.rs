//! What is found to be wrong with a trail is known to those whose trail it is, and is read by a role that can do nothing else.

use orgtrail::audit::page;
use orgtrail::audit::view::Damage;
use orgtrail::upkeep::Job;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::fixture::{Fixture, Stored, Tenant, refusal, run};
use crate::integrity::{break_at, found_by, of_acme, of_trail, problems, tamper, with_events};

/// What the page says of a trail; nothing where it is whole.
async fn damage(fixture: &Fixture, tenant: &Tenant) -> Option<Damage> {
    page::events(&fixture.platform, &tenant.owner, &tenant.slug, "").await.unwrap().damage
}

/// What the trail says of itself: action, outcome, and the problems before and after.
async fn told(fixture: &Fixture, tenant: &Tenant) -> Vec<(String, String, Value, Value)> {
    let problems = |state: &Option<String>| {
        let state = state.as_deref().map_or(Value::Null, |state| serde_json::from_str(state).unwrap());
        state["problems"].clone()
    };
    let trail = fixture.trail(tenant.id).await;
    let of_integrity = trail.into_iter().filter(|event| event.action.starts_with("audit_log.integrity."));
    let of = |event: Stored| {
        let (previous, next) = (problems(&event.previous), problems(&event.next));
        (event.action, event.outcome, previous, next)
    };
    of_integrity.map(of).collect()
}

fn renamed(name: &str, index: i64) -> String {
    format!("update orgtrail.events set actor_user_name = '{name}' where index = {index}")
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn a_damaged_trail_says_so_until_it_is_whole_again(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let (broken, whole) = (with_events(&fixture, "broken").await, with_events(&fixture, "whole").await);
    assert_eq!(problems(&fixture).await, Vec::<String>::new());
    assert_eq!((damage(&fixture, &broken).await, told(&fixture, &broken).await), (None, Vec::new()));

    tamper(&fixture, &broken, &renamed("Ada", 7)).await;
    let one = "event 7 is longer or shorter than when recorded";
    for job in [Job::Recent, Job::Integrity, Job::Recent, Job::Integrity] {
        assert!(of_trail(&found_by(job, &fixture).await.unwrap(), &broken).contains(one), "{job:?}");
    }
    let failed =
        |previous: Value, next: Value| ("audit_log.integrity.failed".to_owned(), "failure".to_owned(), previous, next);
    let mut expected = vec![failed(Value::Null, json!([one]))];
    assert_eq!(told(&fixture, &broken).await, expected, "once, however often it is found");
    let since = damage(&fixture, &broken).await.unwrap();
    assert_eq!(since.problems, [one]);

    tamper(&fixture, &broken, &renamed("Ada", 9)).await;
    let two = "events 7, 9 are longer or shorter than when recorded";
    assert!(of_trail(&found_by(Job::Recent, &fixture).await.unwrap(), &broken).contains(two));
    expected.push(failed(json!([one]), json!([one, two])));
    assert_eq!(told(&fixture, &broken).await, expected, "a look at a part adds to what is known");
    problems(&fixture).await;
    expected.push(failed(json!([one, two]), json!([two])));
    assert_eq!(told(&fixture, &broken).await, expected);
    let both = damage(&fixture, &broken).await.unwrap();
    assert_eq!((both.problems, both.found_at.rfc3339), (vec![two.to_owned()], since.found_at.rfc3339));

    for index in [7, 9] {
        tamper(&fixture, &broken, &renamed("Ada Lovelace", index)).await;
    }
    assert_eq!(found_by(Job::Recent, &fixture).await.unwrap(), Vec::<String>::new());
    assert!(damage(&fixture, &broken).await.is_some(), "of the rest nothing is known yet");
    assert_eq!(problems(&fixture).await, Vec::<String>::new());
    assert_eq!(damage(&fixture, &broken).await, None);
    expected.push(("audit_log.integrity.restored".to_owned(), "success".to_owned(), json!([two]), Value::Null));
    assert_eq!(told(&fixture, &broken).await, expected);
    assert_eq!((damage(&fixture, &whole).await, told(&fixture, &whole).await), (None, Vec::new()));
}

/// What the database says of its files is the operator's alone.
#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn a_page_says_nothing_of_the_database(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let tenant = with_events(&fixture, "acme").await;
    break_at(17, "XX001", &fixture).await;
    run("create policy broken on orgtrail.events as restrictive using (public.broken(index))", &fixture.superuser)
        .await
        .unwrap();
    assert!(of_acme(&problems(&fixture).await).contains("event 17 cannot be read: "));
    run("drop policy broken on orgtrail.events", &fixture.superuser).await.unwrap();
    let said = damage(&fixture, &tenant).await.unwrap().problems;
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[0] == "event 17 cannot be read" && said[1].starts_with("the events of 2"), "{said:?}");
    assert!(!told(&fixture, &tenant).await[0].3.to_string().contains("no such block"));
}

/// That a right is missing is no damage, of which anybody but the operator is told.
#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn who_may_not_read_a_trail_does_not_call_it_damaged(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let tenant = with_events(&fixture, "acme").await;
    run("revoke select on orgtrail.events from orgtrail_verify", &fixture.superuser).await.unwrap();
    for job in [Job::Recent, Job::Integrity] {
        assert_eq!(found_by(job, &fixture).await.unwrap_err().status(), 500, "{job:?}");
    }
    assert_eq!(damage(&fixture, &tenant).await, None);
    run("grant select on orgtrail.events to orgtrail_verify", &fixture.superuser).await.unwrap();
    assert_eq!(problems(&fixture).await, Vec::<String>::new());
}

/// A trail that takes no event cannot say that it is damaged; the operator is told both.
#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn what_cannot_be_noted_is_told_all_the_same(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let (headless, damaged) = (with_events(&fixture, "headless").await, with_events(&fixture, "other").await);
    tamper(&fixture, &headless, "update orgtrail.trail_heads set next_index = next_index - 1").await;
    tamper(&fixture, &damaged, &renamed("Ada", 7)).await;
    let found = problems(&fixture).await;
    let of_headless = of_trail(&found, &headless);
    for said in ["event 41 lies beyond the head of the log.", "what was found cannot be recorded in it: "] {
        assert!(of_headless.contains(said), "{found:?}");
    }
    assert_eq!(damage(&fixture, &headless).await, None);
    assert!(damage(&fixture, &damaged).await.is_some(), "the others are told");
}

/// Whatever the server does while it reads trails again, it can change nothing, and read nothing else.
#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn who_reads_trails_again_can_do_nothing_else(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let tenant = with_events(&fixture, "acme").await;
    let insufficient = "42501";
    for (statement, refused) in [
        ("select count(*) from orgtrail.events", "done"),
        ("select count(*) from orgtrail.users", insufficient),
        ("select count(*) from orgtrail.organizations", insufficient),
        ("select orgtrail.trails()", insufficient),
        (
            "insert into orgtrail.damaged_trails values (orgtrail.current_organization(), now(), now(), '{a}')",
            insufficient,
        ),
        ("delete from orgtrail.events", insufficient),
        ("update orgtrail.trail_days set events = 0", insufficient),
    ] {
        let mut bound = fixture.bound(tenant.id).await;
        run("set local role orgtrail_verify", &mut *bound).await.unwrap();
        assert_eq!(refusal(statement, &mut *bound).await, refused, "{statement}");
    }
    // It is this role, and a transaction that changes nothing, in which the jobs ask.
    let asked = "create function public.asked(index bigint) returns boolean language plpgsql as $$ begin
        if current_user = 'orgtrail_verify' and current_setting('transaction_read_only') = 'on' then
            raise exception 'as it should be' using errcode = 'XX002';
        end if;
        return true;
    end $$";
    for statement in [asked, "create policy asked on orgtrail.events as restrictive using (public.asked(index))"] {
        run(statement, &fixture.superuser).await.unwrap();
    }
    for job in [Job::Recent, Job::Integrity] {
        let found = of_acme(&found_by(job, &fixture).await.unwrap());
        assert!(found.contains("event 1 cannot be read: ") && found.contains("as it should be"), "{job:?}: {found}");
    }
}
