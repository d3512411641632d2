//! The steps that concern graphs. What a build does, the token of the builds does.

use orgtrail::graph::{branches, documents, registry, subgraphs, teams};
use orgtrail::identity::access_token::{self, graphs as tokens};
use orgtrail::identity::viewer::{Viewer, from_token};
use orgtrail::{Error, Result};

use super::super::graphs::{BUILDS, OnGraph, schema, url};
use super::super::models::TELEMETRY;
use super::super::people::{self, GRACE, ROBOT, Who};
use super::super::step::{Act, Step};
use super::super::{ORGANIZATION, account};
use super::Stage;

/// The tokens that machines work with.
const MACHINES: [&str; 2] = [BUILDS, TELEMETRY];

impl Stage<'_> {
    pub(super) async fn run_graph(&self, step: &Step) -> Result<()> {
        let Act::Graph { by, graph, what } = step.act else { return Ok(()) };
        match what {
            OnGraph::Make { .. } | OnGraph::Change { .. } => self.manage_graph(step, by, graph, what).await,
            OnGraph::Grant { .. } | OnGraph::GrantBuilds { .. } => self.grant(step, by, graph, what).await,
            OnGraph::MakeBranch { .. } | OnGraph::ChangeBranch { .. } | OnGraph::DeleteBranch { .. } => {
                self.change_branch(step, by, graph, what).await
            }
            OnGraph::Own { .. } | OnGraph::DeleteSubgraph { .. } => self.change_subgraph(step, by, graph, what).await,
            OnGraph::Publish { .. } | OnGraph::Submit { .. } => self.build(step, graph, what).await,
        }
    }

    async fn manage_graph(&self, step: &Step, by: Who, graph: &str, what: OnGraph) -> Result<()> {
        let (platform, viewer) = (&self.platform, self.viewer(by, step).await?);
        match what {
            OnGraph::Make { name, description } => {
                let wanted = registry::Wanted { slug: graph, name, description };
                registry::create(platform, &viewer, ORGANIZATION, wanted).await?;
            }
            OnGraph::Change { name, description } => {
                let wanted = registry::Wanted { slug: graph, name, description };
                registry::update(platform, &viewer, ORGANIZATION, graph, wanted, None).await?;
            }
            _ => {}
        }
        Ok(())
    }

    async fn grant(&self, step: &Step, by: Who, graph: &str, what: OnGraph) -> Result<()> {
        let (platform, viewer) = (&self.platform, self.viewer(by, step).await?);
        match what {
            OnGraph::Grant { team, permission } => {
                let team = self.team(&viewer, team).await?;
                teams::grant(platform, &viewer, ORGANIZATION, graph, &team, permission, None).await
            }
            OnGraph::GrantBuilds { permission } => {
                let token = self.token(BUILDS).await?.into();
                tokens::grant(platform, &viewer, ORGANIZATION, token, graph, permission).await
            }
            _ => Ok(()),
        }
    }

    async fn change_branch(&self, step: &Step, by: Who, graph: &str, what: OnGraph) -> Result<()> {
        let (platform, viewer) = (&self.platform, self.viewer(by, step).await?);
        match what {
            OnGraph::MakeBranch { branch } => {
                branches::create(platform, &viewer, ORGANIZATION, graph, branch, "main").await
            }
            OnGraph::ChangeBranch { branch, to, protected } => {
                let wanted = branches::Wanted { name: to, protected };
                branches::update(platform, &viewer, ORGANIZATION, graph, branch, wanted, None).await
            }
            OnGraph::DeleteBranch { branch } => branches::delete(platform, &viewer, ORGANIZATION, graph, branch).await,
            _ => Ok(()),
        }
    }

    async fn change_subgraph(&self, step: &Step, by: Who, graph: &str, what: OnGraph) -> Result<()> {
        let (platform, viewer) = (&self.platform, self.viewer(by, step).await?);
        match what {
            OnGraph::Own { subgraph, team } => {
                let (target, team) =
                    (subgraphs::Target { graph, branch: "main", name: subgraph }, self.team(&viewer, team).await?);
                let settings = subgraphs::Settings { url: &url(graph, subgraph), owner_team: &team };
                subgraphs::update(platform, &viewer, ORGANIZATION, target, settings, None).await
            }
            OnGraph::DeleteSubgraph { branch, subgraph } => {
                let target = subgraphs::Target { graph, branch, name: subgraph };
                subgraphs::delete(platform, &viewer, ORGANIZATION, target).await
            }
            _ => Ok(()),
        }
    }

    async fn build(&self, step: &Step, graph: &str, what: OnGraph) -> Result<()> {
        let (platform, viewer) = (&self.platform, self.machine(BUILDS, step).await?);
        match what {
            OnGraph::Publish { branch, subgraph, version, again } => {
                let target = subgraphs::Target { graph, branch, name: subgraph };
                let (schema, url) = (schema(subgraph, version), url(graph, subgraph));
                let publication = subgraphs::Publication { schema: schema.as_bytes(), url: Some(&url) };
                for _ in 0..=usize::from(again) {
                    subgraphs::publish(platform, &viewer, ORGANIZATION, target, publication).await?;
                }
                Ok(())
            }
            OnGraph::Submit { client, manifest } => {
                let client = documents::Client { graph, branch: "main", name: client };
                documents::submit(platform, &viewer, ORGANIZATION, client, manifest.as_bytes()).await.map(drop)
            }
            _ => Ok(()),
        }
    }

    /// The token of that name, as its machine uses it.
    pub(super) async fn machine(&self, token: &str, step: &Step) -> Result<Viewer> {
        let secret = self.secrets.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get(token).cloned();
        let secret = secret.ok_or_else(|| Error::internal(format!("there is no token {token} yet")))?;
        from_token(&self.platform, people::origin(ROBOT, step.request_id()), &secret).await
    }

    /// After an interruption nobody knows the secrets of those tokens any more: they get others, as part of a step that is over.
    pub(super) async fn renew_machines(&self, over: &Step) -> Result<()> {
        for name in MACHINES {
            if let Some(token) = super::find_token(&self.platform, name).await? {
                let grace = account::get(&self.platform, GRACE).await?;
                let viewer = Viewer::user(grace, people::origin(GRACE, over.request_id()));
                let rotated = access_token::rotate(&self.platform, &viewer, ORGANIZATION, token).await?;
                self.keep_secret(name, rotated.secret.expose());
            }
        }
        Ok(())
    }

    /// Keeps the secret of a new token, if it is a machine's.
    pub(super) fn keep_secret(&self, token: &str, secret: &str) {
        if MACHINES.contains(&token) {
            let mut secrets = self.secrets.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            secrets.insert(token.to_owned(), secret.to_owned());
        }
    }
}
