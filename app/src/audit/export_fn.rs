//! The download.
