//! How much is done of what could be done for ever: a few rounds, or as many as fit into the minutes of `ORGTRAIL_SOAK_MINUTES`.
//!
//! Every round has a seed, from which its choices follow. The short run has the same ones each time, the long one others; what fails has said its
//! seed, and `ORGTRAIL_SEED` begins with that one.

use std::env;
use std::str::FromStr;
use std::time::{Duration, Instant};

use fastrand::Rng;

/// A random source for each of `rounds` rounds, or for as many as there is time for.
pub fn rounds(what: &'static str, rounds: u64) -> impl Iterator<Item = Rng> {
    let until =
        variable("ORGTRAIL_SOAK_MINUTES").map(|minutes: f64| Instant::now() + Duration::from_secs_f64(minutes * 60.0));
    let first = variable("ORGTRAIL_SEED").unwrap_or_else(|| if until.is_some() { fastrand::u64(..1 << 40) } else { 1 });
    let goes_on = move |round: &u64| until.map_or(*round < rounds, |until| *round == 0 || Instant::now() < until);
    (0..).take_while(goes_on).map(move |round| {
        let seed = first + round;
        println!("{what}: ORGTRAIL_SEED={seed}");
        Rng::with_seed(seed)
    })
}

fn variable<T: FromStr>(name: &str) -> Option<T> {
    let text = env::var(name).ok().filter(|text| !text.is_empty())?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}: `{text}` is no number")))
}
