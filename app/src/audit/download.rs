//! The download, pulled from the export engine.
