-- Reading again what is kept (R-59): what was found is known to every server, and the trails that grew are found without asking each.
set local role orgtrail_owner;

-- How many problems a job that looks for any has found; null of the others.
alter table orgtrail.upkeep_jobs add column problems integer;
grant update (problems) on orgtrail.upkeep_jobs to orgtrail_app;

grant select on orgtrail.events_default to orgtrail_lookup;

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
