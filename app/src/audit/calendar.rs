//! Two months of days, by mouse and by keyboard as the WAI-ARIA date-picker dialog has it. Shown once the page is
//! hydrated: without JavaScript the native date inputs below it do the work.

use chrono::{Datelike, Days, Months, NaiveDate};
use leptos::ev::KeyboardEvent;
use leptos::prelude::*;

use crate::browser;
use crate::context::Hydrated;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const WEEKDAYS: [(&str, &str); 7] = [
    ("Mo", "Monday"),
    ("Tu", "Tuesday"),
    ("We", "Wednesday"),
    ("Th", "Thursday"),
    ("Fr", "Friday"),
    ("Sa", "Saturday"),
    ("Su", "Sunday"),
];

/// The days that can be chosen, both included.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Today − 89: the first day that is kept.
    pub earliest: NaiveDate,
    /// The last day that has come.
    pub today: NaiveDate,
}

impl Bounds {
    fn contain(self, day: NaiveDate) -> bool {
        (self.earliest..=self.today).contains(&day)
    }

    fn nearest(self, day: NaiveDate) -> NaiveDate {
        day.clamp(self.earliest, self.today)
    }
}

/// The chosen days, shared with the typed dates.
#[derive(Debug, Clone, Copy)]
pub struct Chosen {
    /// First day.
    pub first: RwSignal<NaiveDate>,
    /// Last day, included.
    pub last: RwSignal<NaiveDate>,
    /// Whether the next click chooses the last day.
    half: RwSignal<bool>,
}

impl Chosen {
    /// A range that was chosen before.
    #[must_use]
    pub fn new(first: NaiveDate, last: NaiveDate) -> Self {
        Self { first: RwSignal::new(first), last: RwSignal::new(last), half: RwSignal::new(false) }
    }

    /// The first click begins a range of one day, the second ends it, in whatever order.
    fn choose(self, day: NaiveDate) {
        if self.half.get_untracked() {
            let (one, other) = (self.first.get_untracked(), day);
            self.first.set(one.min(other));
            self.last.set(one.max(other));
        } else {
            self.first.set(day);
            self.last.set(day);
        }
        self.half.update(|half| *half = !*half);
    }
}

/// Two months; the later one holds the last chosen day at first.
#[component]
#[must_use]
pub fn Calendar(
    /// The chosen days.
    chosen: Chosen,
    /// The days that can be chosen.
    bounds: Bounds,
) -> impl IntoView {
    let shown = Shown::around(bounds.nearest(chosen.last.get_untracked()));
    let keys = move |event: KeyboardEvent| {
        let pressed_on = browser::attribute(&event, "data-day").and_then(|day| parse_day(&day));
        let Some(day) = pressed_on.and_then(|day| moved(day, &event.key())) else { return };
        event.prevent_default();
        let day = bounds.nearest(day);
        shown.reach(day);
        browser::focus(&format!(".calendar [data-day='{}']", iso(day)));
    };
    let months = move || {
        let first = shown.left.get();
        let grid = Grid { chosen: (chosen.first.get(), chosen.last.get()), reached: shown.reached.get(), bounds };
        let months = [first, month_after(first)].map(|month| {
            month_view(month, grid, move |day| {
                shown.reach(day);
                chosen.choose(day);
            })
        });
        months.collect_view()
    };
    let calendar = move || {
        view! {
            <div class="calendar">
                {turn("Earlier month", "‹", shown, bounds, month_before)}
                {turn("Later month", "›", shown, bounds, month_after)}
                <div class="months" on:keydown=keys>{months}</div>
                <p class="spoken" aria-live="polite">{move || spoken_choice(chosen)}</p>
            </div>
        }
    };
    move || Hydrated::get().then(calendar)
}

/// Where a key leads to from a day.
fn moved(day: NaiveDate, key: &str) -> Option<NaiveDate> {
    let in_week = u64::from(day.weekday().num_days_from_monday());
    match key {
        "ArrowLeft" => day.checked_sub_days(Days::new(1)),
        "ArrowRight" => day.checked_add_days(Days::new(1)),
        "ArrowUp" => day.checked_sub_days(Days::new(7)),
        "ArrowDown" => day.checked_add_days(Days::new(7)),
        "Home" => day.checked_sub_days(Days::new(in_week)),
        "End" => day.checked_add_days(Days::new(6 - in_week)),
        "PageUp" => day.checked_sub_months(Months::new(1)),
        "PageDown" => day.checked_add_months(Months::new(1)),
        _ => None,
    }
}

/// The two months that are shown, and the one day in them that the Tab key reaches: it goes along when a page is turned.
#[derive(Clone, Copy)]
struct Shown {
    left: RwSignal<NaiveDate>,
    reached: RwSignal<NaiveDate>,
}

impl Shown {
    /// With `day` on the right.
    fn around(day: NaiveDate) -> Self {
        Self { left: RwSignal::new(month_before(first_of_month(day))), reached: RwSignal::new(day) }
    }

    /// Goes to a day, and turns the pages only if it is on neither.
    fn reach(self, day: NaiveDate) {
        let (month, left) = (first_of_month(day), self.left.get_untracked());
        self.reached.set(day);
        if month < left {
            self.left.set(month);
        } else if month > month_after(left) {
            self.left.set(month_before(month));
        }
    }

    /// Turns one page; the day keeps its place on it as far as the bounds allow.
    fn turn(self, bounds: Bounds, step: fn(NaiveDate) -> NaiveDate) {
        self.left.update(|month| *month = step(*month));
        self.reach(bounds.nearest(step(self.reached.get_untracked())));
    }
}

/// A button that turns one page, while there is a month in that direction to choose from.
fn turn(
    label: &'static str,
    sign: &'static str,
    shown: Shown,
    bounds: Bounds,
    step: fn(NaiveDate) -> NaiveDate,
) -> impl IntoView {
    let months = first_of_month(bounds.earliest)..=first_of_month(bounds.today);
    let ends = move || !months.contains(&step(first_of_month(shown.reached.get())));
    view! {
        <button
            type="button" class="button button-quiet turn" aria-label=label disabled=ends
            on:click=move |_| shown.turn(bounds, step)
        >
            {sign}
        </button>
    }
}

/// What a month's days are drawn from.
#[derive(Clone, Copy)]
struct Grid {
    chosen: (NaiveDate, NaiveDate),
    reached: NaiveDate,
    bounds: Bounds,
}

fn month_view(month: NaiveDate, grid: Grid, choose: impl Fn(NaiveDate) + Copy + 'static) -> AnyView {
    let heading = format!("{} {}", MONTHS[month.month0() as usize], month.year());
    let head = WEEKDAYS.map(|(short, long)| view! { <th scope="col" abbr=long>{short}</th> }).collect_view();
    let weeks = weeks(month).into_iter().map(|week| {
        let days = week.map(|day| match day {
            Some(day) => day_view(day, grid, choose),
            None => view! { <td></td> }.into_any(),
        });
        view! { <tr>{days.collect_view()}</tr> }
    });
    let label = heading.clone();
    view! {
        <table class="month" role="grid" aria-label=label>
            <caption>{heading}</caption>
            <thead><tr>{head}</tr></thead>
            <tbody>{weeks.collect_view()}</tbody>
        </table>
    }
    .into_any()
}

/// The weeks of a month from Monday to Sunday; nothing where a day belongs to another month. Always six, so that nothing
/// moves when a page is turned.
fn weeks(month: NaiveDate) -> Vec<[Option<NaiveDate>; 7]> {
    let before = i64::from(month.weekday().num_days_from_monday());
    let day = |cell: i64| {
        let number = u32::try_from(cell - before + 1).ok().filter(|number| *number > 0)?;
        month.with_day(number)
    };
    (0..6).map(|week| std::array::from_fn(|column| day(week * 7 + i64::try_from(column).unwrap_or(0)))).collect()
}

fn day_view(day: NaiveDate, grid: Grid, choose: impl Fn(NaiveDate) + 'static) -> AnyView {
    let (first, last) = grid.chosen;
    let open = grid.bounds.contain(day);
    let is_end = day == first || day == last;
    let inside = (first..=last).contains(&day);
    let class = if is_end {
        "day day-end"
    } else if inside {
        "day day-inside"
    } else {
        "day"
    };
    let why = if day < grid.bounds.earliest {
        ", no longer kept"
    } else if open {
        ""
    } else {
        ", not yet come"
    };
    let is_today = (day == grid.bounds.today).then_some("date");
    view! {
        <td role="gridcell" aria-selected=inside.to_string()>
            <button
                type="button" class=class data-day=iso(day) tabindex=if day == grid.reached { "0" } else { "-1" }
                aria-label=format!("{}{why}", printed(day)) aria-disabled=(!open).then_some("true") aria-current=is_today
                on:click=move |_| if open { choose(day) }
            >
                {day.day()}
            </button>
        </td>
    }
    .into_any()
}

fn spoken_choice(chosen: Chosen) -> String {
    if chosen.half.get() {
        return format!("From {}. Choose the last day.", printed(chosen.first.get()));
    }
    format!("{} to {}.", printed(chosen.first.get()), printed(chosen.last.get()))
}

fn first_of_month(day: NaiveDate) -> NaiveDate {
    day.with_day(1).unwrap_or(day)
}

fn month_before(month: NaiveDate) -> NaiveDate {
    month.checked_sub_months(Months::new(1)).unwrap_or(month)
}

fn month_after(month: NaiveDate) -> NaiveDate {
    month.checked_add_months(Months::new(1)).unwrap_or(month)
}

/// `22 November 2026`.
#[must_use]
pub fn printed(day: NaiveDate) -> String {
    format!("{} {} {}", day.day(), MONTHS[day.month0() as usize], day.year())
}

/// `2026-11-22`; chrono's own formatting would add its machinery to the WebAssembly.
#[must_use]
pub fn iso(day: NaiveDate) -> String {
    format!("{:04}-{:02}-{:02}", day.year(), day.month(), day.day())
}

/// Reads `2026-11-22`.
#[must_use]
pub fn parse_day(text: &str) -> Option<NaiveDate> {
    let mut parts = text.splitn(3, '-');
    let (year, month, day) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    NaiveDate::from_ymd_opt(year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        parse_day(text).unwrap()
    }

    #[test]
    fn reads_and_writes_days() {
        assert_eq!(iso(day("2026-02-01")), "2026-02-01");
        assert_eq!(printed(day("2026-11-22")), "22 November 2026");
        for text in ["2026-02-30", "2026-13-01", "22.11.2026", "", "2026-11"] {
            assert_eq!(parse_day(text), None, "{text}");
        }
    }

    #[test]
    fn keys_move_as_in_a_date_picker() {
        let sunday = day("2026-11-22");
        let reached = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "PageUp", "PageDown"]
            .map(|key| iso(moved(sunday, key).unwrap()));
        let expected = [
            "2026-11-21",
            "2026-11-23",
            "2026-11-15",
            "2026-11-29",
            "2026-11-16",
            "2026-11-22",
            "2026-10-22",
            "2026-12-22",
        ];
        assert_eq!(reached, expected);
        assert_eq!(moved(sunday, "a"), None);
        assert_eq!(moved(day("2026-03-31"), "PageUp"), Some(day("2026-02-28")));
    }

    #[test]
    fn the_day_to_tab_to_is_always_shown() {
        let bounds = Bounds { earliest: day("2026-08-25"), today: day("2026-11-22") };
        let owner = Owner::new();
        owner.set();
        for start in ["2026-11-22", "2026-10-31", "2026-08-25"] {
            let shown = Shown::around(day(start));
            for step in [month_before, month_before, month_before, month_before, month_after, month_after, month_after]
            {
                shown.turn(bounds, step);
                let (left, reached) = (shown.left.get_untracked(), shown.reached.get_untracked());
                assert!([left, month_after(left)].contains(&first_of_month(reached)), "{start}: {left} {reached}");
                assert!(bounds.contain(reached), "{start}: {reached}");
            }
        }
    }

    #[test]
    fn a_month_has_its_days_once_and_in_order() {
        for month in ["2026-02-01", "2026-11-01", "2024-02-01", "2026-08-01"] {
            let weeks = weeks(day(month));
            let days: Vec<_> = weeks.iter().flatten().flatten().map(Datelike::day).collect();
            let length = (28..=31).rev().find(|number| day(month).with_day(*number).is_some()).unwrap();
            assert_eq!(days, (1..=length).collect::<Vec<_>>(), "{month}");
            assert_eq!(weeks.len(), 6);
        }
        let first_monday = weeks(day("2026-11-01"))[1][0];
        assert_eq!(first_monday, Some(day("2026-11-02")));
    }
}
