-- Graphs, as far as access tokens need them to have permissions for, and those permissions.
set local role orgtrail_owner;

create table orgtrail.graphs (
    id              uuid primary key,
    organization_id uuid not null references orgtrail.organizations,
    slug            text not null check (slug ~ '^[a-z0-9](-?[a-z0-9])+$' and length(slug) <= 39),
    name            text not null check (char_length(name) between 1 and 100),
    description     text not null default '',
    created_at      timestamptz not null default clock_timestamp(),
    unique (organization_id, slug),
    unique (organization_id, id)
);

create table orgtrail.access_token_graphs (
    organization_id uuid not null,
    access_token_id uuid not null,
    graph_id        uuid not null,
    permission      text not null check (permission in ('read', 'publish', 'admin')),
    created_at      timestamptz not null default clock_timestamp(),
    primary key (access_token_id, graph_id),
    -- With the organization in both: a token has no permission for a graph of another one.
    foreign key (organization_id, access_token_id) references orgtrail.access_tokens (organization_id, id),
    foreign key (organization_id, graph_id) references orgtrail.graphs (organization_id, id)
);
create index on orgtrail.access_token_graphs (organization_id, graph_id);

do $$
declare
    tenant_table text;
begin
    foreach tenant_table in array array['graphs', 'access_token_graphs'] loop
        execute format('alter table orgtrail.%I enable row level security', tenant_table);
        execute format('alter table orgtrail.%I force row level security', tenant_table);
        execute format(
            'create policy tenant on orgtrail.%I using (organization_id = orgtrail.current_organization()) with check (organization_id = orgtrail.current_organization())',
            tenant_table);
        execute format(
            'create constraint trigger change_needs_event after insert or update or delete on orgtrail.%I deferrable initially deferred for each row execute function orgtrail.require_event()',
            tenant_table);
    end loop;
end
$$;

grant select, insert on orgtrail.graphs to orgtrail_app;
grant select, insert, delete, update (permission) on orgtrail.access_token_graphs to orgtrail_app;

reset role;
