//! Events of other products that are recorded together: what waits for the trail goes into it in one transaction, and becomes what it would have
//! become alone.

use futures::future::join_all;
use orgtrail::audit::ingest::{self, Format, Receipt, Submission};
use orgtrail::identity::access_token::Scope;
use orgtrail::identity::viewer::Viewer;
use sqlx::PgPool;

use crate::fixture::{Fixture, Tenant, number, run};

fn event(id: &str, total: u32) -> String {
    format!(r#"{{"id":"{id}","action":"invoice.paid","actor":{{"user":{{"id":"1"}}}},"next":{{"total":{total}}}}}"#)
}

/// A request as its sender wrote it: the key, if any, and the events.
type Sent = (Option<&'static str>, String);

async fn send(fixture: &Fixture, sender: &Viewer, (key, body): &Sent) -> orgtrail::Result<Receipt> {
    let sent = Submission { key: *key, body: body.as_bytes(), format: Format::Ndjson };
    ingest::record(&fixture.platform, sender, "acme", sent).await
}

/// Sends the first, which has to wait because the head of the trail is held, and then all others, which have to wait for it; answers all, in their
/// order.
async fn together(
    fixture: &Fixture,
    tenant: &Tenant,
    sender: &Viewer,
    sent: &[Sent],
) -> Vec<orgtrail::Result<Receipt>> {
    let (first, others) = sent.split_first().unwrap();
    let mut head = fixture.superuser.begin().await.unwrap();
    let hold = format!("select from orgtrail.trail_heads where organization_id = '{}' for no key update", tenant.id);
    run(hold, &mut *head).await.unwrap();
    let following = async {
        let held =
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
        while sqlx::query_scalar::<_, i64>(held).fetch_one(&fixture.superuser).await.unwrap() == 0 {
            a_moment().await;
        }
        join_all(others.iter().map(|sent| send(fixture, sender, sent))).await
    };
    let release = async {
        while fixture.platform.gathering.events.waiting() < others.len() {
            a_moment().await;
        }
        head.rollback().await.unwrap();
    };
    let (first, following, ()) = tokio::join!(send(fixture, sender, first), following, release);
    std::iter::once(first).chain(following).collect()
}

async fn a_moment() {
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
}

/// Index and `known` of each event, or the status of the refusal.
fn told(answer: &orgtrail::Result<Receipt>) -> Result<Vec<(i64, bool)>, u16> {
    let events = |receipt: &Receipt| receipt.events.iter().map(|event| (event.index, event.known)).collect();
    answer.as_ref().map(events).map_err(orgtrail::Error::status)
}

async fn transactions(fixture: &Fixture) -> i64 {
    let sql = "select count(distinct xmin::text) from orgtrail.events where source_access_token_id is not null";
    number(sql, &mut fixture.superuser.acquire().await.unwrap()).await
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn what_waits_goes_into_the_trail_in_one_transaction(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let acme = fixture.organization("acme").await;
    let product = fixture.token(&acme, &acme.owner, &[Scope::EventsWrite]).await;
    let sent: Vec<Sent> = (0..20).map(|number| (None, event(&number.to_string(), number))).collect();
    let answers = together(&fixture, &acme, &product, &sent).await;
    let first = answers[0].as_ref().unwrap().events[0].index;
    let expected: Vec<_> = (0..20).map(|number| Ok(vec![(first + number, false)])).collect();
    assert_eq!(answers.iter().map(told).collect::<Vec<_>>(), expected, "each its own place, in the order of coming");
    assert_eq!(transactions(&fixture).await, 2, "the first one's, and that of all others");
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn who_shares_a_key_or_an_id_is_answered_as_if_it_had_come_later(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let acme = fixture.organization("acme").await;
    let product = fixture.token(&acme, &acme.owner, &[Scope::EventsWrite]).await;
    let both = |one: &str, other: &str| format!("{}\n{}", event(one, 1), event(other, 1));
    let sent = [
        (None, event("first", 1)),
        (Some("k"), event("a", 1)),
        (None, both("a", "b")),     // half of it is the one before
        (Some("k"), event("a", 1)), // the same request
        (Some("k"), event("c", 1)), // its key with another body
        (None, both("c", "d")),
        (None, both("e", "first")),
        (None, event("d", 2)), // another event with this id
        (None, event("f", 1)),
    ];
    let answers = together(&fixture, &acme, &product, &sent).await;
    let first = answers[0].as_ref().unwrap().events[0].index;
    let told: Vec<_> = answers.iter().map(told).collect();
    // Those that have to wait for another come after all others of the group.
    assert_eq!(told[1], Ok(vec![(first + 1, false)]));
    assert_eq!(told[2], Ok(vec![(first + 1, true), (first + 6, false)]));
    assert_eq!(told[3], Ok(vec![(first + 1, false)]), "word for word what the first was told");
    assert!(answers[3].as_ref().unwrap().is_replayed);
    assert_eq!((&told[4], &told[7]), (&Err(422), &Err(422)));
    assert_eq!(told[5], Ok(vec![(first + 2, false), (first + 3, false)]));
    assert_eq!(told[6], Ok(vec![(first + 4, false), (first, true)]));
    assert_eq!(told[8], Ok(vec![(first + 5, false)]));
    let mut connection = fixture.superuser.acquire().await.unwrap();
    assert_eq!(number("select count(*) from orgtrail.events where action = 'invoice.paid'", &mut connection).await, 7);
    assert_eq!(number("select count(*) from orgtrail.ingested_ids", &mut connection).await, 7);
    assert_eq!(number("select count(*) from orgtrail.ingest_requests", &mut connection).await, 1);
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn what_the_database_refuses_harms_none_of_the_others(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let acme = fixture.organization("acme").await;
    let product = fixture.token(&acme, &acme.owner, &[Scope::EventsWrite]).await;
    // No body that is read is refused by the schema as it is.
    let refuse = "alter table orgtrail.events add constraint fault check (action <> 'fault.injected')";
    run(refuse, &fixture.superuser).await.unwrap();
    let mut sent: Vec<Sent> = (0..6).map(|number| (None, event(&number.to_string(), number))).collect();
    sent[3].1 = format!("{}\n{}", event("good", 1), event("bad", 1).replace("invoice.paid", "fault.injected"));
    let answers = together(&fixture, &acme, &product, &sent).await;
    let statuses: Vec<_> = answers.iter().map(|answer| told(answer).err()).collect();
    assert_eq!(statuses, [None, None, None, Some(500), None, None]);
    let recorded = "select count(*) from orgtrail.events where source_access_token_id is not null";
    assert_eq!(
        number(recorded, &mut fixture.superuser.acquire().await.unwrap()).await,
        5,
        "all of a request or nothing"
    );
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn a_group_that_is_refused_can_be_sent_again(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let acme = fixture.organization("acme").await;
    let product = fixture.token(&acme, &acme.owner, &[Scope::EventsWrite]).await;
    run("revoke insert on orgtrail.events from orgtrail_app", &fixture.superuser).await.unwrap();
    let sent: Vec<Sent> =
        (0..4).map(|number| (Some("k").filter(|_| number == 1), event(&number.to_string(), number))).collect();
    let refused = together(&fixture, &acme, &product, &sent).await;
    assert!(refused.iter().all(|answer| told(answer) == Err(500)), "{refused:?}");
    run("grant insert on orgtrail.events to orgtrail_app", &fixture.superuser).await.unwrap();
    let again = join_all(sent.iter().map(|sent| send(&fixture, &product, sent))).await;
    assert!(again.iter().all(|answer| told(answer).is_ok_and(|events| !events[0].1)), "{again:?}");
}
