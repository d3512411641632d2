//! The graphs of the demo: what happens to one, and the schemas that are published to them.

use super::step::Team;

/// Name of the token with which builds publish.
pub(super) const BUILDS: &str = "Schema builds";

/// Something that happens to a graph, or in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OnGraph {
    /// It is made.
    Make { name: &'static str, description: &'static str },
    /// It gets another name or description.
    Change { name: &'static str, description: &'static str },
    /// A team is given a permission for it.
    Grant { team: Team, permission: &'static str },
    /// The token of the builds is given a permission for it.
    GrantBuilds { permission: &'static str },
    /// A branch is made from `main`.
    MakeBranch { branch: &'static str },
    /// A branch is renamed, protected or no longer protected.
    ChangeBranch { branch: &'static str, to: &'static str, protected: bool },
    /// A branch is deleted.
    DeleteBranch { branch: &'static str },
    /// A build publishes a subgraph in one of its versions; and the same once more where it is run `again`, which changes nothing.
    Publish { branch: &'static str, subgraph: &'static str, version: u32, again: bool },
    /// A team becomes the owner of a subgraph of `main`.
    Own { subgraph: &'static str, team: Team },
    /// A subgraph of a branch is deleted.
    DeleteSubgraph { branch: &'static str, subgraph: &'static str },
    /// A build submits a manifest of a client to `main`.
    Submit { client: &'static str, manifest: &'static str },
}

/// Manifests of clients: of the console twice, since it learns something.
pub(super) const CONSOLE: [&str; 2] =
    [include_str!("clients/fleet-console-1.json"), include_str!("clients/fleet-console-2.json")];
/// Likewise, in Relay's form.
pub(super) const TECHNICIAN: &str = include_str!("clients/technician-app-1.json");

/// Each subgraph with all that its schema ever had.
const SCHEMAS: [(&str, &str); 7] = [
    ("robots", include_str!("schemas/robots.graphql")),
    ("missions", include_str!("schemas/missions.graphql")),
    ("maintenance", include_str!("schemas/maintenance.graphql")),
    ("catalog", include_str!("schemas/catalog.graphql")),
    ("orders", include_str!("schemas/orders.graphql")),
    ("tickets", include_str!("schemas/tickets.graphql")),
    ("customers", include_str!("schemas/customers.graphql")),
];

/// The schema of a subgraph in one of its versions; empty if there is none. A line that ends with `#@3` is there since the third version, one
/// with `#@1-3` up to it.
pub(super) fn schema(subgraph: &str, version: u32) -> String {
    let lines = SCHEMAS.iter().filter(|(name, _)| *name == subgraph).flat_map(|(_, text)| text.lines());
    let there = lines.filter_map(|line| match line.split_once(" #@") {
        None => Some(line),
        Some((line, versions)) => covers(versions, version).then_some(line),
    });
    there.map(|line| format!("{line}\n")).collect()
}

fn covers(versions: &str, version: u32) -> bool {
    let (first, last) = versions.split_once('-').unwrap_or((versions, ""));
    let number = |text: &str| text.parse::<u32>().ok();
    number(first).is_some_and(|first| first <= version) && number(last).is_none_or(|last| version <= last)
}

/// Where a subgraph is served.
pub(super) fn url(graph: &str, subgraph: &str) -> String {
    format!("https://{subgraph}.{graph}.acme.example/graphql")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_has_the_lines_of_its_time() {
        let has = |version, text| schema("robots", version).contains(text);
        assert!(has(1, "batteryPercent: Int\n") && !has(1, "robot(serial: ID!)"));
        assert!(has(3, "batteryPercent: Int\n") && has(3, "enum RobotStatus"));
        assert!(!has(4, "batteryPercent") && has(4, "battery: Battery!\n"));
        assert!((1..=5).all(|version| !has(version, "#@")) && schema("none", 1).is_empty());
    }
}
