//! Settings → Teams: the teams of the organization, and making one.

use leptos::prelude::*;
use leptos_meta::Title;

use orgtrail::identity::view::Flash;
use orgtrail::organization::view::{TeamRow, TeamsPage as Teams};

use crate::answer::Answer;
use crate::context::{current_flash, current_organization};
use crate::routes::use_slug;
use crate::ui::answered::answered;
use crate::ui::field::{Field, FormState};
use crate::ui::notice::left_by;
use crate::ui::refused::Refused;
use crate::ui::row::hidden;
use crate::ui::search::{SearchForm, use_search};

pub mod server_fns;
pub mod team;

use server_fns::teams_page;

const CREATE: &str = "/api/create_team";

/// The list is searched when it is long.
const SEARCHED_FROM: i64 = 10;

/// The teams of the organization; the search is in the URL (`search`).
#[component]
#[must_use]
pub fn TeamsPage() -> impl IntoView {
    let (slug, search) = (use_slug(), use_search());
    let teams = Answer::to(
        move || format!("{}?{}", slug.read(), search.read()),
        move || teams_page(slug.get_untracked(), search.get_untracked()),
    );
    let (organization, flash) = (current_organization().0, current_flash());
    answered(move || async move {
        let (flash, name) = (flash.read().await, organization.read().await.map(|found| found.name).unwrap_or_default());
        match teams.read().await {
            Ok(page) => list(page, &name, &slug.get_untracked(), flash),
            Err(refusal) => view! { <Refused refusal=refusal/> }.into_any(),
        }
    })
}

fn list(page: Teams, organization: &str, slug: &str, flash: Flash) -> AnyView {
    let Teams { teams, total, search, manageable } = page;
    let path = format!("/{slug}/settings/teams");
    let count = if total == 1 { "1 team".to_owned() } else { format!("{total} teams") };
    let is_long = total >= SEARCHED_FROM || !search.is_empty();
    let empty = teams.is_empty().then(|| nothing(total, &search, &path, manageable));
    let left = left_by(&[CREATE, "/api/delete_team"], &flash, &["name"]);
    let rows: Vec<_> = teams.into_iter().map(|team| row(team, &path)).collect();
    view! {
        <Title text=format!("Teams · {organization}")/>
        <header class="page-head"><div><h1>"Teams"</h1><p>{count} " in " {organization.to_owned()} "."</p></div></header>
        {left}
        {is_long.then(|| view! { <SearchForm path=path search=search label="Search teams" placeholder="Name"/> })}
        {empty}
        <ul class="list">{rows}</ul>
        {manageable.then(|| creator(slug, flash))}
    }
    .into_any()
}

fn row(team: TeamRow, path: &str) -> AnyView {
    let TeamRow { id, name, members, viewer_role } = team;
    let count = if members == 1 { "1 member".to_owned() } else { format!("{members} members") };
    view! {
        <li>
            <a href=format!("{path}/{id}")>{name}</a>
            {viewer_role.map(|role| view! { <span class="badge">"you: " {role}</span> })}
            <span class="quiet whole">{count}</span>
        </li>
    }
    .into_any()
}

fn nothing(total: i64, search: &str, path: &str, manageable: bool) -> AnyView {
    if total > 0 {
        return view! {
            <div class="empty">
                <p>"No team here is called “" {search.to_owned()} "”."</p>
                <p><a class="button" href=path.to_owned()>"Show all teams"</a></p>
            </div>
        }
        .into_any();
    }
    let way = if manageable { "Create the first one below." } else { "An owner or admin can create one." };
    view! {
        <div class="empty">
            <p><strong>"No teams yet."</strong></p>
            <p>"A team is a group of members with a name. Its maintainers say who is in it. " {way}</p>
        </div>
    }
    .into_any()
}

fn creator(slug: &str, flash: Flash) -> AnyView {
    let form = FormState::new(CREATE, flash);
    view! {
        <section aria-labelledby="create-heading">
            <h2 id="create-heading">"New team"</h2>
            <form method="post" action=CREATE class="form form-narrow">
                {hidden(&[("organization", slug)])}
                <Field form=form name="name" label="Name" max_length=100/>
                <button class="button button-primary" type="submit">"Create team"</button>
            </form>
        </section>
    }
    .into_any()
}
