//! Who joins, changes role and leaves; and the few other things that concern the organization as a whole.

use chrono::TimeDelta;
use orgtrail::identity::access_token::Scope;
use orgtrail::identity::role::Role;

use super::super::EVENT_TOKENS;
use super::super::people::{ADA, AUDITORS, GRACE, LINUS, ON_CALL, PEOPLE, ROBOT, Who};
use super::super::step::Act;
use super::Planner;
use super::days::Day;
use super::teams::first_team;

/// Who is there today.
#[derive(Debug, Default)]
pub(super) struct Staff {
    /// Members who joined before today and do not leave today.
    pub present: Vec<Who>,
    /// How many of [`PEOPLE`] have joined, without the founder.
    joined: usize,
    /// Who is on call, as a position in [`ON_CALL`].
    on_call: Option<usize>,
}

/// Who leaves, and after how many working days.
const LEAVERS: [(Who, usize); 8] = [(20, 24), (27, 29), (32, 33), (36, 38), (41, 44), (44, 48), (50, 55), (53, 58)];

/// Members who are raised for a time: they never try what a member may not.
pub(super) const RAISED: [Who; 2] = [22, 26];

/// Somebody who is invited and never comes.
const FREELANCER: &str = "freelancer@drones.example";

/// Somebody who marries, and what they are called then.
const NEWLY_WED: (Who, &str) = (13, "Zoë Ångmark-Lindqvist");

/// After how many working days somebody joins: the first eight at once, two a day for a while, and then now and again.
fn joins_after(who: Who) -> usize {
    match who {
        ..=8 => 0,
        9..=24 => 1 + (who - 9) / 2,
        _ => 9 + (who - 25) * 53 / 37,
    }
}

impl Staff {
    /// Whether somebody may act today.
    pub(super) fn has(&self, who: Who) -> bool {
        self.present.contains(&who)
    }

    /// Who has joined, today too, and whether or not they have left since.
    pub(super) fn everybody(&self) -> impl Iterator<Item = Who> + use<> {
        1..=self.joined
    }

    /// Those who stay members for good, and so may be refused something.
    pub(super) fn plain_members(&self) -> Vec<Who> {
        let plain = |who: &Who| *who == LINUS || *who > ON_CALL[ON_CALL.len() - 1] && !RAISED.contains(who);
        self.present.iter().copied().filter(plain).collect()
    }
}

impl Planner {
    /// Joins, changes of role, departures and the organization's own affairs of a day.
    pub(super) fn change_staff(&mut self, day: Day) {
        self.staff.present = (1..=self.staff.joined).chain([ADA]).collect();
        if !day.is_worked() {
            self.let_nobody_back(day);
            return;
        }
        self.hire(day);
        self.let_go(day);
        self.let_nobody_back(day);
        self.hand_over_on_call(day);
        self.raise(day);
        self.manage(day);
        self.invite_others(day);
    }

    fn hire(&mut self, day: Day) {
        let mut minute = 0;
        while self.staff.joined + 1 < PEOPLE.len() && joins_after(self.staff.joined + 1) <= day.working_days {
            self.staff.joined += 1;
            let (who, inviter) = (self.staff.joined, if self.staff.has(GRACE) { GRACE } else { ADA });
            let (email, role, team) = (PEOPLE[who].email(), PEOPLE[who].role, first_team(who, day));
            let at = day.at(6, minute) + self.seconds(0..60);
            self.add(at, Act::Invite { by: inviter, email, role, team });
            let later = at + TimeDelta::hours(1);
            self.add(later, Act::Join(who));
            minute += 3;
        }
    }

    /// Invites that nobody accepts: one is changed and revoked, one ends by itself, one is still open.
    fn invite_others(&mut self, day: Day) {
        let by = AUDITORS[0];
        let at = day.at(11, 30) + self.seconds(0..1_800);
        let invite = |email: &str| Act::Invite { by, email: email.to_owned(), role: Role::Member, team: None };
        match day.working_days {
            21 => self.add(at, invite(FREELANCER)),
            22 => self.add(at, Act::ChangeInvite { by, email: FREELANCER, role: Role::Admin }),
            23 => self.add(at, Act::RevokeInvite { by, email: FREELANCER }),
            34 => self.add(at, invite("reviewer@ledger.example")),
            60 => self.add(at, invite("partner@freight.example")),
            _ => {}
        }
    }

    /// Every third leaves by themselves.
    fn let_go(&mut self, day: Day) {
        let Some(position) = LEAVERS.iter().position(|(_, after)| *after == day.working_days) else { return };
        let whom = LEAVERS[position].0;
        let by = if position % 3 == 0 { whom } else { GRACE };
        let at = day.at(15, 20) + self.seconds(0..3600);
        self.add(at, Act::Remove { by, whom });
    }

    fn let_nobody_back(&mut self, day: Day) {
        let gone = |who: &Who| LEAVERS.iter().any(|(leaver, after)| leaver == who && *after <= day.working_days);
        self.staff.present.retain(|who| !gone(who));
    }

    /// Each Monday another engineer is on call, and an admin for a week.
    fn hand_over_on_call(&mut self, day: Day) {
        if !day.begins_week() || day.working_days < 5 {
            return;
        }
        let at = day.at(8, 5) + self.seconds(0..900);
        let by = AUDITORS[1];
        if let Some(before) = self.staff.on_call {
            self.add(at, Act::ChangeRole { by, whom: ON_CALL[before], to: Role::Member });
        }
        let next = self.staff.on_call.map_or(0, |before| (before + 1) % ON_CALL.len());
        self.staff.on_call = Some(next);
        self.add(at, Act::ChangeRole { by, whom: ON_CALL[next], to: Role::Admin });
    }

    fn raise(&mut self, day: Day) {
        let (whom, to) = match day.working_days {
            20 => (RAISED[0], Role::Admin),
            30 => (RAISED[1], Role::Owner),
            40 => (RAISED[0], Role::Member),
            50 => (RAISED[1], Role::Admin),
            _ => return,
        };
        let at = day.at(13, 0) + self.seconds(0..1800);
        self.add(at, Act::ChangeRole { by: ADA, whom, to });
    }

    /// The organization's name, and the tokens of other programs.
    fn manage(&mut self, day: Day) {
        let by = AUDITORS[0];
        let at = day.at(9, 40) + self.seconds(0..600);
        match day.working_days {
            4 => {
                for name in EVENT_TOKENS {
                    self.add(
                        at,
                        Act::MakeToken { by, name: name.to_owned(), scopes: &[Scope::EventsWrite], hours: None },
                    );
                }
                self.add(at, forwarder(by, 1));
            }
            8 => self.add(at, Act::Rename { by: ADA, name: "Acme Robotics" }),
            // The password of a machine is changed now and again.
            13 => self.add(at, Act::ChangePassword { who: ROBOT, away: true }),
            33 => self.add(at, Act::ChangePassword { who: ROBOT, away: false }),
            18 => self.add(at, Act::ChangeName { who: NEWLY_WED.0, name: NEWLY_WED.1 }),
            16 => {
                let (name, scopes) = (EVENT_TOKENS[1].to_owned(), [Scope::EventsWrite, Scope::AuditRead].as_slice());
                self.add(at, Act::ChangeToken { by, name, scopes });
            }
            30 | 54 => self.add(at, Act::RotateToken { by, name: EVENT_TOKENS[0].to_owned() }),
            24 | 44 => {
                let number = day.working_days / 20 + 1;
                self.add(at, forwarder(by, number));
                let later = at + self.seconds(300..900);
                self.add(later, Act::RevokeToken { by, name: forwarder_name(number - 1) });
            }
            _ => {}
        }
    }

    /// The robot, once it has joined.
    pub(super) fn robot_works(&self) -> bool {
        self.staff.has(ROBOT)
    }
}

/// The token with which a collector of logs reads the trail, replaced every month.
fn forwarder(by: Who, number: usize) -> Act {
    Act::MakeToken { by, name: forwarder_name(number), scopes: &[Scope::AuditRead, Scope::AuditExport], hours: None }
}

fn forwarder_name(number: usize) -> String {
    format!("Log collector {number}")
}
