//! Pages whose code is in a chunk of its own, which the browser loads when it needs one of them.
//!
//! Where `lazy!` names a page, the site's build cuts the WebAssembly; the site's script does the loading. On the server the same
//! code is called at once.

use std::future::pending;
use std::pin::Pin;

use leptos::prelude::*;
use leptos_router::location::Url;
use leptos_router::{ChooseView, MatchInterface, MatchNestedRoutes, RouteDefs};
use wasm_split_helpers::SplitLoaderError;

/// What is done elsewhere, later.
pub type Later<T> = Pin<Box<dyn Future<Output = T>>>;

/// A page for `view=` of a route. One type for all of them, which `lazy!` makes.
#[derive(Clone, Copy)]
pub struct LazyPage {
    /// Name of the chunk that holds its code.
    pub chunk: &'static str,
    /// Loads the chunk, unless it is there.
    pub load: fn() -> Later<Result<(), SplitLoaderError>>,
    /// Loads the chunk, unless it is there, and makes the page.
    pub open: fn() -> Later<Result<AnyView, SplitLoaderError>>,
}

/// `lazy!(chunk, Page)`: a component without properties as a [`LazyPage`] in the chunk of that name. Pages of one chunk are
/// loaded together.
macro_rules! lazy {
    ($chunk:ident, $page:ident) => {{
        #[wasm_split_helpers::wasm_split($chunk, fallible, preload(load))]
        fn open() -> Result<AnyView, wasm_split_helpers::SplitLoaderError> {
            Ok(view! { <$page/> }.into_any())
        }
        $crate::lazy::LazyPage { chunk: stringify!($chunk), load: || Box::pin(load()), open: || Box::pin(open()) }
    }};
}

pub(crate) use lazy;

impl ChooseView for LazyPage {
    async fn choose(self) -> AnyView {
        match (self.open)().await {
            Ok(page) => page,
            Err(_) => elsewhere().await,
        }
    }

    async fn preload(&self) {
        if let Some(Chunks(chunks)) = use_context() {
            chunks.update_value(|chunks| chunks.push(self.chunk));
        }
        if (self.load)().await.is_err() {
            elsewhere().await
        }
    }
}

/// The chunk is not to be had, as after an update of the server: it has the page itself. Where one is on the way to a page, the
/// browser loads it whole; a page that is already shown stays as the server sent it, and works without us.
async fn elsewhere<T>() -> T {
    if let Some(target) = use_context::<ArcRwSignal<Url>>() {
        // Without its fragment: the same address with one would be no load.
        let address = target.with_untracked(|url| format!("{}?{}", url.path(), url.search()));
        let _ = window().location().assign(address.trim_end_matches('?'));
    }
    pending().await
}

/// Loads the code of the page at `path`; never comes back where it cannot be had.
pub async fn load(routes: impl MatchNestedRoutes<Match: 'static>, path: &str) {
    if let Some(found) = RouteDefs::new(routes).match_route(path) {
        load_found(found).await;
    }
}

fn load_found<Found: MatchInterface + 'static>(found: Found) -> Later<()> {
    Box::pin(async move {
        let (page, below) = found.into_view_and_child();
        page.preload().await;
        if let Some(below) = below {
            load_found(below).await;
        }
    })
}

/// Collects the chunks that pages ask for.
#[derive(Clone, Copy)]
struct Chunks(StoredValue<Vec<&'static str>>);

/// The chunks that the page at `path` needs, on the server.
#[cfg(feature = "ssr")]
pub fn chunks(routes: impl MatchNestedRoutes<Match: 'static>, path: &str) -> Vec<&'static str> {
    use futures::FutureExt;

    let chunks = StoredValue::new(Vec::new());
    Owner::new().with(|| {
        provide_context(Chunks(chunks));
        // Nothing is waited for there.
        let _ = load(routes, path).now_or_never();
    });
    chunks.get_value()
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;
    use crate::routes::routes;

    #[test]
    fn a_page_names_its_chunk() {
        Owner::new().with(|| {
            assert_eq!(chunks(routes(), "/acme/settings/audit-logs"), ["audit"]);
            assert_eq!(chunks(routes(), "/acme/settings/teams/writers"), ["settings"]);
            assert_eq!(chunks(routes(), "/acme/graphs/inventory/branches/main"), ["graph"]);
            assert_eq!(chunks(routes(), "/login"), ["entry"]);
            assert_eq!(chunks(routes(), "/acme/settings/none"), [""; 0]);
        });
    }
}
