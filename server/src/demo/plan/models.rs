//! The models: one that the fleet fills every working day and people and a warehouse take records out of, and a demonstration's.

use chrono::TimeDelta;
use orgtrail::identity::access_token::Scope;

use super::super::models::{GRIPPERS, OnModel, SAMPLE, TELEMETRY};
use super::super::people::{ADA, GRACE, LINUS, ROBOT, Who};
use super::super::step::Act;
use super::Planner;
use super::days::Day;

/// Working day on which the models are made.
const BEGIN: usize = 6;

/// Records of a day.
const OF_A_DAY: u32 = 48;

/// What people do after so many working days. What the robot does is done by the token of the fleet.
const STORY: &[(usize, Who, &str, OnModel)] = &[
    (
        BEGIN,
        GRACE,
        GRIPPERS,
        OnModel::Make { description: "Which grippers fail within a week, as the fleet’s model says.", demo: false },
    ),
    (BEGIN, GRACE, SAMPLE, OnModel::Make { description: "Something to try with.", demo: true }),
    (BEGIN + 1, GRACE, SAMPLE, OnModel::Add { records: 200 }),
    (BEGIN + 1, GRACE, SAMPLE, OnModel::Export { days: 7, format: "csv" }),
    (14, LINUS, GRIPPERS, OnModel::Export { days: 7, format: "csv" }),
    (22, ADA, GRIPPERS, OnModel::Export { days: 14, format: "ndjson" }),
    (30, LINUS, SAMPLE, OnModel::Export { days: 60, format: "csv" }),
    (37, LINUS, GRIPPERS, OnModel::Export { days: 30, format: "csv" }),
    (48, GRACE, GRIPPERS, OnModel::Export { days: 30, format: "csv" }),
    (57, LINUS, GRIPPERS, OnModel::Export { days: 7, format: "ndjson" }),
];

impl Planner {
    /// What happens to models on a day. The order matters, and chance has no part in it.
    pub(super) fn run_models(&mut self, day: Day) {
        if !day.is_worked() || day.working_days < BEGIN {
            return;
        }
        if day.working_days == BEGIN {
            let scopes = &[Scope::ModelsWrite, Scope::ModelsExport];
            self.add(day.at(12, 40), Act::MakeToken { by: GRACE, name: TELEMETRY.to_owned(), scopes, hours: None });
        }
        let today = STORY.iter().filter(|(after, ..)| *after == day.working_days);
        for (number, (_, by, model, what)) in (0..).zip(today) {
            let at = day.at(13, 50 + 9 * number) + TimeDelta::milliseconds(number * 6_170 + 233);
            self.add(at, Act::Model { by: *by, model, what: *what });
        }
        if day.working_days > BEGIN {
            self.use_records(day);
        }
    }

    /// The fleet sends the records of a day; a warehouse takes them out once a week.
    fn use_records(&mut self, day: Day) {
        let add = OnModel::Add { records: OF_A_DAY };
        let sent = day.at(5, 0) + TimeDelta::milliseconds(1_731);
        self.add(sent, Act::Model { by: ROBOT, model: GRIPPERS, what: add });
        if day.begins_week() {
            let export = OnModel::Export { days: 7, format: "ndjson" };
            let taken = day.at(5, 20) + TimeDelta::milliseconds(904);
            self.add(taken, Act::Model { by: ROBOT, model: GRIPPERS, what: export });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_in_order_and_within_the_time_that_there_always_is() {
        assert!(STORY.is_sorted_by_key(|(after, ..)| *after));
        assert!(STORY.iter().all(|(after, ..)| (BEGIN..60).contains(after)));
    }
}
