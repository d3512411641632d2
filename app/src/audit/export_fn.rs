//! `GET /api/export_audit_logs`: the download as a Leptos server function (contract §4).

use leptos::prelude::*;
use server_fn::codec::{ByteStream, GetUrl, Streaming};

use crate::wire::Refusal;
#[cfg(feature = "ssr")]
use crate::{
    context::{asking, downloads, raw_query, set_header},
    wire::refuse,
};
#[cfg(feature = "ssr")]
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE, HeaderName};
#[cfg(feature = "ssr")]
use orgtrail::audit::export::{self, Head};

/// The events that the query string asks for, as a file. The query is read by the domain's own parser, so it has no arguments here.
///
/// # Errors
/// 401, 403, 404; 422 naming the parameter and the allowed values; 429 if two are running; 503.
#[server(endpoint = "export_audit_logs", input = GetUrl, output = Streaming)]
pub async fn export_audit_logs() -> Result<ByteStream<Refusal>, Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    let export = export::start(&platform, &viewer, &raw_query()).await.map_err(refuse)?;
    set_headers(export.head());
    Ok(ByteStream::new(downloads().carry(export)))
}

#[cfg(feature = "ssr")]
fn set_headers(head: &Head) {
    set_header(CONTENT_TYPE, head.content_type);
    set_header(CONTENT_LENGTH, &head.content_length.to_string());
    set_header(CONTENT_DISPOSITION, &format!("attachment; filename=\"{}\"", head.file_name));
    set_header(CACHE_CONTROL, "no-store");
    set_header(HeaderName::from_static("audit-export-id"), &head.id.to_string());
    set_header(HeaderName::from_static("audit-export-rows"), &head.rows.to_string());
    if let Some(escaping) = head.escaping {
        set_header(HeaderName::from_static("audit-csv-escaping"), escaping);
    }
}
