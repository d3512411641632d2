//! The actors that a trail knows, for the picker and for names.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::Result;
use crate::audit::query::ActorFilter;

/// An actor with the name and address of its newest event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::audit) struct SeenActor {
    pub is_token: bool,
    pub id: String,
    pub name: Option<String>,
    pub email: Option<String>,
}

/// Actors offered at most, of users and of tokens each.
const OFFERED: i64 = 200;

/// The distinct actors of what a trail recorded from the first of a month on. The indexes are skipped through from their ends, where the newest
/// event of each actor comes first: one probe finds who is next and what the actor is called, however many events each has.
pub(in crate::audit) async fn actors(
    connection: &mut PgConnection,
    organization: Uuid,
    since: DateTime<Utc>,
) -> Result<Vec<SeenActor>> {
    let mut seen = users(connection, organization, since).await?;
    seen.extend(tokens(connection, organization, since).await?);
    Ok(seen)
}

async fn users(connection: &mut PgConnection, organization: Uuid, since: DateTime<Utc>) -> Result<Vec<SeenActor>> {
    let found = sqlx::query_as!(
        SeenActor,
        r#"with recursive seen (id, name, email) as (
            (select actor_user_id, actor_user_name, actor_user_email from orgtrail.events
                where organization_id = $1 and recorded_at >= $3 and actor_user_id is not null
                order by actor_user_id desc, occurred_at desc, index desc limit 1)
            union all
            select next.* from seen cross join lateral (
                select e.actor_user_id, e.actor_user_name, e.actor_user_email from orgtrail.events e
                where e.organization_id = $1 and e.recorded_at >= $3 and e.actor_user_id < seen.id
                order by e.actor_user_id desc, e.occurred_at desc, e.index desc limit 1) as next
        )
        select false as "is_token!", id as "id!", name as "name?", email as "email?" from seen limit $2"#,
        organization,
        OFFERED,
        since
    )
    .fetch_all(connection)
    .await?;
    Ok(found)
}

async fn tokens(connection: &mut PgConnection, organization: Uuid, since: DateTime<Utc>) -> Result<Vec<SeenActor>> {
    let found = sqlx::query_as!(
        SeenActor,
        r#"with recursive seen (id, name) as (
            (select actor_access_token_id, actor_access_token_name from orgtrail.events
                where organization_id = $1 and recorded_at >= $3 and actor_access_token_id is not null
                order by actor_access_token_id desc, occurred_at desc, index desc limit 1)
            union all
            select next.* from seen cross join lateral (
                select e.actor_access_token_id, e.actor_access_token_name from orgtrail.events e
                where e.organization_id = $1 and e.recorded_at >= $3 and e.actor_access_token_id < seen.id
                order by e.actor_access_token_id desc, e.occurred_at desc, e.index desc limit 1) as next
        )
        select true as "is_token!", id as "id!", name as "name?", null::text as "email?" from seen limit $2"#,
        organization,
        OFFERED,
        since
    )
    .fetch_all(connection)
    .await?;
    Ok(found)
}

/// One actor, if the trail knows it.
pub(in crate::audit) async fn actor(
    connection: &mut PgConnection,
    organization: Uuid,
    wanted: &ActorFilter,
) -> Result<Option<SeenActor>> {
    match wanted {
        ActorFilter::User(id) => user(connection, organization, id.as_str()).await,
        ActorFilter::Token(id) => token(connection, organization, id.as_str()).await,
    }
}

async fn user(connection: &mut PgConnection, organization: Uuid, id: &str) -> Result<Option<SeenActor>> {
    let newest = sqlx::query_as!(
        SeenActor,
        r#"select false as "is_token!", actor_user_id as "id!", actor_user_name as name, actor_user_email as email
        from orgtrail.events where organization_id = $1 and actor_user_id = $2 order by occurred_at desc, index desc limit 1"#,
        organization,
        id
    );
    Ok(newest.fetch_optional(connection).await?)
}

async fn token(connection: &mut PgConnection, organization: Uuid, id: &str) -> Result<Option<SeenActor>> {
    let newest = sqlx::query_as!(
        SeenActor,
        r#"select true as "is_token!", actor_access_token_id as "id!", actor_access_token_name as name, null::text as email
        from orgtrail.events where organization_id = $1 and actor_access_token_id = $2 order by occurred_at desc, index desc limit 1"#,
        organization,
        id
    );
    Ok(newest.fetch_optional(connection).await?)
}
