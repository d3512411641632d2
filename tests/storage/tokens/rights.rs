//! Who may do what with access tokens, and what a token may never do.

use chrono::TimeDelta;
use orgtrail::identity::access::{Operation, authorize};
use orgtrail::identity::access_token::expiry::Expiry;
use orgtrail::identity::access_token::{self, Scope, Wanted, graphs, list};
use orgtrail::identity::role::Role;
use orgtrail::identity::viewer::{self, Viewer};
use orgtrail::organization::members;
use serde_json::json;
use sqlx::PgPool;
use uuid::Uuid;

use super::{acme, make, newest, status, wanted};
use crate::fixture::{Fixture, Tenant, id_of, origin};

/// Every use case, asked of one token of the owner's without rights over the organization; the answers' statuses.
async fn try_all(fixture: &Fixture, tenant: &Tenant, viewer: &Viewer) -> Vec<(&'static str, u16)> {
    let platform = &fixture.platform;
    let orphan = orphan(fixture, tenant).await;
    let id = make(fixture, &tenant.owner, &[Scope::AuditRead]).await.id;
    let granted = make(fixture, &tenant.owner, &[Scope::AuditRead]).await.id;
    graphs::grant(platform, &tenant.owner, "acme", granted.into(), "inventory", "read").await.unwrap();
    vec![
        ("list", status(list::page(platform, viewer, "acme", "").await)),
        (
            "create",
            status(
                access_token::create(platform, viewer, "acme", None, Wanted::new("robot", &[Scope::AuditRead])).await,
            ),
        ),
        ("update", status(access_token::update(platform, viewer, "acme", id.into(), wanted("new")).await)),
        ("grant", status(graphs::grant(platform, viewer, "acme", id.into(), "inventory", "read").await)),
        ("withdraw", status(graphs::withdraw(platform, viewer, "acme", granted.into(), "inventory").await)),
        ("rotate", status(access_token::rotate(platform, viewer, "acme", id).await)),
        ("revoke", status(access_token::revoke(platform, viewer, "acme", id).await)),
        ("adopt", status(access_token::adopt(platform, viewer, "acme", orphan.into()).await)),
    ]
}

/// A token whose creator is gone.
async fn orphan(fixture: &Fixture, tenant: &Tenant) -> Uuid {
    let gone = fixture.member(tenant, &format!("gone-{}", fixture.trail(tenant.id).await.len()), Role::Admin).await;
    let id = make(fixture, &gone, &[Scope::AuditRead]).await.id;
    members::remove(&fixture.platform, &tenant.owner, "acme", &id_of(&gone)).await.unwrap();
    id
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn who_may_do_what_with_tokens(superuser: PgPool) {
    let (fixture, tenant) = acme(superuser).await;
    let admin = fixture.member(&tenant, "admin", Role::Admin).await;
    let member = fixture.member(&tenant, "member", Role::Member).await;
    let former = fixture.member(&tenant, "former", Role::Owner).await;
    members::remove(&fixture.platform, &tenant.owner, "acme", &id_of(&former)).await.unwrap();
    let stranger = fixture.organization("other").await.owner;
    let token = fixture.token(&tenant, &tenant.owner, &Scope::ALL).await;
    let everybody = [
        ("owner", tenant.owner.clone()),
        ("admin", admin),
        ("member", member),
        ("former owner", former),
        ("owner of another", stranger),
        ("token of all scopes", token),
        ("operator", Viewer::operator()),
        ("anonymous", Viewer::anonymous(origin())),
    ];
    let mut table = String::new();
    for (name, viewer) in everybody {
        let answers = try_all(&fixture, &tenant, &viewer).await;
        let cells: Vec<_> = answers.iter().map(|(use_case, status)| format!("{use_case} {status}")).collect();
        table += &format!("{name}: {}\n", cells.join(", "));
    }
    insta::assert_snapshot!(table, @r"
    owner: list 200, create 200, update 200, grant 200, withdraw 200, rotate 200, revoke 200, adopt 200
    admin: list 200, create 200, update 200, grant 200, withdraw 200, rotate 200, revoke 200, adopt 403
    member: list 403, create 403, update 403, grant 403, withdraw 403, rotate 403, revoke 403, adopt 403
    former owner: list 404, create 404, update 404, grant 404, withdraw 404, rotate 404, revoke 404, adopt 404
    owner of another: list 404, create 404, update 404, grant 404, withdraw 404, rotate 404, revoke 404, adopt 404
    token of all scopes: list 403, create 403, update 403, grant 403, withdraw 403, rotate 403, revoke 403, adopt 403
    operator: list 200, create 200, update 200, grant 200, withdraw 200, rotate 200, revoke 200, adopt 403
    anonymous: list 401, create 401, update 401, grant 401, withdraw 401, rotate 401, revoke 401, adopt 401
    ");
}

/// Whoever rotates a token knows its secret: an admin with an owner's token would be an owner.
#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn an_admin_gets_no_owners_rights_by_a_token(superuser: PgPool) {
    let (fixture, tenant) = acme(superuser).await;
    let (platform, admin) = (&fixture.platform, fixture.member(&tenant, "admin", Role::Admin).await);
    let (reads, changes) = ([Scope::AuditRead], [Scope::OrganizationWrite]);
    for creator in [&tenant.owner, &Viewer::operator()] {
        let mighty = make(&fixture, creator, &changes).await.id;
        assert_eq!(status(access_token::rotate(platform, &admin, "acme", mighty).await), 403);
        assert_eq!(status(graphs::grant(platform, &admin, "acme", mighty.into(), "inventory", "read").await), 403);
        let renamed = Wanted::new("renamed", &changes);
        assert_eq!(
            status(access_token::update(platform, &admin, "acme", mighty.into(), renamed).await),
            200,
            "a name is no right"
        );
        let longer = Wanted { expiry: Expiry::At(platform.clock.now() + TimeDelta::days(1)), ..renamed };
        assert_eq!(status(access_token::update(platform, &admin, "acme", mighty.into(), longer).await), 403);
        let weak = make(&fixture, creator, &reads).await.id;
        let raised = Wanted::new("robot", &changes);
        assert_eq!(status(access_token::update(platform, &admin, "acme", weak.into(), raised).await), 403);
        assert_eq!(status(access_token::rotate(platform, &admin, "acme", weak).await), 200);
        assert_eq!(
            status(access_token::revoke(platform, &admin, "acme", mighty).await),
            200,
            "less power is always in order"
        );
    }
    let own = make(&fixture, &admin, &changes).await.id;
    assert_eq!(status(access_token::rotate(platform, &admin, "acme", own).await), 200);
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn an_owner_adopts_what_is_orphaned_and_nothing_else(superuser: PgPool) {
    let (fixture, tenant) = acme(superuser).await;
    let (platform, owner) = (&fixture.platform, &tenant.owner);
    let gone = fixture.member(&tenant, "gone", Role::Admin).await;
    let token = make(&fixture, &gone, &[Scope::AuditRead]).await;
    assert_eq!(status(access_token::adopt(platform, owner, "acme", token.id.into()).await), 409, "its creator is here");
    members::remove(platform, owner, "acme", &id_of(&gone)).await.unwrap();
    let program = viewer::from_token(platform, origin(), token.secret.expose()).await.unwrap();
    assert_eq!(status(authorize(platform, &program, "acme", Operation::ReadAuditLog).await), 403);
    let shown = list::page(platform, owner, "acme", &token.id.to_string()).await.unwrap();
    assert!(shown.tokens[0].state == "orphaned" && shown.open.unwrap().is_adoptable);
    access_token::adopt(platform, owner, "acme", token.id.into()).await.unwrap();
    let (action, previous, next) = newest(&fixture, &tenant).await;
    assert_eq!(
        (action.as_str(), &previous["created_by"], &next["created_by"]),
        ("access_token.updated", &json!(id_of(&gone)), &json!(id_of(owner)))
    );
    assert_eq!(
        status(authorize(platform, &program, "acme", Operation::ReadAuditLog).await),
        200,
        "with the same secret"
    );
    assert_eq!(status(access_token::adopt(platform, owner, "acme", token.id.into()).await), 409);
    let by_operator = make(&fixture, &Viewer::operator(), &[Scope::AuditRead]).await.id;
    assert_eq!(status(access_token::adopt(platform, owner, "acme", by_operator.into()).await), 409);
}
