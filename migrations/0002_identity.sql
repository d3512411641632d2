-- People, sessions and sign-in attempts: platform tables, not bound to one organization.
set local role orgtrail_owner;

create table orgtrail.users (
    id            uuid primary key,
    email         text not null check (octet_length(email) between 3 and 320),
    email_key     text not null unique, -- the address in lower case: two spellings are one person
    name          text not null check (char_length(name) between 1 and 100),
    password_hash text,                 -- PHC string (Argon2id); null: no password chosen yet
    disabled_at   timestamptz,
    created_at    timestamptz not null default clock_timestamp()
);

create table orgtrail.sessions (
    id_sha256           bytea primary key check (octet_length(id_sha256) = 32), -- a stolen dump holds no usable id (R-06)
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

-- Every attempt, whoever it is (contract §9): sorted by the organizations that the address belongs to, then copied into their trails.
create table orgtrail.sign_in_attempts (
    id           uuid primary key,
    attempted_at timestamptz not null,
    method       text not null check (method in ('login', 'signup')),
    email_typed  text not null check (octet_length(email_typed) <= 320),
    user_id      uuid references orgtrail.users,
    outcome      text not null check (outcome in ('success', 'failure', 'denied')),
    reason       text, -- class of failure: wrong_credentials, throttled, disabled
    ip           text,
    user_agent   text,
    request_id   text,
    sorted_at    timestamptz -- when its copies were ordered (`sign_in_copies`)
);
create index on orgtrail.sign_in_attempts (attempted_at, id) where sorted_at is null;

-- Throttling by keyed hash of address or client, whether or not the address exists (R-16).
create table orgtrail.sign_in_throttles (
    key           bytea primary key check (octet_length(key) = 32),
    failures      integer not null,
    first_failure timestamptz not null,
    blocked_until timestamptz not null
);

grant select, insert, update (email, email_key, name, password_hash, disabled_at) on orgtrail.users to orgtrail_app;
grant select, insert, update, delete on orgtrail.sessions, orgtrail.sign_in_throttles to orgtrail_app;
grant select, insert, update (sorted_at) on orgtrail.sign_in_attempts to orgtrail_app;

reset role;
