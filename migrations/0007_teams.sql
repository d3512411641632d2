-- Teams and their members: tenant tables under row-level security (R-23).
set local role orgtrail_owner;

create table orgtrail.teams (
    id              uuid primary key,
    organization_id uuid not null references orgtrail.organizations,
    name            text not null check (char_length(name) between 1 and 100),
    created_at      timestamptz not null default clock_timestamp(),
    unique (organization_id, id)
);
create unique index teams_name on orgtrail.teams (organization_id, lower(name)); -- two spellings are one team

-- No cascade: whoever removes a member, or a team, records for each row here that it is gone.
create table orgtrail.team_members (
    organization_id uuid not null,
    team_id         uuid not null,
    user_id         uuid not null,
    role            text not null check (role in ('maintainer', 'member')),
    created_at      timestamptz not null default clock_timestamp(),
    primary key (team_id, user_id),
    constraint team_members_team foreign key (organization_id, team_id) references orgtrail.teams (organization_id, id),
    constraint team_members_membership foreign key (organization_id, user_id) references orgtrail.memberships
);
create index on orgtrail.team_members (organization_id, user_id);

do $$
declare
    tenant_table text;
begin
    foreach tenant_table in array array['teams', 'team_members'] loop
        execute format('alter table orgtrail.%I enable row level security', tenant_table);
        execute format('alter table orgtrail.%I force row level security', tenant_table);
        execute format(
            'create policy tenant on orgtrail.%I using (organization_id = orgtrail.current_organization()) with check (organization_id = orgtrail.current_organization())',
            tenant_table);
        execute format(
            'create constraint trigger change_needs_event after insert or update or delete on orgtrail.%I
                deferrable initially deferred for each row execute function orgtrail.require_event()', tenant_table);
    end loop;
end
$$;

grant select, insert, delete, update (name) on orgtrail.teams to orgtrail_app;
grant select, insert, delete, update (role) on orgtrail.team_members to orgtrail_app;

reset role;
