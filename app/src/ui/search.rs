//! The search above a list: in the URL, as `search`.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos_router::hooks::{use_navigate, use_query_map};

use super::row::hidden;
use crate::audit::links::Query;
use crate::browser;

/// What is searched for.
#[must_use]
pub fn use_search() -> Memo<String> {
    let query = use_query_map();
    Memo::new(move |_| query.with(|all| all.get("search")).unwrap_or_default())
}

/// The form; `path` is the list's own.
#[component]
#[must_use]
pub fn SearchForm(
    /// Path of the list.
    path: String,
    /// What is searched for now.
    search: String,
    /// What the field is called for those who do not see it.
    label: &'static str,
    /// What may be typed.
    placeholder: &'static str,
    /// Parameters of the list that stay.
    #[prop(optional)]
    kept: Vec<(&'static str, String)>,
) -> impl IntoView {
    let (action, navigate) = (path.clone(), use_navigate());
    let submit = move |event: SubmitEvent| {
        if let Some(query) = browser::form_query(&event) {
            event.prevent_default();
            navigate(&Query::parse(&query).on(&path), Default::default());
        }
    };
    let kept: Vec<_> = kept.iter().map(|(name, value)| (*name, value.as_str())).collect();
    view! {
        <form method="get" action=action class="bar" role="search" on:submit=submit>
            {hidden(&kept)}
            <input
                class="search" type="search" name="search" value=search.clone() prop:value=search
                aria-label=label placeholder=placeholder
            />
            <button class="button" type="submit">"Search"</button>
        </form>
    }
}
