//! One model: its records of a range, adding some, taking them out.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_location;

use orgtrail::identity::view::Flash;
use orgtrail::model::view::{ModelView, RecordRow};
use orgtrail::number::counted;

use super::adding::{ADD, adder};
use super::range::range_choice;
use super::server_fns::model_view;
use crate::answer::Answer;
use crate::audit::links::Query;
use crate::context::{current_flash, current_organization};
use crate::routes::{use_segment, use_slug};
use crate::ui::answered::answered;
use crate::ui::confirm::confirmed;
use crate::ui::notice::left_by;
use crate::ui::refused::Refused;
use crate::ui::time::Time;

const DELETE: &str = "/api/delete_model";

/// Where the exports of models are; organization and model come behind it.
const EXPORT: &str = "/api/export_model";

/// One model, by its name in the path; range and page are in the URL.
#[component]
#[must_use]
pub fn ModelPage() -> impl IntoView {
    let (slug, model, search) = (use_slug(), use_segment("model"), use_location().search);
    let found = Answer::to(
        move || format!("{}/{}?{}", slug.read(), model.read(), search.read()),
        move || model_view(slug.get_untracked(), model.get_untracked(), search.get_untracked()),
    );
    let (organization, flash) = (current_organization().0, current_flash());
    answered(move || async move {
        let (flash, name) = (flash.read().await, organization.read().await.map(|found| found.name).unwrap_or_default());
        let query = Query::parse(&search.get_untracked());
        match found.read().await {
            Ok(model) => page(&model, &query, &name, &slug.get_untracked(), &flash),
            Err(refusal) => view! { <Refused refusal=refusal/> }.into_any(),
        }
    })
}

fn page(model: &ModelView, query: &Query, organization: &str, slug: &str, flash: &Flash) -> AnyView {
    let path = format!("/{slug}/models/{}", model.name);
    let description = model.description.clone();
    view! {
        <Title text=format!("{} · Models · {organization}", model.name)/>
        <p class="quiet"><a href=format!("/{slug}/models")>"Models"</a></p>
        <header class="page-head">
            <div>
                <h1>{model.name.clone()} {model.demo.then(|| view! { <span class="badge">"demo"</span> })}</h1>
                <p>{counted(model.total, "record")} " · model of " {organization.to_owned()} " since " {model.created.utc.clone()} "."</p>
            </div>
            {model.rights.export.then(|| export_links(model, slug))}
        </header>
        {left_by(&["/api/create_model", ADD, DELETE], flash, &[])}
        {(!description.is_empty()).then(|| view! { <p class="graph-description">{description}</p> })}
        <section aria-labelledby="records-heading">
            <h2 id="records-heading">"Records, " {model.range.label.clone()} " " <span class="quiet">{model.range.zone.clone()}</span></h2>
            {range_choice(&path, query, &model.range)}
            {records(model)}
            {ways(model, query, &path)}
        </section>
        {model.rights.add.then(|| adder(model, slug, flash))}
        {model.rights.manage.then(|| deletion(model, slug))}
    }
    .into_any()
}

/// Plain links: the browser saves the file, or shows the page that says why not.
fn export_links(model: &ModelView, slug: &str) -> AnyView {
    let base = format!("{EXPORT}/{slug}/{}?{}", model.name, model.export_query);
    let ndjson = format!("{base}&format=ndjson");
    view! {
        <div class="graph-ways">
            <a class="button button-primary" rel="external" href=base>"Download CSV"</a>
            <a class="button" rel="external" href=ndjson>"Download NDJSON"</a>
        </div>
    }
    .into_any()
}

fn records(model: &ModelView) -> AnyView {
    if model.records.is_empty() {
        let told = if model.total == 0 { "No records yet." } else { "No records in this range." };
        let way =
            if model.total == 0 { "Programs send them, or they are added below." } else { "Choose another range." };
        return view! { <div class="empty"><p><strong>{told}</strong></p><p>{way}</p></div> }.into_any();
    }
    let rows: Vec<_> = model.records.iter().map(record).collect();
    view! { <ul class="list">{rows}</ul> }.into_any()
}

fn record(record: &RecordRow) -> AnyView {
    let RecordRow { number, time, content, is_cut } = record.clone();
    let more = is_cut.then(|| view! { <span class="quiet">" … the rest is in the export."</span> });
    view! {
        <li class="graph-row">
            <Time moment=time/>
            <span class="quiet">"Record " {number}</span>
            <p class="graph-line graph-fact"><code>{content}</code>{more}</p>
        </li>
    }
    .into_any()
}

/// To the pages beside this one.
fn ways(model: &ModelView, query: &Query, path: &str) -> AnyView {
    let newer = model.newer.as_ref().map(|cursor| query.newer(cursor).on(path));
    let older = model.older.as_ref().map(|cursor| query.older(cursor).on(path));
    if newer.is_none() && older.is_none() {
        return ().into_any();
    }
    view! {
        <p class="graph-ways">
            {newer.map(|href| view! { <a class="button" href=href rel="prev">"Newer records"</a> })}
            {older.map(|href| view! { <a class="button" href=href rel="next">"Older records"</a> })}
        </p>
    }
    .into_any()
}

fn deletion(model: &ModelView, slug: &str) -> AnyView {
    let question = format!(
        "Delete the model {} with all its records? What was exported stays on the trail; the records are gone.",
        model.name
    );
    let fields = [("organization", slug), ("model", model.name.as_str())];
    view! {
        <section aria-labelledby="delete-heading">
            <h2 id="delete-heading">"Delete this model"</h2>
            {confirmed(DELETE, &fields, "Delete", question, format!("Delete {}", model.name))}
        </section>
    }
    .into_any()
}
