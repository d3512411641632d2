//! What mutations made, as programs read it.

use orgtrail::identity::access_token::Scope;

use super::*;
use crate::graphs::PRODUCTS;
use crate::support::PASSWORD;

/// Sends a mutation whose input is `input`; answers its payload, of which `reads` is read.
async fn change(client: &Client, field: &str, input: Value, reads: &str) -> Value {
    let document = format!(
        "mutation ($input: {}{}Input!) {{ {field}(input: $input) {{ {reads} }} }}",
        field[..1].to_uppercase(),
        &field[1..]
    );
    data(&send(client, &document, json!({ "input": input })).await)[field].clone()
}

/// The account, of which `reads` is read.
async fn account(client: &Client, reads: &str) -> Value {
    data(&send(client, &format!("{{ account {{ {reads} }} }}"), json!({})).await)["account"].clone()
}

/// The nodes of a connection.
fn nodes(connection: &Value) -> Vec<Value> {
    connection["edges"].as_array().unwrap().iter().map(|edge| edge["node"].clone()).collect()
}

#[tokio::test]
async fn an_organization_and_its_people() {
    let (app, owner) = owner().await;
    let grace = app.add("grace", Some(orgtrail::identity::role::Role::Member)).await;
    let renamed = json!({ "name": "Acme & Sons", "slug": "acme-sons", "expectedName": "Acme" });
    let reads = "account { id slug name viewerRole createdAt }";
    let made = change(&owner, "updateOrganization", renamed, reads).await["account"].clone();
    assert_eq!(
        (&made["slug"], &made["name"], &made["viewerRole"]),
        (&json!("acme-sons"), &json!("Acme & Sons"), &json!("OWNER"))
    );
    let stale = "mutation { updateOrganization(input: { name: \"X\", slug: \"acme-sons\", expectedName: \"Acme\" }) { account { id } } }";
    assert_eq!(error(&send(&owner, stale, json!({})).await).0, "CONFLICT");

    let role = json!({ "userId": grace.id, "role": "ADMIN", "expectedRole": "MEMBER" });
    let reads =
        "member { userId name email role isViewer joinedAt viewerCanGive viewerCanRemove viewerCanEndSessions }";
    let member = change(&owner, "changeMemberRole", role, reads).await["member"].clone();
    assert_eq!((&member["email"], &member["role"]), (&json!(grace.email), &json!("ADMIN")));
    assert_eq!(member["viewerCanGive"], json!(["OWNER", "ADMIN", "MEMBER"]));
    let found = account(&owner, &format!("members(first: 1, search: \"GRACE\") {{ totalCount pageInfo {{ hasNextPage }} edges {{ node {{ email }} }} }} member(userId: \"{}\") {{ role }}", grace.id)).await;
    assert_eq!(found["members"]["edges"], json!([{ "node": { "email": grace.email } }]));
    assert_eq!((&found["members"]["totalCount"], &found["member"]["role"]), (&json!(2), &json!("ADMIN")));

    let team = change(&owner, "createTeam", json!({ "name": "Security" }), "team { id }").await["team"]["id"].clone();
    let added =
        change(&owner, "addTeamMember", json!({ "teamId": team, "email": grace.email }), "team { memberCount }").await;
    assert_eq!(added["team"]["memberCount"], 1);
    let role = json!({ "teamId": team, "userId": grace.id, "role": "MAINTAINER", "expectedRole": "MEMBER" });
    let reads = "team { name viewerRole createdAt viewerCanManage viewerCanChangeMembers members(first: 5) { totalCount edges { node { email role } } } }";
    let people = change(&owner, "changeTeamRole", role, reads).await["team"].clone();
    assert_eq!(people["members"]["edges"], json!([{ "node": { "email": grace.email, "role": "MAINTAINER" } }]));
    let sent = json!({ "email": "new@acme.example", "role": "MEMBER", "teamIds": [team] });
    let invited = change(
        &owner,
        "createInvite",
        sent,
        "link invite { id email role teamIds version isExpired invitedBy expiresAt }",
    )
    .await;
    assert_eq!(invited["invite"]["teamIds"], json!([team]));
    assert!(invited["link"].as_str().unwrap().contains("/invites/"));
    let id = &invited["invite"]["id"];
    change(
        &owner,
        "updateInvite",
        json!({ "id": id, "role": "ADMIN", "teamIds": [], "version": 1 }),
        "invite { role }",
    )
    .await;
    let open = nodes(&account(&owner, "invites(first: 9) { edges { node { id role teamIds } } }").await["invites"]);
    assert_eq!(open, [json!({ "id": id, "role": "ADMIN", "teamIds": [] })]);
    change(&owner, "revokeInvite", json!({ "id": id }), "revokedInviteId").await;
    assert_eq!(account(&owner, "invites(first: 9) { totalCount }").await["invites"]["totalCount"], 0);
    change(&owner, "removeMember", json!({ "userId": grace.id }), "removedUserId").await;
    let left =
        account(&owner, "members(first: 9) { totalCount } teams(first: 9) { edges { node { memberCount } } }").await;
    assert_eq!(
        left,
        json!({ "members": { "totalCount": 1 }, "teams": { "edges": [{ "node": { "memberCount": 0 } }] } })
    );
}

#[tokio::test]
async fn lists_are_read_page_by_page() {
    let (app, owner) = owner().await;
    for name in ["e", "b", "a", "d", "c"] {
        change(&owner, "createTeam", json!({ "name": name }), "team { id }").await;
    }
    let asked = "query Teams($first: Int!, $after: String) { account { teams(first: $first, after: $after) { totalCount pageInfo { hasNextPage endCursor } edges { node { name } } } } }";
    let (mut names, mut after) = (String::new(), Value::Null);
    for has_next_page in [true, true, false] {
        let page = data(&send(&owner, asked, json!({ "first": 2, "after": after })).await)["account"]["teams"].clone();
        assert_eq!((&page["totalCount"], &page["pageInfo"]["hasNextPage"]), (&json!(5), &json!(has_next_page)));
        names.extend(nodes(&page).iter().map(|node| node["name"].as_str().unwrap()));
        after = page["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(names, "abcde");
    for (variables, code) in [
        (json!({ "first": 0 }), "BAD_USER_INPUT"),
        (json!({ "first": 101 }), "BAD_USER_INPUT"),
        (json!({ "first": 1, "after": "x" }), "BAD_CURSOR"),
    ] {
        assert_eq!(error(&send(&owner, asked, variables).await).0, code);
    }
    let program = app.program_with(&[Scope::EventsWrite]).await;
    assert_eq!(
        nodes(&account(&program, "teams(first: 9) { edges { node { name viewerRole } } }").await["teams"]).len(),
        5
    );
}

#[tokio::test]
async fn an_access_token_from_beginning_to_end() {
    let (app, owner) = owner().await;
    app.graph("inventory").await;
    let key = "0192f0c1-2d3e-7f40-8a5b-6c7d8e9f0a1b";
    let wanted = json!({ "name": "Robot", "scopes": ["ORGANIZATION_WRITE", "AUDIT_READ"], "expiresAt": "2099-01-01T00:00:00Z", "idempotencyKey": key });
    let reads = "secret accessToken { id name scopes addresses state version expiresAt graphPermissions(first: 9) { edges { node { graphSlug permission } } } }";
    let made = change(&owner, "createAccessToken", wanted.clone(), reads).await;
    let (secret, token) = (made["secret"].as_str().unwrap().to_owned(), made["accessToken"].clone());
    assert_eq!(
        (&token["scopes"], &token["expiresAt"]),
        (&json!(["AUDIT_READ", "ORGANIZATION_WRITE"]), &json!("2099-01-01T00:00:00.000000Z"))
    );
    let again = "mutation ($input: CreateAccessTokenInput!) { createAccessToken(input: $input) { secret } }";
    assert_eq!(error(&send(&owner, again, json!({ "input": wanted })).await).0, "CONFLICT");
    for (input, field) in [
        (json!({ "name": "x", "scopes": [] }), "scopes"),
        (json!({ "name": "x", "scopes": ["AUDIT_READ"], "expiresAt": "2020-01-01T00:00:00Z" }), "expiresAt"),
        (json!({ "name": "x", "scopes": ["AUDIT_READ"], "idempotencyKey": "x" }), "idempotencyKey"),
        (json!({ "name": "x", "scopes": ["AUDIT_READ"], "addresses": ["here"] }), "addresses"),
    ] {
        let answer = send(&owner, again, json!({ "input": input })).await;
        assert_eq!(answer.json()["errors"][0]["extensions"], json!({ "code": "BAD_USER_INPUT", "field": field }));
    }

    let program = Client::program(&app.url, Some(&secret));
    change(&program, "createTeam", json!({ "name": "Robots" }), "team { id }").await;
    let id = &token["id"];
    let grant = json!({ "id": id, "version": 1, "graph": "inventory", "permission": "PUBLISH" });
    let granted = change(
        &owner,
        "grantAccessTokenGraph",
        grant.clone(),
        "accessToken { version graphPermissions(first: 9) { edges { node { graphSlug graphName permission } } } }",
    )
    .await;
    assert_eq!(
        nodes(&granted["accessToken"]["graphPermissions"]),
        [json!({ "graphSlug": "inventory", "graphName": "inventory", "permission": "PUBLISH" })]
    );
    let stale = "mutation ($input: GrantAccessTokenGraphInput!) { grantAccessTokenGraph(input: $input) { accessToken { id } } }";
    assert_eq!(error(&send(&owner, stale, json!({ "input": grant })).await).0, "CONFLICT");
    let published = json!({ "graph": "inventory", "branch": "main", "name": "products", "schema": PRODUCTS });
    assert_eq!(change(&program, "publishSubgraph", published, "changed").await["changed"], true);
    change(
        &owner,
        "withdrawAccessTokenGraph",
        json!({ "id": id, "version": 2, "graph": "inventory" }),
        "accessToken { version }",
    )
    .await;
    let wanted =
        json!({ "id": id, "version": 3, "name": "Reader", "scopes": ["AUDIT_READ"], "addresses": ["192.0.2.0/24"] });
    let changed = change(&owner, "updateAccessToken", wanted, "accessToken { name addresses expiresAt version }").await;
    assert_eq!(
        changed["accessToken"],
        json!({ "name": "Reader", "addresses": ["192.0.2.0/24"], "expiresAt": null, "version": 4 })
    );
    let rotated =
        change(&owner, "rotateAccessToken", json!({ "id": id, "version": 4 }), "secret accessToken { rotatedAt }")
            .await;
    assert_ne!(rotated["secret"], made["secret"]);
    let revoked = change(&owner, "revokeAccessToken", json!({ "id": id }), "accessToken { state }").await;
    assert_eq!(revoked["accessToken"]["state"], "REVOKED");
    let listed = account(
        &owner,
        "accessTokens(first: 9) { edges { node { name state creator createdAt lastUsedAt lastUsedIp } } }",
    )
    .await;
    assert_eq!(
        (&nodes(&listed["accessTokens"])[0]["name"], &nodes(&listed["accessTokens"])[0]["creator"]),
        (&json!("Reader"), &json!("Ada Owner (owner)"))
    );
}

const SETTINGS: &str = "graph(slug: \"inventory\") { id slug name description version createdAt viewerCanDelete viewerCanChange viewerCanPublish
    branches(first: 9) { edges { node { name isProtected version } } } teamPermissions(first: 9) { edges { node { teamName permission } } } }";

#[tokio::test]
async fn a_graph_and_its_branches() {
    let (_app, owner) = owner().await;
    let made = change(&owner, "createTeam", json!({ "name": "Catalogue" }), "team { id }").await;
    let team = &made["team"]["id"];
    change(&owner, "createGraph", json!({ "slug": "stock", "name": "Stock" }), "graph { id }").await;
    for (field, input, reads) in [
        (
            "updateGraph",
            json!({ "graph": "stock", "slug": "inventory", "name": "Inventory", "description": "All of it", "version": 1 }),
            "graph { id }",
        ),
        (
            "grantTeamGraph",
            json!({ "graph": "inventory", "teamId": team, "permission": "PUBLISH", "version": 2 }),
            "graph { id }",
        ),
        ("createBranch", json!({ "graph": "inventory", "name": "next" }), "branch { name }"),
        (
            "updateBranch",
            json!({ "graph": "inventory", "branch": "next", "name": "later", "isProtected": true, "version": 1 }),
            "branch { name }",
        ),
    ] {
        change(&owner, field, input, reads).await;
    }
    let graph = account(&owner, SETTINGS).await["graph"].clone();
    assert_eq!(
        (&graph["name"], &graph["description"], &graph["version"]),
        (&json!("Inventory"), &json!("All of it"), &json!(3))
    );
    assert_eq!(nodes(&graph["branches"])[1], json!({ "name": "later", "isProtected": true, "version": 2 }));
    assert_eq!(nodes(&graph["teamPermissions"]), [json!({ "teamName": "Catalogue", "permission": "PUBLISH" })]);
    let withdrawn = json!({ "graph": "inventory", "teamId": team });
    let left =
        change(&owner, "withdrawTeamGraph", withdrawn, "graph { teamPermissions(first: 9) { totalCount } }").await;
    assert_eq!(left["graph"]["teamPermissions"]["totalCount"], 0);
    change(&owner, "deleteGraph", json!({ "graph": "inventory" }), "deletedGraphSlug").await;
    assert_eq!(account(&owner, "graphs(first: 9) { totalCount }").await["graphs"]["totalCount"], 0);
}

/// Publishes the subgraph `products`, which is served at `url`, to the branch `main` of the graph `inventory`.
async fn publish(client: &Client, url: &str) -> Value {
    let input = json!({ "graph": "inventory", "branch": "main", "name": "products", "schema": PRODUCTS, "url": url });
    change(client, "publishSubgraph", input, "changed subgraph { schema { number } } supergraph { number }").await
}

const PUBLISHED: &str = "graph(slug: \"inventory\") { branch { name objectId createdAt viewerCanPublish
    subgraphs(first: 9) { edges { node { id name url ownerTeamName version schema { number sdl bytes sha256 publishedBy publishedAt }
        first: schema(number: 1) { sdl } versions(first: 2) { pageInfo { hasNextPage endCursor } edges { node { number url } } } } } }
    supergraph { number apiSdl sdl bytes composedBy composedAt parts(first: 9) { edges { node { subgraphName version url isKept } } } }
    first: supergraph(number: 1) { number apiSdl }
    supergraphs(first: 2) { pageInfo { hasNextPage } edges { node { number sha256 apiSha256 apiBytes } } } } }";

#[tokio::test]
async fn what_is_published_to_a_graph() {
    let (app, owner) = owner().await;
    app.graph("inventory").await;
    for (number, url) in ["https://a.example/", "https://b.example/", "https://c.example/"].into_iter().enumerate() {
        let (schema, supergraph) = (json!({ "schema": { "number": number + 1 } }), json!({ "number": number + 1 }));
        assert_eq!(
            publish(&owner, url).await,
            json!({ "changed": true, "subgraph": schema, "supergraph": supergraph })
        );
    }
    let faulty = "mutation { publishSubgraph(input: { graph: \"inventory\", branch: \"main\", name: \"x\", schema: \"type Query { a: B }\" }) { changed } }";
    let refused = send(&owner, faulty, json!({})).await.json()["errors"][0]["extensions"].clone();
    assert_eq!((&refused["code"], &refused["field"]), (&json!("BAD_USER_INPUT"), &json!("schema")));
    assert_eq!(refused["faults"][0]["line"], 1);
    let made = change(&owner, "createTeam", json!({ "name": "Catalogue" }), "team { id }").await;
    let settings = json!({ "graph": "inventory", "branch": "main", "subgraph": "products", "url": "https://d.example/", "ownerTeamId": made["team"]["id"] });
    change(&owner, "updateSubgraph", settings, "subgraph { version }").await;

    let branch = account(&owner, PUBLISHED).await["graph"]["branch"].clone();
    let subgraph = nodes(&branch["subgraphs"])[0].clone();
    assert_eq!((&subgraph["url"], &subgraph["ownerTeamName"]), (&json!("https://d.example/"), &json!("Catalogue")));
    assert_eq!((&subgraph["schema"]["sdl"], &subgraph["first"]["sdl"]), (&json!(PRODUCTS), &json!(PRODUCTS)));
    assert_eq!(subgraph["versions"]["pageInfo"], json!({ "hasNextPage": true, "endCursor": "2" }));
    let numbers: Vec<_> = nodes(&branch["supergraphs"]).iter().map(|node| node["number"].clone()).collect();
    assert_eq!(numbers, [json!(4), json!(3)]);
    assert_eq!((&branch["supergraph"]["number"], &branch["first"]["number"]), (&json!(4), &json!(1)));
    assert!(branch["supergraph"]["apiSdl"].as_str().unwrap().contains("type Product"));
    assert!(branch["supergraph"]["sdl"].as_str().unwrap().contains("join__Graph"));
    assert_eq!(nodes(&branch["supergraph"]["parts"])[0]["url"], "https://d.example/");
    let rest = account(
        &owner,
        "graph(slug: \"inventory\") { branch { subgraph(name: \"products\") { versions(first: 9, after: \"2\") { edges { node { number } } } } } }",
    )
    .await;
    assert_eq!(nodes(&rest["graph"]["branch"]["subgraph"]["versions"]), [json!({ "number": 1 })]);
    let missing = "{ account { graph(slug: \"inventory\") { branch { supergraph(number: 9) { number } } } } }";
    assert_eq!(error(&send(&owner, missing, json!({})).await).0, "NOT_FOUND");

    let deleted = json!({ "graph": "inventory", "branch": "main", "subgraph": "products" });
    let left = change(&owner, "deleteSubgraph", deleted, "branch { subgraphs(first: 9) { totalCount } }").await;
    assert_eq!(left["branch"]["subgraphs"]["totalCount"], 0);
}

const TRUSTED: &str = "query Trusted($first: Int!, $after: String) { account { graph(slug: \"inventory\") { branch {
    trustedDocumentClients(first: 9) { edges { node { name objectId documentCount manifestCount submittedBy submittedAt } } }
    trustedDocuments(first: $first, after: $after, client: \"web\") { pageInfo { hasNextPage endCursor }
        edges { node { client id kind name text bytes submittedAt submittedBy } } }
    trustedDocument(client: \"web\", id: \"all\") { text sha256 } } } } }";

#[tokio::test]
async fn trusted_documents() {
    let (app, owner) = owner().await;
    app.graph("inventory").await;
    publish(&owner, "https://a.example/").await;
    let documents = json!({ "all": "query All { products { id } }", "one": "query One { products { name } }" });
    let submitted =
        json!({ "graph": "inventory", "branch": "main", "client": "web", "manifest": documents.to_string() });
    let reads = "changed documentCount newDocumentCount client { name }";
    assert_eq!(
        change(&owner, "submitManifest", submitted, reads).await,
        json!({ "changed": true, "documentCount": 2, "newDocumentCount": 2, "client": { "name": "web" } })
    );
    let read =
        async |variables: Value| data(&send(&owner, TRUSTED, variables).await)["account"]["graph"]["branch"].clone();
    let branch = read(json!({ "first": 1 })).await;
    assert_eq!(branch["trustedDocuments"]["pageInfo"]["hasNextPage"], true);
    let first = &nodes(&branch["trustedDocuments"])[0];
    assert_eq!((&first["kind"], &first["name"]), (&json!("QUERY"), &json!("All")));
    assert!(branch["trustedDocument"]["text"].as_str().unwrap().contains("query All"));
    assert_eq!(nodes(&branch["trustedDocumentClients"])[0]["documentCount"], 2);
    let rest = read(json!({ "first": 9, "after": branch["trustedDocuments"]["pageInfo"]["endCursor"] })).await;
    let names: Vec<_> = nodes(&rest["trustedDocuments"]).iter().map(|node| node["name"].clone()).collect();
    assert_eq!(names, ["One"]);
}

#[tokio::test]
async fn who_is_signed_in() {
    let (app, owner) = owner().await;
    let _other = app.owner().await;
    let other = json!({ "name": "Other", "slug": "other" });
    assert_eq!(
        change(&owner, "createOrganization", other, "account { slug viewerRole }").await["account"]["viewerRole"],
        "OWNER"
    );
    let asked =
        "{ viewer { id name email memberships(first: 9) { totalCount edges { node { role account { slug name } } } }
        sessions(first: 9) { edges { node { id client isPresent beganAt lastSeenAt ip } } } } }";
    let viewer = data(&send(&owner, asked, json!({})).await)["viewer"].clone();
    assert_eq!((&viewer["name"], &viewer["email"]), (&json!("Ada Owner"), &json!(app.owner.email)));
    assert_eq!(
        nodes(&viewer["memberships"])[1],
        json!({ "role": "OWNER", "account": { "slug": "other", "name": "Other" } })
    );
    let sessions = nodes(&viewer["sessions"]);
    assert_eq!(
        sessions.iter().map(|session| session["isPresent"].clone()).collect::<Vec<_>>(),
        [json!(true), json!(false)]
    );
    change(&owner, "endSession", json!({ "id": sessions[1]["id"] }), "endedSessionId").await;
    assert_eq!(
        change(&owner, "updateViewer", json!({ "name": "Ada" }), "viewer { name }").await["viewer"]["name"],
        "Ada"
    );
    // Who is in several organizations names one.
    let unclear = send(&owner, "mutation { createTeam(input: { name: \"Which\" }) { team { id } } }", json!({})).await;
    assert_eq!(unclear.json()["errors"][0]["extensions"], json!({ "code": "BAD_USER_INPUT", "field": "account" }));
    change(&owner, "createTeam", json!({ "account": "other", "name": "Clear" }), "team { id }").await;
    let moved = json!({ "email": "ada@new.example", "currentPassword": PASSWORD });
    assert_eq!(change(&owner, "requestEmailChange", moved, "email").await["email"], "ada@new.example");
    let secret = crate::mailed::secret_mailed(&app, "ada@new.example", "/account/email").await;
    assert_eq!(
        change(&owner, "confirmEmail", json!({ "secret": secret }), "viewer { email }").await["viewer"]["email"],
        "ada@new.example"
    );
    let program = app.program_with(&[Scope::AuditRead]).await;
    assert_eq!(error(&send(&program, asked, json!({})).await).0, "UNAUTHENTICATED");
}

#[tokio::test]
async fn members_read_what_their_pages_show() {
    let (app, _owner) = owner().await;
    app.graph("inventory").await;
    let everything = "{ account { members(first: 1) { totalCount } teams(first: 1) { totalCount } graphs(first: 1) { edges { node { slug viewerCanChange } } }
        invites(first: 1) { totalCount } accessTokens(first: 1) { totalCount } } }";
    let body = send(&app.member().await, everything, json!({})).await.json();
    let account = &body["data"]["account"];
    assert_eq!((&account["invites"], &account["accessTokens"]), (&Value::Null, &Value::Null));
    assert_eq!(nodes(&account["graphs"]), [json!({ "slug": "inventory", "viewerCanChange": false })]);
    let codes: Vec<_> =
        body["errors"].as_array().unwrap().iter().map(|error| error["extensions"]["code"].clone()).collect();
    assert_eq!(codes, ["FORBIDDEN", "FORBIDDEN"]);
    data(&send(&app.admin().await, everything, json!({})).await);
}
