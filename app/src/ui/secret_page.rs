//! The page that answers the form of a new secret. It is the only copy: nothing is kept for a later page, and nothing of it is in an address.

use leptos::prelude::*;

use orgtrail::audit::visible::visible;
use orgtrail::identity::view::access_token::ShownSecret;
use orgtrail::organization::view::invite::InviteSent;

use super::error_page::lone;
use crate::context::Assets;

/// A whole HTML document with a token's secret; `nonce` is that of the response, `back` a path of ours.
#[must_use]
pub fn secret_page(assets: Assets, nonce: Option<&str>, shown: ShownSecret, back: &str) -> String {
    let ShownSecret { name, secret, .. } = shown;
    let content = view! {
        <h1>"Copy the secret now"</h1>
        <p>"This is the secret of the access token " <b>{visible(&name)}</b> ". It is shown this once: nobody can look it up later."</p>
        {copied(secret, "Secret")}
        <p class="quiet">"Programs send it in a header: " <code>"Authorization: Bearer ot_…"</code> ". If it is lost, rotate the token."</p>
        <p><a class="button" href=back.to_owned()>"Back to the access tokens"</a></p>
    };
    page(assets, nonce, "Copy the secret now", content.into_any())
}

/// A whole HTML document with the link of an invite that was sent.
#[must_use]
pub fn invite_page(assets: Assets, nonce: Option<&str>, sent: InviteSent, back: &str) -> String {
    let InviteSent { email, link, .. } = sent;
    let content = view! {
        <h1>"The invite was sent"</h1>
        <p>"A mail with this link is on its way to " <b>{visible(&email)}</b> ". You can also hand it over yourself. It is shown this once."</p>
        {copied(link, "Link")}
        <p class="quiet">"It works for this address alone, once, for seven days. If it is lost, send the invite again: then only the new link works."</p>
        <p><a class="button" href=back.to_owned()>"Back to the invites"</a></p>
    };
    page(assets, nonce, "The invite was sent", content.into_any())
}

/// A text that can be selected, with a button that copies it.
fn copied(text: String, label: &'static str) -> AnyView {
    view! {
        <input class="search" id="secret" type="text" readonly value=text aria-label=label autocomplete="off" spellcheck="false" autofocus/>
        <p><button class="button button-primary" type="button" data-copy="secret" aria-live="polite" hidden>"Copy"</button></p>
    }
    .into_any()
}

fn page(assets: Assets, nonce: Option<&str>, heading: &str, content: AnyView) -> String {
    let script_nonce = nonce.map(str::to_owned);
    let content = view! {
        <div class="refused secret">{content}</div>
        <script src="/copy.js" defer nonce=script_nonce></script>
    };
    lone(assets, nonce, heading, content.into_any())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_the_link_once() {
        let sent = InviteSent {
            id: "1".into(),
            email: "\"<b>@a.example".into(),
            link: "https://a.example/invites/canary".into(),
        };
        let page = invite_page(Assets::default(), Some("abc"), sent, "/acme/settings/invites");
        assert_eq!(page.matches("canary").count(), 1, "{page}");
        assert!(page.contains("&lt;b&gt;@a.example") && page.contains("href=\"/acme/settings/invites\""), "{page}");
    }

    #[test]
    fn shows_the_secret_once_and_escapes_the_name() {
        let shown = ShownSecret { id: "1".into(), name: "<b>\u{202e}".into(), secret: "ot_canary".into() };
        let page = secret_page(Assets::default(), Some("abc"), shown, "/acme");
        assert_eq!(page.matches("ot_canary").count(), 1, "{page}");
        for part in ["&lt;b&gt;⟨U+202E⟩", "<script src=\"/copy.js\" defer", "nonce=\"abc\"", "href=\"/acme\""] {
            assert!(page.contains(part), "{part} is not in {page}");
        }
    }
}
