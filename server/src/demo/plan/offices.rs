//! People at work: they sign in, mistype, read the trail, export it, and are refused.

use chrono::{DateTime, Utc};

use super::super::people::{ADA, AUDITORS, GRACE, LINUS, PEOPLE, ROBOT, Who};
use super::super::step::Act;
use super::Planner;
use super::days::Day;

/// What those who look after the trail ask of its page.
const QUESTIONS: [&str; 8] = [
    "",
    "range=24h",
    "range=7d",
    "range=7d&action=member.*",
    "range=30d&action=access_token.*",
    "range=7d&kind=login",
    "range=30d&q=deploy",
    "range=30d&action=member.updated,member.deleted",
];

/// How they export it.
const FORMS: [&str; 4] = ["", "kind=all&profile=full", "format=ndjson&kind=all", "action=access_token.*"];

impl Planner {
    /// What people do on a day.
    pub(super) fn run_offices(&mut self, day: Day) {
        for who in self.staff.present.clone() {
            self.come_in(day, who);
        }
        if day.is_worked() {
            self.export(day);
            self.be_refused(day);
        }
        self.break_in(day);
    }

    /// Somebody signs in, perhaps; who looks after the trail then reads it.
    fn come_in(&mut self, day: Day, who: Who) {
        let reads = who == ADA || who == GRACE || AUDITORS.contains(&who);
        let probability = match (who, day.is_worked()) {
            (ROBOT, _) => 0.0,
            (LINUS, true) => 0.45,
            (_, true) if reads => 0.7,
            (_, true) => 0.06,
            (_, false) => {
                if reads {
                    0.15
                } else {
                    0.0
                }
            }
        };
        if !self.happens(probability) {
            return;
        }
        let at = self.at_work(day, PEOPLE[who].place);
        self.sign_in(at, who);
        if reads {
            self.read(at, who);
        }
    }

    fn sign_in(&mut self, at: DateTime<Utc>, who: Who) {
        if self.happens(0.09) {
            let before = at - self.seconds(10..40);
            self.add(before, Act::Mistype(who));
        }
        self.add(at, Act::SignIn(who));
    }

    /// Twice at most, and hours apart: looks of the same person within 15 minutes are one event.
    fn read(&mut self, signed_in: DateTime<Utc>, by: Who) {
        let mut at = signed_in;
        for (probability, least, most) in [(0.95, 60, 900), (0.5, 7_200, 12_000)] {
            at += self.seconds(least..most);
            if self.happens(probability) {
                let query = QUESTIONS[self.random.usize(0..QUESTIONS.len())];
                self.add(at, Act::Read { by, query });
            }
        }
    }

    /// The last week each Monday, and whatever somebody asks for on other days.
    fn export(&mut self, day: Day) {
        if !self.staff.has(AUDITORS[1]) {
            return;
        }
        if day.begins_week() {
            let at = day.at(9, 15) + self.seconds(0..1_200);
            self.add(at, Act::Export { by: AUDITORS[1], days: 7, query: "" });
        } else if self.happens(0.6) {
            let by = [ADA, GRACE, AUDITORS[0], AUDITORS[1], AUDITORS[2]][self.random.usize(0..5)];
            let days = [1, 7, 30][self.random.usize(0..3)];
            let query = FORMS[self.random.usize(0..FORMS.len())];
            let at = self.at_work(day, PEOPLE[by].place);
            self.add(at, Act::Export { by, days, query });
        }
    }

    /// A member finds the address of the page, and learns that it is not for members.
    fn be_refused(&mut self, day: Day) {
        let members = self.staff.plain_members();
        if members.is_empty() || !self.happens(0.25) {
            return;
        }
        let who = if self.happens(0.3) { LINUS } else { members[self.random.usize(0..members.len())] };
        let at = self.at_work(day, PEOPLE[who].place);
        let exports = self.happens(0.2);
        self.add(at, if exports { Act::ExportRefused(who) } else { Act::ReadRefused(who) });
    }

    /// One night somebody guesses passwords of an admin, faster and faster refused.
    fn break_in(&mut self, day: Day) {
        if day.is_worked() && day.working_days == 45 {
            let mut at = day.at(2, 13);
            for _ in 0..14 {
                at += self.seconds(2..4);
                self.add(at, Act::Guess(GRACE));
            }
        }
    }
}
