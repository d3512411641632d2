//! Characters that cannot be seen, made visible: what somebody wrote must not rearrange or hide what a page says (R-47).

use std::fmt::Write;

/// `text` on one line, each control, bidi or invisible character replaced by its code, like `⟨U+202E⟩`.
///
/// ```
/// assert_eq!(orgtrail::audit::visible::visible("Ada\u{202e}ecarG"), "Ada⟨U+202E⟩ecarG");
/// ```
#[must_use]
pub fn visible(text: &str) -> String {
    replaced(text, is_hidden)
}

/// Like [`visible`], for blocks of text: line feeds and tabs stay what they are.
#[must_use]
pub fn visible_block(text: &str) -> String {
    replaced(text, |character| is_hidden(character) && !matches!(character, '\n' | '\t'))
}

fn replaced(text: &str, is_hidden: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if is_hidden(character) {
            let _ = write!(out, "⟨U+{:04X}⟩", u32::from(character));
        } else {
            out.push(character);
        }
    }
    out
}

/// Whether a character has no shape of its own but changes how others are read.
///
/// The joiners U+200C and U+200D are left alone: names in several scripts, and emoji, are spelled with them.
const fn is_hidden(character: char) -> bool {
    matches!(character,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}'                            // controls
        | '\u{61c}' | '\u{200e}' | '\u{200f}'                            // marks of direction
        | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'              // embeddings, overrides and isolates
        | '\u{ad}' | '\u{180e}' | '\u{200b}' | '\u{2060}'..='\u{2065}' | '\u{feff}' // nothing to see
        | '\u{2028}' | '\u{2029}' | '\u{206a}'..='\u{206f}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}'                                      // tags
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hidden_characters_show_their_code() {
        assert_eq!(visible("a\u{1b}[31m\r\nb\u{200f}\u{e0041}"), "a⟨U+001B⟩[31m⟨U+000D⟩⟨U+000A⟩b⟨U+200F⟩⟨U+E0041⟩");
        assert_eq!(visible_block("{\n\t\"a\": \"\u{202e}\"\r\n}"), "{\n\t\"a\": \"⟨U+202E⟩\"⟨U+000D⟩\n}");
    }

    #[test]
    fn names_are_left_alone() {
        for name in ["Zoë Ångström", "山田太郎", "محمد", "می‌خواهم", "👩‍👩‍👧", "e\u{301}", "a b"]
        {
            assert_eq!(visible(name), name);
        }
    }

    proptest! {
        #[test]
        fn nothing_hidden_is_left(text in any::<String>()) {
            prop_assert!(!visible(&text).contains(is_hidden));
        }
    }
}
