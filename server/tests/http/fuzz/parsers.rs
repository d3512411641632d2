//! The parsers, without a fuzzer: every seed that is kept, so that what was found once stays found, and much that is like one. A fuzzer finds
//! more (`scripts/fuzz`).

use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use fastrand::Rng;

use super::hostile::like;
use crate::amount::rounds;

#[path = "../../../../fuzz/src/domain.rs"]
mod domain;
#[path = "../../../../fuzz/src/server.rs"]
mod server;

use domain::Parser;

/// Inputs for a parser in a round.
const INPUTS: usize = 100;

fn parsers() -> impl Iterator<Item = Parser> {
    domain::PARSERS.into_iter().chain(server::PARSERS)
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds")
}

fn seeds(name: &str) -> Vec<Vec<u8>> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder().join(name)).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 3, "{name} has seeds");
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

/// Feeds a parser; answers the input if it breaks, as it can be kept.
fn breaks((name, parser): Parser, input: &[u8]) -> Option<String> {
    let broken = catch_unwind(|| parser(input)).is_err();
    broken.then(|| format!("{name} breaks; keep this in fuzz/seeds/{name}/: b\"{}\"", input.escape_ascii()))
}

/// An input like the seeds that breaks a parser.
fn search(parser: Parser, seeds: &[Vec<u8>], random: &mut Rng) -> Option<String> {
    let mut inputs = (0..INPUTS).map(|_| like(&seeds[random.usize(..seeds.len())], random));
    inputs.find_map(|input| breaks(parser, &input))
}

#[test]
fn every_seed_is_read() {
    let mut folders: Vec<String> =
        fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    folders.sort();
    let mut names: Vec<&str> = parsers().map(|(name, _)| name).collect();
    names.sort_unstable();
    assert_eq!(folders, names);
    for parser in parsers() {
        for seed in seeds(parser.0) {
            assert_eq!(breaks(parser, &seed), None);
        }
    }
}

#[test]
fn nothing_like_a_seed_breaks_a_parser() {
    let parsers: Vec<(Parser, Vec<Vec<u8>>)> = parsers().map(|parser| (parser, seeds(parser.0))).collect();
    for mut random in rounds("parsers", 10) {
        for (parser, seeds) in &parsers {
            assert_eq!(search(*parser, seeds, &mut random), None);
        }
    }
}

/// A parser with a bug that no seed has.
fn careless(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let end = text.find('}').unwrap_or(text.len());
    assert!(text[..end].find("..").is_none() || !text.contains("null"), "a bug");
}

#[test]
fn a_parser_with_a_bug_is_found() {
    let seeds = [b"{\"a\": null, \"b\": \"c\"}".to_vec()];
    let found = rounds("a bug", 20).any(|mut random| search(("careless", careless), &seeds, &mut random).is_some());
    assert!(found && breaks(("careless", careless), &seeds[0]).is_none());
}
