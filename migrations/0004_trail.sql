-- The trail: immutable events, partitioned by month of recorded_at (contract §9, ADR 0003).
set local role orgtrail_owner;

create table orgtrail.events (
    organization_id          uuid not null,
    index                    bigint not null check (index >= 0),
    id                       uuid not null,
    kind                     text not null check (kind in ('change', 'login', 'operation', 'export')),
    action                   text not null check (octet_length(action) <= 100),
    occurred_at              timestamptz not null,
    recorded_at              timestamptz not null,
    actor_user_id            text,
    actor_user_name          text,
    actor_user_email         text,
    actor_access_token_id    text,
    actor_access_token_name  text,
    object_type              text not null,
    object_id                text collate "C", -- the index finds what begins with an id
    object_name              text,
    outcome                  text not null check (outcome in ('success', 'failure', 'denied', 'empty', 'aborted')),
    previous                 json, -- json, not jsonb: kept byte for byte
    next                     json,
    ip                       text,
    user_agent               text,
    request_id               text,
    source_access_token_id   uuid,  -- the token that sent another product's event
    operation_name           text,
    operation_text           text,
    operation_variables      json,
    operation_root_fields    text[],
    operation_document_sha256 bytea,
    login_method             text,
    login_email              text,
    export_model             text,
    export_rows              bigint,
    export_sha256            bytea,
    export_of_demo           boolean not null default false, -- of a demonstration's model: not among an organization's exports (contract §5)
    csv_safe_length          integer not null, -- bytes of the event's nine-column record, CRLF included, in the two escapings (R-33a)
    csv_raw_length           integer not null,
    words                    tsvector not null, -- what a search finds it by, cut by the writer: parsing it here costs six times the insert
    -- An attempt to sign in may be nobody's; everything else was done by somebody.
    constraint events_have_an_actor check (kind = 'login' or actor_user_id is not null or actor_access_token_id is not null)
) partition by range (recorded_at);

-- What a partitioned table cannot promise: gap-free positions and unique ids. The hash of each event will live here.
create table orgtrail.event_positions (
    organization_id uuid not null,
    index           bigint not null,
    event_id        uuid not null unique,
    recorded_at     timestamptz not null,
    primary key (organization_id, index)
);

-- The order of pages and exports, by each thing that a picker filters. The included columns let counts and combined filters be
-- answered from the index alone. They rise, though the newest come first everywhere: what is added then goes to the end of an index, which
-- leaves its pages full; at the beginning every page would be split into halves.
create index events_by_kind on orgtrail.events (organization_id, kind, occurred_at, index)
    include (csv_safe_length, csv_raw_length);
create index events_by_action on orgtrail.events (organization_id, action, occurred_at, index)
    include (kind, csv_safe_length, csv_raw_length);
create index events_by_user on orgtrail.events (organization_id, actor_user_id, occurred_at, index)
    include (kind, action, csv_safe_length, csv_raw_length) where actor_user_id is not null;
create index events_by_access_token on orgtrail.events (organization_id, actor_access_token_id, occurred_at, index)
    include (kind, action, csv_safe_length, csv_raw_length) where actor_access_token_id is not null;
create index events_by_object on orgtrail.events (organization_id, object_type, object_id, occurred_at, index);
create index events_by_type on orgtrail.events (organization_id, object_type, kind, occurred_at, index)
    include (csv_safe_length, csv_raw_length);
create index events_by_position on orgtrail.events (organization_id, index);

-- The exports that count, in the order of pages: those that took nothing out, or out of a demonstration, may be many between them.
create index events_exported on orgtrail.events (organization_id, occurred_at, index) where export_rows > 0 and not export_of_demo;

create index events_by_words on orgtrail.events using gin (words);

-- What each day of a trail holds, by kind: so that the exact length of an export costs what its days are, not what its events are
-- (ADR 0017). Written by the database itself with every append; nobody else can.
create table orgtrail.trail_days (
    organization_id uuid not null,
    day             date not null, -- of occurred_at, in UTC
    kind            text not null,
    events          bigint not null,
    csv_safe_bytes  bigint not null,
    csv_raw_bytes   bigint not null,
    primary key (organization_id, day, kind)
) with (fillfactor = 50); -- a day in progress is written again and again: its row finds room on its page

create function orgtrail.count_into_days() returns trigger
    language plpgsql security definer set search_path = orgtrail, pg_temp as $$
begin
    insert into orgtrail.trail_days as day (organization_id, day, kind, events, csv_safe_bytes, csv_raw_bytes)
    select organization_id, (occurred_at at time zone 'UTC')::date, kind, count(*), sum(csv_safe_length), sum(csv_raw_length)
    from appended
    group by 1, 2, 3
    on conflict (organization_id, day, kind) do update set
        events = day.events + excluded.events,
        csv_safe_bytes = day.csv_safe_bytes + excluded.csv_safe_bytes,
        csv_raw_bytes = day.csv_raw_bytes + excluded.csv_raw_bytes;
    return null;
end
$$;
revoke all on function orgtrail.count_into_days() from public;
create trigger counted_into_days after insert on orgtrail.events
    referencing new table as appended for each statement execute function orgtrail.count_into_days();
alter table orgtrail.events enable always trigger counted_into_days;

alter table orgtrail.trail_days enable row level security;
alter table orgtrail.trail_days force row level security;
create policy tenant on orgtrail.trail_days
    using (organization_id = orgtrail.current_organization()) with check (organization_id = orgtrail.current_organization());
grant select on orgtrail.trail_days to orgtrail_app;

reset role;
