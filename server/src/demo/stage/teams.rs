//! The steps that concern teams.

use orgtrail::identity::viewer::Viewer;
use orgtrail::organization::teams::{self, TeamRole};
use orgtrail::{Error, Result};

use super::super::people::PEOPLE;
use super::super::step::{Act, Step};
use super::super::{ORGANIZATION, account};
use super::Stage;

impl Stage<'_> {
    pub(super) async fn manage_teams(&self, step: &Step) -> Result<()> {
        let platform = &self.platform;
        match step.act {
            Act::MakeTeam { by, team } => {
                teams::create(platform, &self.viewer(by, step).await?, ORGANIZATION, team).await?;
            }
            Act::RenameTeam { by, team, to } => {
                let viewer = self.viewer(by, step).await?;
                let team = self.team(&viewer, team).await?;
                teams::rename(platform, &viewer, ORGANIZATION, &team, to, None).await?;
            }
            Act::DeleteTeam { by, team } => {
                let viewer = self.viewer(by, step).await?;
                let team = self.team(&viewer, team).await?;
                teams::delete(platform, &viewer, ORGANIZATION, &team).await?;
            }
            _ => {}
        }
        Ok(())
    }

    pub(super) async fn fill_teams(&self, step: &Step) -> Result<()> {
        let platform = &self.platform;
        match step.act {
            Act::AddToTeam { by, whom, team } => {
                let (viewer, email) = (self.viewer(by, step).await?, PEOPLE[whom].email());
                let (team, role) = (self.team(&viewer, team).await?, TeamRole::Member.as_str());
                teams::add_member(platform, &viewer, ORGANIZATION, &team, &email, role).await
            }
            Act::ChangeTeamRole { by, whom, team, maintains } => {
                let (viewer, user) = (self.viewer(by, step).await?, account::get(platform, whom).await?.id.to_string());
                let role = if maintains { TeamRole::Maintainer } else { TeamRole::Member }.as_str();
                let team = self.team(&viewer, team).await?;
                teams::change_member_role(platform, &viewer, ORGANIZATION, &team, &user, role, None).await
            }
            Act::LeaveTeam { who, team } => {
                let (viewer, user) = (self.viewer(who, step).await?, account::get(platform, who).await?.id.to_string());
                let team = self.team(&viewer, team).await?;
                teams::remove_member(platform, &viewer, ORGANIZATION, &team, &user).await
            }
            _ => Ok(()),
        }
    }

    /// Id of the team with this name.
    pub(super) async fn team(&self, viewer: &Viewer, name: &str) -> Result<String> {
        let found = teams::list(&self.platform, viewer, ORGANIZATION, name).await?.teams;
        found.into_iter().find(|team| team.name == name).map(|team| team.id).ok_or(Error::NotFound)
    }
}
