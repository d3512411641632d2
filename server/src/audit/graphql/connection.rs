//! Pages of a log.

use async_graphql::OutputType;
use orgtrail::audit::logs::{LogPage, Placed};

use crate::graphql::connection::{Cursor, Edge, Edges, Page, PageInfo};

impl<D: Placed, E: OutputType + From<D>> From<LogPage<D>> for Page<E> {
    fn from(page: LogPage<D>) -> Self {
        let LogPage { entries, has_next_page, cursors } = page;
        let end_cursor = entries.last().map(|last| cursors.of(last.position()));
        let edge = |entry: D| {
            let (cursors, position) = (cursors.clone(), entry.position());
            Edge { cursor: Cursor::Made(Box::new(move || cursors.of(position))), node: E::from(entry) }
        };
        let edges = Edges(entries.into_iter().map(edge).collect());
        Self { page_info: PageInfo { has_next_page, end_cursor }, edges }
    }
}
