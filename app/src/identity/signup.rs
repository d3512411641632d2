//! `/signup`.

use leptos::prelude::*;
use leptos_meta::Title;

use orgtrail::identity::view::Flash;

use super::login::use_next;
use crate::context::current_flash;
use crate::ui::answered::answered;
use crate::ui::field::{Field, FormState};
use crate::ui::notice::Problem;

const ACTION: &str = "/api/signup";

/// Making an account.
#[component]
#[must_use]
pub fn SignupPage() -> impl IntoView {
    let flash = current_flash();
    let next = use_next();
    let content = answered(move || async move { form(flash.read().await, next.get_untracked()).into_any() });
    view! {
        <Title text="Sign up"/>
        <main class="lone">{content}</main>
    }
}

fn form(flash: Flash, next: String) -> impl IntoView {
    let form = FormState::new(ACTION, flash);
    view! {
        <div class="card">
            <p class="brand">"Orgtrail"</p>
            <h1>"Make an account"</h1>
            <Problem message=form.error_elsewhere(&["name", "email", "password"])/>
            <form method="post" action=ACTION class="form">
                <input type="hidden" name="next" value=form.value("next", &next)/>
                <Field form=form.clone() name="name" label="Name" autocomplete="name"/>
                <Field form=form.clone() name="email" label="E-mail" kind="email" autocomplete="username"/>
                <Field
                    form=form name="password" label="Password" kind="password" autocomplete="new-password" max_length=128
                    hint="12 to 128 characters of any sort. A sentence that you remember is better than a word that you cannot."
                />
                <button class="button button-primary button-wide" type="submit">"Sign up"</button>
            </form>
            <p class="quiet">"Have an account? " <a href="/login">"Sign in"</a></p>
        </div>
    }
}
