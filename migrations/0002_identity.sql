-- People, sessions and sign-in attempts: platform tables, not bound to one organization.
set local role orgtrail_owner;

create table orgtrail.users (
    id            uuid primary key,
    email         text not null check (octet_length(email) between 3 and 320),
    email_key     text not null unique, -- the address in lower case: two spellings are one person
    name          text not null check (char_length(name) between 1 and 100),
    password_hash text,                 -- PHC string (Argon2id); null: no password chosen yet
    password_changed_at timestamptz,    -- when the present one was chosen; a hash made anew with other parameters is the same password
    disabled_at   timestamptz,
    created_at    timestamptz not null default clock_timestamp()
);

create table orgtrail.sessions (
    id_sha256           bytea primary key check (octet_length(id_sha256) = 32), -- a stolen dump holds no usable id (R-06)
    public_id           uuid not null unique default gen_random_uuid(),          -- names it in the list of one's sessions: no credential
    user_id             uuid references orgtrail.users on delete cascade,        -- null before sign-in
    data                json not null,
    created_at          timestamptz not null default clock_timestamp(),
    last_seen_at        timestamptz not null default clock_timestamp(),
    expires_at          timestamptz not null, -- idle limit, moved by activity
    absolute_expires_at timestamptz not null, -- never moved (R-02)
    ip                  text,
    user_agent          text
);
create index on orgtrail.sessions (user_id) where user_id is not null;
create index on orgtrail.sessions (expires_at);

-- Every attempt to sign in, whoever it is, and every change of an account goes the same way (contract §9): sorted by the organizations that
-- the user belongs to, then copied into their trails. The words of the methods are contract §5's.
create table orgtrail.sign_in_attempts (
    id           uuid primary key,
    attempted_at timestamptz not null,
    method       text not null check (method in ('login', 'signup', 'acceptInvite',
                     'updateAccount', 'changeEmail', 'changePassword', 'resetPassword', 'endSessions', 'mutation')),
    email_typed  text not null check (octet_length(email_typed) <= 320),
    user_id      uuid references orgtrail.users,
    outcome      text not null check (outcome in ('success', 'failure', 'denied')),
    reason       text, -- class of failure: wrong_credentials, throttled, disabled
    previous     json, -- the account before and after, never its password; null where somebody only signed in or up
    next         json,
    ip           text,
    user_agent   text,
    request_id   text,
    operation    json, -- the mutation that asked for it, where one did
    sorted_at    timestamptz, -- when its copies were ordered (`sign_in_copies`)
    constraint changes_have_states check (
        case when method in ('login', 'signup', 'acceptInvite', 'mutation') then previous is null and next is null
        else previous is not null and next is not null and user_id is not null end)
);
create index on orgtrail.sign_in_attempts (attempted_at, id) where sorted_at is null;

-- Throttling by keyed hash of address or client, whether or not the address exists (R-16).
create table orgtrail.sign_in_throttles (
    key           bytea primary key check (octet_length(key) = 32),
    failures      integer not null,
    first_failure timestamptz not null,
    blocked_until timestamptz not null
);

grant select, insert, update (email, email_key, name, password_hash, password_changed_at, disabled_at) on orgtrail.users to orgtrail_app;
grant select, insert, update, delete on orgtrail.sessions, orgtrail.sign_in_throttles to orgtrail_app;
grant select, insert, update (sorted_at) on orgtrail.sign_in_attempts to orgtrail_app;

reset role;
