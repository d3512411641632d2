//! A labelled input with its hint and its error.

use leptos::prelude::*;

use orgtrail::error::Fault;
use orgtrail::identity::view::Flash;

/// What a form's fields need to know: which form they are in, and what the server said to its last post.
#[derive(Debug, Clone, Default)]
pub struct FormState {
    action: &'static str,
    flash: Flash,
}

impl FormState {
    /// The state of the form that posts to `action`, after `flash`.
    #[must_use]
    pub fn new(action: &'static str, flash: Flash) -> Self {
        Self { action, flash }
    }

    /// What was typed in a field before, or `otherwise`.
    #[must_use]
    pub fn value(&self, name: &str, otherwise: &str) -> String {
        self.flash.typed(self.action, name).unwrap_or(otherwise).to_owned()
    }

    /// The choices that were made in a field before, or `otherwise`.
    #[must_use]
    pub fn values(&self, name: &str, otherwise: &[String]) -> Vec<String> {
        let mine = self.flash.form == self.action && !self.flash.typed.is_empty();
        let typed = || self.flash.typed.iter().filter(|(own, _)| own == name).map(|(_, value)| value.clone()).collect();
        if mine { typed() } else { otherwise.to_vec() }
    }

    /// The error at a field; `None` asks for the one of the whole form.
    #[must_use]
    pub fn error(&self, field: Option<&str>) -> Option<String> {
        self.flash.error_at(self.action, field).map(str::to_owned)
    }

    /// The error of the form that belongs to none of `fields`, so that none is lost.
    #[must_use]
    pub fn error_elsewhere(&self, fields: &[&str]) -> Option<String> {
        let field = self.flash.field.as_deref();
        if field.is_some_and(|name| fields.contains(&name)) { None } else { self.error(field) }
    }

    /// Where what was typed is wrong, place by place.
    #[must_use]
    pub fn faults(&self) -> &[Fault] {
        if self.flash.form == self.action { &self.flash.faults } else { &[] }
    }

    /// Whether this form was refused, and what was typed in a field was too long to be kept.
    #[must_use]
    pub fn has_lost(&self, name: &str) -> bool {
        let refused = self.flash.form == self.action && self.flash.error.is_some();
        refused && self.flash.typed(self.action, name).is_none()
    }

    /// What was done by this form, if that is what the flash says.
    #[must_use]
    pub fn notice(&self) -> Option<String> {
        self.flash.notice.clone().filter(|_| self.flash.form == self.action)
    }
}

/// A labelled input. The error is announced with the field, on which the page opens, and both keep what was typed.
#[component]
#[must_use]
pub fn Field(
    /// The form it is in.
    form: FormState,
    /// Name of the parameter; also the id.
    name: &'static str,
    /// Id, where another form of the page has a field of this name.
    #[prop(optional)]
    id: Option<&'static str>,
    /// What it is called.
    label: &'static str,
    /// `type` of the input.
    #[prop(default = "text")]
    kind: &'static str,
    /// The present value.
    #[prop(optional, into)]
    value: String,
    /// What is allowed, in words.
    #[prop(optional, into)]
    hint: String,
    /// `autocomplete` of the input.
    #[prop(default = "off")]
    autocomplete: &'static str,
    /// Most characters.
    #[prop(default = 320)]
    max_length: u32,
    /// Whether it can be changed.
    #[prop(optional)]
    readonly: bool,
    /// Whether it may be left empty.
    #[prop(optional)]
    may_be_empty: bool,
    /// Id of a `datalist` with what it may be.
    #[prop(optional)]
    list: Option<&'static str>,
) -> impl IntoView {
    let error = form.error(Some(name));
    let id = id.unwrap_or(name);
    let described = described_by(id, !hint.is_empty(), error.is_some());
    // A password is never in a flash; asking for it would only be misread as if it could be.
    let value = if kind == "password" { String::new() } else { form.value(name, &value) };
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <input
                id=id name=name type=kind value=value autocomplete=autocomplete maxlength=max_length.to_string()
                required={!may_be_empty} readonly=readonly list=list autofocus=error.is_some()
                aria-invalid=error.is_some().then_some("true") aria-describedby=described
            />
            {(!hint.is_empty()).then(|| view! { <p class="hint" id=hint_id(id)>{hint}</p> }.into_any())}
            {error.map(|error| view! { <p class="field-error" id=error_id(id)>{error}</p> }.into_any())}
        </div>
    }
}

/// A labelled field of several lines, with its hint and its error.
#[must_use]
pub fn area(
    form: &FormState,
    name: &'static str,
    label: &'static str,
    value: &str,
    hint: &str,
    lines: Lines,
) -> AnyView {
    let error = form.error(Some(name));
    let described = described_by(name, !hint.is_empty(), error.is_some());
    let Lines { shown, max_length, required } = lines;
    let value = area_html(&form.value(name, value));
    view! {
        <div class="field">
            <label for=name>{label}</label>
            <textarea
                id=name name=name rows=shown.to_string() maxlength=max_length.to_string() required=required spellcheck="false"
                autofocus=error.is_some()
                aria-invalid=error.is_some().then_some("true") aria-describedby=described
                inner_html=value
            ></textarea>
            {(!hint.is_empty()).then(|| view! { <p class="hint" id=hint_id(name)>{hint.to_owned()}</p> }.into_any())}
            {error.map(|error| view! { <p class="field-error" id=error_id(name)>{error}</p> }.into_any())}
        </div>
    }
    .into_any()
}

/// What stands in a `textarea`. As a child it would be more than it is: the server writes a space for no text, and HTML takes a line feed away
/// at the start.
fn area_html(value: &str) -> String {
    let escaped = value.replace('&', "&amp;").replace('<', "&lt;");
    if escaped.starts_with('\n') { format!("\n{escaped}") } else { escaped }
}

/// How an [`area`] takes its lines.
#[derive(Debug, Clone, Copy)]
pub struct Lines {
    /// Lines that are seen at once.
    pub shown: u32,
    /// Most characters.
    pub max_length: u32,
    /// Whether it may not be left empty.
    pub required: bool,
}

fn hint_id(name: &str) -> String {
    format!("{name}-hint")
}

fn error_id(name: &str) -> String {
    format!("{name}-error")
}

fn described_by(name: &str, hint: bool, error: bool) -> Option<String> {
    let parts = [error.then(|| error_id(name)), hint.then(|| hint_id(name))];
    let ids: Vec<_> = parts.into_iter().flatten().collect();
    (!ids.is_empty()).then(|| ids.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(field: Option<&str>) -> FormState {
        let typed = vec![("slug".to_owned(), "Acme".to_owned())];
        let flash = Flash {
            form: "/api/x".into(),
            error: Some("No.".into()),
            field: field.map(str::to_owned),
            typed,
            notice: None,
            faults: Vec::new(),
        };
        FormState::new("/api/x", flash)
    }

    #[test]
    fn keeps_what_was_typed_in_this_form_only() {
        assert_eq!(refused(None).value("slug", "acme"), "Acme");
        assert_eq!(refused(None).value("name", "Acme Inc"), "Acme Inc");
        let other = FormState::new("/api/y", refused(None).flash);
        assert_eq!(other.value("slug", "acme"), "acme");
        assert_eq!(other.error_elsewhere(&["slug"]), None);
    }

    #[test]
    fn an_area_holds_text_and_nothing_else() {
        assert_eq!(area_html("</textarea><b>&amp;"), "&lt;/textarea>&lt;b>&amp;amp;");
        assert_eq!(area_html("\na"), "\n\na");
        assert_eq!(area_html(""), "");
    }

    #[test]
    fn puts_each_error_in_one_place() {
        assert_eq!(refused(Some("slug")).error(Some("slug")).as_deref(), Some("No."));
        assert_eq!(refused(Some("slug")).error_elsewhere(&["slug"]), None);
        assert_eq!(refused(Some("other")).error_elsewhere(&["slug"]).as_deref(), Some("No."));
        assert_eq!(refused(None).error_elsewhere(&["slug"]).as_deref(), Some("No."));
    }
}
