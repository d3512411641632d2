//! The page that answers the form of a new secret. It is the only copy: nothing is kept for a later page, and nothing of it is in an address.

use leptos::prelude::*;

use orgtrail::identity::view::access_token::ShownSecret;

use super::error_page::lone;
use crate::context::Assets;

/// A whole HTML document with a token's secret; `nonce` is that of the response, `back` a path of ours.
#[must_use]
pub fn secret_page(assets: Assets, nonce: Option<&str>, shown: ShownSecret, back: &str) -> String {
    let ShownSecret { name, secret, .. } = shown;
    let script_nonce = nonce.map(str::to_owned);
    let content = view! {
        <div class="refused secret">
            <h1>"Copy the secret now"</h1>
            <p>"This is the secret of the access token " <b>{orgtrail::audit::visible::visible(&name)}</b> ". It is shown this once: nobody can look it up later."</p>
            <input class="search" id="secret" type="text" readonly value=secret aria-label="Secret" autocomplete="off" spellcheck="false" autofocus/>
            <p><button class="button button-primary" type="button" data-copy="secret" aria-live="polite" hidden>"Copy"</button></p>
            <p class="quiet">"Programs send it in a header: " <code>"Authorization: Bearer ot_…"</code> ". If it is lost, rotate the token."</p>
            <p><a class="button" href=back.to_owned()>"Back to the access tokens"</a></p>
        </div>
        <script src="/copy.js" defer nonce=script_nonce></script>
    };
    lone(assets, nonce, "Copy the secret now", content.into_any())
}

#[cfg(test)]
mod tests {
    use super::*;

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
