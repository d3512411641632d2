//! Who may do what: the table of contract §9, asked of the real authorization with every viewer there is.

use chrono::TimeDelta;
use orgtrail::identity::access::{Operation, authorize};
use orgtrail::identity::access_token::expiry::Expiry;
use orgtrail::identity::access_token::{self, Scope, Wanted};
use orgtrail::identity::role::Role;
use orgtrail::identity::viewer::{self, Viewer};
use orgtrail::organization::members;
use sqlx::PgPool;

use crate::fixture::{Fixture, Tenant, id_of, origin, run};

/// Everybody, named.
async fn viewers(fixture: &Fixture, acme: &Tenant) -> Vec<(String, Viewer)> {
    let admin = fixture.member(acme, "admin", Role::Admin).await;
    let mut viewers = vec![
        ("owner".to_owned(), acme.owner.clone()),
        ("admin".to_owned(), admin.clone()),
        ("member".to_owned(), fixture.member(acme, "member", Role::Member).await),
        ("former owner".to_owned(), former(fixture, acme).await),
        ("owner of another".to_owned(), fixture.organization("other").await.owner),
        ("operator".to_owned(), Viewer::operator()),
        ("anonymous".to_owned(), Viewer::anonymous(origin())),
    ];
    for scope in Scope::ALL {
        viewers.push((scope.as_str().to_owned(), fixture.token(acme, &acme.owner, &[scope]).await));
    }
    viewers.push(("all scopes, by admin".to_owned(), fixture.token(acme, &admin, &Scope::ALL).await));
    viewers.push(("all scopes, by operator".to_owned(), fixture.token(acme, &Viewer::operator(), &Scope::ALL).await));
    viewers.extend(failing_tokens(fixture, acme).await);
    viewers.extend(disabled(fixture, acme).await);
    viewers
}

async fn former(fixture: &Fixture, acme: &Tenant) -> Viewer {
    let former = fixture.member(acme, "former", Role::Owner).await;
    members::remove(&fixture.platform, &acme.owner, "acme", &id_of(&former)).await.unwrap();
    former
}

/// An owner whose account is disabled, and what they leave behind.
async fn disabled(fixture: &Fixture, acme: &Tenant) -> [(String, Viewer); 2] {
    let owner = fixture.member(acme, "disabled", Role::Owner).await;
    let token = fixture.token(acme, &owner, &Scope::ALL).await;
    run(format!("update orgtrail.users set disabled_at = now() where id = '{}'", id_of(&owner)), &fixture.superuser)
        .await
        .unwrap();
    [("disabled owner".to_owned(), owner), ("all scopes, by a disabled owner".to_owned(), token)]
}

/// Tokens with every scope that lost their power after they were recognized.
async fn failing_tokens(fixture: &Fixture, acme: &Tenant) -> Vec<(String, Viewer)> {
    let platform = &fixture.platform;
    let (lowered, gone) =
        (fixture.member(acme, "lowered", Role::Admin).await, fixture.member(acme, "gone", Role::Admin).await);
    let by_lowered = fixture.token(acme, &lowered, &Scope::ALL).await;
    let orphaned = fixture.token(acme, &gone, &Scope::ALL).await;
    members::change_role(platform, &acme.owner, "acme", &id_of(&lowered), "member", None).await.unwrap();
    members::remove(platform, &acme.owner, "acme", &id_of(&gone)).await.unwrap();
    let revoked =
        access_token::create(platform, &acme.owner, "acme", None, Wanted::new("revoked", &Scope::ALL)).await.unwrap();
    let revoked_viewer = viewer::from_token(platform, origin(), revoked.secret.expose()).await.unwrap();
    access_token::revoke(platform, &acme.owner, "acme", revoked.id).await.unwrap();
    let soon = platform.clock.now() + TimeDelta::hours(1);
    let expired = access_token::create(
        platform,
        &acme.owner,
        "acme",
        None,
        Wanted { expiry: Expiry::At(soon), ..Wanted::new("expired", &Scope::ALL) },
    )
    .await
    .unwrap();
    let expired_viewer = viewer::from_token(platform, origin(), expired.secret.expose()).await.unwrap();
    expire(fixture, &expired.id.to_string()).await;
    for dead in [revoked.secret, expired.secret] {
        assert_eq!(viewer::from_token(platform, origin(), dead.expose()).await.unwrap_err().status(), 401);
    }
    let other = fixture.organization("another").await;
    let foreign = fixture.token(&other, &other.owner, &Scope::ALL).await;
    [
        ("by a lowered admin", by_lowered),
        ("orphaned", orphaned),
        ("revoked", revoked_viewer),
        ("expired", expired_viewer),
        ("of another", foreign),
    ]
    .map(|(name, viewer)| (format!("all scopes, {name}"), viewer))
    .into()
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn no_token_is_born_expired(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let acme = fixture.organization("acme").await;
    for (seconds, status) in [(-1, 422), (0, 422), (60, 200)] {
        let expires = fixture.platform.clock.now() + TimeDelta::seconds(seconds);
        let made = access_token::create(
            &fixture.platform,
            &acme.owner,
            "acme",
            None,
            Wanted { expiry: Expiry::At(expires), ..Wanted::new("robot", &Scope::ALL) },
        )
        .await;
        assert_eq!(made.map_or_else(|error| error.status(), |_| 200), status, "{seconds}");
    }
}

/// Time passes for one token. The guard wants an event for that, so it looks away here.
async fn expire(fixture: &Fixture, id: &str) {
    let mut transaction = fixture.superuser.begin().await.unwrap();
    run("set local session_replication_role = replica", &mut *transaction).await.unwrap();
    run(format!("update orgtrail.access_tokens set expires_at = now() where id = '{id}'"), &mut *transaction)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn who_may_do_what(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let acme = fixture.organization("acme").await;
    let mut table = format!(
        "{:<32}{}\n",
        "",
        Operation::ALL.map(|operation| format!("{:<20}", format!("{operation:?}"))).concat().trim_end()
    );
    for (name, viewer) in viewers(&fixture, &acme).await {
        let mut row = format!("{name:<32}");
        for operation in Operation::ALL {
            let answer = authorize(&fixture.platform, &viewer, "acme", operation).await;
            row += &format!("{:<20}", answer.map_or_else(|refused| refused.status().to_string(), |_| "yes".to_owned()));
        }
        table = table + row.trim_end() + "\n";
    }
    insta::assert_snapshot!(table, @r"
                                    ReadOrganization    RenameOrganization  ChangeSlug          AddMember           ChangeMember        EndMemberSessions   ManageTeams         ManageInvites       ChangeTeamMembers   ManageAccessTokens  AdoptAccessToken    ReadAuditLog        ExportAuditLog      SendEvents          ManageGraphs        ChangeGraph         PublishToGraph      PublishToProtected  ManageModels        AddRecords          ExportModel
    owner                           yes                 yes                 yes                 403                 yes                 yes                 yes                 yes                 yes                 yes                 yes                 yes                 yes                 403                 yes                 yes                 yes                 yes                 yes                 yes                 yes
    admin                           yes                 yes                 403                 403                 yes                 403                 yes                 yes                 yes                 yes                 403                 yes                 yes                 403                 yes                 yes                 yes                 yes                 yes                 yes                 yes
    member                          yes                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 yes                 yes
    former owner                    404                 404                 404                 404                 404                 404                 404                 404                 404                 404                 404                 404                 404                 404                 404                 404                 404                 404                 404                 404                 404
    owner of another                404                 404                 404                 404                 404                 404                 404                 404                 404                 404                 404                 404                 404                 404                 404                 404                 404                 404                 404                 404                 404
    operator                        yes                 403                 403                 yes                 403                 403                 403                 403                 403                 yes                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403
    anonymous                       401                 401                 401                 401                 401                 401                 401                 401                 401                 401                 401                 401                 401                 401                 401                 401                 401                 401                 401                 401                 401
    audit:read                      yes                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 yes                 403                 403                 403                 403                 403                 403                 403                 403                 403
    audit:export                    yes                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 yes                 403                 403                 403                 403                 403                 403                 403                 403
    events:write                    yes                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 yes                 403                 403                 403                 403                 403                 403                 403
    models:write                    yes                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 yes                 403
    models:export                   yes                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 yes
    graphs:write                    yes                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 yes                 403                 403                 403                 403                 403                 403
    organization:write              yes                 yes                 yes                 403                 yes                 403                 yes                 yes                 yes                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403
    all scopes, by admin            yes                 yes                 403                 403                 yes                 403                 yes                 yes                 yes                 403                 403                 yes                 yes                 yes                 yes                 403                 403                 403                 403                 yes                 yes
    all scopes, by operator         yes                 yes                 yes                 403                 yes                 403                 yes                 yes                 yes                 403                 403                 yes                 yes                 yes                 yes                 403                 403                 403                 403                 yes                 yes
    all scopes, by a lowered admin  yes                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 yes                 yes
    all scopes, orphaned            403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403
    all scopes, revoked             401                 401                 401                 401                 401                 401                 401                 401                 401                 401                 401                 401                 401                 401                 401                 401                 401                 401                 401                 401                 401
    all scopes, expired             401                 401                 401                 401                 401                 401                 401                 401                 401                 401                 401                 401                 401                 401                 401                 401                 401                 401                 401                 401                 401
    all scopes, of another          404                 404                 404                 404                 404                 404                 404                 404                 404                 404                 404                 404                 404                 404                 404                 404                 404                 404                 404                 404                 404
    disabled owner                  404                 404                 404                 404                 404                 404                 404                 404                 404                 404                 404                 404                 404                 404                 404                 404                 404                 404                 404                 404                 404
    all scopes, by a disabled owner 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403                 403
    ");
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn another_organization_and_none_are_the_same_answer(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let acme = fixture.organization("acme").await;
    fixture.organization("other").await;
    for operation in Operation::ALL {
        let [foreign, none] =
            ["other", "nothing-here"].map(|slug| authorize(&fixture.platform, &acme.owner, slug, operation));
        let (foreign, none) = (foreign.await.unwrap_err(), none.await.unwrap_err());
        assert_eq!((foreign.status(), foreign.to_string()), (404, none.to_string()));
    }
}
