//! A part of a page that waits for answers.

use std::pin::Pin;

use leptos::prelude::*;

type Content = Box<dyn Fn() -> Pin<Box<dyn Future<Output = AnyView> + Send>> + Send + Sync>;

/// What `content` becomes once it has its answers. When it asks again, what was there stays until the new is there.
///
/// One type for all pages: Leptos would make its own copy of all that waiting takes for each type of content.
pub fn answered<F>(content: impl Fn() -> F + Send + Sync + 'static) -> AnyView
where
    F: Future<Output = AnyView> + Send + 'static,
{
    waiting(|| ().into_any(), None, Box::new(move || Box::pin(content())))
}

/// As [`answered`], with something to show before the first answer, and a signal of whether it is waiting.
pub fn answered_after<F>(
    fallback: fn() -> AnyView,
    pending: WriteSignal<bool>,
    content: impl Fn() -> F + Send + Sync + 'static,
) -> AnyView
where
    F: Future<Output = AnyView> + Send + 'static,
{
    waiting(fallback, Some(pending), Box::new(move || Box::pin(content())))
}

fn waiting(fallback: fn() -> AnyView, pending: Option<WriteSignal<bool>>, content: Content) -> AnyView {
    let pending = pending.unwrap_or_else(|| signal(false).1);
    view! {
        <Transition fallback=fallback set_pending=pending>
            {move || Suspend::new(content())}
        </Transition>
    }
    .into_any()
}
