//! Pages of lists, in the form that Relay's clients know.

use std::borrow::Cow;

use async_graphql::parser::types::Field;
use async_graphql::registry::Registry;
use async_graphql::{ContextSelectionSet, OutputType, Positioned, ServerResult, SimpleObject, TypeName, Value};
use orgtrail::{Error, Result};

/// Most entries of a page.
const MOST: i32 = 100;

/// A page of a list.
#[derive(SimpleObject)]
#[graphql(name_type, serial)]
pub struct Page<E: OutputType> {
    /// Where the page ends.
    pub page_info: PageInfo,
    /// The entries.
    pub edges: Edges<E>,
}

/// A page of a list that is known whole.
#[derive(SimpleObject)]
#[graphql(name_type, serial)]
pub struct List<E: OutputType> {
    /// Where the page ends.
    page_info: PageInfo,
    /// The entries.
    edges: Edges<E>,
    /// How many there are on all pages, and beyond what was searched for.
    total_count: i64,
}

/// An entry and its cursor.
#[derive(SimpleObject)]
#[graphql(name_type, serial)]
pub struct Edge<E: OutputType> {
    /// Names the place after this entry, for `after`: good for the same list with the same arguments.
    pub cursor: Cursor,
    /// The entry.
    pub node: E,
}

/// The entries of a page, answered one after the other: they are there already, and a future for each would cost more than the rest of it.
pub struct Edges<E: OutputType>(pub Vec<Edge<E>>);

impl<E: OutputType> OutputType for Edges<E> {
    fn type_name() -> Cow<'static, str> {
        <Vec<Edge<E>> as OutputType>::type_name()
    }

    fn qualified_type_name() -> String {
        <Vec<Edge<E>> as OutputType>::qualified_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <Vec<Edge<E>> as OutputType>::create_type_info(registry)
    }

    async fn resolve(&self, context: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        let mut values = Vec::with_capacity(self.0.len());
        for (at, edge) in self.0.iter().enumerate() {
            let context = context.with_index(at);
            values.push(edge.resolve(&context, field).await.map_err(|error| context.set_error_path(error))?);
        }
        Ok(Value::List(values))
    }
}

/// The cursor of an entry.
pub enum Cursor {
    /// Known already.
    Known(String),
    /// Made when somebody asks for it, which hardly anybody does who reads page after page.
    Made(Box<dyn Fn() -> String + Send + Sync>),
}

impl OutputType for Cursor {
    fn type_name() -> Cow<'static, str> {
        <String as OutputType>::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <String as OutputType>::create_type_info(registry)
    }

    async fn resolve(&self, _context: &ContextSelectionSet<'_>, _field: &Positioned<Field>) -> ServerResult<Value> {
        Ok(Value::String(match self {
            Self::Known(cursor) => cursor.clone(),
            Self::Made(make) => make(),
        }))
    }
}

impl<E: OutputType> TypeName for Page<E> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Connection", E::type_name()).into()
    }
}

impl<E: OutputType> TypeName for List<E> {
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
    /// Whether there are further entries.
    pub has_next_page: bool,
    /// The cursor of the last entry; null on an empty page.
    pub end_cursor: Option<String>,
}

/// Which part of a list is asked for.
#[derive(Debug, Clone)]
pub struct Part {
    first: i32,
    after: Option<String>,
}

impl Part {
    /// The `first` entries after the cursor `after`.
    #[must_use]
    pub fn new(first: i32, after: Option<String>) -> Self {
        Self { first, after }
    }

    /// How many entries are asked for, of at most `most`.
    fn count(&self, most: i32) -> Result<usize> {
        let asked = Some(self.first).filter(|first| (1..=most).contains(first));
        let refused = || Error::invalid("first", format!("Ask for 1 to {most}."));
        asked.and_then(|first| usize::try_from(first).ok()).ok_or_else(refused)
    }

    /// The cursor, as a list has made it.
    ///
    /// # Errors
    /// [`Error::BadCursor`] for what `parse` takes for none.
    pub fn parsed<T>(&self, parse: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>> {
        self.after.as_deref().map(|after| parse(after).ok_or(Error::BadCursor)).transpose()
    }

    /// The cursor, as the number that the entries of some lists have.
    ///
    /// # Errors
    /// [`Error::BadCursor`] for what is none.
    pub fn number(&self) -> Result<Option<i32>> {
        self.parsed(|after| after.parse().ok())
    }
}

impl<E: OutputType> List<E> {
    /// The part of a whole list, whose cursors are the keys of its entries. `total` counts those too that a search left out.
    ///
    /// # Errors
    /// [`Error::Invalid`] for `first`; [`Error::BadCursor`] if the entry of the cursor is not in the list any more.
    pub fn part(entries: Vec<(String, E)>, total: i64, part: &Part) -> Result<Self> {
        let count = part.count(MOST)?;
        let start = match &part.after {
            None => 0,
            Some(after) => entries.iter().position(|(key, _)| key == after).ok_or(Error::BadCursor)? + 1,
        };
        let has_next_page = entries.len() - start > count;
        let shown: Vec<_> = entries.into_iter().skip(start).take(count).collect();
        Ok(Self { page_info: PageInfo::of(&shown, has_next_page), edges: Edges::of(shown), total_count: total })
    }

    /// The part of a list of which there is nothing beyond `entries`.
    ///
    /// # Errors
    /// As [`List::part`].
    pub fn all(entries: Vec<(String, E)>, part: &Part) -> Result<Self> {
        let total = i64::try_from(entries.len()).map_err(Error::internal)?;
        Self::part(entries, total, part)
    }
}

impl<E: OutputType> Page<E> {
    /// Most entries of a page that a use case reads: of lists that it pages itself.
    pub const READ: i32 = 50;

    /// The beginning of what a use case read, which has more to read or not.
    ///
    /// # Errors
    /// [`Error::Invalid`] for `first`.
    pub fn beginning(entries: Vec<(String, E)>, has_more: bool, part: &Part) -> Result<Self> {
        let count = part.count(Self::READ)?;
        let has_next_page = has_more || entries.len() > count;
        let shown: Vec<_> = entries.into_iter().take(count).collect();
        Ok(Self { page_info: PageInfo::of(&shown, has_next_page), edges: Edges::of(shown) })
    }
}

impl<E: OutputType> Edges<E> {
    fn of(entries: Vec<(String, E)>) -> Self {
        Self(entries.into_iter().map(|(cursor, node)| Edge { cursor: Cursor::Known(cursor), node }).collect())
    }
}

impl PageInfo {
    fn of<E>(entries: &[(String, E)], has_next_page: bool) -> Self {
        Self { has_next_page, end_cursor: entries.last().map(|(cursor, _)| cursor.clone()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(first: i32, after: Option<&str>) -> Result<(String, bool, Option<String>)> {
        let entries = ["a", "b", "c"].map(|name| (name.to_owned(), name.to_owned()));
        let part = Part::new(first, after.map(str::to_owned));
        let list = List::part(entries.into(), 7, &part)?;
        assert_eq!(list.total_count, 7);
        let names: Vec<_> = list.edges.0.into_iter().map(|edge| edge.node).collect();
        Ok((names.concat(), list.page_info.has_next_page, list.page_info.end_cursor))
    }

    #[test]
    fn a_list_is_read_to_its_end() {
        assert_eq!(list(2, None).unwrap(), ("ab".to_owned(), true, Some("b".to_owned())));
        assert_eq!(list(2, Some("b")).unwrap(), ("c".to_owned(), false, Some("c".to_owned())));
        assert_eq!(list(2, Some("c")).unwrap(), (String::new(), false, None));
        assert!(matches!(list(2, Some("z")), Err(Error::BadCursor)));
        for first in [i32::MIN, 0, 101] {
            assert_eq!(list(first, None).unwrap_err().field(), Some("first"));
        }
    }
}
