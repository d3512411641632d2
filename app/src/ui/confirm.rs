//! Asking once before something that cannot be undone, without JavaScript: the button is inside a `details`.

use leptos::prelude::*;

use super::row::hidden;

/// A button that opens a small panel which names what will happen and holds the form that does it.
#[component]
#[must_use]
pub fn Confirm(
    /// What the closed button says.
    #[prop(into)]
    label: String,
    /// The whole label for people who hear it out of its row.
    #[prop(into)]
    spoken: String,
    /// What will happen, as a question.
    #[prop(into)]
    question: String,
    /// The form that does it.
    children: Children,
) -> impl IntoView {
    view! {
        <details class="menu menu-end" name="confirm">
            <summary class="button button-quiet button-danger" aria-label=spoken>{label}</summary>
            <div class="panel confirm">
                <p>{question}</p>
                {children()}
            </div>
        </details>
    }
}

/// A [`Confirm`] around a form whose one button says the same in full.
#[must_use]
pub fn confirmed(
    action: &'static str,
    fields: &[(&'static str, &str)],
    label: &'static str,
    question: String,
    button: String,
) -> AnyView {
    let (spoken, fields) = (format!("{button}…"), hidden(fields));
    view! {
        <Confirm label=label spoken=spoken question=question>
            <form method="post" action=action>
                {fields}
                <button class="button button-danger" type="submit">{button}</button>
            </form>
        </Confirm>
    }
    .into_any()
}
