-- Graphs, and what teams and access tokens may do with single ones.
set local role orgtrail_owner;

create table orgtrail.graphs (
    id              uuid primary key,
    organization_id uuid not null references orgtrail.organizations,
    slug            text not null check (slug ~ '^[a-z0-9](-?[a-z0-9])+$' and length(slug) <= 39),
    name            text not null check (char_length(name) between 1 and 100),
    description     text not null default '' check (char_length(description) <= 500),
    version         integer not null default 1, -- one more with every change: a form that shows another one is refused
    created_at      timestamptz not null default clock_timestamp(),
    constraint graphs_slug unique (organization_id, slug),
    unique (organization_id, id)
);

-- No cascade here and below: whoever deletes a graph, a team or a token records what ends with it.
create table orgtrail.access_token_graphs (
    organization_id uuid not null,
    access_token_id uuid not null,
    graph_id        uuid not null,
    permission      text not null check (permission in ('read', 'publish', 'admin')),
    created_at      timestamptz not null default clock_timestamp(),
    primary key (access_token_id, graph_id),
    -- With the organization in both: a token has no permission for a graph of another one.
    foreign key (organization_id, access_token_id) references orgtrail.access_tokens (organization_id, id),
    constraint access_token_graphs_graph foreign key (organization_id, graph_id) references orgtrail.graphs (organization_id, id)
);
create index on orgtrail.access_token_graphs (organization_id, graph_id);

-- What every member of a team may do with a graph.
create table orgtrail.team_graphs (
    organization_id uuid not null,
    team_id         uuid not null,
    graph_id        uuid not null,
    permission      text not null check (permission in ('read', 'publish', 'admin')),
    created_at      timestamptz not null default clock_timestamp(),
    primary key (team_id, graph_id),
    constraint team_graphs_team foreign key (organization_id, team_id) references orgtrail.teams (organization_id, id),
    foreign key (organization_id, graph_id) references orgtrail.graphs (organization_id, id)
);
create index on orgtrail.team_graphs (organization_id, graph_id);

do $$
declare
    tenant_table text;
begin
    foreach tenant_table in array array['graphs', 'access_token_graphs', 'team_graphs'] loop
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

grant select, insert, delete, update (slug, name, description, version) on orgtrail.graphs to orgtrail_app;
grant select, insert, delete, update (permission) on orgtrail.access_token_graphs to orgtrail_app;
grant select, insert, delete, update (permission) on orgtrail.team_graphs to orgtrail_app;

reset role;
