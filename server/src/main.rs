//! `orgtrail`: see `orgtrail --help`.

use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;
use orgtrail_server::application::LAST_WORK;
use orgtrail_server::cli::Cli;
use tokio::runtime::Runtime;

/// Requests are many small allocations, freed on another thread as often as not: the C library's allocator takes several times as long for them.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("orgtrail: {error}");
            return ExitCode::FAILURE;
        }
    };
    let done = runtime.block_on(cli.run());
    // Whatever still runs is cut off: a client that does not read must not keep the process.
    runtime.shutdown_timeout(LAST_WORK);
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("orgtrail: {error}");
            ExitCode::FAILURE
        }
    }
}
