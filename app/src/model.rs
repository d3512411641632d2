//! Models: the list of them, and making one; below it the page of one model.

use leptos::prelude::*;
use leptos_meta::Title;

use orgtrail::identity::view::Flash;
use orgtrail::model::view::{ModelRow, ModelsPage as Models};
use orgtrail::number::counted;

use crate::answer::Answer;
use crate::context::{current_flash, current_organization};
use crate::routes::use_slug;
use crate::ui::answered::answered;
use crate::ui::field::{Field, FormState, Lines, area};
use crate::ui::notice::left_by;
use crate::ui::refused::Refused;
use crate::ui::row::hidden;

pub mod adding;
pub mod forms;
pub mod one;
pub mod range;
pub mod server_fns;

use server_fns::models_page;

const CREATE: &str = "/api/create_model";

/// The models of the organization.
#[component]
#[must_use]
pub fn ModelsPage() -> impl IntoView {
    let slug = use_slug();
    let models = Answer::to(move || slug.get(), move || models_page(slug.get_untracked()));
    let (organization, flash) = (current_organization().0, current_flash());
    answered(move || async move {
        let (flash, name) = (flash.read().await, organization.read().await.map(|found| found.name).unwrap_or_default());
        match models.read().await {
            Ok(page) => list(page, &name, &slug.get_untracked(), &flash),
            Err(refusal) => view! { <Refused refusal=refusal/> }.into_any(),
        }
    })
}

fn list(page: Models, organization: &str, slug: &str, flash: &Flash) -> AnyView {
    let Models { models, manageable } = page;
    let path = format!("/{slug}/models");
    let total = i64::try_from(models.len()).unwrap_or_default();
    let empty = models.is_empty().then(|| nothing(manageable));
    let rows: Vec<_> = models.into_iter().map(|model| row(model, &path)).collect();
    view! {
        <Title text=format!("Models · {organization}")/>
        <header class="page-head">
            <div><h1>"Models"</h1><p>{counted(total, "model")} " in " {organization.to_owned()} "."</p></div>
        </header>
        {left_by(&[CREATE, "/api/delete_model"], flash, &["name", "description"])}
        {empty}
        <ul class="list">{rows}</ul>
        {manageable.then(|| creator(slug, flash))}
    }
    .into_any()
}

fn row(model: ModelRow, path: &str) -> AnyView {
    let ModelRow { name, description, demo, records, latest } = model;
    let href = format!("{path}/{name}");
    let latest = latest.map(|latest| format!(" · latest {}", latest.relative));
    view! {
        <li class="graph-row">
            <a href=href>{name}</a>
            {demo.then(|| view! { <span class="badge">"demo"</span> })}
            <span class="quiet">{counted(records, "record")} {latest}</span>
            {(!description.is_empty()).then(|| view! { <small class="graph-line graph-fact">{description}</small> })}
        </li>
    }
    .into_any()
}

fn nothing(manageable: bool) -> AnyView {
    let way = if manageable { "Create the first one below." } else { "An owner or admin can create one." };
    view! {
        <div class="empty">
            <p><strong>"No models yet."</strong></p>
            <p>"A model holds records: JSON with a time, sent by programs or uploaded, and exported by range. " {way}</p>
        </div>
    }
    .into_any()
}

fn creator(slug: &str, flash: &Flash) -> AnyView {
    let form = FormState::new(CREATE, flash.clone());
    let lines = Lines { shown: 3, max_length: 500, required: false };
    view! {
        <section aria-labelledby="create-heading">
            <h2 id="create-heading">"New model"</h2>
            <form method="post" action=CREATE class="form form-narrow">
                {hidden(&[("organization", slug)])}
                <Field
                    form=form.clone() name="name" label="Name" max_length=39
                    hint="2 to 39 characters of a-z, 0-9 and -. It stays: programs and exports name the model by it."
                />
                {area(&form, "description", "Description", "", "May be empty; at most 500 characters.", lines)}
                <button class="button button-primary" type="submit">"Create model"</button>
            </form>
        </section>
    }
    .into_any()
}
