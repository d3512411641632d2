//! `/invites/{secret}`: what an invite's link leads to.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use orgtrail::identity::view::Flash;
use orgtrail::organization::view::invite::{InviteView, OpenInvite};

use super::invite_server_fns::invite_view;
use crate::answer::Answer;
use crate::context::current_flash;
use crate::ui::answered::answered;
use crate::ui::field::{Field, FormState};
use crate::ui::lone::{card, dead_end};
use crate::ui::notice::left_by;
use crate::ui::refused::Refused;
use crate::ui::row::hidden;

const ACCEPT: &str = "/api/accept_invite";
const JOIN: &str = "/api/join_by_invite";

/// The page of a link: for who is invited, signed in or not; and one for each way in which a link is dead.
#[component]
#[must_use]
pub fn InvitePage() -> impl IntoView {
    let secret = use_secret();
    let view = Answer::to(move || secret.get(), move || invite_view(secret.get_untracked()));
    let flash = current_flash();
    let content = answered(move || async move {
        let flash = flash.read().await;
        match view.read().await {
            Ok(InviteView::Open(invite)) => open(*invite, &secret.get_untracked(), &flash),
            Ok(InviteView::Expired) => dead(
                "This invite has expired",
                "An invite is good for seven days. Ask who invited you to send it again.",
            ),
            Ok(InviteView::Revoked) => {
                dead("This invite was taken back", "If that surprises you, ask who invited you.")
            }
            Ok(InviteView::Accepted) => {
                dead("This invite was used", "It works once. If it was you, sign in and go to your organization.")
            }
            Ok(InviteView::Powerless) => dead(
                "This invite is no longer good",
                "Who sent it may not invite people any more. Ask an owner or admin of the organization for a new one.",
            ),
            Err(refusal) if refusal.status == 404 => unknown(),
            Err(refusal) => view! { <Refused refusal=refusal/> }.into_any(),
        }
    });
    view! { <main class="lone">{content}</main> }
}

/// The last segment of the path.
#[must_use]
pub fn use_secret() -> Memo<String> {
    let parameters = use_params_map();
    Memo::new(move |_| parameters.with(|all| all.get("secret")).unwrap_or_default())
}

fn dead(heading: &'static str, sentence: &'static str) -> AnyView {
    dead_end(410, heading, sentence, "/", "Go to your organization")
}

fn unknown() -> AnyView {
    let sentence =
        "Perhaps it is not whole. If the invite was sent to you again, only the link in the newest mail works.";
    dead_end(404, "This link leads nowhere", sentence, "/", "Go to your organization")
}

fn open(invite: OpenInvite, secret: &str, flash: &Flash) -> AnyView {
    let action = if invite.is_for_viewer {
        accept(&invite, secret)
    } else if let Some(other) = invite.signed_in_as.clone() {
        for_another(&invite, other)
    } else {
        for_nobody_yet(&invite, secret, flash)
    };
    let OpenInvite { organization, invited_by, role, teams, expires, .. } = invite;
    let in_teams =
        (!teams.is_empty()).then(|| view! { <div><dt>"Teams"</dt><dd>{teams.join(", ")}</dd></div> }.into_any());
    let content = view! {
        <p><b>{invited_by}</b> " invites you to the organization " <b>{organization}</b> "."</p>
        <dl class="facts">
            <div><dt>"Role"</dt><dd>{role}</dd></div>
            {in_teams}
            <div><dt>"Good until"</dt><dd>{expires} " UTC"</dd></div>
        </dl>
        {left_by(&[ACCEPT, JOIN], flash, &["name", "password"])}
        {action}
    };
    card("You are invited", content.into_any())
}

fn accept(invite: &OpenInvite, secret: &str) -> AnyView {
    view! {
        <form method="post" action=ACCEPT class="form">
            {hidden(&[("secret", secret)])}
            <button class="button button-primary button-wide" type="submit">{format!("Join {}", invite.organization)}</button>
        </form>
        <p class="quiet">"You are signed in as " {invite.email.clone()} "."</p>
    }
    .into_any()
}

fn for_another(invite: &OpenInvite, other: String) -> AnyView {
    view! {
        <p class="notice notice-bad">"This invite is for " {invite.email.clone()} ", but you are signed in as " {other} "."</p>
        <p>"Sign out, and open the link again."</p>
        <form method="post" action="/api/logout"><button class="button button-wide" type="submit">"Sign out"</button></form>
    }
    .into_any()
}

/// The same whether or not the address has an account: whoever holds the link may look.
fn for_nobody_yet(invite: &OpenInvite, secret: &str, flash: &Flash) -> AnyView {
    let login = format!("/login?next=/invites/{secret}");
    let sign_up = invite.may_sign_up.then(|| sign_up(invite, secret, flash));
    let sign_in =
        if invite.may_sign_up { "Have an account with this address? " } else { "Use your account with this address: " };
    // A whole load: the sign-in page would otherwise ask who is signed in, to be refused.
    view! {
        {sign_up}
        <p class="quiet">{sign_in} <a rel="external" href=login>"Sign in"</a></p>
    }
    .into_any()
}

fn sign_up(invite: &OpenInvite, secret: &str, flash: &Flash) -> AnyView {
    let form = FormState::new(JOIN, flash.clone());
    view! {
        <form method="post" action=JOIN class="form">
            {hidden(&[("secret", secret)])}
            <Field form=FormState::default() name="email" label="E-mail" kind="email" autocomplete="username" value=invite.email.clone() readonly=true/>
            <Field form=form.clone() name="name" label="Name" autocomplete="name" max_length=100/>
            <Field
                form=form name="password" label="Password" kind="password" autocomplete="new-password" max_length=128
                hint="12 to 128 characters of any sort."
            />
            <button class="button button-primary button-wide" type="submit">"Make an account and join"</button>
        </form>
    }
    .into_any()
}
