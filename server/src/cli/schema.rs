//! `orgtrail schema`.

use std::io::Write;

use super::Done;
use crate::graphql::schema::sdl;

pub(super) fn run() -> Done {
    std::io::stdout().write_all(sdl().as_bytes())?;
    Ok(())
}
