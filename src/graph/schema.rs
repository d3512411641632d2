//! What is asked of a schema before anything is composed of it: bounds within which every library behind it stays.

use apollo_parser::{Lexer, Token, TokenKind};

use crate::error::Fault;
use crate::{Error, Result};

/// Largest schema of one subgraph, in bytes (contract §9).
pub const MAX_BYTES: usize = 8 * 1024 * 1024;

/// Largest schemas of one branch together, in bytes: they are held in memory while they are composed.
pub const MAX_BRANCH_BYTES: usize = 32 * 1024 * 1024;

/// Deepest nesting of brackets, of field sets within strings as well: libraries walk down what is nested by calling themselves.
const MAX_NESTING: usize = 32;

/// Most lists in a list: [`graphql_composition`] has no room for more.
const MAX_LISTS: usize = 10;

/// Accepts the text of a schema: UTF-8 of 1 byte to 8 MiB.
///
/// # Errors
/// [`Error::Invalid`] for the field `schema`.
pub fn text(bytes: &[u8]) -> Result<&str> {
    if bytes.is_empty() || bytes.len() > MAX_BYTES {
        let told = format!("A schema has 1 byte to 8 MiB; this one has {} bytes.", bytes.len());
        return Err(Error::invalid("schema", told));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let told = format!("A schema is written in UTF-8; the bytes from {} on are not.", error.valid_up_to());
        Error::invalid("schema", told)
    })?;
    match text.find('\0') {
        None => Ok(text),
        Some(at) => {
            Err(Error::invalid("schema", format!("A schema has no NUL character; this one has one at byte {at}.")))
        }
    }
}

/// What makes a schema, or an operation, one that no library is given: tokens that are none, brackets that are nested too deep, and what
/// [`cynic_parser`] (0.11) panics at: whole numbers beyond 64 bits, and characters of block strings that the GraphQL of October 2021 does not have.
#[must_use]
pub fn unsafe_to_read(part: &str, text: &str) -> Option<Fault> {
    let (mut nesting, mut before) = (Nesting::default(), ["", ""]);
    for token in Lexer::new(text) {
        let token = match token {
            Ok(token) => token,
            Err(error) => return Some(Fault::at(part, text, error.index(), error.message())),
        };
        let is_field_set = token.kind() == TokenKind::StringValue && before == ["fields", ":"];
        if is_beyond(&token)
            || is_field_set && Lexer::new(token.data().trim_matches('"')).flatten().any(|token| is_beyond(&token))
        {
            return Some(Fault::at(part, text, token.index(), "a whole number has more than 64 bits"));
        }
        if let Some((at, character)) = foreign_character(&token) {
            let told = format!("a block string cannot have the character U+{:04X}", u32::from(character));
            return Some(Fault::at(part, text, token.index() + at, told));
        }
        if is_field_set && BLOCKS_IN_STRINGS.iter().any(|block| token.data().contains(block)) {
            return Some(Fault::at(
                part,
                text,
                token.index(),
                "the fields of a directive cannot have block strings in them",
            ));
        }
        if !matches!(token.kind(), TokenKind::Whitespace | TokenKind::Comment | TokenKind::Comma) {
            before = [before[1], token.data()];
        }
        let deep = match token.kind() {
            TokenKind::StringValue => Nesting::default().read(token.data()),
            _ => nesting.read(token.data()),
        };
        if deep {
            let told = format!("brackets are nested deeper than {MAX_NESTING}, or lists deeper than {MAX_LISTS}");
            return Some(Fault::at(part, text, token.index(), told));
        }
    }
    None
}

/// How a block string begins within a string, and within another block string.
const BLOCKS_IN_STRINGS: [&str; 2] = [r#"\"\"\""#, r#"\""""#];

/// The first character of a block string that is none of GraphQL's source characters, and where it is in the token.
fn foreign_character(token: &Token<'_>) -> Option<(usize, char)> {
    let is_block = token.kind() == TokenKind::StringValue && token.data().starts_with(r#"""""#);
    let is_foreign = |character: char| !matches!(character, '\t' | '\n' | '\r' | ' '..='\u{FFFF}');
    token.data().char_indices().filter(|_| is_block).find(|(_, character)| is_foreign(*character))
}

/// Whether it is a whole number beyond 64 bits.
fn is_beyond(token: &Token<'_>) -> bool {
    token.kind() == TokenKind::Int && token.data().parse::<i64>().is_err()
}

/// Open brackets.
#[derive(Default)]
struct Nesting {
    all: usize,
    lists: usize,
}

impl Nesting {
    /// Whether it is too deep anywhere in `text`.
    fn read(&mut self, text: &str) -> bool {
        text.bytes().any(|byte| {
            match byte {
                b'[' => (self.all, self.lists) = (self.all + 1, self.lists + 1),
                b']' => (self.all, self.lists) = (self.all.saturating_sub(1), self.lists.saturating_sub(1)),
                b'{' | b'(' => self.all += 1,
                b'}' | b')' => self.all = self.all.saturating_sub(1),
                _ => {}
            }
            self.all > MAX_NESTING || self.lists > MAX_LISTS
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_is_text_of_a_bounded_size() {
        assert_eq!(text(b"type Query { a: Int }").unwrap(), "type Query { a: Int }");
        for bytes in [b"".as_slice(), b"type \0", b"\xff\xfe", &vec![b' '; MAX_BYTES + 1]] {
            assert_eq!(text(bytes).unwrap_err().field(), Some("schema"));
        }
        assert!(text(&vec![b' '; MAX_BYTES]).is_ok());
    }

    #[test]
    fn nesting_is_bounded_in_brackets_and_in_strings() {
        let deep = |open: &str, times: usize| open.repeat(times);
        let cases = [
            ("type Query { a(b: [[Int]] = [[1]]): Int @tag(name: \"{[(\") }".to_owned(), true),
            (format!("type Query {{ a: {}", deep("[", MAX_LISTS)), true),
            (format!("type Query {{ a: {}", deep("[", MAX_LISTS + 1)), false),
            (format!("input I {{ a: J = {}", deep("{a:", MAX_NESTING)), false),
            (format!("type T @key(fields: \"{}\")", deep("a{", MAX_NESTING + 1)), false),
            (format!("\"\"\"{}\"\"\" scalar S", deep("{}", 1000)), true),
            (format!("# {}\nscalar S", deep("{", 31)), true),
        ];
        for (text, fine) in cases {
            assert_eq!(unsafe_to_read("a", &text).is_none(), fine, "{text}");
        }
        let fault = unsafe_to_read("a", "type Query {\n  a: Int % }").unwrap();
        assert_eq!((fault.line, fault.column), (Some(2), Some(10)));
    }

    #[test]
    fn block_strings_have_no_characters_but_those_of_graphql() {
        for (text, fine) in [
            ("\"\"\"a\tb\r\n\u{20ac}\"\"\" scalar S", true),
            ("\"\"\"\u{1f680}\"\"\" scalar S", false),
            ("\"\"\"\u{16}\"\"\" scalar S", false),
            ("# \u{1f680}\nscalar S", true),
            (r#"type T @key(fields: "a(b: \"c\")") { a(b: String): Int }"#, true),
            (r#"type T @key(fields: "a(b: \"\"\"c\"\"\")") { a(b: String): Int }"#, false),
            (r#"type T @key(fields: """a(b: \"""c\""")""") { a(b: String): Int }"#, false),
        ] {
            assert_eq!(unsafe_to_read("a", text).is_none(), fine, "{text:?}");
        }
        let fault = unsafe_to_read("a", "scalar R\n\"\"\"to \u{1f680}\"\"\" scalar S").unwrap();
        assert_eq!((fault.line, fault.column), (Some(2), Some(7)));
        assert_eq!(fault.message, "a block string cannot have the character U+1F680");
    }

    #[test]
    fn whole_numbers_have_64_bits() {
        for (number, fine) in
            [("9223372036854775807", true), ("-9223372036854775808", true), ("9223372036854775808", false)]
        {
            let text = format!("# {number}9\ninput I {{ a: Int = {number} }}");
            assert_eq!(unsafe_to_read("a", &text).is_none(), fine, "{number}");
            let text =
                format!("\"{number}9\" type T @key(fields: \"\"\"a(b: {number})\"\"\") @tag(name: \"{number}9\")");
            assert_eq!(unsafe_to_read("a", &text).is_none(), fine, "{number} in a field set");
        }
    }
}
