-- What guards the schema, a line for each table, trigger, rule, grant, function and role, and for each power over them that a role has from another.
-- Bodies of functions are hashed as they were written.
select line as "line!" from (
    select format('table %s of %s, %s: %s', c.relname, c.relowner::regrole,
        case when relforcerowsecurity and relrowsecurity then 'row security forced' when relrowsecurity then 'row security NOT FORCED' else 'no row security' end,
        coalesce((select string_agg(format('%s %s for %s to %s using %s check %s', p.permissive, p.policyname, p.cmd, p.roles, p.qual, p.with_check), '; ' order by p.policyname)
            from pg_policies p where p.schemaname = 'orgtrail' and p.tablename = c.relname), 'no policy')) as line
    from pg_class c where c.relnamespace = 'orgtrail'::regnamespace and c.relkind in ('r', 'p', 'v', 'm')
    union all
    select format('trigger %s, %s', case tgenabled when 'A' then 'always' when 'O' then 'enabled' else 'NOT ENABLED' end, pg_get_triggerdef(t.oid))
    from pg_trigger t join pg_class c on c.oid = t.tgrelid
    where c.relnamespace = 'orgtrail'::regnamespace and not tgisinternal
    union all
    select format('grant %s on table %s to %s', string_agg(lower(acl.privilege_type), ', ' order by acl.privilege_type), c.relname,
        coalesce(nullif(acl.grantee, 0)::regrole::text, 'EVERYBODY'))
    from pg_class c, aclexplode(c.relacl) acl
    where c.relnamespace = 'orgtrail'::regnamespace and acl.grantee <> c.relowner
    group by c.relname, acl.grantee
    union all
    select format('grant %s (%s) on table %s to %s', lower(acl.privilege_type), string_agg(a.attname, ', ' order by a.attname), c.relname,
        coalesce(nullif(acl.grantee, 0)::regrole::text, 'EVERYBODY'))
    from pg_attribute a join pg_class c on c.oid = a.attrelid, aclexplode(a.attacl) acl
    where c.relnamespace = 'orgtrail'::regnamespace and acl.grantee <> c.relowner
    group by c.relname, acl.grantee, acl.privilege_type
    union all
    select format('schema of %s', nspowner::regrole) from pg_namespace where nspname = 'orgtrail'
    union all
    select format('grant %s on schema to %s', string_agg(lower(acl.privilege_type), ', ' order by acl.privilege_type),
        coalesce(nullif(acl.grantee, 0)::regrole::text, 'EVERYBODY'))
    from pg_namespace n, aclexplode(n.nspacl) acl
    where n.nspname = 'orgtrail' and acl.grantee <> n.nspowner
    group by acl.grantee
    union all
    -- What will be granted on what is made later: each new month would have it.
    select format('default privileges of %s on what is %s: %s', defaclrole::regrole, defaclobjtype, defaclacl)
    from pg_default_acl where defaclrole in (select oid from pg_roles where rolname in ('orgtrail_lookup', 'orgtrail_owner'))
    union all
    select format('rule %s on table %s: %s', rulename, tablename, definition) from pg_rules where schemaname = 'orgtrail'
    union all
    select format('function %s(%s) of %s%s, settings %s, executed by %s, body %s', f.proname, pg_get_function_identity_arguments(f.oid), f.proowner::regrole,
        case when f.prosecdef then ' with its powers' else '' end,
        coalesce((select string_agg(setting, '; ' order by setting) from unnest(f.proconfig) as setting), 'none'),
        coalesce((select string_agg(coalesce(nullif(acl.grantee, 0)::regrole::text, 'everybody'), ', ' order by acl.grantee::regrole::text)
            from aclexplode(coalesce(f.proacl, acldefault('f', f.proowner))) acl where acl.grantee <> f.proowner), 'nobody else'),
        encode(sha256(convert_to(f.prosrc, 'UTF8')), 'hex'))
    from pg_proc f where f.pronamespace = 'orgtrail'::regnamespace
    union all
    -- Whether the two that are signed in as may sign in is the operator's to choose: a server may have a role of its own that is a member.
    select concat_ws(' ', 'role', rolname, case when rolcanlogin and rolname in ('orgtrail_lookup', 'orgtrail_owner', 'orgtrail_verify') then 'LOGIN' end,
        case when rolbypassrls then 'bypassrls' end, case when rolsuper then 'SUPERUSER' end, case when rolcreaterole then 'CREATEROLE' end,
        case when rolreplication then 'REPLICATION' end)
    from pg_roles where rolname in ('orgtrail_app', 'orgtrail_lookup', 'orgtrail_migrate', 'orgtrail_owner', 'orgtrail_verify')
    union all
    -- Who may become the owner, and what else one of ours may become. Of superusers, and of roles with CREATEROLE, as a managed Postgres has them for its
    -- administrators, nothing is told: they can make themselves members, and the latter are members of each role that they made from PostgreSQL 16 on.
    select format('role %s is a member of %s', member.rolname, power.rolname)
    from pg_roles member join pg_roles power on power.oid <> member.oid and pg_has_role(member.oid, power.oid, 'member')
    where not member.rolsuper and not member.rolcreaterole
        and (member.rolname, power.rolname) not in (('orgtrail_migrate', 'orgtrail_lookup'), ('orgtrail_migrate', 'orgtrail_owner'))
        and (power.rolname in ('orgtrail_lookup', 'orgtrail_migrate', 'orgtrail_owner')
            or power.rolname = 'orgtrail_verify' and not pg_has_role(member.oid, 'orgtrail_app', 'member')
            or member.rolname in ('orgtrail_app', 'orgtrail_lookup', 'orgtrail_migrate', 'orgtrail_owner', 'orgtrail_verify')
                and (power.rolsuper or power.rolcreaterole or power.rolbypassrls or power.rolreplication
                    or power.rolname in ('pg_read_all_data', 'pg_write_all_data', 'pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program')))
) as guards (line)
order by line collate "C"
