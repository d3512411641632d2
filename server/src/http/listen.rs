//! The accept loop: who may connect, for how long a client may take its time, and how it all ends.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use http::{Request, Response};
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use ipnet::IpNet;
use orgtrail::meter::Busy;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tower::Service as _;

mod alarm;
mod course;
pub mod limits;
mod places;
pub mod received;
pub mod refusals;
mod stream;
mod turned_away;

use course::{Answer, Course};
use limits::Limits;
use places::Places;
use received::{Held, Received};
use stream::{Late, Watched};
use turned_away::TurnedAway;

/// Longest head that is read, in bytes: long enough to tell what in it is too long ([`limits::refuse`](super::limits::refuse)).
const HEAD_LIMIT: usize = 128 * 1024;

/// Bytes of an answer that wait in the system besides those on their way: so few that a slow reader is seen to take some.
#[cfg(target_os = "linux")]
const UNSENT_LIMIT: u32 = 128 * 1024;

/// How long nothing is accepted after the system refused to, most likely for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// How often that is logged.
const COMPLAINT: Duration = Duration::from_secs(10);

/// What the loop goes by.
pub struct Rules {
    /// What connections may take.
    pub limits: Limits,
    /// Behind these addresses are many clients.
    pub trusted_proxies: Vec<IpNet>,
    /// Nothing new is taken from then on; what idles is closed, what runs may end.
    pub stop: CancellationToken,
    /// Whatever runs is broken off from then on.
    pub cut: CancellationToken,
}

/// Serves `router` on `socket`; ends after `stop`, when the last connection has.
pub async fn serve(socket: TcpListener, router: Router, rules: Rules) {
    let stop = rules.stop.clone();
    let front = Front::new(router, rules);
    let mut complained = None;
    while let Some((stream, peer)) = stop.run_until_cancelled(accept(&socket, &mut complained)).await {
        front.take(stream, peer);
    }
    drop(socket);
    front.running.shutdown().await;
}

/// The next connection, whatever the system says until it comes.
async fn accept(socket: &TcpListener, complained: &mut Option<Instant>) -> (TcpStream, SocketAddr) {
    loop {
        match socket.accept().await {
            Ok(accepted) => return accepted,
            Err(cause) if is_of_client(&cause) => {}
            Err(cause) => {
                if complained.is_none_or(|at| at.elapsed() > COMPLAINT) {
                    *complained = Some(Instant::now());
                    tracing::error!(%cause, "no connection can be accepted");
                }
                sleep(PAUSE).await;
            }
        }
    }
}

/// Whether it is only that a client has gone.
fn is_of_client(cause: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(cause.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

/// What all connections share.
struct Front {
    router: Router,
    http: http1::Builder,
    limits: Limits,
    places: Arc<Places>,
    turned_away: TurnedAway,
    /// A permit for each byte of a body that may be in memory.
    room: Arc<Semaphore>,
    running: GracefulShutdown,
    cut: CancellationToken,
}

impl Front {
    fn new(router: Router, rules: Rules) -> Self {
        let Rules { limits, trusted_proxies, cut, .. } = rules;
        let mut http = http1::Builder::new();
        http.max_buf_size(HEAD_LIMIT);
        Self {
            router: router.with_state(()), // its routes are made now, not with each request
            http,
            limits,
            places: Arc::new(Places::new(&limits, trusted_proxies)),
            turned_away: TurnedAway::default(),
            room: Arc::new(Semaphore::new(limits.bodies)),
            running: GracefulShutdown::new(),
            cut,
        }
    }

    /// Serves a connection, if there is a place for it.
    fn take(&self, stream: TcpStream, peer: SocketAddr) {
        let place = match self.places.take(peer.ip()) {
            Ok(place) => place,
            Err(reason) => {
                refusals::count(reason, Some(peer.ip()));
                return self.turned_away.tell(stream, peer.ip(), self.places.is_proxy(peer.ip()));
            }
        };
        prepare(&stream);
        let course = Arc::new(Course::default());
        let stream = Watched::new(stream, Arc::clone(&course), &self.limits);
        let service = self.service(peer, Arc::clone(&course));
        let connection = self.running.watch(self.http.serve_connection(TokioIo::new(stream), service));
        let cut = self.cut.clone();
        tokio::spawn(async move {
            let _place = place;
            let mut connection = pin!(connection);
            tokio::select! {
                ended = &mut connection => if let Err(cause) = ended {
                    ended_early(&cause, peer);
                },
                () = cut.cancelled() => course.break_off(),
            }
        });
    }

    /// The router for one connection.
    fn service(
        &self,
        peer: SocketAddr,
        course: Arc<Course>,
    ) -> impl Service<Request<Incoming>, Response = Response<Answer>, Error = Infallible, Future: Send> + use<> {
        let (router, room, sending) = (self.router.clone(), Arc::clone(&self.room), self.limits.sending);
        service_fn(move |request| {
            course.begin();
            let mut request = receive(request, &room, sending);
            request.extensions_mut().insert(ConnectInfo(peer));
            let answering = router.clone().call(request);
            let course = Arc::clone(&course);
            async move { Ok(answering.await?.map(|body| Answer::new(body, course))) }
        })
    }
}

fn ended_early(cause: &hyper::Error, peer: SocketAddr) {
    tracing::debug!(%cause, %peer, "a connection ended early");
    match Late::of(cause) {
        Some(Late::Sender) => refusals::count(Busy::SlowSenders, Some(peer.ip())),
        Some(Late::Reader) => refusals::count(Busy::SlowReaders, Some(peer.ip())),
        Some(Late::Idle) | None => {}
    }
}

/// The request with its body, if it has one, within its limits.
fn receive(request: Request<Incoming>, room: &Arc<Semaphore>, sending: limits::Sending) -> Request<Body> {
    let (mut parts, body) = request.into_parts();
    if body.is_end_stream() {
        return Request::from_parts(parts, Body::empty());
    }
    let held = Arc::new(Held::new(Arc::clone(room)));
    parts.extensions.insert(Arc::clone(&held));
    Request::from_parts(parts, Body::new(Received::new(body, held, sending)))
}

/// Answers leave when they are written, not when the client has acknowledged the last piece. What fails here is a connection that has gone.
fn prepare(stream: &TcpStream) {
    drop(stream.set_nodelay(true));
    #[cfg(target_os = "linux")]
    drop(socket2::SockRef::from(stream).set_tcp_notsent_lowat(UNSENT_LIMIT));
}
