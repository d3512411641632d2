//! The 90-day rule, zone by zone, and how each refusal reads.

use chrono::Timelike;
use chrono_tz::TZ_VARIANTS;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

const NOW: &str = "2026-11-22T06:12:30Z";

fn at(instant: &str) -> DateTime<Utc> {
    instant.parse().unwrap()
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn bounds(start: &str, end: &str) -> RangeInput {
    RangeInput::Bounds { start: start.to_owned(), end: end.to_owned() }
}

fn resolved(start: &str, end: &str, zone: &str) -> ResolvedRange {
    resolve(&bounds(start, end), Some(zone), at(NOW)).unwrap()
}

fn refusal(start: &str, end: &str, zone: Option<&str>) -> String {
    resolve(&bounds(start, end), zone, at(NOW)).unwrap_err().to_string()
}

#[test]
fn the_default_is_the_last_30_days_in_utc() {
    let range = resolve(&RangeInput::Default, None, at(NOW)).unwrap();
    assert_eq!(range.range, TimeRange { start: at("2026-10-24T00:00:00Z"), end: at("2026-11-23T00:00:00Z") });
    insta::assert_debug_snapshot!(range.view, @r#"
    RangeView {
        preset: Some(
            "30d",
        ),
        first_day: "2026-10-24",
        last_day: "2026-11-22",
        earliest_day: "2026-08-25",
        today: "2026-11-22",
        zone: "UTC",
        whole_days: true,
        label: "24 Oct – 22 Nov 2026",
        start: "2026-10-24T00:00:00.000000Z",
        end: "2026-11-23T00:00:00.000000Z",
    }
    "#);
}

#[test]
fn presets_count_calendar_days_in_the_zone() {
    let days = |preset, zone| {
        let range = resolve(&RangeInput::Preset(preset), Some(zone), at(NOW)).unwrap();
        (range.first_day.to_string(), range.last_day.to_string(), range.view.label)
    };
    let expected = |first: &str, last: &str, label: &str| (first.to_owned(), last.to_owned(), label.to_owned());
    assert_eq!(days(Preset::Days7, "UTC"), expected("2026-11-16", "2026-11-22", "16 – 22 Nov 2026"));
    assert_eq!(days(Preset::Days90, "Asia/Tokyo"), expected("2026-08-25", "2026-11-22", "25 Aug – 22 Nov 2026"));
    assert_eq!(
        days(Preset::Days90, "America/Los_Angeles"),
        expected("2026-08-24", "2026-11-21", "24 Aug – 21 Nov 2026")
    );
    assert_eq!(days(Preset::Month, "UTC"), expected("2026-11-01", "2026-11-22", "1 – 22 Nov 2026"));
    assert_eq!(
        days(Preset::Hours24, "UTC"),
        expected("2026-11-21", "2026-11-22", "21 Nov 2026 06:12 – 22 Nov 2026 06:13")
    );
}

#[test]
fn the_last_24_hours_are_whole_minutes_around_them() {
    let range = resolve(&RangeInput::Preset(Preset::Hours24), None, at(NOW)).unwrap();
    assert_eq!(range.range, TimeRange { start: at("2026-11-21T06:12:00Z"), end: at("2026-11-22T06:13:00Z") });
}

#[test]
fn days_are_whole_days_of_the_zone_with_the_last_included() {
    let berlin = resolved("2026-10-25", "2026-10-25", "Europe/Berlin");
    assert_eq!(
        berlin.range,
        TimeRange { start: at("2026-10-24T22:00:00Z"), end: at("2026-10-25T23:00:00Z") },
        "25 hours"
    );
    assert_eq!((berlin.view.label.as_str(), berlin.view.preset), ("25 Oct 2026", None));
    let new_york = resolved("2026-11-01", "2026-11-01", "America/New_York");
    assert_eq!(new_york.range.end - new_york.range.start, TimeDelta::hours(25));
}

#[test]
fn instants_are_half_open_and_rounded_up_to_microseconds() {
    let range = resolved("2026-11-01T01:00:00.0000001+01:00", "2026-11-02t00:00:00z", "UTC");
    assert_eq!(range.range, TimeRange { start: at("2026-11-01T00:00:00.000001Z"), end: at("2026-11-02T00:00:00Z") });
    assert_eq!(
        (range.first_day, range.last_day),
        (day("2026-11-01"), day("2026-11-01")),
        "the end does not belong to it"
    );
    assert!(!range.view.whole_days);
    let leap = resolved("2026-11-01T23:59:60Z", "2026-11-02T00:00:01Z", "UTC");
    assert_eq!(leap.range.start, at("2026-11-02T00:00:00Z"));
}

#[test]
fn the_longest_ranges_are_accepted_and_one_day_or_microsecond_more_is_not() {
    assert_eq!(resolved("2026-08-25", "2026-11-22", "UTC").range.start, at("2026-08-25T00:00:00Z"));
    resolved("2026-08-25T00:00:00Z", "2026-11-23T00:00:00Z", "UTC");
    insta::assert_snapshot!(refusal("2026-08-24", "2026-11-21", None), @"start: 2026-08-24 is too long ago: the trail goes back 90 days. Choose days from 2026-08-25 to 2026-11-22 (UTC), at most 90 of them.");
    insta::assert_snapshot!(refusal("2026-08-25", "2026-11-23", None), @"start: 2026-08-25 to 2026-11-23 are 91 days. Choose days from 2026-08-25 to 2026-11-22 (UTC), at most 90 of them.");
    insta::assert_snapshot!(refusal("2026-08-24T23:59:59.999999Z", "2026-11-22T00:00:00Z", None), @"start: 2026-08-24T23:59:59.999999Z is too long ago: the trail goes back 90 days. Choose instants from 2026-08-25T00:00:00Z to 2026-11-23T00:00:00Z, on at most 90 days (UTC).");
    insta::assert_snapshot!(refusal("2026-08-25T00:00:00Z", "2026-11-23T00:00:00.000001Z", None), @"start: 2026-08-25T00:00:00.000000Z to 2026-11-23T00:00:00.000001Z are on 91 days. Choose instants from 2026-08-25T00:00:00Z to 2026-11-23T00:00:00Z, on at most 90 days (UTC).");
}

#[test]
fn limits_of_days_are_those_of_the_zone_and_floors_of_instants_those_of_utc() {
    let zone = "Pacific/Kiritimati"; // 14 hours ahead
    let late = at("2026-11-22T12:00:00Z");
    let ok = |start, end| resolve(&bounds(start, end), Some(zone), late);
    assert!(
        ok("2026-08-26", "2026-11-23").is_ok()
            && ok("2026-08-25", "2026-11-23").is_err()
            && ok("2026-08-26", "2026-11-24").is_err()
    );
    assert!(
        ok("2026-11-22T00:00:00Z", "2026-11-23T10:00:00Z").is_ok()
            && ok("2026-11-22T00:00:00Z", "2026-11-23T10:00:01Z").is_err()
    );
    insta::assert_snapshot!(ok("2026-08-25T00:00:00Z", "2026-11-23T10:00:00Z").unwrap_err(), @"start: 2026-08-25T00:00:00.000000Z to 2026-11-23T10:00:00.000000Z are on 91 days. Choose instants from 2026-08-25T00:00:00Z to 2026-11-23T10:00:00Z, on at most 90 days (UTC).");
}

#[test]
fn refusals_name_what_is_wrong_and_what_is_allowed() {
    insta::assert_snapshot!(refusal("2026-11-22", "2026-11-20", Some("Europe/Berlin")), @"end: The last day, 2026-11-20, is before the first, 2026-11-22. Choose days from 2026-08-25 to 2026-11-22 (Europe/Berlin), at most 90 of them.");
    insta::assert_snapshot!(refusal("2026-11-22T00:00:00Z", "2026-11-22T01:00:00+01:00", None), @"end: The end, 2026-11-22T00:00:00.000000Z, is not after the start, 2026-11-22T00:00:00.000000Z. Choose instants from 2026-08-25T00:00:00Z to 2026-11-23T00:00:00Z, on at most 90 days (UTC).");
    insta::assert_snapshot!(refusal("2026-02-29", "2026-11-20", None), @"start: There is no day 2026-02-29. Choose days from 2026-08-25 to 2026-11-22 (UTC), at most 90 of them.");
    insta::assert_snapshot!(refusal("2026-11-20", "2026-13-01", None), @"end: There is no day 2026-13-01. Choose days from 2026-08-25 to 2026-11-22 (UTC), at most 90 of them.");
    insta::assert_snapshot!(refusal("2026-11-20", "2026-11-22T00:00:00Z", None), @"end: Write start and end in the same form: two days, or two instants. Choose days from 2026-08-25 to 2026-11-22 (UTC), at most 90 of them.");
    insta::assert_snapshot!(refusal("2026-11-20T00:00:00", "2026-11-22T00:00:00Z", None), @"start: An instant needs its offset: add Z for UTC, or one like +01:00. Choose days from 2026-08-25 to 2026-11-22 (UTC), at most 90 of them.");
    insta::assert_snapshot!(refusal("2026-11-20T00:00:00Z", "2026-11-22T00:00:00 01:00", None), @"end: The + of the offset was read as a space: write it as %2B in a URL, as in 2026-11-22T00:00:00%2B01:00. Choose days from 2026-08-25 to 2026-11-22 (UTC), at most 90 of them.");
    insta::assert_snapshot!(refusal("yesterday", "today", None), @"start: Write a day as YYYY-MM-DD, or an instant in RFC 3339 with Z or an offset, like 2026-11-22T00:00:00Z. Choose days from 2026-08-25 to 2026-11-22 (UTC), at most 90 of them.");
    insta::assert_snapshot!(refusal("2026-11-20", "2026-11-22", Some("Mars/Olympus")), @"tz: A time zone is an IANA name like Europe/Berlin or America/New_York; UTC unless given.");
    insta::assert_snapshot!(refusal("0000-01-01", "9999-12-31", None), @"start: 0000-01-01 to 9999-12-31 are 3652425 days. Choose days from 2026-08-25 to 2026-11-22 (UTC), at most 90 of them.");
}

#[test]
fn hardly_dates_are_no_dates() {
    for typed in [
        "2026-1-5",
        "+2026-01-05",
        " 2026-11-20",
        "2026-11-20 ",
        "20261120",
        "2026/11/20",
        "２０２６-11-20",
        "2026-11-2\u{301}",
        "-026-11-20",
    ] {
        let refused = refusal(typed, "2026-11-22", None);
        assert!(refused.starts_with("start: Write a day as YYYY-MM-DD"), "{typed:?}: {refused}");
    }
}

#[test]
fn a_day_without_midnight_begins_when_the_gap_ends() {
    assert_eq!(start_of(day("2018-11-04"), Tz::America__Sao_Paulo), at("2018-11-04T03:00:00Z"));
    assert_eq!(
        start_of(day("2011-12-30"), Tz::Pacific__Apia),
        start_of(day("2011-12-31"), Tz::Pacific__Apia),
        "Samoa skipped this day"
    );
    assert_eq!(
        start_of(day("2026-11-01"), Tz::America__Havana),
        at("2026-11-01T04:00:00Z"),
        "the earlier of two midnights"
    );
}

/// Days of 2010–2035 within three of a change of the zone's offset.
fn days_around_changes(zone: Tz) -> Vec<NaiveDate> {
    let offset = |day: NaiveDate| zone.offset_from_utc_datetime(&day.and_time(NaiveTime::MIN)).to_string();
    let weeks: Vec<_> = day("2010-01-01").iter_weeks().take(26 * 52).collect();
    let changed = weeks.windows(2).filter(|pair| offset(pair[0]) != offset(pair[1]));
    changed.flat_map(|pair| (pair[0] - Days::new(3)).iter_days().take(14)).collect()
}

#[test]
fn days_tile_the_time_of_every_zone_around_its_changes() {
    for zone in TZ_VARIANTS {
        for day in days_around_changes(zone) {
            let (start, end) = (start_of(day, zone), start_of(day + Days::new(1), zone));
            let minutes = (end - start).num_minutes();
            let skipped = zone == Tz::Pacific__Apia || zone == Tz::Pacific__Fakaofo;
            assert!(
                (20 * 60..=28 * 60).contains(&minutes) || skipped && minutes == 0,
                "{zone} {day}: {minutes} minutes"
            );
            assert!(start.with_timezone(&zone).date_naive() == day || minutes == 0, "{zone} {day}");
            let before = (start - TimeDelta::microseconds(1)).with_timezone(&zone);
            assert!(before.date_naive() < day, "{zone} {day} begins at its first instant");
        }
    }
}

proptest! {
    #[test]
    fn days_tile_the_time_of_every_zone(zone in select(&TZ_VARIANTS[..]), offset in 0u64..50_000) {
        let day = day("1900-01-01") + Days::new(offset);
        let [start, end] = [day, day + Days::new(1)].map(|day| start_of(day, zone));
        prop_assert!(start <= end && end - start <= TimeDelta::hours(50), "{zone} {day}");
    }

    #[test]
    fn the_bounds_of_every_zone_are_accepted_exactly(zone in select(&TZ_VARIANTS[..]), second in 1_262_304_000i64..2_082_758_400) {
        let now = DateTime::from_timestamp(second, 0).unwrap();
        let today = now.with_timezone(&zone).date_naive();
        let ask = |first: NaiveDate, last: NaiveDate| resolve(&bounds(&first.to_string(), &last.to_string()), Some(zone.name()), now);
        let (earliest, tomorrow) = (today - Days::new(89), today + Days::new(1));
        let whole = ask(earliest, today).unwrap();
        prop_assert_eq!((whole.first_day, whole.last_day), (earliest, today));
        prop_assert!(whole.range.start <= now && now < whole.range.end);
        prop_assert!(ask(earliest - Days::new(1), today).is_err() && ask(earliest, tomorrow).is_err() && ask(tomorrow, tomorrow).is_err());
    }

    #[test]
    fn instants_of_a_preset_are_accepted_as_bounds(zone in select(&TZ_VARIANTS[..]), second in 1_262_304_000i64..2_082_758_400) {
        let now = DateTime::from_timestamp(second, 0).unwrap();
        let preset = resolve(&RangeInput::Preset(Preset::Hours24), Some(zone.name()), now).unwrap();
        let again = resolve(&bounds(&preset.view.start, &preset.view.end), Some(zone.name()), now).unwrap();
        prop_assert_eq!((again.range, again.view.label), (preset.range, preset.view.label));
        prop_assert_eq!(preset.range.start.second(), 0);
    }

    #[test]
    fn no_text_is_a_panic(start in "\\PC*", end in any::<String>(), zone in any::<String>()) {
        let _ = resolve(&bounds(&start, &end), Some(&zone), at(NOW));
        let _ = resolve(&bounds(&start, &end), None, at(NOW));
    }
}
