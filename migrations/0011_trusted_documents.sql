-- Trusted documents: the operations that clients of a branch may send, as their manifests brought them.
set local role orgtrail_owner;

create table orgtrail.trusted_manifests (
    organization_id uuid not null,
    branch_id       uuid not null,
    client          text not null check (char_length(client) between 1 and 100),
    number          integer not null,
    sha256          bytea not null check (octet_length(sha256) = 32),
    bytes           integer not null,
    format          text not null check (format in ('apollo', 'relay')),
    documents       integer not null,
    new_documents   integer not null,
    supergraph      integer not null, -- against which they were validated
    submitted_at    timestamptz not null default clock_timestamp(),
    submitted_by    text not null, -- name at the time
    primary key (branch_id, client, number),
    foreign key (organization_id, branch_id) references orgtrail.branches (organization_id, id) on delete cascade
);

-- Each document once for a client, with the manifest that brought it first. Its id stands for one text for good.
create table orgtrail.trusted_documents (
    organization_id uuid not null,
    branch_id       uuid not null,
    client          text not null,
    document_id     text not null check (char_length(document_id) between 1 and 200),
    kind            text not null check (kind in ('query', 'mutation', 'subscription')),
    name            text not null, -- of the operation; empty if it has none
    sha256          bytea not null,
    manifest        integer not null,
    primary key (branch_id, client, document_id),
    foreign key (branch_id, client, manifest) references orgtrail.trusted_manifests on delete cascade,
    constraint trusted_documents_text foreign key (organization_id, sha256) references orgtrail.graph_texts
);
create index on orgtrail.trusted_documents (organization_id, sha256);

do $$
declare
    tenant_table text;
begin
    foreach tenant_table in array array['trusted_manifests', 'trusted_documents'] loop
        execute format('alter table orgtrail.%I enable row level security', tenant_table);
        execute format('alter table orgtrail.%I force row level security', tenant_table);
        execute format(
            'create policy tenant on orgtrail.%I using (organization_id = orgtrail.current_organization()) with check (organization_id = orgtrail.current_organization())',
            tenant_table);
    end loop;
end
$$;
-- Documents come and go with their manifest.
create constraint trigger change_needs_event after insert or update or delete on orgtrail.trusted_manifests
    deferrable initially deferred for each row execute function orgtrail.require_event();

grant select, insert on orgtrail.trusted_manifests, orgtrail.trusted_documents to orgtrail_app;

reset role;
