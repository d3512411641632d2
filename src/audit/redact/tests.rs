//! What is redacted, what is not, and that nothing else is touched.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const OWN: &str = "ot_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklm";

fn redactor() -> Redactor {
    RedactionKey::derive(b"a key").unwrap().of(Uuid::nil())
}

fn redacted(document: &str) -> Value {
    let document = redactor().document(document).unwrap_or_else(|| document.to_owned());
    serde_json::from_str(&document).unwrap()
}

fn is_redacted(key: &str, value: Value) -> bool {
    redacted(&json!({ key: value }).to_string())[key]["redacted"] == json!(true)
}

#[test]
fn keys_that_name_a_secret() {
    for key in [
        "password",
        "Password",
        "new_password",
        "newPassword2",
        "password_confirmation",
        "password_hash",
        "passwd",
        "pwd",
        "client_secret",
        "secret",
        "webhook-secret",
        "token",
        "access_token",
        "accessToken",
        "previous_token",
        "X-CSRF-Token",
        "tokens",
        "Authorization",
        "authorization_header",
        "proxy-authorization",
        "cookie",
        "Set-Cookie",
        "cookies",
        "private key",
        "private_key_pem",
        "api_key",
        "apiKey",
        "x-api-key",
        "API KEY",
        "secretKey",
        "passphrase",
        "credentials",
        "otp",
    ] {
        assert!(is_redacted(key, json!("canary")), "{key}");
        assert!(is_redacted(key, json!({ "a": ["canary"] })), "{key}");
    }
    assert!(redactor().document(r#"{"pass\u0077ord":"canary"}"#).is_some());
    assert!(is_redacted("pin_secret", json!(1234)));
}

#[test]
fn keys_that_only_talk_of_one() {
    for key in [
        "access_token_id",
        "token_name",
        "token_type",
        "password_changed_at",
        "secret_version",
        "cookie_consent",
        "credential_ids",
        "authorization_url",
        "api_key_name",
        "key",
        "public_key",
        "author",
        "tokenized",
        "name",
        "robot",
        "footpath",
    ] {
        assert!(!is_redacted(key, json!("SIEM")), "{key}");
    }
    for value in [json!(null), json!(true), json!(false)] {
        assert!(!is_redacted("password", value));
    }
    assert!(!is_redacted("max_tokens", json!(4096)));
}

#[test]
fn no_field_of_our_own_states_is_named_like_a_secret() {
    let fields = crate::audit::action::shape::SHAPES.iter().flat_map(|shape| shape.fields);
    for (field, _) in fields {
        assert!(!is_redacted(field, json!("x")), "{field}");
    }
}

#[test]
fn values_that_look_like_one() {
    for value in [
        OWN,
        &format!("curl -H 'x-api-key: {OWN}'"),
        "Authorization: Bearer abcdefghijklmnop.qrstu",
        "bearer 0123456789abcdef",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEow",
        "-----BEGIN PRIVATE KEY-----",
    ] {
        assert!(is_redacted("note", json!(value)), "{value}");
        assert_eq!(redacted(&json!([["a", value]]).to_string())[0][1]["redacted"], json!(true), "{value}");
    }
    for value in [
        "the bearer of bad news",
        "ot_short",
        "robot_arm",
        "-----BEGIN CERTIFICATE-----",
        "forbearer of 0123456789abcdef",
        "",
    ] {
        assert!(!is_redacted("note", json!(value)), "{value}");
    }
    let escaped = OWN.replacen("ot_", "o\\u0074_", 1);
    assert!(redactor().document(&format!(r#"{{"note":"{escaped}"}}"#)).is_some());
}

#[test]
fn equal_secrets_look_alike_and_others_do_not() {
    let hash = |key: &Redactor, value: &str| key.document(&format!("[{{\"token\": {value}}}]")).unwrap();
    let (ours, theirs) = (redactor(), RedactionKey::derive(b"a key").unwrap().of(Uuid::max()));
    assert_eq!(hash(&ours, r#""one""#), hash(&ours, r#""\u006fne""#));
    assert_ne!(hash(&ours, r#""one""#), hash(&ours, r#""two""#));
    assert_ne!(hash(&ours, r#""one""#), hash(&theirs, r#""one""#));
}

#[test]
fn every_other_byte_stays() {
    let document = "{ \"a\" : 1.50,\"password\":\t[ 1, {\"b\":\"}\\\"\"} ] , \"c\":\"caf\\u00e9\",\"a\":{}\n}";
    let stand_in = redactor().stand_in("[ 1, {\"b\":\"}\\\"\"} ]");
    let expected = document.replace("[ 1, {\"b\":\"}\\\"\"} ]", &stand_in);
    assert_eq!(redactor().document(document), Some(expected));
}

#[test]
fn what_is_no_json_harms_nobody() {
    for document in [
        "",
        "{",
        "\"",
        "\"\\",
        "{\"token\":",
        "{\"token\":\"",
        "{\"token\":]",
        "\"token\":[[[",
        "{\"token\":1",
        "\"é\\\"",
        "token",
    ] {
        let _left_to_the_database = redactor().document(document);
    }
}

/// Documents whose every leaf is either harmless or the canary; keys of both sorts.
fn documents() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!("canary")),
        any::<i32>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        ".{0,30}".prop_map(Value::from)
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        let key =
            prop_oneof![Just("password".to_owned()), Just("apiKey".to_owned()), Just("name".to_owned()), ".{0,10}"];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((key, inner), 0..5).prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// The same rule, told over values instead of text.
fn expected(value: &Value, redactor: &Redactor) -> Value {
    match value {
        Value::Array(items) => items.iter().map(|item| expected(item, redactor)).collect(),
        Value::Object(fields) => {
            let field = |(key, value): (&String, &Value)| {
                let text = value.to_string();
                let is_secret = secret::is_named_by(&json!(key).to_string(), &text);
                let told = if is_secret {
                    serde_json::from_str(&redactor.stand_in(&text)).unwrap()
                } else {
                    expected(value, redactor)
                };
                (key.clone(), told)
            };
            Value::Object(fields.iter().map(field).collect())
        }
        other => other.clone(),
    }
}

proptest! {
    #[test]
    fn the_walk_over_text_is_the_walk_over_values(document in documents()) {
        prop_assert_eq!(redacted(&document.to_string()), expected(&document, &redactor()));
        prop_assert_eq!(redacted(&format!("{document:#}")).to_string().contains("redacted"), redacted(&document.to_string()).to_string().contains("redacted"));
    }

    #[test]
    fn any_text_is_walked_without_a_fault(text in ".*") {
        let _any = redactor().document(&text);
    }
}
