-- Models, and the records that they hold.
set local role orgtrail_owner;

create table orgtrail.models (
    id              uuid primary key,
    organization_id uuid not null references orgtrail.organizations,
    name            text not null check (name ~ '^[a-z0-9](-?[a-z0-9])+$' and length(name) <= 39),
    description     text not null default '' check (char_length(description) <= 500),
    demo            boolean not null default false, -- a demonstration's: its exports are not among the organization's (contract §5)
    records         bigint not null default 0,      -- how many were added, which is the number of the next one
    forgotten       bigint not null default 0,      -- how many of them were older than what is kept, and went
    created_at      timestamptz not null default clock_timestamp(),
    constraint models_name unique (organization_id, name),
    unique (organization_id, id)
);

-- Records are numbered in the order in which they arrive, and never change: what an export was fixed to stays what it was.
create table orgtrail.model_records (
    organization_id uuid not null,
    model_id        uuid not null,
    number          bigint not null check (number >= 0),
    occurred_at     timestamptz not null, -- the record's own time
    content         json not null,        -- json, not jsonb: kept byte for byte
    csv_safe_length integer not null,     -- bytes of the record in the forms of an export (R-33a)
    csv_raw_length  integer not null,
    ndjson_length   integer not null,
    primary key (model_id, number),
    foreign key (organization_id, model_id) references orgtrail.models (organization_id, id) on delete cascade
);
-- The order of pages and exports. It rises, as the indexes of the trail do, and counts are answered from it alone.
create index model_records_by_time on orgtrail.model_records (organization_id, model_id, occurred_at, number)
    include (csv_safe_length, csv_raw_length, ndjson_length);

-- Records come only together with a change of their model's count, which needs an event: so none arrives in silence.
create function orgtrail.require_counted() returns trigger language plpgsql as $$
begin
    if exists (
        select from added
        where not exists (select from orgtrail.models model
            where model.id = added.model_id and model.xmin = pg_current_xact_id()::xid and added.number < model.records)
    ) then
        raise exception 'records are counted by their model in the transaction that adds them'
            using errcode = 'integrity_constraint_violation', constraint = 'records_are_counted';
    end if;
    return null;
end
$$;
create trigger records_are_counted after insert on orgtrail.model_records
    referencing new table as added for each statement execute function orgtrail.require_counted();
create constraint trigger change_needs_event after insert or update or delete on orgtrail.models
    deferrable initially deferred for each row execute function orgtrail.require_event();

do $$
declare
    tenant_table text;
begin
    foreach tenant_table in array array['models', 'model_records'] loop
        execute format('alter table orgtrail.%I enable row level security', tenant_table);
        execute format('alter table orgtrail.%I force row level security', tenant_table);
        execute format(
            'create policy tenant on orgtrail.%I using (organization_id = orgtrail.current_organization()) with check (organization_id = orgtrail.current_organization())',
            tenant_table);
    end loop;
end
$$;

grant select, insert, delete, update (records, forgotten) on orgtrail.models to orgtrail_app;
grant select, insert on orgtrail.model_records to orgtrail_app;

reset role;
