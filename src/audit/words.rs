//! The words of an event: what a search finds it by. Cut once, here, for what is stored and for what is asked.

/// Longest word in characters: what is longer is found by its beginning.
pub const MAX_WORD_CHARS: usize = 64;

/// The words of a text in lower case.
pub fn split(text: &str) -> impl Iterator<Item = String> {
    words(text).map(Iterator::collect)
}

/// Words are runs of letters and digits.
fn words(text: &str) -> impl Iterator<Item = impl Iterator<Item = char>> {
    let runs = text.split(|c: char| !c.is_alphanumeric()).filter(|run| !run.is_empty());
    runs.map(|run| run.chars().take(MAX_WORD_CHARS).flat_map(char::to_lowercase))
}

/// The distinct words of an event, from its plain texts and its JSON documents, with a space between any two: as the database takes them.
///
/// Of a document, keys and values count. Only one with escapes in it has to be parsed for that; one that does not parse is cut as it is.
#[cfg(feature = "postgres")]
#[must_use]
pub fn of_event<'a>(texts: impl IntoIterator<Item = &'a str>, documents: impl IntoIterator<Item = &'a str>) -> String {
    let mut all = String::new();
    texts.into_iter().for_each(|text| append(text, &mut all));
    for document in documents {
        match document.contains('\\').then(|| serde_json::from_str(document)) {
            Some(Ok(value)) => append_values(&value, &mut all),
            _ => append(document, &mut all),
        }
    }
    let mut words: Vec<&str> = all.split_terminator(' ').collect();
    words.sort_unstable();
    words.dedup();
    words.join(" ")
}

/// Appends the words of a text, each with a space after it.
#[cfg(feature = "postgres")]
fn append(text: &str, all: &mut String) {
    for word in words(text) {
        all.extend(word);
        all.push(' ');
    }
}

#[cfg(feature = "postgres")]
fn append_values(value: &serde_json::Value, all: &mut String) {
    match value {
        serde_json::Value::Array(items) => items.iter().for_each(|item| append_values(item, all)),
        serde_json::Value::Object(fields) => fields.iter().for_each(|(name, field)| {
            append(name, all);
            append_values(field, all);
        }),
        serde_json::Value::String(text) => append(text, all),
        other => append(&other.to_string(), all),
    }
}

#[cfg(all(test, feature = "postgres"))]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_at_whatever_is_neither_letter_nor_digit() {
        let words: Vec<_> = split("Ada@Acme.example, ÉTÉ-42 日本").collect();
        assert_eq!(words, ["ada", "acme", "example", "été", "42", "日本"]);
    }

    #[test]
    fn an_event_has_each_word_once_and_escapes_are_read() {
        let words = of_event(["member.updated", "Ada"], [r#"{"note":"caf\u00e9\nline two","ada":1.50}"#]);
        assert_eq!(words, "1 50 ada café line member note two updated");
    }

    #[test]
    fn a_long_word_is_cut() {
        assert_eq!(of_event([], [format!("\"{}\"", "x".repeat(100_000)).as_str()]).len(), MAX_WORD_CHARS);
    }

    #[test]
    fn lower_case_may_be_longer() {
        assert_eq!(split("İ").collect::<Vec<_>>(), ["i\u{307}"]);
    }
}
