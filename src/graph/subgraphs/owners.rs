//! What becomes of subgraphs whose team goes: nobody owns them then.

use uuid::Uuid;

use super::{Place, Subgraph};
use crate::Result;
use crate::audit::action::Action;
use crate::audit::append::NewEvent;
use crate::audit::change::Change;
use crate::identity::access::Access;

/// Takes a team's subgraphs from it; answers `subgraph.updated` for each. The caller holds their graphs.
pub(in crate::graph) async fn disown(change: &mut Change, access: &Access, team: Uuid) -> Result<Vec<NewEvent>> {
    let owned = sqlx::query!(
        r#"select s.id, s.name, s.url, o.name as owner_name, s.number, s.version, v.sha256, t.bytes,
            g.slug as graph, b.name as branch, format('%s:%s', g.id, b.id) as "object_id!"
        from orgtrail.subgraphs s
        join orgtrail.branches b on b.organization_id = s.organization_id and b.id = s.branch_id
        join orgtrail.graphs g on g.organization_id = b.organization_id and g.id = b.graph_id
        join orgtrail.teams o on o.organization_id = s.organization_id and o.id = s.owner_team
        join orgtrail.subgraph_versions v on v.subgraph_id = s.id and v.number = s.number
        join orgtrail.graph_texts t on t.organization_id = v.organization_id and t.sha256 = v.sha256
        where s.organization_id = $1 and s.owner_team = $2 order by g.slug, b.name, s.name"#,
        access.organization().id,
        team
    )
    .fetch_all(change.connection())
    .await?;
    sqlx::query!(
        "update orgtrail.subgraphs set owner_team = null, version = version + 1 where organization_id = $1 and owner_team = $2",
        access.organization().id,
        team
    )
    .execute(change.connection())
    .await?;
    let disowned = owned.into_iter().map(|row| {
        let before = Subgraph {
            id: row.id,
            name: row.name,
            url: row.url,
            owner_team: Some(team),
            owner_name: Some(row.owner_name),
            number: row.number,
            version: row.version,
            sha256: Some(row.sha256),
            bytes: Some(row.bytes),
        };
        let after = Subgraph { owner_team: None, owner_name: None, ..before.clone() };
        let place = Place { graph: &row.graph, branch: &row.branch, object_id: row.object_id };
        after.event(Action::SubgraphUpdated, &place).previous(&before.state(&place)).next(&after.state(&place))
    });
    Ok(disowned.collect())
}
