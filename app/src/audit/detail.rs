//! One event in full: what changed field by field, then the facts with the ids last, and the JSON as it is kept.

use leptos::prelude::*;

use orgtrail::audit::view::{EventDetail, FieldDiff};
use orgtrail::number::grouped;

use super::links::Query;
use super::page::Here;
use crate::browser;
use crate::ui::time::Time;

/// From so many characters on a value gets a box of its own that scrolls.
const LONG_VALUE: usize = 400;

/// The detail below the row of its event.
#[component]
#[must_use]
pub fn Detail(
    /// The page's address.
    here: Here,
    /// The event.
    detail: EventDetail,
) -> impl IntoView {
    let links = links(&here, &detail);
    let facts = facts(&detail);
    let EventDetail { row, changed, unchanged, previous, next, .. } = detail;
    view! {
        <div class="detail" id=format!("detail-{}", row.id)>
            {changes(changed, unchanged)}
            {facts}
            {raw(previous, next)}
            {links}
        </div>
    }
    .into_any()
}

fn facts(detail: &EventDetail) -> impl IntoView + use<> {
    let EventDetail { row, recorded_at, object_type, object_id, object_name, request_id, user_agent, facts, .. } =
        detail.clone();
    let object = [Some(object_type), object_name]
        .into_iter()
        .flatten()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" · ");
    let more = facts.into_iter().map(|(name, value)| fact(name, value.into_any())).collect_view();
    let optional = |name: &str, value: Option<String>| value.map(|value| fact(name.to_owned(), value.into_any()));
    view! {
        <dl class="facts">
            {fact("Object".to_owned(), object.into_any())}
            {fact("Kind".to_owned(), row.kind.into_any())}
            {fact("Outcome".to_owned(), row.outcome.into_any())}
            {fact("Recorded".to_owned(), view! { <Time moment=recorded_at/> }.into_any())}
            {more}
            {optional("Address", row.ip)}
            {optional("Client", user_agent)}
            {fact("Index".to_owned(), grouped(row.index).into_any())}
            {fact("Event".to_owned(), row.id.into_any())}
            {optional("Object id", object_id)}
            {optional("Request", request_id)}
        </dl>
    }
}

fn fact(name: String, value: AnyView) -> AnyView {
    view! { <div><dt>{name}</dt><dd>{value}</dd></div> }.into_any()
}

/// The fields that changed, and the others folded away.
fn changes(changed: Vec<FieldDiff>, unchanged: Vec<FieldDiff>) -> AnyView {
    let number = unchanged.len();
    let noun = if number == 1 { "field" } else { "fields" };
    let same = (number > 0).then(|| {
        view! { <details class="fold"><summary>{number} " unchanged " {noun}</summary>{fields(unchanged, "Unchanged fields")}</details> }
    });
    let different = (!changed.is_empty()).then(|| fields(changed, "Changed fields"));
    view! { {different} {same} }.into_any()
}

fn fields(fields: Vec<FieldDiff>, caption: &'static str) -> AnyView {
    let rows = fields.into_iter().map(|FieldDiff { path, before, after }| {
        let differs = before != after;
        let was = (differs && before.is_some()).then_some("was");
        let is = (differs && after.is_some()).then_some("is");
        view! { <tr><th scope="row">{path}</th><td class=was>{value(before)}</td><td class=is>{value(after)}</td></tr> }
    });
    let rows = rows.collect_view();
    view! {
        <table class="diff">
            <caption class="spoken">{caption}</caption>
            <thead><tr><th scope="col">"Field"</th><th scope="col">"Before"</th><th scope="col">"After"</th></tr></thead>
            <tbody>{rows}</tbody>
        </table>
    }
    .into_any()
}

fn value(json: Option<String>) -> AnyView {
    match json {
        None => view! { <span class="quiet" title="The field is not there">"–"</span> }.into_any(),
        Some(json) if json.len() > LONG_VALUE => {
            view! { <div class="long" tabindex="0" role="group" aria-label="Long value">{json}</div> }.into_any()
        }
        Some(json) => json.into_any(),
    }
}

fn raw(previous: Option<String>, next: Option<String>) -> Option<AnyView> {
    let part = |name: &'static str, json: Option<String>| {
        json.map(|json| {
            view! { <div><h2 class="panel-heading">{name}</h2><pre tabindex="0" aria-label=name>{json}</pre></div> }
                .into_any()
        })
    };
    if previous.is_none() && next.is_none() {
        return None;
    }
    let parts = view! { {part("Previous", previous)} {part("Next", next)} };
    Some(
        view! { <details class="fold"><summary>"Raw JSON"</summary><div class="raw">{parts}</div></details> }
            .into_any(),
    )
}

fn links(here: &Here, detail: &EventDetail) -> impl IntoView + use<> {
    let permalink = Query::default().open(&detail.row.id).on(&here.path);
    let filtered = |name: &str, value: &Option<String>| {
        value.as_ref().map(|value| here.with(&here.query.unfiltered().filter("kind", "all").filter(name, value)))
    };
    let link = |href: String, label: &'static str| view! { <a class="button" href=href>{label}</a> };
    let actor = filtered("actor", &detail.row.actor.filter).map(|href| link(href, "Everything this actor did"));
    let object = filtered("object", &detail.object_filter).map(|href| link(href, "History of this object"));
    view! { <p class="detail-links"><CopyLink href=permalink/> {actor} {object}</p> }
}

/// The event's own address: a link, which JavaScript copies instead of following.
#[component]
fn CopyLink(href: String) -> impl IntoView {
    let copied = RwSignal::new(false);
    let target = href.clone();
    let copy = move |event: leptos::ev::MouseEvent| {
        event.prevent_default();
        browser::copy_link(&target);
        copied.set(true);
    };
    view! {
        <a class="button" href=href on:click=copy><span aria-live="polite">{move || if copied.get() { "Link copied" } else { "Copy link" }}</span></a>
    }
}
