//! `/{org}`: what the organization is, and where to go in it.

use leptos::prelude::*;
use leptos_meta::Title;

use orgtrail::organization::view::OrganizationView;

use crate::context::current_organization;
use crate::ui::answered::answered;
use crate::ui::refused::Refused;

/// The first page of an organization.
#[component]
#[must_use]
pub fn OverviewPage() -> impl IntoView {
    let organization = current_organization().0;
    answered(move || async move {
        match organization.read().await {
            Ok(organization) => overview(organization).into_any(),
            Err(refusal) => view! { <Refused refusal=refusal/> }.into_any(),
        }
    })
}

fn overview(organization: OrganizationView) -> impl IntoView {
    let OrganizationView { slug, name, viewer_role, reads_audit_log, created, members, .. } = organization;
    let audit_logs = reads_audit_log.then(|| {
        way(
            format!("/{slug}/settings/audit-logs"),
            "Audit logs",
            "What members and access tokens did in the last 90 days.",
        )
    });
    view! {
        <Title text=name.clone()/>
        <header class="page-head"><div><h1>{name}</h1><p>"Since " {created} "."</p></div></header>
        <dl class="facts facts-boxed">
            <div><dt>"Members"</dt><dd>{members}</dd></div>
            <div><dt>"Your role"</dt><dd>{viewer_role}</dd></div>
            <div><dt>"Address"</dt><dd><code>"/"{slug.clone()}</code></dd></div>
        </dl>
        <ul class="ways">
            {audit_logs}
            {way(format!("/{slug}/settings/members"), "Members", "Who belongs to the organization, and what they may do.")}
            {way(format!("/{slug}/settings"), "General", "Its name and its address.")}
        </ul>
    }
}

fn way(href: String, label: &'static str, about: &'static str) -> impl IntoView {
    view! { <li><a class="way" href=href><strong>{label}</strong><span>{about}</span></a></li> }
}
