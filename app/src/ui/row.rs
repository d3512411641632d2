//! Rows of people, and the small forms beside them.

use leptos::prelude::*;

use super::avatar::{Avatar, initials};

/// Somebody in a list: who they are, a line below, and what can be done.
#[must_use]
pub fn person(name: String, is_viewer: bool, below: AnyView, actions: AnyView) -> AnyView {
    view! {
        <li class="member">
            <Avatar initials=initials(&name)/>
            <div class="member-who">
                <span class="member-name">{name}{is_viewer.then(|| view! { <span class="badge">"you"</span> })}</span>
                <small>{below}</small>
            </div>
            {actions}
        </li>
    }
    .into_any()
}

/// A form's fields that are not seen.
#[must_use]
pub fn hidden(fields: &[(&'static str, &str)]) -> AnyView {
    let inputs =
        fields.iter().map(|(name, value)| view! { <input type="hidden" name=*name value=(*value).to_owned()/> });
    inputs.collect_view().into_any()
}

/// A choice of role for somebody called `name`, with its button; what was shown goes along, so that nobody else's change is lost.
#[must_use]
pub fn role_form(
    action: &'static str,
    fields: &[(&'static str, &str)],
    name: &str,
    role: &str,
    roles: Vec<String>,
) -> AnyView {
    view! {
        <form method="post" action=action class="inline-form">
            {hidden(fields)}
            {hidden(&[("shown", role)])}
            <select name="role" aria-label=format!("Role of {name}")>{options(roles, role)}</select>
            <button class="button" type="submit" aria-label=format!("Save the role of {name}")>"Save"</button>
        </form>
    }
    .into_any()
}

/// The choices of a select, one of them chosen.
#[must_use]
pub fn options(values: Vec<String>, chosen: &str) -> AnyView {
    let option = |value: String| {
        let (selected, label) = (value == chosen, value.clone());
        view! { <option value=value selected=selected>{label}</option> }
    };
    values.into_iter().map(option).collect_view().into_any()
}
