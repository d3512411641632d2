//! The form that adds records to a model, from a file or pasted.

use leptos::prelude::*;

use orgtrail::identity::view::Flash;
use orgtrail::model::view::ModelView;

use crate::graph::publish::faults;
use crate::ui::field::{FormState, Lines, area};
use crate::ui::row::hidden;

/// The form's server function.
pub(super) const ADD: &str = "/api/add_records";

/// What the form takes.
const HINT: &str = "A JSON object in each line (NDJSON), at most 10,000 lines and 8 MiB. A field time (RFC 3339) says when; without it, a \
    record has the time at which it arrives.";

/// Sends the file as browsers do, with JavaScript or without.
pub(super) fn adder(model: &ModelView, slug: &str, flash: &Flash) -> AnyView {
    let form = FormState::new(ADD, flash.clone());
    let again = form.error(Some("records")).map(|_| {
        view! { <p class="notice notice-bad">"Choose the file again: browsers do not keep it."</p> }
    });
    let lines = Lines { shown: 6, max_length: 1_000_000, required: false };
    view! {
        <section aria-labelledby="add-heading">
            <h2 id="add-heading">"Add records"</h2>
            {faults(form.faults())}
            {again}
            <form method="post" action=ADD enctype="multipart/form-data" class="form">
                {hidden(&[("organization", slug), ("model", &model.name), ("once", &model.once)])}
                <div class="field">
                    <label for="file">"File"</label>
                    <input id="file" name="file" type="file" accept=".ndjson,.jsonl,application/x-ndjson" aria-describedby="file-hint"/>
                    <p class="hint" id="file-hint">{HINT}</p>
                </div>
                {area(&form, "records", "Or paste records", "", "", lines)}
                <button class="button button-primary" type="submit">"Add records"</button>
            </form>
        </section>
    }
    .into_any()
}
