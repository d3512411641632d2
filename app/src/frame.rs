//! The frame around the pages of who is signed in: organization switcher, navigation, user menu.

use leptos::prelude::*;
use leptos_router::components::Outlet;
use leptos_router::hooks::use_location;

use orgtrail::identity::view::{OrganizationLink, ViewerView};
use orgtrail::organization::view::OrganizationView;

use crate::answer::Answer;
use crate::context::CurrentOrganization;
use crate::identity::server_fns::viewer;
use crate::organization::server_fns::organization_view;
use crate::routes::{use_path_and_query, use_slug};
use crate::ui::answered::answered;
use crate::ui::avatar::{Avatar, initials};
use crate::ui::icon::Icon;
use crate::ui::moved::Moved;

/// Around every page of an organization; provides it to them.
#[component]
#[must_use]
pub fn OrganizationFrame() -> impl IntoView {
    let slug = use_slug();
    let organization = Answer::to(move || slug.get(), move || organization_view(slug.get_untracked()));
    provide_context(CurrentOrganization(organization));
    let viewer = Answer::to(String::new, viewer);
    view! {
        <Frame viewer=viewer organization=organization>
            {answered(move || async move {
                let present = organization.read().await.map(|found| found.slug);
                present.ok().and_then(|present| moved_from(&slug.get_untracked(), &present)).into_any()
            })}
            <Outlet/>
        </Frame>
    }
}

/// Moves on from a retired slug to the same page and query under the present one.
fn moved_from(asked: &str, present: &str) -> Option<AnyView> {
    let here = use_path_and_query().get_untracked();
    let rest = here.strip_prefix('/').and_then(|path| path.strip_prefix(asked)).unwrap_or_default();
    (present != asked).then(|| view! { <Moved path=format!("/{present}{rest}") status=308/> }.into_any())
}

/// Around a page that belongs to no organization.
#[component]
#[must_use]
pub fn PlainFrame(
    /// The signed-in user.
    viewer: Answer<ViewerView>,
    /// The page.
    children: Children,
) -> impl IntoView {
    view! { <Frame viewer=viewer>{children()}</Frame> }
}

#[component]
fn Frame(
    viewer: Answer<ViewerView>,
    #[prop(optional)] organization: Option<Answer<OrganizationView>>,
    children: Children,
) -> impl IntoView {
    let side = answered(move || async move {
        let viewer = viewer.read().await.ok();
        let organization = match organization {
            Some(organization) => organization.read().await.ok(),
            None => None,
        };
        view! { <Side viewer=viewer organization=organization/> }.into_any()
    });
    // A popover where the screen is narrow, a column where it is wide: the style sheet decides.
    view! {
        <a class="skip" href="#content">"Skip to content"</a>
        <div class="frame">
            <header class="topbar">
                <button class="button button-quiet" type="button" popovertarget="navigation">
                    {Icon::Menu.draw()} "Menu"
                </button>
                <a class="brand" href="/">"Orgtrail"</a>
            </header>
            <aside class="side" id="navigation" popover="auto" aria-label="Organization and account">
                {side}
            </aside>
            <main class="content" id="content" tabindex="-1">{children()}</main>
        </div>
    }
    .into_any()
}

#[component]
fn Side(viewer: Option<ViewerView>, organization: Option<OrganizationView>) -> impl IntoView {
    let Some(viewer) = viewer else {
        return view! { <a class="brand" href="/">"Orgtrail"</a> }.into_any();
    };
    let ViewerView { name, email, organizations } = viewer;
    view! {
        <Switcher organizations=organizations present=organization.clone()/>
        {organization.map(|organization| view! { <Navigation organization=organization/> })}
        <UserMenu name=name email=email/>
    }
    .into_any()
}

#[component]
fn Switcher(organizations: Vec<OrganizationLink>, present: Option<OrganizationView>) -> impl IntoView {
    let (slug, name) = match present {
        Some(present) => (present.slug, present.name),
        None => (String::new(), "Organizations".to_owned()),
    };
    let letter = initials(&name).chars().next().map(String::from).unwrap_or_default();
    view! {
        <details class="menu menu-wide" name="side">
            <summary class="switcher">
                <span class="monogram" aria-hidden="true">{letter}</span>
                <span class="switcher-name">{name}</span>
                {Icon::Down.draw()}
            </summary>
            <ul class="panel menu-list">
                {organizations.into_iter().map(|link| organization_item(link, &slug)).collect_view()}
                <li class="menu-rule"><a href="/organizations/new">"New organization"</a></li>
            </ul>
        </details>
    }
}

fn organization_item(link: OrganizationLink, present: &str) -> impl IntoView + use<> {
    let is_present = link.slug == present;
    view! {
        <li>
            <a href=format!("/{}", link.slug) aria-current=is_present.then_some("true")>
                <span class="menu-text">{link.name}<small>{link.role}</small></span>
                {is_present.then(|| Icon::Check.draw())}
            </a>
        </li>
    }
}

/// The pages that exist, and that the viewer may see.
#[component]
fn Navigation(organization: OrganizationView) -> impl IntoView {
    let OrganizationView { slug, reads_audit_log, manages_access_tokens, manages_invites, .. } = organization;
    let invites = manages_invites.then(|| nav_link(format!("/{slug}/settings/invites"), "Invites"));
    let access_tokens =
        manages_access_tokens.then(|| nav_link(format!("/{slug}/settings/access-tokens"), "Access tokens"));
    let audit_logs = reads_audit_log.then(|| nav_link(format!("/{slug}/settings/audit-logs"), "Audit logs"));
    view! {
        <nav aria-label="Organization">
            <ul class="nav">
                {nav_link(format!("/{slug}"), "Overview")}
                {list_link(format!("/{slug}/graphs"), "Graphs")}
                {list_link(format!("/{slug}/models"), "Models")}
            </ul>
        </nav>
        <nav aria-labelledby="settings-heading">
            <h2 class="nav-heading" id="settings-heading">"Settings"</h2>
            <ul class="nav">
                {nav_link(format!("/{slug}/settings"), "General")}
                {nav_link(format!("/{slug}/settings/members"), "Members")}
                {list_link(format!("/{slug}/settings/teams"), "Teams")}
                {invites}
                {access_tokens}
                {audit_logs}
            </ul>
        </nav>
    }
}

/// A link that is marked on its own page.
fn nav_link(href: String, label: &'static str) -> AnyView {
    marked_link(href, label, None)
}

/// A link that is marked on its own page, which is a list, and on the page of each thing that is listed.
fn list_link(href: String, label: &'static str) -> AnyView {
    let below = format!("{href}/");
    marked_link(href, label, Some(below))
}

fn marked_link(href: String, label: &'static str, below: Option<String>) -> AnyView {
    let path = use_location().pathname;
    let target = href.clone();
    let current = move || {
        path.with(|path| match &below {
            _ if path.trim_end_matches('/') == target => Some("page"),
            Some(below) if path.starts_with(below) => Some("true"),
            _ => None,
        })
    };
    view! { <li><a href=href aria-current=current>{label}</a></li> }.into_any()
}

#[component]
fn UserMenu(name: String, email: String) -> impl IntoView {
    view! {
        <details class="menu menu-wide menu-up user-menu" name="side">
            <summary class="switcher">
                <Avatar initials=initials(&name)/>
                <span class="switcher-name">{name}<small>{email}</small></span>
                {Icon::Down.draw()}
            </summary>
            <ul class="panel menu-list">
                <li><a href="/account">"Your account"</a></li>
                <li class="menu-rule"><SignOut/></li>
            </ul>
        </details>
    }
}

/// A form, so that signing out works without JavaScript and is never a link.
#[component]
#[must_use]
pub fn SignOut() -> impl IntoView {
    view! {
        <form method="post" action="/api/logout">
            <button class="menu-button" type="submit">"Sign out"</button>
        </form>
    }
}
