//! The bytes of a connection, and the client's time: for the heads of requests, between them, and for taking the answers.
//!
//! hyper has one limit for the head and the time before it; here they differ, and nothing in it watches a reader.

use std::error::Error;
use std::io::{self, IoSlice};
use std::iter::successors;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::alarm::Alarm;
use super::course::Course;
use super::limits::{Limits, Reading};

/// A connection's stream. It fails when the client takes too long, and is reset instead of closed if its [`Course`] is broken off.
#[derive(Debug)]
pub(super) struct Watched {
    stream: TcpStream,
    course: Arc<Course>,
    heads: Heads,
    reader: Reader,
}

impl Watched {
    /// Watches a new connection.
    pub(super) fn new(stream: TcpStream, course: Arc<Course>, limits: &Limits) -> Self {
        Self { stream, course, heads: Heads::new(limits), reader: Reader::new(limits.reading) }
    }

    /// Ready if the next request is late. Who still takes an answer is not late: hyper has the whole of it, and is done with it, before they have.
    fn poll_late(&mut self, cx: &mut Context<'_>) -> Poll<Late> {
        if self.reader.is_waited_for() { Poll::Pending } else { self.heads.poll_late(&self.course, cx) }
    }

    /// Looks at what became of a write.
    fn written(&mut self, polled: Poll<io::Result<usize>>, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        match polled {
            Poll::Ready(Ok(bytes)) if self.reader.takes(bytes) => return polled,
            Poll::Ready(Ok(_)) => {}
            Poll::Ready(Err(_)) => return polled,
            Poll::Pending => ready!(self.reader.poll_stalled(cx)),
        }
        self.course.break_off();
        Poll::Ready(Err(Late::Reader.into()))
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if self.course.is_broken() || std::thread::panicking() {
            // What the system has not sent yet goes too; if it cannot be, the client is gone.
            drop(self.stream.set_zero_linger());
        }
    }
}

impl AsyncRead for Watched {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let polled = Pin::new(&mut this.stream).poll_read(cx, buffer);
        if polled.is_pending() {
            return this.poll_late(cx).map(|late| Err(late.into()));
        }
        if buffer.filled().len() > before {
            this.heads.came(&this.course);
        }
        polled
    }
}

impl AsyncWrite for Watched {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.stream).poll_write(cx, bytes);
        this.written(polled, cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.stream).poll_write_vectored(cx, pieces);
        this.written(polled, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        // When an answer is out, the time to the next request begins; hyper reads again only when something has come.
        match this.poll_late(cx) {
            Poll::Ready(late) => Poll::Ready(Err(late.into())),
            Poll::Pending => Pin::new(&mut this.stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.course.is_broken() {
            return Poll::Ready(Ok(())); // An end here would be a clean one.
        }
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Who was too slow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Late {
    /// Nobody asks anything: a connection that idles, or was made in vain.
    #[error("no request came in time")]
    Idle,
    /// A request began to come.
    #[error("the head of a request did not come whole in time")]
    Sender,
    /// An answer is taken too slowly, or not at all.
    #[error("the answer is not read in time")]
    Reader,
}

impl From<Late> for io::Error {
    fn from(late: Late) -> Self {
        Self::new(io::ErrorKind::TimedOut, late)
    }
}

impl Late {
    /// Who it was, if it is why a connection ended.
    pub(super) fn of(ended: &(dyn Error + 'static)) -> Option<Self> {
        let mut causes = successors(Some(ended), |&cause| cause.source());
        causes.find_map(|cause| cause.downcast_ref::<io::Error>()?.get_ref()?.downcast_ref().copied())
    }
}

/// The client as the sender of heads.
#[derive(Debug)]
struct Heads {
    /// Requests that had come when `due` was set.
    begun: u64,
    /// Whether some of a head has come, or the time for it has begun.
    partial: bool,
    /// Whether some of it has come.
    came: bool,
    /// When the head must be whole, or begin.
    due: Instant,
    alarm: Alarm,
    head: Duration,
    idle: Duration,
}

impl Heads {
    fn new(limits: &Limits) -> Self {
        let due = Instant::now() + limits.head;
        // A new connection has been waited for long enough.
        Self {
            begun: 0,
            partial: true,
            came: false,
            due,
            alarm: Alarm::default(),
            head: limits.head,
            idle: limits.idle,
        }
    }

    /// Bytes have come: the first of a head, unless a request is running.
    fn came(&mut self, course: &Course) {
        if course.is_busy() {
            return;
        }
        self.came = true;
        if !self.partial || self.begun != course.begun() {
            (self.begun, self.partial) = (course.begun(), true);
            self.due = Instant::now() + self.head;
        }
    }

    /// Nothing has come. Ready if that is too late.
    fn poll_late(&mut self, course: &Course, cx: &mut Context<'_>) -> Poll<Late> {
        if course.is_busy() {
            return Poll::Pending; // The client waits, or its body is waited for, which has limits of its own.
        }
        if self.begun != course.begun() {
            (self.begun, self.partial, self.came) = (course.begun(), false, false);
            self.due = Instant::now() + self.idle;
        }
        self.alarm.poll(self.due, cx).map(|()| if self.came { Late::Sender } else { Late::Idle })
    }
}

/// The client as the reader of answers. Only what it is waited for counts: answers may be made as slowly as they must.
#[derive(Debug)]
struct Reader {
    limits: Reading,
    /// Since when it takes nothing.
    stalled: Option<Instant>,
    /// How long it was waited for in this window, until it took something.
    waited: Duration,
    /// What it took in this window.
    taken: u64,
    alarm: Alarm,
}

impl Reader {
    fn new(limits: Reading) -> Self {
        Self { limits, stalled: None, waited: Duration::ZERO, taken: 0, alarm: Alarm::default() }
    }

    /// Whether there is something for it to take, and it does not.
    fn is_waited_for(&self) -> bool {
        self.stalled.is_some()
    }

    /// It took some bytes. False if those of a whole window are too few.
    fn takes(&mut self, bytes: usize) -> bool {
        self.taken += bytes as u64;
        let Some(since) = self.stalled.take() else { return true };
        self.waited += since.elapsed();
        if self.waited < self.limits.window {
            return true;
        }
        let enough = u128::from(self.taken) >= self.limits.bytes_in_window();
        (self.waited, self.taken) = (Duration::ZERO, 0);
        enough
    }

    /// It takes nothing. Ready if that is so for too long.
    fn poll_stalled(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let since = *self.stalled.get_or_insert_with(Instant::now);
        self.alarm.poll(since + self.limits.stall, cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(window: Duration) -> Reader {
        Reader::new(Reading { stall: Duration::from_mins(1), window, pace: 1024 })
    }

    #[test]
    fn a_slow_reader_is_known_by_the_bytes_of_a_window() {
        let mut slow = reader(Duration::from_secs(10));
        slow.stalled = Some(Instant::now() - Duration::from_secs(6));
        assert!(slow.takes(5 * 1024), "the window is not over");
        slow.stalled = Some(Instant::now() - Duration::from_secs(6));
        assert!(!slow.takes(4 * 1024), "9 KiB in 12 seconds");
        // Control: a little more, and a new window begins.
        let mut fine = reader(Duration::from_secs(10));
        for _ in 0..3 {
            fine.stalled = Some(Instant::now() - Duration::from_secs(12));
            assert!(fine.takes(12 * 1024));
            assert_eq!((fine.taken, fine.waited), (0, Duration::ZERO));
        }
    }

    #[test]
    fn an_answer_that_is_made_slowly_is_not_read_slowly() {
        let mut reader = reader(Duration::ZERO);
        assert!((0..10).all(|_| reader.takes(1)), "nobody waited for the reader");
        assert_eq!(reader.waited, Duration::ZERO);
    }
}
