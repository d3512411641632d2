//! Which objects belong together: so that the history of one tells all that happened to it.

/// The types whose events belong to the history of an object of another type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Relatives {
    /// Their objects have the same id: of a member, the user's account.
    pub same_id: &'static [&'static str],
    /// Their ids begin with the object's and a colon, because they are parts of it: of a graph, `graph:branch` and `graph:branch:subgraph`.
    pub within: &'static [&'static str],
    /// Their ids end with a colon and the object's: of a member, `team:user`.
    pub ending: &'static [&'static str],
}

impl Relatives {
    /// It stands by itself.
    pub const NONE: Self = Self { same_id: &[], within: &[], ending: &[] };
}

/// The relatives of a type of object; objects of other products have none.
#[must_use]
pub fn relatives(object_type: &str) -> Relatives {
    match object_type {
        "member" => Relatives { same_id: &["user"], ending: &["team_member"], ..Relatives::NONE },
        "team" => Relatives { within: &["team_member"], ..Relatives::NONE },
        "access_token" => Relatives { within: &["access_token_graph"], ..Relatives::NONE },
        "graph" => Relatives {
            within: &["branch", "subgraph", "trusted_document"],
            ending: &["access_token_graph"],
            ..Relatives::NONE
        },
        "branch" => Relatives { within: &["subgraph", "trusted_document"], ..Relatives::NONE },
        _ => Relatives::NONE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::action::Action;

    #[test]
    fn relatives_are_types_of_the_catalogue() {
        let known = |name: &str| Action::ALL.iter().any(|action| action.object_type() == name);
        for object_type in ["member", "team", "access_token", "graph", "branch"] {
            let Relatives { same_id, within, ending } = relatives(object_type);
            let mut all = same_id.iter().chain(within).chain(ending).peekable();
            assert!(known(object_type) && all.peek().is_some() && all.all(|name| known(name)), "{object_type}");
        }
        assert_eq!(relatives("invoice"), Relatives::NONE);
    }
}
