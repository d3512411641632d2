//! The catalogue is the seed's and ours, and `docs/catalogue.md` says the same.

use std::collections::HashSet;
use std::fmt::Write;
use std::{env, fs};

use super::*;
use crate::audit::action::shape::SHAPES;

/// The 32 actions of the seed.
const SEED: &str = "graph.created graph.deleted graph.updated \
    subgraph.created subgraph.deleted subgraph.updated subgraph.published \
    member.created member.deleted member.updated \
    branch.created branch.deleted branch.updated \
    team.created team.deleted team.updated team.member.added team.member.updated team.member.removed \
    invite.created invite.deleted invite.updated \
    organization.created organization.updated \
    access_token.created access_token.deleted access_token.updated \
    access_token.graph.added access_token.graph.updated access_token.graph.removed \
    audit_log.export.downloaded trusted_document.submitted";

#[test]
fn the_seeds_actions_are_all_there_in_its_order() {
    let ours: Vec<_> = Action::ALL.into_iter().filter(|action| action.is_seed()).map(Action::name).collect();
    assert_eq!(ours, SEED.split_whitespace().collect::<Vec<_>>());
    assert_eq!((ours.len(), Action::ALL.len()), (32, 47));
    assert!(Action::ALL.into_iter().filter(|action| action.is_seed()).all(|action| action.kind() == Kind::Change));
}

#[test]
fn names_are_unique_well_formed_and_begin_with_their_group() {
    let names: HashSet<_> = Action::ALL.into_iter().map(Action::name).collect();
    assert_eq!(names.len(), Action::ALL.len());
    for action in Action::ALL {
        assert!(is_well_formed(action.name()) && is_word(action.object_type()));
        assert_eq!(action.name().split('.').next(), Some(action.group().name()));
        assert_eq!(Action::parse(action.name()), Some(action));
    }
    assert_eq!(groups().map(|(_, actions)| actions.len()).sum::<usize>(), Action::ALL.len());
}

#[test]
fn every_state_that_is_named_has_a_shape() {
    for action in Action::ALL {
        let entry = action.entry();
        for (named, shape) in [(entry.previous, action.previous()), (entry.next, action.next())] {
            assert_eq!(named, shape.map_or("", |shape| shape.name), "{}", entry.name);
        }
    }
}

#[test]
fn patterns_stand_for_what_begins_like_them() {
    assert_eq!(
        expand("member.*").unwrap(),
        ["member.created", "member.deleted", "member.updated", "member.sessions.ended"]
    );
    assert_eq!(expand("team.*").unwrap().len(), 6);
    assert_eq!(expand("team.member.*").unwrap().len(), 3);
    for pattern in ["*", ".*", "mem.*", "member.", "member", "member.*.*", "invoice.*", ""] {
        assert_eq!(expand(pattern), None, "{pattern}");
    }
}

#[test]
fn names_of_other_products() {
    let long = format!("a.{}", "b".repeat(98));
    for name in ["invoice.paid", "a1.b_2.c.d", &long] {
        assert!(is_well_formed(name), "{name}");
    }
    let longer = format!("{long}b");
    for name in
        ["", "a", "a.", ".a", "a..b", "A.b", "a.1", "a._b", "a.b.c.d.e", "a.b-c", "a.b ", "é.b", "a.b\n", &longer]
    {
        assert!(!is_well_formed(name), "{name:?}");
    }
}

#[test]
fn docs_catalogue_is_made_from_the_catalogue() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/catalogue.md");
    let made = document();
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(path, &made).unwrap();
    }
    let committed = fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == made,
        "docs/catalogue.md is not what the catalogue says: UPDATE_DOCS=1 cargo test docs_catalogue"
    );
}

fn document() -> String {
    let mut out = String::from(
        "# The catalogue of actions\n\n\
        <!-- Made from src/audit/action.rs: UPDATE_DOCS=1 cargo test docs_catalogue writes it anew. -->\n\n\
        Every action that Orgtrail itself records. `previous` and `next` are the whole state of the object before and after, as JSON objects \
        whose fields are listed below; a dash means that it is always empty. Secrets are never in them. Additions to the 32 actions of the \
        original list are marked with a plus.\n\n\
        A filter takes names (`member.updated`), the groups below (`member.*`) and parts of them (`team.member.*`).\n\n\
        Other products may send events with any other well-formed name: 2 to 4 parts between dots, each of lower-case letters, digits and \
        underscores and beginning with a letter, at most 100 bytes in all.\n",
    );
    for (group, actions) in groups() {
        write!(out, "\n## {}\n\n{}\n\n", group.name(), group.description()).unwrap();
        out.push_str("| action | kind | what it means | `previous` | `next` |\n|---|---|---|---|---|\n");
        for action in actions {
            writeln!(out, "{}", row(action)).unwrap();
        }
    }
    out.push_str("\n# What `previous` and `next` hold\n");
    for Shape { name, fields } in SHAPES {
        write!(out, "\n## State: {name}\n\n| field | what it holds |\n|---|---|\n").unwrap();
        for (field, meaning) in *fields {
            writeln!(out, "| `{field}` | {meaning} |").unwrap();
        }
    }
    out
}

fn row(action: Action) -> String {
    let plus = if action.is_seed() { "" } else { " +" };
    let link = |shape: Option<&Shape>| shape.map_or("–".to_owned(), |shape| format!("[{0}](#state-{0})", shape.name));
    let (previous, next) = (link(action.previous()), link(action.next()));
    format!(
        "| `{}`{plus} | {} | {} | {previous} | {next} |",
        action.name(),
        action.kind().as_str(),
        action.description()
    )
}
