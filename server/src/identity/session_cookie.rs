//! The session's cookie: 43 characters that only this server can have made.
//!
//! tower-sessions' id has 16 random bytes. Outside of its layer they travel with a 16-byte MAC under the server's key, so that a value
//! that was guessed, or planted before signing in, is dropped before anything is looked up.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use http::header::{AUTHORIZATION, COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use orgtrail::Error;
use sha2::Sha256;
use tower_sessions::cookie::{Cookie, SameSite};
use tower_sessions::session::Id;
use tower_sessions::{Expiry, SessionManagerLayer};

use super::session_store::SessionStore;
use crate::http::problem::Problem;
use crate::secret_key::{self, LENGTH};

/// Bytes of an id, and of its MAC.
const HALF: usize = 16;

/// The other header that a program may send its access token in.
pub const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// How the cookie looks.
pub struct SessionCookie {
    name: &'static str,
    secure: bool,
    key: [u8; LENGTH],
}

impl SessionCookie {
    /// The cookie of a server that people reach over https or not; `key` is for nothing else.
    #[must_use]
    pub fn new(https: bool, key: [u8; LENGTH]) -> Self {
        Self { name: if https { "__Host-sid" } else { "sid" }, secure: https, key }
    }

    /// The value for `id`: the id and its MAC, base64url.
    fn seal(&self, id: Id) -> String {
        let id = id.0.to_le_bytes();
        let mac = secret_key::mac(&self.key, &id);
        URL_SAFE_NO_PAD.encode([id.as_slice(), &mac[..HALF]].concat())
    }

    /// The id in a value that [`SessionCookie::seal`] made, and no other.
    fn open(&self, value: &str) -> Option<Id> {
        let bytes: [u8; 2 * HALF] = URL_SAFE_NO_PAD.decode(value).ok()?.try_into().ok()?;
        let (id, tag) = bytes.split_at(HALF);
        let mut block = [0; 64];
        block[..LENGTH].copy_from_slice(&self.key);
        let mac = Hmac::<Sha256>::new(&block.into()).chain_update(id);
        mac.verify_truncated_left(tag).ok()?; // In constant time.
        Some(Id(i128::from_le_bytes(id.try_into().ok()?)))
    }

    /// The id in the request's cookies: the first value that opens.
    fn find(&self, headers: &HeaderMap) -> Option<Id> {
        pairs(headers).filter(|(name, _)| *name == self.name).find_map(|(_, value)| self.open(value))
    }
}

/// The cookies of a request.
fn pairs(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='))
}

/// tower-sessions' layer for this cookie: it sees bare ids, and saves every session that is used, so that its idle time starts anew.
#[must_use]
pub fn manager(sessions: SessionStore, cookie: &SessionCookie) -> SessionManagerLayer<SessionStore> {
    let idle = time::Duration::try_from(sessions.lifetimes().idle).unwrap_or(time::Duration::MINUTE);
    SessionManagerLayer::new(sessions)
        .with_name(cookie.name)
        .with_path("/")
        .with_http_only(true)
        .with_secure(cookie.secure)
        .with_same_site(SameSite::Lax)
        .with_expiry(Expiry::OnInactivity(idle))
        .with_always_save(true)
}

/// Outside of [`manager`]: opens the cookie on the way in, seals it on the way out. A request with an access token has no session.
pub async fn seal(State(cookie): State<Arc<SessionCookie>>, mut request: Request, next: Next) -> Response {
    let headers = request.headers_mut();
    let id = if has_token(headers) { None } else { cookie.find(headers) };
    headers.remove(COOKIE); // We read no other cookie.
    if let Some(value) = id.and_then(|id| HeaderValue::try_from(format!("{}={id}", cookie.name)).ok()) {
        headers.insert(COOKIE, value);
    }
    let mut response = next.run(request).await;
    if is_unsaved(&response) {
        return Problem::from(Error::Unavailable("a session could not be saved".into())).into_response();
    }
    seal_response(&cookie, response.headers_mut());
    response
}

/// Whether this is how tower-sessions (0.15) answers when a session could not be saved: a status, and nothing of what was answered inside.
fn is_unsaved(response: &Response) -> bool {
    let is_bare = response.headers().is_empty() && response.extensions().is_empty();
    response.status() == StatusCode::INTERNAL_SERVER_ERROR && is_bare
}

/// Whether a request brings an access token, good or bad.
#[must_use]
pub fn has_token(headers: &HeaderMap) -> bool {
    headers.contains_key(AUTHORIZATION) || headers.contains_key(API_KEY)
}

fn seal_response(cookie: &SessionCookie, headers: &mut HeaderMap) {
    let set: Vec<HeaderValue> = headers.get_all(SET_COOKIE).iter().cloned().collect();
    headers.remove(SET_COOKIE);
    for sealed in set.iter().filter_map(|value| sealed(cookie, value)) {
        headers.append(SET_COOKIE, sealed);
    }
}

/// Ours with its value sealed; its removal with the attributes without which browsers ignore it (`__Host-`).
fn sealed(cookie: &SessionCookie, value: &HeaderValue) -> Option<HeaderValue> {
    let mut set = Cookie::parse(value.to_str().ok()?).ok()?;
    if let Ok(id) = set.value().parse::<Id>() {
        set.set_value(cookie.seal(id));
    }
    set.set_path("/");
    set.set_http_only(true);
    set.set_same_site(SameSite::Lax);
    set.set_secure(cookie.secure);
    HeaderValue::try_from(set.to_string()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cookie(https: bool) -> SessionCookie {
        SessionCookie::new(https, [7; LENGTH])
    }

    #[test]
    fn a_value_opens_to_its_id_and_has_43_characters() {
        for id in [Id(0), Id(-1), Id(i128::MAX), Id::default()] {
            let value = cookie(false).seal(id);
            assert_eq!(value.len(), 43);
            assert_eq!(cookie(false).open(&value), Some(id));
        }
    }

    #[test]
    fn nothing_else_opens() {
        let value = cookie(false).seal(Id(42));
        assert_eq!(SessionCookie::new(false, [8; LENGTH]).open(&value), None);
        for place in 0..value.len() - 1 {
            let mut other = value.clone().into_bytes();
            other[place] = if other[place] == b'A' { b'B' } else { b'A' };
            assert_eq!(cookie(false).open(std::str::from_utf8(&other).unwrap()), None, "{place}");
        }
        let bare = Id(42).to_string();
        for value in ["", "x", &bare, &format!("{value}A"), &value[..42], &"A".repeat(43)] {
            assert_eq!(cookie(false).open(value), None, "{value}");
        }
    }

    #[test]
    fn the_first_value_that_opens_counts() {
        let cookie = cookie(false);
        let value = cookie.seal(Id(42));
        let line = format!("a=b; sid=planted; sid={value}; sid=later");
        let headers = HeaderMap::from_iter([(COOKIE, HeaderValue::try_from(line).unwrap())]);
        assert_eq!(cookie.find(&headers), Some(Id(42)));
        assert_eq!(SessionCookie::new(true, cookie.key).find(&headers), None);
    }

    #[test]
    fn set_and_removed_with_all_attributes() {
        let set = HeaderValue::try_from(format!("__Host-sid={}; HttpOnly; SameSite=Lax; Path=/; Max-Age=1800", Id(42)))
            .unwrap();
        let expected =
            format!("__Host-sid={}; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=1800", cookie(true).seal(Id(42)));
        assert_eq!(sealed(&cookie(true), &set).unwrap(), expected);
        let removal = sealed(&cookie(true), &HeaderValue::from_static("__Host-sid=; Path=/; Max-Age=0")).unwrap();
        assert_eq!(removal, "__Host-sid=; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=0");
    }
}
