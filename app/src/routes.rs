//! The application: which path shows which page, and what all pages share.

use leptos::children::ToChildren;
use leptos::ev;
use leptos::prelude::*;
use leptos_meta::{Title, provide_meta_context};
use leptos_router::components::{ParentRoute, Route, Router, Routes, RoutesProps};
use leptos_router::hooks::{use_location, use_params_map};
use leptos_router::{MatchNestedRoutes, SsrMode, path};
use wasm_bindgen::JsCast;

use orgtrail::identity::view::Flash;

use crate::answer::{Answer, Told};
use crate::audit::page::AuditLogsPage;
use crate::browser;
use crate::context::{CurrentFlash, Hydrated};
use crate::frame::OrganizationFrame;
use crate::graph::GraphsPage;
use crate::graph::branch::BranchPage;
use crate::graph::document::DocumentPage;
use crate::graph::documents::DocumentsPage;
use crate::graph::one::GraphPage;
use crate::graph::subgraph::SubgraphPage;
use crate::graph::supergraph::SupergraphPage;
use crate::graph::supergraphs::SupergraphsPage;
use crate::graph::version::VersionPage;
use crate::home::HomePage;
use crate::identity::access_tokens::AccessTokensPage;
use crate::identity::account::AccountPage;
use crate::identity::email_change::ConfirmEmailPage;
use crate::identity::login::LoginPage;
use crate::identity::recovery::{ForgotPage, ResetPage};
use crate::identity::server_fns::flash;
use crate::identity::signup::SignupPage;
use crate::lazy::lazy;
use crate::model::ModelsPage;
use crate::model::one::ModelPage;
use crate::organization::general::GeneralPage;
use crate::organization::invite::InvitePage;
use crate::organization::invites::InvitesPage;
use crate::organization::members::MembersPage;
use crate::organization::new::NewOrganizationPage;
use crate::organization::overview::OverviewPage;
use crate::organization::teams::TeamsPage;
use crate::organization::teams::team::TeamPage;
use crate::ui::refused::NotFoundPage;

/// Every page is sent when all that it shows is there, so that its status is right and its content is in the first HTML.
///
/// `PartiallyBlocked` promises the same and lets the rest stream, but (0.8.23) its first chunk can leave before a blocking
/// resource that has just come is rendered: one answer in three had status 200 and an empty page with a script. What must
/// not be waited for is asked by the browser instead, see [`Hydrated`].
const PAGE: SsrMode = SsrMode::Async;

/// The whole application, on the server and in the browser.
#[component]
#[must_use]
pub fn App() -> impl IntoView {
    provide_meta_context();
    Hydrated::provide();
    view! {
        <Title formatter=document_title/>
        <Router>
            <Pages/>
        </Router>
    }
}

/// The title of the document. Leptos writes it into the HTML as it is (0.8), so that the server must make the names in it harmless; the
/// browser sets it as text.
fn document_title(page: String) -> String {
    let title = if page.is_empty() { "Orgtrail".to_owned() } else { format!("{page} · Orgtrail") };
    if cfg!(feature = "ssr") { title.replace('&', "&amp;").replace('<', "&lt;") } else { title }
}

#[component]
fn Pages() -> impl IntoView {
    provide_flash();
    tend_menus();
    Routes(RoutesProps::builder().fallback(NotFoundPage).children(ToChildren::to_children(routes)).build())
}

/// Which path shows which page, and the chunk of its code: pages that people open one after the other share one.
pub fn routes() -> impl MatchNestedRoutes<Match: 'static> + Clone + Send + 'static {
    view! {
        <Route path=path!("/") view=lazy!(entry, HomePage) ssr=PAGE/>
        <Route path=path!("/login") view=lazy!(entry, LoginPage) ssr=PAGE/>
        <Route path=path!("/signup") view=lazy!(entry, SignupPage) ssr=PAGE/>
        <Route path=path!("/forgot") view=lazy!(entry, ForgotPage) ssr=PAGE/>
        <Route path=path!("/reset/:secret") view=lazy!(entry, ResetPage) ssr=PAGE/>
        <Route path=path!("/invites/:secret") view=lazy!(entry, InvitePage) ssr=PAGE/>
        <Route path=path!("/account") view=lazy!(entry, AccountPage) ssr=PAGE/>
        <Route path=path!("/account/email/:secret") view=lazy!(entry, ConfirmEmailPage) ssr=PAGE/>
        <Route path=path!("/organizations/new") view=lazy!(entry, NewOrganizationPage) ssr=PAGE/>
        <ParentRoute path=path!("/:organization") view=OrganizationFrame ssr=PAGE>
            <Route path=path!("") view=lazy!(entry, OverviewPage) ssr=PAGE/>
            <Route path=path!("/graphs") view=lazy!(graph, GraphsPage) ssr=PAGE/>
            <Route path=path!("/graphs/:graph") view=lazy!(graph, GraphPage) ssr=PAGE/>
            <Route path=path!("/graphs/:graph/branches/:branch") view=lazy!(graph, BranchPage) ssr=PAGE/>
            <Route path=path!("/graphs/:graph/branches/:branch/subgraphs/:subgraph") view=lazy!(graph, SubgraphPage) ssr=PAGE/>
            <Route path=path!("/graphs/:graph/branches/:branch/subgraphs/:subgraph/versions/:number") view=lazy!(graph, VersionPage) ssr=PAGE/>
            <Route path=path!("/graphs/:graph/branches/:branch/documents") view=lazy!(graph, DocumentsPage) ssr=PAGE/>
            <Route path=path!("/graphs/:graph/branches/:branch/documents/document") view=lazy!(graph, DocumentPage) ssr=PAGE/>
            <Route path=path!("/graphs/:graph/branches/:branch/supergraphs") view=lazy!(graph, SupergraphsPage) ssr=PAGE/>
            <Route path=path!("/graphs/:graph/branches/:branch/supergraphs/:number") view=lazy!(graph, SupergraphPage) ssr=PAGE/>
            <Route path=path!("/models") view=lazy!(model, ModelsPage) ssr=PAGE/>
            <Route path=path!("/models/:model") view=lazy!(model, ModelPage) ssr=PAGE/>
            <Route path=path!("/settings") view=lazy!(settings, GeneralPage) ssr=PAGE/>
            <Route path=path!("/settings/members") view=lazy!(settings, MembersPage) ssr=PAGE/>
            <Route path=path!("/settings/teams") view=lazy!(settings, TeamsPage) ssr=PAGE/>
            <Route path=path!("/settings/teams/:team") view=lazy!(settings, TeamPage) ssr=PAGE/>
            <Route path=path!("/settings/invites") view=lazy!(settings, InvitesPage) ssr=PAGE/>
            <Route path=path!("/settings/access-tokens") view=lazy!(settings, AccessTokensPage) ssr=PAGE/>
            <Route path=path!("/settings/audit-logs") view=lazy!(audit, AuditLogsPage) ssr=PAGE/>
        </ParentRoute>
    }
    .into_inner()
}

/// The flash is read once, for the page that the browser loaded: forms are answered by whole loads, and a page reached
/// by a link inside has none.
fn provide_flash() {
    let path = use_location().pathname;
    let loaded = path.get_untracked();
    let is_loaded = Memo::new(move |_| path.read() == loaded);
    let waiting = Answer::to(
        move || is_loaded.get().to_string(),
        move || async move { if is_loaded.get_untracked() { flash().await } else { Ok(Told::tell(Flash::default())) } },
    );
    provide_context(CurrentFlash(waiting));
}

/// Menus are `details`, which open without JavaScript; with it they also close when one clicks elsewhere, presses
/// Escape or goes to another page.
fn tend_menus() {
    let path = use_location().pathname;
    Effect::new(move |before: Option<String>| {
        let now = path.get();
        if before.is_some_and(|before| before != now) {
            browser::close_menus(None);
            browser::close_navigation();
        }
        now
    });
    Effect::new(|_| {
        let click = window_event_listener(ev::click, |event| {
            browser::close_menus(event.target().and_then(|target| target.dyn_into().ok()).as_ref());
        });
        let key = window_event_listener(ev::keydown, |event| {
            if event.key() == "Escape" && browser::leave_menu() {
                event.prevent_default();
            }
        });
        on_cleanup(move || {
            click.remove();
            key.remove();
        });
    });
}

/// The slug in the path.
#[must_use]
pub fn use_slug() -> Memo<String> {
    use_segment("organization")
}

/// A parameter of the path.
#[must_use]
pub fn use_segment(name: &'static str) -> Memo<String> {
    let parameters = use_params_map();
    Memo::new(move |_| parameters.with(|all| all.get(name)).unwrap_or_default())
}

/// Path and query string of the page, for `next` and for links that change only the query.
#[must_use]
pub fn use_path_and_query() -> Signal<String> {
    let location = use_location();
    Signal::derive(move || {
        let (path, search) = (location.pathname.read(), location.search.read());
        if search.is_empty() { path.clone() } else { format!("{}?{}", *path, *search) }
    })
}

/// `next` if it is a path of ours, `/` otherwise: never another site's address, and nothing that a browser mends into one.
#[must_use]
pub fn own_path(next: &str) -> &str {
    let elsewhere = next.starts_with("//") || next.contains('\\') || next.chars().any(char::is_control);
    if next.starts_with('/') && !elsewhere { next } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::own_path;

    #[test]
    fn goes_on_to_own_paths_only() {
        assert_eq!(own_path("/acme/settings/audit-logs?range=7d"), "/acme/settings/audit-logs?range=7d");
        for next in
            ["", "acme", "//evil.example", "/\\evil.example", "https://evil.example", "/\t/evil.example", "/a\r\nb"]
        {
            assert_eq!(own_path(next), "/", "{next:?}");
        }
    }
}
