//! Continuous integration: a robot makes a token for each build and revokes it when the build is done.

use orgtrail::identity::access_token::Scope;

use super::super::people::ROBOT;
use super::super::step::Act;
use super::Planner;
use super::days::Day;

/// What is built.
const SERVICES: [&str; 7] =
    ["fleet-api", "arm-firmware", "warehouse-web", "vision", "billing", "gripper-control", "docs-site"];

/// Hours for which a token of a build is good, if nobody revokes it.
const GOOD_FOR: i64 = 1;

impl Planner {
    /// The builds of a day: many where people work, few where they do not.
    pub(super) fn run_builds(&mut self, day: Day) {
        if !self.robot_works() {
            return;
        }
        let (count, from, seconds) = if day.is_worked() {
            (self.random.i64(8..13), 6, 13 * 3600)
        } else {
            (self.random.i64(0..4), 3, 18 * 3600)
        };
        for _ in 0..count {
            let at = day.at(from, 0) + self.seconds(0..seconds);
            self.build(at);
        }
    }

    /// One in forty breaks, and leaves its token to expire.
    fn build(&mut self, at: chrono::DateTime<chrono::Utc>) {
        self.builds += 1;
        let service = SERVICES[self.random.usize(0..SERVICES.len())];
        let name = format!("deploy {service} #{}", self.builds);
        self.add(
            at,
            Act::MakeToken { by: ROBOT, name: name.clone(), scopes: &[Scope::GraphsWrite], hours: Some(GOOD_FOR) },
        );
        if !self.happens(0.025) {
            let done = at + self.seconds(150..1_500);
            self.add(done, Act::RevokeToken { by: ROBOT, name });
        }
    }
}
