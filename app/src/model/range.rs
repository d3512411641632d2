//! From when to when the records of a model are shown and exported: named ranges and typed days.

use leptos::prelude::*;

use orgtrail::audit::range::Preset;
use orgtrail::audit::view::RangeView;

use crate::audit::links::Query;
use crate::ui::row::hidden;

/// The named ranges as links, and the days as a form; the zone of the address stays.
pub(super) fn range_choice(path: &str, query: &Query, range: &RangeView) -> AnyView {
    let links = Preset::ALL.map(|preset| {
        let present = range.preset.as_deref() == Some(preset.as_str());
        let href = query.preset(preset.as_str()).on(path);
        view! { <a class="button" href=href aria-current=present.then_some("true")>{preset.label()}</a> }.into_any()
    });
    let RangeView { first_day, last_day, earliest_day, today, zone, .. } = range.clone();
    let day = |name: &'static str, label: &'static str, value: String| {
        let (id, earliest, today) = (format!("range-{name}"), earliest_day.clone(), today.clone());
        view! {
            <div class="field">
                <label for=id.clone()>{label}</label>
                <input id=id type="date" name=name required min=earliest max=today value=value/>
            </div>
        }
        .into_any()
    };
    view! {
        <nav class="graph-ways" aria-label="Range">{links.collect_view()}</nav>
        <form method="get" action=path.to_owned() class="inline-form model-days">
            {(zone != "UTC").then(|| hidden(&[("tz", &zone)]))}
            {day("start", "First day", first_day)}
            {day("end", "Last day", last_day)}
            <button class="button" type="submit">"Show"</button>
        </form>
    }
    .into_any()
}
