//! Settings → Teams → one team: who is in it, and what can be done with it.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use orgtrail::identity::view::Flash;
use orgtrail::organization::view::{Addable, TeamMemberRow, TeamView};

use super::server_fns::team_view;
use crate::answer::Answer;
use crate::audit::history::history_links;
use crate::context::{current_flash, current_organization};
use crate::routes::use_slug;
use crate::ui::answered::answered;
use crate::ui::confirm::confirmed;
use crate::ui::field::{Field, FormState};
use crate::ui::notice::left_by;
use crate::ui::refused::Refused;
use crate::ui::row::{hidden, options, person, role_form};

const RENAME: &str = "/api/rename_team";
const DELETE: &str = "/api/delete_team";
const ADD: &str = "/api/add_team_member";
const CHANGE: &str = "/api/change_team_role";
const REMOVE: &str = "/api/remove_team_member";

/// One team, by the id in the path: that stays, whatever the team is called.
#[component]
#[must_use]
pub fn TeamPage() -> impl IntoView {
    let (slug, parameters) = (use_slug(), use_params_map());
    let id = Memo::new(move |_| parameters.with(|all| all.get("team")).unwrap_or_default());
    let team = Answer::to(
        move || format!("{}/{}", slug.read(), id.read()),
        move || team_view(slug.get_untracked(), id.get_untracked()),
    );
    let (organization, flash) = (current_organization().0, current_flash());
    answered(move || async move {
        let (flash, name) = (flash.read().await, organization.read().await.map(|found| found.name).unwrap_or_default());
        match team.read().await {
            Ok(team) => page(&team, &name, &slug.get_untracked(), &flash),
            Err(refusal) => view! { <Refused refusal=refusal/> }.into_any(),
        }
    })
}

fn page(team: &TeamView, organization: &str, slug: &str, flash: &Flash) -> AnyView {
    let path = format!("/{slug}/settings/teams");
    let left = left_by(&["/api/create_team", RENAME, DELETE, ADD, CHANGE, REMOVE], flash, &["name", "email"]);
    let rows: Vec<_> = team.members.iter().map(|member| row(member, team, slug)).collect();
    view! {
        <Title text=format!("{} · Teams · {organization}", team.name)/>
        <p class="quiet"><a href=path>"Teams"</a></p>
        <header class="page-head">
            <div><h1>{team.name.clone()}</h1><p>"A team of " {organization.to_owned()} " since " {team.created.clone()} "."</p></div>
        </header>
        {left}
        <section aria-labelledby="members-heading">
            <h2 id="members-heading">"Members"</h2>
            {team.members.is_empty().then(|| view! { <div class="empty"><p>"Nobody is in this team yet."</p></div> })}
            <ul class="list">{rows}</ul>
        </section>
        {team.changeable.then(|| adder(team, slug, flash))}
        {team.manageable.then(|| manager(team, slug, flash))}
        {team.reads_audit_log.then(|| history(team, slug))}
    }
    .into_any()
}

fn row(member: &TeamMemberRow, team: &TeamView, slug: &str) -> AnyView {
    let TeamMemberRow { user_id, name, email, role, is_viewer, removable } = member;
    let fields = [("organization", slug), ("team", &team.id), ("user_id", user_id)];
    let role = if team.changeable {
        role_form(CHANGE, &fields, name, role, roles())
    } else {
        view! { <span class="badge">{role.clone()}</span> }.into_any()
    };
    let (label, question, button) = if *is_viewer {
        (
            "Leave",
            format!("Leave team {}? You stay in the organization.", team.name),
            format!("Leave team {}", team.name),
        )
    } else {
        let question = format!("Take {name} out of team {}? They stay in the organization.", team.name);
        ("Take out", question, format!("Take {name} out"))
    };
    let removal = removable.then(|| confirmed(REMOVE, &fields, label, question, button));
    let actions = view! { {role} {removal} };
    person(name.clone(), *is_viewer, email.clone().into_any(), actions.into_any())
}

fn roles() -> Vec<String> {
    vec!["maintainer".to_owned(), "member".to_owned()]
}

fn adder(team: &TeamView, slug: &str, flash: &Flash) -> AnyView {
    if team.addable.is_empty() {
        return view! { <p class="quiet">"Every member of the organization is in this team."</p> }.into_any();
    }
    let form = FormState::new(ADD, flash.clone());
    let role = form.value("role", "member");
    let people: Vec<_> = team.addable.iter().map(offer).collect();
    view! {
        <section aria-labelledby="add-heading">
            <h2 id="add-heading">"Add a member"</h2>
            <form method="post" action=ADD class="form form-narrow">
                {hidden(&[("organization", slug), ("team", &team.id)])}
                <Field
                    form=form name="email" label="E-mail" kind="email" list="addable"
                    hint="Of a member of the organization."
                />
                <datalist id="addable">{people}</datalist>
                <div class="field">
                    <label for="role">"Role in the team"</label>
                    <select id="role" name="role" aria-describedby="role-hint">{options(roles(), &role)}</select>
                    <p class="hint" id="role-hint">"Maintainers say who is in the team."</p>
                </div>
                <button class="button button-primary" type="submit">"Add to the team"</button>
            </form>
        </section>
    }
    .into_any()
}

fn offer(person: &Addable) -> AnyView {
    view! { <option value=person.email.clone()>{person.name.clone()}</option> }.into_any()
}

fn manager(team: &TeamView, slug: &str, flash: &Flash) -> AnyView {
    let form = FormState::new(RENAME, flash.clone());
    let fields = [("organization", slug), ("team", team.id.as_str())];
    let question = format!("Delete team {}? Its members stay in the organization. This cannot be undone.", team.name);
    view! {
        <section aria-labelledby="manage-heading">
            <h2 id="manage-heading">"The team itself"</h2>
            <form method="post" action=RENAME class="form form-narrow">
                {hidden(&fields)}
                {hidden(&[("shown", &team.name)])}
                <Field form=form name="name" label="Name" value=team.name.clone() max_length=100/>
                <button class="button" type="submit">"Rename"</button>
            </form>
            {confirmed(DELETE, &fields, "Delete team", question, format!("Delete team {}", team.name))}
        </section>
    }
    .into_any()
}

/// Every event of the team itself, and of who came and went.
fn history(team: &TeamView, slug: &str) -> AnyView {
    view! { <p>{history_links(slug, None, format!("team:{}", team.id), "it", &team.name)}</p> }.into_any()
}
