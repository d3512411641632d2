//! Requests that wait for the same thing at the same moment, done together ([ADR 0023](../../docs/adr/0023-group-commit.md)).
//!
//! Whoever comes first does what it came for, at once, with those who come at the same moment. Whoever comes meanwhile waits; when the first is
//! done, one of those who wait leads, and does what all of them came for. Nobody waits for a clock, and what is done began after everybody who is
//! served by it had come.

use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::hash::Hash;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use futures::channel::oneshot;

use crate::{Error, Result, meter};

/// What waits, by what it waits for.
pub struct Gather<K: Key, Q, A> {
    queues: Arc<Queues<K, Q, A>>,
    /// Most that is done together, as the sum of weights; what is heavier by itself is done alone.
    together: usize,
    /// Most that waits for one thing, as the sum of weights.
    waiting: usize,
}

/// A queue is there while somebody leads it.
struct Queues<K: Key, Q, A>(Mutex<HashMap<K, Queue<K, Q, A>>>);

struct Queue<K: Key, Q, A> {
    waiting: VecDeque<Waiting<K, Q, A>>,
    weight: usize,
}

struct Waiting<K: Key, Q, A> {
    request: Q,
    weight: usize,
    turn: oneshot::Sender<Turn<K, Q, A>>,
}

/// What becomes of one who waits.
enum Turn<K: Key, Q, A> {
    /// It is done.
    Done(Result<A>),
    /// It leads, with its own request and the weight of that.
    Lead(Leading<K, Q, A>, Q, usize),
}

/// Too many wait.
#[derive(Debug, thiserror::Error)]
#[error("too much of this kind waits already")]
struct Busy;

/// Who led has left before it was done.
#[derive(Debug, thiserror::Error)]
#[error("what was done together was broken off")]
struct BrokenOff;

/// What requests wait for: an organization, for instance.
pub trait Key: Clone + Eq + Hash {}

impl<K: Clone + Eq + Hash> Key for K {}

impl<K: Key, Q, A> Gather<K, Q, A> {
    /// Does so much together at most, and lets so much wait for one thing.
    #[must_use]
    pub fn new(together: usize, waiting: usize) -> Self {
        Self { queues: Arc::new(Queues(Mutex::default())), together, waiting }
    }

    /// Has `request` done by somebody's `work`, with what else waits for `key`. `work` answers each of what it is given, in its order.
    ///
    /// # Errors
    /// What `work` answers; [`Error::Unavailable`] at once if too much waits, and if who leads is dropped.
    pub async fn run<W, F>(&self, key: K, request: Q, weight: usize, work: W) -> Result<A>
    where
        W: FnOnce(Vec<Q>) -> F,
        F: Future<Output = Vec<Result<A>>>,
    {
        let turn = match self.enter(key, request, weight)? {
            Entered::Leads(leading, request) => Turn::Lead(leading, request, weight),
            Entered::Waits(turn) => turn.await.map_err(|_| Error::Unavailable(Box::new(BrokenOff)))?,
        };
        match turn {
            Turn::Done(answer) => answer,
            Turn::Lead(leading, request, weight) => {
                leading.work(request, self.together.saturating_sub(weight), work).await
            }
        }
    }

    /// How many wait, for whatever.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.queues.lock().values().map(|queue| queue.waiting.len()).sum()
    }

    fn enter(&self, key: K, request: Q, weight: usize) -> Result<Entered<K, Q, A>> {
        let mut queues = self.queues.lock();
        let Some(queue) = queues.get_mut(&key) else {
            queues.insert(key.clone(), Queue { waiting: VecDeque::new(), weight: 0 });
            return Ok(Entered::Leads(Leading { queues: Arc::clone(&self.queues), key, is_over: false }, request));
        };
        if queue.weight + weight > self.waiting {
            meter::Busy::Gathering.refused();
            return Err(Error::Unavailable(Box::new(Busy)));
        }
        let (turn, receiver) = oneshot::channel();
        queue.weight += weight;
        queue.waiting.push_back(Waiting { request, weight, turn });
        Ok(Entered::Waits(receiver))
    }
}

enum Entered<K: Key, Q, A> {
    Leads(Leading<K, Q, A>, Q),
    Waits(oneshot::Receiver<Turn<K, Q, A>>),
}

impl<K: Key, Q, A> Queues<K, Q, A> {
    fn lock(&self) -> MutexGuard<'_, HashMap<K, Queue<K, Q, A>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Goes to the end of what can run.
async fn others_first() {
    let mut is_first = true;
    poll_fn(|context| {
        if !mem::take(&mut is_first) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// The one who leads. When it is gone, however that comes, the next one leads, or nobody if nobody waits.
struct Leading<K: Key, Q, A> {
    queues: Arc<Queues<K, Q, A>>,
    key: K,
    is_over: bool,
}

impl<K: Key, Q, A> Leading<K, Q, A> {
    /// Does its own request and those that have waited longest, as much as there is room for.
    async fn work<W, F>(self, request: Q, room: usize, work: W) -> Result<A>
    where
        W: FnOnce(Vec<Q>) -> F,
        F: Future<Output = Vec<Result<A>>>,
    {
        self.let_others_come(room).await;
        let (mut requests, mut turns) = (vec![request], Vec::new());
        for waiting in self.take(room) {
            requests.push(waiting.request);
            turns.push(waiting.turn);
        }
        let mut answers = work(requests).await.into_iter();
        let own = answers.next();
        for (turn, answer) in turns.into_iter().zip(answers) {
            drop(turn.send(Turn::Done(answer))); // Who has left wants no answer.
        }
        own.unwrap_or_else(|| Err(Error::internal("what was done together has no answer")))
    }

    /// Lets those who are on their way come here first: everything else that can run does so once, again and again while that brings somebody.
    async fn let_others_come(&self, room: usize) {
        let mut waiting = 0;
        while waiting < room {
            others_first().await;
            let now = self.queues.lock().get(&self.key).map_or(0, |queue| queue.weight);
            if now <= waiting {
                break;
            }
            waiting = now;
        }
    }

    fn take(&self, mut room: usize) -> Vec<Waiting<K, Q, A>> {
        let mut queues = self.queues.lock();
        let Some(queue) = queues.get_mut(&self.key) else { return Vec::new() };
        let mut taken = Vec::new();
        while let Some(next) = queue.waiting.pop_front_if(|next| next.weight <= room) {
            room -= next.weight;
            queue.weight -= next.weight;
            taken.push(next);
        }
        taken
    }

    /// The one who has waited longest; the queue goes if nobody waits.
    fn next(&self) -> Option<Waiting<K, Q, A>> {
        let mut queues = self.queues.lock();
        let queue = queues.get_mut(&self.key)?;
        let next = queue.waiting.pop_front();
        match &next {
            Some(next) => queue.weight -= next.weight,
            None => drop(queues.remove(&self.key)),
        }
        next
    }
}

impl<K: Key, Q, A> Drop for Leading<K, Q, A> {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        while let Some(Waiting { request, weight, turn }) = self.next() {
            let leading = Self { queues: Arc::clone(&self.queues), key: self.key.clone(), is_over: false };
            // Sent, it is the receiver's; and if that leaves without having looked, it comes here again.
            match turn.send(Turn::Lead(leading, request, weight)) {
                Err(Turn::Lead(mut unwanted, ..)) => unwanted.is_over = true,
                _ => return,
            }
        }
    }
}

#[cfg(test)]
mod tests;
