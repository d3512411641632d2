//! Schemas and documents as text with a little colour: comments, strings, keywords, directives and names of types.

use leptos::prelude::*;

const KEYWORDS: [&str; 19] = [
    "directive",
    "enum",
    "extend",
    "false",
    "fragment",
    "implements",
    "input",
    "interface",
    "mutation",
    "null",
    "on",
    "query",
    "repeatable",
    "scalar",
    "schema",
    "subscription",
    "true",
    "type",
    "union",
];

/// What a piece of a schema is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    Comment,
    Text,
    Keyword,
    Directive,
    Type,
}

impl Kind {
    /// The class of its colour; what is plain has none.
    fn class(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Comment => Some("sdl-comment"),
            Self::Text => Some("sdl-text"),
            Self::Keyword => Some("sdl-keyword"),
            Self::Directive => Some("sdl-directive"),
            Self::Type => Some("sdl-type"),
        }
    }
}

/// To the whole text as a file: what is long is not whole on its page. The answer says that it is a file, not the link: it can also be a refusal.
#[must_use]
pub fn download(href: String) -> AnyView {
    view! { <a class="button" rel="external" href=href>"Download"</a> }.into_any()
}

/// A schema or document in numbered lines; `label` says to who does not see it what it is.
#[must_use]
pub fn schema(sdl: &str, label: String) -> AnyView {
    let lines: Vec<_> = lines(sdl).into_iter().map(line).collect();
    view! { <pre class="code" role="region" aria-label=label tabindex="0"><code>{lines}</code></pre> }.into_any()
}

fn line(pieces: Vec<(Kind, &str)>) -> AnyView {
    let pieces: Vec<_> = pieces.into_iter().map(|(kind, text)| piece(kind, text.to_owned())).collect();
    view! { <span class="code-line">{pieces} "\n"</span> }.into_any()
}

fn piece(kind: Kind, text: String) -> AnyView {
    match kind.class() {
        Some(class) => view! { <span class=class>{text}</span> }.into_any(),
        None => text.into_any(),
    }
}

/// The pieces of each line, none of them empty.
fn lines(sdl: &str) -> Vec<Vec<(Kind, &str)>> {
    let mut lines = Vec::new();
    let mut present = Vec::new();
    for (kind, text) in pieces(sdl.trim_end_matches('\n')) {
        for (number, part) in text.split('\n').enumerate() {
            if number > 0 {
                lines.push(std::mem::take(&mut present));
            }
            if !part.is_empty() {
                present.push((kind, part));
            }
        }
    }
    lines.push(present);
    lines
}

/// The text in pieces, of which no two that are plain follow each other.
fn pieces(sdl: &str) -> Vec<(Kind, &str)> {
    let (mut pieces, mut plain_from, mut at) = (Vec::new(), 0, 0);
    while let Some(rest) = sdl.get(at..).filter(|rest| !rest.is_empty()) {
        let (kind, length) = first(rest);
        if kind != Kind::Plain {
            pieces.extend(sdl.get(plain_from..at).filter(|plain| !plain.is_empty()).map(|plain| (Kind::Plain, plain)));
            pieces.extend(sdl.get(at..at + length).map(|piece| (kind, piece)));
            plain_from = at + length;
        }
        at += length;
    }
    pieces.extend(sdl.get(plain_from..).filter(|plain| !plain.is_empty()).map(|plain| (Kind::Plain, plain)));
    pieces
}

/// Kind and length in bytes of the first token of a text that is not empty.
fn first(text: &str) -> (Kind, usize) {
    if text.starts_with("\"\"\"") {
        return (Kind::Text, block_string(text));
    }
    match text.chars().next() {
        Some('#') => (Kind::Comment, text.find('\n').unwrap_or(text.len())),
        Some('"') => (Kind::Text, string(text)),
        Some('@') => (Kind::Directive, 1 + name(text.get(1..).unwrap_or_default())),
        Some(start) if start.is_ascii_alphabetic() || start == '_' => word(text),
        Some(other) => (Kind::Plain, other.len_utf8()),
        None => (Kind::Plain, 0),
    }
}

fn word(text: &str) -> (Kind, usize) {
    let length = name(text);
    let word = text.get(..length).unwrap_or_default();
    let kind = match word.bytes().next() {
        _ if KEYWORDS.contains(&word) => Kind::Keyword,
        Some(byte) if byte.is_ascii_uppercase() => Kind::Type,
        _ => Kind::Plain,
    };
    (kind, length)
}

fn name(text: &str) -> usize {
    text.find(|character: char| !character.is_ascii_alphanumeric() && character != '_').unwrap_or(text.len())
}

/// To its end, or to the end of its line where that is missing.
fn string(text: &str) -> usize {
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            '\n' => return at,
            '"' if !escaped => return at + 1,
            _ => escaped = character == '\\' && !escaped,
        }
    }
    text.len()
}

fn block_string(text: &str) -> usize {
    let mut at = 3;
    while let Some(found) = text.get(at..).and_then(|rest| rest.find("\"\"\"")) {
        let end = at + found + 3;
        if !text.get(..at + found).is_some_and(|before| before.ends_with('\\')) {
            return end;
        }
        at = end;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::Kind::{Comment, Directive, Keyword, Plain, Text, Type};
    use super::*;

    #[test]
    fn colours_what_it_knows() {
        assert_eq!(
            pieces("type User @key(fields: \"id\") { # é\n  id: ID!\n}"),
            [
                (Keyword, "type"),
                (Plain, " "),
                (Type, "User"),
                (Plain, " "),
                (Directive, "@key"),
                (Plain, "(fields: "),
                (Text, "\"id\""),
                (Plain, ") { "),
                (Comment, "# é"),
                (Plain, "\n  id: "),
                (Type, "ID"),
                (Plain, "!\n}"),
            ]
        );
    }

    #[test]
    fn strings_end_where_they_end() {
        assert_eq!(pieces(r#""a\"b" x"#), [(Text, r#""a\"b""#), (Plain, " x")]);
        assert_eq!(pieces("\"a\nb"), [(Text, "\"a"), (Plain, "\nb")]);
        assert_eq!(
            pieces("\"\" \"\"\"a \\\"\"\" # b\"\"\"c"),
            [(Text, "\"\""), (Plain, " "), (Text, "\"\"\"a \\\"\"\" # b\"\"\""), (Plain, "c"),]
        );
    }

    #[test]
    fn nothing_is_lost_of_any_text() {
        for text in ["", "\"", "\"\"\"", "@", "ä\"ö\\", "\n\n", "#", "\"\"\"\\\"\"\"", "\u{1f600}@é"] {
            assert_eq!(pieces(text).iter().map(|(_, piece)| *piece).collect::<String>(), text, "{text:?}");
        }
        assert_eq!(
            lines("\"\"\"a\nb\"\"\"\n\nc\n"),
            [vec![(Text, "\"\"\"a")], vec![(Text, "b\"\"\"")], vec![], vec![(Plain, "c")],]
        );
    }
}
