//! What comes before anything that is asked: heads of requests, and tokens.

use fastrand::Rng;
use orgtrail::identity::access_token::Scope;
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, HeaderValue};

use super::hostile::{like, lossy};
use super::judge::{complaint, patient};
use crate::amount::rounds;
use crate::support::{Answer, TestApplication};

/// What no client library would send.
pub const HEADS: [&[u8]; 24] = [
    b"\r\n\r\n",
    b"GET\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET / HTTP/2.0\r\n\r\n",
    b"GET  / HTTP/1.1\r\nhost: a\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost : a\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: a\r\n folded\r\n\r\n",
    b"GET / HTTP/1.1\r\n: a\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: a\0b\r\n\r\n",
    b"GET /\0 HTTP/1.1\r\nhost: a\r\n\r\n",
    b"GET /\xff\xfe HTTP/1.1\r\nhost: a\r\n\r\n",
    b"GET \\ HTTP/1.1\r\nhost: a\r\n\r\n",
    b"GET http://b.example/livez HTTP/1.1\r\nhost: a\r\n\r\n",
    b"GET //livez HTTP/1.1\r\nhost: a\r\n\r\n",
    b"GET * HTTP/1.1\r\nhost: a\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n",
    b"CONNECT a:1 HTTP/1.1\r\nhost: a\r\n\r\n",
    b"POST /api/login HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n",
    b"POST /api/login HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
    b"POST /api/login HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /api/login HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
    b"POST /api/login HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
];

pub fn changed(head: &[u8], random: &mut Rng) -> Vec<u8> {
    if random.u8(..4) == 0 { head.to_vec() } else { like(head, random) }
}

/// Whether one of the answers in these bytes is a fault of ours. Only answers begin with a status; what was asked has an address there.
pub fn has_fault(answers: &str) -> bool {
    let is_fault =
        |status: &str| status.len() == 3 && status.starts_with('5') && status.bytes().all(|byte| byte.is_ascii_digit());
    let mut statuses = answers.split("HTTP/1.").skip(1).filter_map(|answer| answer.split(' ').nth(1));
    statuses.any(is_fault)
}

#[tokio::test]
async fn heads_that_are_none_are_refused_or_hung_up_on() {
    // Control.
    assert!(has_fault("HTTP/1.1 400 Bad Request\r\n\r\nHTTP/1.1 500 Internal Server Error\r\n\r\n"));
    let app = TestApplication::start_with(patient).await;
    for mut random in rounds("heads", 40) {
        for head in HEADS {
            let sent = changed(head, &mut random);
            let answers = app.answer_to_bytes(&sent).await;
            assert!(!has_fault(&answers), "{}: {answers}", lossy(&sent));
        }
    }
    assert_eq!(app.program().get("/livez").await.status, 200);
}

#[tokio::test]
async fn tokens_that_are_none_are_refused_by_their_status() {
    let app = TestApplication::start_with(patient).await;
    let token = app.token(&[Scope::AuditRead]).await;
    for mut random in rounds("tokens", 60) {
        let sent = like(format!("Bearer {token}").as_bytes(), &mut random);
        let Ok(value) = HeaderValue::from_bytes(sent.trim_ascii()) else { continue };
        let request = app.program().bare(Method::GET, "/api/v1/events").header(AUTHORIZATION, value);
        let answer = Answer::read(request).await;
        assert_eq!(complaint(&answer), None);
        let is_it = lossy(&sent)
            .trim()
            .split_once(' ')
            .is_some_and(|(scheme, rest)| scheme.eq_ignore_ascii_case("bearer") && rest.trim() == token);
        assert_eq!(answer.status, if is_it { 200 } else { 401 }, "{}", lossy(&sent));
    }
}
