-- Invites, a tenant table under row-level security (R-23), and the links that are mailed to people who have an account.
set local role orgtrail_owner;

create table orgtrail.invites (
    id               uuid primary key,
    organization_id  uuid not null references orgtrail.organizations,
    email            text not null check (octet_length(email) between 3 and 320),
    email_key        text not null,             -- in lower case: two spellings are one person
    role             text not null check (role in ('owner', 'admin', 'member')),
    team_ids         uuid[] not null default '{}', -- a team that is deleted meanwhile is left out
    secret_sha256    bytea not null unique check (octet_length(secret_sha256) = 32), -- of the link's (R-06)
    invited_by       uuid references orgtrail.users, -- who stands for it: whoever made, changed or sent it last,
    invited_by_token uuid references orgtrail.access_tokens, -- or the access token that did
    version          integer not null default 1, -- rises with each change, so that none is lost
    created_at       timestamptz not null,
    sent_at          timestamptz not null,
    expires_at       timestamptz not null,
    accepted_at      timestamptz,
    revoked_at       timestamptz,
    constraint invites_have_an_inviter check (num_nonnulls(invited_by, invited_by_token) = 1),
    constraint invites_end_once check (num_nonnulls(accepted_at, revoked_at) < 2)
);
create unique index invites_one_open on orgtrail.invites (organization_id, email_key) where accepted_at is null and revoked_at is null;
create index invites_by_address on orgtrail.invites (email_key) where accepted_at is null and revoked_at is null;
create index invites_by_time on orgtrail.invites (organization_id, sent_at);

alter table orgtrail.invites enable row level security;
alter table orgtrail.invites force row level security;
create policy tenant on orgtrail.invites
    using (organization_id = orgtrail.current_organization()) with check (organization_id = orgtrail.current_organization());
create constraint trigger change_needs_event after insert or update on orgtrail.invites
    deferrable initially deferred for each row execute function orgtrail.require_event();
-- That an invite ended 90 days ago is no news: its trail said when it was accepted or revoked, or when it would expire.
create constraint trigger deletion_needs_event after delete on orgtrail.invites
    deferrable initially deferred for each row when (coalesce(old.accepted_at, old.revoked_at, old.expires_at) >= now() - interval '90 days')
    execute function orgtrail.require_event();
grant select, insert, delete, update (role, team_ids, secret_sha256, invited_by, invited_by_token, version, sent_at, expires_at, accepted_at, revoked_at)
    on orgtrail.invites to orgtrail_app;
grant select on orgtrail.invites to orgtrail_lookup;

-- One link for each purpose and user: a newer one takes the place of the older. Used, it is gone.
create table orgtrail.mailed_links (
    user_id       uuid not null references orgtrail.users on delete cascade,
    purpose       text not null check (purpose in ('reset_password', 'change_email')),
    secret_sha256 bytea not null unique check (octet_length(secret_sha256) = 32), -- (R-06)
    email         text check (octet_length(email) between 3 and 320), -- the address that is to be confirmed
    expires_at    timestamptz not null,
    primary key (user_id, purpose),
    constraint only_a_change_has_an_address check ((purpose = 'change_email') = (email is not null))
);
create index on orgtrail.mailed_links (expires_at);
grant select, insert, update, delete on orgtrail.mailed_links to orgtrail_app;

reset role;
set local role orgtrail_lookup;

-- The organization of an invite, by the hash of its link, whether or not it is good any more.
create function orgtrail.find_invite(wanted_sha256 bytea)
    returns table (organization_id uuid, invite_id uuid)
    language sql stable security definer set search_path = orgtrail, pg_temp as $$
    select i.organization_id, i.id
    from orgtrail.invites i
    where i.secret_sha256 = wanted_sha256
$$;

-- The organizations that an address is invited to at a moment, and nothing else of them.
create function orgtrail.organizations_inviting(wanted_email_key text, at_time timestamptz)
    returns setof uuid
    language sql stable security definer set search_path = orgtrail, pg_temp as $$
    select i.organization_id
    from orgtrail.invites i
    where i.email_key = wanted_email_key and i.accepted_at is null and i.revoked_at is null and i.expires_at > at_time
$$;

revoke all on function orgtrail.find_invite(bytea), orgtrail.organizations_inviting(text, timestamptz) from public;
grant execute on function orgtrail.find_invite(bytea), orgtrail.organizations_inviting(text, timestamptz) to orgtrail_app;

reset role;
