//! Orgtrail without the web.
