//! Between organizations: a transaction sees and writes the rows of the one that it is bound to, and of none if it is bound to none.

use orgtrail::audit::export;
use orgtrail::audit::ingest::{self, Format, Submission};
use orgtrail::graph::{self, documents, subgraphs};
use orgtrail::identity::access_token::{self, Scope, Wanted, graphs};
use orgtrail::identity::role::Role;
use orgtrail::organization::invites;
use orgtrail::organization::teams::TeamRole;
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};
use uuid::Uuid;

use crate::fixture::{Fixture, INSUFFICIENT_PRIVILEGE, Tenant, number, refusal, run};

/// Every table that the server's role can reach and that is an organization's, with the column that says whose a row is.
async fn tenant_tables(superuser: &PgPool) -> Vec<(String, String)> {
    sqlx::query_as(
        "select format('%s', attrelid::regclass), attname::text from pg_attribute join pg_class c on c.oid = attrelid
        where relnamespace = 'orgtrail'::regnamespace and relkind in ('r', 'p') and has_table_privilege('orgtrail_app', c.oid, 'select')
            and attname = case relname when 'organizations' then 'id' else 'organization_id' end
        order by 1",
    )
    .fetch_all(superuser)
    .await
    .unwrap()
}

/// Two organizations with rows in every tenant table.
async fn two(fixture: &Fixture) -> (Tenant, Tenant) {
    let (ours, theirs) = (fixture.organization("ours").await, fixture.organization("theirs").await);
    for tenant in [&ours, &theirs] {
        let token = access_token::create(
            &fixture.platform,
            &tenant.owner,
            &tenant.slug,
            None,
            Wanted::new("robot", &[Scope::AuditRead]),
        );
        let token = token.await.unwrap().id.into();
        fixture.graph(tenant, "inventory").await;
        graphs::grant(&fixture.platform, &tenant.owner, &tenant.slug, token, "inventory", "read").await.unwrap();
        fixture.member(tenant, &format!("admin-of-{}", tenant.slug), Role::Admin).await;
        let team = fixture.team(tenant, "Robots", &[(&tenant.owner, TeamRole::Member)]).await;
        graph::teams::grant(&fixture.platform, &tenant.owner, &tenant.slug, "inventory", &team, "read", None)
            .await
            .unwrap();
        let target = subgraphs::Target { graph: "inventory", branch: "main", name: "products" };
        let publication = subgraphs::Publication { schema: b"type Query { products: Int }", url: None };
        subgraphs::publish(&fixture.platform, &tenant.owner, &tenant.slug, target, publication).await.unwrap();
        let client = documents::Client { graph: "inventory", branch: "main", name: "web" };
        let manifest = br#"{"a": "{ products }"}"#;
        documents::submit(&fixture.platform, &tenant.owner, &tenant.slug, client, manifest).await.unwrap();
        let email = format!("invited-to-{}@people.example", tenant.slug);
        invites::create(&fixture.platform, &tenant.owner, &tenant.slug, &email, "member", &[]).await.unwrap();
        let today = fixture.platform.clock.now().date_naive();
        let query = format!("organization={}&start={today}&end={today}", tenant.slug);
        export::start(&fixture.platform, &tenant.owner, &query).await.unwrap();
        fixture.model(tenant, "fraud", "{}").await;
        let product = fixture.token(tenant, &tenant.owner, &[Scope::EventsWrite]).await;
        ingest::record(
            &fixture.platform,
            &product,
            &tenant.slug,
            submission(r#"{"id":"e","action":"a.b","actor":{"user":{"id":"1"}}}"#),
        )
        .await
        .unwrap();
    }
    // No trail of today has a month that could go, and none is damaged: upkeep's notes are put there.
    let mut noted = fixture.superuser.begin().await.unwrap();
    for statement in [
        "set local session_replication_role = replica",
        "insert into orgtrail.prunings select organization_id, '2020-01-01', 0, 0 from orgtrail.trail_heads",
        "insert into orgtrail.damaged_trails select organization_id, now(), now(), '{canary}' from orgtrail.trail_heads",
    ] {
        run(statement, &mut *noted).await.unwrap();
    }
    noted.commit().await.unwrap();
    (ours, theirs)
}

/// Events in JSON, with a key.
fn submission(body: &str) -> Submission<'_> {
    Submission { key: Some("k"), body: body.as_bytes(), format: Format::Json }
}

async fn rows(table: &str, column: &str, of: Uuid, connection: &mut PgConnection) -> i64 {
    number(format!("select count(*) from {table} where {column} = '{of}'"), connection).await
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn every_tenant_table_is_known(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let tables: Vec<_> =
        tenant_tables(&fixture.superuser).await.into_iter().map(|(table, _)| table.replace("orgtrail.", "")).collect();
    let known = [
        "access_token_graphs",
        "access_tokens",
        "branches",
        "damaged_trails",
        "event_positions",
        "events",
        "graph_texts",
        "graphs",
        "ingest_requests",
        "ingested_ids",
        "invites",
        "memberships",
        "model_records",
        "models",
        "organization_slugs",
        "organizations",
        "prunings",
        "running_exports",
        "subgraph_versions",
        "subgraphs",
        "supergraph_parts",
        "supergraphs",
        "team_graphs",
        "team_members",
        "teams",
        "trail_days",
        "trail_heads",
        "trusted_documents",
        "trusted_manifests",
    ];
    assert_eq!(tables, known);
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn bound_to_one_organization_another_is_invisible(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let (ours, theirs) = two(&fixture).await;
    let mut bound = fixture.bound(ours.id).await;
    let mut everything = fixture.superuser.acquire().await.unwrap();
    for (table, column) in tenant_tables(&fixture.superuser).await {
        assert!(rows(&table, &column, theirs.id, &mut everything).await > 0, "{table} has nothing to hide");
        assert!(rows(&table, &column, ours.id, &mut bound).await > 0, "{table} shows nothing");
        assert_eq!(rows(&table, &column, theirs.id, &mut bound).await, 0, "{table}");
    }
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn bound_to_none_everything_is_invisible(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let (ours, _) = two(&fixture).await;
    let mut unbound = fixture.app().acquire().await.unwrap();
    for (table, column) in tenant_tables(&fixture.superuser).await {
        assert_eq!(number(format!("select count(*) from {table}"), &mut unbound).await, 0, "{table}");
        let copied = insert_copy(&fixture, &table, &column, ours.id, &mut unbound).await;
        assert_eq!(copied, INSUFFICIENT_PRIVILEGE, "{table}");
    }
}

/// Inserts a copy of a row of `of` into its table again; answers the SQLSTATE.
async fn insert_copy(fixture: &Fixture, table: &str, column: &str, of: Uuid, connection: &mut PgConnection) -> String {
    let row: String = sqlx::query_scalar(AssertSqlSafe(format!(
        "select to_json(t)::text from {table} t where {column} = '{of}' limit 1"
    )))
    .fetch_one(&fixture.superuser)
    .await
    .unwrap();
    let mut transaction = connection.begin().await.unwrap();
    let insert =
        format!("insert into {table} select * from json_populate_record(null::{table}, '{}')", row.replace('\'', "''"));
    refusal(insert, &mut *transaction).await
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn bound_to_one_organization_nothing_is_written_for_another(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let (ours, theirs) = two(&fixture).await;
    for (table, column) in tenant_tables(&fixture.superuser).await {
        let mut bound = fixture.bound(ours.id).await;
        assert_eq!(
            insert_copy(&fixture, &table, &column, theirs.id, &mut bound).await,
            INSUFFICIENT_PRIVILEGE,
            "{table}"
        );
        // Control: where the policy lets it pass, it is a duplicate at most. Sums of days and prunings are nobody's to write: the database does by itself.
        let mut bound = fixture.bound(theirs.id).await;
        let copied = insert_copy(&fixture, &table, &column, theirs.id, &mut bound).await;
        let expected = if ["orgtrail.trail_days", "orgtrail.prunings"].contains(&table.as_str()) {
            [INSUFFICIENT_PRIVILEGE].as_slice()
        } else {
            &["done", "23505"]
        };
        assert!(expected.contains(&copied.as_str()), "{table}: {copied}");
    }
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn bound_to_one_organization_nothing_of_another_is_changed(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let (ours, theirs) = two(&fixture).await;
    let changes = [
        "update orgtrail.organizations set name = 'stolen' where id =",
        "update orgtrail.organization_slugs set retired_at = now() where organization_id =",
        "update orgtrail.memberships set role = 'member' where organization_id =",
        "delete from orgtrail.memberships where role = 'admin' and organization_id =",
        "update orgtrail.access_tokens set revoked_at = now() where organization_id =",
        "update orgtrail.teams set name = 'stolen' where organization_id =",
        "update orgtrail.team_members set role = 'maintainer' where organization_id =",
        "delete from orgtrail.team_members where organization_id =",
        "update orgtrail.team_graphs set permission = 'admin' where organization_id =",
        "delete from orgtrail.team_graphs where organization_id =",
        "update orgtrail.graphs set name = 'stolen' where organization_id =",
        "update orgtrail.branches set protected = true where organization_id =",
        "update orgtrail.subgraphs set url = 'stolen' where organization_id =",
        "delete from orgtrail.subgraphs where organization_id =",
        "update orgtrail.graph_texts set bytes = 0 where organization_id =",
        "update orgtrail.models set records = 0 where organization_id =",
        "update orgtrail.trail_heads set next_index = 0 where organization_id =",
        "delete from orgtrail.running_exports where organization_id =",
    ];
    for change in changes {
        let mut bound = fixture.bound(ours.id).await;
        assert_eq!(run(format!("{change} '{}'", theirs.id), &mut *bound).await.unwrap().rows_affected(), 0, "{change}");
        assert!(run(format!("{change} '{}'", ours.id), &mut *bound).await.unwrap().rows_affected() > 0, "{change}");
    }
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn a_binding_ends_with_its_transaction(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let (ours, _) = two(&fixture).await;
    let mut connection = fixture.app().acquire().await.unwrap();
    for ends_well in [true, false] {
        let mut transaction = connection.begin().await.unwrap();
        run(format!("select set_config('app.organization_id', '{}', true)", ours.id), &mut *transaction).await.unwrap();
        assert!(number("select count(*) from orgtrail.events", &mut transaction).await > 0);
        if ends_well {
            transaction.commit().await.unwrap()
        } else {
            transaction.rollback().await.unwrap()
        }
        let left: String = sqlx::query_scalar("select current_setting('app.organization_id', true)")
            .fetch_one(&mut *connection)
            .await
            .unwrap();
        assert_eq!(left, "");
        assert_eq!(number("select count(*) from orgtrail.events", &mut connection).await, 0);
    }
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn the_word_search_is_bound_too(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let (ours, theirs) = two(&fixture).await;
    let search = |what: &str| {
        format!(
            "select {what} from orgtrail.search_events(array['created'], array['change'], null, null, null, null, null, '{{}}', '{{}}', '-infinity', 'infinity', null, null, null,
                false, null)"
        )
    };
    let mut bound = fixture.bound(ours.id).await;
    assert!(number(search("count(*)"), &mut bound).await > 0);
    let foreign = search(&format!("count(*) filter (where organization_id <> '{}')", ours.id));
    assert_eq!(number(foreign, &mut bound).await, 0);
    let mut bound = fixture.bound(theirs.id).await;
    assert!(number(search("count(*)"), &mut bound).await > 0);
    assert_eq!(number(search("count(*)"), &mut fixture.app().acquire().await.unwrap()).await, 0);
}
