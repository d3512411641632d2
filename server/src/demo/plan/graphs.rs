//! The graphs: three of them, made one after the other, whose schemas builds publish to branches.

use chrono::TimeDelta;

use super::super::graphs::{BUILDS, CONSOLE, OnGraph, TECHNICIAN};
use super::super::people::{ADA, GRACE, Who};
use super::super::step::Act;
use super::Planner;
use super::days::Day;
use orgtrail::identity::access_token::Scope;

const FLEET: &str = "fleet";
const STORE: &str = "parts-store";
const CARE: &str = "customer-care";

const fn publish(subgraph: &'static str, version: u32) -> OnGraph {
    OnGraph::Publish { branch: "main", subgraph, version, again: false }
}

const fn publish_to(branch: &'static str, subgraph: &'static str, version: u32) -> OnGraph {
    OnGraph::Publish { branch, subgraph, version, again: false }
}

/// A build that runs twice.
const fn publish_again(subgraph: &'static str, version: u32) -> OnGraph {
    OnGraph::Publish { branch: "main", subgraph, version, again: true }
}

const fn protect(branch: &'static str) -> OnGraph {
    OnGraph::ChangeBranch { branch, to: branch, protected: true }
}

/// What happens after so many working days, in its order. Publishing is what Grace's token does.
const STORY: &[(usize, Who, &str, OnGraph)] = &[
    (
        4,
        GRACE,
        FLEET,
        OnGraph::Make { name: "Fleet", description: "Robots, what they carry and what they complain of." },
    ),
    (4, GRACE, FLEET, OnGraph::GrantBuilds { permission: "publish" }),
    (4, GRACE, FLEET, OnGraph::Grant { team: "Fleet", permission: "publish" }),
    (5, GRACE, FLEET, publish("robots", 1)),
    (5, GRACE, FLEET, publish("missions", 1)),
    (6, GRACE, FLEET, OnGraph::Own { subgraph: "robots", team: "Fleet" }),
    (7, GRACE, FLEET, publish_again("robots", 2)),
    (9, GRACE, FLEET, publish("maintenance", 1)),
    (10, ADA, STORE, OnGraph::Make { name: "Spare parts", description: "" }),
    (10, ADA, STORE, OnGraph::GrantBuilds { permission: "read" }),
    (10, ADA, STORE, OnGraph::GrantBuilds { permission: "publish" }),
    (11, ADA, STORE, publish("catalog", 1)),
    (12, ADA, STORE, publish("orders", 1)),
    (13, GRACE, FLEET, OnGraph::Submit { client: "fleet-console", manifest: CONSOLE[0] }),
    (14, GRACE, FLEET, publish("missions", 2)),
    (15, GRACE, FLEET, OnGraph::MakeBranch { branch: "staging" }),
    (16, GRACE, FLEET, publish_to("staging", "robots", 3)),
    (17, GRACE, FLEET, publish("robots", 3)),
    (
        18,
        ADA,
        STORE,
        OnGraph::Change { name: "Spare parts store", description: "What customers order for their robots." },
    ),
    (19, ADA, STORE, publish_again("catalog", 2)),
    (20, GRACE, CARE, OnGraph::Make { name: "Customer care", description: "Customers and their tickets." }),
    (20, GRACE, CARE, OnGraph::GrantBuilds { permission: "admin" }),
    (20, GRACE, CARE, OnGraph::Grant { team: "Customer care", permission: "admin" }),
    (21, GRACE, CARE, publish("customers", 1)),
    (21, GRACE, CARE, publish("tickets", 1)),
    (23, GRACE, FLEET, OnGraph::MakeBranch { branch: "new-batteries" }),
    (24, GRACE, FLEET, publish_to("new-batteries", "robots", 4)),
    (26, ADA, STORE, publish("orders", 2)),
    (27, GRACE, CARE, publish("tickets", 2)),
    (28, GRACE, CARE, publish("customers", 2)),
    (29, GRACE, CARE, OnGraph::Submit { client: "technician-app", manifest: TECHNICIAN }),
    (31, GRACE, FLEET, publish("missions", 3)),
    (32, GRACE, FLEET, OnGraph::Submit { client: "fleet-console", manifest: CONSOLE[1] }),
    (34, GRACE, FLEET, publish("robots", 4)),
    (34, GRACE, FLEET, OnGraph::DeleteBranch { branch: "new-batteries" }),
    (36, ADA, STORE, publish("catalog", 3)),
    (38, GRACE, FLEET, OnGraph::ChangeBranch { branch: "staging", to: "preview", protected: false }),
    (39, GRACE, FLEET, publish_to("preview", "maintenance", 2)),
    (41, ADA, STORE, OnGraph::Grant { team: "Trade fair", permission: "read" }),
    (42, GRACE, FLEET, publish("maintenance", 2)),
    (44, GRACE, FLEET, OnGraph::Grant { team: "Warehouse", permission: "read" }),
    (45, ADA, STORE, OnGraph::MakeBranch { branch: "trade-fair" }),
    (46, ADA, STORE, publish_to("trade-fair", "catalog", 4)),
    (48, GRACE, CARE, publish("tickets", 3)),
    (51, ADA, STORE, OnGraph::DeleteBranch { branch: "trade-fair" }),
    (51, ADA, STORE, publish("orders", 3)),
    (53, GRACE, FLEET, publish("robots", 5)),
    (54, GRACE, FLEET, OnGraph::DeleteSubgraph { branch: "preview", subgraph: "maintenance" }),
    (55, GRACE, CARE, protect("main")),
    (57, GRACE, FLEET, publish("missions", 4)),
    (58, ADA, STORE, publish_again("catalog", 4)),
    (59, GRACE, FLEET, publish("maintenance", 3)),
];

impl Planner {
    /// What happens to graphs on a day. The order matters, and chance has no part in it.
    pub(super) fn run_graphs(&mut self, day: Day) {
        if !day.is_worked() {
            return;
        }
        if day.working_days == STORY[0].0 {
            let made =
                Act::MakeToken { by: GRACE, name: BUILDS.to_owned(), scopes: &[Scope::GraphsWrite], hours: None };
            self.add(day.at(10, 40), made);
        }
        let today = STORY.iter().filter(|(after, ..)| *after == day.working_days);
        for (number, (_, by, graph, what)) in (0..).zip(today) {
            let at = day.at(10, 50 + 9 * number) + TimeDelta::milliseconds(number * 7_310 + 412);
            self.add(at, Act::Graph { by: *by, graph, what: *what });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_in_order_and_within_the_time_that_there_always_is() {
        assert!(STORY.is_sorted_by_key(|(after, ..)| *after));
        assert!(STORY.iter().all(|(after, ..)| (4..60).contains(after)));
    }
}
