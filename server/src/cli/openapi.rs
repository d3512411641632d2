//! `orgtrail openapi`.

use std::io::Write;

use super::Done;
use crate::http::programs::description;

pub(super) fn run() -> Done {
    writeln!(std::io::stdout(), "{}", description().to_pretty_json()?)?;
    Ok(())
}
