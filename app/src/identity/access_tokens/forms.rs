//! The forms in which a token is described: to make one, and to change one.

use leptos::prelude::*;

use orgtrail::identity::view::Flash;
use orgtrail::identity::view::access_token::{ScopeChoice, TokenDetail};

use crate::ui::field::{Field, FormState};
use crate::ui::row::hidden;

/// Where a token is made.
pub(super) const CREATE: &str = "/api/create_access_token";

/// Where it is changed.
pub(super) const UPDATE: &str = "/api/update_access_token";

/// The form for a new token.
pub(super) fn create(slug: &str, flash: &Flash, scopes: &[ScopeChoice], (today, form_id): (&str, &str)) -> AnyView {
    let form = FormState::new(CREATE, flash.clone());
    view! {
        <section aria-labelledby="new-token">
            <h2 id="new-token">"New access token"</h2>
            <form method="post" action=CREATE class="form form-narrow">
                {hidden(&[("organization", slug), ("form", form_id)])}
                {fields(&form, ("", "", ""), &[], scopes, Some(today.to_owned()))}
                <button class="button button-primary" type="submit">"Make access token"</button>
                <p class="hint">"Its secret is shown once, on the next page."</p>
            </form>
        </section>
    }
    .into_any()
}

/// The form for a token that is there.
pub(super) fn update(slug: &str, flash: &Flash, token: &TokenDetail, scopes: &[ScopeChoice]) -> AnyView {
    // After a conflict the token is shown as it is now, not as it was typed.
    let typed = if flash.field.is_some() { flash.clone() } else { Flash::default() };
    let form = FormState::new(UPDATE, typed);
    view! {
        <form method="post" action=UPDATE class="form form-narrow">
            {target(slug, token)}
            {fields(&form, (&token.name, &token.addresses, &token.expires_on), &token.scopes, scopes, None)}
            <button class="button button-primary" type="submit">"Save changes"</button>
        </form>
    }
    .into_any()
}

/// Which token a form is about, and the version that it shows.
pub(super) fn target(slug: &str, token: &TokenDetail) -> AnyView {
    view! {
        <input type="hidden" name="organization" value=slug.to_owned()/>
        <input type="hidden" name="token" value=token.id.clone()/>
        <input type="hidden" name="version" value=token.version/>
    }
    .into_any()
}

fn fields(
    form: &FormState,
    (name, addresses, expires_on): (&str, &str, &str),
    chosen: &[String],
    scopes: &[ScopeChoice],
    earliest: Option<String>,
) -> AnyView {
    let chosen = form.values("scopes[]", chosen);
    let boxes = scopes.iter().map(|scope| checkbox(scope, chosen.contains(&scope.name))).collect_view();
    view! {
        <Field form=form.clone() name="name" label="Name" value=name max_length=100 hint="What uses it: the audit logs show this name."/>
        <fieldset class="field checks" aria-describedby="scope-error">
            <legend>"Scopes"</legend>
            {boxes}
            {error(form, "scope")}
        </fieldset>
        {last_day(form, expires_on, earliest)}
        <Field
            form=form.clone() name="addresses" label="Addresses" value=addresses max_length=2000 may_be_empty=true
            hint="The only addresses and networks from which it is good, like 203.0.113.7, 2001:db8::/32. Empty: from everywhere."
        />
    }
    .into_any()
}

fn checkbox(scope: &ScopeChoice, checked: bool) -> AnyView {
    view! {
        <label class="check">
            <input type="checkbox" name="scopes[]" value=scope.name.clone() checked=checked/>
            <span><code>{scope.name.clone()}</code> <small>{scope.explanation.clone()}</small></span>
        </label>
    }
    .into_any()
}

/// A date that may be left empty.
fn last_day(form: &FormState, present: &str, earliest: Option<String>) -> AnyView {
    let invalid = form.error(Some("expires_on")).is_some().then_some("true");
    view! {
        <div class="field">
            <label for="expires_on">"Last day"</label>
            <input
                id="expires_on" name="expires_on" type="date" value=form.value("expires_on", present) min=earliest max="9999-12-31"
                aria-invalid=invalid aria-describedby="expires_on-hint expires_on-error"
            />
            <p class="hint" id="expires_on-hint">"The last day on which it is good, UTC. Empty: it does not expire."</p>
            {error(form, "expires_on")}
        </div>
    }
    .into_any()
}

fn error(form: &FormState, field: &'static str) -> Option<AnyView> {
    let id = format!("{field}-error");
    form.error(Some(field)).map(|error| view! { <p class="field-error" id=id>{error}</p> }.into_any())
}
