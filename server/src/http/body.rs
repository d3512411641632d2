//! Bodies: read whole, within limits, before anything looks at them. How slowly they may come, and how many at once, is
//! [`listen::limits`](super::listen::limits)’.

use std::error::Error;
use std::iter::successors;

use axum::body::Body;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, Method, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use orgtrail::meter::Busy;

use super::listen::received::Refused;
use super::listen::refusals;
use super::problem::Problem;
use super::upload;

/// What a route takes as its body.
#[derive(Debug, Clone, Copy)]
pub struct Accepted {
    /// What it is called in refusals: “form”.
    pub name: &'static str,
    /// Most bytes.
    pub limit: usize,
    /// Its media types, without parameters; text is UTF-8 whatever is said of it.
    pub types: &'static [&'static str],
}

/// Forms and what server functions are called with. There is one type: another could be sent from another site without asking first.
const FORM: Accepted = Accepted { name: "form", limit: 64 * 1024, types: &["application/x-www-form-urlencoded"] };

/// Reads the body of a POST of a form; what follows gets it from memory. Those with a file are read later, see [`upload`].
pub async fn read(request: Request, next: Next) -> Response {
    if request.method() != Method::POST || upload::takes(request.uri().path()) {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    match FORM.collect(&parts.headers, body).await {
        Ok(bytes) => next.run(Request::from_parts(parts, Body::from(bytes))).await,
        Err(problem) => problem.into_response(),
    }
}

impl Accepted {
    /// The body of a request with these headers.
    ///
    /// # Errors
    /// 413 if it is too long, announced or sent; 408 if it comes too slowly; 503 if too many are in memory; 415 for another type, and for what
    /// is compressed; 400 if it breaks off.
    pub async fn collect(&self, headers: &HeaderMap, body: Body) -> Result<Bytes, Problem> {
        let announced = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        if announced.is_some_and(|length| length > self.limit as u64) {
            return Err(self.too_long());
        }
        let read = Limited::new(body, self.limit).collect().await;
        let bytes = read.map_err(|cause| self.broken(cause.as_ref()))?.to_bytes();
        if !bytes.is_empty() && !self.is_of_type(headers) {
            return Err(self.of_other_type());
        }
        Ok(bytes)
    }

    fn is_of_type(&self, headers: &HeaderMap) -> bool {
        let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()?.split(';').next());
        let known = |media_type: &str| self.types.iter().any(|known| known.eq_ignore_ascii_case(media_type.trim()));
        !headers.contains_key(CONTENT_ENCODING) && media_type.is_some_and(known)
    }

    fn of_other_type(&self) -> Problem {
        let types: Vec<String> = self.types.iter().map(|name| format!("`{name}`")).collect();
        let message = format!("A {} is sent as {}, not compressed.", self.name, types.join(" or "));
        Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "BAD_USER_INPUT", message)
    }

    fn too_long(&self) -> Problem {
        let message = format!("This {} is too long: {} bytes are the most.", self.name, self.limit);
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "BAD_USER_INPUT", message)
    }

    fn too_slow(&self) -> Problem {
        let message = format!("This {} came too slowly.", self.name);
        Problem::new(StatusCode::REQUEST_TIMEOUT, "BAD_USER_INPUT", message)
    }

    fn broken(&self, cause: &(dyn Error + 'static)) -> Problem {
        if cause.is::<LengthLimitError>() {
            return self.too_long();
        }
        match successors(Some(cause), |&cause| cause.source()).find_map(|cause| cause.downcast_ref()) {
            Some(Refused::TooSlow) => {
                refusals::count(Busy::SlowSenders, None);
                self.too_slow()
            }
            Some(Refused::NoRoom) => {
                refusals::count(Busy::Bodies, None);
                no_room()
            }
            Some(Refused::Broken(_)) | None => {
                let message = format!("This {} did not arrive whole.", self.name);
                Problem::new(StatusCode::BAD_REQUEST, "BAD_USER_INPUT", message)
            }
        }
    }
}

fn no_room() -> Problem {
    let message = "Too much is being sent at the moment: try again in a moment.";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", message)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const TYPE: &str = FORM.types[0];

    async fn status(headers: &[(http::HeaderName, &'static str)], body: Body) -> Result<usize, u16> {
        let headers = headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value)));
        let read = FORM.collect(&headers.collect(), body).await;
        read.map(|bytes| bytes.len()).map_err(|problem| problem.status.as_u16())
    }

    fn chunks(count: usize) -> Body {
        let chunk = Bytes::from_static(&[b'a'; 1024]);
        Body::from_stream(futures::stream::iter((0..count).map(move |_| Ok::<_, std::io::Error>(chunk.clone()))))
    }

    #[tokio::test]
    async fn forms_within_the_limit_pass() {
        assert_eq!(status(&[(CONTENT_TYPE, TYPE)], chunks(64)).await, Ok(65_536));
        assert_eq!(
            status(&[(CONTENT_TYPE, "application/x-www-form-urlencoded; charset=UTF-8")], chunks(1)).await,
            Ok(1024)
        );
        assert_eq!(status(&[], Body::empty()).await, Ok(0));
    }

    #[tokio::test]
    async fn others_are_refused() {
        assert_eq!(status(&[(CONTENT_TYPE, TYPE)], chunks(65)).await, Err(413));
        assert_eq!(status(&[(CONTENT_LENGTH, "65537")], Body::empty()).await, Err(413));
        for other in ["application/json", "text/plain", "multipart/form-data; boundary=x", ""] {
            assert_eq!(status(&[(CONTENT_TYPE, other)], chunks(1)).await, Err(415), "{other}");
        }
        assert_eq!(status(&[(CONTENT_TYPE, TYPE), (CONTENT_ENCODING, "gzip")], chunks(1)).await, Err(415));
        let broken = Body::from_stream(futures::stream::iter([Err::<Bytes, _>(std::io::Error::other("cut"))]));
        assert_eq!(status(&[(CONTENT_TYPE, TYPE)], broken).await, Err(400));
        for (refused, expected) in [(Refused::TooSlow, 408), (Refused::NoRoom, 503)] {
            let refusing = Body::from_stream(futures::stream::iter([Err::<Bytes, _>(refused)]));
            assert_eq!(status(&[(CONTENT_TYPE, TYPE)], refusing).await, Err(expected));
        }
    }
}
