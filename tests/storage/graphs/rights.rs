//! Who may do what with a graph.

use orgtrail::graph::{self, branches, registry};
use orgtrail::identity::access::{Operation, authorize_on};
use orgtrail::identity::access_token::Scope;
use orgtrail::identity::role::Role;
use orgtrail::identity::viewer::Viewer;
use orgtrail::organization::members;
use sqlx::PgPool;

use super::{acme, member_with, status, token_with, wanted};
use crate::fixture::{Fixture, Tenant, id_of, origin, refusal, run};

async fn everybody(fixture: &Fixture, acme: &Tenant) -> Vec<(String, Viewer)> {
    let admin = fixture.member(acme, "admin", Role::Admin).await;
    let mut everybody = vec![
        ("owner".to_owned(), acme.owner.clone()),
        ("admin".to_owned(), admin),
        ("member".to_owned(), fixture.member(acme, "member", Role::Member).await),
        ("graphs:write".to_owned(), fixture.token(acme, &acme.owner, &[Scope::GraphsWrite]).await),
        ("operator".to_owned(), Viewer::operator()),
        ("anonymous".to_owned(), Viewer::anonymous(origin())),
        ("owner of another".to_owned(), fixture.organization("other").await.owner),
    ];
    for permission in ["read", "publish", "admin"] {
        everybody.push((format!("member, {permission}"), member_with(fixture, acme, permission).await));
        let token = token_with(fixture, &acme.owner, &[Scope::AuditRead], permission).await;
        everybody.push((format!("audit:read, {permission}"), token));
        let token = token_with(fixture, &acme.owner, &[Scope::GraphsWrite], permission).await;
        everybody.push((format!("graphs:write, {permission}"), token));
    }
    let lowered = fixture.member(acme, "lowered", Role::Admin).await;
    let token = token_with(fixture, &lowered, &[Scope::GraphsWrite], "admin").await;
    members::change_role(&fixture.platform, &acme.owner, "acme", &id_of(&lowered), "member", None).await.unwrap();
    everybody.push(("graphs:write, admin, of who is a member now".to_owned(), token));
    everybody.sort_by(|(one, _), (other, _)| one.cmp(other));
    everybody
}

/// The table of contract §9: by role, by team and by access token.
#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn who_may_do_what_with_a_graph(superuser: PgPool) {
    let (fixture, acme) = acme(superuser).await;
    let operations = [
        Operation::ReadOrganization,
        Operation::PublishToGraph,
        Operation::PublishToProtected,
        Operation::ChangeGraph,
        Operation::ManageGraphs,
    ];
    let mut table = format!(
        "{:<45}{}\n",
        "",
        operations.map(|operation| format!("{:<20}", format!("{operation:?}"))).concat().trim_end()
    );
    for (name, viewer) in everybody(&fixture, &acme).await {
        let mut cells = String::new();
        for operation in operations {
            let asked = authorize_on(&fixture.platform, &viewer, "acme", "inventory", operation).await;
            cells += &format!("{:<20}", if asked.is_ok() { "yes".to_owned() } else { status(&asked).to_string() });
        }
        table += &format!("{name:<45}{}\n", cells.trim_end());
    }
    insta::assert_snapshot!(table, @r"
                                                 ReadOrganization    PublishToGraph      PublishToProtected  ChangeGraph         ManageGraphs
    admin                                        yes                 yes                 yes                 yes                 yes
    anonymous                                    401                 401                 401                 401                 401
    audit:read, admin                            yes                 yes                 yes                 403                 403
    audit:read, publish                          yes                 yes                 403                 403                 403
    audit:read, read                             yes                 403                 403                 403                 403
    graphs:write                                 yes                 403                 403                 403                 yes
    graphs:write, admin                          yes                 yes                 yes                 yes                 yes
    graphs:write, admin, of who is a member now  yes                 403                 403                 403                 403
    graphs:write, publish                        yes                 yes                 403                 403                 yes
    graphs:write, read                           yes                 403                 403                 403                 yes
    member                                       yes                 403                 403                 403                 403
    member, admin                                yes                 yes                 yes                 yes                 403
    member, publish                              yes                 yes                 403                 403                 403
    member, read                                 yes                 403                 403                 403                 403
    operator                                     yes                 403                 403                 403                 403
    owner                                        yes                 yes                 yes                 yes                 yes
    owner of another                             404                 404                 404                 404                 404
    ");
}

/// The same, of the use cases themselves.
#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn every_use_case_asks_first(superuser: PgPool) {
    let (fixture, acme) = acme(superuser).await;
    let everybody = everybody(&fixture, &acme).await;
    let mut table = String::new();
    for (number, (name, viewer)) in everybody.into_iter().enumerate() {
        let answers = try_all(&fixture, &acme, &viewer, number).await;
        let cells: Vec<_> = answers.iter().map(|(use_case, status)| format!("{use_case} {status}")).collect();
        table += &format!("{name}: {}\n", cells.join(", "));
    }
    insta::assert_snapshot!(table, @r"
    admin: list 200, graph 200, create 200, update 200, grant 200, branch 200, rename 200, delete 200
    anonymous: list 401, graph 401, create 401, update 401, grant 401, branch 401, rename 401, delete 401
    audit:read, admin: list 200, graph 200, create 403, update 403, grant 403, branch 403, rename 403, delete 403
    audit:read, publish: list 200, graph 200, create 403, update 403, grant 403, branch 403, rename 403, delete 403
    audit:read, read: list 200, graph 200, create 403, update 403, grant 403, branch 403, rename 403, delete 403
    graphs:write: list 200, graph 200, create 200, update 403, grant 403, branch 403, rename 403, delete 200
    graphs:write, admin: list 200, graph 200, create 200, update 200, grant 200, branch 200, rename 200, delete 200
    graphs:write, admin, of who is a member now: list 200, graph 200, create 403, update 403, grant 403, branch 403, rename 403, delete 403
    graphs:write, publish: list 200, graph 200, create 200, update 403, grant 403, branch 403, rename 403, delete 200
    graphs:write, read: list 200, graph 200, create 200, update 403, grant 403, branch 403, rename 403, delete 200
    member: list 200, graph 200, create 403, update 403, grant 403, branch 403, rename 403, delete 403
    member, admin: list 200, graph 200, create 403, update 200, grant 200, branch 200, rename 200, delete 403
    member, publish: list 200, graph 200, create 403, update 403, grant 403, branch 403, rename 403, delete 403
    member, read: list 200, graph 200, create 403, update 403, grant 403, branch 403, rename 403, delete 403
    operator: list 200, graph 200, create 403, update 403, grant 403, branch 403, rename 403, delete 403
    owner: list 200, graph 200, create 200, update 200, grant 200, branch 200, rename 200, delete 200
    owner of another: list 404, graph 404, create 404, update 404, grant 404, branch 404, rename 404, delete 404
    ");
}

async fn try_all(fixture: &Fixture, acme: &Tenant, viewer: &Viewer, number: usize) -> Vec<(&'static str, u16)> {
    let (platform, slug) = (&fixture.platform, format!("graph-{number}"));
    let renamed = branches::Wanted { name: &format!("renamed-{number}"), protected: false };
    let made = format!("branch-{number}");
    let team = fixture.team(acme, &format!("Team {number}"), &[]).await;
    fixture.graph(acme, &format!("gone-{number}")).await;
    branches::create(platform, &acme.owner, "acme", "inventory", &made, "main").await.unwrap();
    let other = format!("other-{number}");
    vec![
        ("list", status(&registry::list(platform, viewer, "acme", "").await)),
        ("graph", status(&registry::graph(platform, viewer, "acme", "inventory").await)),
        ("create", status(&registry::create(platform, viewer, "acme", wanted(&slug, "New")).await)),
        (
            "update",
            status(&registry::update(platform, viewer, "acme", "inventory", wanted("inventory", &slug), None).await),
        ),
        ("grant", status(&graph::teams::grant(platform, viewer, "acme", "inventory", &team, "read", None).await)),
        ("branch", status(&branches::create(platform, viewer, "acme", "inventory", &other, "main").await)),
        ("rename", status(&branches::update(platform, viewer, "acme", "inventory", &made, renamed, None).await)),
        ("delete", status(&registry::delete(platform, viewer, "acme", &format!("gone-{number}")).await)),
    ]
}

/// What no use case does: the database knows that what is given for a graph is its organization's.
#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn nothing_of_one_organization_is_given_to_another(superuser: PgPool) {
    let (fixture, acme) = acme(superuser).await;
    let other = fixture.organization("other").await;
    let (own, foreign) = (fixture.team(&acme, "Ours", &[]).await, fixture.team(&other, "Theirs", &[]).await);
    let grant = |team: &str| {
        format!(
            "insert into orgtrail.team_graphs (organization_id, team_id, graph_id, permission)
            select organization_id, '{team}', id, 'admin' from orgtrail.graphs"
        )
    };
    let mut bound = fixture.bound(acme.id).await;
    assert_eq!(refusal(grant(&foreign), &mut *bound).await, "23503");
    let mut bound = fixture.bound(acme.id).await;
    run(grant(&own), &mut *bound).await.unwrap();
}
