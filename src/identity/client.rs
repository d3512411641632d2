//! What a client calls itself, in few words: for people who look for a session that is not theirs, not for deciding anything.

/// Browsers by the product that they name: the more special ones first, since most also name the one that they are made from.
const BROWSERS: [(&str, &str); 8] = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];

/// Systems likewise: Android names Linux, an iPhone names Mac OS X.
const SYSTEMS: [(&str, &str); 7] = [
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
];

/// Longest name of a program, in characters.
const MAX_CHARS: usize = 60;

/// `Firefox on Linux`, or the name of the program that is no browser.
pub(super) fn describe(user_agent: &str) -> String {
    let named = |table: &[(&str, &'static str)]| {
        table.iter().find(|(mark, _)| user_agent.contains(mark)).map(|(_, name)| *name)
    };
    match (named(&BROWSERS), named(&SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        (None, _) => program(user_agent),
    }
}

/// The first product, as it is written: `curl/8.14.1`.
fn program(user_agent: &str) -> String {
    let first: String = user_agent.split_whitespace().next().unwrap_or_default().chars().take(MAX_CHARS).collect();
    if first.is_empty() { "Unknown client".to_owned() } else { crate::audit::visible::visible(&first) }
}

#[cfg(test)]
mod tests {
    use super::describe;

    #[test]
    fn browsers_are_told_by_name_and_system() {
        for (user_agent, told) in [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", "Firefox on Linux"),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36",
                "Chrome on Android",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15",
                "Safari on macOS",
            ),
        ] {
            assert_eq!(describe(user_agent), told);
        }
    }

    #[test]
    fn programs_are_told_by_their_first_word() {
        assert_eq!(describe("curl/8.14.1"), "curl/8.14.1");
        assert_eq!(describe("orgtrail tests"), "orgtrail");
        assert_eq!(describe("  "), "Unknown client");
        assert_eq!(describe("\u{202e}evil"), "⟨U+202E⟩evil");
        assert_eq!(describe(&"x".repeat(500)).len(), 60);
    }
}
