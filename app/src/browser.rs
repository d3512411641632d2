//! The browser: the few things that pages ask of the DOM, `Intl` and the clipboard. Called from effects and event
//! handlers only, which never run on the server.

use js_sys::{Array, Function, Intl, JsString, Object, Reflect};
use leptos::leptos_dom::helpers::{document, window};
use leptos::web_sys;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, FormData, HtmlDialogElement, HtmlElement, HtmlFormElement, HtmlInputElement, UrlSearchParams};

/// The browser's own time zone (IANA name), if it tells.
#[must_use]
pub fn time_zone() -> Option<String> {
    let options = Intl::DateTimeFormat::new(&Array::new(), &Object::new()).resolved_options();
    Reflect::get(&options, &"timeZone".into()).ok()?.as_string()
}

/// A moment (RFC 3339) in the browser's own zone, in the form of [`orgtrail::audit::view::Moment::utc`].
#[must_use]
pub fn local_time(rfc3339: &str) -> String {
    let options = Object::new();
    let form = [
        ("year", "numeric"),
        ("month", "short"),
        ("day", "numeric"),
        ("hour", "2-digit"),
        ("minute", "2-digit"),
        ("second", "2-digit"),
    ];
    for (name, value) in form {
        let _ = Reflect::set(&options, &name.into(), &value.into());
    }
    let moment = js_sys::Date::new(&JsValue::from_str(rfc3339));
    String::from(moment.to_locale_string("en-GB", &options)).replace(',', "")
}

/// Whether a text contains another, whatever their cases. The browser knows the cases of all letters; Rust's own tables of them
/// would come with the WebAssembly.
#[must_use]
pub fn contains(text: &str, part: &str) -> bool {
    let lower = |text: &str| JsString::from(text).to_lower_case();
    lower(text).includes(&String::from(lower(part)), 0)
}

/// The fields of a form as a query string, in its own order.
#[must_use]
pub fn form_query(event: &web_sys::SubmitEvent) -> Option<String> {
    let form: HtmlFormElement = event.target()?.dyn_into().ok()?;
    let fields = FormData::new_with_form(&form).ok()?;
    let pairs = UrlSearchParams::new_with_str_sequence_sequence(&fields).ok()?;
    Some(pairs.to_string().into())
}

/// Marks the document as taken over, for the few styles that wait for it.
pub fn mark_hydrated() {
    if let Some(root) = document().document_element() {
        let _ = root.set_attribute("data-hydrated", "");
    }
}

/// Closes the open menus (`details.menu`) that do not contain `inside`.
pub fn close_menus(inside: Option<&web_sys::Node>) {
    for menu in all("details.menu[open]") {
        if !inside.is_some_and(|node| menu.contains(Some(node))) {
            let _ = menu.remove_attribute("open");
        }
    }
}

/// Closes the open menu, and gives the focus back to its button if it was inside; says whether there was one.
pub fn leave_menu() -> bool {
    let Some(menu) = document().query_selector("details.menu[open]").ok().flatten() else { return false };
    let is_inside = document().active_element().is_some_and(|focused| menu.contains(Some(&focused)));
    let _ = menu.remove_attribute("open");
    if is_inside {
        focus_first(&menu, "summary");
    }
    true
}

/// Closes the navigation of narrow screens, if it is open.
pub fn close_navigation() {
    if let Some(navigation) = document().query_selector("#navigation:popover-open").ok().flatten() {
        call(&navigation, "hidePopover");
    }
}

/// Puts the focus on the first element that matches.
pub fn focus(selector: &str) {
    if let Some(element) = document().query_selector(selector).ok().flatten() {
        focus_element(&element);
    }
}

/// Moves the focus `step` elements on among those that match, starting at the first.
pub fn focus_neighbour(selector: &str, step: i32) {
    let elements = all(selector);
    let focused = document().active_element();
    let at = elements.iter().position(|element| Some(element) == focused.as_ref());
    let next = match at {
        Some(at) => at.saturating_add_signed(step.try_into().unwrap_or(0)).min(elements.len().saturating_sub(1)),
        None => 0,
    };
    if let Some(element) = elements.get(next) {
        focus_element(element);
        element.scroll_into_view_with_bool(false);
    }
}

/// Whether the focus is where letters are typed, or in a dialog.
#[must_use]
pub fn is_typing() -> bool {
    let focused = document().active_element();
    focused.is_some_and(|element| {
        element.closest("input, select, textarea, [role=dialog], dialog").ok().flatten().is_some()
    })
}

/// Opens the `<dialog>` of that id.
pub fn show_dialog(id: &str) {
    let dialog = document().get_element_by_id(id).and_then(|element| element.dyn_into::<HtmlDialogElement>().ok());
    if let Some(dialog) = dialog.filter(|dialog| !dialog.open()) {
        let _ = dialog.show_modal();
    }
}

/// Puts a text on the clipboard; an own path becomes a whole address.
pub fn copy_link(path: &str) {
    let origin = window().location().origin().unwrap_or_default();
    let _ = window().navigator().clipboard().write_text(&format!("{origin}{path}"));
}

/// An attribute of the element on which an event happened.
#[must_use]
pub fn attribute(event: &web_sys::Event, name: &str) -> Option<String> {
    event.target()?.dyn_into::<Element>().ok()?.get_attribute(name)
}

/// What is typed in the input of an event.
#[must_use]
pub fn typed(event: &web_sys::Event) -> String {
    let input = event.target().and_then(|target| target.dyn_into::<HtmlInputElement>().ok());
    input.map(|input| input.value()).unwrap_or_default()
}

fn all(selector: &str) -> Vec<Element> {
    let Ok(found) = document().query_selector_all(selector) else { return Vec::new() };
    (0..found.length()).filter_map(|index| found.get(index)?.dyn_into().ok()).collect()
}

fn focus_first(inside: &Element, selector: &str) {
    if let Some(element) = inside.query_selector(selector).ok().flatten() {
        focus_element(&element);
    }
}

fn focus_element(element: &Element) {
    if let Some(element) = element.dyn_ref::<HtmlElement>() {
        let _ = element.focus();
    }
}

fn call(element: &Element, method: &str) {
    let method = Reflect::get(element, &method.into()).ok().and_then(|method| method.dyn_into::<Function>().ok());
    if let Some(method) = method {
        let _ = method.call0(element);
    }
}
