//! The words of an event: what a search finds it by. Cut once, here, for what is stored and for what is asked.

/// Longest word in characters: what is longer is found by its beginning.
pub const MAX_WORD_CHARS: usize = 64;

/// The words of a text in lower case: runs of letters and digits.
pub fn split(text: &str) -> impl Iterator<Item = String> {
    let runs = text.split(|c: char| !c.is_alphanumeric()).filter(|run| !run.is_empty());
    runs.map(|run| run.chars().take(MAX_WORD_CHARS).flat_map(char::to_lowercase).collect())
}

/// The distinct words of an event, from its plain texts and its JSON documents, with a space between any two: as the database takes them.
///
/// Of a document, keys and values count. Only one with escapes in it has to be parsed for that; one that does not parse is cut as it is.
#[cfg(feature = "postgres")]
#[must_use]
pub fn of_event<'a>(texts: impl IntoIterator<Item = &'a str>, documents: impl IntoIterator<Item = &'a str>) -> String {
    let mut words = std::collections::BTreeSet::new();
    words.extend(texts.into_iter().flat_map(split));
    for document in documents {
        match serde_json::from_str(document) {
            Ok(value) if document.contains('\\') => collect(&value, &mut words),
            _ => words.extend(split(document)),
        }
    }
    words.into_iter().collect::<Vec<_>>().join(" ")
}

#[cfg(feature = "postgres")]
fn collect(value: &serde_json::Value, words: &mut std::collections::BTreeSet<String>) {
    match value {
        serde_json::Value::Array(items) => items.iter().for_each(|item| collect(item, words)),
        serde_json::Value::Object(fields) => fields.iter().for_each(|(name, field)| {
            words.extend(split(name));
            collect(field, words);
        }),
        serde_json::Value::String(text) => words.extend(split(text)),
        other => words.extend(split(&other.to_string())),
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
