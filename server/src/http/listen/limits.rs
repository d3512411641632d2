//! What one connection may take, and all of them together.

use std::time::Duration;

/// The limits of the front. Not configurable from outside: tests have others, so that they need not wait.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at a time.
    pub connections: usize,
    /// Connections at a time of one client, which is no trusted proxy.
    pub connections_of_client: usize,
    /// Longest time from the first byte of a request's head to its last, and from the beginning of a connection to the end of its first head.
    pub head: Duration,
    /// Longest time between two requests.
    pub idle: Duration,
    /// How slowly bodies of requests may come.
    pub sending: Sending,
    /// How slowly answers may be made.
    pub answering: Answering,
    /// How slowly answers may be read.
    pub reading: Reading,
    /// Bytes of bodies of requests that are in memory at a time, of all that are not answered yet.
    pub bodies: usize,
    /// How long requests are still taken once the server is asked to stop, where there is a proxy in front: by then it knows.
    pub last_arrivals: Duration,
    /// How long running requests and downloads may take once the server is asked to stop, the time before included.
    pub last_requests: Duration,
}

/// How slowly the body of a request may come. Time in which nobody waits for it does not count.
#[derive(Clone, Copy, Debug)]
pub struct Sending {
    /// Time before the slowest pace counts.
    pub first: Duration,
    /// The slowest pace after that, in bytes a second.
    pub pace: u32,
    /// Longest time in all.
    pub whole: Duration,
    /// Large bodies have a second more in all for each so many bytes that came.
    pub bytes_for_a_second: u32,
}

/// How long an answer may take to begin, once the request has come.
#[derive(Clone, Copy, Debug)]
pub struct Answering {
    /// A page, and the same page made once more. Very rarely a part of a page waits for another that has long come (known of Leptos: its issues
    /// 4673 and 4851); asked again, the page is made at once. A page takes hundredths of a second, and its questions together less than the second
    /// limit even where each comes to the limit of the database.
    pub page: [Duration; 2],
    /// GraphQL: what is sent may ask the database many questions.
    pub graphql: Duration,
    /// Everything else. The database has limits of its own, unless it does not answer at all.
    pub other: Duration,
    /// How long what is not waited for any longer may go on. Then the database is taken to be gone without a word, and what asked it is given up.
    pub work: Duration,
}

/// How slowly an answer may be read. Only time in which the reader is waited for counts.
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    /// Longest time in which nothing is taken.
    pub stall: Duration,
    /// Time over which the pace is averaged.
    pub window: Duration,
    /// The slowest pace, in bytes a second.
    pub pace: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1024,
            connections_of_client: 64,
            head: Duration::from_secs(10),
            idle: Duration::from_mins(1),
            sending: Sending {
                first: Duration::from_secs(10),
                pace: 1024,
                whole: Duration::from_secs(30),
                bytes_for_a_second: 64 * 1024,
            },
            answering: Answering {
                page: [Duration::from_secs(8), Duration::from_secs(25)],
                graphql: Duration::from_secs(10),
                other: Duration::from_secs(30),
                work: Duration::from_mins(1),
            },
            reading: Reading { stall: Duration::from_secs(30), window: Duration::from_mins(1), pace: 4 * 1024 },
            bodies: 64 * 1024 * 1024,
            last_arrivals: Duration::from_secs(2),
            last_requests: Duration::from_secs(10),
        }
    }
}

impl Sending {
    /// How long a body of which so many bytes came may have taken.
    #[must_use]
    pub(super) fn time_for(&self, bytes: u64) -> Duration {
        let at = |pace: u32| Duration::from_millis(bytes.saturating_mul(1000) / u64::from(pace.max(1)));
        let by_pace = self.first + at(self.pace);
        by_pace.min(self.whole + at(self.bytes_for_a_second))
    }
}

impl Reading {
    /// The bytes that are read in a window at the slowest pace.
    #[must_use]
    pub(super) fn bytes_in_window(&self) -> u128 {
        self.window.as_millis() * u128::from(self.pace) / 1000
    }
}

#[cfg(test)]
mod tests {
    use orgtrail::export;

    use super::*;
    use crate::http::limits as head;

    /// What docs/operate.md and docs/threat-model.md say, and.
    #[test]
    fn the_limits_are_those_that_are_documented() {
        let limits = Limits::default();
        let seconds = Duration::from_secs;
        assert_eq!((limits.connections, limits.connections_of_client), (1024, 64));
        assert_eq!((limits.head, limits.idle), (seconds(10), seconds(60)));
        let Sending { first, pace, whole, bytes_for_a_second } = limits.sending;
        assert_eq!((first, pace, whole, bytes_for_a_second), (seconds(10), 1024, seconds(30), 64 * 1024));
        let Answering { page, graphql, other, work } = limits.answering;
        assert_eq!((page, graphql, other, work), ([seconds(8), seconds(25)], seconds(10), seconds(30), seconds(60)));
        let Reading { stall, window, pace } = limits.reading;
        assert_eq!((stall, window, pace), (seconds(30), seconds(60), 4 * 1024));
        assert_eq!(limits.bodies, 64 * 1024 * 1024);
        assert_eq!((limits.last_arrivals, limits.last_requests), (seconds(2), seconds(10)));
        assert_eq!((head::ADDRESS_LIMIT, head::HEADERS_LIMIT), (8 * 1024, 16 * 1024));
        assert_eq!((export::RUNNING, export::RUNNING_HERE), (2, 8));
    }

    #[test]
    fn a_body_has_time_for_what_came() {
        let sending = Limits::default().sending;
        for (bytes, seconds) in [(0, 10), (1024, 11), (20 * 1024, 30), (64 * 1024, 31), (8 * 1024 * 1024, 158)] {
            let allowed = sending.time_for(bytes).as_secs_f64();
            assert!((allowed - f64::from(seconds)).abs() < 0.5, "{bytes}: {allowed}");
        }
    }
}
