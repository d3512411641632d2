use std::collections::{HashMap, HashSet};

use chrono::{Datelike, Timelike, Weekday};

use super::super::people::{ADA, PEOPLE, Who};
use super::*;

/// Foundings on every day of the week, at several hours.
fn foundings() -> impl Iterator<Item = DateTime<Utc>> {
    (0..14).map(|n| DateTime::from_timestamp(1_795_230_699 + n * (86_400 + 7_777), 123_456_000).unwrap())
}

fn actors(act: &Act) -> Vec<Who> {
    match act {
        Act::Found => vec![ADA],
        Act::Join(_) | Act::Guess(_) => vec![],
        Act::ChangeRole { by, whom, .. }
        | Act::Remove { by, whom }
        | Act::AddToTeam { by, whom, .. }
        | Act::ChangeTeamRole { by, whom, .. } => vec![*by, *whom],
        Act::Rename { by, .. }
        | Act::MakeToken { by, .. }
        | Act::ChangeToken { by, .. }
        | Act::RotateToken { by, .. }
        | Act::MakeTeam { by, .. }
        | Act::Invite { by, .. }
        | Act::ChangeInvite { by, .. }
        | Act::RevokeInvite { by, .. }
        | Act::RenameTeam { by, .. }
        | Act::DeleteTeam { by, .. }
        | Act::RevokeToken { by, .. }
        | Act::Graph { by, .. }
        | Act::Model { by, .. }
        | Act::Read { by, .. }
        | Act::Export { by, .. } => vec![*by],
        Act::SignIn(who)
        | Act::Mistype(who)
        | Act::ReadRefused(who)
        | Act::ExportRefused(who)
        | Act::LeaveTeam { who, .. }
        | Act::ChangeName { who, .. }
        | Act::ChangePassword { who, .. } => vec![*who],
    }
}

#[test]
fn the_same_founding_has_the_same_plan_in_order_and_within_90_days() {
    for founded in foundings() {
        let steps = plan(founded);
        assert_eq!(steps, plan(founded));
        assert!(
            steps.windows(2).all(|pair| pair[1].at - pair[0].at >= PAUSE && pair[0].remaining == pair[1].remaining + 1)
        );
        assert_eq!(steps[0].at, founded);
        assert!(steps.last().is_some_and(|last| last.at < founded + LENGTH && last.remaining == 0));
    }
}

#[test]
fn only_who_is_there_acts() {
    for founded in foundings() {
        let mut there = HashSet::from([ADA]);
        for step in plan(founded) {
            assert!(actors(&step.act).iter().all(|who| there.contains(who)), "{step:?}");
            match step.act {
                Act::Join(who) => assert!(there.insert(who)),
                Act::Remove { whom, .. } => assert!(there.remove(&whom)),
                _ => {}
            }
        }
        assert_eq!(there.len(), PEOPLE.len() - 8);
    }
}

#[test]
fn whoever_joins_was_invited_an_hour_before() {
    for founded in foundings() {
        let mut invited = HashSet::new();
        for step in plan(founded) {
            match step.act {
                Act::Invite { email, .. } => assert!(invited.insert(email)),
                Act::ChangeInvite { email, .. } => assert!(invited.contains(email)),
                Act::RevokeInvite { email, .. } => assert!(invited.remove(email)),
                Act::Join(who) => assert!(invited.remove(&PEOPLE[who].email())),
                _ => {}
            }
        }
        assert_eq!(invited.len(), 2);
    }
}

#[test]
fn tokens_are_made_once_and_revoked_at_most_once() {
    for founded in foundings() {
        let mut tokens: HashMap<String, bool> = HashMap::new();
        for step in plan(founded) {
            match step.act {
                Act::MakeToken { name, .. } => assert_eq!(tokens.insert(name, true), None),
                Act::RevokeToken { name, .. } => assert_eq!(tokens.insert(name, false), Some(true)),
                Act::ChangeToken { name, .. } | Act::RotateToken { name, .. } => assert!(tokens[&name]),
                _ => {}
            }
        }
    }
}

#[test]
fn teams_are_there_when_somebody_is_put_into_them_and_nobody_twice() {
    for founded in foundings() {
        let mut teams: HashMap<&str, HashSet<Who>> = HashMap::new();
        for step in plan(founded) {
            match step.act {
                Act::MakeTeam { team, .. } => assert_eq!(teams.insert(team, HashSet::new()), None),
                Act::RenameTeam { team, to, .. } => {
                    let members = teams.remove(team).unwrap();
                    assert_eq!(teams.insert(to, members), None);
                }
                Act::DeleteTeam { team, .. } => assert!(teams.remove(team).is_some()),
                Act::Invite { ref email, team: Some(team), .. } => {
                    let who = PEOPLE.iter().position(|person| person.email() == *email).unwrap();
                    assert!(teams.get_mut(team).unwrap().insert(who), "{step:?}");
                }
                Act::AddToTeam { whom, team, .. } => assert!(teams.get_mut(team).unwrap().insert(whom), "{step:?}"),
                Act::ChangeTeamRole { whom, team, .. } => assert!(teams[team].contains(&whom), "{step:?}"),
                Act::LeaveTeam { who, team } => assert!(teams.get_mut(team).unwrap().remove(&who), "{step:?}"),
                Act::Remove { whom, .. } => teams.values_mut().for_each(|team| team.retain(|who| *who != whom)),
                _ => {}
            }
        }
        assert_eq!(teams.len(), 4);
    }
}

#[test]
fn it_is_large_enough_and_not_too_many_passwords_are_checked() {
    for founded in foundings() {
        let steps = plan(founded);
        let count = |wanted: fn(&Act) -> bool| steps.iter().filter(|step| wanted(&step.act)).count();
        let passwords = count(|act| matches!(act, Act::SignIn(_) | Act::Mistype(_) | Act::Guess(_)));
        let changes = count(|act| {
            matches!(
                act,
                Act::Join(_)
                    | Act::ChangeRole { .. }
                    | Act::Remove { .. }
                    | Act::Rename { .. }
                    | Act::MakeToken { .. }
                    | Act::RevokeToken { .. }
                    | Act::Export { .. }
            )
        });
        assert!((400..=560).contains(&passwords), "{passwords}");
        assert!(changes >= 1_100, "{changes}");
        assert!((2_000..=2_700).contains(&steps.len()), "{}", steps.len());
    }
}

#[test]
fn people_work_by_day_and_not_on_weekends() {
    let founded = foundings().next().unwrap();
    let signed_in: Vec<_> =
        plan(founded).into_iter().filter(|step| matches!(step.act, Act::SignIn(_))).map(|step| step.at).collect();
    let share =
        |wanted: fn(&DateTime<Utc>) -> bool| 100 * signed_in.iter().filter(|at| wanted(at)).count() / signed_in.len();
    assert!(share(|at| matches!(at.weekday(), Weekday::Sat | Weekday::Sun)) < 10);
    assert!(share(|at| at.hour() < 1) == 0);
}
