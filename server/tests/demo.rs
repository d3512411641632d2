//! The demo on a real Postgres: what it makes, that an interruption loses and doubles nothing, and what it refuses.
//!
//! Needs a Postgres in which the tests may make databases: `DATABASE_URL` of a superuser, as `with_postgres` gives.

#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

#[path = "demo/support.rs"]
mod support;

use std::num::NonZeroU64;
use std::sync::atomic::Ordering;

use orgtrail::identity::role::Role;
use orgtrail::identity::sign_in::{create_user, sign_in};
use orgtrail::identity::viewer::{Origin, Viewer};
use orgtrail::organization::settings;
use orgtrail_server::demo::{self, DemoError, Filled, Progress};
use support::{PASSWORD, Scratch};

fn count(number: u64) -> NonZeroU64 {
    NonZeroU64::new(number).unwrap()
}

#[tokio::test]
async fn the_history_is_large_varied_and_90_days_long() {
    let scratch = Scratch::filled().await;
    let (events, changes, days, kinds, actions): (i64, i64, i64, i64, i64) = scratch
        .one(
            "select count(*), count(*) filter (where kind = 'change'), count(distinct occurred_at::date), count(distinct kind), count(distinct action)
            from orgtrail.events",
        )
        .await;
    assert!(events >= 2_000 && changes >= 1_000, "{events} events, {changes} changes");
    assert!(days >= 80 && kinds == 4 && actions >= 10, "{days} days, {kinds} kinds, {actions} actions");
    let early: i64 = scratch
        .one("select count(*) from orgtrail.events where occurred_at < date_trunc('day', now()) - interval '89 days'")
        .await;
    let late: i64 =
        scratch.one("select count(*) from orgtrail.events where occurred_at > now() or recorded_at > now()").await;
    assert_eq!((early, late), (0, 0));
    let outcomes: Vec<String> =
        scratch.column("select distinct outcome from orgtrail.events where outcome <> 'empty' order by 1").await;
    assert_eq!(outcomes, ["denied", "failure", "success"]);
}

#[tokio::test]
async fn the_trail_is_gap_free_and_in_order_and_claims_nothing() {
    let scratch = Scratch::filled().await;
    let wrong: i64 = scratch
        .one(
            "select count(*) from (
                select index, row_number() over (order by index) - 1 as place, recorded_at, lag(recorded_at) over (order by index) as before, occurred_at
                from orgtrail.events) e
            where index <> place or recorded_at <= before or occurred_at > recorded_at or recorded_at - occurred_at > interval '1 second'",
        )
        .await;
    assert_eq!(wrong, 0);
    let unpartitioned: i64 = scratch.one("select count(*) from orgtrail.events_default").await;
    assert_eq!(unpartitioned, 0);
    let names: Vec<String> = scratch
        .column("select distinct next ->> 'name' from orgtrail.events where object_type = 'organization' order by 1")
        .await;
    assert_eq!(names, ["Acme", "Acme Robotics"]);
}

#[tokio::test]
async fn three_graphs_have_a_history_of_builds() {
    let scratch = Scratch::filled().await;
    let graphs: Vec<String> = scratch.column("select slug from orgtrail.graphs order by 1").await;
    assert_eq!(graphs, ["customer-care", "fleet", "parts-store"]);
    let actions: Vec<String> = scratch
        .column(
            "select distinct action from orgtrail.events
            where object_type in ('graph', 'branch', 'subgraph', 'trusted_document', 'access_token_graph') order by 1",
        )
        .await;
    assert_eq!(
        actions,
        [
            "access_token.graph.added",
            "access_token.graph.updated",
            "branch.created",
            "branch.deleted",
            "branch.updated",
            "graph.created",
            "graph.updated",
            "subgraph.created",
            "subgraph.deleted",
            "subgraph.published",
            "subgraph.updated",
            "trusted_document.submitted",
        ]
    );
    let by_builds: i64 = scratch
        .one("select count(*) from orgtrail.events where action = 'subgraph.published' and actor_access_token_name = 'Schema builds'")
        .await;
    let all: i64 = scratch.one("select count(*) from orgtrail.events where action = 'subgraph.published'").await;
    assert!(by_builds == all && all >= 25, "{by_builds} of {all}");
}

#[tokio::test]
async fn what_people_changed_was_sent_as_a_mutation() {
    let scratch = Scratch::filled().await;
    let unsent: Vec<String> = scratch
        .column(
            "select distinct action from orgtrail.events e
            where kind = 'change' and actor_access_token_id is null and object_type <> 'account' and not exists (
                select from orgtrail.events o where o.action = 'mutation.sent' and o.request_id = e.request_id)
            order by 1",
        )
        .await;
    // The founding, who joins by an invite, what a link downloads, and the machines' tokens after an interruption.
    let others = [
        "access_token.updated",
        "audit_log.export.downloaded",
        "member.created",
        "organization.created",
        "team.member.added",
    ];
    assert!(
        unsent.iter().all(|action| others.contains(&action.as_str()) || action.starts_with("invite.")),
        "{unsent:?}"
    );
}

#[tokio::test]
async fn two_models_have_records_of_the_days_and_exports() {
    let scratch = Scratch::filled().await;
    let models: Vec<String> =
        scratch.column("select format('%s %s', name, demo) from orgtrail.models order by 1").await;
    assert_eq!(models, ["gripper-failure f", "sample-data t"]);
    let (records, days): (i64, i64) = scratch
        .one(
            "select count(*), count(distinct occurred_at::date) from orgtrail.model_records where model_id =
            (select id from orgtrail.models where name = 'gripper-failure')",
        )
        .await;
    assert!(records >= 2_000 && days >= 50, "{records} records, {days} days");
    let (all, logged, by_people, by_tokens, of_demo): (i64, i64, i64, i64, i64) = scratch
        .one(
            "select count(*), count(*) filter (where export_rows > 0 and not export_of_demo), count(*) filter (where actor_user_id is not null),
                count(*) filter (where actor_access_token_name = 'Fleet telemetry'), count(*) filter (where export_of_demo)
            from orgtrail.events where kind = 'export'",
        )
        .await;
    assert!(logged >= 10 && by_people >= 5 && by_tokens >= 8, "{logged} of {all}, {by_people}, {by_tokens}");
    assert_eq!(of_demo, 2);
}

#[tokio::test]
async fn after_interruptions_every_step_is_there_once() {
    let scratch = Scratch::filled().await;
    // The last two bytes of a step's request id are the number of steps after it.
    let steps: Vec<(i32, i64)> = scratch
        .rows(
            r"select ('x' || right(request_id, 4))::bit(16)::integer,
                count(*) - count(distinct (action, outcome, object_id, previous::text, next::text))
            from orgtrail.events
            where request_id ~ '^req_.{8}-.{4}-7000-8000-64656d6f.{4}$' group by 1 order by 1 desc",
        )
        .await;
    let founding = steps[0];
    assert!(steps.iter().all(|(_, repeated)| *repeated == 0), "{steps:?}");
    let missing = i64::from(founding.0) + 1 - i64::try_from(steps.len()).unwrap();
    let survived = i64::from(support::SURVIVED_CUTS.load(Ordering::Relaxed));
    assert!((0..=survived).contains(&missing), "{missing} steps are missing, {survived} cuts were survived");
    let halves: i64 = scratch
        .one(
            "select count(*) from (
                select next ->> 'export_id' from orgtrail.events where action like 'audit_log.export.%' and outcome in ('success', 'empty')
                group by 1 having count(*) <> 2) e",
        )
        .await;
    assert!(halves <= support::INTERRUPTIONS, "{halves} exports without an end");
}

#[tokio::test]
async fn a_second_start_finds_it_complete_and_leaves_it_alone() {
    let scratch = Scratch::filled().await;
    let before: i64 = scratch.one("select max(index) from orgtrail.events").await;
    assert_eq!(scratch.fill().await.unwrap(), Filled::Complete);
    let after: i64 = scratch.one("select max(index) from orgtrail.events").await;
    assert_eq!(before, after);
}

#[tokio::test]
async fn the_printed_people_can_sign_in_and_are_who_they_say() {
    let scratch = Scratch::filled().await;
    for (email, role) in demo::sign_ins() {
        let signed_in =
            sign_in(&scratch.platform, &Viewer::anonymous(Origin::default()), &email, PASSWORD).await.unwrap();
        let query = format!("select role from orgtrail.memberships where user_id = '{}'", signed_in.user_id);
        let stored: String = scratch.one(&query).await;
        assert_eq!((stored.as_str(), Role::parse(role).unwrap().as_str()), (role, role));
    }
}

#[tokio::test]
async fn another_password_replaces_the_old_one() {
    let scratch = Scratch::filled().await;
    let other = "nobody can guess this one";
    let filled = demo::fill(&scratch.platform, other, &mut |_| {}).await.unwrap();
    assert_eq!(filled, Filled::Complete);
    for (email, _) in demo::sign_ins() {
        let anonymous = Viewer::anonymous(Origin::default());
        assert!(sign_in(&scratch.platform, &anonymous, &email, PASSWORD).await.is_err());
        assert!(sign_in(&scratch.platform, &anonymous, &email, other).await.is_ok());
    }
}

#[tokio::test]
async fn as_many_events_are_added_as_asked_for_each_time() {
    let scratch = Scratch::filled().await;
    let before: i64 = scratch.one("select count(*) from orgtrail.events where kind = 'change'").await;
    let mut seen = Vec::new();
    for (number, superuser) in [(1, None), (4_500, Some(&scratch.superuser))] {
        let mut progress = |progress: Progress| seen.push((progress.done, progress.of));
        demo::add_events(&scratch.platform, superuser, count(number), &mut progress).await.unwrap();
    }
    assert_eq!(seen, [(1, 1), (2_000, 4_500), (4_000, 4_500), (4_500, 4_500)]);
    let after: i64 = scratch.one("select count(*) from orgtrail.events where kind = 'change'").await;
    assert_eq!(after - before, 4_501);
    let outside: i64 = scratch
        .one("select count(*) from orgtrail.events where occurred_at > now() or occurred_at < date_trunc('day', now()) - interval '89 days'")
        .await;
    let (unsent, days): (i64, i64) = scratch
        .one("select count(*) filter (where source_access_token_id is null), count(distinct occurred_at::date) from orgtrail.events where action like 'robot.%'")
        .await;
    assert_eq!((outside, unsent), (0, 0));
    assert!(days > 80, "{days} days");
    let waiting = "select sum((gin_metapage_info(get_raw_page(inhrelid::regclass::text, 0))).n_pending_pages)::bigint from pg_inherits
        where inhparent = 'orgtrail.events_by_words'::regclass";
    let _made: Vec<i64> = scratch.rows("create extension pageinspect").await;
    assert_eq!(scratch.one::<i64>(waiting).await, 0, "all words are in their index");
    demo::analyze(&scratch.superuser).await.unwrap();
    demo::vacuum(&scratch.superuser).await.unwrap();
    assert_eq!(scratch.fill().await.unwrap(), Filled::Complete);
}

#[tokio::test]
async fn a_database_with_other_organizations_is_refused() {
    let scratch = Scratch::empty().await;
    let user =
        create_user(&scratch.platform, &Viewer::operator(), "Somebody", "somebody@other.example", None).await.unwrap();
    let viewer = Viewer::user(user, Origin::default());
    settings::create(&scratch.platform, &viewer, "Other", "other").await.unwrap();
    assert!(matches!(scratch.fill().await, Err(DemoError::OtherOrganizations)));
    settings::update(&scratch.platform, &viewer, "other", "Other", "acme", None).await.unwrap();
    assert!(matches!(scratch.fill().await, Err(DemoError::OtherAcme)));
    let users: i64 = scratch.one("select count(*) from orgtrail.users").await;
    assert_eq!(users, 1);
}

#[tokio::test]
async fn a_password_that_cannot_be_one_is_refused_before_anything_is_written() {
    let scratch = Scratch::empty().await;
    let refused = demo::fill(&scratch.platform, "short", &mut |_| {}).await;
    assert!(matches!(refused, Err(DemoError::Password(_))));
    let users: i64 = scratch.one("select count(*) from orgtrail.users").await;
    assert_eq!(users, 0);
}
