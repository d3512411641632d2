//! Settings → General: name, slug and id.

use leptos::prelude::*;
use leptos_meta::Title;

use orgtrail::identity::view::Flash;
use orgtrail::organization::view::OrganizationView;

use super::members::leaving;
use super::new::SLUG_HINT;
use crate::context::{current_flash, current_organization};
use crate::ui::answered::answered;
use crate::ui::field::{Field, FormState};
use crate::ui::notice::{Done, Problem};
use crate::ui::refused::Refused;
use crate::ui::row::hidden;

const ACTION: &str = "/api/update_organization";

/// Owners and admins rename; only owners change the slug; members read.
#[component]
#[must_use]
pub fn GeneralPage() -> impl IntoView {
    let organization = current_organization().0;
    let flash = current_flash();
    answered(move || async move {
        let flash = flash.read().await;
        match organization.read().await {
            Ok(organization) => general(organization, flash).into_any(),
            Err(refusal) => view! { <Refused refusal=refusal/> }.into_any(),
        }
    })
}

fn general(organization: OrganizationView, flash: Flash) -> impl IntoView {
    let form = FormState::new(ACTION, flash);
    let (id, created) = (organization.id.clone(), organization.created.clone());
    let title = format!("General · {}", organization.name);
    let leave = organization.viewer_id.as_ref().map(|viewer| leave(viewer, &organization));
    view! {
        <Title text=title/>
        <header class="page-head"><div><h1>"General"</h1><p>"The name and the address of the organization."</p></div></header>
        <Done message=form.notice()/>
        <Problem message=form.error_elsewhere(&["name", "slug"])/>
        {editor(organization, form)}
        <dl class="facts facts-boxed">
            <div><dt>"Id"</dt><dd><code>{id}</code></dd></div>
            <div><dt>"Created"</dt><dd>{created}</dd></div>
        </dl>
        {leave}
    }
}

fn leave(viewer: &str, organization: &OrganizationView) -> AnyView {
    view! {
        <section aria-labelledby="leave-heading">
            <h2 id="leave-heading">"Leave this organization"</h2>
            <p class="quiet">"An organization keeps at least one owner: the last one makes somebody else an owner first."</p>
            {leaving(viewer, &organization.name, &organization.slug)}
        </section>
    }
    .into_any()
}

fn editor(organization: OrganizationView, form: FormState) -> AnyView {
    let OrganizationView { slug, name, viewer_role, .. } = organization;
    let hint = match viewer_role.as_str() {
        "owner" => format!("{SLUG_HINT} Links to the old one keep working."),
        "admin" => "Only an owner can change the slug.".to_owned(),
        _ => return facts(name, slug).into_any(),
    };
    view! {
        <form method="post" action=ACTION class="form form-narrow">
            {hidden(&[("organization", &slug), ("shown", &name)])}
            <Field form=form.clone() name="name" label="Name" value=name max_length=100/>
            <Field form=form name="slug" label="Slug" value=slug max_length=39 hint=hint readonly={viewer_role != "owner"}/>
            <button class="button button-primary" type="submit">"Save changes"</button>
        </form>
    }
    .into_any()
}

fn facts(name: String, slug: String) -> impl IntoView {
    view! {
        <dl class="facts facts-boxed">
            <div><dt>"Name"</dt><dd>{name}</dd></div>
            <div><dt>"Slug"</dt><dd><code>{slug}</code></dd></div>
        </dl>
        <p class="quiet">"An owner or admin can rename the organization."</p>
    }
}
