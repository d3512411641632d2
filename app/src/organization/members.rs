//! Settings → Members: who belongs to the organization, with one form per change.

use leptos::prelude::*;
use leptos_meta::Title;

use orgtrail::identity::view::Flash;
use orgtrail::organization::view::{MemberRow, MembersPage as Members, OrganizationView};

use super::server_fns::members_page;
use crate::answer::Answer;
use crate::audit::history::history_links;
use crate::context::{current_flash, current_organization};
use crate::routes::use_slug;
use crate::ui::answered::answered;
use crate::ui::confirm::confirmed;
use crate::ui::notice::left_by;
use crate::ui::refused::Refused;
use crate::ui::row::{person, role_form};
use crate::ui::search::{SearchForm, use_search};

const CHANGE: &str = "/api/change_member_role";
const REMOVE: &str = "/api/remove_member";
const END_SESSIONS: &str = "/api/end_member_sessions";

/// The members of the organization; the search is in the URL (`search`).
#[component]
#[must_use]
pub fn MembersPage() -> impl IntoView {
    let slug = use_slug();
    let search = use_search();
    let members = Answer::to(
        move || format!("{}?{}", slug.read(), search.read()),
        move || members_page(slug.get_untracked(), search.get_untracked()),
    );
    let (organization, flash) = (current_organization().0, current_flash());
    answered(move || async move {
        let flash = flash.read().await;
        match (organization.read().await, members.read().await) {
            (Ok(organization), Ok(page)) => list(page, &organization, &flash),
            (Err(refusal), _) | (_, Err(refusal)) => view! { <Refused refusal=refusal/> }.into_any(),
        }
    })
}

fn list(page: Members, organization: &OrganizationView, flash: &Flash) -> AnyView {
    let Members { members, total, search } = page;
    let OrganizationView { name, slug, .. } = organization;
    let path = format!("/{slug}/settings/members");
    let count = if total == 1 { "1 member".to_owned() } else { format!("{total} members") };
    let nobody = members.is_empty().then(|| nobody(&search, slug));
    let rows: Vec<_> = members.into_iter().map(|member| row(member, organization)).collect();
    view! {
        <Title text=format!("Members · {name}")/>
        <header class="page-head"><div><h1>"Members"</h1><p>{count} " in " {name.clone()} "."</p></div></header>
        {left_by(&[CHANGE, REMOVE, END_SESSIONS], flash, &[])}
        <SearchForm path=path search=search label="Search members" placeholder="Name or e-mail"/>
        {nobody}
        <ul class="list members">{rows}</ul>
    }
    .into_any()
}

fn nobody(search: &str, slug: &str) -> impl IntoView + use<> {
    view! {
        <div class="empty">
            <p>"Nobody here is called “" {search.to_owned()} "”."</p>
            <p><a class="button" href=format!("/{slug}/settings/members")>"Show all members"</a></p>
        </div>
    }
}

fn row(member: MemberRow, organization: &OrganizationView) -> AnyView {
    let OrganizationView { name: of, slug, reads_audit_log, .. } = organization;
    let actions = view! {
        {role(&member, slug)}
        {member.sessions_endable.then(|| end_sessions(&member, slug))}
        {removal(&member, of, slug)}
    };
    let MemberRow { user_id, name, email, joined, is_viewer, .. } = member;
    let (actor, object) = (format!("user:{user_id}"), format!("member:{user_id}"));
    let history = reads_audit_log.then(|| history_links(slug, Some(actor), object, "them", &name));
    let below = view! { {email} " " <span class="whole">"· since " {joined}</span> {history} };
    person(name, is_viewer, below.into_any(), actions.into_any())
}

fn role(member: &MemberRow, slug: &str) -> AnyView {
    let MemberRow { user_id, name, role, assignable_roles, .. } = member;
    if assignable_roles.is_empty() {
        return view! { <span class="badge">{role.clone()}</span> }.into_any();
    }
    let mut roles = assignable_roles.clone();
    if !roles.contains(role) {
        roles.insert(0, role.clone());
    }
    role_form(CHANGE, &[("organization", slug), ("user_id", user_id)], name, role, roles)
}

fn end_sessions(member: &MemberRow, slug: &str) -> AnyView {
    let MemberRow { user_id, name, .. } = member;
    let question = format!(
        "End every session of {name}? They are signed out everywhere at once, and have to sign in anew. They stay a member."
    );
    let button = format!("End the sessions of {name}");
    confirmed(END_SESSIONS, &[("organization", slug), ("user_id", user_id)], "End sessions", question, button)
}

fn removal(member: &MemberRow, organization: &str, slug: &str) -> Option<AnyView> {
    let MemberRow { user_id, name, is_viewer, removable, .. } = member;
    if !removable {
        return None;
    }
    if *is_viewer {
        return Some(leaving(user_id, organization, slug));
    }
    let question =
        format!("Remove {name} from {organization}? They lose access at once. What they did stays in the audit logs.");
    let fields = [("organization", slug), ("user_id", user_id.as_str())];
    Some(confirmed(REMOVE, &fields, "Remove", question, format!("Remove {name}")))
}

/// The way out of an organization.
#[must_use]
pub fn leaving(user_id: &str, organization: &str, slug: &str) -> AnyView {
    let question =
        format!("Leave {organization}? You lose access at once. Somebody else must invite you to come back.");
    let fields = [("organization", slug), ("user_id", user_id)];
    confirmed(REMOVE, &fields, "Leave", question, format!("Leave {organization}"))
}
