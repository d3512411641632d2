-- What guards the schema, a line for each table, trigger, grant, function and role. Bodies of functions are hashed as they were written.
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
    select format('function %s(%s) of %s%s, settings %s, executed by %s, body %s', f.proname, pg_get_function_identity_arguments(f.oid), f.proowner::regrole,
        case when f.prosecdef then ' with its powers' else '' end,
        coalesce((select string_agg(setting, '; ' order by setting) from unnest(f.proconfig) as setting), 'none'),
        coalesce((select string_agg(coalesce(nullif(acl.grantee, 0)::regrole::text, 'everybody'), ', ' order by acl.grantee::regrole::text)
            from aclexplode(coalesce(f.proacl, acldefault('f', f.proowner))) acl where acl.grantee <> f.proowner), 'nobody else'),
        encode(sha256(convert_to(f.prosrc, 'UTF8')), 'hex'))
    from pg_proc f where f.pronamespace = 'orgtrail'::regnamespace
    union all
    select concat_ws(' ', 'role', rolname, case when rolcanlogin then 'login' end, case when rolbypassrls then 'bypassrls' end,
        case when rolsuper then 'SUPERUSER' end, case when rolcreaterole then 'CREATEROLE' end, case when rolreplication then 'REPLICATION' end)
    from pg_roles where rolname in ('orgtrail_app', 'orgtrail_lookup', 'orgtrail_owner')
) as guards (line)
order by line collate "C"
