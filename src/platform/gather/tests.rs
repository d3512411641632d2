//! Who is served by whom, and what becomes of the others when somebody leaves.

use std::pin::Pin;

use futures::channel::oneshot::{Receiver, Sender, channel};
use futures::executor::block_on;
use futures::future::{FutureExt, join, join_all};
use futures::poll;

use super::*;

type Numbers = Gather<&'static str, usize, Vec<usize>>;

/// What is done: everybody is told what was done together, once the gate is open.
async fn work(gate: Receiver<()>, requests: Vec<usize>) -> Vec<Result<Vec<usize>>> {
    let _opened = gate.await;
    requests.iter().map(|_| Ok(requests.clone())).collect()
}

fn open() -> Receiver<()> {
    channel().1 // Its sender is gone.
}

fn gate() -> (Sender<()>, Receiver<()>) {
    channel()
}

/// Polls who leads until it works: first it lets others come, and once more where somebody waits.
async fn works<T>(mut leader: Pin<&mut impl Future<Output = T>>) {
    for _ in 0..3 {
        assert!(poll!(leader.as_mut()).is_pending());
    }
}

#[test]
fn who_comes_before_the_first_works_is_served_with_it() {
    let numbers = Numbers::new(3, 100);
    block_on(async {
        let leader = numbers.run("a", 0, 1, |requests| work(open(), requests));
        let others = (1..=3).map(|number| numbers.run("a", number, 1, |requests| work(open(), requests)));
        let (first, others) = join(leader, join_all(others)).await;
        let others: Vec<_> = others.into_iter().map(Result::unwrap).collect();
        assert_eq!(
            (first.unwrap().as_slice(), others),
            ([0, 1, 2].as_slice(), vec![vec![0, 1, 2], vec![0, 1, 2], vec![3]])
        );
    });
}

#[test]
fn what_waits_is_done_together_up_to_a_weight() {
    let numbers = Numbers::new(3, 100);
    let (first, gate) = gate();
    block_on(async {
        let mut leader = Box::pin(numbers.run("a", 0, 1, |requests| work(gate, requests)));
        works(leader.as_mut()).await;
        let waiting = (1..=5).map(|number| numbers.run("a", number, 1, |requests| work(open(), requests)));
        let mut waiting = Box::pin(join_all(waiting));
        assert!(poll!(waiting.as_mut()).is_pending());
        let elsewhere = numbers.run("b", 9, 1, |requests| work(open(), requests)).await.unwrap();
        assert_eq!(elsewhere, [9], "another key waits for nobody");
        drop(first);
        assert_eq!(leader.await.unwrap(), [0], "who came before them was alone");
        let done: Vec<_> = waiting.await.into_iter().map(Result::unwrap).collect();
        assert_eq!(done, [[1, 2, 3].as_slice(), &[1, 2, 3], &[1, 2, 3], &[4, 5], &[4, 5]]);
        assert_eq!(numbers.run("a", 6, 50, |requests| work(open(), requests)).await.unwrap(), [6], "the queue is gone");
    });
    assert!(numbers.queues.lock().is_empty());
}

#[test]
fn each_has_its_own_answer() {
    let numbers: Gather<(), usize, usize> = Gather::new(10, 10);
    let (first, gate) = gate();
    let halves = |requests: Vec<usize>| async move {
        let half = |number: usize| if number.is_multiple_of(2) { Ok(number / 2) } else { Err(Error::NotFound) };
        requests.into_iter().map(half).collect::<Vec<_>>()
    };
    block_on(async {
        let mut leader = Box::pin(numbers.run((), 2, 1, |requests| gate.then(move |_| halves(requests))));
        works(leader.as_mut()).await;
        let mut waiting = Box::pin(join_all((3..=6).map(|number| numbers.run((), number, 1, halves))));
        assert!(poll!(waiting.as_mut()).is_pending());
        drop(first);
        assert_eq!(leader.await.unwrap(), 1);
        let done: Vec<_> = waiting.await.into_iter().map(Result::ok).collect();
        assert_eq!(done, [None, Some(2), None, Some(3)]);
    });
}

#[test]
fn too_much_is_refused_at_once() {
    let numbers = Numbers::new(10, 2);
    let (first, gate) = gate();
    block_on(async {
        let mut leader = Box::pin(numbers.run("a", 0, 1, |requests| work(gate, requests)));
        works(leader.as_mut()).await;
        let mut waits = Box::pin(numbers.run("a", 1, 2, |requests| work(open(), requests)));
        assert!(poll!(waits.as_mut()).is_pending());
        let refused = numbers.run("a", 2, 1, |requests| work(open(), requests)).await.unwrap_err();
        assert_eq!(refused.status(), 503);
        drop(first);
        assert_eq!((leader.await.unwrap(), waits.await.unwrap()), (vec![0], vec![1]));
    });
}

#[test]
fn who_leaves_holds_up_nobody() {
    let numbers = Numbers::new(10, 10);
    let (_never, gate) = gate();
    block_on(async {
        let mut leader = Box::pin(numbers.run("a", 0, 1, |requests| work(gate, requests)));
        works(leader.as_mut()).await;
        let mut waiting: Vec<_> =
            (1..=4).map(|number| Box::pin(numbers.run("a", number, 1, |requests| work(open(), requests)))).collect();
        for waits in &mut waiting {
            assert!(poll!(waits.as_mut()).is_pending());
        }
        drop(waiting.remove(0)); // leaves while it waits
        drop(leader); // leaves while it leads: the next one does
        drop(waiting.remove(0)); // leaves before it has seen that it leads
        let done: Vec<_> = join_all(waiting).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(done, [[3, 4], [3, 4]]);
    });
    assert!(numbers.queues.lock().is_empty());
}

#[test]
fn who_is_served_by_one_that_leaves_is_told() {
    let numbers = Numbers::new(10, 10);
    let ((first, gate_of_first), (_never, never)) = (gate(), gate());
    block_on(async {
        let mut leader = Box::pin(numbers.run("a", 0, 1, |requests| work(gate_of_first, requests)));
        works(leader.as_mut()).await;
        let mut second = Box::pin(numbers.run("a", 1, 1, |requests| work(never, requests)));
        let mut third = Box::pin(numbers.run("a", 2, 1, |requests| work(open(), requests)));
        assert!(poll!(second.as_mut()).is_pending() && poll!(third.as_mut()).is_pending());
        drop(first);
        leader.await.unwrap();
        works(second.as_mut()).await; // and the third is served by it
        drop(second);
        assert_eq!(third.await.unwrap_err().status(), 503);
    });
    assert!(numbers.queues.lock().is_empty());
}
