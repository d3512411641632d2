//! Forms with a file in them: read within a larger limit, once it is known who sends them, and made into a form like all others, so that what
//! stands behind (the mutation's record, the flash, the server function) knows one sort of form only.

use axum::body::Body;
use axum::extract::{FromRequest, Multipart, Request};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use http::{Method, StatusCode};
use orgtrail::Error;
use orgtrail::identity::viewer::{Identity, Viewer};
use orgtrail::model::records::MAX_BODY_BYTES;
use url::form_urlencoded::Serializer;

use super::body::Accepted;
use super::problem::Problem;

/// The forms that have one.
const FORMS: [&str; 1] = ["/api/add_records"];

/// What a form without a file is sent as.
const URLENCODED: &str = "application/x-www-form-urlencoded";

/// Most fields of such a form.
const MAX_FIELDS: usize = 16;

/// The file, and as much as other forms have.
const UPLOAD: Accepted = Accepted {
    name: "form with a file",
    limit: MAX_BODY_BYTES + 64 * 1024,
    types: &["multipart/form-data", URLENCODED],
};

/// Whether a post to `path` may have a file in it.
#[must_use]
pub fn takes(path: &str) -> bool {
    FORMS.contains(&path)
}

/// Reads the body of such a form. Of nobody it is not read at all.
pub async fn read(request: Request, next: Next) -> Response {
    if request.method() != Method::POST || !takes(request.uri().path()) {
        return next.run(request).await;
    }
    match as_form(request).await {
        Ok(request) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

async fn as_form(request: Request) -> Result<Request, Problem> {
    if matches!(request.extensions().get::<Viewer>().map(|viewer| &viewer.identity), None | Some(Identity::Anonymous)) {
        return Err(Error::Unauthenticated.into());
    }
    let (mut parts, body) = request.into_parts();
    let bytes = UPLOAD.collect(&parts.headers, body).await?;
    let sent = parts.headers.get(CONTENT_TYPE).and_then(|sent| sent.to_str().ok()).unwrap_or_default();
    if !sent.trim_start().to_ascii_lowercase().starts_with("multipart/") {
        return Ok(Request::from_parts(parts, Body::from(bytes)));
    }
    let form = fields(Request::from_parts(parts.clone(), Body::from(bytes))).await?;
    parts.headers.insert(CONTENT_TYPE, HeaderValue::from_static(URLENCODED));
    parts.headers.remove(CONTENT_LENGTH);
    Ok(Request::from_parts(parts, Body::from(form)))
}

/// The fields, each with its text; a file is a field like any other.
async fn fields(request: Request) -> Result<String, Problem> {
    let mut multipart = Multipart::from_request(request, &()).await.map_err(|_| malformed())?;
    let mut form: Vec<(String, String)> = Vec::new();
    for _ in 0..MAX_FIELDS {
        let Some(field) = multipart.next_field().await.map_err(|_| malformed())? else {
            return Ok(Serializer::new(String::new()).extend_pairs(form).finish());
        };
        let name = field.name().unwrap_or_default().to_owned();
        let bytes = field.bytes().await.map_err(|_| malformed())?;
        let text = std::str::from_utf8(&bytes).map_err(|_| no_text())?;
        form.push((name, text.to_owned()));
    }
    Err(malformed())
}

fn malformed() -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "BAD_USER_INPUT", "This form could not be read.")
}

fn no_text() -> Problem {
    let message = "The file is no text in UTF-8: save it as such, and upload it again.";
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "BAD_USER_INPUT", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(body: &str) -> Result<String, u16> {
        let request = Request::builder()
            .header(CONTENT_TYPE, "multipart/form-data; boundary=x")
            .body(Body::from(body.replace('\n', "\r\n")))
            .unwrap();
        fields(request).await.map_err(|problem| problem.status.as_u16())
    }

    #[tokio::test]
    async fn fields_and_files_become_a_form() {
        let body = "--x\nContent-Disposition: form-data; name=\"model\"\n\nfraud\n--x\n\
            Content-Disposition: form-data; name=\"file\"; filename=\"a&b.ndjson\"\nContent-Type: application/x-ndjson\n\n{\"a\":\"é\"}\n--x--\n";
        assert_eq!(read(body).await.unwrap(), "model=fraud&file=%7B%22a%22%3A%22%C3%A9%22%7D");
    }

    #[tokio::test]
    async fn what_is_no_form_is_refused() {
        for body in ["", "--x", "--x\nContent-Disposition: form-data; name=\"a\"\n\nb", "--y--\n"] {
            assert_eq!(read(body).await, Err(400), "{body:?}");
        }
        let field = "--x\nContent-Disposition: form-data; name=\"a\"\n\nb\n";
        assert_eq!(read(&format!("{}--x--\n", field.repeat(17))).await, Err(400));
    }
}
