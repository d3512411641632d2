-- Upkeep: what one server of several does now and then, and what may be forgotten. Nothing younger than the floor of 90 days is, whoever asks
-- and whatever the server says the time is: that is decided here, by the database's clock (ADR 0025).
set local role orgtrail_owner;

-- When each job was last done, so that several servers, and one that was started anew, do it once in its time.
create table orgtrail.upkeep_jobs (
    job          text primary key,
    succeeded_at timestamptz not null
);
grant select, insert, update (succeeded_at) on orgtrail.upkeep_jobs to orgtrail_app;

-- The moment before which something may be forgotten: `retention_days` ago, and never less than the floor.
create function orgtrail.forgotten_before(retention_days integer) returns timestamptz language sql stable as $$
    select now() - greatest(retention_days, 90) * interval '1 day'
$$;

-- Forgets attempts to sign in whose copies are in the trails; at most so many. Answers how many it forgot.
create function orgtrail.forget_sign_in_attempts(retention_days integer, most integer) returns bigint
    language plpgsql security definer set search_path = orgtrail, pg_temp as $$
declare
    forgotten bigint;
begin
    delete from orgtrail.sign_in_attempts where id in (
        select id from orgtrail.sign_in_attempts old
        where attempted_at < orgtrail.forgotten_before(retention_days) and sorted_at is not null
            and not exists (select from orgtrail.sign_in_copies where attempt_id = old.id)
        order by id limit most);
    get diagnostics forgotten = row_count;
    return forgotten;
end
$$;

-- The months of a trail that were settled: what they held has left the sums of its days, an event says so, and their partition goes or has gone.
-- The positions stay: they show that the trail has no gap, and will hold the hash of each event.
create table orgtrail.prunings (
    organization_id uuid not null references orgtrail.trail_heads,
    month           date not null, -- of recorded_at, in UTC: its first day
    first_index     bigint not null,
    last_index      bigint not null,
    settled_at      timestamptz not null default clock_timestamp(),
    primary key (organization_id, month),
    constraint prunings_have_events check (first_index >= 0 and last_index >= first_index)
);
alter table orgtrail.prunings enable row level security;
alter table orgtrail.prunings force row level security;
create policy tenant on orgtrail.prunings
    using (organization_id = orgtrail.current_organization()) with check (organization_id = orgtrail.current_organization());
create constraint trigger change_needs_event after insert or update or delete on orgtrail.prunings
    deferrable initially deferred for each row execute function orgtrail.require_event();
grant select on orgtrail.prunings to orgtrail_app, orgtrail_lookup;
grant select on orgtrail.trail_heads to orgtrail_lookup;

-- The index of the first event of the bound organization that is kept.
create function orgtrail.first_kept() returns bigint language sql stable as $$
    select coalesce(max(last_index) + 1, 0) from orgtrail.prunings where organization_id = orgtrail.current_organization()
$$;

-- The months that have a partition and ended before everything that is kept, the oldest first.
create function orgtrail.expired_months(retention_days integer) returns setof date
    language sql stable set search_path = orgtrail, pg_temp as $$
    select month
    from (
        select to_date(right(child.relname, 7), 'YYYY_MM') as month
        from pg_inherits join pg_class child on child.oid = inhrelid
        where inhparent = 'orgtrail.events'::regclass and child.relname ~ '^events_\d{4}_\d{2}$'
    ) as months
    where (month + interval '1 month') at time zone 'UTC' <= orgtrail.forgotten_before(retention_days)
    order by month
$$;

create function orgtrail.require_expired(wanted_month date, retention_days integer) returns void language plpgsql as $$
begin
    if wanted_month not in (select orgtrail.expired_months(retention_days)) then
        raise exception 'the events of % are kept', to_char(wanted_month, 'YYYY-MM') using errcode = 'insufficient_privilege';
    end if;
end
$$;

-- Takes an expired month of the bound organization out of the sums of its days. The transaction has to record that, and the month can only be
-- dropped when it was done for every trail. Answers nothing where the month has no events.
create function orgtrail.settle_month(settled_month date, retention_days integer) returns table (removed bigint, first_kept bigint)
    language plpgsql security definer set search_path = orgtrail, pg_temp as $$
declare
    organization uuid := orgtrail.current_organization();
    starts       timestamptz := settled_month::timestamp at time zone 'UTC';
    ends         timestamptz := (settled_month + interval '1 month') at time zone 'UTC';
    held         record;
begin
    perform orgtrail.require_expired(settled_month, retention_days);
    select min(index) as first, max(index) as last, count(*) as events into held
    from orgtrail.events where organization_id = organization and recorded_at >= starts and recorded_at < ends;
    if held.events = 0 then
        return;
    end if;
    -- A gap, or older events in the default partition: that is for people to look at, not to be swept away.
    if held.first <> orgtrail.first_kept() or held.events <> held.last - held.first + 1 then
        raise exception 'the events of % in the trail of % do not follow on those that went before: they stay', to_char(settled_month, 'YYYY-MM'), organization
            using errcode = 'integrity_constraint_violation', constraint = 'pruned_from_the_beginning';
    end if;
    update orgtrail.trail_days day set
        events = day.events - gone.events,
        csv_safe_bytes = day.csv_safe_bytes - gone.csv_safe_bytes,
        csv_raw_bytes = day.csv_raw_bytes - gone.csv_raw_bytes
    from (
        select (occurred_at at time zone 'UTC')::date as of_day, kind, count(*) as events,
            sum(csv_safe_length) as csv_safe_bytes, sum(csv_raw_length) as csv_raw_bytes
        from orgtrail.events where organization_id = organization and recorded_at >= starts and recorded_at < ends
        group by 1, 2
    ) as gone
    where day.organization_id = organization and day.day = gone.of_day and day.kind = gone.kind;
    delete from orgtrail.trail_days where organization_id = organization and events = 0;
    insert into orgtrail.prunings (organization_id, month, first_index, last_index)
    values (organization, settled_month, held.first, held.last);
    return query select held.events, held.last + 1;
end
$$;

-- Forgets, in the bound organization, the answers to requests that were sent with a key, and the ids of events that are no longer kept; at most so
-- many of each. Answers how many it forgot.
create function orgtrail.forget_what_was_sent(retention_days integer, most integer) returns bigint
    language plpgsql security definer set search_path = orgtrail, pg_temp as $$
declare
    answers bigint;
    ids     bigint;
begin
    delete from orgtrail.ingest_requests where (organization_id, sender_id, key) in (
        select organization_id, sender_id, key from orgtrail.ingest_requests
        where organization_id = orgtrail.current_organization() and received_at < orgtrail.forgotten_before(retention_days)
        limit most);
    get diagnostics answers = row_count;
    delete from orgtrail.ingested_ids where (organization_id, client_id) in (
        select organization_id, client_id from orgtrail.ingested_ids
        where organization_id = orgtrail.current_organization() and index < (select orgtrail.first_kept())
        limit most);
    get diagnostics ids = row_count;
    return answers + ids;
end
$$;

-- Forgets, in the bound organization, the records of a model of the months that ended before everything that is kept. Whole months, so that its
-- trail is told once in a month. Answers how many it forgot; the model's own count is its caller's, who has to record it.
create function orgtrail.forget_records(wanted_model uuid, retention_days integer) returns bigint
    language plpgsql security definer set search_path = orgtrail, pg_temp as $$
declare
    forgotten bigint;
begin
    delete from orgtrail.model_records
    where organization_id = orgtrail.current_organization() and model_id = wanted_model
        and occurred_at < date_trunc('month', orgtrail.forgotten_before(retention_days) at time zone 'UTC') at time zone 'UTC';
    get diagnostics forgotten = row_count;
    return forgotten;
end
$$;

reset role;
set local role orgtrail_lookup;

-- Every trail, for upkeep: the organizations' ids, and nothing else of them.
create function orgtrail.trails() returns setof uuid
    language sql stable security definer set search_path = orgtrail, pg_temp as $$
    select organization_id from orgtrail.trail_heads order by organization_id
$$;

-- The trails that have events of a month that were not settled.
create function orgtrail.trails_to_settle(wanted_month date) returns setof uuid
    language sql stable security definer set search_path = orgtrail, pg_temp as $$
    select h.organization_id
    from orgtrail.trail_heads h
    where exists (
        select from orgtrail.events e
        where e.organization_id = h.organization_id
            and e.recorded_at >= wanted_month::timestamp at time zone 'UTC'
            and e.recorded_at < (wanted_month + interval '1 month') at time zone 'UTC'
            and e.index > coalesce((select max(p.last_index) from orgtrail.prunings p where p.organization_id = h.organization_id), -1))
    order by h.organization_id
$$;

revoke all on function orgtrail.trails(), orgtrail.trails_to_settle(date) from public;
grant execute on function orgtrail.trails(), orgtrail.trails_to_settle(date) to orgtrail_app;
grant execute on function orgtrail.trails_to_settle(date) to orgtrail_owner;

reset role;
set local role orgtrail_owner;

-- Drops an expired month, which no trail has anything left in that was not settled. Whoever reads waits half a second for it at most: if somebody
-- reads longer than that, it is tried again later.
create function orgtrail.drop_month(dropped_month date, retention_days integer) returns void
    language plpgsql security definer set search_path = orgtrail, pg_temp set lock_timeout = '500ms' as $$
begin
    perform orgtrail.require_expired(dropped_month, retention_days);
    perform pg_advisory_xact_lock(hashtext('orgtrail.partitions'));
    if exists (select from orgtrail.trails_to_settle(dropped_month)) then
        raise exception 'the events of % have not left every trail', to_char(dropped_month, 'YYYY-MM') using errcode = 'insufficient_privilege';
    end if;
    execute format('drop table orgtrail.%I', 'events_' || to_char(dropped_month, 'YYYY_MM'));
end
$$;

revoke all on function orgtrail.forget_sign_in_attempts(integer, integer), orgtrail.forget_what_was_sent(integer, integer), orgtrail.forget_records(uuid, integer),
    orgtrail.settle_month(date, integer), orgtrail.drop_month(date, integer) from public;
grant execute on function orgtrail.forget_sign_in_attempts(integer, integer), orgtrail.forget_what_was_sent(integer, integer), orgtrail.forget_records(uuid, integer),
    orgtrail.settle_month(date, integer), orgtrail.drop_month(date, integer) to orgtrail_app;

reset role;
