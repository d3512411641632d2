-- What must be found before an organization is known, and the word search: the only functions that see past row-level security (contract §9).
-- Each answers the least that its caller needs. `storage` tests list them: one more is a decision.
--
-- The lookups are asked with every request. So they are PL/pgSQL, which keeps plans from call to call, where a function in SQL that sees with
-- the rights of another is planned anew each time; by a plan for any values, because one for a single hash always seems cheaper, and to make it
-- costs several times what it does; and without a search path of their own, which costs as much again: every name and operator says its schema.
set local role orgtrail_lookup;

-- The organization of a slug, current or retired.
create function orgtrail.find_organization(wanted_slug text)
    returns table (organization_id uuid, current_slug text)
    language plpgsql stable security definer set plan_cache_mode = force_generic_plan as $$
begin
    return query
    select o.id, o.slug
    from orgtrail.organization_slugs s
    join orgtrail.organizations o on o.id operator(pg_catalog.=) s.organization_id
    where s.slug operator(pg_catalog.=) wanted_slug;
end
$$;

-- The organizations that a user is a member of, by name.
create function orgtrail.organizations_of_user(wanted_user uuid)
    returns table (organization_id uuid, slug text, name text, role text)
    language plpgsql stable security definer set plan_cache_mode = force_generic_plan as $$
begin
    return query
    select o.id, o.slug, o.name, m.role
    from orgtrail.memberships m
    join orgtrail.organizations o on o.id operator(pg_catalog.=) m.organization_id
    where m.user_id operator(pg_catalog.=) wanted_user
    order by o.name, o.id;
end
$$;

-- The access tokens of secrets' hashes, valid or not, and all that their rights rest on: the slug of the organization, and the present role of
-- the creator, if that still is a member whose account is not disabled.
create function orgtrail.find_access_tokens(wanted_sha256 bytea[])
    returns table (id uuid, organization_id uuid, slug text, name text, scopes text[], addresses text[], created_by uuid, creator_role text,
        expires_at timestamptz, revoked_at timestamptz, last_used_at timestamptz, last_used_ip text, secret_sha256 bytea)
    language plpgsql stable security definer set plan_cache_mode = force_generic_plan as $$
begin
    return query
    select t.id, t.organization_id, o.slug, t.name, t.scopes, t.addresses, t.created_by, case when u.disabled_at is null then m.role end,
        t.expires_at, t.revoked_at, t.last_used_at, t.last_used_ip, t.secret_sha256
    from orgtrail.access_tokens t
    join orgtrail.organizations o on o.id operator(pg_catalog.=) t.organization_id
    left join orgtrail.memberships m on m.organization_id operator(pg_catalog.=) t.organization_id and m.user_id operator(pg_catalog.=) t.created_by
    left join orgtrail.users u on u.id operator(pg_catalog.=) m.user_id
    where t.secret_sha256 operator(pg_catalog.=) any(wanted_sha256);
end
$$;

-- The events of the bound organization that hold words beginning with each of the wanted ones (letters and digits only), and pass the filter: in order away from a
-- position (`newer`: rising, else falling), at most `wanted_rows`. Full text cannot use its index under row-level security, so the policy's
-- condition is written out here. Dynamic, so that each call is planned for its own values; nothing but an operator and a direction is spliced in.
create function orgtrail.search_events(
    wanted_words text[], wanted_kinds text[], wanted_actions text[], wanted_user text, wanted_token text, wanted_object_types text[], wanted_object_id text,
    within_types text[], ending_types text[], range_start timestamptz, range_end timestamptz, last_index bigint, from_time timestamptz, from_index bigint, newer boolean, wanted_rows bigint)
    returns setof orgtrail.events
    language plpgsql stable security definer rows 1000
    set search_path = orgtrail, pg_temp set work_mem = '64MB' set enable_bitmapscan = on set enable_sort = on as $$
declare
    query tsquery := (
        select string_agg(quote_literal(word) || ':*', ' & ')::tsquery
        from unnest(wanted_words) as word);
begin
    -- Each kind by itself, because its index has the order: a frequent word is found by walking it, a rare one in the index of words.
    return query execute format($query$ select * from (%s) as e order by e.occurred_at %s, e.index %2$s limit $15 $query$,
        (select string_agg(format($kind$ (
            select e.*
            from orgtrail.events e
            where e.organization_id = orgtrail.current_organization()
                and e.words @@ $1
                and e.kind = ($2)[%s]
                and ($3 is null or e.action = any ($3))
                and ($4 is null or e.actor_user_id = $4)
                and ($5 is null or e.actor_access_token_id = $5)
                and ($6 is null or e.object_type = any ($6) and ($7 is null or e.object_id = $7)
                    or e.object_type = any ($8) and e.object_id >= $7 || ':' and e.object_id < $7 || ';'
                    or e.object_type = any ($9) and right(e.object_id, length($7) + 1) = ':' || $7)
                and e.occurred_at >= $10 and e.occurred_at < $11
                and ($12 is null or e.index <= $12)
                and ($13 is null or (e.occurred_at, e.index) %s ($13, $14))
            order by e.occurred_at %s, e.index %3$s
            limit $15) $kind$, place, case when newer then '>' else '<' end, case when newer then 'asc' else 'desc' end), ' union all ')
            from generate_subscripts(wanted_kinds, 1) as place),
        case when newer then 'asc' else 'desc' end)
    using query, wanted_kinds, wanted_actions, wanted_user, wanted_token, wanted_object_types, wanted_object_id, within_types, ending_types,
        range_start, range_end, last_index, from_time, from_index, wanted_rows;
end
$$;

revoke all on function orgtrail.find_organization(text), orgtrail.organizations_of_user(uuid), orgtrail.find_access_tokens(bytea[]),
    orgtrail.search_events(text[], text[], text[], text, text, text[], text, text[], text[], timestamptz, timestamptz, bigint, timestamptz, bigint, boolean, bigint)
    from public;
grant execute on function orgtrail.find_organization(text), orgtrail.organizations_of_user(uuid), orgtrail.find_access_tokens(bytea[]),
    orgtrail.search_events(text[], text[], text[], text, text, text[], text, text[], text[], timestamptz, timestamptz, bigint, timestamptz, bigint, boolean, bigint)
    to orgtrail_app;

reset role;
