//! Query strings: what is understood, how each refusal reads, and that what is printed is read.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;
use crate::audit::action::Action;
use crate::audit::query::Position;
use crate::audit::range::Preset;

fn now() -> DateTime<Utc> {
    "2026-11-22T06:12:30Z".parse().unwrap()
}

fn page(raw: &str) -> PageQuery {
    PageQuery::parse(raw, now()).unwrap()
}

fn export(raw: &str) -> ExportQuery {
    ExportQuery::parse(raw, now()).unwrap()
}

fn page_refusal(raw: &str) -> String {
    PageQuery::parse(raw, now()).unwrap_err().to_string()
}

fn export_refusal(raw: &str) -> String {
    ExportQuery::parse(raw, now()).unwrap_err().to_string()
}

#[test]
fn an_empty_query_is_the_last_30_days_of_changes() {
    let query = page("");
    assert_eq!(query.filter, EventFilter::default());
    assert_eq!(query.range.view.preset.as_deref(), Some("30d"));
    assert_eq!((query.position, query.event), (None, None));
    assert_eq!(page("range=&start=&end=&kind=&q=&before="), page(""), "an empty form asks for nothing");
}

#[test]
fn canonical_query_strings() {
    insta::assert_snapshot!(page("").to_query_string(), @"range=30d");
    insta::assert_snapshot!(page("kind=export,change&range=7d&tz=Europe/Berlin&q=a+%26+b").to_query_string(), @"range=7d&tz=Europe%2FBerlin&kind=change,export&q=a%20%26%20b");
    insta::assert_snapshot!(page("start=2026-11-01&end=2026-11-22&action=team.*,member.updated&actor=token:a b").to_query_string(), @"start=2026-11-01&end=2026-11-22&action=team.*,member.updated&actor=token:a%20b");
    insta::assert_snapshot!(page("start=2026-11-01T00:00:00%2B01:00&end=2026-11-22T00:00:00Z&object=member:1").to_query_string(), @"start=2026-10-31T23:00:00.000000Z&end=2026-11-22T00:00:00.000000Z&object=member:1");
}

#[test]
fn the_export_of_a_page_always_names_bounds_and_kinds() {
    insta::assert_snapshot!(page("").export_query("acme"), @"organization=acme&start=2026-10-24&end=2026-11-22&kind=change");
    insta::assert_snapshot!(page("range=24h&kind=all&tz=Asia/Tokyo").export_query("acme"), @"organization=acme&start=2026-11-21T06:12:00.000000Z&end=2026-11-22T06:13:00.000000Z&tz=Asia%2FTokyo&kind=all");
}

#[test]
fn positions_and_events() {
    assert_eq!(page("before=abc").position, Some(Position::Before("abc".to_owned())));
    assert_eq!(page("after=abc").position, Some(Position::After("abc".to_owned())));
    assert_eq!(page("event=0199f3c2-7c1e-7000-8000-000000000001").event.unwrap().get_version_num(), 7);
}

#[test]
fn kinds_are_a_set_in_one_order() {
    assert_eq!(parse_kinds(None).unwrap(), [Kind::Change]);
    assert_eq!(parse_kinds(Some("export,login,export")).unwrap(), [Kind::Login, Kind::Export]);
    assert_eq!(parse_kinds(Some("all")).unwrap(), Kind::ALL);
    for list in ["change,", "Change", "all,login", " login"] {
        insta::allow_duplicates! { insta::assert_snapshot!(parse_kinds(Some(list)).unwrap_err(), @"kind: A kind is one of change, login, operation and export; a list with commas, or all."); }
    }
}

#[test]
fn actions_are_kept_once() {
    assert_eq!(page("action=team.member.*,invoice.paid,team.member.*").filter.actions.len(), 2);
    let many: Vec<_> = (0..51).map(|number| format!("a.b{number}")).collect();
    insta::assert_snapshot!(parse_actions(Some(&many.join(","))).unwrap_err(), @"action: 51 actions are too many: at most 50; a group like member.* counts once.");
}

#[test]
fn exports_have_a_layout() {
    let plain = export("organization=acme&start=2026-11-01&end=2026-11-22");
    assert_eq!(
        (plain.format, plain.profile, plain.escaping, plain.bom),
        (ExportFormat::Csv, Profile::Standard, Escaping::FormulaSafe, false)
    );
    let full = export("organization=acme&start=2026-11-01&end=2026-11-22&profile=full&csv=raw&bom=1&format=csv");
    assert_eq!(
        (full.format, full.profile, full.escaping, full.bom),
        (ExportFormat::Csv, Profile::Full, Escaping::Raw, true)
    );
    let ndjson = export("organization=acme&start=2026-11-01&end=2026-11-22&format=ndjson");
    assert_eq!((ndjson.format, ndjson.profile, ndjson.escaping), (ExportFormat::Ndjson, Profile::Full, Escaping::Raw));
}

#[test]
fn refusals_of_the_page() {
    insta::assert_snapshot!(page_refusal("range=1y"), @"range: A range is one of 24h, 7d, 30d, 90d, month; or give start and end.");
    insta::assert_snapshot!(page_refusal("range=7d&start=2026-11-01"), @"range: Give either a range by name, or start and end.");
    insta::assert_snapshot!(page_refusal("start=2026-11-01"), @"end: Write a day as YYYY-MM-DD, or an instant in RFC 3339 with Z or an offset, like 2026-11-22T00:00:00Z. Choose days from 2026-08-25 to 2026-11-22 (UTC), at most 90 of them.");
    insta::assert_snapshot!(page_refusal("before=a&after=b"), @"before: Give either before or after.");
    insta::assert_snapshot!(page_refusal("event=1"), @"event: An event is named by its UUID, like 0199f3c2-7c1e-7000-8000-000000000001.");
    insta::assert_snapshot!(page_refusal("kind=change&kind=login"), @"kind: kind is given more than once: give it once, lists with commas.");
    insta::assert_snapshot!(page_refusal("sort=asc"), @"query: There is no parameter “sort”. The parameters are range, start, end, tz, kind, action, actor, object, q, before, after, event.");
    insta::assert_snapshot!(page_refusal("tz=Berlin"), @"tz: A time zone is an IANA name like Europe/Berlin or America/New_York; UTC unless given.");
}

#[test]
fn refusals_of_the_export() {
    insta::assert_snapshot!(export_refusal("start=2026-11-01&end=2026-11-22"), @"organization: Name the organization by its slug.");
    insta::assert_snapshot!(export_refusal("organization=acme"), @"start: Write a day as YYYY-MM-DD, or an instant in RFC 3339 with Z or an offset, like 2026-11-22T00:00:00Z. Choose days from 2026-08-25 to 2026-11-22 (UTC), at most 90 of them.");
    insta::assert_snapshot!(export_refusal("organization=acme&start=2026-11-01"), @"end: Write a day as YYYY-MM-DD, or an instant in RFC 3339 with Z or an offset, like 2026-11-22T00:00:00Z. Choose days from 2026-08-25 to 2026-11-22 (UTC), at most 90 of them.");
    insta::assert_snapshot!(export_refusal("organization=acme&range=7d"), @"query: There is no parameter “range”. The parameters are organization, start, end, tz, kind, action, actor, object, q, profile, csv, format, bom.");
    insta::assert_snapshot!(export_refusal("organization=acme&start=2026-11-01&end=2026-11-22&csv=safe"), @"csv: csv is formula-safe or raw; formula-safe if absent.");
    insta::assert_snapshot!(export_refusal("organization=acme&start=2026-11-01&end=2026-11-22&bom=true"), @"bom: bom is 0 or 1; 0 if absent.");
    insta::assert_snapshot!(export_refusal("organization=acme&start=2026-11-01&end=2026-11-22&format=xlsx"), @"format: format is csv or ndjson; csv if absent.");
    insta::assert_snapshot!(export_refusal("organization=acme&start=2026-11-01&end=2026-11-22&format=ndjson&csv=raw"), @"csv: This belongs to CSV: format=ndjson always holds every field, byte for byte.");
    insta::assert_snapshot!(export_refusal("organization=acme&start=2026-11-01&end=2026-11-22&profile=all"), @"profile: profile is standard or full; standard if absent.");
}

#[test]
fn a_huge_query_string_is_refused_at_once() {
    let refused = export_refusal(&format!("organization=acme&q={}", "a".repeat(100 * 1024)));
    assert_eq!(refused, "query: The query string has 102420 bytes; at most 8192 are read.");
}

fn any_range() -> impl Strategy<Value = String> {
    let days = (0u64..90, 0u64..90).prop_map(|(one, other)| {
        let [first, last] = [one.max(other), one.min(other)].map(|back| now().date_naive() - chrono::Days::new(back));
        format!("start={first}&end={last}")
    });
    let instants = (1i64..80 * 86_400_000_000, 1i64..9 * 86_400_000_000).prop_map(|(back, length)| {
        let start = now() - chrono::TimeDelta::microseconds(back);
        let end = (start + chrono::TimeDelta::microseconds(length)).min(now());
        format!("start={start:?}&end={end:?}")
    });
    prop_oneof![select(&Preset::ALL[..]).prop_map(|preset| format!("range={}", preset.as_str())), days, instants]
}

fn any_filter() -> impl Strategy<Value = EventFilter> {
    let id = "[^\\x00-\\x1f\\x7f-\\x{9f}]{1,40}";
    let kinds = subsequence(Kind::ALL.to_vec(), 1..=4);
    let action = prop_oneof![
        select(&Action::ALL[..]).prop_map(|action| action.name().to_owned()),
        select(vec!["member.*", "team.member.*", "access_token.*"]).prop_map(str::to_owned),
        "[a-z][a-z0-9_]{0,8}\\.[a-z][a-z0-9_]{0,8}",
    ];
    let actor =
        (select(vec!["user", "token"]), id).prop_map(|(sort, id)| ActorFilter::parse(&format!("{sort}:{id}")).unwrap());
    let object = ("[a-z][a-z_]{0,12}", option::of(id)).prop_map(|(object_type, id)| {
        let text = id.map_or(object_type.clone(), |id| format!("{object_type}:{id}"));
        ObjectFilter::parse(&text).unwrap()
    });
    let words = "[^\\x00]{0,40}[a-z0-9]".prop_map(|text| Words::parse(&text).unwrap());
    (kinds, vec(action, 0..6), option::of(actor), option::of(object), option::of(words)).prop_map(
        |(kinds, actions, actor, object, words)| {
            let list = (!actions.is_empty()).then(|| actions.join(","));
            EventFilter { kinds, actions: parse_actions(list.as_deref()).unwrap(), actor, object, words }
        },
    )
}

fn any_page() -> impl Strategy<Value = PageQuery> {
    let zone = select(vec!["UTC", "Europe/Berlin", "America/New_York", "Pacific/Chatham", "Etc/GMT-14"]);
    let in_limits = |(range, zone, filter): (String, &str, EventFilter)| {
        let query = PageQuery::parse(&format!("{range}&tz={zone}"), now()).ok()?;
        Some(PageQuery { filter, ..query })
    };
    (any_range(), zone, any_filter()).prop_filter_map("a day that is not in the limits of its zone", in_limits)
}

proptest! {
    #[test]
    fn a_page_is_read_as_it_was_printed(query in any_page()) {
        prop_assert_eq!(page(&query.to_query_string()), query);
    }

    #[test]
    fn an_export_is_read_as_it_was_printed(query in any_page(), layout in select(vec!["", "&profile=full", "&csv=raw&bom=1", "&format=ndjson"])) {
        let first = export(&format!("{}{layout}", query.export_query("acme")));
        prop_assert_eq!(&first.filter, &query.filter);
        prop_assert_eq!(first.range.range, query.range.range);
        prop_assert_eq!(export(&first.to_query_string()), first);
    }

    #[test]
    fn no_text_is_a_panic(raw in any::<String>(), value in any::<String>(), name in select(&PageQuery::PARAMETERS[..])) {
        let _ = PageQuery::parse(&raw, now());
        let _ = ExportQuery::parse(&format!("{name}={value}"), now());
        let mut encoded = String::new();
        pairs::push(&mut encoded, name, &value);
        let _ = PageQuery::parse(&encoded, now());
    }
}
