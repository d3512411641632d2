//! What pages and programs are shown of models.

use serde::{Deserialize, Serialize};

use crate::audit::view::{Moment, RangeView};

/// Characters of a record that a page shows; an export has all of them.
pub const SHOWN_CHARS: i32 = 2_000;

/// A model, as the list of models shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelRow {
    /// Name, and its address in the organization.
    pub name: String,
    /// Text, maybe of several lines; empty if there is none.
    pub description: String,
    /// Whether it is a demonstration's: its exports are not among the organization's.
    pub demo: bool,
    /// Number of its records.
    pub records: i64,
    /// Time of its latest record; none if it has none.
    pub latest: Option<Moment>,
}

/// The list of models.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelsPage {
    /// Models by name.
    pub models: Vec<ModelRow>,
    /// Whether the viewer may create and delete models.
    pub manageable: bool,
}

/// What the viewer may do with a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelRights {
    /// Delete it.
    pub manage: bool,
    /// Add records.
    pub add: bool,
    /// Export its records.
    pub export: bool,
}

/// One model with a page of its records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelView {
    /// UUID.
    pub id: String,
    /// Name, and its address in the organization.
    pub name: String,
    /// Text, maybe of several lines; empty if there is none.
    pub description: String,
    /// Whether it is a demonstration's: its exports are not among the organization's.
    pub demo: bool,
    /// When it was created.
    pub created: Moment,
    /// Number of all its records.
    pub total: i64,
    /// The range that was read.
    pub range: RangeView,
    /// Records of the range, newest first, at most 50.
    pub records: Vec<RecordRow>,
    /// Cursor for `before=`: the page of newer records, if there is one.
    pub newer: Option<String>,
    /// Cursor for `after=`: the page of older records, if there is one.
    pub older: Option<String>,
    /// Query string of the export of the range, without `?` and format.
    pub export_query: String,
    /// What the viewer may do with it.
    pub rights: ModelRights,
    /// Stands for this page in the form that adds records: sent twice from it, they are added once.
    pub once: String,
}

/// A record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordRow {
    /// Its number in the model, from 0 in the order of arrival.
    pub number: i64,
    /// Its time.
    pub time: Moment,
    /// Its JSON, byte for byte, up to [`SHOWN_CHARS`] characters.
    pub content: String,
    /// Whether there is more of it.
    pub is_cut: bool,
}
