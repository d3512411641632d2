//! No secret reaches the trail (R-48): real use cases are given canaries, and every column of the events is searched for them.

use orgtrail::audit::append::Draft;
use orgtrail::audit::event::Kind;
use orgtrail::identity::access_token::{self, Scope, Wanted};
use orgtrail::identity::attempt::copy_pending;
use orgtrail::identity::sign_in::{create_user, sign_in, sign_up};
use orgtrail::identity::viewer::{self, Viewer};
use orgtrail::organization::{members, settings};
use sqlx::PgPool;

use crate::fixture::{Fixture, Tenant, claimed, origin};

const CANARY: &str = "canary password of nobody";

/// Every event as one text, all columns of it.
async fn everything(fixture: &Fixture) -> String {
    let events: Vec<String> =
        sqlx::query_scalar("select e::text from orgtrail.events e").fetch_all(&fixture.superuser).await.unwrap();
    events.join("\n")
}

/// Signs in and up, makes and rotates tokens and uses them: all secrets that anybody typed or was shown.
async fn use_secrets(fixture: &Fixture, tenant: &Tenant) -> Vec<String> {
    let (platform, owner, nobody) = (&fixture.platform, &tenant.owner, Viewer::anonymous(origin()));
    let ada = create_user(platform, &Viewer::operator(), "Ada", "ada@acme.example", Some(CANARY)).await.unwrap();
    members::add(platform, &Viewer::operator(), "acme", &ada.email, orgtrail::identity::role::Role::Admin)
        .await
        .unwrap();
    sign_in(platform, &nobody, "ada@acme.example", CANARY).await.unwrap();
    sign_in(platform, &nobody, "ada@acme.example", "another canary password").await.unwrap_err();
    sign_up(platform, &nobody, "Grace", "grace@acme.example", "canary of somebody else").await.unwrap();
    let token = access_token::create(platform, owner, "acme", None, Wanted::new("SIEM", &Scope::ALL)).await.unwrap();
    let rotated = access_token::rotate(platform, owner, "acme", token.id).await.unwrap();
    let program = viewer::from_token(platform, origin(), rotated.secret.expose()).await.unwrap();
    settings::update(platform, &program, "acme", "Acme", "acme", None).await.unwrap();
    while copy_pending(platform).await.unwrap() > 0 {}
    let hashes = [token.secret.sha256(), rotated.secret.sha256()]
        .map(|hash| hash.iter().map(|byte| format!("{byte:02x}")).collect());
    let shown = [token.secret.expose(), rotated.secret.expose()].map(str::to_owned);
    let typed = [CANARY, "another canary password", "canary of somebody else"].map(str::to_owned);
    hashes.into_iter().chain(shown).chain(typed).collect()
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn nothing_that_was_typed_or_shown_as_a_secret_is_in_the_trail(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let tenant = fixture.organization("acme").await;
    let secrets = use_secrets(&fixture, &tenant).await;
    let events = everything(&fixture).await;
    for action in ["login.attempted", "access_token.created", "access_token.updated", "organization.updated"] {
        assert!(events.contains(action), "{action} is missing");
    }
    for secret in secrets {
        assert!(!events.contains(&secret), "{secret}");
    }
    assert!(!events.contains("canary"), "{events}");
}

/// The words of the search are made from what is stored, and so are the lengths of the export.
#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn what_other_products_send_is_redacted_and_the_rest_kept(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let tenant = fixture.organization("acme").await;
    let token = access_token::create(&fixture.platform, &tenant.owner, "acme", None, Wanted::new("SIEM", &Scope::ALL))
        .await
        .unwrap();
    let mut draft = claimed("app.changed", fixture.platform.clock.now());
    draft.previous = Some(r#"{ "password" :"canaryone", "access_token_id":"kept",  "n":1.50 }"#.to_owned());
    draft.next = Some(format!(
        r#"{{"note":"curl -H 'x-api-key: {}'","api_key":{{"deep":["canarytwo"]}}}}"#,
        token.secret.expose()
    ));
    let plain = Draft {
        next: Some(r#"{ "kept" : 1e2, "caf\u00e9":[] }"#.to_owned()),
        ..Draft::named(Kind::Change, "app.seen", "app")
    };
    let plain = Draft { actor: draft.actor.clone(), ..plain };
    fixture.record(&tenant, &[draft, plain.clone()]).await;
    let events = everything(&fixture).await;
    for secret in ["canaryone", "canarytwo", token.secret.expose(), &token.secret.expose().to_lowercase()] {
        assert!(!events.contains(secret), "{secret} is in {events}");
    }
    let stored = fixture.trail(tenant.id).await;
    let previous = stored[stored.len() - 2].previous.as_deref().unwrap();
    assert!(previous.starts_with(r#"{ "password" :{"redacted":true,"hmac":""#), "{previous}");
    assert!(previous.ends_with(r#"}, "access_token_id":"kept",  "n":1.50 }"#), "{previous}");
    assert_eq!(stored[stored.len() - 1].next, plain.next);
}

/// A name is a name: what a token is called may sound like a secret.
#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn states_of_ours_keep_all_their_fields(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let tenant = fixture.organization("acme").await;
    let (platform, owner) = (&fixture.platform, &tenant.owner);
    let token = access_token::create(platform, owner, "acme", None, Wanted::new("password token", &[Scope::AuditRead]))
        .await
        .unwrap();
    let wanted = Wanted::new("secret token", &[Scope::AuditRead]);
    access_token::update(platform, owner, "acme", token.id.into(), wanted).await.unwrap();
    fixture.graph(&tenant, "inventory").await;
    access_token::graphs::grant(platform, owner, "acme", token.id.into(), "inventory", "read").await.unwrap();
    for event in fixture.trail(tenant.id).await {
        let states = [event.previous, event.next].into_iter().flatten();
        assert!(states.into_iter().all(|state| !state.contains("redacted")), "{}", event.action);
    }
}
