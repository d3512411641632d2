-- Branches of graphs, their subgraphs with every version of them, and what these are composed to.
set local role orgtrail_owner;

-- Schemas, and whatever else is as large: each text once in an organization, however many versions and branches have it.
create table orgtrail.graph_texts (
    organization_id uuid not null references orgtrail.organizations,
    sha256          bytea not null check (octet_length(sha256) = 32),
    bytes           integer not null,
    content         text not null,
    primary key (organization_id, sha256)
);

-- Whatever belongs to a graph goes with it, and what belongs to a branch with that: `graph.deleted` and `branch.deleted` say so.
create table orgtrail.branches (
    id              uuid primary key,
    organization_id uuid not null,
    graph_id        uuid not null,
    name            text not null check (name ~ '^[A-Za-z0-9][A-Za-z0-9._-]*$' and length(name) <= 60),
    protected       boolean not null default false,
    version         integer not null default 1, -- one more with every change of its settings: a form that shows another one is refused
    composed        integer not null default 0, -- one more with every change of what is composed
    supergraph      integer, -- the present one; null: there are no subgraphs
    created_at      timestamptz not null default clock_timestamp(),
    constraint branches_name unique (graph_id, name),
    unique (organization_id, id),
    foreign key (organization_id, graph_id) references orgtrail.graphs (organization_id, id) on delete cascade
);
create index on orgtrail.branches (organization_id, graph_id);

create table orgtrail.subgraphs (
    id              uuid primary key,
    organization_id uuid not null,
    branch_id       uuid not null,
    name            text not null check (name ~ '^[A-Za-z][A-Za-z0-9-]*$' and length(name) <= 60),
    url             text not null default '' check (length(url) <= 2000),
    owner_team      uuid,
    number          integer not null, -- the present version of its schema
    version         integer not null default 1, -- one more with every change of its settings: a form that shows another one is refused
    created_at      timestamptz not null default clock_timestamp(),
    unique (organization_id, id),
    foreign key (organization_id, branch_id) references orgtrail.branches (organization_id, id) on delete cascade,
    constraint subgraphs_owner_team foreign key (organization_id, owner_team) references orgtrail.teams (organization_id, id)
);
-- A supergraph writes names in capitals: two spellings are one subgraph.
create unique index subgraphs_name on orgtrail.subgraphs (branch_id, lower(name));
create index on orgtrail.subgraphs (organization_id, owner_team);

create table orgtrail.subgraph_versions (
    organization_id uuid not null,
    subgraph_id     uuid not null,
    number          integer not null,
    sha256          bytea not null,
    url             text not null, -- where it was served when it was published
    published_at    timestamptz not null default clock_timestamp(),
    published_by    text not null, -- name at the time
    primary key (subgraph_id, number),
    foreign key (organization_id, subgraph_id) references orgtrail.subgraphs (organization_id, id) on delete cascade,
    constraint subgraph_versions_text foreign key (organization_id, sha256) references orgtrail.graph_texts
);
create index on orgtrail.subgraph_versions (organization_id, sha256);

create table orgtrail.supergraphs (
    organization_id uuid not null,
    branch_id       uuid not null,
    number          integer not null,
    sha256          bytea not null, -- with the directives of federation
    api_sha256      bytea not null, -- as clients see it
    composed_at     timestamptz not null default clock_timestamp(),
    composed_by     text not null, -- name at the time
    primary key (branch_id, number),
    foreign key (organization_id, branch_id) references orgtrail.branches (organization_id, id) on delete cascade,
    constraint supergraphs_text foreign key (organization_id, sha256) references orgtrail.graph_texts,
    constraint supergraphs_api_text foreign key (organization_id, api_sha256) references orgtrail.graph_texts
);
create index on orgtrail.supergraphs (organization_id, sha256);
create index on orgtrail.supergraphs (organization_id, api_sha256);

-- Which versions of which subgraphs a supergraph was made of; it outlives the subgraphs.
create table orgtrail.supergraph_parts (
    organization_id uuid not null,
    branch_id       uuid not null,
    supergraph      integer not null,
    name            text not null,
    number          integer not null,
    sha256          bytea not null,
    url             text not null,
    primary key (branch_id, supergraph, name),
    foreign key (branch_id, supergraph) references orgtrail.supergraphs on delete cascade,
    constraint supergraph_parts_text foreign key (organization_id, sha256) references orgtrail.graph_texts
);
create index on orgtrail.supergraph_parts (organization_id, sha256);

do $$
declare
    tenant_table text;
begin
    foreach tenant_table in array array['graph_texts', 'branches', 'subgraphs', 'subgraph_versions', 'supergraphs', 'supergraph_parts'] loop
        execute format('alter table orgtrail.%I enable row level security', tenant_table);
        execute format('alter table orgtrail.%I force row level security', tenant_table);
        execute format(
            'create policy tenant on orgtrail.%I using (organization_id = orgtrail.current_organization()) with check (organization_id = orgtrail.current_organization())',
            tenant_table);
    end loop;
    -- A text means nothing by itself, and parts belong to their supergraph.
    foreach tenant_table in array array['branches', 'subgraphs', 'subgraph_versions', 'supergraphs'] loop
        execute format(
            'create constraint trigger change_needs_event after insert or update or delete on orgtrail.%I deferrable initially deferred for each row execute function orgtrail.require_event()',
            tenant_table);
    end loop;
end
$$;

grant select, insert, delete, update (bytes) on orgtrail.graph_texts to orgtrail_app; -- update: to lock rows
grant select, insert, delete, update (name, protected, version, composed, supergraph) on orgtrail.branches to orgtrail_app;
grant select, insert, delete, update (url, owner_team, number, version) on orgtrail.subgraphs to orgtrail_app;
grant select, insert on orgtrail.subgraph_versions, orgtrail.supergraphs, orgtrail.supergraph_parts to orgtrail_app;

reset role;
