//! Secrets in the text of a GraphQL document: the values of arguments whose names say so, and texts that look like one.

use super::{Redactor, end_of_string, secret};

impl Redactor {
    /// A GraphQL document without the secrets among its texts; nothing if it has none. What is no document is left as it is.
    #[must_use]
    pub fn graphql(&self, document: &str) -> Option<String> {
        let (mut redacted, mut place, mut kept) = (String::new(), 0, 0);
        while let Some(start) = document[place..].find('"').map(|found| place + found) {
            place = end_of_text(document, start).unwrap_or(document.len()); // a cut document may end in one
            let text = &document[start..place];
            let name = name_before(&document[..start]);
            if secret::is_named_by(&format!("\"{name}\""), text) || secret::looks_like_one(text) {
                redacted += &document[kept..start];
                redacted += &self.stand_in(text);
                kept = place;
            }
        }
        (kept > 0).then(|| redacted + &document[kept..])
    }
}

/// The place after the text that begins at `start`: a block between `\"\"\"`, or a string as in JSON.
fn end_of_text(document: &str, start: usize) -> Option<usize> {
    const BLOCK: &str = r#"""""#;
    match document[start..].strip_prefix(BLOCK) {
        Some(rest) => rest.find(BLOCK).map(|found| start + found + 2 * BLOCK.len()),
        None => end_of_string(document, start),
    }
}

/// The name whose value begins where `before` ends; empty where there is none.
fn name_before(before: &str) -> &str {
    let Some(named) = before.trim_end().strip_suffix(':') else { return "" };
    let named = named.trim_end();
    let length = named.bytes().rev().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
    &named[named.len() - length..]
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use crate::audit::redact::RedactionKey;

    fn redacted(document: &str) -> Option<String> {
        RedactionKey::derive(&[7; 32]).unwrap().of(Uuid::nil()).graphql(document)
    }

    #[test]
    fn named_arguments_and_own_tokens_are_taken_out() {
        let document = r#"mutation { changePassword(current: "old", newPassword: "canary 1", note: "fine") { ok }
            a: f(input: {client_secret : """canary "2" """}) g(x: "ot_0123456789abcdef0123456789abcdef0123") }"#;
        let kept = redacted(document).unwrap();
        assert!(!kept.contains("canary") && !kept.contains("ot_0123"), "{kept}");
        assert_eq!(redacted(r#"{ a(token: "canary …"#).map(|kept| kept.contains("canary")), Some(false));
        assert!(kept.contains(r#"note: "fine""#) && kept.contains(r#"{"redacted":true,"hmac":"#), "{kept}");
    }

    #[test]
    fn others_are_left_alone() {
        for document in
            [r#"{ team(name: "password") { id } }"#, "{ a }", r#"{ a(b: "no end }"#, "POST /api/create_team"]
        {
            assert_eq!(redacted(document), None, "{document}");
        }
    }
}
