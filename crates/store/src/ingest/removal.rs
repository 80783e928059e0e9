//! What leaves the ingest database before it becomes a file, and the counts of what left the files.
//!
//! Received `seq` ranges stay whatever goes: a late repetition must not bring rows back (promises P2 and D8).

use super::Ingest;
use crate::StoreError;
use std::collections::HashMap;

/// What left.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Removed {
    /// Dead letters.
    pub dead_letters: u64,
    /// Landed batches that were not folded yet.
    pub batches: u64,
}

/// Why rows are gone: which of a stream's counters they go into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    Erased,
    Expired,
}

impl Why {
    fn column(self) -> &'static str {
        match self {
            Self::Erased => "erased",
            Self::Expired => "expired",
        }
    }
}

impl Ingest {
    /// Removes everything that an agent sent and that is not a file yet. One transaction; its events count as erased.
    pub(crate) async fn remove_agent(&self, project: &str, agent_id: &str) -> Result<Removed, StoreError> {
        let agents = || vec![project.into(), agent_id.into()];
        let done = self
            .writer
            .execute_all(vec![
                (
                    "UPDATE streams SET erased = erased + (SELECT CAST(coalesce(sum(events), 0) AS BIGINT) FROM batches
                         WHERE batches.agent_id = streams.agent_id AND batches.epoch = streams.epoch)
                     WHERE project = $1 AND agent_id = $2"
                        .to_owned(),
                    agents(),
                ),
                ("DELETE FROM batches WHERE project = $1 AND agent_id = $2".to_owned(), agents()),
                ("DELETE FROM dead_letters WHERE project = $1 AND agent_id = $2".to_owned(), agents()),
                ("DELETE FROM event_hashes WHERE project = $1 AND agent_id = $2".to_owned(), agents()),
            ])
            .await?;
        Ok(Removed { batches: done[1], dead_letters: done[2] })
    }

    /// Removes landed batches and dead letters of a project that came before `cutoff_us`, and hashes from before
    /// `hashes_from_us`. The events of the batches count as expired.
    pub async fn expire(&self, project: &str, cutoff_us: i64, hashes_from_us: i64) -> Result<Removed, StoreError> {
        let before = |moment_us: i64| vec![project.into(), moment_us.into()];
        let done = self
            .writer
            .execute_all(vec![
                (
                    "UPDATE streams SET expired = expired + (SELECT CAST(coalesce(sum(events), 0) AS BIGINT) FROM batches
                         WHERE batches.agent_id = streams.agent_id AND batches.epoch = streams.epoch AND batches.received_at < $2)
                     WHERE project = $1"
                        .to_owned(),
                    before(cutoff_us),
                ),
                ("DELETE FROM batches WHERE project = $1 AND received_at < $2".to_owned(), before(cutoff_us)),
                ("DELETE FROM dead_letters WHERE project = $1 AND received_at < $2".to_owned(), before(cutoff_us)),
                ("DELETE FROM event_hashes WHERE project = $1 AND stored_at < $2".to_owned(), before(hashes_from_us)),
            ])
            .await?;
        Ok(Removed { batches: done[1], dead_letters: done[2] })
    }

    /// Counts rows that left the files, per stream (`agent/epoch`).
    pub(crate) async fn count_gone(&self, rows: &HashMap<String, i64>, why: Why) -> Result<(), StoreError> {
        let column = why.column();
        let count = |(stream, rows): (&String, &i64)| {
            let (agent, epoch) = stream.split_once('/')?;
            let text = format!("UPDATE streams SET {column} = {column} + $3 WHERE agent_id = $1 AND epoch = $2");
            Some((text, vec![agent.into(), epoch.into(), (*rows).into()]))
        };
        self.writer.execute_all(rows.iter().filter_map(count).collect()).await?;
        Ok(())
    }
}
