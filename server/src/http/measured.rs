//! A request in the metrics: how many run, and how long each took, by the template of its route.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use http::{Method, StatusCode};
use metrics::{SharedString, gauge, histogram};

use crate::metrics::{REQUESTS, RUNNING, While};

/// A request that is answered at this moment.
pub(super) struct Measured {
    began: Instant,
    route: SharedString,
    method: &'static str,
    _running: While,
}

impl Measured {
    /// It begins, with its route found already.
    pub(super) fn begin(request: &Request) -> Self {
        let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
        Self {
            began: Instant::now(),
            route: route.map_or(SharedString::const_str("none"), SharedString::from),
            method: known(request.method()).unwrap_or("other"),
            _running: While::begin(gauge!(RUNNING)),
        }
    }

    /// Its answer begins.
    pub(super) fn end(self, status: StatusCode) {
        let class = ["1xx", "2xx", "3xx", "4xx", "5xx"][usize::from(status.as_u16() / 100 - 1).min(4)];
        histogram!(REQUESTS, "route" => self.route, "method" => self.method, "status" => class)
            .record(self.began.elapsed());
    }
}

/// The methods there are; anybody can invent others, and each would be a series.
pub(super) fn known(method: &Method) -> Option<&'static str> {
    let known = match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => return None,
    };
    Some(known)
}
