//! One program for all parsers: `PARSER` names the one that is fed.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;

static PARSER: LazyLock<fn(&[u8])> = LazyLock::new(|| {
    let wanted = std::env::var("PARSER").unwrap_or_default();
    let found = orgtrail_fuzz::parsers().into_iter().find(|(name, _)| *name == wanted);
    found.unwrap_or_else(|| panic!("PARSER: there is no parser `{wanted}`")).1
});

fuzz_target!(|bytes: &[u8]| PARSER(bytes));
