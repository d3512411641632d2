//! Above everything else on the page: that the log is not as it was recorded.

use leptos::prelude::*;

use orgtrail::audit::view::Damage;

/// Says that the log is damaged, since when that is known, and what was found.
#[component]
#[must_use]
pub fn DamageNotice(
    /// What is wrong; nothing is shown without it.
    damage: Option<Damage>,
) -> impl IntoView {
    damage.map(|Damage { found_at, problems }| {
        let problems = problems.into_iter().map(|problem| view! { <li>{problem}</li> }).collect_view();
        view! {
            <section class="notice notice-bad damage" aria-labelledby="damage">
                <h2 id="damage">"This log is damaged"</h2>
                <p>
                    "It is read again every day and compared with what was recorded. Since "
                    <time datetime=found_at.rfc3339>{found_at.utc} " UTC"</time>
                    " it is known that something is missing or altered, here and in downloads."
                </p>
                <p>"Ask whoever runs this server: its own log says more, and a backup may bring back what was recorded."</p>
                <details class="fold"><summary>"What was found"</summary><ul>{problems}</ul></details>
            </section>
        }
        .into_any()
    })
}
