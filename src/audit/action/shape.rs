//! What `previous` and `next` hold: the whole state of an object, field by field.

/// The state of one type of object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Name, under which the catalogue refers to it.
    pub name: &'static str,
    /// Its fields and what they hold. Secrets are never among them.
    pub fields: &'static [(&'static str, &'static str)],
}

/// Every shape of the catalogue.
pub const SHAPES: &[Shape] = &[
    Shape {
        name: "graph",
        fields: &[
            ("id", "UUID"),
            ("slug", "its address"),
            ("name", "name to read"),
            ("description", "text"),
            ("teams", "teams that were given a permission for it, with name (`team`) and `permission`"),
        ],
    },
    Shape {
        name: "subgraph",
        fields: &[
            ("graph", "slug of the graph"),
            ("branch", "name of the branch"),
            ("name", "name in the branch"),
            ("url", "where it is served"),
            ("owner_team", "name of the team that owns it"),
            ("schema_sha256", "SHA-256 of the published schema"),
            ("schema_bytes", "its size in bytes"),
            ("version", "number of publications"),
        ],
    },
    Shape {
        name: "member",
        fields: &[
            ("user_id", "UUID of the user"),
            ("name", "name at the time"),
            ("email", "e-mail address at the time"),
            ("role", "`owner`, `admin` or `member`"),
            ("invited_by", "name of the user or access token that invited the user, where an invite was accepted"),
            ("invited_by_id", "UUID of the user or access token that invited the user, where an invite was accepted"),
        ],
    },
    Shape {
        name: "member_sessions",
        fields: &[
            ("user_id", "UUID of the user"),
            ("name", "name at the time"),
            ("email", "e-mail address at the time"),
            ("sessions", "number of running sessions"),
        ],
    },
    Shape {
        name: "branch",
        fields: &[
            ("id", "UUID"),
            ("graph", "slug of the graph"),
            ("name", "name in the graph"),
            ("protected", "whether publishing to it takes the permission `admin`"),
            ("subgraphs", "its subgraphs, with `name`, `version` and `schema_sha256`"),
            ("copied_from", "name of the branch that it was made from; when it was made only"),
        ],
    },
    Shape { name: "team", fields: &[("id", "UUID"), ("name", "name to read")] },
    Shape {
        name: "team_member",
        fields: &[
            ("team_id", "UUID of the team"),
            ("team_name", "its name at the time"),
            ("user_id", "UUID of the user"),
            ("name", "the user's name at the time"),
            ("email", "e-mail address at the time"),
            ("role", "role in the team"),
        ],
    },
    Shape {
        name: "invite",
        fields: &[
            ("id", "UUID"),
            ("email", "who is invited"),
            ("role", "role that waits"),
            ("teams", "names of the teams that wait"),
            ("expires_at", "RFC 3339"),
        ],
    },
    Shape { name: "organization", fields: &[("id", "UUID"), ("name", "name to read"), ("slug", "its address")] },
    Shape {
        name: "access_token",
        fields: &[
            ("id", "UUID"),
            ("name", "name to read"),
            ("scopes", "what it may do"),
            ("addresses", "addresses and networks from which it is good; empty: from everywhere"),
            ("expires_at", "RFC 3339, or null"),
            ("created_by", "UUID of the user who made it, or adopted or rotated it last; null: the operator"),
            ("rotated_at", "when its secret was last replaced, RFC 3339; null: never"),
            ("revoked", "whether it was revoked"),
        ],
    },
    Shape {
        name: "access_token_graph",
        fields: &[
            ("token_id", "UUID of the access token"),
            ("token_name", "its name at the time"),
            ("graph", "slug of the graph"),
            ("permission", "what the token may do there"),
        ],
    },
    Shape {
        name: "audit_log_export",
        fields: &[
            ("export_id", "UUID, also in the header `Audit-Export-Id`"),
            ("start", "first instant (included), RFC 3339"),
            ("end", "last instant (excluded), RFC 3339"),
            ("kinds", "kinds of the events"),
            ("actions", "names and groups that were asked for"),
            ("actor", "`user:ID` or `token:ID`, if asked for"),
            ("object", "`type` or `type:ID`, if asked for"),
            ("words", "words that were searched for"),
            ("rows", "number of events"),
            ("bytes", "size in bytes"),
            ("bytes_sent", "how many of them were sent; after the download only"),
            ("sha256", "of the bytes that were sent; after the download only"),
            ("format", "`csv` or `ndjson`"),
            ("profile", "`standard` or `full`"),
            ("escaping", "`formula-safe-v1` or `raw`"),
            ("role", "role of who was refused; nothing else is known of a refused export"),
        ],
    },
    Shape {
        name: "pruning",
        fields: &[
            ("events", "number of events that go"),
            ("first_kept", "index of the first event that is kept"),
            ("until", "the events were recorded before this moment, RFC 3339"),
            ("days", "days for which events are kept"),
        ],
    },
    Shape {
        name: "model_pruning",
        fields: &[
            ("model", "name of the model"),
            ("records", "number of records that went"),
            ("days", "days for which records are kept"),
        ],
    },
    Shape {
        name: "integrity",
        fields: &[
            ("problems", "what is not as it was recorded, a sentence for each, at most 20"),
            ("since", "when that was found first, RFC 3339"),
        ],
    },
    Shape { name: "look", fields: &[("role", "role of who looked")] },
    Shape {
        name: "trusted_document",
        fields: &[
            ("graph", "slug of the graph"),
            ("branch", "name of the branch"),
            ("client", "name of the client"),
            ("documents", "number of documents"),
            ("new_documents", "how many of them the client did not have"),
            ("manifest_sha256", "SHA-256 of the manifest"),
            ("manifest_bytes", "its size in bytes"),
            ("format", "`relay` or `apollo`"),
        ],
    },
    Shape {
        name: "model",
        fields: &[
            ("id", "UUID"),
            ("name", "name, and its address"),
            ("description", "text"),
            ("demo", "whether it is a demonstration's: its exports are not among the organization's"),
            ("records", "number of its records"),
        ],
    },
    Shape {
        name: "model_records",
        fields: &[
            ("model", "name of the model"),
            ("records", "how many were added"),
            ("first", "number of the first of them in the model"),
            ("last", "number of the last of them"),
            ("earliest", "earliest time among them, RFC 3339"),
            ("latest", "latest time among them, RFC 3339"),
            ("bytes", "size of what was sent"),
            ("sha256", "SHA-256 of what was sent"),
        ],
    },
    Shape {
        name: "model_export",
        fields: &[
            ("export_id", "UUID, also in the header `Audit-Export-Id`"),
            ("model", "name of the model"),
            ("start", "first instant (included), RFC 3339"),
            ("end", "last instant (excluded), RFC 3339"),
            ("format", "`csv` or `ndjson`"),
            ("escaping", "`formula-safe-v1` or `raw`; null with NDJSON"),
            ("rows", "number of records"),
            ("bytes", "size in bytes"),
            ("bytes_sent", "how many of them were sent; after the download only"),
            ("rows_sent", "how many whole records were sent; after the download only"),
            ("sha256", "of the bytes that were sent, if that was all of them; after the download only"),
            ("role", "role of who was refused; nothing else is known of a refused export"),
        ],
    },
    Shape { name: "login", fields: &[("reason", "class of the failure, where it failed")] },
    Shape {
        name: "account",
        fields: &[
            ("user_id", "UUID of the user"),
            ("name", "name to read"),
            ("email", "e-mail address"),
            (
                "password_changed_at",
                "when the present password was chosen, RFC 3339, or null; the password itself is never here",
            ),
            ("sessions", "number of running sessions"),
            ("reason", "class of the failure, where it failed: then nothing was changed"),
        ],
    },
];

impl Shape {
    /// The shape of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        SHAPES.iter().find(|shape| shape.name == name)
    }
}
