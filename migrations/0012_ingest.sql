-- Events of other products: what was sent already, so that each is recorded once however often it is sent (contract §6, R-43).
set local role orgtrail_owner;

-- Requests by their key, with the answer that they got: an Idempotency-Key, or what a page gave its form.
create table orgtrail.ingest_requests (
    organization_id uuid not null references orgtrail.organizations,
    sender_id       uuid not null, -- an access token, or a user for the form of a page
    key             text not null check (octet_length(key) between 1 and 255),
    body_sha256     bytea not null check (octet_length(body_sha256) = 32),
    answer          json not null,
    received_at     timestamptz not null default clock_timestamp(),
    primary key (organization_id, sender_id, key)
);

-- Events by the ids that their senders gave them.
create table orgtrail.ingested_ids (
    organization_id uuid not null references orgtrail.organizations,
    client_id       text not null check (octet_length(client_id) between 1 and 256),
    sha256          bytea not null check (octet_length(sha256) = 32), -- of the event as it was sent
    event_id        uuid not null,
    index           bigint not null,
    primary key (organization_id, client_id)
);

do $$
declare
    tenant_table text;
begin
    foreach tenant_table in array array['ingest_requests', 'ingested_ids'] loop
        execute format('alter table orgtrail.%I enable row level security', tenant_table);
        execute format('alter table orgtrail.%I force row level security', tenant_table);
        execute format(
            'create policy tenant on orgtrail.%I using (organization_id = orgtrail.current_organization()) with check (organization_id = orgtrail.current_organization())',
            tenant_table);
    end loop;
end
$$;
grant select, insert on orgtrail.ingest_requests, orgtrail.ingested_ids to orgtrail_app;

reset role;
