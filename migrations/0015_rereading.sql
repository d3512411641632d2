-- Reading again what is kept (R-59), as a role that can do nothing else: what was found is known to every server and to the organization, and the
-- trails that grew are found without asking each.
set local role orgtrail_owner;

-- How many problems a job that looks for any has found; null of the others.
alter table orgtrail.upkeep_jobs add column problems integer;
grant update (problems) on orgtrail.upkeep_jobs to orgtrail_app;

grant select on orgtrail.events_default to orgtrail_lookup;

grant select on orgtrail.events, orgtrail.event_positions, orgtrail.trail_heads, orgtrail.trail_days, orgtrail.prunings to orgtrail_verify;

-- The trails of which something is not as it was recorded: since when that is known, and what. An event tells when one comes, goes, or is found to be
-- damaged otherwise.
create table orgtrail.damaged_trails (
    organization_id uuid primary key references orgtrail.trail_heads,
    found_at        timestamptz not null,
    noted_at        timestamptz not null, -- when `problems` was changed last
    problems        text[] not null,
    constraint damaged_trails_have_problems check (cardinality(problems) > 0)
);
alter table orgtrail.damaged_trails enable row level security;
alter table orgtrail.damaged_trails force row level security;
create policy tenant on orgtrail.damaged_trails
    using (organization_id = orgtrail.current_organization()) with check (organization_id = orgtrail.current_organization());
create constraint trigger change_needs_event after insert or update or delete on orgtrail.damaged_trails
    deferrable initially deferred for each row execute function orgtrail.require_event();
grant select, insert, delete, update (noted_at, problems) on orgtrail.damaged_trails to orgtrail_app;

reset role;
set local role orgtrail_lookup;

-- The trails that recorded something since: the organizations' ids, and nothing else of them.
create function orgtrail.trails_recorded_since(moment timestamptz) returns setof uuid
    language sql stable security definer set search_path = orgtrail, pg_temp as $$
    select organization_id from orgtrail.trail_heads where last_recorded_at >= moment order by organization_id
$$;

-- How many events are in the default partition, because their month had none when they were recorded; 10,000 where it is more.
create function orgtrail.events_without_month() returns bigint
    language sql stable security definer set search_path = orgtrail, pg_temp as $$
    select count(*) from (select from orgtrail.events_default limit 10000) as events
$$;

revoke all on function orgtrail.trails_recorded_since(timestamptz), orgtrail.events_without_month() from public;
grant execute on function orgtrail.trails_recorded_since(timestamptz), orgtrail.events_without_month() to orgtrail_app;

reset role;
