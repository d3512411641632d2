-- The database refuses to forget: who may do what with the trail, and the function that makes its partitions.
set local role orgtrail_owner;

create function orgtrail.refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'the trail is append-only: % of % is refused', lower(tg_op), tg_table_name using errcode = 'insufficient_privilege';
end
$$;

-- Guards one table of the trail. Triggers on a partitioned table do not cover TRUNCATE of its partitions, and ordinary ones are skipped
-- under session_replication_role: so each table gets its own, ENABLE ALWAYS.
create function orgtrail.guard_trail_table(trail_table regclass) returns void language plpgsql as $$
begin
    if not exists (select from pg_trigger where tgrelid = trail_table and tgname = 'append_only') then
        execute format('create trigger append_only before update or delete on %s for each row execute function orgtrail.refuse_change()', trail_table);
    end if;
    execute format('alter table %s enable always trigger append_only', trail_table);
    execute format('create trigger never_truncated before truncate on %s for each statement execute function orgtrail.refuse_change()', trail_table);
    execute format('alter table %s enable always trigger never_truncated', trail_table);
    execute format('alter table %s enable row level security', trail_table);
    execute format('alter table %s force row level security', trail_table);
    execute format(
        'create policy tenant on %s using (organization_id = orgtrail.current_organization()) with check (organization_id = orgtrail.current_organization())',
        trail_table);
end
$$;
select orgtrail.guard_trail_table('orgtrail.events');
select orgtrail.guard_trail_table('orgtrail.event_positions');

-- Positions have no gaps because a head moves over those that are there, and over nothing else. By a plan for any values: one for each append
-- would cost more than to count; and by the index, also while the table that the plan was made for was small.
create function orgtrail.require_positions() returns trigger
    language plpgsql set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
    if new.next_index - old.next_index <> (
        select count(*) from orgtrail.event_positions
        where organization_id = new.organization_id and index >= old.next_index and index < new.next_index
    ) then
        raise exception 'the head of a trail moves over its events and nothing else'
            using errcode = 'integrity_constraint_violation', constraint = 'no_gap_in_trail';
    end if;
    return null;
end
$$;
create constraint trigger no_gap_in_trail after update of next_index on orgtrail.trail_heads
    deferrable initially deferred for each row execute function orgtrail.require_positions();

-- Makes the monthly partitions from `first_day`'s month to `last_day`'s month that do not exist yet; answers how many it made.
create function orgtrail.make_partitions(first_day date, last_day date) returns integer
    language plpgsql security definer set search_path = orgtrail, pg_temp set lock_timeout = '30s' as $$
declare
    month date := date_trunc('month', first_day);
    made  integer := 0;
    name  text;
begin
    if last_day - first_day > 400 then
        raise exception 'at most 400 days of partitions at once';
    end if;
    perform pg_advisory_xact_lock(hashtext('orgtrail.partitions'));
    while month <= last_day loop
        name := 'events_' || to_char(month, 'YYYY_MM');
        if to_regclass('orgtrail.' || name) is null then
            begin
                execute format('create table orgtrail.%I partition of orgtrail.events for values from (%L) to (%L)',
                    name, month::timestamp at time zone 'UTC', (month + interval '1 month') at time zone 'UTC');
                perform orgtrail.guard_trail_table(('orgtrail.' || name)::regclass);
                made := made + 1;
            exception when check_violation then
                -- Events of this month are in the default partition, from which nothing moves: that must not stop the later months.
                raise warning 'events of % are in the default partition: the month gets no partition of its own', to_char(month, 'YYYY-MM');
            end;
        end if;
        month := month + interval '1 month';
    end loop;
    return made;
end
$$;

-- R-61: an event never fails for want of a partition.
create table orgtrail.events_default partition of orgtrail.events default;
select orgtrail.guard_trail_table('orgtrail.events_default');

-- Grants on the parent only: a partition cannot be reached past the parent's policies.
grant select, insert on orgtrail.events, orgtrail.event_positions to orgtrail_app;
grant select on orgtrail.events to orgtrail_lookup;
revoke all on function orgtrail.make_partitions(date, date), orgtrail.guard_trail_table(regclass) from public;
grant execute on function orgtrail.make_partitions(date, date) to orgtrail_app;

-- Exports that run now, as leases: a server that dies gives its places back when they end (contract §9). Not a tenant table to read,
-- but counted per organization under the same policy.
create table orgtrail.running_exports (
    id              uuid primary key,
    organization_id uuid not null references orgtrail.organizations,
    leased_until    timestamptz not null
);
create index on orgtrail.running_exports (organization_id);
alter table orgtrail.running_exports enable row level security;
alter table orgtrail.running_exports force row level security;
create policy tenant on orgtrail.running_exports
    using (organization_id = orgtrail.current_organization()) with check (organization_id = orgtrail.current_organization());
grant select, insert, delete, update (leased_until) on orgtrail.running_exports to orgtrail_app;

reset role;
