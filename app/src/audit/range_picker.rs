//! From when to when: presets, a calendar, typed dates and the zone, in one panel.

use chrono::NaiveDate;
use leptos::prelude::*;

use orgtrail::audit::range::{MAX_DAYS, Preset};
use orgtrail::audit::view::RangeView;

use super::calendar::{Bounds, Calendar, Chosen, iso, parse_day, printed};
use super::filters::submit_to;
use super::page::Here;
use crate::browser;
use crate::ui::icon::Icon;

/// Zones that the picker offers besides UTC and the browser's own; the URL takes any IANA name.
const ZONES: [&str; 14] = [
    "America/Los_Angeles",
    "America/Denver",
    "America/Chicago",
    "America/New_York",
    "America/Sao_Paulo",
    "Europe/London",
    "Europe/Berlin",
    "Europe/Kyiv",
    "Africa/Johannesburg",
    "Asia/Dubai",
    "Asia/Kolkata",
    "Asia/Singapore",
    "Asia/Tokyo",
    "Australia/Sydney",
];

/// The button that says what is shown, and the panel in which it is chosen.
#[component]
#[must_use]
pub fn RangePicker(
    /// The page's address.
    here: Here,
    /// The range that is shown.
    range: RangeView,
) -> impl IntoView {
    let name = range.preset.as_deref().and_then(preset).map(Preset::label);
    let label = range.label.clone();
    let presets = Preset::ALL.map(|preset| preset_link(&here, &range, preset)).collect_view();
    view! {
        <details class="menu range-menu" name="audit" on:toggle=|_| browser::focus(".range-menu[open] [role=grid] [tabindex='0']")>
            <summary class="button">
                {Icon::Calendar.draw()}
                <span class="range-label">{name.map(|name| view! { <span class="range-name">{name} " · "</span> })}{label}</span>
                <span class="quiet">{range.zone.clone()}</span>
                {Icon::Down.draw()}
            </summary>
            <div class="panel range-panel" role="dialog" aria-label="Choose a range">
                <ul class="presets" aria-label="Presets">{presets}</ul>
                <DatesForm here=here range=range/>
            </div>
        </details>
    }
}

fn preset(word: &str) -> Option<Preset> {
    Preset::ALL.into_iter().find(|preset| preset.as_str() == word)
}

fn preset_link(here: &Here, range: &RangeView, preset: Preset) -> impl IntoView + use<> {
    let present = range.preset.as_deref() == Some(preset.as_str());
    let href = here.with(&here.query.preset(preset.as_str()));
    view! {
        <li><a class="choice" href=href data-noscroll="true" aria-current=present.then_some("true") on:click=|_| browser::close_menus(None)>{preset.label()}</a></li>
    }
}

/// Typed dates and the zone; with JavaScript also the calendar, which writes into the same fields.
#[component]
fn DatesForm(here: Here, range: RangeView) -> impl IntoView {
    let submit = submit_to(here.path.clone());
    let kept = here.query.all_but(&["range", "start", "end", "tz"]);
    let kept =
        kept.map(|(name, value)| view! { <input type="hidden" name=name.clone() value=value.clone()/> }).collect_view();
    let RangeView { first_day, last_day, earliest_day, today, zone, .. } = range;
    let calendar = days(&first_day, &last_day, &earliest_day, &today);
    let note = limit_note(&earliest_day, &today);
    let chosen = calendar.map(|(chosen, _)| chosen);
    let (earliest, latest) = (earliest_day.clone(), today.clone());
    view! {
        <form method="get" action=here.path class="dates" on:submit=submit>
            {kept}
            {calendar.map(|(chosen, bounds)| view! { <Calendar chosen=chosen bounds=bounds/> })}
            <div class="dates-row">
                {date_field("start", "First day", first_day, earliest_day, today, chosen.map(|chosen| chosen.first))}
                {date_field("end", "Last day", last_day, earliest, latest, chosen.map(|chosen| chosen.last))}
                <ZoneField zone=zone/>
                <button class="button button-primary" type="submit">"Show"</button>
            </div>
            <p class="hint" id="range-hint">{note}</p>
        </form>
    }
}

/// The days as dates; none of them if one cannot be read, and then there is no calendar but still the form.
fn days(first: &str, last: &str, earliest: &str, today: &str) -> Option<(Chosen, Bounds)> {
    let bounds = Bounds { earliest: parse_day(earliest)?, today: parse_day(today)? };
    Some((Chosen::new(parse_day(first)?, parse_day(last)?), bounds))
}

/// The 90-day rule in words.
fn limit_note(earliest: &str, today: &str) -> String {
    let rule = format!("Events are kept for {MAX_DAYS} days");
    match (parse_day(earliest), parse_day(today)) {
        (Some(earliest), Some(today)) => {
            format!(
                "{rule}: days before {} are gone, and days after {} have not come yet.",
                printed(earliest),
                printed(today)
            )
        }
        _ => format!("{rule}."),
    }
}

fn date_field(
    name: &'static str,
    label: &'static str,
    value: String,
    earliest: String,
    today: String,
    day: Option<RwSignal<NaiveDate>>,
) -> impl IntoView {
    let shown = value.clone();
    let typed = move |event| {
        if let (Some(day), Some(read)) = (day, parse_day(&browser::typed(&event))) {
            day.set(read);
        }
    };
    view! {
        <div class="field">
            <label for=format!("range-{name}")>{label}</label>
            <input
                id=format!("range-{name}") type="date" name=name required min=earliest max=today value=value
                prop:value=move || day.map_or_else(|| shown.clone(), |day| iso(day.get()))
                aria-describedby="range-hint" on:change=typed
            />
        </div>
    }
}

/// UTC, a few others, and the browser's own as soon as it can be asked.
#[component]
fn ZoneField(zone: String) -> impl IntoView {
    let own = RwSignal::new(None::<String>);
    Effect::new(move |_| own.set(browser::time_zone()));
    let chosen = zone.clone();
    let extra = move || {
        let own = own.get().filter(|own| own != "UTC" && *own != chosen && !ZONES.contains(&own.as_str()))?;
        Some(view! { <option value=own.clone()>{format!("{own} (yours)")}</option> })
    };
    let named = (!ZONES.contains(&zone.as_str()) && zone != "UTC").then(|| option(zone.clone(), true));
    let options = ZONES.map(|name| option(name.to_owned(), name == zone)).collect_view();
    view! {
        <div class="field">
            <label for="range-tz">"Zone"</label>
            <select id="range-tz" name="tz">
                {option("UTC".to_owned(), zone == "UTC")}
                {named}
                {extra}
                {options}
            </select>
        </div>
    }
}

fn option(name: String, selected: bool) -> impl IntoView {
    view! { <option value=name.clone() selected=selected>{name.replace('_', " ")}</option> }
}
