//! Every filter of the page, alone and together, against a plain model of what it means: the same events, the same count, the same bytes.

use chrono::{DateTime, TimeDelta, Utc};
use orgtrail::audit::append::Draft;
use orgtrail::audit::event::Kind;
use orgtrail::audit::page;
use orgtrail::audit::view::{EventPage, PAGE_SIZE};
use sqlx::PgPool;

use crate::fixture::{Fixture, Tenant};
use crate::model::{Known, drafts, known};

/// The clock of these tests stands here.
pub const NOW: &str = "2025-06-15T12:00:00Z";

/// Everything that may be asked for, but what is recorded now.
pub const RANGE: &str = "start=2025-03-18T00:00:00Z&end=2025-06-15T12:00:00Z";

/// An organization with two thousand events of ninety days.
pub async fn filled(superuser: PgPool) -> (Fixture, Tenant, Vec<Known>) {
    let fixture = Fixture::at(superuser, NOW.parse().unwrap()).await;
    let tenant = fixture.organization("acme").await;
    let drafts = drafts(2_000);
    let recorded = fixture.record(&tenant, &drafts).await;
    let lengths = fixture.trail(tenant.id).await;
    let mut known: Vec<Known> = drafts
        .iter()
        .zip(recorded)
        .map(|(draft, recorded)| {
            known(draft, recorded.index, lengths[usize::try_from(recorded.index).unwrap()].csv_safe_length)
        })
        .collect();
    known.sort_by_key(|event| std::cmp::Reverse((event.at, event.index)));
    (fixture, tenant, known)
}

pub async fn asked(fixture: &Fixture, tenant: &Tenant, query: &str) -> EventPage {
    page::events(&fixture.platform, &tenant.owner, &tenant.slug, query)
        .await
        .unwrap_or_else(|refused| panic!("{query}: {refused:?}"))
}

pub fn indexes(page: &EventPage) -> Vec<i64> {
    page.events.iter().map(|event| event.index).collect()
}

type Wanted = fn(&Known) -> bool;

/// Values of each parameter and what they mean. The first of each leaves it out.
const PARAMETERS: [&[(&str, Wanted)]; 5] = [
    &[
        ("", |event| event.kind == Kind::Change),
        ("&kind=all", |_| true),
        ("&kind=login", |event| event.kind == Kind::Login),
        ("&kind=export,operation", |event| matches!(event.kind, Kind::Export | Kind::Operation)),
    ],
    &[
        ("", |_| true),
        ("&action=invoice.paid", |event| event.action == "invoice.paid"),
        ("&action=member.*", |event| event.action.starts_with("member.")),
        ("&action=team.member.*,member.updated,login.attempted", |event| {
            event.action.starts_with("team.member.")
                || ["member.updated", "login.attempted"].contains(&event.action.as_str())
        }),
        ("&action=never.happened", |_| false),
    ],
    &[
        ("", |_| true),
        ("&actor=user:u-3", |event| event.user.as_deref() == Some("u-3")),
        ("&actor=token:t-1", |event| event.token.as_deref() == Some("t-1")),
        ("&actor=user:t-1", |_| false),
    ],
    &[
        ("", |_| true),
        ("&object=member", |event| event.object_type == "member"),
        // The account belongs to the member, and what ends with the member in a team.
        ("&object=member:7", |event| match event.object_type.as_str() {
            "member" | "user" => event.object_id.as_deref() == Some("7"),
            "team_member" => event.object_id.as_deref() == Some("2025/06:7"),
            _ => false,
        }),
        ("&object=invoice:2025%2F06:7", |event| {
            event.object_type == "invoice" && event.object_id.as_deref() == Some("2025/06:7")
        }),
    ],
    &[
        ("", |_| true),
        ("&q=ada", |event| event.finds(&["ada"])),
        ("&q=GRACE+hop", |event| event.finds(&["grace", "hop"])),
        ("&q=caf%C3%A9", |event| event.finds(&["café"])),
        ("&q=192.0.2.1", |event| event.finds(&["192", "0", "2", "1"])),
        ("&q=typed%40else", |event| event.finds(&["typed", "else"])),
        ("&q=1.50+plan", |event| event.finds(&["1", "50", "plan"])),
        ("&q=zebra", |_| false),
    ],
];

/// Every value of every parameter, alone and with every value of every other one.
fn combinations() -> Vec<Vec<(&'static str, Wanted)>> {
    let mut all = vec![Vec::new()];
    for (place, values) in PARAMETERS.iter().enumerate() {
        for value in &values[1..] {
            all.push(vec![*value]);
            let later = PARAMETERS[place + 1..].iter().flat_map(|values| &values[1..]);
            all.extend(later.map(|other| vec![*value, *other]));
        }
    }
    all.push(PARAMETERS.iter().map(|values| values[1]).collect());
    all
}

fn passes(event: &Known, chosen: &[(&str, Wanted)]) -> bool {
    let names_kinds = chosen.iter().any(|(text, _)| text.starts_with("&kind="));
    (names_kinds || event.kind == Kind::Change) && chosen.iter().all(|(_, wanted)| wanted(event))
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn every_combination_of_filters_means_what_it_says(superuser: PgPool) {
    let (fixture, tenant, known) = filled(superuser).await;
    let header = orgtrail::audit::csv::header_length(
        &orgtrail::audit::csv::COLUMNS,
        orgtrail::audit::csv::Escaping::FormulaSafe,
        false,
    );
    let mut matched = 0;
    for chosen in combinations() {
        let query = RANGE.to_owned() + &chosen.iter().map(|(text, _)| *text).collect::<String>();
        let wanted: Vec<&Known> = known.iter().filter(|event| passes(event, &chosen)).collect();
        let first: Vec<i64> =
            wanted.iter().map(|event| event.index).take(usize::try_from(PAGE_SIZE).unwrap()).collect();
        let page = asked(&fixture, &tenant, &query).await;
        assert_eq!(indexes(&page), first, "{query}");
        assert_eq!((page.newer.is_some(), page.older.is_some()), (false, wanted.len() > first.len()), "{query}");
        let count = page::count(&fixture.platform, &tenant.owner, "acme", &query).await.unwrap();
        let bytes = header + wanted.iter().map(|event| event.csv_safe_length).sum::<usize>();
        assert_eq!(
            (count.events, count.bytes),
            (wanted.len().try_into().unwrap(), bytes.try_into().unwrap()),
            "{query}"
        );
        matched += usize::from(!wanted.is_empty());
    }
    // The model is not empty everywhere.
    assert!(matched > combinations().len() / 3, "{matched} of {}", combinations().len());
}

/// What the database adds up for each day is what its events come to, wherever a range begins and ends; in one organization only.
#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn counts_of_any_range_are_those_of_its_events(superuser: PgPool) {
    let fixture = Fixture::at(superuser, NOW.parse().unwrap()).await;
    let (tenant, other) = (fixture.organization("acme").await, fixture.organization("other").await);
    let drafts = drafts(1_000);
    for some in drafts.chunks(70) {
        fixture.record(&tenant, some).await;
        fixture.record(&other, &some[..1]).await;
    }
    let trail = fixture.trail(tenant.id).await;
    let last: DateTime<Utc> = NOW.parse().unwrap();
    let header = orgtrail::audit::csv::header_length(
        &orgtrail::audit::csv::COLUMNS,
        orgtrail::audit::csv::Escaping::FormulaSafe,
        false,
    );
    for (days, minutes, length) in ranges() {
        let start = "2025-03-18T00:00:00Z".parse::<DateTime<Utc>>().unwrap()
            + TimeDelta::days(days)
            + TimeDelta::minutes(minutes);
        let end = (start + length).min(last);
        for (kinds, wanted) in [("", "change"), ("&kind=all", ""), ("&kind=login", "login")] {
            let query = format!(
                "start={}&end={}{kinds}",
                start.to_rfc3339().replace('+', "%2B"),
                end.to_rfc3339().replace('+', "%2B")
            );
            let within =
                trail.iter().filter(|event| (start..end).contains(&event.occurred_at) && event.kind.contains(wanted));
            let (events, bytes) = within.fold((0, header), |(events, bytes), event| {
                (events + 1, bytes + usize::try_from(event.csv_safe_length).unwrap())
            });
            let count = page::count(&fixture.platform, &tenant.owner, "acme", &query).await.unwrap();
            assert_eq!((count.events, count.bytes), (events, bytes.try_into().unwrap()), "{query}");
        }
    }
}

/// Days and minutes after the first moment, and how long: within a day, over one midnight or many, from one midnight to another.
fn ranges() -> impl Iterator<Item = (i64, i64, TimeDelta)> {
    let begins = [(0, 0), (0, 1), (3, 1_439), (40, 0), (40, 600), (88, 0)];
    let lengths = [
        TimeDelta::microseconds(1),
        TimeDelta::hours(2),
        TimeDelta::days(1),
        TimeDelta::minutes(1_441),
        TimeDelta::days(30),
    ];
    begins.into_iter().flat_map(move |(days, minutes)| lengths.map(|length| (days, minutes, length)))
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn a_range_holds_its_first_microsecond_and_not_its_end(superuser: PgPool) {
    let fixture = Fixture::at(superuser, NOW.parse().unwrap()).await;
    let tenant = fixture.organization("acme").await;
    let (start, end): (DateTime<Utc>, DateTime<Utc>) =
        ("2025-06-01T10:00:00Z".parse().unwrap(), "2025-06-01T11:00:00Z".parse().unwrap());
    let micro = TimeDelta::microseconds(1);
    let moments = [start - micro, start, start + micro, end - micro, end, end + micro];
    let drafts: Vec<Draft> = moments.map(|at| crate::fixture::claimed("a.b", at)).into();
    let places: Vec<i64> = fixture.record(&tenant, &drafts).await.iter().map(|recorded| recorded.index).collect();
    let wanted = vec![places[3], places[2], places[1]];
    for words in ["", "&q=ada"] {
        let query = format!("start=2025-06-01T10:00:00Z&end=2025-06-01T11:00:00Z{words}");
        assert_eq!(indexes(&asked(&fixture, &tenant, &query).await), wanted);
        assert_eq!(page::count(&fixture.platform, &tenant.owner, "acme", &query).await.unwrap().events, 3);
    }
    // In half-open ranges neighbours share nothing and lose nothing.
    let next = asked(&fixture, &tenant, "start=2025-06-01T11:00:00Z&end=2025-06-01T12:00:00Z").await;
    assert_eq!(indexes(&next), [places[5], places[4]]);
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn whole_days_end_where_the_next_begins_in_the_chosen_zone(superuser: PgPool) {
    let fixture = Fixture::at(superuser, NOW.parse().unwrap()).await;
    let tenant = fixture.organization("acme").await;
    // Berlin's 30 March 2025 has 23 hours: from 29 March 23:00 to 30 March 22:00 UTC.
    let moments =
        ["2025-03-29T22:59:59.999999Z", "2025-03-29T23:00:00Z", "2025-03-30T21:59:59.999999Z", "2025-03-30T22:00:00Z"];
    let drafts: Vec<Draft> = moments.map(|at| crate::fixture::claimed("a.b", at.parse().unwrap())).into();
    let places = fixture.record(&tenant, &drafts).await;
    let day = asked(&fixture, &tenant, "start=2025-03-30&end=2025-03-30&tz=Europe/Berlin").await;
    assert_eq!(indexes(&day), [places[2].index, places[1].index]);
}
