//! `GET /api/export_audit_logs`: the download as a Leptos server function (contract §4).

use leptos::prelude::*;
use server_fn::codec::{ByteStream, GetUrl, Streaming};

use crate::wire::Refusal;
#[cfg(feature = "ssr")]
use crate::{
    audit::download::headers,
    context::{asking, downloads, raw_query, set_header},
    wire::refuse,
};
#[cfg(feature = "ssr")]
use orgtrail::audit::export;

/// The events that the query string asks for, as a file. The query is read by the domain's own parser, so it has no arguments here.
///
/// # Errors
/// 401, 403, 404; 422 naming the parameter and the allowed values; 429 if two are running; 503.
#[server(endpoint = "export_audit_logs", input = GetUrl, output = Streaming)]
pub async fn export_audit_logs() -> Result<ByteStream<Refusal>, Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    let export = export::start(&platform, &viewer, &raw_query()).await.map_err(refuse)?;
    for (name, value) in headers(export.head()) {
        set_header(name, &value);
    }
    Ok(ByteStream::new(downloads().carry(export)))
}
