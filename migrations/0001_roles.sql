-- The roles (contract §9) and the schema. Idempotent: roles belong to the whole cluster, and several databases may be migrated at once.
-- Run by a superuser, or, where the operator made the roles, by orgtrail_migrate.
do $$
declare
    wanted record;
begin
    for wanted in
        select * from (values
            ('orgtrail_owner', 'nologin'),           -- owns everything, nobody signs in as it
            ('orgtrail_lookup', 'nologin bypassrls'), -- owns the few functions that must see across organizations
            ('orgtrail_verify', 'nologin'),          -- what the server becomes to read trails again: it can read them, and nothing else
            ('orgtrail_migrate', 'login'),            -- used by `orgtrail migrate` only
            ('orgtrail_app', 'login')                 -- the running server: owns nothing
        ) as roles (name, attributes)
    loop
        if not exists (select from pg_roles where rolname = wanted.name) then
            begin
                execute format('create role %I %s', wanted.name, wanted.attributes);
            exception when duplicate_object or unique_violation then
                null; -- another database's migration was faster
            end;
        end if;
    end loop;
end
$$;

do $$
begin
    if not pg_has_role('orgtrail_migrate', 'orgtrail_owner', 'member') then
        grant orgtrail_owner to orgtrail_migrate;
    end if;
    if not pg_has_role('orgtrail_migrate', 'orgtrail_lookup', 'member') then
        grant orgtrail_lookup to orgtrail_migrate;
    end if;
    if not pg_has_role('orgtrail_app', 'orgtrail_verify', 'member') then
        grant orgtrail_verify to orgtrail_app;
    end if;
exception when duplicate_object or unique_violation then
    null;
when others then
    if sqlerrm not like '%concurrently updated%' then
        raise;
    end if;
end
$$;

create schema if not exists orgtrail authorization orgtrail_owner;
grant usage on schema orgtrail to orgtrail_app, orgtrail_verify;
grant usage, create on schema orgtrail to orgtrail_lookup; -- create: to own its functions
