//! `/account`: who one is, how one signs in, where one is a member, and where one is signed in.

use leptos::prelude::*;
use leptos_meta::Title;

use orgtrail::identity::view::{Flash, OrganizationLink, SessionRow, ViewerView};

use super::email_change::email_section;
use super::server_fns::viewer;
use crate::answer::Answer;
use crate::context::current_flash;
use crate::frame::PlainFrame;
use crate::ui::answered::answered;
use crate::ui::confirm::confirmed;
use crate::ui::field::{Field, FormState};
use crate::ui::notice::left_by;
use crate::ui::refused::Refused;
use crate::ui::row::hidden;

pub mod server_fns;

use server_fns::own_sessions;

const UPDATE: &str = "/api/update_account";
const PASSWORD: &str = "/api/change_password";
const END: &str = "/api/end_session";
const END_OTHERS: &str = "/api/end_other_sessions";

/// The forms that lead here, whichever page they were on.
const FORMS: [&str; 5] = [UPDATE, PASSWORD, END, END_OTHERS, "/api/remove_member"];

/// One's own account.
#[component]
#[must_use]
pub fn AccountPage() -> impl IntoView {
    let viewer = Answer::to(String::new, viewer);
    let sessions = Answer::to(String::new, own_sessions);
    let flash = current_flash();
    let content = answered(move || async move {
        let flash = flash.read().await;
        match (viewer.read().await, sessions.read().await) {
            (Ok(viewer), Ok(sessions)) => account(viewer, sessions, &flash),
            (Err(refusal), _) | (_, Err(refusal)) => view! { <Refused refusal=refusal/> }.into_any(),
        }
    });
    view! {
        <PlainFrame viewer=viewer>
            <Title text="Your account"/>
            {content}
        </PlainFrame>
    }
}

fn account(viewer: ViewerView, sessions: Vec<SessionRow>, flash: &Flash) -> AnyView {
    let ViewerView { name, email, organizations } = viewer;
    let rows: Vec<_> = organizations.into_iter().map(organization).collect();
    view! {
        <header class="page-head"><div><h1>"Your account"</h1><p>"Who you are on this platform."</p></div></header>
        {left_by(&FORMS, flash, &["name", "current_password", "new_password"])}
        {profile(name, email, flash)}
        {email_section(flash)}
        {password(flash)}
        <section aria-labelledby="organizations-heading">
            <h2 id="organizations-heading">"Your organizations"</h2>
            <ul class="list">{rows}</ul>
            <p><a class="button" href="/organizations/new">"New organization"</a></p>
        </section>
        {self::sessions(sessions)}
    }
    .into_any()
}

fn profile(name: String, email: String, flash: &Flash) -> AnyView {
    let form = FormState::new(UPDATE, flash.clone());
    view! {
        <section aria-labelledby="profile-heading">
            <h2 id="profile-heading">"You"</h2>
            <form method="post" action=UPDATE class="form form-narrow">
                {hidden(&[("shown", &name)])}
                <Field form=form name="name" label="Name" value=name max_length=100 autocomplete="name"/>
                <button class="button button-primary" type="submit">"Save name"</button>
            </form>
            <dl class="facts facts-boxed"><div><dt>"E-mail"</dt><dd>{email}</dd></div></dl>
        </section>
    }
    .into_any()
}

fn password(flash: &Flash) -> AnyView {
    let form = FormState::new(PASSWORD, flash.clone());
    view! {
        <section aria-labelledby="password-heading">
            <h2 id="password-heading">"Password"</h2>
            <form method="post" action=PASSWORD class="form form-narrow">
                <Field
                    form=form.clone() name="current_password" label="Present password" kind="password"
                    autocomplete="current-password"
                />
                <Field
                    form=form name="new_password" label="New password" kind="password" autocomplete="new-password"
                    max_length=128 hint="12 to 128 characters of any sort. Your other sessions end at once."
                />
                <button class="button button-primary" type="submit">"Change password"</button>
            </form>
        </section>
    }
    .into_any()
}

fn organization(link: OrganizationLink) -> AnyView {
    let OrganizationLink { slug, name, role } = link;
    view! { <li><a href=format!("/{slug}")>{name}</a><span class="badge">{role}</span></li> }.into_any()
}

fn sessions(sessions: Vec<SessionRow>) -> AnyView {
    let others = sessions.iter().filter(|session| !session.is_present).count();
    let question = "End all your other sessions? Whoever uses one of them has to sign in anew.".to_owned();
    let end_others = (others > 0)
        .then(|| confirmed(END_OTHERS, &[], "End all others", question, "End all other sessions".to_owned()));
    let rows: Vec<_> = sessions.into_iter().map(session).collect();
    view! {
        <section aria-labelledby="sessions-heading">
            <h2 id="sessions-heading">"Your sessions"</h2>
            <p class="quiet">"Where you are signed in. End what you do not know, and change your password."</p>
            <ul class="list">{rows}</ul>
            {end_others}
        </section>
    }
    .into_any()
}

fn session(session: SessionRow) -> AnyView {
    let SessionRow { id, client, address, since, last_seen, is_present, .. } = session;
    let address = address.unwrap_or_else(|| "unknown address".to_owned());
    let action = if is_present {
        view! { <form method="post" action="/api/logout"><button class="button" type="submit">"Sign out"</button></form> }
            .into_any()
    } else {
        let spoken = format!("End the session of {client} at {address}");
        view! {
            <form method="post" action=END>
                {hidden(&[("id", &id)])}
                <button class="button button-danger" type="submit" aria-label=spoken>"End"</button>
            </form>
        }
        .into_any()
    };
    view! {
        <li class="member">
            <div class="member-who">
                <span class="member-name">{client}{is_present.then(|| view! { <span class="badge">"this one"</span> })}</span>
                <small>{address} " " <span class="whole">"· since " {since} " UTC"</span> " " <span class="whole">"· last used " {last_seen}</span></small>
            </div>
            {action}
        </li>
    }
    .into_any()
}
