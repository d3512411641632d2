//! The teams: who founds them, who is in them, and one that is there for two weeks only.

use super::super::people::{ADA, GRACE, LINUS, ON_CALL, ROBOT, Who};
use super::super::step::{Act, Team};
use super::Planner;
use super::days::Day;

/// The teams that stay, under their first names.
const TEAMS: [&str; 4] = ["Fleet", "Gripper hardware", "Warehouse", "Customer care"];

/// What the last of them is called later, and after how many working days.
const RENAMED: (&str, usize) = ("Field support", 35);

/// A team for one event.
const FAIR: &str = "Trade fair";

/// After how many working days the teams are made; who joins later is invited to one.
const FOUNDED: usize = 3;

/// The team that somebody belongs to, by what it is called on a day.
fn team_of(who: Who, working_days: usize) -> Team {
    match who % TEAMS.len() {
        3 if working_days > RENAMED.1 => RENAMED.0,
        number => TEAMS[number],
    }
}

/// The team that somebody joins with, once there are teams.
pub(super) fn first_team(who: Who, day: Day) -> Option<Team> {
    (day.working_days > FOUNDED && is_in_a_team(who)).then(|| team_of(who, day.working_days))
}

/// Whoever belongs to a team: not the founder and the robot.
fn is_in_a_team(who: Who) -> bool {
    !matches!(who, ADA | ROBOT)
}

/// Who maintains the teams: the engineers on call, of whom each team has at least one.
fn maintains(who: Who) -> bool {
    ON_CALL[..TEAMS.len()].contains(&who)
}

impl Planner {
    /// What happens to teams on a day.
    pub(super) fn run_teams(&mut self, day: Day) {
        if !day.is_worked() {
            return;
        }
        match day.working_days {
            FOUNDED => self.found_teams(day),
            6 => self.appoint_maintainers(day),
            40 => self.go_to_the_fair(day),
            50 => self.come_back(day),
            52 => self.change_teams(day, LINUS),
            _ => {}
        }
        if day.working_days == RENAMED.1 {
            let at = day.at(14, 10) + self.seconds(0..900);
            self.add(at, Act::RenameTeam { by: GRACE, team: TEAMS[3], to: RENAMED.0 });
        }
    }

    fn found_teams(&mut self, day: Day) {
        for (number, team) in (0..).zip(TEAMS) {
            self.add(day.at(14, number), Act::MakeTeam { by: GRACE, team });
        }
        let mut at = day.at(14, 10);
        for whom in self.staff.everybody().filter(|who| is_in_a_team(*who)) {
            at += self.seconds(20..60);
            self.add(at, Act::AddToTeam { by: GRACE, whom, team: team_of(whom, day.working_days) });
        }
    }

    fn appoint_maintainers(&mut self, day: Day) {
        for whom in self.staff.present.clone().into_iter().filter(|who| maintains(*who)) {
            let at = day.at(10, 20) + self.seconds(0..1_800);
            let team = team_of(whom, day.working_days);
            self.add(at, Act::ChangeTeamRole { by: GRACE, whom, team, maintains: true });
        }
    }

    fn go_to_the_fair(&mut self, day: Day) {
        self.add(day.at(9, 5), Act::MakeTeam { by: ADA, team: FAIR });
        for whom in ON_CALL {
            let at = day.at(9, 10) + self.seconds(0..2_400);
            self.add(at, Act::AddToTeam { by: ADA, whom, team: FAIR });
        }
    }

    fn come_back(&mut self, day: Day) {
        let at = day.at(16, 30) + self.seconds(0..600);
        self.add(at, Act::DeleteTeam { by: ADA, team: FAIR });
    }

    /// Somebody goes to the next team, and leaves their own by themselves.
    fn change_teams(&mut self, day: Day, whom: Who) {
        let at = day.at(13, 15) + self.seconds(0..600);
        self.add(at, Act::AddToTeam { by: GRACE, whom, team: team_of(whom + 1, day.working_days) });
        let later = at + self.seconds(300..900);
        self.add(later, Act::LeaveTeam { who: whom, team: team_of(whom, day.working_days) });
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::super::super::people::PEOPLE;
    use super::*;

    #[test]
    fn each_team_has_a_maintainer() {
        let led: HashSet<_> = (0..PEOPLE.len()).filter(|who| maintains(*who)).map(|who| team_of(who, 0)).collect();
        assert_eq!(led.len(), TEAMS.len());
    }
}
