//! `/{org}/settings/audit-logs`: the whole state is in the URL; the first HTML holds the table.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_location;

use orgtrail::audit::view::{ActorChoice, EventDetail, EventPage, ExportCount};

use super::damage::DamageNotice;
use super::export_bar::ExportBar;
use super::filters::{Chips, FilterBar, Kinds};
use super::keyboard::Keyboard;
use super::links::{Query, list_of, scope_of};
use super::server_fns::{audit_actors, audit_count, audit_event, audit_page};
use super::states::{Footer, nothing_to_show, skeleton};
use super::table::{EventTable, LinkedEvent};
use crate::answer::{Answer, Told};
use crate::context::{Hydrated, current_organization};
use crate::routes::use_slug;
use crate::ui::answered::answered_after;
use crate::ui::refused::Refused;
use crate::ui::time::LocalTimes;
use crate::wire::Refusal;

/// The event that the URL opens, if it opens one.
pub type OpenEvent = Result<Option<EventDetail>, Refusal>;

/// What the page asks the server. The count is no part of the page: it may come later, or not at all.
#[derive(Clone, Copy)]
struct Asked {
    page: Answer<EventPage>,
    event: Answer<Option<EventDetail>>,
    actors: Answer<Vec<ActorChoice>>,
    count: Answer<Option<ExportCount>>,
}

/// Where the links of the page lead: its path and its present query.
#[derive(Debug, Clone)]
pub struct Here {
    /// Path of the page.
    pub path: String,
    /// Query string, taken apart.
    pub query: Query,
}

impl Here {
    /// Address of this page with another query.
    #[must_use]
    pub fn with(&self, query: &Query) -> String {
        query.on(&self.path)
    }
}

/// Everything that was answered for one look at the page.
struct Shown {
    here: Here,
    organization: String,
    page: EventPage,
    event: OpenEvent,
    actors: Vec<ActorChoice>,
    count: Answer<Option<ExportCount>>,
}

/// Settings → Audit Logs.
#[component]
#[must_use]
pub fn AuditLogsPage() -> impl IntoView {
    let (slug, search) = (use_slug(), use_location().search);
    let asked = ask(slug, search);
    let organization = current_organization().0;
    let (pending, set_pending) = signal(false);
    LocalTimes::provide();
    let content = answered_after(skeleton, set_pending, move || async move {
        let organization = organization.read().await.map(|found| found.name).unwrap_or_default();
        let (event, actors) = (asked.event.read().await, asked.actors.read().await.unwrap_or_default());
        let path = format!("/{}/settings/audit-logs", slug.get_untracked());
        let here = Here { path, query: Query::parse(&search.get_untracked()) };
        match asked.page.read().await {
            Ok(page) => body(Shown { here, organization, page, event, actors, count: asked.count }),
            Err(refusal) => view! { <Refused refusal=refusal/> }.into_any(),
        }
    });
    view! {
        <Title text="Audit logs"/>
        <div class="audit" aria-busy=move || pending.get().to_string()>
            {content}
        </div>
        <Keyboard/>
    }
}

/// Asks at the top of the page, so that everything is asked at once and the response waits for all but the count.
fn ask(slug: Memo<String>, search: Memo<String>) -> Asked {
    let list = Memo::new(move |_| list_of(&search.read()));
    let scope = Memo::new(move |_| scope_of(&search.read()));
    let open = Memo::new(move |_| Query::parse(&search.read()).get("event").unwrap_or_default().to_owned());
    let by = move |rest: Memo<String>| move || format!("{}?{}", slug.read(), rest.read());
    let page = Answer::to(by(list), move || audit_page(slug.get_untracked(), list.get_untracked()));
    Asked {
        page,
        event: Answer::to(by(open), move || open_event(slug.get_untracked(), open.get_untracked())),
        actors: Answer::to(move || slug.get(), move || audit_actors(slug.get_untracked())),
        count: Answer::to(
            move || format!("{}?{}?{}", slug.read(), scope.read(), Hydrated::get()),
            move || count(Hydrated::get(), page, slug.get_untracked(), scope.get_untracked()),
        ),
    }
}

/// Asks how many events the download contains; not while the page is rendered on the server, which it would hold up, and
/// not for a page that was refused.
async fn count(
    hydrated: bool,
    page: Answer<EventPage>,
    slug: String,
    scope: String,
) -> Result<Told<Option<ExportCount>>, Refusal> {
    if !hydrated || page.is_refused().await {
        return Ok(Told::none());
    }
    audit_count(slug, scope).await.map(Told::some)
}

/// Asks for the event that the URL opens; nothing is asked if it opens none.
async fn open_event(slug: String, id: String) -> Result<Told<Option<EventDetail>>, Refusal> {
    if id.is_empty() { Ok(Told::none()) } else { audit_event(slug, id).await.map(Told::some) }
}

fn body(shown: Shown) -> AnyView {
    let Shown { here, organization, page, event, actors, count } = shown;
    let EventPage { range, filter, events, newer, older, trail_is_empty, complete_through, damage, export_query } =
        page;
    let empty = events.is_empty().then(|| nothing_to_show(&here, &range, &filter, trail_is_empty));
    let about = format!("What members and access tokens did in {organization}. Kept for 90 days.");
    // Of a damaged log nobody can say that.
    let complete_through = damage.is_none().then_some(complete_through);
    let table = (!events.is_empty())
        .then(|| view! { <EventTable here=here.clone() kinds=filter.kinds.clone() events=events.clone() open=event.clone()/> });
    // The histogram of events per day has its place between the chips and the table; the query language in the search
    // box of the filter bar.
    view! {
        <header class="page-head">
            <div><h1>"Audit logs"</h1><p>{about}</p></div>
            <ExportBar export_query=export_query count=count/>
        </header>
        <DamageNotice damage=damage/>
        <Kinds here=here.clone() kinds=filter.kinds.clone()/>
        <FilterBar here=here.clone() range=range filter=filter.clone() actors=actors/>
        <Chips here=here.clone() filter=filter/>
        <LinkedEvent here=here.clone() events=events open=event/>
        {table}
        {empty}
        <Footer here=here newer=newer older=older complete_through=complete_through/>
    }
    .into_any()
}
