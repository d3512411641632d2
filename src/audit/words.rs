//! The words of an event: what a search finds it by. Cut once, here, for what is stored and for what is asked.

/// Longest word in characters: what is longer is found by its beginning.
pub const MAX_WORD_CHARS: usize = 64;

/// Most bytes of an event's distinct words together. Postgres refuses a `tsvector` of 1 MiB, and with it the event: what an event holds
/// beyond this is kept, shown and exported, but not found by its words.
#[cfg(feature = "postgres")]
pub const MAX_EVENT_BYTES: usize = 1_000_000;

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
/// Of more than [`MAX_EVENT_BYTES`] the first ones count, the plain texts before the documents. Of a document, keys and values count. Only one with escapes in it has to be parsed for that; one that does not parse is cut as it is.
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
    if all.len() > MAX_EVENT_BYTES {
        keep_first(&mut words);
    }
    words.sort_unstable();
    words.dedup();
    words.join(" ")
}

/// Keeps the first words, each once, that are no more than [`MAX_EVENT_BYTES`] together.
#[cfg(feature = "postgres")]
fn keep_first(words: &mut Vec<&str>) {
    let (mut seen, mut bytes) = (std::collections::HashSet::new(), 0);
    words.retain(|word| {
        let is_new = seen.insert(*word);
        bytes += if is_new { word.len() } else { 0 };
        is_new && bytes <= MAX_EVENT_BYTES
    });
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
    fn an_event_of_too_many_words_keeps_the_first_ones() {
        let many: String = (0..200_000).map(|number| format!("w{number:07} ")).collect();
        let words = of_event(["zeppelin"], [many.as_str(), "zebra"]);
        let bytes = words.split(' ').map(str::len).sum::<usize>();
        assert!((MAX_EVENT_BYTES - 8..=MAX_EVENT_BYTES).contains(&bytes), "{bytes}");
        assert!(words.contains("zeppelin") && words.contains("w0000000") && !words.contains("w0199999"));
        // Repeated, the same words are no more.
        let repeated = "the same words ".repeat(100_000);
        assert_eq!(of_event([], [repeated.as_str(), "zebra"]), "same the words zebra");
    }

    #[test]
    fn lower_case_may_be_longer() {
        assert_eq!(split("İ").collect::<Vec<_>>(), ["i\u{307}"]);
    }
}
