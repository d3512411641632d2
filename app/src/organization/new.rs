//! `/organizations/new`.

use leptos::prelude::*;
use leptos_meta::Title;

use orgtrail::identity::view::Flash;

use crate::answer::Answer;
use crate::context::current_flash;
use crate::frame::PlainFrame;
use crate::identity::server_fns::viewer;
use crate::ui::answered::answered;
use crate::ui::field::{Field, FormState};
use crate::ui::notice::Problem;
use crate::ui::refused::Refused;

const ACTION: &str = "/api/create_organization";

/// Words for what a slug may be; the rule itself is `orgtrail::organization::slug`'s.
pub const SLUG_HINT: &str =
    "The organization's address: 2 to 39 characters of a-z, 0-9 and -, with no hyphen first, last or doubled.";

/// Making an organization, whose owner one becomes.
#[component]
#[must_use]
pub fn NewOrganizationPage() -> impl IntoView {
    let viewer = Answer::to(String::new, viewer);
    let flash = current_flash();
    let content = answered(move || async move {
        let flash = flash.read().await;
        match viewer.read().await {
            Ok(_) => form(flash).into_any(),
            Err(refusal) => view! { <Refused refusal=refusal/> }.into_any(),
        }
    });
    view! {
        <PlainFrame viewer=viewer>
            <Title text="New organization"/>
            {content}
        </PlainFrame>
    }
}

fn form(flash: Flash) -> impl IntoView {
    let form = FormState::new(ACTION, flash);
    view! {
        <header class="page-head">
            <div><h1>"New organization"</h1><p>"You become its owner. Everything that happens in it is recorded in its audit logs."</p></div>
        </header>
        <Problem message=form.error_elsewhere(&["name", "slug"])/>
        <form method="post" action=ACTION class="form form-narrow">
            <Field form=form.clone() name="name" label="Name" max_length=100 autocomplete="organization"/>
            <Field form=form name="slug" label="Slug" max_length=39 hint=SLUG_HINT/>
            <button class="button button-primary" type="submit">"Create organization"</button>
        </form>
    }
}
