//! `/forgot` and `/reset/{secret}`: a forgotten password.

use leptos::prelude::*;

use orgtrail::identity::view::Flash;

use crate::answer::{Answer, Told, ToldJson};
use crate::context::current_flash;
#[cfg(feature = "ssr")]
use crate::context::{asking, leave_notice, set_location, set_status};
use crate::organization::invite::use_secret;
use crate::ui::answered::answered;
use crate::ui::field::{Field, FormState};
use crate::ui::lone::{card, dead_end};
use crate::ui::notice::left_by;
use crate::ui::refused::Refused;
use crate::ui::row::hidden;
use crate::wire::Refusal;
#[cfg(feature = "ssr")]
use crate::wire::refuse;
#[cfg(feature = "ssr")]
use orgtrail::identity::recovery;

const REQUEST: &str = "/api/request_password_reset";
const RESET: &str = "/api/reset_password";

/// Mails a link to an address, if it has an account: the answer is the same if not (202).
///
/// # Errors
/// 429 after too many mails, 503.
#[server(endpoint = "request_password_reset")]
pub async fn request_password_reset(email: String) -> Result<(), Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    recovery::request(&platform, &viewer, &email).await.map_err(refuse)?;
    let notice = "If this address has an account, a mail is on its way. Its link is good for an hour.";
    leave_notice(REQUEST, notice).await;
    set_status(202);
    Ok(())
}

/// Whether a link is good.
///
/// # Errors
/// 404 if not.
#[server(name = LookAtReset, endpoint = "reset_view", output = ToldJson)]
pub async fn reset_view(secret: String) -> Result<Told<()>, Refusal> {
    let (platform, _) = asking().map_err(refuse)?;
    recovery::look(&platform, &secret).await.map(Told::tell).map_err(refuse)
}

/// Sets a new password by a link; every session ends.
///
/// # Errors
/// 404 for a link that is no longer good, 422 at the field, 503.
#[server(endpoint = "reset_password")]
pub async fn reset_password(secret: String, password: String) -> Result<(), Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    recovery::reset(&platform, &viewer, &secret, &password).await.map_err(refuse)?;
    leave_notice("/api/login", "Your password was changed. Sign in with the new one.").await;
    set_location("/login");
    Ok(())
}

/// Asking for a link.
#[component]
#[must_use]
pub fn ForgotPage() -> impl IntoView {
    let flash = current_flash();
    let content = answered(move || async move { forgot(&flash.read().await) });
    view! { <main class="lone">{content}</main> }
}

fn forgot(flash: &Flash) -> AnyView {
    let form = FormState::new(REQUEST, flash.clone());
    let content = view! {
        <p>"A link to choose a new one is mailed to the address of your account."</p>
        {left_by(&[REQUEST], flash, &["email"])}
        <form method="post" action=REQUEST class="form">
            <Field form=form name="email" label="E-mail" kind="email" autocomplete="username"/>
            <button class="button button-primary button-wide" type="submit">"Mail me a link"</button>
        </form>
        <p class="quiet">"Remembered it? " <a rel="external" href="/login">"Sign in"</a></p>
    };
    card("Forgotten password", content.into_any())
}

/// Choosing a new password.
#[component]
#[must_use]
pub fn ResetPage() -> impl IntoView {
    let secret = use_secret();
    let good = Answer::to(move || secret.get(), move || reset_view(secret.get_untracked()));
    let flash = current_flash();
    let content = answered(move || async move {
        let flash = flash.read().await;
        match good.read().await {
            Ok(()) => choose(&secret.get_untracked(), &flash),
            Err(refusal) if refusal.status == 404 => dead(),
            Err(refusal) => view! { <Refused refusal=refusal/> }.into_any(),
        }
    });
    view! { <main class="lone">{content}</main> }
}

fn dead() -> AnyView {
    let sentence = "A link is good for an hour, works once, and ends when a newer one is mailed.";
    dead_end(404, "This link is no longer good", sentence, "/forgot", "Ask for a new one")
}

fn choose(secret: &str, flash: &Flash) -> AnyView {
    let form = FormState::new(RESET, flash.clone());
    let content = view! {
        <p>"All your sessions end, on every device."</p>
        {left_by(&[RESET], flash, &["password"])}
        <form method="post" action=RESET class="form">
            {hidden(&[("secret", secret)])}
            <Field
                form=form name="password" label="New password" kind="password" autocomplete="new-password" max_length=128
                hint="12 to 128 characters of any sort. A sentence that you remember is better than a word that you cannot."
            />
            <button class="button button-primary button-wide" type="submit">"Change password"</button>
        </form>
    };
    card("Choose a new password", content.into_any())
}
