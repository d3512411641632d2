//! Which objects belong together: so that the history of one tells all that happened to it.

/// The types whose events belong to the history of an object of another type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Relatives {
    /// Their objects have the same id: of a member, the user's account.
    pub same_id: &'static [&'static str],
    /// The ids of their objects are several, joined by colons, of which one is the object's: of a team, `team:user`.
    pub composed: &'static [&'static str],
}

impl Relatives {
    /// It stands by itself.
    pub const NONE: Self = Self { same_id: &[], composed: &[] };
}

/// The relatives of a type of object; objects of other products have none.
#[must_use]
pub fn relatives(object_type: &str) -> Relatives {
    match object_type {
        "member" => Relatives { same_id: &["user"], composed: &["team_member"] },
        "team" => Relatives { same_id: &[], composed: &["team_member"] },
        "access_token" => Relatives { same_id: &["access_token_graph"], composed: &[] },
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
        for object_type in ["member", "team", "access_token"] {
            let Relatives { same_id, composed } = relatives(object_type);
            assert!(known(object_type) && same_id.iter().chain(composed).all(|name| known(name)), "{object_type}");
        }
        assert_eq!(relatives("invoice"), Relatives::NONE);
    }
}
