//! The table: one row per event, the open one with its detail below. A grid that becomes cards where it is narrow.

use leptos::prelude::*;

use orgtrail::audit::event::Kind;
use orgtrail::audit::view::{ActorView, EventRow, SentencePart};

use super::detail::Detail;
use super::page::{Here, OpenEvent};
use crate::browser;
use crate::ui::avatar::Avatar;
use crate::ui::time::{LocalTimes, Time};
use crate::wire::Refusal;

/// Heading of the times, until somebody asks for their own zone.
const TIME_UTC: &str = "Time (UTC)";

/// What the columns of a table are called that shows one kind alone; the last is the further one of that kind.
const KINDS: [(Kind, &str, &str); 3] = [
    (Kind::Login, "Attempt", "E-mail as typed"),
    (Kind::Operation, "Operation", "Name from the client"),
    (Kind::Export, "Export", "Rows"),
];

/// The events of one page, newest first. Roles are written out, because a grid layout takes them from a table.
#[component]
#[must_use]
pub fn EventTable(
    /// The page's address.
    here: Here,
    /// The kinds that it shows.
    kinds: Vec<String>,
    /// At least one event.
    events: Vec<EventRow>,
    /// The event that is open.
    open: OpenEvent,
) -> impl IntoView {
    let alone = KINDS.into_iter().find(|(kind, ..)| kinds == [kind.as_str()]);
    let (event, extra) = alone.map_or(("Event", None), |(_, event, extra)| (event, Some(extra)));
    let rows = events.into_iter().map(|row| entry(&here, row, &open, extra)).collect_view();
    view! {
        <div class="log" class:log-of-kind=extra.is_some() role="table" aria-label="Events, newest first">
            <div class="log-head" role="rowgroup">
                <div class="row row-head" role="row">
                    <span role="columnheader"><ZoneSwitch/></span>
                    <span role="columnheader">"Actor"</span>
                    <span role="columnheader">{event}</span>
                    {extra.map(|extra| view! { <span role="columnheader">{extra}</span> })}
                    <span role="columnheader">"Address"</span>
                </div>
            </div>
            <div role="rowgroup">{rows}</div>
        </div>
    }
}

/// The heading of the times; once hydrated a button that shows them in the reader's own zone and back.
#[component]
fn ZoneSwitch() -> impl IntoView {
    let zone = RwSignal::new(None::<String>);
    Effect::new(move |_| zone.set(browser::time_zone()));
    let local = use_context::<LocalTimes>().map(|times| times.0);
    move || {
        match (zone.get(), local) {
        (Some(zone), Some(local)) => view! {
            <button type="button" class="zone-switch" title="Switch between UTC and your own zone" on:click=move |_| local.update(|on| *on = !*on)>
                {move || if local.get() { format!("Time ({zone})") } else { TIME_UTC.to_owned() }}
            </button>
        }
        .into_any(),
        _ => TIME_UTC.into_any(),
    }
    }
}

/// A row, and its detail if it is open; with its further column where that has a name.
fn entry(here: &Here, row: EventRow, open: &OpenEvent, extra: Option<&'static str>) -> impl IntoView + use<> {
    let detail = open.as_ref().ok().and_then(Option::as_ref).filter(|detail| detail.row.id == row.id).cloned();
    let is_open = detail.is_some();
    let toggle = if is_open { here.query.list() } else { here.query.open(&row.id) };
    let class = if is_open { "row row-open" } else { "row" };
    let columns = if extra.is_some() { "5" } else { "4" };
    let (here, href, id) = (here.clone(), here.with(&toggle), format!("event-{}", row.id));
    view! {
        <div class=class role="row" id=id>
            {cells(row, href, is_open, extra)}
        </div>
        {detail.map(|detail| view! {
            <div class="detail-row" role="row"><div role="cell" aria-colspan=columns><Detail here=here detail=detail/></div></div>
        })}
    }
}

fn cells(row: EventRow, href: String, is_open: bool, extra: Option<&'static str>) -> impl IntoView {
    let EventRow { action, occurred_at, actor, sentence, outcome, ip, extra: value, .. } = row;
    let further = extra.map(|name| view! { <div class="cell-extra" role="cell" data-name=name>{value}</div> });
    let relative = occurred_at.relative.clone();
    view! {
        <div class="cell-time" role="cell"><Time moment=occurred_at/><small>{relative}</small></div>
        <div role="cell">{who(actor)}</div>
        <div class="cell-event" role="cell">
            <a class="event-link" href=href data-noscroll="true" aria-expanded=is_open.to_string()>{sentence_view(sentence)}</a>
            <div class="event-line"><code>{action}</code>{outcome_badge(&outcome)}</div>
        </div>
        {further}
        <div class="cell-address" role="cell">{ip}</div>
    }
}

/// An actor with avatar and second line.
fn who(actor: ActorView) -> impl IntoView {
    let ActorView { name, note, is_token, initials, .. } = actor;
    view! { <span class="who"><Avatar initials=initials is_token=is_token/><span class="who-text">{name}<small>{note}</small></span></span> }
}

fn sentence_view(parts: Vec<SentencePart>) -> impl IntoView {
    let part =
        |SentencePart { text, strong }| if strong { view! { <b>{text}</b> }.into_any() } else { text.into_any() };
    parts.into_iter().map(part).collect_view()
}

/// Said only where it did not simply succeed.
fn outcome_badge(outcome: &str) -> Option<impl IntoView + use<>> {
    let class = match outcome {
        "success" => return None,
        "failure" | "denied" => "badge badge-bad",
        _ => "badge badge-warn",
    };
    Some(view! { <span class=class>{outcome.to_owned()}</span> })
}

/// The event of a link, above the table when it is not on this page of it.
#[component]
#[must_use]
pub fn LinkedEvent(
    /// The page's address.
    here: Here,
    /// The events of the table.
    events: Vec<EventRow>,
    /// The event that is open.
    open: OpenEvent,
) -> impl IntoView {
    let content = match open {
        Ok(None) => return None,
        Ok(Some(detail)) if events.iter().any(|event| event.id == detail.row.id) => return None,
        Ok(Some(detail)) => entry(&here, detail.row.clone(), &Ok(Some(detail)), None).into_any(),
        Err(refusal) => linked_refused(refusal),
    };
    let close = here.with(&here.query.list());
    Some(view! {
        <section class="linked" aria-labelledby="linked-heading">
            <div class="linked-head">
                <h2 id="linked-heading">"Linked event"</h2>
                <a class="button button-quiet" href=close data-noscroll="true">"Close"</a>
            </div>
            <div class="log" role="table" aria-label="Linked event">{content}</div>
        </section>
    })
}

/// The list is shown all the same, but the answer to the address is the refusal's.
fn linked_refused(refusal: Refusal) -> AnyView {
    #[cfg(feature = "ssr")]
    crate::context::set_status(refusal.status);
    view! { <p class="linked-refused">{refusal.message}</p> }.into_any()
}
