//! The token that is open: what can be changed of it.

use leptos::prelude::*;

use orgtrail::identity::view::access_token::{GraphGrant, TokenDetail};

use super::Context;
use super::forms::{target, update};
use crate::ui::confirm::Confirm;

const ROTATE: &str = "/api/rotate_access_token";
const REVOKE: &str = "/api/revoke_access_token";
const ADOPT: &str = "/api/adopt_access_token";
const GRANT: &str = "/api/grant_access_token_graph";
const WITHDRAW: &str = "/api/withdraw_access_token_graph";

/// What may be done with a graph, the least first.
const PERMISSIONS: [&str; 3] = ["read", "publish", "admin"];

/// The forms below the row of a token, whose name is `shown` as.
pub(super) fn forms(token: &TokenDetail, shown: &str, context: &Context<'_>) -> AnyView {
    if !token.is_changeable {
        return view! { <p class="token-open quiet">"It was revoked. What it did stays in the audit logs."</p> }
            .into_any();
    }
    let slug = &context.organization.slug;
    view! {
        <div class="token-open">
            {update(slug, context.flash, token, context.scopes)}
            <section><h2>"Graphs"</h2>{graphs(slug, token)}</section>
            <section><h2>"Secret"</h2><div class="token-ends">{ends(slug, token, shown)}</div></section>
        </div>
    }
    .into_any()
}

/// What ends something at once, each asked for once.
fn ends(slug: &str, token: &TokenDetail, shown: &str) -> AnyView {
    let confirm = |action: &'static str, label: &'static str, question: String| {
        let form = view! {
            <form method="post" action=action>
                {target(slug, token)}
                <button class="button button-danger" type="submit">{format!("{label} {shown}")}</button>
            </form>
        };
        view! { <Confirm label=label spoken=format!("{label} {shown}…") question=question>{form}</Confirm> }.into_any()
    };
    let adopt = token.is_adoptable.then(|| {
        let question = format!(
            "Adopt {shown}? You answer for it from now on, and it works again with your rights and its present secret. Rotate it if \
             its former creator may know the secret."
        );
        confirm(ADOPT, "Adopt", question)
    });
    let rotate = token.is_live.then(|| {
        let question =
            format!("Rotate {shown}? It gets a new secret. Programs with the present one are refused at once.");
        confirm(ROTATE, "Rotate", question)
    });
    let question = format!("Revoke {shown}? It ends at once and for good. What it did stays in the audit logs.");
    view! { {adopt} {rotate} {confirm(REVOKE, "Revoke", question)} }.into_any()
}

fn graphs(slug: &str, token: &TokenDetail) -> AnyView {
    if token.graphs.is_empty() && token.other_graphs.is_empty() {
        return view! { <p class="quiet">"There are no graphs in this organization yet. What a token may do with each is chosen here."</p> }
            .into_any();
    }
    let rows = token.graphs.iter().map(|grant| granted(slug, token, grant)).collect_view();
    let more = (!token.other_graphs.is_empty()).then(|| grant_form(slug, token));
    view! { <ul class="list">{rows}</ul> {more} }.into_any()
}

/// A permission, to be changed or taken away.
fn granted(slug: &str, token: &TokenDetail, grant: &GraphGrant) -> AnyView {
    let GraphGrant { graph, name, permission } = grant.clone();
    let (save, take) = (format!("Save the permission for {name}"), format!("Take the permission for {name} away"));
    view! {
        <li class="member">
            <span class="member-who"><span class="member-name">{name.clone()}</span><small><code>{graph.clone()}</code></small></span>
            <form method="post" action=GRANT class="inline-form">
                {target(slug, token)}
                <input type="hidden" name="graph" value=graph.clone()/>
                {choice(&permission, format!("Permission for {name}"))}
                <button class="button" type="submit" aria-label=save>"Save"</button>
            </form>
            <form method="post" action=WITHDRAW>
                {target(slug, token)}
                <input type="hidden" name="graph" value=graph/>
                <button class="button button-quiet button-danger" type="submit" aria-label=take>"Take away"</button>
            </form>
        </li>
    }
    .into_any()
}

fn grant_form(slug: &str, token: &TokenDetail) -> AnyView {
    let options = token
        .other_graphs
        .iter()
        .map(|(slug, name)| view! { <option value=slug.clone()>{format!("{name} ({slug})")}</option> }.into_any());
    view! {
        <form method="post" action=GRANT class="inline-form">
            {target(slug, token)}
            <select name="graph" aria-label="Graph">{options.collect_view()}</select>
            {choice("read", "Permission".to_owned())}
            <button class="button" type="submit">"Grant"</button>
        </form>
    }
    .into_any()
}

fn choice(present: &str, label: String) -> AnyView {
    let options = PERMISSIONS.map(|permission| {
        view! { <option value=permission selected={permission == present}>{permission}</option> }.into_any()
    });
    view! { <select name="permission" aria-label=label>{options.collect_view()}</select> }.into_any()
}
