//! What guards the schema, compared with the whole list of what is expected: one more or one less is a decision.

use orgtrail::identity::access_token::{self, Scope, Wanted};
use sqlx::PgPool;

use crate::fixture::{Fixture, lines};

/// Partitions of months, which differ in nothing but their names, are one line.
#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn triggers(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let found = lines(
        "select distinct format('%s %s %s%s%s%s %s%s', regexp_replace(c.relname, '_\\d{4}_\\d{2}$', '_<month>'), tgname,
            case when tgtype & 4 > 0 then 'i' end, case when tgtype & 8 > 0 then 'd' end, case when tgtype & 16 > 0 then 'u' end, case when tgtype & 32 > 0 then 't' end,
            case tgenabled when 'A' then 'always' when 'O' then 'origin' else 'DISABLED' end, case when tginitdeferred then ' at commit' end)
        from pg_trigger join pg_class c on c.oid = tgrelid where c.relnamespace = 'orgtrail'::regnamespace and not tgisinternal order by 1",
        &fixture.superuser,
    )
    .await;
    insta::assert_snapshot!(found, @r"
    access_token_graphs change_needs_event idu origin at commit
    access_tokens change_needs_event idu origin at commit
    branches change_needs_event idu origin at commit
    damaged_trails change_needs_event idu origin at commit
    event_positions append_only du always
    event_positions never_truncated t always
    events append_only du always
    events counted_into_days i always
    events never_truncated t always
    events_<month> append_only du always
    events_<month> never_truncated t always
    events_default append_only du always
    events_default never_truncated t always
    graphs change_needs_event idu origin at commit
    invites change_needs_event iu origin at commit
    invites deletion_needs_event d origin at commit
    memberships change_needs_event idu origin at commit
    memberships last_owner_stays du origin at commit
    model_records records_are_counted i origin
    models change_needs_event idu origin at commit
    organizations change_needs_event idu origin at commit
    prunings change_needs_event idu origin at commit
    subgraph_versions change_needs_event idu origin at commit
    subgraphs change_needs_event idu origin at commit
    supergraphs change_needs_event idu origin at commit
    team_graphs change_needs_event idu origin at commit
    team_members change_needs_event idu origin at commit
    teams change_needs_event idu origin at commit
    trail_heads no_gap_in_trail u origin at commit
    trusted_manifests change_needs_event idu origin at commit
    ");
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn every_month_has_every_trigger(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let found = lines(
        "select distinct format('%s %s %s', count(*) filter (where tgname = 'append_only'), count(*) filter (where tgname = 'never_truncated'),
            bool_and(tgenabled = 'A'))
        from pg_class c left join pg_trigger on tgrelid = c.oid and not tgisinternal
        where c.relnamespace = 'orgtrail'::regnamespace and c.relname ~ '^event' and c.relkind in ('r', 'p') group by c.oid",
        &fixture.superuser,
    )
    .await;
    assert_eq!(found, "1 1 t");
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn row_level_security(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let found = lines(
        "select distinct format('%s%s: %s', regexp_replace(c.relname, '_\\d{4}_\\d{2}$', '_<month>'),
            case when not relrowsecurity then '' when relforcerowsecurity then ' forced' else ' NOT FORCED' end,
            coalesce((select string_agg(format('%s %s %s using %s check %s', policyname, cmd, roles, qual, with_check), '; ') from pg_policies
                where schemaname = 'orgtrail' and tablename = c.relname), 'nothing'))
        from pg_class c where c.relnamespace = 'orgtrail'::regnamespace and c.relkind in ('r', 'p', 'v', 'm') order by 1",
        &fixture.superuser,
    )
    .await
    .replace("orgtrail.current_organization()", "current")
    .replace("organization_id", "organization");
    insta::assert_snapshot!(found, @r"
    access_token_graphs forced: tenant ALL {public} using (organization = current) check (organization = current)
    access_tokens forced: tenant ALL {public} using (organization = current) check (organization = current)
    branches forced: tenant ALL {public} using (organization = current) check (organization = current)
    damaged_trails forced: tenant ALL {public} using (organization = current) check (organization = current)
    event_positions forced: tenant ALL {public} using (organization = current) check (organization = current)
    events forced: tenant ALL {public} using (organization = current) check (organization = current)
    events_<month> forced: tenant ALL {public} using (organization = current) check (organization = current)
    events_default forced: tenant ALL {public} using (organization = current) check (organization = current)
    graph_texts forced: tenant ALL {public} using (organization = current) check (organization = current)
    graphs forced: tenant ALL {public} using (organization = current) check (organization = current)
    ingest_requests forced: tenant ALL {public} using (organization = current) check (organization = current)
    ingested_ids forced: tenant ALL {public} using (organization = current) check (organization = current)
    invites forced: tenant ALL {public} using (organization = current) check (organization = current)
    mailed_links: nothing
    memberships forced: tenant ALL {public} using (organization = current) check (organization = current)
    model_records forced: tenant ALL {public} using (organization = current) check (organization = current)
    models forced: tenant ALL {public} using (organization = current) check (organization = current)
    organization_slugs forced: tenant ALL {public} using (organization = current) check (organization = current)
    organizations forced: tenant ALL {public} using (id = current) check (id = current)
    prunings forced: tenant ALL {public} using (organization = current) check (organization = current)
    running_exports forced: tenant ALL {public} using (organization = current) check (organization = current)
    sessions: nothing
    sign_in_attempts: nothing
    sign_in_copies: nothing
    sign_in_throttles: nothing
    subgraph_versions forced: tenant ALL {public} using (organization = current) check (organization = current)
    subgraphs forced: tenant ALL {public} using (organization = current) check (organization = current)
    supergraph_parts forced: tenant ALL {public} using (organization = current) check (organization = current)
    supergraphs forced: tenant ALL {public} using (organization = current) check (organization = current)
    team_graphs forced: tenant ALL {public} using (organization = current) check (organization = current)
    team_members forced: tenant ALL {public} using (organization = current) check (organization = current)
    teams forced: tenant ALL {public} using (organization = current) check (organization = current)
    trail_days forced: tenant ALL {public} using (organization = current) check (organization = current)
    trail_heads forced: tenant ALL {public} using (organization = current) check (organization = current)
    trusted_documents forced: tenant ALL {public} using (organization = current) check (organization = current)
    trusted_manifests forced: tenant ALL {public} using (organization = current) check (organization = current)
    upkeep_jobs: nothing
    users: nothing
    ");
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn grants(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let found = lines(
        "with granted as (
            select relname, acl.grantee, lower(acl.privilege_type) as privilege from pg_class, aclexplode(relacl) acl
            where relnamespace = 'orgtrail'::regnamespace and acl.grantee <> relowner
            union all
            select relname, acl.grantee, format('%s (%s)', lower(acl.privilege_type), string_agg(attname, ', ' order by attnum))
            from pg_attribute join pg_class c on c.oid = attrelid, aclexplode(attacl) acl
            where relnamespace = 'orgtrail'::regnamespace and acl.grantee <> relowner group by relname, acl.grantee, acl.privilege_type
        )
        select format('%s %s: %s', coalesce(nullif(grantee, 0)::regrole::text, 'EVERYBODY'), relname, string_agg(privilege, ', ' order by privilege))
        from granted group by grantee, relname order by 1",
        &fixture.superuser,
    )
    .await;
    insta::assert_snapshot!(found, @r"
    orgtrail_app access_token_graphs: delete, insert, select, update (permission)
    orgtrail_app access_tokens: insert, select, update (name, secret_sha256, scopes, addresses, created_by, expires_at, revoked_at, rotated_at, version, last_used_at, last_used_ip)
    orgtrail_app branches: delete, insert, select, update (name, protected, version, composed, supergraph)
    orgtrail_app damaged_trails: delete, insert, select, update (noted_at, problems)
    orgtrail_app event_positions: insert, select
    orgtrail_app events: insert, select
    orgtrail_app graph_texts: delete, insert, select, update (bytes)
    orgtrail_app graphs: delete, insert, select, update (slug, name, description, version)
    orgtrail_app ingest_requests: insert, select
    orgtrail_app ingested_ids: insert, select
    orgtrail_app invites: delete, insert, select, update (role, team_ids, secret_sha256, invited_by, invited_by_token, version, sent_at, expires_at, accepted_at, revoked_at)
    orgtrail_app mailed_links: delete, insert, select, update
    orgtrail_app memberships: delete, insert, select, update (role)
    orgtrail_app model_records: insert, select
    orgtrail_app models: delete, insert, select, update (records, forgotten)
    orgtrail_app organization_slugs: insert, select, update (retired_at)
    orgtrail_app organizations: insert, select, update (slug, name)
    orgtrail_app prunings: select
    orgtrail_app running_exports: delete, insert, select, update (leased_until)
    orgtrail_app sessions: delete, insert, select, update
    orgtrail_app sign_in_attempts: insert, select, update (sorted_at)
    orgtrail_app sign_in_copies: delete, insert, select, update (attempt_id)
    orgtrail_app sign_in_throttles: delete, insert, select, update
    orgtrail_app subgraph_versions: insert, select
    orgtrail_app subgraphs: delete, insert, select, update (url, owner_team, number, version)
    orgtrail_app supergraph_parts: insert, select
    orgtrail_app supergraphs: insert, select
    orgtrail_app team_graphs: delete, insert, select, update (permission)
    orgtrail_app team_members: delete, insert, select, update (role)
    orgtrail_app teams: delete, insert, select, update (name)
    orgtrail_app trail_days: select
    orgtrail_app trail_heads: insert, select, update (next_index, last_recorded_at)
    orgtrail_app trusted_documents: insert, select
    orgtrail_app trusted_manifests: insert, select
    orgtrail_app upkeep_jobs: insert, select, update (succeeded_at, problems)
    orgtrail_app users: insert, select, update (email, email_key, name, password_hash, password_changed_at, disabled_at)
    orgtrail_lookup access_tokens: select
    orgtrail_lookup events: select
    orgtrail_lookup events_default: select
    orgtrail_lookup invites: select
    orgtrail_lookup memberships: select
    orgtrail_lookup organization_slugs: select
    orgtrail_lookup organizations: select
    orgtrail_lookup prunings: select
    orgtrail_lookup trail_heads: select
    orgtrail_lookup users: select (id, disabled_at)
    orgtrail_verify event_positions: select
    orgtrail_verify events: select
    orgtrail_verify prunings: select
    orgtrail_verify trail_days: select
    orgtrail_verify trail_heads: select
    ");
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn everything_is_owned_by_the_owner(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let strays = lines(
        "select format('%s of %s', relname, relowner::regrole) from pg_class
        where relnamespace = 'orgtrail'::regnamespace and relowner <> 'orgtrail_owner'::regrole",
        &fixture.superuser,
    )
    .await;
    assert_eq!(strays, "");
}

/// The functions that see past row-level security, or act as the owner. Each has its own search path, or says the schema of every name: otherwise
/// its caller could choose what its names mean.
#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn functions_with_the_powers_of_others(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let found = lines(
        "select format('%s %s %s, executed by %s', proowner::regrole, proname, (select string_agg(setting, ', ') from unnest(proconfig) setting where setting ~ '^search_path='),
            (select string_agg(coalesce(nullif(grantee, 0)::regrole::text, 'EVERYBODY'), ', ') from aclexplode(proacl) where grantee <> proowner))
        from pg_proc where prosecdef and pronamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace) order by 1",
        &fixture.superuser,
    )
    .await;
    insta::assert_snapshot!(found, @r"
    orgtrail_lookup events_without_month search_path=orgtrail, pg_temp, executed by orgtrail_app
    orgtrail_lookup find_access_tokens , executed by orgtrail_app
    orgtrail_lookup find_invite search_path=orgtrail, pg_temp, executed by orgtrail_app
    orgtrail_lookup find_organization , executed by orgtrail_app
    orgtrail_lookup organizations_inviting search_path=orgtrail, pg_temp, executed by orgtrail_app
    orgtrail_lookup organizations_of_user , executed by orgtrail_app
    orgtrail_lookup search_events search_path=orgtrail, pg_temp, executed by orgtrail_app
    orgtrail_lookup trails search_path=orgtrail, pg_temp, executed by orgtrail_app
    orgtrail_lookup trails_recorded_since search_path=orgtrail, pg_temp, executed by orgtrail_app
    orgtrail_lookup trails_to_settle search_path=orgtrail, pg_temp, executed by orgtrail_app, orgtrail_owner
    orgtrail_owner count_into_days search_path=orgtrail, pg_temp, executed by 
    orgtrail_owner drop_month search_path=orgtrail, pg_temp, executed by orgtrail_app
    orgtrail_owner forget_records search_path=orgtrail, pg_temp, executed by orgtrail_app
    orgtrail_owner forget_sign_in_attempts search_path=orgtrail, pg_temp, executed by orgtrail_app
    orgtrail_owner forget_what_was_sent search_path=orgtrail, pg_temp, executed by orgtrail_app
    orgtrail_owner make_partitions search_path=orgtrail, pg_temp, executed by orgtrail_app
    orgtrail_owner settle_month search_path=orgtrail, pg_temp, executed by orgtrail_app
    ");
}

/// Equal to everything, found before the operators of Postgres, for whoever names no schema.
const HOSTILE: &str = "
    create schema hostile;
    create function hostile.yes(uuid, uuid) returns boolean language sql immutable as 'select true';
    create function hostile.yes(text, text) returns boolean language sql immutable as 'select true';
    create function hostile.yes(bytea, bytea) returns boolean language sql immutable as 'select true';
    create operator hostile.= (leftarg = uuid, rightarg = uuid, function = hostile.yes);
    create operator hostile.= (leftarg = text, rightarg = text, function = hostile.yes);
    create operator hostile.= (leftarg = bytea, rightarg = bytea, function = hostile.yes);
    create table hostile.organizations (like orgtrail.organizations);
    grant usage on schema hostile to public;
    grant select on hostile.organizations to public";

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn what_the_names_of_lookups_mean_cannot_be_chosen_by_their_caller(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let acme = fixture.organization("acme").await;
    fixture.organization("globex").await;
    let robot = Wanted::new("robot", &[Scope::AuditRead]);
    access_token::create(&fixture.platform, &acme.owner, "acme", None, robot).await.unwrap();
    sqlx::raw_sql(HOSTILE).execute(&fixture.superuser).await.unwrap();
    let mut app = fixture.platform.database.reads.acquire().await.unwrap();
    sqlx::raw_sql("set search_path = hostile, orgtrail, pg_catalog").execute(&mut *app).await.unwrap();
    let fooled: bool = sqlx::query_scalar("select 'a'::text = 'b'::text").fetch_one(&mut *app).await.unwrap();
    assert!(fooled, "the operator is found by who names no schema");
    for lookup in [
        "find_organization('nobody')",
        "organizations_of_user(gen_random_uuid())",
        "find_access_tokens(array['\\x00'::bytea])",
    ] {
        let statement = format!("select count(*) from orgtrail.{lookup}");
        let found: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(statement)).fetch_one(&mut *app).await.unwrap();
        assert_eq!(found, 0, "{lookup}");
    }
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn roles(superuser: PgPool) {
    let found = lines(
        "select concat_ws(' ', rolname, case when rolcanlogin then 'login' end, case when rolbypassrls then 'bypassrls' end, case when rolsuper then 'SUPERUSER' end,
            case when rolcreaterole then 'CREATEROLE' end, case when rolcreatedb then 'CREATEDB' end, case when rolreplication then 'REPLICATION' end,
            'member of ' || (select string_agg(roleid::regrole::text, ', ' order by roleid::regrole::text) from pg_auth_members where member = r.oid))
        from pg_roles r where rolname ~ '^orgtrail_' order by rolname",
        &superuser,
    )
    .await;
    insta::assert_snapshot!(found, @r"
    orgtrail_app login member of orgtrail_verify
    orgtrail_lookup bypassrls
    orgtrail_migrate login member of orgtrail_lookup, orgtrail_owner
    orgtrail_owner
    orgtrail_verify
    ");
}
