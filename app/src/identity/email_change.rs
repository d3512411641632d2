//! Another e-mail address: its part of `/account`, and `/account/email/{secret}`, where it is confirmed.

use leptos::prelude::*;

use orgtrail::identity::view::Flash;

use crate::answer::{Answer, Told, ToldJson};
use crate::context::current_flash;
#[cfg(feature = "ssr")]
use crate::context::{asking, leave_notice, set_location};
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
use orgtrail::identity::email_change;

const REQUEST: &str = "/api/request_email_change";
const CONFIRM: &str = "/api/confirm_email";

/// Mails a link to the new address, and a notice to the present one.
///
/// # Errors
/// 401, 422 at the field, 429, 503.
#[server(endpoint = "request_email_change")]
pub async fn request_email_change(email: String, password: String) -> Result<(), Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    let asked = email_change::request(&platform, &viewer, &email, &password).await.map_err(refuse);
    // The page has another field for the present password, in another form.
    asked.map_err(|refusal| Refusal {
        field: refusal.field.map(|field| field.replace("current_password", "password")),
        ..refusal
    })?;
    leave_notice(REQUEST, "Your address changes when you open the link that was mailed to the new one.").await;
    Ok(())
}

/// The address that a link confirms.
///
/// # Errors
/// 401, 404 for a link that is no longer good or another user's.
#[server(name = LookAtEmailChange, endpoint = "email_change_view", output = ToldJson)]
pub async fn email_change_view(secret: String) -> Result<Told<String>, Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    email_change::look(&platform, &viewer, &secret).await.map(Told::tell).map_err(refuse)
}

/// Gives the account the address that a link confirms.
///
/// # Errors
/// 401, 404, 409 if the address is another account's.
#[server(endpoint = "confirm_email")]
pub async fn confirm_email(secret: String) -> Result<(), Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    email_change::confirm(&platform, &viewer, &secret).await.map_err(refuse)?;
    leave_notice(REQUEST, "Your e-mail address was changed.").await;
    set_location("/account");
    Ok(())
}

/// The part of the account's page.
#[must_use]
pub fn email_section(flash: &Flash) -> AnyView {
    let form = FormState::new(REQUEST, flash.clone());
    view! {
        <section aria-labelledby="email-heading">
            <h2 id="email-heading">"E-mail address"</h2>
            {left_by(&[REQUEST], flash, &["email", "password"])}
            <form method="post" action=REQUEST class="form form-narrow">
                <Field form=form.clone() name="email" label="New e-mail" kind="email" hint="A link is mailed there, to confirm it."/>
                <Field form=form name="password" label="Your password" kind="password" autocomplete="current-password"/>
                <button class="button button-primary" type="submit">"Change e-mail"</button>
            </form>
        </section>
    }
    .into_any()
}

/// Confirming the new address.
#[component]
#[must_use]
pub fn ConfirmEmailPage() -> impl IntoView {
    let secret = use_secret();
    let address = Answer::to(move || secret.get(), move || email_change_view(secret.get_untracked()));
    let flash = current_flash();
    let content = answered(move || async move {
        let flash = flash.read().await;
        match address.read().await {
            Ok(email) => confirm(email, &secret.get_untracked(), &flash),
            Err(refusal) if refusal.status == 404 => dead(),
            Err(refusal) => view! { <Refused refusal=refusal/> }.into_any(),
        }
    });
    view! { <main class="lone">{content}</main> }
}

fn dead() -> AnyView {
    let sentence = "A link is good for an hour, works once, and only for who asked for it: perhaps you are signed in to another account.";
    dead_end(404, "This link is no longer good", sentence, "/account", "Go to your account")
}

fn confirm(email: String, secret: &str, flash: &Flash) -> AnyView {
    let content = view! {
        <p>"From now on you sign in with " <b>{email}</b> "."</p>
        {left_by(&[CONFIRM], flash, &[])}
        <form method="post" action=CONFIRM class="form">
            {hidden(&[("secret", secret)])}
            <button class="button button-primary button-wide" type="submit">"Confirm the address"</button>
        </form>
    };
    card("Confirm your e-mail address", content.into_any())
}
