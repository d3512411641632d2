//! The one error that crosses the wire between server functions and pages.

use leptos::serde_json;
use leptos::server_fn::error::{FromServerFnError, ServerFnErrorErr};
use leptos::server_fn::{Bytes, ContentType, Decodes, Encodes, Format, FormatType};
use orgtrail::error::Fault;
use serde::{Deserialize, Serialize};

/// Why a server function did not do what was asked: everything a page shows of it, and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// Code of [`orgtrail::Error::code`].
    pub code: String,
    /// A sentence for a person; problem JSON (RFC 9457), as the server sends it to the browser, calls it `detail`.
    #[serde(alias = "detail")]
    pub message: String,
    /// The field or query parameter that it is about.
    pub field: Option<String>,
    /// The places where it is wrong, where it is input that is wrong in several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<Fault>,
    /// Id of the request, to find it in the server's log.
    pub request_id: Option<String>,
}

impl Refusal {
    /// A refusal without field and request.
    #[must_use]
    pub fn new(status: u16, code: &str, message: &str) -> Self {
        Self {
            status,
            code: code.to_owned(),
            message: message.to_owned(),
            field: None,
            faults: Vec::new(),
            request_id: None,
        }
    }

    /// The answer to an address that leads nowhere.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(404, "NOT_FOUND", "There is nothing here, or you may not know of it.")
    }
}

/// A refusal as JSON, read from text like everything else: a reader of bytes beside it would be one more in the WebAssembly.
pub struct RefusalJson;

impl ContentType for RefusalJson {
    const CONTENT_TYPE: &'static str = "application/json";
}

impl FormatType for RefusalJson {
    const FORMAT_TYPE: Format = Format::Text;
}

impl Encodes<Refusal> for RefusalJson {
    type Error = serde_json::Error;

    fn encode(refusal: &Refusal) -> Result<Bytes, Self::Error> {
        serde_json::to_string(refusal).map(Bytes::from)
    }
}

impl Decodes<Refusal> for RefusalJson {
    type Error = serde_json::Error;

    fn decode(bytes: Bytes) -> Result<Refusal, Self::Error> {
        serde_json::from_str(&String::from_utf8_lossy(&bytes))
    }
}

impl FromServerFnError for Refusal {
    type Encoder = RefusalJson;

    /// What goes wrong around a server function: the network in the browser, unreadable arguments on the server.
    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        let refusal = match error {
            ServerFnErrorErr::Request(_) => {
                Self::new(503, "UNAVAILABLE", "The server cannot be reached. Check your connection.")
            }
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) => {
                Self::new(422, "BAD_USER_INPUT", "A field is missing, given twice or unreadable.")
            }
            _ => Self::new(500, "INTERNAL", "Something went wrong on our side."),
        };
        #[cfg(feature = "ssr")]
        crate::context::set_status(refusal.status);
        refusal
    }
}

/// Dresses an error of the domain for the browser, sets the status of a server function's own response, and logs the
/// failures that are ours, once.
#[cfg(feature = "ssr")]
pub fn refuse(error: orgtrail::Error) -> Refusal {
    let status = error.status();
    if crate::context::is_server_function() {
        crate::context::set_status(status);
    }
    let request_id = crate::context::viewer().ok().and_then(|viewer| viewer.origin.request_id);
    log(&error, request_id.as_deref());
    let field = error.field().map(str::to_owned);
    let message = match &error {
        orgtrail::Error::Faulty(faulty) => faulty.headline(),
        other => other.message(),
    };
    let faults = error.faults().to_vec();
    Refusal { status, code: error.code().to_owned(), message, field, faults, request_id }
}

/// The causes that people never see. Nothing is logged without a request: `generate_route_list` has none.
#[cfg(feature = "ssr")]
fn log(error: &orgtrail::Error, request_id: Option<&str>) {
    use orgtrail::Error::{Internal, Unavailable};
    if let (Internal(cause) | Unavailable(cause), Some(request_id)) = (error, request_id) {
        let chain: Vec<String> = causes(cause.as_ref()).map(ToString::to_string).collect();
        tracing::error!(request_id, code = error.code(), cause = chain.join(": "), "a server function failed");
    }
}

#[cfg(feature = "ssr")]
fn causes<'a>(
    cause: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(cause), |error| error.source())
}
