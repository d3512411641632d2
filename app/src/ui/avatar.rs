//! Who somebody is, at a glance: initials in a circle, access tokens in a square.

use leptos::prelude::*;

/// Decoration beside a name: not read aloud.
#[component]
#[must_use]
pub fn Avatar(
    /// One or two letters.
    #[prop(into)]
    initials: String,
    /// Whether it is an access token's.
    #[prop(optional)]
    is_token: bool,
) -> impl IntoView {
    let class = if is_token { "avatar avatar-token" } else { "avatar" };
    view! { <span class=class aria-hidden="true">{initials}</span> }
}

/// The letters of a name: those of its first and last word.
#[must_use]
pub fn initials(name: &str) -> String {
    let mut words = name.split_whitespace().filter_map(|word| word.chars().find(|letter| letter.is_alphanumeric()));
    let (first, last) = (words.next(), words.next_back());
    first.into_iter().chain(last).flat_map(char::to_uppercase).collect()
}

#[cfg(test)]
mod tests {
    use super::initials;

    #[test]
    fn takes_first_and_last_word() {
        assert_eq!(initials("Ada Lovelace"), "AL");
        assert_eq!(initials("Grace Brewster Murray Hopper"), "GH");
        assert_eq!(initials("émile"), "É");
        assert_eq!(initials(" (–) "), "");
    }
}
