//! Context: what surrounds a page or a server function, read through typed accessors and nowhere else.
//!
//! `generate_route_list` builds the component tree without a request, so that every accessor tolerates its absence.

use leptos::prelude::*;

use orgtrail::identity::view::{Flash, ViewerView};
use orgtrail::organization::view::OrganizationView;

use crate::answer::Answer;
use crate::browser;

/// Whether the browser has taken the page over. False on the server and in the first render, so that both print the same.
#[derive(Clone, Copy)]
pub struct Hydrated(RwSignal<bool>);

impl Hydrated {
    /// Watches over it for all components below.
    pub fn provide() {
        let hydrated = RwSignal::new(false);
        provide_context(Self(hydrated));
        Effect::new(move |_| {
            browser::mark_hydrated();
            hydrated.set(true);
        });
    }

    /// Whether it is, tracked.
    #[must_use]
    pub fn get() -> bool {
        use_context::<Self>().is_some_and(|hydrated| hydrated.0.get())
    }
}

/// The organization of the page's first path segment; provided by the frame.
#[derive(Clone, Copy)]
pub struct CurrentOrganization(pub Answer<OrganizationView>);

/// The signed-in user; provided by the frame.
#[derive(Clone, Copy)]
pub struct CurrentViewer(pub Answer<ViewerView>);

/// What a form left for this page; provided by [`crate::App`].
#[derive(Clone, Copy)]
pub struct CurrentFlash(pub Answer<Flash>);

impl CurrentFlash {
    /// The flash, or an empty one where none waits.
    pub async fn read(self) -> Flash {
        self.0.read().await.unwrap_or_default()
    }
}

/// The frame's organization. Called only below [`crate::frame::OrganizationFrame`], which provides it.
///
/// # Panics
/// Outside of an organization's pages: a fault of ours, met by the first look at the page.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the typed accessor")]
pub fn current_organization() -> CurrentOrganization {
    expect_context()
}

/// The flash. Called only below [`crate::App`], which provides it.
///
/// # Panics
/// Outside of the application: a fault of ours, met by the first look at the page.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the typed accessor")]
pub fn current_flash() -> CurrentFlash {
    expect_context()
}

#[cfg(feature = "ssr")]
pub use server::*;

#[cfg(feature = "ssr")]
mod server {
    use http::header::{HeaderName, HeaderValue, LOCATION};
    use http::request::Parts;
    use leptos::prelude::*;
    use leptos_axum::ResponseOptions;
    use orgtrail::identity::view::Flash;
    use orgtrail::identity::viewer::Viewer;
    use orgtrail::platform::Platform;
    use orgtrail::{Error, Result};
    use tower_sessions::Session;

    use crate::audit::download::Downloads;
    use crate::identity::server_fns::SESSION_FLASH;

    /// URL paths of the hashed files that every page links; the server provides it, an absent one is left out.
    #[derive(Debug, Clone, Copy, Default)]
    pub struct Assets {
        /// The one style sheet.
        pub css: Option<&'static str>,
        /// The JavaScript module whose default export starts the WebAssembly.
        pub js: Option<&'static str>,
        /// The WebAssembly that every page needs.
        pub wasm: Option<&'static str>,
        /// The rest of the WebAssembly: names of chunks (see [`crate::lazy`]), and the files of each.
        pub chunks: &'static [(&'static str, &'static [&'static str])],
    }

    /// The hashed files; none where the server provides none.
    #[must_use]
    pub fn assets() -> Assets {
        use_context().unwrap_or_default()
    }

    /// What every use case needs; the server provides it.
    ///
    /// # Errors
    /// [`Error::Internal`] outside of a request.
    pub fn platform() -> Result<Platform> {
        use_context().ok_or_else(|| absent("platform"))
    }

    /// Who asks: put into the request's extensions by the server's session layer.
    ///
    /// # Errors
    /// [`Error::Internal`] outside of a request.
    pub fn viewer() -> Result<Viewer> {
        extension().ok_or_else(|| absent("viewer"))
    }

    /// The browser's session: put into the request's extensions by the session layer.
    ///
    /// # Errors
    /// [`Error::Internal`] outside of a request.
    pub fn session() -> Result<Session> {
        extension().ok_or_else(|| absent("session"))
    }

    /// What a use case wants to know: the platform, and who asks.
    ///
    /// # Errors
    /// [`Error::Internal`] outside of a request.
    pub fn asking() -> Result<(Platform, Viewer)> {
        Ok((platform()?, viewer()?))
    }

    /// The running downloads; the server provides them, so that it can break them off when it stops.
    #[must_use]
    pub fn downloads() -> Downloads {
        use_context().unwrap_or_default()
    }

    /// The query string of the request, without `?`.
    #[must_use]
    pub fn raw_query() -> String {
        use_context::<Parts>().and_then(|parts| parts.uri.query().map(str::to_owned)).unwrap_or_default()
    }

    /// The path of the request; empty outside of one.
    #[must_use]
    pub fn raw_path() -> String {
        use_context::<Parts>().map(|parts| parts.uri.path().to_owned()).unwrap_or_default()
    }

    /// Whether the request is a server function's own. While a page is rendered its server functions are called without
    /// HTTP, and the status is the page's.
    #[must_use]
    pub fn is_server_function() -> bool {
        use_context::<Parts>().is_some_and(|parts| parts.uri.path().starts_with("/api/"))
    }

    /// Sets the status of the response, unless it is already sent elsewhere by [`redirect`].
    pub fn set_status(status: u16) {
        let Some(response) = use_context::<ResponseOptions>() else { return };
        let moved = response.0.read().is_ok_and(|parts| parts.headers.contains_key(LOCATION));
        if let (false, Ok(status)) = (moved, http::StatusCode::from_u16(status)) {
            response.set_status(status);
        }
    }

    /// Answers a page's request with another address; `status` is 303 or 308.
    pub fn redirect(status: u16, path: &str) {
        set_status(status);
        set_location(path);
    }

    /// Tells where a form's browser goes next; the server's form layer makes the 303.
    pub fn set_location(path: &str) {
        set_header(LOCATION, path);
    }

    /// Leaves a notice for the page that follows a form; without a session it is not worth failing for.
    pub async fn leave_notice(form: &str, notice: &str) {
        let flash = Flash { form: form.to_owned(), notice: Some(notice.to_owned()), ..Flash::default() };
        if let Ok(session) = session()
            && let Err(error) = session.insert(SESSION_FLASH, flash).await
        {
            tracing::warn!(%error, "a notice was lost");
        }
    }

    /// Sets a header of the response.
    pub fn set_header(name: HeaderName, value: &str) {
        if let (Some(response), Ok(value)) = (use_context::<ResponseOptions>(), HeaderValue::from_str(value)) {
            response.insert_header(name, value);
        }
    }

    fn extension<T: Clone + Send + Sync + 'static>() -> Option<T> {
        use_context::<Parts>()?.extensions.get::<T>().cloned()
    }

    fn absent(what: &str) -> Error {
        Error::internal(format!("no {what} in the context of this request"))
    }
}
