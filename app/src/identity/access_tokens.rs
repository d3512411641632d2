//! Settings → Access tokens: the list, and a form to make one. The token that the URL names (`open`) can be changed in its row.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use orgtrail::identity::view::Flash;
use orgtrail::identity::view::access_token::{AccessTokensPage as Tokens, TokenDetail, TokenRow};
use orgtrail::organization::view::OrganizationView;

use super::token_server_fns::access_tokens_page;
use crate::answer::Answer;
use crate::audit::history::history_links;
use crate::context::{current_flash, current_organization};
use crate::routes::use_slug;
use crate::ui::answered::answered;
use crate::ui::avatar::{Avatar, initials};
use crate::ui::notice::{Done, Problem};
use crate::ui::refused::Refused;

mod forms;
mod open;

/// So many are shown of those that ended; there may be more.
const ENDED_SHOWN: usize = 50;

/// The access tokens of the organization, for owners and admins.
#[component]
#[must_use]
pub fn AccessTokensPage() -> impl IntoView {
    let slug = use_slug();
    let query = use_query_map();
    let open = Memo::new(move |_| query.with(|all| all.get("open")).unwrap_or_default());
    let tokens = Answer::to(
        move || format!("{}?{}", slug.read(), open.read()),
        move || access_tokens_page(slug.get_untracked(), open.get_untracked()),
    );
    let (organization, flash) = (current_organization().0, current_flash());
    answered(move || async move {
        let flash = flash.read().await;
        match (tokens.read().await, organization.read().await) {
            (Ok(page), Ok(organization)) => list(page, &organization, flash),
            (Err(refusal), _) | (_, Err(refusal)) => view! { <Refused refusal=refusal/> }.into_any(),
        }
    })
}

fn list(page: Tokens, organization: &OrganizationView, flash: Flash) -> AnyView {
    let Tokens { tokens, scopes, open, today, form_id } = page;
    let title = format!("Access tokens · {}", organization.name);
    let elsewhere = (flash.form != forms::CREATE && flash.form != forms::UPDATE || flash.field.is_none())
        .then(|| flash.error.clone())
        .flatten();
    let form = match &open {
        None => Some(forms::create(&organization.slug, &flash, &scopes, (&today, &form_id))),
        Some(_) => None,
    };
    let none = tokens.is_empty().then(nothing);
    let notice =
        flash.notice.clone().filter(|_| flash.form.ends_with("_access_token") || flash.form.ends_with("_graph"));
    let context = Context { organization, flash: &flash, scopes: &scopes, open: open.as_ref() };
    let (live, ended): (Vec<_>, Vec<_>) =
        tokens.into_iter().partition(|token| matches!(token.state.as_str(), "active" | "orphaned"));
    view! {
        <Title text=title/>
        <header class="page-head">
            <div>
                <h1>"Access tokens"</h1>
                <p>"Programs use them instead of a password. Each is an actor of its own in the audit logs."</p>
            </div>
        </header>
        <Done message=notice/>
        <Problem message=elsewhere/>
        {none}
        {rows(live, &context)}
        {ended_ones(ended, &context)}
        {form}
    }
    .into_any()
}

/// What every row needs.
struct Context<'a> {
    organization: &'a OrganizationView,
    flash: &'a Flash,
    scopes: &'a [orgtrail::identity::view::access_token::ScopeChoice],
    open: Option<&'a TokenDetail>,
}

fn nothing() -> AnyView {
    view! {
        <div class="empty">
            <p>"No program has access yet."</p>
            <p class="quiet">"Make a token for each program: then each can be told from the others, and revoked alone."</p>
        </div>
    }
    .into_any()
}

fn rows(tokens: Vec<TokenRow>, context: &Context<'_>) -> AnyView {
    let rows = tokens.into_iter().map(|token| row(token, context)).collect_view();
    view! { <ul class="list tokens">{rows}</ul> }.into_any()
}

/// Those that are good for nothing any more, folded away unless one of them is open.
fn ended_ones(tokens: Vec<TokenRow>, context: &Context<'_>) -> Option<AnyView> {
    let is_open = tokens.iter().any(|token| context.open.is_some_and(|open| open.id == token.id));
    let number = tokens.len();
    let label = if number < ENDED_SHOWN {
        format!("{number} expired or revoked")
    } else {
        "Expired or revoked lately".to_owned()
    };
    (number > 0).then(|| {
        view! {
            <details class="fold ended" open=is_open>
                <summary>{label}</summary>
                {rows(tokens, context)}
            </details>
        }
        .into_any()
    })
}

fn row(token: TokenRow, context: &Context<'_>) -> AnyView {
    let slug = &context.organization.slug;
    let detail = context.open.filter(|open| open.id == token.id);
    let (page, id) = (format!("/{slug}/settings/access-tokens"), format!("token-{}", token.id));
    let href = if detail.is_some() { page } else { format!("{page}?open={}", token.id) };
    let history = context.organization.reads_audit_log.then(|| {
        history_links(
            slug,
            Some(format!("token:{}", token.id)),
            format!("access_token:{}", token.id),
            "it",
            &token.name,
        )
    });
    let opened = detail.map(|detail| open::forms(detail, &token.name, context));
    let expanded = detail.is_some().to_string();
    view! {
        <li class="member" id=id>
            <Avatar initials=initials(&token.name) is_token=true/>
            <div class="member-who">
                <span class="member-name">
                    <a href=href data-noscroll="true" aria-expanded=expanded>{token.name.clone()}</a> {badge(&token.state)}
                </span>
                <small>{token.scopes.join(", ")}</small>
                <small>{facts(token)}</small>
            </div>
            {history}
            {opened}
        </li>
    }
    .into_any()
}

fn badge(state: &str) -> Option<AnyView> {
    let (class, title) = match state {
        "active" => return None,
        "orphaned" => ("badge badge-warn", "Its creator is gone: it does nothing until an owner adopts it."),
        _ => ("badge badge-bad", "It is good for nothing any more."),
    };
    Some(view! { <span class=class title=title>{state.to_owned()}</span> }.into_any())
}

/// Who made it, how long it is good, when it was last used.
fn facts(token: TokenRow) -> String {
    let TokenRow { creator, created, expires, rotated, last_used, last_used_ip, .. } = token;
    let end = expires.map_or_else(|| "does not expire".to_owned(), |day| format!("last day {day}"));
    let rotated = rotated.map(|day| format!("rotated {day}"));
    let from = last_used_ip.map(|ip| format!(" from {ip}")).unwrap_or_default();
    let used = last_used.map_or_else(|| "never used".to_owned(), |at| format!("last used {}{from}", at.relative));
    let parts = [Some(format!("by {creator}")), Some(format!("made {created}")), rotated, Some(end), Some(used)];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}
