//! A client fetches the configuration that it is to obey: the exact bytes that were signed, or nothing new.
//!
//! A revision that is rolling out goes to a share of the agents; which ones follows from their ids, so that an agent never
//! goes back and forth while the share grows.

use crate::api::AppState;
use crate::api::errors::ApiResult;
use axum::Extension;
use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use store::control::configurations::Revision;
use store::ingest::clients::Speaker;
use uuid::Uuid;

/// What a client has.
#[derive(Deserialize)]
pub struct Have {
    have: Option<i64>,
}

/// A signed configuration: what was signed, byte for byte.
#[derive(Serialize)]
pub struct Envelope {
    header: String,
    xml: String,
    signature: String,
    kid: String,
}

/// The configuration that the client is to obey, or nothing new.
pub async fn fetch(
    State(state): State<AppState>,
    Extension(speaker): Extension<Speaker>,
    Query(asked): Query<Have>,
) -> ApiResult<Response> {
    let (active, rolling) = state.store.control().current_revisions(&speaker.project).await?;
    Ok(match wanted(active, rolling, speaker.agent_id) {
        Some(revision) if asked.have.is_none_or(|have| have < revision.revision) => Json(Envelope {
            header: revision.header,
            xml: revision.xml,
            signature: revision.signature,
            kid: revision.key_id,
        })
        .into_response(),
        _ => StatusCode::NO_CONTENT.into_response(),
    })
}

/// The revision that an agent is to obey: the one that is rolling out if the agent is in its share, else the active one.
pub fn wanted(active: Option<Revision>, rolling: Option<Revision>, agent_id: Uuid) -> Option<Revision> {
    rolling.filter(|revision| i64::from(place(agent_id)) < revision.percent).or(active)
}

/// A number from 0 to 99 that stays with the agent. Ids are random, so it is spread evenly.
fn place(agent_id: Uuid) -> u8 {
    (agent_id.as_u128() % 100) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::control::configurations::RevisionState;

    fn revision(number: i64, percent: i64) -> Revision {
        Revision {
            project: String::new(),
            revision: number,
            xml: String::new(),
            header: String::new(),
            signature: String::new(),
            key_id: String::new(),
            note: String::new(),
            author: String::new(),
            published_at_us: 0,
            percent,
            state: RevisionState::RollingOut,
        }
    }

    #[test]
    fn a_revision_goes_to_its_share_of_the_agents_and_never_back() {
        let agents: Vec<Uuid> = (0..2_000).map(|_| Uuid::new_v4()).collect();
        let obeying = |percent: i64| -> Vec<Uuid> {
            let new = |agent: &&Uuid| {
                wanted(Some(revision(1, 100)), Some(revision(2, percent)), **agent).map(|found| found.revision)
                    == Some(2)
            };
            agents.iter().filter(new).copied().collect()
        };
        let (few, many) = (obeying(5), obeying(50));
        assert!((40..180).contains(&few.len()), "{} of 2,000 at 5 %", few.len());
        assert!(few.iter().all(|agent| many.contains(agent)));
        assert_eq!((obeying(0).len(), obeying(100).len()), (0, 2_000));
        assert!(wanted(None, None, agents[0]).is_none());
    }
}
