//! What must be so afterwards: tables, trail and what was acknowledged are compared, and the daily look at everything finds nothing.

use std::collections::HashMap;

use orgtrail::upkeep::{Job, Retention};
use sqlx::{Connection, Executor, PgConnection};
use std::time::Duration;
use tokio::time::sleep;

use crate::load::{Acknowledged, Placed};
use crate::site::Site;

/// Rows are complaints; each question compares the tables with the trail, or the trail with itself.
const QUESTIONS: [(&str, &str); 9] = [
    (
        "indexes without gap",
        "select format('%s: next %s, %s events, %s positions', h.organization_id, h.next_index, count(e.id), count(p.event_id))
        from orgtrail.trail_heads h
        left join orgtrail.event_positions p on p.organization_id = h.organization_id
        left join orgtrail.events e on e.organization_id = p.organization_id and e.index = p.index and e.id = p.event_id
        group by h.organization_id, h.next_index
        having h.next_index <> count(e.id) or h.next_index <> count(p.event_id) or h.next_index <> coalesce(max(e.index), -1) + 1",
    ),
    (
        "each event of an organization begins where the last one ended",
        "select format('%s #%s', organization_id, index)
        from (select *, lag(next::jsonb) over (partition by organization_id order by index) as before from orgtrail.events
            where action in ('organization.created', 'organization.updated')) as step
        where previous::jsonb is distinct from before",
    ),
    (
        "an organization is as its last event says",
        "select format('%s: %s', o.slug, o.name) from orgtrail.organizations o
        where o.name is distinct from (select e.next ->> 'name' from orgtrail.events e
            where e.organization_id = o.id and e.action in ('organization.created', 'organization.updated') order by e.index desc limit 1)",
    ),
    (
        "each event of a member begins where the last one ended",
        "select format('%s #%s', organization_id, index)
        from (select *, lag(next::jsonb) over (partition by organization_id, object_id order by index) as before from orgtrail.events
            where action in ('member.created', 'member.updated')) as step
        where previous::jsonb is distinct from before",
    ),
    (
        "a member is as the last event says",
        "select format('%s: %s', m.user_id, m.role) from orgtrail.memberships m
        where m.role is distinct from (select e.next ->> 'role' from orgtrail.events e
            where e.organization_id = m.organization_id and e.object_id = m.user_id::text and e.action in ('member.created', 'member.updated')
            order by e.index desc limit 1)",
    ),
    (
        "an attempt to sign in is one event",
        "select a.request_id from orgtrail.sign_in_attempts a
        where a.method = 'login' and 1 <> (select count(*) from orgtrail.events e where e.kind = 'login' and e.request_id = a.request_id)",
    ),
    (
        "an event of signing in is an attempt",
        "select e.request_id from orgtrail.events e
        where e.kind = 'login' and not exists (select from orgtrail.sign_in_attempts a where a.request_id = e.request_id)",
    ),
    (
        "a batch of a product is there whole and once, or not at all",
        "select format('%s: %s of %s', next ->> 'batch', count(*), next ->> 'of') from orgtrail.events
        where action = 'invoice.paid' group by next ->> 'batch', next ->> 'of' having count(*) <> (next ->> 'of')::int",
    ),
    (
        "an id that a product has given is one event",
        "select format('%s, %s', i.client_id, e.id) from orgtrail.ingested_ids i
        full join (select * from orgtrail.events where action = 'invoice.paid') e
            on e.organization_id = i.organization_id and e.id = i.event_id and e.index = i.index
        where i.client_id is null or e.id is null",
    ),
];

/// Waits until no attempt waits to be copied, then tells everything that is wrong, in words.
pub async fn problems(site: &Site, acknowledged: &Acknowledged) -> Vec<String> {
    let mut database = site.database().await;
    begin_at_rest(&mut database).await;
    let mut problems = complaints(&mut database, acknowledged).await;
    database.execute("commit").await.unwrap();
    let opened = site.open().await;
    let report = Job::Integrity.run(&opened.platform, Retention::default()).await.unwrap();
    opened.close().await;
    problems.extend(report.problems.unwrap());
    problems
}

/// Begins to look at one moment in which no attempt waits to be copied: what clients had asked for when they left may still be done after it.
async fn begin_at_rest(database: &mut PgConnection) {
    let waiting = "select exists (select from orgtrail.sign_in_attempts where sorted_at is null) or exists (select from orgtrail.sign_in_copies)";
    loop {
        database.execute("begin isolation level repeatable read").await.unwrap();
        if !sqlx::query_scalar::<_, bool>(waiting).fetch_one(&mut *database).await.unwrap() {
            return;
        }
        database.execute("rollback").await.unwrap();
        sleep(Duration::from_millis(50)).await;
    }
}

async fn complaints(database: &mut PgConnection, acknowledged: &Acknowledged) -> Vec<String> {
    let mut complaints = Vec::new();
    for (rule, question) in QUESTIONS {
        let found: Vec<String> = sqlx::query_scalar(question).fetch_all(&mut *database).await.unwrap();
        complaints.extend(found.into_iter().map(|complaint| format!("not so: {rule}: {complaint}")));
    }
    complaints.extend(of_requests(database, acknowledged).await);
    complaints.extend(of_events(database, acknowledged).await);
    complaints
}

/// What was acknowledged has its event, and once.
async fn of_requests(database: &mut PgConnection, acknowledged: &Acknowledged) -> Vec<String> {
    let recorded: Vec<(String, String)> =
        sqlx::query_as("select request_id, action from orgtrail.events where request_id is not null")
            .fetch_all(database)
            .await
            .unwrap();
    let mut events = HashMap::<_, usize>::new();
    for event in recorded {
        *events.entry(event).or_default() += 1;
    }
    let mut complaints = Vec::new();
    for (request, action) in &acknowledged.requests {
        let count = events.get(&(request.clone(), (*action).to_owned())).copied().unwrap_or_default();
        if count != 1 {
            complaints.push(format!("acknowledged request {request} has {count} events {action}"));
        }
    }
    complaints
}

/// The events of products are where it was said that they are.
async fn of_events(database: &mut PgConnection, acknowledged: &Acknowledged) -> Vec<String> {
    let recorded: Vec<(String, String, i64)> = sqlx::query_as(
        "select i.client_id, e.id::text, e.index from orgtrail.ingested_ids i
        join orgtrail.events e on e.organization_id = i.organization_id and e.id = i.event_id",
    )
    .fetch_all(database)
    .await
    .unwrap();
    let placed = |(client_id, id, index): (String, String, i64)| (client_id.clone(), Placed { client_id, id, index });
    let recorded: HashMap<String, Placed> = recorded.into_iter().map(placed).collect();
    let is_wrong = |event: &&Placed| recorded.get(&event.client_id) != Some(*event);
    let told =
        |event: &Placed| format!("{event:?} was acknowledged, but there is {:?}", recorded.get(&event.client_id));
    acknowledged.events.iter().filter(is_wrong).map(told).collect()
}

/// What somebody with all powers might do, and must be noticed: otherwise the check proves nothing.
const DAMAGES: [&str; 9] = [
    "delete from orgtrail.events where (organization_id, index) in
        (select organization_id, max(index) / 2 from orgtrail.events group by organization_id limit 1)",
    // The last event, with its position and the head moved back: no gap tells of it.
    "with head as (update orgtrail.trail_heads set next_index = next_index - 1 returning organization_id, next_index),
        position as (delete from orgtrail.event_positions p using head where p.organization_id = head.organization_id and p.index = head.next_index)
    delete from orgtrail.events e using head where e.organization_id = head.organization_id and e.index = head.next_index",
    "update orgtrail.organizations set name = 'unrecorded'",
    "update orgtrail.memberships set role = case role when 'admin' then 'member' else 'admin' end where role <> 'owner'",
    "delete from orgtrail.sign_in_attempts where method = 'login'",
    "update orgtrail.events set request_id = 'another' where action = 'organization.updated'",
    // An event of a product, with all that is kept of it.
    "with event as (delete from orgtrail.events where id = (select id from orgtrail.events where action = 'invoice.paid' limit 1) returning id)
    delete from orgtrail.ingested_ids using event where event_id = event.id",
    "update orgtrail.events set next = json_build_object('batch', 'another', 'of', 1) where id =
        (select id from orgtrail.events where action = 'invoice.paid' and (next ->> 'of')::int > 1 limit 1)",
    // One that came twice.
    "update orgtrail.events set next = (select next from orgtrail.events where action = 'invoice.paid' order by organization_id, index limit 1)
        where action = 'invoice.paid'",
];

/// Does each damage, looks, and undoes it; panics where nothing is noticed.
pub async fn assert_damage_is_noticed(site: &Site, acknowledged: &Acknowledged) {
    let mut database = site.database().await;
    for damage in DAMAGES {
        let complaints = complaints_after(damage, &mut database, acknowledged).await;
        assert!(!complaints.is_empty(), "nobody noticed: {damage}");
    }
    for forget in [forget_request, forget_event] {
        let mut more = acknowledged.clone();
        forget(&mut more);
        begin_at_rest(&mut database).await;
        let complaints = complaints(&mut database, &more).await;
        database.execute("commit").await.unwrap();
        assert_eq!(complaints.len(), 1, "something was acknowledged that is not there: {complaints:?}");
    }
}

/// As if it had been acknowledged, and was not there.
fn forget_request(acknowledged: &mut Acknowledged) {
    acknowledged.requests.push(("req_of_nobody".to_owned(), "organization.updated"));
}

/// Likewise.
fn forget_event(acknowledged: &mut Acknowledged) {
    acknowledged.events.push(Placed { client_id: "lost".to_owned(), id: String::new(), index: 0 });
}

async fn complaints_after(
    damage: &'static str,
    database: &mut PgConnection,
    acknowledged: &Acknowledged,
) -> Vec<String> {
    let mut transaction = database.begin().await.unwrap();
    let off = "do $$
        declare guarded regclass;
        begin
            set local session_replication_role = replica;
            for guarded in select relid from pg_partition_tree('orgtrail.events') union all select 'orgtrail.event_positions'::regclass loop
                execute format('alter table %s disable trigger all', guarded);
            end loop;
        end $$";
    sqlx::raw_sql(off).execute(&mut *transaction).await.unwrap();
    assert!(sqlx::query(damage).execute(&mut *transaction).await.unwrap().rows_affected() > 0, "{damage}");
    let complaints = complaints(&mut transaction, acknowledged).await;
    transaction.rollback().await.unwrap();
    complaints
}
