//! Settings → Members: who belongs to the organization, with one form per change.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_navigate, use_query_map};

use orgtrail::identity::view::Flash;
use orgtrail::organization::view::{MemberRow, MembersPage as Members};

use super::server_fns::members_page;
use crate::answer::Answer;
use crate::audit::links::Query;
use crate::browser;
use crate::context::{current_flash, current_organization};
use crate::routes::use_slug;
use crate::ui::answered::answered;
use crate::ui::avatar::{Avatar, initials};
use crate::ui::confirm::Confirm;
use crate::ui::field::FormState;
use crate::ui::notice::{Done, Problem};
use crate::ui::refused::Refused;

const CHANGE: &str = "/api/change_member_role";
const REMOVE: &str = "/api/remove_member";

/// The members of the organization; the search is in the URL (`search`).
#[component]
#[must_use]
pub fn MembersPage() -> impl IntoView {
    let slug = use_slug();
    let query = use_query_map();
    let search = Memo::new(move |_| query.with(|all| all.get("search")).unwrap_or_default());
    let members = Answer::to(
        move || format!("{}?{}", slug.read(), search.read()),
        move || members_page(slug.get_untracked(), search.get_untracked()),
    );
    let (organization, flash) = (current_organization().0, current_flash());
    answered(move || async move {
        let (flash, name) = (flash.read().await, organization.read().await.map(|found| found.name).unwrap_or_default());
        match members.read().await {
            Ok(page) => list(page, &name, &slug.get_untracked(), flash).into_any(),
            Err(refusal) => view! { <Refused refusal=refusal/> }.into_any(),
        }
    })
}

fn list(page: Members, organization: &str, slug: &str, flash: Flash) -> impl IntoView + use<> {
    let Members { members, total, search } = page;
    let (changed, removed) = (FormState::new(CHANGE, flash.clone()), FormState::new(REMOVE, flash));
    let title = format!("Members · {organization}");
    let count = if total == 1 { "1 member".to_owned() } else { format!("{total} members") };
    let nobody = members.is_empty().then(|| nobody(&search, slug));
    let rows = members.into_iter().map(|member| row(member, organization, slug)).collect_view();
    view! {
        <Title text=title/>
        <header class="page-head">
            <div><h1>"Members"</h1><p>{count} " in " {organization.to_owned()} "."</p></div>
        </header>
        <Done message=changed.notice().or_else(|| removed.notice())/>
        <Problem message=changed.error_elsewhere(&[]).or_else(|| removed.error_elsewhere(&[]))/>
        <SearchForm slug=slug.to_owned() search=search/>
        {nobody}
        <ul class="list members">{rows}</ul>
    }
}

#[component]
fn SearchForm(slug: String, search: String) -> impl IntoView {
    let path = format!("/{slug}/settings/members");
    let (action, navigate) = (path.clone(), use_navigate());
    let submit = move |event: SubmitEvent| {
        if let Some(query) = browser::form_query(&event) {
            event.prevent_default();
            navigate(&Query::parse(&query).on(&path), Default::default());
        }
    };
    view! {
        <form method="get" action=action class="bar" role="search" on:submit=submit>
            <input
                class="search" type="search" name="search" value=search.clone() prop:value=search
                aria-label="Search members" placeholder="Name or e-mail"
            />
            <button class="button" type="submit">"Search"</button>
        </form>
    }
}

fn nobody(search: &str, slug: &str) -> impl IntoView + use<> {
    view! {
        <div class="empty">
            <p>"Nobody here is called “" {search.to_owned()} "”."</p>
            <p><a class="button" href=format!("/{slug}/settings/members")>"Show all members"</a></p>
        </div>
    }
}

fn row(member: MemberRow, organization: &str, slug: &str) -> impl IntoView + use<> {
    let (role, removal) = (role_form(&member, slug), removal(&member, organization, slug));
    let MemberRow { name, email, joined, is_viewer, .. } = member;
    view! {
        <li class="member">
            <Avatar initials=initials(&name)/>
            <div class="member-who">
                <span class="member-name">{name}{is_viewer.then(|| view! { <span class="badge">"you"</span> })}</span>
                <small>{email} " " <span class="whole">"· since " {joined}</span></small>
            </div>
            {role}
            {removal}
        </li>
    }
}

fn role_form(member: &MemberRow, slug: &str) -> AnyView {
    let MemberRow { user_id, name, role, assignable_roles, .. } = member.clone();
    if assignable_roles.is_empty() {
        return view! { <span class="badge">{role}</span> }.into_any();
    }
    let mut roles = assignable_roles;
    if !roles.contains(&role) {
        roles.insert(0, role.clone());
    }
    let options = roles.into_iter().map(|option| {
        let (selected, value) = (option == role, option.clone());
        view! { <option value=value selected=selected>{option}</option> }
    });
    view! {
        <form method="post" action=CHANGE class="inline-form">
            <input type="hidden" name="organization" value=slug.to_owned()/>
            <input type="hidden" name="user_id" value=user_id/>
            <select name="role" aria-label=format!("Role of {name}")>{options.collect_view()}</select>
            <button class="button" type="submit" aria-label=format!("Save the role of {name}")>"Save"</button>
        </form>
    }
    .into_any()
}

fn removal(member: &MemberRow, organization: &str, slug: &str) -> Option<impl IntoView + use<>> {
    let MemberRow { user_id, name, is_viewer, removable, .. } = member.clone();
    let (label, question, button) = if is_viewer {
        let question =
            format!("Leave {organization}? You lose access at once. Somebody else must invite you to come back.");
        ("Leave", question, format!("Leave {organization}"))
    } else {
        let question = format!(
            "Remove {name} from {organization}? They lose access at once. What they did stays in the audit logs."
        );
        ("Remove", question, format!("Remove {name}"))
    };
    let slug = slug.to_owned();
    removable.then(|| {
        let spoken = format!("{button}…");
        view! {
            <Confirm label=label spoken=spoken question=question>
                <form method="post" action=REMOVE>
                    <input type="hidden" name="organization" value=slug/>
                    <input type="hidden" name="user_id" value=user_id/>
                    <button class="button button-danger" type="submit">{button}</button>
                </form>
            </Confirm>
        }
    })
}
