//! Who asks the application, and what comes back.

use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, LOCATION, ORIGIN, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{RequestBuilder, Response};

/// A client that is somebody; it keeps cookies and follows no redirects.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    browser: bool,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub location: Option<String>,
    pub body: String,
}

impl Client {
    /// A browser, not signed in.
    pub fn browser(url: &str) -> Self {
        Self { http: http(HeaderMap::new()), url: url.to_owned(), browser: true }
    }

    /// A browser that has signed in through the form.
    pub async fn signed_in(url: &str, email: &str, password: &str) -> Self {
        let client = Self::browser(url);
        let answer = client.form("/api/login", &[("email", email), ("password", password)]).await;
        assert_eq!((answer.status, answer.location.as_deref()), (303, Some("/")), "{}", answer.body);
        client
    }

    /// A program, with an access token or without.
    pub fn program(url: &str, token: Option<&str>) -> Self {
        let mut headers = HeaderMap::new();
        if let Some(token) = token {
            headers.insert(AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
        }
        Self { http: http(headers), url: url.to_owned(), browser: false }
    }

    /// The same client, of a server at another address.
    pub fn at(&self, url: &str) -> Self {
        Self { url: url.to_owned(), ..self.clone() }
    }

    /// GET: a browser's navigation, or a program's request.
    pub async fn get(&self, path: &str) -> Answer {
        Answer::read(self.request(reqwest::Method::GET, path)).await
    }

    /// GET whose body is read by the caller, e.g. a download.
    pub async fn open(&self, path: &str) -> Response {
        self.request(reqwest::Method::GET, path).send().await.unwrap()
    }

    /// POST of a form: a browser's from our own page, or a program's.
    pub async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        Answer::read(self.request(reqwest::Method::POST, path).form(fields)).await
    }

    /// POST of a form as the hydrated page does it: with the cookies, asking for JSON.
    pub async fn call(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        Answer::read(self.calling(path, fields)).await
    }

    /// The request of [`Self::call`].
    pub fn calling(&self, path: &str, fields: &[(&str, &str)]) -> RequestBuilder {
        let accept = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]);
        // `headers` replaces what a navigation says.
        self.request(reqwest::Method::POST, path).form(fields).headers(accept)
    }

    /// A request to change further; a browser's has the headers of a browser.
    pub fn request(&self, method: reqwest::Method, path: &str) -> RequestBuilder {
        let mut headers = HeaderMap::new();
        if self.browser {
            headers.insert(ACCEPT, HeaderValue::from_static("text/html,application/xhtml+xml,*/*;q=0.8"));
            headers.insert(HeaderName::from_static("sec-fetch-site"), HeaderValue::from_static("same-origin"));
            if method == reqwest::Method::POST {
                headers.insert(ORIGIN, self.url.parse().unwrap());
            }
        }
        self.http.request(method, format!("{}{path}", self.url)).headers(headers)
    }

    /// A request without anything that a browser adds, but with the cookies.
    pub fn bare(&self, method: reqwest::Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url))
    }
}

fn http(headers: HeaderMap) -> reqwest::Client {
    let builder = reqwest::Client::builder().cookie_store(true).redirect(Policy::none()).default_headers(headers);
    builder.user_agent("orgtrail tests").build().unwrap()
}

impl Answer {
    /// Sends a request and reads its answer whole.
    pub async fn read(request: RequestBuilder) -> Self {
        Self::of(request).await.unwrap()
    }

    /// Likewise, of whom one cannot be sure to be answered.
    pub async fn of(request: RequestBuilder) -> reqwest::Result<Self> {
        let response = request.send().await?;
        let headers = response.headers().clone();
        let location = headers.get(LOCATION).map(|location| location.to_str().unwrap().to_owned());
        Ok(Self { status: response.status().as_u16(), headers, location, body: response.text().await? })
    }

    /// A header, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {}", self.body))
    }

    /// The body as problem JSON with this status and code.
    #[track_caller]
    pub fn assert_problem(&self, status: u16, code: &str) {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = self.json();
        assert_eq!(
            (problem["status"].as_u64(), problem["code"].as_str()),
            (Some(status.into()), Some(code)),
            "{problem}"
        );
        assert_eq!(problem["request_id"].as_str(), Some(self.header("x-request-id")), "{problem}");
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.ends_with(['.', '!'])), "{problem}");
    }

    /// The value of the session's cookie, if this answer set it (an empty one: removed it).
    pub fn session_cookie(&self) -> Option<String> {
        let lines = self.headers.get_all(SET_COOKIE).iter().map(|line| line.to_str().unwrap());
        let mut pairs = lines.filter_map(|line| line.split(';').next()?.split_once('='));
        pairs.rfind(|(name, _)| name.ends_with("sid")).map(|(_, value)| value.to_owned())
    }
}
