//! Pages of a log, in the form that Relay's clients know.

use std::borrow::Cow;

use async_graphql::{OutputType, SimpleObject, TypeName};
use orgtrail::audit::logs::LogPage;

/// A page of a log, newest first.
#[derive(SimpleObject)]
#[graphql(name_type, serial)]
pub struct Log<E: OutputType> {
    /// Where the page ends.
    pub page_info: PageInfo,
    /// The entries.
    pub edges: Vec<Edge<E>>,
}

/// An entry and its cursor.
#[derive(SimpleObject)]
#[graphql(name_type, serial)]
pub struct Edge<E: OutputType> {
    /// Names the place after this entry, for `after`: good for the same log, filter and times.
    pub cursor: String,
    /// The entry.
    pub node: E,
}

impl<E: OutputType> TypeName for Log<E> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Connection", E::type_name()).into()
    }
}

impl<E: OutputType> TypeName for Edge<E> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Edge", E::type_name()).into()
    }
}

/// Where a page ends.
#[derive(SimpleObject, Clone)]
#[graphql(serial)]
pub struct PageInfo {
    /// Whether there are older entries.
    pub has_next_page: bool,
    /// The cursor of the last entry; null on an empty page.
    pub end_cursor: Option<String>,
}

impl<D, E: OutputType + From<D>> From<LogPage<D>> for Log<E> {
    fn from(page: LogPage<D>) -> Self {
        let end_cursor = page.entries.last().map(|(cursor, _)| cursor.clone());
        let page_info = PageInfo { has_next_page: page.has_next_page, end_cursor };
        let edge = |(cursor, entry)| Edge { cursor, node: E::from(entry) };
        Self { page_info, edges: page.entries.into_iter().map(edge).collect() }
    }
}
