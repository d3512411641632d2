//! What happens at Acme Robotics in 90 days, from its founding to the moment at which the demo is first started.
//!
//! The plan follows from the founding alone, by a fixed seed: a fill that was interrupted makes the same plan again and goes on where its
//! trail ends. Nobody acts before they have joined, on the day on which they leave, or afterwards.

mod builds;
mod days;
mod graphs;
mod models;
mod offices;
mod staff;
mod teams;

use chrono::{DateTime, TimeDelta, Utc};

use super::step::{Act, Step};
use days::Day;
use staff::Staff;

/// From the founding to the moment of the first start: the founding lies on the first day that the page can show (contract §3).
pub(super) const LENGTH: TimeDelta = TimeDelta::days(89);

/// Least time between two steps: the several events of one keep clear of the next.
const PAUSE: TimeDelta = TimeDelta::seconds(2);

/// Any number; another one makes another history.
const SEED: u64 = 0x0acb_e0b0_7105;

/// The steps since the organization was `founded`, in their order.
pub(super) fn plan(founded: DateTime<Utc>) -> Vec<Step> {
    let mut planner = Planner {
        random: fastrand::Rng::with_seed(SEED),
        acts: vec![(founded, Act::Found)],
        staff: Staff::default(),
        builds: 0,
    };
    for day in Day::all(founded) {
        planner.change_staff(day);
        planner.run_teams(day);
        planner.run_offices(day);
        planner.run_builds(day);
        planner.run_graphs(day);
        planner.run_models(day);
    }
    arrange(planner.acts, founded + LENGTH)
}

/// Collects what happens, day by day, in any order within a day.
struct Planner {
    random: fastrand::Rng,
    acts: Vec<(DateTime<Utc>, Act)>,
    staff: Staff,
    /// Number of the last build.
    builds: u32,
}

impl Planner {
    fn add(&mut self, at: DateTime<Utc>, act: Act) {
        self.acts.push((at, act));
    }

    /// Whether something of this probability happens.
    fn happens(&mut self, probability: f64) -> bool {
        self.random.f64() < probability
    }

    /// A span between two numbers of seconds, uneven to the microsecond as real ones are.
    fn seconds(&mut self, range: std::ops::Range<i64>) -> TimeDelta {
        TimeDelta::seconds(self.random.i64(range)) + TimeDelta::microseconds(self.random.i64(0..1_000_000))
    }
}

/// In the order of time, with the least pause between them, up to `end`.
fn arrange(mut acts: Vec<(DateTime<Utc>, Act)>, end: DateTime<Utc>) -> Vec<Step> {
    acts.sort_by_key(|(at, _)| *at);
    let mut earliest = DateTime::<Utc>::MIN_UTC;
    let mut steps = Vec::with_capacity(acts.len());
    for (at, act) in acts {
        let at = at.max(earliest);
        earliest = at + PAUSE;
        steps.push(Step { at, remaining: 0, act });
    }
    steps.retain(|step| step.at < end);
    for (remaining, step) in (0..).zip(steps.iter_mut().rev()) {
        step.remaining = remaining;
    }
    steps
}

#[cfg(test)]
mod tests;
