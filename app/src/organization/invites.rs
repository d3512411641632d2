//! Settings → Invites: who is invited, and a form to invite somebody.

use leptos::prelude::*;
use leptos_meta::Title;

use orgtrail::identity::view::Flash;
use orgtrail::organization::view::OrganizationView;
use orgtrail::organization::view::invite::{InviteRow, InvitesPage as Invites, TeamChoice};

use super::invite_server_fns::invites_page;
use crate::answer::Answer;
use crate::context::{current_flash, current_organization};
use crate::routes::use_slug;
use crate::ui::answered::answered;
use crate::ui::avatar::{Avatar, initials};
use crate::ui::confirm::confirmed;
use crate::ui::field::{Field, FormState};
use crate::ui::notice::left_by;
use crate::ui::refused::Refused;
use crate::ui::row::{hidden, options};

const CREATE: &str = "/api/create_invite";
const RESEND: &str = "/api/resend_invite";
const UPDATE: &str = "/api/update_invite";
const REVOKE: &str = "/api/revoke_invite";

/// The open invites of the organization, for owners and admins.
#[component]
#[must_use]
pub fn InvitesPage() -> impl IntoView {
    let slug = use_slug();
    let invites = Answer::to(move || slug.get(), move || invites_page(slug.get_untracked()));
    let (organization, flash) = (current_organization().0, current_flash());
    answered(move || async move {
        let flash = flash.read().await;
        match (invites.read().await, organization.read().await) {
            (Ok(page), Ok(organization)) => list(page, &organization, &flash),
            (Err(refusal), _) | (_, Err(refusal)) => view! { <Refused refusal=refusal/> }.into_any(),
        }
    })
}

fn list(page: Invites, organization: &OrganizationView, flash: &Flash) -> AnyView {
    let Invites { invites, roles, teams } = page;
    let slug = &organization.slug;
    let title = format!("Invites · {}", organization.name);
    let none = invites.is_empty().then(nobody);
    let form = invitation(slug, flash, &roles, &teams);
    let rows = invites.into_iter().map(|invite| row(invite, slug, &roles, &teams)).collect_view();
    view! {
        <Title text=title/>
        <header class="page-head">
            <div><h1>"Invites"</h1><p>"Who is invited gets a link by mail. It is good for seven days, for that address alone."</p></div>
        </header>
        {left_by(&[CREATE, RESEND, UPDATE, REVOKE], flash, &["email"])}
        {none}
        <ul class="list members">{rows}</ul>
        {form}
    }
    .into_any()
}

fn nobody() -> AnyView {
    view! {
        <div class="empty">
            <p>"Nobody is invited at the moment."</p>
            <p class="quiet">"Invite a colleague below. Who has accepted is under Members."</p>
        </div>
    }
    .into_any()
}

fn invitation(slug: &str, flash: &Flash, roles: &[String], teams: &[TeamChoice]) -> AnyView {
    let form = FormState::new(CREATE, flash.clone());
    let (role, chosen) = (form.value("role", "member"), form.values("teams[]", &[]));
    view! {
        <section aria-labelledby="new-invite">
            <h2 id="new-invite">"Invite somebody"</h2>
            <form method="post" action=CREATE class="form form-narrow">
                {hidden(&[("organization", slug)])}
                <Field form=form name="email" label="E-mail" kind="email"/>
                {choices("new", roles, &role, teams, &chosen)}
                <button class="button button-primary" type="submit">"Send invite"</button>
                <p class="hint">"The link is shown to you once as well, on the next page."</p>
            </form>
        </section>
    }
    .into_any()
}

/// Role and teams of an invite; `id` tells the fields of several forms apart.
fn choices(id: &str, roles: &[String], role: &str, teams: &[TeamChoice], chosen: &[String]) -> AnyView {
    let id = format!("role-{id}");
    let boxes = teams.iter().map(|team| checkbox(team, chosen.contains(&team.id))).collect_view();
    let teams = (!teams.is_empty())
        .then(|| view! { <fieldset class="field checks"><legend>"Teams"</legend>{boxes}</fieldset> }.into_any());
    view! {
        <div class="field">
            <label for=id.clone()>"Role"</label>
            <select id=id name="role">{options(roles.to_vec(), role)}</select>
        </div>
        {teams}
    }
    .into_any()
}

fn checkbox(team: &TeamChoice, checked: bool) -> AnyView {
    view! {
        <label class="check">
            <input type="checkbox" name="teams[]" value=team.id.clone() checked=checked/>
            <span>{team.name.clone()}</span>
        </label>
    }
    .into_any()
}

fn row(invite: InviteRow, slug: &str, roles: &[String], teams: &[TeamChoice]) -> AnyView {
    let forms = invite.changeable.then(|| forms(&invite, slug, roles, teams));
    let InviteRow { email, role, team_ids, invited_by, sent, expires, expired, .. } = invite;
    let expired_badge = expired.then(|| view! { <span class="badge badge-warn">"expired"</span> }.into_any());
    let until = if expired { "ended" } else { "until" };
    let names: Vec<_> = teams.iter().filter(|team| team_ids.contains(&team.id)).map(|team| team.name.clone()).collect();
    let in_teams = (!names.is_empty()).then(|| view! { <small>{names.join(", ")}</small> }.into_any());
    view! {
        <li class="member">
            <Avatar initials=initials(&email)/>
            <div class="member-who">
                <span class="member-name">{email}" "<span class="badge">{role}</span>{expired_badge}</span>
                <small>{format!("by {invited_by} · sent {sent} · {until} {expires}")}</small>
                {in_teams}
            </div>
            {forms}
        </li>
    }
    .into_any()
}

fn forms(invite: &InviteRow, slug: &str, roles: &[String], teams: &[TeamChoice]) -> AnyView {
    let InviteRow { id, email, role, team_ids, version, .. } = invite;
    let (named, version) = ([("organization", slug), ("invite", id.as_str())], version.to_string());
    let question = format!("Revoke the invite of {email}? Its link stops working at once.");
    let spoken = format!("Send the invite of {email} again");
    view! {
        <details class="menu menu-end" name="confirm">
            <summary class="button" aria-label=format!("Change the invite of {email}")>"Change"</summary>
            <div class="panel confirm">
                <form method="post" action=UPDATE class="form">
                    {hidden(&named)}
                    {hidden(&[("version", &version)])}
                    {choices(id, roles, role, teams, team_ids)}
                    <button class="button button-primary" type="submit">"Save changes"</button>
                </form>
            </div>
        </details>
        <form method="post" action=RESEND>
            {hidden(&named)}
            <button class="button" type="submit" aria-label=spoken>"Send again"</button>
        </form>
        {confirmed(REVOKE, &named, "Revoke", question, format!("Revoke the invite of {email}"))}
    }
    .into_any()
}
