//! `orgtrail serve`.

use super::{Done, shutdown};
use crate::application::Application;
use crate::config::Config;
use crate::open_files;

pub(super) async fn run(config: &Config) -> Done {
    serve(Application::build(config).await?).await
}

/// Says where it listens, and serves until it is asked to stop.
pub(super) async fn serve(application: Application) -> Done {
    let signal = shutdown::asked()?;
    open_files::raise(application.connections());
    println!("Orgtrail listens on {}", application.url());
    if let Some(address) = application.metrics_address() {
        println!("Metrics are at http://{address}/metrics");
    }
    Ok(application.run(signal).await?)
}
