//! The site in the binary: what the browser gets besides pages, compiled in by `build.rs` and served precompressed.

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY};
use http::{HeaderMap, HeaderValue, StatusCode, Uri};

include!(concat!(env!("OUT_DIR"), "/site.rs"));

/// For files whose name is a hash of their content.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// For files that keep their name: an hour, then a question with the `ETag`.
const FOR_AN_HOUR: &str = "public, max-age=3600";

/// URL paths of the files that every page links; `None` in a build without the site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SiteNames {
    /// The one style sheet.
    pub css: Option<&'static str>,
    /// The JavaScript module whose default export starts the WebAssembly.
    pub js: Option<&'static str>,
    /// The WebAssembly that every page needs; the module must be told this path, since its own idea of the name has no hash.
    pub wasm: Option<&'static str>,
    /// What the module loads when a page needs it: names of chunks, and the files of each.
    pub chunks: &'static [(&'static str, &'static [&'static str])],
}

/// The hashed names in this binary, such as `/pkg/orgtrail.0123456789abcdef.js`.
#[must_use]
pub fn names() -> SiteNames {
    NAMES
}

/// Routes of the embedded files: all of `/pkg/…` and each public file (`/favicon.svg`, …). Everybody may read them.
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let public = FILES.iter().filter(|file| !file.path.starts_with("/pkg/"));
    public.fold(Router::new().route("/pkg/{*file}", get(serve)), |router, file| router.route(file.path, get(serve)))
}

async fn serve(uri: Uri, headers: HeaderMap) -> Response {
    match FILES.iter().find(|file| file.path == uri.path()) {
        Some(file) => file.respond(&headers),
        // A page of an older or newer server asked: the answer may be another one tomorrow.
        None => (StatusCode::NOT_FOUND, [(CACHE_CONTROL, "no-store")]).into_response(),
    }
}

/// One embedded file and its compressed forms.
struct File {
    path: &'static str,
    content_type: &'static str,
    immutable: bool,
    etag: &'static str,
    plain: &'static [u8],
    brotli: Option<&'static [u8]>,
    gzip: Option<&'static [u8]>,
}

impl File {
    fn respond(&self, request: &HeaderMap) -> Response {
        let mut headers = self.headers();
        if matches(request, self.etag) {
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
        let (encoding, body) = self.best_form(request);
        if let Some(encoding) = encoding {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        (headers, body).into_response()
    }

    /// Those that a 304 repeats too (RFC 9110, 15.4.5).
    fn headers(&self) -> HeaderMap {
        let lifetime = if self.immutable { FOR_EVER } else { FOR_AN_HOUR };
        HeaderMap::from_iter([
            (CACHE_CONTROL, HeaderValue::from_static(lifetime)),
            (ETAG, HeaderValue::from_static(self.etag)),
            (VARY, HeaderValue::from_static("accept-encoding")),
        ])
    }

    /// The form that the client likes best; among equals the smallest.
    fn best_form(&self, request: &HeaderMap) -> (Option<&'static str>, &'static [u8]) {
        let accepted = Accepted::of(request);
        let plain = Some((accepted.identity(), None, self.plain));
        let gzip = self.gzip.map(|body| (accepted.quality("gzip"), Some("gzip"), body));
        let brotli = self.brotli.map(|body| (accepted.quality("br"), Some("br"), body));
        // `max_by` takes the last among equals.
        let forms = [plain, gzip, brotli].into_iter().flatten().filter(|form| form.0 > 0.0);
        let best = forms.max_by(|one, other| one.0.total_cmp(&other.0));
        best.map_or((None, self.plain), |(_, encoding, body)| (encoding, body))
    }
}

/// The Accept-Encoding of a request (RFC 9110, 12.5.3): codings and their quality, 0 to 1.
struct Accepted<'a>(Vec<(&'a str, f32)>);

impl<'a> Accepted<'a> {
    fn of(request: &'a HeaderMap) -> Self {
        let lines = request.get_all(ACCEPT_ENCODING).iter().filter_map(|line| line.to_str().ok());
        Self(lines.flat_map(|line| line.split(',')).filter_map(coding).collect())
    }

    fn stated(&self, name: &str) -> Option<f32> {
        self.0.iter().find(|(coding, _)| coding.eq_ignore_ascii_case(name)).map(|(_, quality)| *quality)
    }

    /// 0 for a coding that the client did not name, unless `*` stands for it.
    fn quality(&self, name: &str) -> f32 {
        self.stated(name).or_else(|| self.stated("*")).unwrap_or(0.0)
    }

    /// Not compressing is always possible, but the last choice unless it was asked for by name.
    fn identity(&self) -> f32 {
        self.stated("identity").unwrap_or(f32::MIN_POSITIVE)
    }
}

/// `gzip;q=0.8` as a pair; a weight that is none (0 to 1) counts as 0, the careful reading.
fn coding(text: &str) -> Option<(&str, f32)> {
    let (name, parameters) = text.split_once(';').unwrap_or((text, "q=1"));
    let weight = parameters.trim().strip_prefix(['q', 'Q']).and_then(|rest| rest.strip_prefix('='));
    let quality = weight.and_then(|weight| weight.trim().parse().ok()).filter(|quality| (0.0..=1.0).contains(quality));
    let name = name.trim();
    (!name.is_empty()).then_some((name, quality.unwrap_or(0.0)))
}

/// If-None-Match against our `ETag` by the weak comparison (RFC 9110, 13.1.2).
fn matches(request: &HeaderMap, etag: &str) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let lines = request.get_all(IF_NONE_MATCH).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|tag| tag.trim() == "*" || opaque(tag) == opaque(etag))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCRIPT: File = File {
        path: "/pkg/a.js",
        content_type: "text/javascript; charset=utf-8",
        immutable: true,
        etag: "W/\"abc\"",
        plain: b"plain",
        brotli: Some(b"brotli"),
        gzip: Some(b"gzip"),
    };
    const ICON: File = File { immutable: false, brotli: None, ..SCRIPT };

    fn asking(name: http::HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[track_caller]
    fn assert_form(file: &File, accept_encoding: &'static str, expected: Option<&str>) {
        let (encoding, _) = file.best_form(&asking(ACCEPT_ENCODING, accept_encoding));
        assert_eq!(encoding, expected, "{accept_encoding}");
    }

    #[test]
    fn takes_the_form_with_the_highest_quality_and_brotli_among_equals() {
        assert_form(&SCRIPT, "gzip, deflate, br, zstd", Some("br"));
        assert_form(&SCRIPT, "gzip", Some("gzip"));
        assert_form(&SCRIPT, "BR;q=0.5, gzip;q=0.9", Some("gzip"));
        assert_form(&SCRIPT, "br;q=0, gzip;q=0.1", Some("gzip"));
        assert_form(&SCRIPT, "*", Some("br"));
        assert_form(&SCRIPT, "*;q=0.2, br;q=0.1", Some("gzip"));
        assert_form(&ICON, "br, gzip;q=0.3", Some("gzip"));
    }

    #[test]
    fn does_not_compress_for_whoever_did_not_ask() {
        assert_eq!(SCRIPT.best_form(&HeaderMap::new()), (None, b"plain".as_slice()));
        for plain in [
            "",
            "identity",
            "deflate",
            "br;q=0",
            "br;q=0.5, identity",
            "br;q=NaN",
            "br;q=7",
            "br;x=1",
            "*;q=0",
            "identity;q=0",
        ] {
            assert_form(&SCRIPT, plain, None);
        }
    }

    #[test]
    fn keeps_hashed_names_for_ever_and_others_for_an_hour() {
        let script = SCRIPT.respond(&asking(ACCEPT_ENCODING, "br"));
        assert_eq!(script.status(), StatusCode::OK);
        assert_eq!(script.headers()[CACHE_CONTROL], FOR_EVER);
        assert_eq!(script.headers()[CONTENT_ENCODING], "br");
        assert_eq!(script.headers()[CONTENT_TYPE], SCRIPT.content_type);
        assert_eq!(script.headers()[VARY], "accept-encoding");
        assert_eq!(ICON.respond(&HeaderMap::new()).headers()[CACHE_CONTROL], FOR_AN_HOUR);
    }

    #[test]
    fn answers_304_to_whoever_has_it() {
        for tag in ["W/\"abc\"", "\"abc\"", "\"x\", W/\"abc\"", "*"] {
            assert_eq!(ICON.respond(&asking(IF_NONE_MATCH, tag)).status(), StatusCode::NOT_MODIFIED, "{tag}");
        }
        assert_eq!(ICON.respond(&asking(IF_NONE_MATCH, "\"ab\"")).status(), StatusCode::OK);
    }

    #[test]
    fn names_are_files_of_the_site() {
        let SiteNames { css, js, wasm, chunks } = names();
        let chunks = chunks.iter().flat_map(|(_, files)| files.iter().copied());
        for name in [css, js, wasm].into_iter().flatten().chain(chunks) {
            let file = FILES.iter().find(|file| file.path == name);
            assert!(file.is_some_and(|file| file.immutable && !file.plain.is_empty()), "{name}");
        }
    }

    #[tokio::test]
    async fn an_unknown_file_is_404_and_not_kept() {
        let missing = serve(Uri::from_static("/pkg/none.js"), HeaderMap::new()).await;
        assert_eq!(missing.status(), StatusCode::NOT_FOUND);
        assert_eq!(missing.headers()[CACHE_CONTROL], "no-store");
    }
}
