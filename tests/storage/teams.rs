//! Teams: who may do what with them, what is recorded, and that nobody is left in one without belonging to the organization.

use orgtrail::Error;
use orgtrail::identity::access_token::Scope;
use orgtrail::identity::role::Role;
use orgtrail::identity::viewer::Viewer;
use orgtrail::organization::members;
use orgtrail::organization::teams::{self, TeamRole};
use serde_json::Value;
use sqlx::PgPool;

use crate::fixture::{Fixture, Stored, Tenant, id_of, origin, refusal, run};

fn status<T>(done: &orgtrail::Result<T>) -> u16 {
    done.as_ref().map_or_else(Error::status, |_| 200)
}

/// What happened to teams, newest last: action, and who it was about.
async fn told(fixture: &Fixture, tenant: &Tenant) -> Vec<String> {
    let trail = fixture.trail(tenant.id).await.into_iter().filter(|event| event.action.starts_with("team."));
    trail.map(|event| format!("{} {}", event.action, about(&event))).collect()
}

fn about(event: &Stored) -> String {
    let state: Value = serde_json::from_str(event.next.as_ref().or(event.previous.as_ref()).unwrap()).unwrap();
    let text = |field: &str| state[field].as_str().unwrap_or_default().to_owned();
    if state["team_id"].is_null() {
        text("name")
    } else {
        format!("{} {} {}", text("team_name"), text("name"), text("role"))
    }
}

async fn people(fixture: &Fixture, tenant: &Tenant, team: &str) -> Vec<(String, String)> {
    let view = teams::team(&fixture.platform, &tenant.owner, &tenant.slug, team).await.unwrap();
    view.members.into_iter().map(|member| (member.name, member.role)).collect()
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn all_six_actions_are_recorded(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let acme = fixture.organization("acme").await;
    let (ada, _) =
        (fixture.member(&acme, "ada", Role::Member).await, fixture.member(&acme, "grace", Role::Member).await);
    let (platform, owner, id) = (&fixture.platform, &acme.owner, id_of(&ada));
    let team = teams::create(platform, owner, "acme", " Security ").await.unwrap().to_string();
    teams::add_member(platform, owner, "acme", &team, "Ada@People.Example ", "member").await.unwrap();
    teams::add_member(platform, owner, "acme", &team, "grace@people.example", "maintainer").await.unwrap();
    teams::change_member_role(platform, owner, "acme", &team, &id, "maintainer", Some("member")).await.unwrap();
    teams::change_member_role(platform, owner, "acme", &team, &id, "maintainer", Some("member")).await.unwrap(); // Already so.
    teams::rename(platform, owner, "acme", &team, "Safety", Some("Security")).await.unwrap();
    teams::rename(platform, owner, "acme", &team, "Safety", Some("Security")).await.unwrap(); // Already so.
    assert_eq!(
        people(&fixture, &acme, &team).await,
        [("ada".to_owned(), "maintainer".to_owned()), ("grace".to_owned(), "maintainer".to_owned())]
    );
    teams::remove_member(platform, owner, "acme", &team, &id).await.unwrap();
    teams::delete(platform, owner, "acme", &team).await.unwrap();
    assert_eq!(
        told(&fixture, &acme).await,
        [
            "team.created Security",
            "team.member.added Security ada member",
            "team.member.added Security grace maintainer",
            "team.member.updated Security ada maintainer",
            "team.updated Safety",
            "team.member.removed Safety ada maintainer",
            "team.member.removed Safety grace maintainer",
            "team.deleted Safety",
        ]
    );
    assert_eq!(status(&teams::team(platform, owner, "acme", &team).await), 404);
}

/// The table of contract §9, for every role in the organization and in the team.
#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn who_may_do_what(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let (acme, other) = (fixture.organization("acme").await, fixture.organization("other").await);
    let [admin, maintainer, member, outsider] =
        [("admin", Role::Admin), ("maintainer", Role::Member), ("member", Role::Member), ("outsider", Role::Member)];
    let mut viewers = vec![("owner".to_owned(), acme.owner.clone())];
    for (name, role) in [admin, maintainer, member, outsider] {
        viewers.push((name.to_owned(), fixture.member(&acme, name, role).await));
    }
    let (maintainer, member) = (viewers[2].1.clone(), viewers[3].1.clone());
    for scope in [Scope::OrganizationWrite, Scope::AuditRead] {
        viewers.push((scope.as_str().to_owned(), fixture.token(&acme, &acme.owner, &[scope]).await));
    }
    viewers.push(("other's owner".to_owned(), other.owner.clone()));
    viewers.push(("operator".to_owned(), Viewer::operator()));
    viewers.push(("anonymous".to_owned(), Viewer::anonymous(origin())));
    let mut table = String::new();
    for (name, viewer) in viewers {
        let in_team = [(&maintainer, TeamRole::Maintainer), (&member, TeamRole::Member)];
        let team = fixture.team(&acme, &format!("team of {name}"), &in_team).await;
        let done = everything(&fixture, &viewer, &team, &id_of(&member), &name).await;
        table += &format!("{name:<20} {}\n", done.map(|status| format!("{status:<8}")).concat().trim_end());
    }
    insta::assert_snapshot!(table, @r"
    owner                200     200     200     200     200     200     200     200
    admin                200     200     200     200     200     200     200     200
    maintainer           200     200     200     200     200     403     403     403
    member               200     200     403     403     403     403     403     403
    outsider             200     200     403     403     403     403     403     403
    organization:write   200     200     200     200     200     200     200     200
    audit:read           200     200     403     403     403     403     403     403
    other's owner        404     404     404     404     404     404     404     404
    operator             200     200     403     403     403     403     403     403
    anonymous            401     401     401     401     401     401     401     401
    ");
}

/// List, read, add, change, remove somebody, rename, create, delete.
async fn everything(fixture: &Fixture, viewer: &Viewer, team: &str, member: &str, name: &str) -> [u16; 8] {
    let platform = &fixture.platform;
    let other = format!("owner-of-{}@people.example", "acme");
    [
        status(&teams::list(platform, viewer, "acme", "").await),
        status(&teams::team(platform, viewer, "acme", team).await),
        status(&teams::add_member(platform, viewer, "acme", team, &other, "member").await),
        status(&teams::change_member_role(platform, viewer, "acme", team, member, "maintainer", None).await),
        // Who is in the team themselves would only leave it.
        if name == "member" {
            403
        } else {
            status(&teams::remove_member(platform, viewer, "acme", team, member).await)
        },
        status(&teams::rename(platform, viewer, "acme", team, &format!("renamed by {name}"), None).await),
        status(&teams::create(platform, viewer, "acme", &format!("made by {name}")).await),
        status(&teams::delete(platform, viewer, "acme", team).await),
    ]
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn who_maintains_one_team_maintains_no_other_and_anybody_may_leave(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let acme = fixture.organization("acme").await;
    let (ada, grace) =
        (fixture.member(&acme, "ada", Role::Member).await, fixture.member(&acme, "grace", Role::Member).await);
    let own = fixture.team(&acme, "own", &[(&ada, TeamRole::Maintainer), (&grace, TeamRole::Member)]).await;
    let foreign = fixture.team(&acme, "foreign", &[(&ada, TeamRole::Member), (&grace, TeamRole::Member)]).await;
    let platform = &fixture.platform;
    assert_eq!(status(&teams::remove_member(platform, &ada, "acme", &foreign, &id_of(&grace)).await), 403);
    assert_eq!(status(&teams::remove_member(platform, &grace, "acme", &own, &id_of(&ada)).await), 403);
    assert_eq!(status(&teams::remove_member(platform, &grace, "acme", &own, &id_of(&grace)).await), 200);
    assert_eq!(status(&teams::remove_member(platform, &grace, "acme", &own, &id_of(&grace)).await), 404);
    assert_eq!(status(&teams::remove_member(platform, &ada, "acme", &own, &id_of(&ada)).await), 200);
    assert_eq!(status(&teams::add_member(platform, &ada, "acme", &own, "grace@people.example", "member").await), 403);
    let view = teams::team(platform, &ada, "acme", &own).await.unwrap();
    assert_eq!((view.changeable, view.manageable, view.addable.len()), (false, false, 0), "nobody to choose from");
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn what_cannot_be_is_refused_at_its_field(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let (acme, other) = (fixture.organization("acme").await, fixture.organization("other").await);
    let ada = fixture.member(&acme, "ada", Role::Member).await;
    let team = fixture.team(&acme, "Security", &[(&ada, TeamRole::Member)]).await;
    let elsewhere = fixture.team(&other, "Security", &[]).await;
    let (platform, owner) = (&fixture.platform, &acme.owner);
    let refused = |done: orgtrail::Result<()>| {
        let error = done.unwrap_err();
        (error.status(), error.field().unwrap_or_default().to_owned())
    };
    let create = async |name: &str| teams::create(platform, owner, "acme", name).await.map(drop);
    let add =
        async |team: &str, email: &str, role: &str| teams::add_member(platform, owner, "acme", team, email, role).await;
    for (done, status, field) in [
        (create("SECURITY").await, 409, "name"),
        (create("").await, 422, "name"),
        (create(&"x".repeat(10_000)).await, 422, "name"),
        (create("a\0b").await, 422, "name"),
        (add(&team, "ada@people.example", "member").await, 409, ""),
        (add(&team, "owner-of-other@people.example", "member").await, 422, "email"),
        (add(&team, "\0", "member").await, 422, "email"),
        (add(&team, &owner.require_user().unwrap().email, "owner").await, 422, "role"),
        (add(&elsewhere, "ada@people.example", "member").await, 404, ""),
        (add("x", "ada@people.example", "member").await, 404, ""),
        (teams::change_member_role(platform, owner, "acme", &team, &id_of(owner), "member", None).await, 404, ""),
        (
            teams::change_member_role(platform, owner, "acme", &team, &id_of(&ada), "maintainer", Some("maintainer"))
                .await,
            409,
            "",
        ),
        (teams::rename(platform, owner, "acme", &team, "Safety", Some("Old")).await, 409, ""),
        (teams::rename(platform, owner, "acme", &elsewhere, "Safety", None).await, 404, ""),
        (teams::delete(platform, owner, "acme", &elsewhere).await, 404, ""),
        (teams::remove_member(platform, owner, "acme", &team, "nobody").await, 404, ""),
    ] {
        assert_eq!(refused(done), (status, field.to_owned()));
    }
    assert_eq!(people(&fixture, &acme, &team).await, [("ada".to_owned(), "member".to_owned())]);
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn hostile_names_stay_what_they_are_and_are_found(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let acme = fixture.organization("acme").await;
    let names = ["<script>alert(1)</script>", "=cmd|' /C calc'!A0", "\u{202e}ytiruces", "🔐 Ünïcødé", "100% _'\"\\;--"];
    for name in names {
        fixture.team(&acme, name, &[]).await;
        let found = teams::list(&fixture.platform, &acme.owner, "acme", name).await.unwrap();
        assert_eq!(found.teams.iter().map(|team| team.name.as_str()).collect::<Vec<_>>(), [name]);
    }
    let none = teams::list(&fixture.platform, &acme.owner, "acme", "%").await.unwrap();
    assert_eq!((none.teams.len(), none.total), (1, 5), "a search is no pattern");
    for search in ["\0", &"x".repeat(201)] {
        assert_eq!(status(&teams::list(&fixture.platform, &acme.owner, "acme", search).await), 422);
    }
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn who_leaves_the_organization_leaves_every_team_first(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let acme = fixture.organization("acme").await;
    let ada = fixture.member(&acme, "ada", Role::Member).await;
    let in_team = [(&ada, TeamRole::Member)];
    let (_, security) =
        (fixture.team(&acme, "Platform", &in_team).await, fixture.team(&acme, "Security", &in_team).await);
    let past = fixture.trail(acme.id).await.len();
    members::remove(&fixture.platform, &acme.owner, "acme", &id_of(&ada)).await.unwrap();
    let left: Vec<_> = fixture
        .trail(acme.id)
        .await
        .split_off(past)
        .iter()
        .map(|event| format!("{} {}", event.action, about(event)))
        .collect();
    assert_eq!(
        left,
        ["team.member.removed Platform ada member", "team.member.removed Security ada member", "member.deleted ada"]
    );
    assert_eq!(people(&fixture, &acme, &security).await, []);
}

/// What no use case does: the database knows that a team's members belong to its organization.
#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn nobody_is_in_a_team_of_an_organization_that_they_are_not_in(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let (acme, other) = (fixture.organization("acme").await, fixture.organization("other").await);
    let ada = fixture.member(&acme, "ada", Role::Member).await;
    let team = fixture.team(&acme, "Security", &[(&ada, TeamRole::Member)]).await;
    let elsewhere = fixture.team(&other, "Security", &[]).await;
    let violated = "23503";
    let mut bound = fixture.bound(acme.id).await;
    assert_eq!(refusal("delete from orgtrail.memberships where role = 'member'", &mut *bound).await, violated);
    for (team, user) in [(&team, id_of(&other.owner)), (&elsewhere, id_of(&ada))] {
        let mut bound = fixture.bound(acme.id).await;
        let insert = format!(
            "insert into orgtrail.team_members (organization_id, team_id, user_id, role)
            values (orgtrail.current_organization(), '{team}', '{user}', 'member')"
        );
        assert_eq!(refusal(insert, &mut *bound).await, violated);
    }
    // Control: a member may be in a team.
    let mut bound = fixture.bound(acme.id).await;
    let insert = format!(
        "insert into orgtrail.team_members (organization_id, team_id, user_id, role)
        values (orgtrail.current_organization(), '{team}', '{}', 'member')",
        id_of(&acme.owner)
    );
    run(insert, &mut *bound).await.unwrap();
}
