//! Slugs: the addresses of organizations.

use crate::{Error, Result};

/// 2–39 characters of `a-z 0-9 -`, no hyphen first, last or doubled, not reserved (contract §1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slug(String);

/// What [`is_well_formed`] asks, for people.
pub(crate) const RULE: &str = "A slug has 2 to 39 characters of a-z, 0-9 and -, with no hyphen first, last or doubled.";

/// Words that are, or may become, the first segment of a page of the platform itself; published in `docs/`.
pub const RESERVED: [&str; 42] = [
    "about",
    "account",
    "admin",
    "api",
    "assets",
    "audit-logs",
    "billing",
    "blog",
    "csp-report",
    "docs",
    "favicon",
    "forgot",
    "graphql",
    "health",
    "help",
    "home",
    "invites",
    "livez",
    "login",
    "logout",
    "metrics",
    "new",
    "oauth",
    "organizations",
    "orgtrail",
    "pkg",
    "pricing",
    "public",
    "readyz",
    "reset",
    "robots",
    "root",
    "security",
    "settings",
    "sign-in",
    "sign-up",
    "signup",
    "static",
    "status",
    "support",
    "system",
    "www",
];

impl Slug {
    /// Accepts a slug as typed; nothing is changed silently.
    ///
    /// # Errors
    /// [`Error::Invalid`] for the field `slug`.
    pub fn parse(typed: &str) -> Result<Self> {
        if !is_well_formed(typed) {
            return Err(Error::invalid("slug", RULE));
        }
        if RESERVED.contains(&typed) {
            return Err(Error::invalid(
                "slug",
                format!("“{typed}” is reserved for the platform: choose another slug."),
            ));
        }
        Ok(Self(typed.to_owned()))
    }

    /// The slug.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether it has the form of a slug; graphs have slugs too.
pub(crate) fn is_well_formed(slug: &str) -> bool {
    let letters = slug.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    (2..=39).contains(&slug.len()) && letters && !slug.starts_with('-') && !slug.ends_with('-') && !slug.contains("--")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_list_is_this_one() {
        let page = include_str!("../../docs/reserved-slugs.md");
        let listed = page.split("```").nth(1).map(|list| list.split_whitespace().collect::<Vec<_>>());
        assert_eq!(listed, Some(RESERVED.to_vec()));
        assert!(RESERVED.is_sorted(), "in the order of the alphabet, each once");
    }

    #[test]
    fn accepts_slugs() {
        for slug in ["ab", "acme", "acme-robotics", "4x4", &"a".repeat(39)] {
            assert!(Slug::parse(slug).is_ok(), "{slug}");
        }
    }

    #[test]
    fn refuses_what_is_not_a_slug() {
        for slug in ["", "a", "-a", "a-", "a--b", "Acme", "acme.io", "åcme", "login", "a b", &"a".repeat(40)] {
            assert!(Slug::parse(slug).is_err(), "{slug:?}");
        }
    }
}
