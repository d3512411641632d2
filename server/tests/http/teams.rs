//! Teams over HTTP, and forms that were shown before somebody else changed what they show.

use orgtrail::identity::access_token::Scope;
use orgtrail::identity::role::Role;
use orgtrail::identity::viewer::{Origin, Viewer};
use orgtrail::organization::{members, settings, teams};

use crate::support::{ACME, Answer, Client, TestApplication};

/// Posts a form of a team; answers the page on which it lands.
async fn post(client: &Client, path: &str, fields: &[(&str, &str)]) -> (String, Answer) {
    let fields: Vec<_> = [("organization", ACME)].iter().chain(fields).copied().collect();
    let answer = client.form(path, &fields).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    let page = answer.location.unwrap();
    let landed = client.get(&page).await;
    (page, landed)
}

fn owner(app: &TestApplication) -> Viewer {
    Viewer::user(app.owner.clone(), Origin::default())
}

#[tokio::test]
async fn a_team_from_beginning_to_end_without_javascript() {
    let app = TestApplication::start().await;
    let grace = app.add("grace", Some(Role::Member)).await;
    let id = grace.id.to_string();
    let browser = app.owner().await;
    assert!(browser.get("/acme/settings/teams").await.body.contains("No teams yet."));
    let (page, created) = post(&browser, "/api/create_team", &[("name", "<script>alert(1)</script>")]).await;
    assert!(page.starts_with("/acme/settings/teams/") && created.body.contains("The team was created."));
    assert!(!created.body.contains("<script>alert"), "{}", created.body);
    let team = page.rsplit('/').next().unwrap();
    let (_, taken) = post(&browser, "/api/create_team", &[("name", "<SCRIPT>alert(1)</script>")]).await;
    assert!(taken.body.contains("id=\"name-error\""), "{}", taken.body);

    assert!(browser.get(&page).await.body.contains("grace@acme.example"), "is offered");
    let (_, unknown) =
        post(&browser, "/api/add_team_member", &[("team", team), ("email", "nobody@x.example"), ("role", "member")])
            .await;
    assert!(unknown.body.contains("id=\"email-error\"") && unknown.body.contains("nobody@x.example"));
    let (_, added) =
        post(&browser, "/api/add_team_member", &[("team", team), ("email", &grace.email), ("role", "member")]).await;
    assert!(added.body.contains("The member was added."), "{}", added.body);

    let role = [("team", team), ("user_id", id.as_str()), ("role", "maintainer"), ("shown", "member")];
    let (_, changed) = post(&browser, "/api/change_team_role", &role).await;
    assert!(changed.body.contains("The role was changed."), "{}", changed.body);
    let lower = [("team", team), ("user_id", id.as_str()), ("role", "member"), ("shown", "member")];
    let (_, stale) = post(&browser, "/api/change_team_role", &lower).await;
    assert!(stale.body.contains("meanwhile"), "{}", stale.body);

    let hers = app.sign_in(&grace.email).await;
    let (_, left) = post(&hers, "/api/remove_team_member", &[("team", team), ("user_id", &id)]).await;
    assert!(left.body.contains("You left the team.") && left.body.contains("Nobody is in this team yet."));
    let (list, deleted) = post(&browser, "/api/delete_team", &[("team", team)]).await;
    assert_eq!(list, "/acme/settings/teams");
    assert!(deleted.body.contains("The team was deleted."));
    assert_eq!(browser.get(&page).await.status, 404);
}

#[tokio::test]
async fn each_sees_what_they_may_do() {
    let app = TestApplication::start().await;
    let (maintainer, member) =
        (app.add("maintainer", Some(Role::Member)).await, app.add("member", Some(Role::Member)).await);
    let team = teams::create(&app.platform, &owner(&app), ACME, "Security").await.unwrap().to_string();
    teams::add_member(&app.platform, &owner(&app), ACME, &team, &maintainer.email, "maintainer").await.unwrap();
    teams::add_member(&app.platform, &owner(&app), ACME, &team, &member.email, "member").await.unwrap();
    let page = format!("/acme/settings/teams/{team}");
    for (client, forms) in [
        (
            app.owner().await,
            ["add_team_member", "change_team_role", "rename_team", "delete_team", "What happened to it"].as_slice(),
        ),
        (app.sign_in(&maintainer.email).await, &["add_team_member", "change_team_role"]),
        (app.sign_in(&member.email).await, &[]),
    ] {
        let body = client.get(&page).await.body;
        let shown: Vec<_> =
            ["add_team_member", "change_team_role", "rename_team", "delete_team", "What happened to it"]
                .into_iter()
                .filter(|form| body.contains(form))
                .collect();
        assert_eq!(shown, forms);
        let leaves = body.contains("remove_team_member");
        assert!(leaves, "who is in it may leave, who says who is in it may take out");
    }
    for path in ["x", "0199f3c2-7c1e-7000-8000-000000000001", "%00"] {
        assert_eq!(app.owner().await.get(&format!("/acme/settings/teams/{path}")).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn a_program_manages_teams_with_its_scope() {
    let app = TestApplication::start().await;
    let program = app.program_with(&[Scope::OrganizationWrite]).await;
    let made = program.form("/api/create_team", &[("organization", ACME), ("name", "Robots")]).await;
    assert_eq!(made.status, 200, "{}", made.body);
    let listed = program.form("/api/teams_page", &[("organization", ACME)]).await.json();
    assert_eq!((&listed["teams"][0]["name"], &listed["total"]), (&"Robots".into(), &1.into()));
    let again = program.form("/api/create_team", &[("organization", ACME), ("name", "robots")]).await;
    again.assert_problem(409, "CONFLICT");
    assert_eq!(again.json()["field"], "name");
}

/// The form was shown, then somebody else saved: what they saved stays, and what was typed is still there.
#[tokio::test]
async fn a_stale_form_is_told_so_and_overwrites_nothing() {
    let app = TestApplication::start().await;
    let grace = app.add("grace", Some(Role::Member)).await;
    let browser = app.owner().await;
    settings::update(&app.platform, &owner(&app), ACME, "Acme Robotics", ACME, None).await.unwrap();
    members::change_role(&app.platform, &owner(&app), ACME, &grace.id.to_string(), "admin", None).await.unwrap();
    let general = [("name", "Acme Bots"), ("slug", ACME), ("shown", "Acme")];
    let (_, page) = post(&browser, "/api/update_organization", &general).await;
    assert!(
        page.body.contains("changed to “Acme Robotics”") && page.body.contains("value=\"Acme Bots\""),
        "{}",
        page.body
    );
    assert!(page.body.contains("name=\"shown\" value=\"Acme Robotics\""), "saving again is meant: {}", page.body);
    let role = [("user_id", grace.id.to_string()), ("role", "owner".to_owned()), ("shown", "member".to_owned())];
    let role = role.each_ref().map(|(name, value)| (*name, value.as_str()));
    let (_, page) = post(&browser, "/api/change_member_role", &role).await;
    assert!(page.body.contains("The role of grace was changed to admin meanwhile"), "{}", page.body);
}

/// Another's new address: the form was shown at the old one.
#[tokio::test]
async fn a_stale_form_of_a_retired_address_moves_nothing_back() {
    let app = TestApplication::start().await;
    let browser = app.owner().await;
    settings::update(&app.platform, &owner(&app), ACME, "Acme", "acme-robotics", None).await.unwrap();
    let fields = [("organization", ACME), ("name", "Acme Bots"), ("slug", ACME), ("shown", "Acme")];
    let answer = browser.form("/api/update_organization", &fields).await;
    assert_eq!((answer.status, answer.location.as_deref()), (303, Some("/acme/settings")));
    let moved = browser.get("/acme/settings").await;
    assert_eq!((moved.status, moved.location.as_deref()), (308, Some("/acme-robotics/settings")));
    let page = browser.get("/acme-robotics/settings").await.body;
    assert!(page.contains("at /acme-robotics meanwhile"), "{page}");
}
