//! Bodies of forms and server functions: read whole, within limits, before anything looks at them.

use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, Method, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};

use super::problem::Problem;

/// Longest form, in bytes.
const LIMIT: usize = 64 * 1024;

/// Longest time that a form may take to arrive.
const TIME: Duration = Duration::from_secs(30);

/// The only type of a form; another could be sent from another site without asking first.
const FORM: &str = "application/x-www-form-urlencoded";

/// Reads the body of a POST; what follows gets it from memory.
pub async fn read(request: Request, next: Next) -> Response {
    if request.method() != Method::POST {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    match collect(&parts.headers, body).await {
        Ok(bytes) => next.run(Request::from_parts(parts, Body::from(bytes))).await,
        Err(problem) => problem.into_response(),
    }
}

async fn collect(headers: &HeaderMap, body: Body) -> Result<Bytes, Problem> {
    let announced = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > LIMIT as u64) {
        return Err(too_long());
    }
    let reading = tokio::time::timeout(TIME, Limited::new(body, LIMIT).collect()).await;
    let bytes = reading.map_err(|_| too_slow())?.map_err(|cause| broken(cause.as_ref()))?.to_bytes();
    if !bytes.is_empty() && !is_form(headers) {
        let message = format!("A form is sent as `{FORM}`.");
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "BAD_USER_INPUT", message));
    }
    Ok(bytes)
}

fn is_form(headers: &HeaderMap) -> bool {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()?.split(';').next());
    media_type.is_some_and(|media_type| media_type.trim().eq_ignore_ascii_case(FORM))
}

fn too_long() -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "BAD_USER_INPUT", "This form is too long: 65,536 bytes are the most.")
}

fn too_slow() -> Problem {
    Problem::new(StatusCode::REQUEST_TIMEOUT, "BAD_USER_INPUT", "This form took longer than 30 seconds to arrive.")
}

fn broken(cause: &(dyn std::error::Error + 'static)) -> Problem {
    if cause.is::<LengthLimitError>() {
        too_long()
    } else {
        Problem::new(StatusCode::BAD_REQUEST, "BAD_USER_INPUT", "This form did not arrive whole.")
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    async fn status(headers: &[(http::HeaderName, &'static str)], body: Body) -> Result<usize, u16> {
        let headers = headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value)));
        let read = collect(&headers.collect(), body).await;
        read.map(|bytes| bytes.len()).map_err(|problem| problem.status.as_u16())
    }

    fn chunks(count: usize) -> Body {
        let chunk = Bytes::from_static(&[b'a'; 1024]);
        Body::from_stream(futures::stream::iter((0..count).map(move |_| Ok::<_, std::io::Error>(chunk.clone()))))
    }

    #[tokio::test]
    async fn forms_within_the_limit_pass() {
        assert_eq!(status(&[(CONTENT_TYPE, FORM)], chunks(64)).await, Ok(65_536));
        assert_eq!(
            status(&[(CONTENT_TYPE, "application/x-www-form-urlencoded; charset=UTF-8")], chunks(1)).await,
            Ok(1024)
        );
        assert_eq!(status(&[], Body::empty()).await, Ok(0));
    }

    #[tokio::test]
    async fn others_are_refused() {
        assert_eq!(status(&[(CONTENT_TYPE, FORM)], chunks(65)).await, Err(413));
        assert_eq!(status(&[(CONTENT_LENGTH, "65537")], Body::empty()).await, Err(413));
        for other in ["application/json", "text/plain", "multipart/form-data; boundary=x", ""] {
            assert_eq!(status(&[(CONTENT_TYPE, other)], chunks(1)).await, Err(415), "{other}");
        }
        let broken = Body::from_stream(futures::stream::iter([Err::<Bytes, _>(std::io::Error::other("cut"))]));
        assert_eq!(status(&[(CONTENT_TYPE, FORM)], broken).await, Err(400));
    }
}
