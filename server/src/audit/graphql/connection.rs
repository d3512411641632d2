//! Pages of a log.

use async_graphql::OutputType;
use orgtrail::audit::logs::LogPage;

use crate::graphql::connection::{Edge, Page, PageInfo};

impl<D, E: OutputType + From<D>> From<LogPage<D>> for Page<E> {
    fn from(page: LogPage<D>) -> Self {
        let end_cursor = page.entries.last().map(|(cursor, _)| cursor.clone());
        let page_info = PageInfo { has_next_page: page.has_next_page, end_cursor };
        let edge = |(cursor, entry)| Edge { cursor, node: E::from(entry) };
        Self { page_info, edges: page.entries.into_iter().map(edge).collect() }
    }
}
