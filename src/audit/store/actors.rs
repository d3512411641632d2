//! The actors that a trail knows, for the picker and for names.

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

/// The distinct actors of a trail. The indexes are skipped through, one entry per actor, however many events each has.
pub(in crate::audit) async fn actors(connection: &mut PgConnection, organization: Uuid) -> Result<Vec<SeenActor>> {
    let mut seen = users(connection, organization).await?;
    seen.extend(tokens(connection, organization).await?);
    Ok(seen)
}

async fn users(connection: &mut PgConnection, organization: Uuid) -> Result<Vec<SeenActor>> {
    let found = sqlx::query_as!(
        SeenActor,
        r#"with recursive seen (id) as (
            (select actor_user_id from orgtrail.events where organization_id = $1 and actor_user_id is not null order by actor_user_id limit 1)
            union all
            select (select e.actor_user_id from orgtrail.events e where e.organization_id = $1 and e.actor_user_id > seen.id
                order by e.actor_user_id limit 1)
            from seen where seen.id is not null
        )
        select false as "is_token!", seen.id as "id!", newest.name as "name?", newest.email as "email?"
        from (select id from seen where id is not null limit $2) as seen
        cross join lateral (
            select e.actor_user_name as name, e.actor_user_email as email from orgtrail.events e
            where e.organization_id = $1 and e.actor_user_id = seen.id order by e.occurred_at desc, e.index desc limit 1) as newest"#,
        organization,
        OFFERED
    )
    .fetch_all(connection)
    .await?;
    Ok(found)
}

async fn tokens(connection: &mut PgConnection, organization: Uuid) -> Result<Vec<SeenActor>> {
    let found = sqlx::query_as!(
        SeenActor,
        r#"with recursive seen (id) as (
            (select actor_access_token_id from orgtrail.events where organization_id = $1 and actor_access_token_id is not null
                order by actor_access_token_id limit 1)
            union all
            select (select e.actor_access_token_id from orgtrail.events e where e.organization_id = $1 and e.actor_access_token_id > seen.id
                order by e.actor_access_token_id limit 1)
            from seen where seen.id is not null
        )
        select true as "is_token!", seen.id as "id!", newest.name as "name?", null::text as "email?"
        from (select id from seen where id is not null limit $2) as seen
        cross join lateral (
            select e.actor_access_token_name as name from orgtrail.events e
            where e.organization_id = $1 and e.actor_access_token_id = seen.id order by e.occurred_at desc, e.index desc limit 1) as newest"#,
        organization,
        OFFERED
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
