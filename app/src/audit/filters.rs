//! The filter bar and the chips. Every choice is a link to another query, so that all of it works without JavaScript;
//! only the search box and the object are forms.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos_router::hooks::use_navigate;

use orgtrail::audit::action::{Action, Group, groups};
use orgtrail::audit::event::Kind;
use orgtrail::audit::view::{ActorChoice, FilterView, RangeView};

use super::links::{Query, toggled};
use super::page::Here;
use super::range_picker::RangePicker;
use crate::browser;
use crate::ui::avatar::{Avatar, initials};
use crate::ui::icon::Icon;

/// Search, range and the pickers.
#[component]
#[must_use]
pub fn FilterBar(
    /// The page's address.
    here: Here,
    /// The range that is shown.
    range: RangeView,
    /// The filters as understood.
    filter: FilterView,
    /// The actors to choose from.
    actors: Vec<ActorChoice>,
) -> impl IntoView {
    view! {
        <div class="bar">
            <SearchBox here=here.clone() words=filter.words.clone().unwrap_or_default()/>
            <RangePicker here=here.clone() range=range/>
            {actor_picker(&here, &filter, actors)}
            {action_picker(&here, &filter)}
            {object_picker(here, &filter)}
        </div>
    }
}

/// A form that goes to this page with what is typed in it, keeping the rest of the query.
#[component]
fn QueryForm(
    here: Here,
    /// The parameters that the form itself holds.
    own: &'static [&'static str],
    class: &'static str,
    role: Option<&'static str>,
    children: Children,
) -> impl IntoView {
    let submit = submit_to(here.path.clone());
    let kept = here.query.all_but(own).map(|(name, value)| {
        view! { <input type="hidden" name=name.clone() value=value.clone() prop:value=value.clone()/> }
    });
    let kept = kept.collect_view();
    view! { <form method="get" action=here.path class=class role=role on:submit=submit>{kept} {children()}</form> }
}

/// Goes to the form's address without a load, and without the fields that are empty.
pub(super) fn submit_to(path: String) -> impl Fn(SubmitEvent) + Clone {
    let navigate = use_navigate();
    move |event: SubmitEvent| {
        if let Some(query) = browser::form_query(&event) {
            event.prevent_default();
            browser::close_menus(None);
            navigate(
                &Query::parse(&query).on(&path),
                leptos_router::NavigateOptions { scroll: false, ..Default::default() },
            );
        }
    }
}

#[component]
fn SearchBox(here: Here, words: String) -> impl IntoView {
    view! {
        <QueryForm here=here own=&["q"] class="search-form" role=Some("search")>
            <input
                class="search" id="search" type="search" name="q" value=words.clone() prop:value=words maxlength="200"
                aria-label="Search the audit logs" placeholder="Search names and values"
            />
            <button class="button button-quiet search-button" type="submit" aria-label="Search">{Icon::Search.draw()}</button>
        </QueryForm>
    }
}

/// A button that opens a panel of choices.
fn picker(label: &'static str, active: usize, panel: AnyView) -> AnyView {
    let number =
        (active > 0).then(|| view! { <span class="picked">{active}<span class="spoken">" chosen"</span></span> });
    view! {
        <details class="menu" name="audit">
            <summary class="button">{label} {number} {Icon::Down.draw()}</summary>
            <div class="panel picker">{panel}</div>
        </details>
    }
    .into_any()
}

/// One choice: a link that adds or removes it.
fn choice(href: String, chosen: bool, content: AnyView) -> AnyView {
    let mark = chosen.then(|| Icon::Check.draw());
    view! { <a class="choice" href=href data-noscroll="true" aria-current=chosen.then_some("true")>{content} <span class="mark">{mark}</span></a> }
        .into_any()
}

fn text(name: String, note: String) -> AnyView {
    view! { <span class="menu-text">{name}<small>{note}</small></span> }.into_any()
}

fn actor_picker(here: &Here, filter: &FilterView, actors: Vec<ActorChoice>) -> AnyView {
    let chosen = filter.actor.as_ref().map(|actor| actor.value.clone());
    let choices = actors.into_iter().map(|actor| {
        let is_chosen = chosen.as_ref() == Some(&actor.value);
        let value = if is_chosen { "" } else { actor.value.as_str() };
        let href = here.with(&here.query.filter("actor", value));
        let avatar = view! { <Avatar initials=initials(&actor.label) is_token=actor.value.starts_with("token:")/> };
        let content = view! { {avatar} {text(actor.label.clone(), actor.note)} }.into_any();
        (actor.label, choice(href, is_chosen, content))
    });
    let panel = view! { <Narrowed choices=choices.collect() label="Find an actor"/> }.into_any();
    picker("Actor", usize::from(filter.actor.is_some()), panel)
}

/// A list that what is typed above narrows, once the page is hydrated.
#[component]
fn Narrowed(choices: Vec<(String, AnyView)>, label: &'static str) -> impl IntoView {
    let typed = RwSignal::new(String::new());
    let items = choices.into_iter().map(|(name, content)| {
        let hidden = move || typed.with(|typed| !typed.is_empty() && !browser::contains(&name, typed));
        view! { <li hidden=hidden>{content}</li> }
    });
    let items = items.collect_view();
    view! {
        <input
            class="narrow needs-script" type="search" aria-label=label placeholder=label
            on:input=move |event| typed.set(browser::typed(&event))
        />
        <ul class="choices">{items}</ul>
    }
}

fn action_picker(here: &Here, filter: &FilterView) -> AnyView {
    let choices = groups().flat_map(|(group, actions)| {
        let whole = (group.name().to_owned(), group_choice(here, filter, group));
        std::iter::once(whole)
            .chain(actions.into_iter().map(|action| (action.name().to_owned(), action_choice(here, filter, action))))
    });
    let panel = view! { <Narrowed choices=choices.collect() label="Find an action"/> }.into_any();
    picker("Action", filter.actions.len(), panel)
}

fn group_choice(here: &Here, filter: &FilterView, group: Group) -> AnyView {
    let pattern = format!("{}.*", group.name());
    let content = view! { <span class="menu-text choice-group"><code>{pattern.clone()}</code><small>{group.description()}</small></span> };
    toggle(here, "action", &filter.actions, &pattern, content.into_any())
}

fn action_choice(here: &Here, filter: &FilterView, action: Action) -> AnyView {
    let content = view! { <span class="menu-text choice-indented"><code>{action.name()}</code><small>{action.description()}</small></span> };
    toggle(here, "action", &filter.actions, action.name(), content.into_any())
}

fn toggle(here: &Here, parameter: &str, chosen: &[String], value: &str, content: AnyView) -> AnyView {
    let href = here.with(&here.query.filter(parameter, &toggled(chosen, value)));
    choice(href, chosen.iter().any(|own| own == value), content)
}

/// The kinds of events, of which one is shown, or all.
#[component]
#[must_use]
pub fn Kinds(
    /// The page's address.
    here: Here,
    /// The chosen kinds.
    kinds: Vec<String>,
) -> impl IntoView {
    let tab = |label: &'static str, value: &str, shown: bool| {
        let href = here.with(&here.query.of_kind(value));
        view! { <li><a href=href data-noscroll="true" aria-current=shown.then_some("true")>{label}</a></li> }
    };
    let one = Kind::ALL.map(|kind| {
        let value = if kind == Kind::Change { "" } else { kind.as_str() };
        tab(kind_name(kind), value, kinds == [kind.as_str()])
    });
    let one = one.collect_view();
    let all = tab("Everything", "all", kinds.len() == Kind::ALL.len());
    view! { <nav aria-label="Kinds of events"><ul class="kinds">{one} {all}</ul></nav> }
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Change => "Changes",
        Kind::Login => "Sign-ins",
        Kind::Operation => "Operations",
        Kind::Export => "Data exports",
    }
}

/// Several kinds, but not all, are no tab: they are a filter, which the address alone can have.
fn is_filter(kinds: &[String]) -> bool {
    (2..Kind::ALL.len()).contains(&kinds.len())
}

fn object_picker(here: Here, filter: &FilterView) -> AnyView {
    let object = filter.object.clone().unwrap_or_default();
    let active = usize::from(!object.is_empty());
    picker("Object", active, view! { <ObjectForm here=here object=object/> }.into_any())
}

#[component]
fn ObjectForm(here: Here, object: String) -> impl IntoView {
    view! {
        <QueryForm here=here own=&["object"] class="form" role=None>
            <div class="field">
                <label for="object">"Object"</label>
                <input
                    id="object" name="object" value=object.clone() prop:value=object autocomplete="off"
                    aria-describedby="object-hint"
                />
                <p class="hint" id="object-hint">"A type like " <code>"member"</code> ", or one object like " <code>"member:ID"</code> "."</p>
            </div>
            <button class="button" type="submit">"Apply"</button>
        </QueryForm>
    }
}

/// One chip per filter, each a link that removes it.
#[component]
#[must_use]
pub fn Chips(
    /// The page's address.
    here: Here,
    /// The filters as understood.
    filter: FilterView,
) -> impl IntoView {
    let removable = removable(&here, &filter);
    let clear = (!removable.is_empty()).then(|| {
        let cleared = here.query.unfiltered();
        let href = here.with(&if is_filter(&filter.kinds) { cleared.filter("kind", "") } else { cleared });
        view! { <li><a class="clear" href=href data-noscroll="true">"Clear all"</a></li> }
    });
    let chips = removable.into_iter().map(|(label, href)| {
        let spoken = format!("Remove filter {label}");
        view! { <li><a class="chip" href=href data-noscroll="true" aria-label=spoken>{label} {Icon::Cross.draw()}</a></li> }
    });
    let chips = chips.collect_view();
    view! { <ul class="chips" aria-label="Filters">{chips} {clear}</ul> }
}

/// Every filter in words, with the address without it.
#[must_use]
pub fn removable(here: &Here, filter: &FilterView) -> Vec<(String, String)> {
    let without = |name: &str, value: &str| here.with(&here.query.filter(name, value));
    let kinds = is_filter(&filter.kinds).then(|| (format!("kind: {}", filter.kinds.join(", ")), without("kind", "")));
    let actions =
        filter.actions.iter().map(|own| (format!("action: {own}"), without("action", &toggled(&filter.actions, own))));
    let actor = filter.actor.as_ref().map(|actor| (format!("actor: {}", actor.label), without("actor", "")));
    let object = filter.object.as_ref().map(|object| (format!("object: {object}"), without("object", "")));
    let words = filter.words.as_ref().map(|words| (format!("words: {words}"), without("q", "")));
    kinds.into_iter().chain(actions).chain(actor).chain(object).chain(words).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_filter_can_be_dropped_alone() {
        let here =
            Here { path: "/a".into(), query: Query::parse("range=7d&action=member.*,team.created&q=ada&after=C") };
        let filter = FilterView {
            kinds: vec!["change".into()],
            actions: vec!["member.*".into(), "team.created".into()],
            words: Some("ada".into()),
            ..FilterView::default()
        };
        let dropped = removable(&here, &filter);
        let expected = [
            ("action: member.*", "/a?range=7d&q=ada&action=team.created"),
            ("action: team.created", "/a?range=7d&q=ada&action=member.*"),
            ("words: ada", "/a?range=7d&action=member.*%2Cteam.created"),
        ];
        assert_eq!(dropped, expected.map(|(label, href)| (label.to_owned(), href.to_owned())));
    }

    #[test]
    fn one_kind_or_all_are_no_filter() {
        let kinds = |chosen: &[&str]| is_filter(&chosen.iter().map(|kind| (*kind).to_owned()).collect::<Vec<_>>());
        assert!(!kinds(&["change"]) && !kinds(&["login"]) && !kinds(&["change", "login", "operation", "export"]));
        assert!(kinds(&["change", "login"]));
    }
}
