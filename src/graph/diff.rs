//! Two texts compared, line by line, within bounds of time and size.

use std::time::Duration;

use similar::{ChangeTag, TextDiff};

use super::view::{Comparison, DiffLine, Hunk};
use crate::audit::visible::visible_block;

/// How long the fewest differences are looked for; after that the answer is right, but maybe longer than it needs to be.
const TIME: Duration = Duration::from_millis(500);

/// Equal lines that are shown around a difference.
const CONTEXT: usize = 3;

/// Most lines that are shown.
const MAX_LINES: usize = 2_000;

/// Most characters of one line that are shown.
const MAX_CHARS: usize = 2_000;

/// What differs between two texts.
#[must_use]
pub(super) fn compare(old: &str, new: &str) -> Comparison {
    let diff = TextDiff::configure().timeout(TIME).diff_lines(old, new);
    let mut comparison = Comparison { hunks: Vec::new(), added: 0, removed: 0, is_cut: false };
    let mut shown = 0;
    for group in diff.grouped_ops(CONTEXT) {
        let mut lines = Vec::new();
        for change in group.iter().flat_map(|operation| diff.iter_changes(operation)) {
            match change.tag() {
                ChangeTag::Insert => comparison.added += 1,
                ChangeTag::Delete => comparison.removed += 1,
                ChangeTag::Equal => {}
            }
            if shown == MAX_LINES {
                comparison.is_cut = true;
                continue;
            }
            shown += 1;
            lines.push(DiffLine {
                kind: word(change.tag()).to_owned(),
                old: change.old_index().map(|index| index + 1),
                new: change.new_index().map(|index| index + 1),
                text: line(change.value()),
            });
        }
        if !lines.is_empty() {
            comparison.hunks.push(Hunk { lines });
        }
    }
    comparison
}

const fn word(tag: ChangeTag) -> &'static str {
    match tag {
        ChangeTag::Equal => "equal",
        ChangeTag::Delete => "removed",
        ChangeTag::Insert => "added",
    }
}

fn line(text: &str) -> String {
    let text = text.trim_end_matches(['\n', '\r']);
    match text.char_indices().nth(MAX_CHARS) {
        Some((cut, _)) => format!("{}…", visible_block(&text[..cut])),
        None => visible_block(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(comparison: &Comparison) -> String {
        let number = |number: Option<usize>| number.map_or("-".to_owned(), |number| number.to_string());
        let line = |line: &DiffLine| format!("{} {} {} {}\n", number(line.old), number(line.new), line.kind, line.text);
        comparison.hunks.iter().flat_map(|hunk| &hunk.lines).map(line).collect()
    }

    #[test]
    fn says_which_lines_went_and_which_came() {
        let (old, new) = ("a\nb\nc\n", "a\nB\nc\nd\u{202e}\n");
        let comparison = compare(old, new);
        assert_eq!((comparison.added, comparison.removed, comparison.is_cut), (2, 1, false));
        insta::assert_snapshot!(told(&comparison), @r"
        1 1 equal a
        2 - removed b
        - 2 added B
        3 3 equal c
        - 4 added d⟨U+202E⟩
        ");
        assert_eq!(compare(old, old).hunks, []);
    }

    #[test]
    fn far_apart_differences_are_hunks_of_their_own() {
        let old: String = (0..100).map(|number| format!("{number}\n")).collect();
        let new = old.replace("\n10\n", "\nten\n").replace("\n90\n", "\nninety\n");
        assert_eq!(compare(&old, &new).hunks.len(), 2);
    }

    #[test]
    fn long_texts_and_lines_are_cut_and_say_so() {
        let new: String = (0..5_000).map(|number| format!("{number}\n")).collect();
        let comparison = compare("", &new);
        let shown: usize = comparison.hunks.iter().map(|hunk| hunk.lines.len()).sum();
        assert_eq!((comparison.added, shown, comparison.is_cut), (5_000, MAX_LINES, true));
        let long = compare("", &"é".repeat(10_000));
        assert_eq!(long.hunks[0].lines[0].text.chars().count(), MAX_CHARS + 1);
    }
}
