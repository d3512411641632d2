//! `/login`.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use orgtrail::identity::view::Flash;

use super::server_fns::viewer;
use crate::answer::Answer;
use crate::context::current_flash;
use crate::routes::own_path;
use crate::ui::answered::answered;
use crate::ui::field::{Field, FormState};
use crate::ui::moved::Moved;
use crate::ui::notice::{Done, Problem};

const ACTION: &str = "/api/login";

/// Signing in; who is signed in already goes on.
#[component]
#[must_use]
pub fn LoginPage() -> impl IntoView {
    let signed_in = Answer::to(String::new, viewer);
    let flash = current_flash();
    let next = use_next();
    let content = answered(move || async move {
        let (signed_in, flash) = (signed_in.read().await.is_ok(), flash.read().await);
        let next = next.get_untracked();
        if signed_in { view! { <Moved path=next/> }.into_any() } else { form(flash, next).into_any() }
    });
    view! {
        <Title text="Sign in"/>
        <main class="lone">{content}</main>
    }
}

/// Where to go after signing in or up: a path of ours.
#[must_use]
pub fn use_next() -> Memo<String> {
    let query = use_query_map();
    Memo::new(move |_| own_path(&query.with(|all| all.get("next")).unwrap_or_default()).to_owned())
}

fn form(flash: Flash, next: String) -> impl IntoView {
    let form = FormState::new(ACTION, flash);
    view! {
        <div class="card">
            <p class="brand">"Orgtrail"</p>
            <h1>"Sign in"</h1>
            <Done message=form.notice()/>
            <Problem message=form.error_elsewhere(&["email", "password"])/>
            <form method="post" action=ACTION class="form">
                <input type="hidden" name="next" value=form.value("next", &next)/>
                <Field form=form.clone() name="email" label="E-mail" kind="email" autocomplete="username"/>
                <Field form=form name="password" label="Password" kind="password" autocomplete="current-password"/>
                <button class="button button-primary button-wide" type="submit">"Sign in"</button>
            </form>
            <p class="quiet"><a href="/forgot">"Forgotten your password?"</a></p>
            <p class="quiet">"No account yet? " <a href="/signup">"Sign up"</a></p>
        </div>
    }
}
