//! The layer that finds out who asks, once per request: from an access token, or else from the session.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use chrono::TimeDelta;
use http::header::{AUTHORIZATION, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode};
use orgtrail::identity::sign_in::SignedIn;
use orgtrail::identity::viewer::{Identity, Origin, Viewer, from_session, from_token};
use orgtrail::meter::Busy;
use orgtrail::platform::Platform;
use orgtrail::{Error, Result};
use orgtrail_app::identity::server_fns::SESSION_SIGNED_IN;
use tower_sessions::Session;

use super::rate::Rate;
use super::session_cookie::{API_KEY, has_token};
use super::session_store::{SESSION_IP, SESSION_USER_AGENT, hash};
use crate::http::facts::Facts;
use crate::http::problem::Problem;

/// What [`provide`] needs.
#[derive(Clone)]
pub struct Providing {
    /// Where tokens and users are.
    pub platform: Platform,
    /// How often tokens may ask.
    pub rate: Arc<Rate>,
}

/// Puts the [`Viewer`] into the request's extensions. A token that is not good, or that asks too often, is refused here, whatever it was for.
pub async fn provide(State(providing): State<Providing>, mut request: Request, next: Next) -> Response {
    let Providing { platform, rate } = providing;
    let facts = request.extensions().get::<Arc<Facts>>().cloned();
    let origin = facts.map(|facts| facts.origin()).unwrap_or_default();
    let session = request.extensions().get::<Session>().cloned();
    let viewer = match (&session, has_token(request.headers())) {
        (Some(session), false) => from_cookie(&platform, origin.clone(), session).await,
        _ => from_header(&platform, origin.clone(), request.headers()).await,
    };
    match viewer {
        Ok(viewer) => {
            if let Some(refusal) = count(&rate, &viewer) {
                return refusal;
            }
            request.extensions_mut().insert(viewer);
            let response = next.run(request).await;
            if let Some(session) = session {
                note_origin(&session, origin).await;
            }
            response
        }
        Err(error) => refuse(error),
    }
}

/// Counts the request of a token; answers its refusal if it was one too many.
pub(super) fn count(rate: &Rate, viewer: &Viewer) -> Option<Response> {
    let Identity::AccessToken(token) = &viewer.identity else { return None };
    let seconds = rate.take(token.id, Instant::now()).err()?;
    Busy::RateLimit.refused();
    let told = format!("This access token has asked {} times in a minute: try again in {seconds} s.", rate.most());
    let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED", told);
    Some(([(RETRY_AFTER, seconds.to_string())], problem).into_response())
}

/// The refusal of a credential.
pub(super) fn refuse(error: Error) -> Response {
    let unauthenticated = matches!(error, Error::Unauthenticated | Error::BadToken(_));
    let mut response = Problem::from(error).into_response();
    if unauthenticated {
        let header = HeaderValue::from_static("Bearer realm=\"orgtrail\", error=\"invalid_token\"");
        response.headers_mut().insert(WWW_AUTHENTICATE, header);
    }
    response
}

async fn from_cookie(platform: &Platform, origin: Origin, session: &Session) -> Result<Viewer> {
    let signed_in: Option<SignedIn> =
        session.get(SESSION_SIGNED_IN).await.map_err(|cause| Error::Unavailable(cause.into()))?;
    let Some(signed_in) = signed_in else { return Ok(Viewer::anonymous(origin)) };
    let mut viewer = from_session(platform, origin, signed_in).await?;
    viewer.session = session.id().map(hash);
    if matches!(viewer.identity, Identity::Anonymous) {
        // The user is gone or disabled, or has another password: so is the session.
        session.flush().await.map_err(|cause| Error::Unavailable(cause.into()))?;
    }
    Ok(viewer)
}

/// For how long what is known of a request's token counts: longer than most requests take, and no pause that anybody could notice.
const CURRENT: TimeDelta = TimeDelta::milliseconds(100);

/// Who the one access token of a request makes known.
pub(super) async fn from_header(platform: &Platform, origin: Origin, headers: &HeaderMap) -> Result<Viewer> {
    let viewer = from_token(platform, origin, token(headers).ok_or(Error::Unauthenticated)?).await?;
    Ok(viewer.with_current_token(CURRENT))
}

/// The one token of a request: `Authorization: Bearer …` or `x-api-key: …`; two headers are none.
fn token(headers: &HeaderMap) -> Option<&str> {
    let mut sent = headers.get_all(AUTHORIZATION).iter().map(bearer).chain(headers.get_all(API_KEY).iter().map(plain));
    let first = sent.next()?;
    first.filter(|_| sent.next().is_none())
}

fn bearer(value: &HeaderValue) -> Option<&str> {
    let (scheme, token) = plain(value)?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn plain(value: &HeaderValue) -> Option<&str> {
    value.to_str().ok()
}

/// A session that has just been signed in to remembers from where, for the list of one's sessions. What cannot be noted is not worth
/// refusing a sign-in for.
async fn note_origin(session: &Session, origin: Origin) {
    let signed_in = matches!(session.get_value(SESSION_SIGNED_IN).await, Ok(Some(_)));
    let noted = matches!(session.get_value(SESSION_IP).await, Ok(Some(_)));
    if signed_in && !noted {
        for (key, value) in [(SESSION_IP, origin.ip), (SESSION_USER_AGENT, origin.user_agent)] {
            if let Err(cause) = session.insert(key, value).await {
                tracing::warn!(%cause, "where a session was begun was not noted");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(sent: &[(http::HeaderName, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in sent {
            headers.append(name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn one_token_in_either_header() {
        assert_eq!(token(&headers(&[(AUTHORIZATION, "Bearer ot_a")])), Some("ot_a"));
        assert_eq!(token(&headers(&[(AUTHORIZATION, "bearer  ot_a")])), Some("ot_a"));
        assert_eq!(token(&headers(&[(API_KEY, "ot_a")])), Some("ot_a"));
    }

    #[test]
    fn anything_else_is_none() {
        for sent in [
            [(AUTHORIZATION, "Basic b3RfYQ==")].as_slice(),
            &[(AUTHORIZATION, "ot_a")],
            &[(AUTHORIZATION, "Bearer ot_a"), (AUTHORIZATION, "Bearer ot_b")],
            &[(AUTHORIZATION, "Bearer ot_a"), (API_KEY, "ot_a")],
            &[],
        ] {
            assert_eq!(token(&headers(sent)), None, "{sent:?}");
        }
    }
}
