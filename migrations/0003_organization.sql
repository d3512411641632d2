-- Organizations, members, access tokens: tenant tables under row-level security (R-23).
set local role orgtrail_owner;

-- The organization of the running transaction; nothing where none was set. Parallel safe: what is read under a policy that calls it could
-- not be counted on two cores otherwise.
create function orgtrail.current_organization() returns uuid language sql stable parallel safe as $$
    select nullif(current_setting('app.organization_id', true), '')::uuid
$$;

-- Every slug ever used: a retired one stays reserved and redirects (contract §1).
create table orgtrail.organizations (
    id         uuid primary key,
    slug       text not null,
    name       text not null check (char_length(name) between 1 and 100),
    created_at timestamptz not null default clock_timestamp()
);
create table orgtrail.organization_slugs (
    slug            text primary key check (slug ~ '^[a-z0-9](-?[a-z0-9])+$' and length(slug) <= 39),
    organization_id uuid not null references orgtrail.organizations,
    retired_at      timestamptz
);
create unique index organization_slugs_one_current on orgtrail.organization_slugs (organization_id) where retired_at is null;
alter table orgtrail.organizations add constraint organizations_slug_reserved
    foreign key (slug) references orgtrail.organization_slugs deferrable initially deferred;

create table orgtrail.memberships (
    organization_id uuid not null references orgtrail.organizations,
    user_id         uuid not null references orgtrail.users,
    role            text not null check (role in ('owner', 'admin', 'member')),
    created_at      timestamptz not null default clock_timestamp(),
    primary key (organization_id, user_id)
);
create index on orgtrail.memberships (user_id);

create table orgtrail.access_tokens (
    id              uuid primary key,
    organization_id uuid not null references orgtrail.organizations,
    name            text not null check (char_length(name) between 1 and 100),
    secret_sha256   bytea not null unique check (octet_length(secret_sha256) = 32),
    scopes          text[] not null,
    addresses       text[] not null default '{}', -- networks from which it is good; none: from everywhere (R-07)
    created_by      uuid references orgtrail.users, -- null: made on the command line by the operator
    created_at      timestamptz not null default clock_timestamp(),
    expires_at      timestamptz,
    revoked_at      timestamptz,
    rotated_at      timestamptz, -- when its secret was last replaced
    version         integer not null default 1, -- one more with every change: a form that shows another one is refused
    last_used_at    timestamptz,
    last_used_ip    text,
    form_id         uuid,        -- of the form that made it: sent twice, it makes one
    unique (organization_id, id),
    constraint access_tokens_form unique (organization_id, form_id)
);

-- The head of each trail: locked last in a transaction, it gives the next index and a rising time.
create table orgtrail.trail_heads (
    organization_id  uuid primary key references orgtrail.organizations,
    next_index       bigint not null default 0,
    last_recorded_at timestamptz not null default '-infinity'
);

-- Sign-in attempts that wait to be copied into a trail: one row for each trail, so that one that cannot be written holds up no other.
-- Deleted when the copy is made. The server's own list of what to do, read across organizations: not a tenant table.
create table orgtrail.sign_in_copies (
    trail      uuid not null references orgtrail.trail_heads,
    attempt_id uuid not null references orgtrail.sign_in_attempts,
    of_member  boolean not null, -- or else of somebody who is only invited: of them the trail is told less
    primary key (trail, attempt_id)
);

alter table orgtrail.organizations enable row level security;
alter table orgtrail.organizations force row level security;
create policy tenant on orgtrail.organizations
    using (id = orgtrail.current_organization()) with check (id = orgtrail.current_organization());

do $$
declare
    tenant_table text;
begin
    foreach tenant_table in array array['organization_slugs', 'memberships', 'access_tokens', 'trail_heads'] loop
        execute format('alter table orgtrail.%I enable row level security', tenant_table);
        execute format('alter table orgtrail.%I force row level security', tenant_table);
        execute format(
            'create policy tenant on orgtrail.%I using (organization_id = orgtrail.current_organization()) with check (organization_id = orgtrail.current_organization())',
            tenant_table);
    end loop;
end
$$;

-- R-41: a transaction that changed one of these rows must have appended to the trail of its organization. Whoever appends holds the head
-- until the end, so the newest event tells: nobody's word is taken for it, and nothing but an event makes it true.
create function orgtrail.require_event() returns trigger language plpgsql as $$
declare
    changed uuid := case
        when tg_table_name = 'organizations' then (to_jsonb(coalesce(new, old)) ->> 'id')::uuid
        else (to_jsonb(coalesce(new, old)) ->> 'organization_id')::uuid
    end;
begin
    if not exists (
        select from orgtrail.trail_heads head
        join orgtrail.event_positions newest on newest.organization_id = head.organization_id and newest.index = head.next_index - 1
        join orgtrail.events event
            on event.organization_id = newest.organization_id and event.index = newest.index and event.recorded_at = newest.recorded_at
        where head.organization_id = changed and event.xmin = pg_current_xact_id()::xid
    ) then
        raise exception 'a change of % must be recorded in the trail by the same transaction', tg_table_name
            using errcode = 'integrity_constraint_violation', constraint = 'change_without_event';
    end if;
    return null;
end
$$;
create constraint trigger change_needs_event after insert or update or delete on orgtrail.organizations
    deferrable initially deferred for each row execute function orgtrail.require_event();
create constraint trigger change_needs_event after insert or update or delete on orgtrail.memberships
    deferrable initially deferred for each row execute function orgtrail.require_event();
create constraint trigger change_needs_event after insert or delete or update of name, secret_sha256, scopes, addresses, created_by, expires_at, revoked_at, rotated_at, version
    on orgtrail.access_tokens deferrable initially deferred for each row execute function orgtrail.require_event();

-- Contract §1: at least one owner always remains. Deferred, so that it looks after the head lock has put concurrent changes in order.
create function orgtrail.require_owner() returns trigger language plpgsql as $$
begin
    if not exists (select from orgtrail.memberships where organization_id = old.organization_id and role = 'owner') then
        raise exception 'the last owner of an organization stays'
            using errcode = 'integrity_constraint_violation', constraint = 'last_owner_stays';
    end if;
    return null;
end
$$;
create constraint trigger last_owner_stays after update or delete on orgtrail.memberships
    deferrable initially deferred for each row when (old.role = 'owner') execute function orgtrail.require_owner();

grant select, insert, update (slug, name) on orgtrail.organizations to orgtrail_app;
grant select, insert, update (retired_at) on orgtrail.organization_slugs to orgtrail_app;
grant select, insert, delete, update (role) on orgtrail.memberships to orgtrail_app;
grant select, insert, update (name, secret_sha256, scopes, addresses, created_by, expires_at, revoked_at, rotated_at, version, last_used_at, last_used_ip) on orgtrail.access_tokens to orgtrail_app;
grant select, insert, update (next_index, last_recorded_at) on orgtrail.trail_heads to orgtrail_app;
grant select, insert, delete, update (attempt_id) on orgtrail.sign_in_copies to orgtrail_app; -- update: to lock rows
grant select on orgtrail.organizations, orgtrail.organization_slugs, orgtrail.memberships, orgtrail.access_tokens to orgtrail_lookup;
grant select (id, disabled_at) on orgtrail.users to orgtrail_lookup;
grant execute on function orgtrail.current_organization() to orgtrail_lookup;

reset role;
