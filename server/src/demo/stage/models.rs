//! The steps that concern models. What the fleet does, its token does.

use orgtrail::Result;
use orgtrail::identity::viewer::Viewer;
use orgtrail::model::records::Submission;
use orgtrail::model::{export, records, registry};

use super::super::ORGANIZATION;
use super::super::models::{self, OnModel, TELEMETRY};
use super::super::people::ROBOT;
use super::super::step::{Act, Step};
use super::Stage;

impl Stage<'_> {
    pub(super) async fn run_model(&self, step: &Step) -> Result<()> {
        let Act::Model { by, model, what } = step.act else { return Ok(()) };
        let viewer: Viewer =
            if by == ROBOT { self.machine(TELEMETRY, step).await? } else { self.viewer(by, step).await? };
        match what {
            OnModel::Make { description, demo } => {
                let wanted = registry::Wanted { name: model, description, demo };
                registry::create(&self.platform, &viewer, ORGANIZATION, wanted).await?;
            }
            OnModel::Add { records } => {
                let sent = Submission { key: None, body: models::records(step.at, records).into() };
                records::add(&self.platform, &viewer, ORGANIZATION, model, sent).await?;
            }
            OnModel::Export { days, format } => {
                let end = step.at.date_naive();
                let query = format!("start={}&end={end}&format={format}", end - chrono::Days::new(days - 1));
                let started = export::start(&self.platform, &viewer, ORGANIZATION, model, &query).await?;
                self.pull(step, started).await?;
            }
        }
        Ok(())
    }
}
