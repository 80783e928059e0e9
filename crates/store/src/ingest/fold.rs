//! Landed batches become files of the event table.
//!
//! A fold takes the oldest batches of a project, gives their rows integer keys, sorts them by agent and number, and writes one
//! small file per cluster of the table, so that recent files stay beside the large ones they belong to. The commit is one
//! transaction of the control database; afterwards the batches go. Small files of a cluster are merged with one another, and
//! with the large one, as they grow in number ([`Store::merge_recent`]).
//!
//! ```text
//! batches:   a7 b3 a8 c1        the table's clusters:  [a…b]  [c…d]
//! new files:                                           a7 a8 b3   c1
//! ```

use super::Ingest;
use super::clients::identifier;
use crate::background::background;
use crate::batch::{BATCH_ROWS, EventBatch, RowKeys};
use crate::clusters::{Cluster, clusters};
use crate::columns::{EVENTS, event_schema};
use crate::control::folds::Fold;
use crate::control::keys::{KnownKeys, NewKeys};
use crate::control::manifest::FileEntry;
use crate::files::{FILE_ROWS_TARGET, Files, Staged};
use crate::import::publish_all;
use crate::upkeep::Rewritten;
use crate::{Store, StoreError};
use sqlx::Row;
use std::collections::HashMap;
use std::sync::Arc;
use uilog::Event;
use uilog::planted;
use uuid::Uuid;

/// Events of one fold at most; more wait for the next one.
pub const FOLD_EVENTS_MAX: i64 = 200_000;

/// Batches of one fold at most.
const FOLD_BATCHES_MAX: i64 = 5_000;

/// Batches of one statement that removes them.
const REMOVED_AT_ONCE: usize = 64;

/// Files of similar size in one cluster that are merged into one.
const MERGE_FILES: usize = 8;

/// Each level of recent files holds this many times the rows of the one below.
const LEVEL_FACTOR: i64 = 8;

/// Rows of the largest file of the lowest level.
const LEVEL_ROWS: i64 = 16_384;

/// Recent rows that are merged into the large files once they are this share of all, in percent.
const MERGE_ALL_PERCENT: i64 = 25;

/// What a fold did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Folded {
    /// Batches that are files now.
    pub batches: usize,
    /// Events in them.
    pub events: usize,
    /// Whether more batches wait.
    pub more: bool,
}

/// A batch as it waits.
struct Waiting {
    id: String,
    agent_id: Uuid,
    epoch: Uuid,
    received_at_us: i64,
    body: Vec<u8>,
}

/// The events of one (agent, epoch) in a fold.
struct StreamEvents {
    name: String,
    events: Vec<Event>,
}

impl Ingest {
    /// Projects with batches that wait to be folded, and how many events.
    pub async fn waiting(&self) -> Result<Vec<(String, i64)>, StoreError> {
        let rows = sqlx::query("SELECT project, CAST(sum(events) AS BIGINT) FROM batches GROUP BY project")
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
    }

    async fn oldest_batches(&self, project: &str) -> Result<(Vec<Waiting>, bool), StoreError> {
        let rows = sqlx::query("SELECT id, events FROM batches WHERE project = $1 ORDER BY id LIMIT $2")
            .bind(project)
            .bind(FOLD_BATCHES_MAX)
            .fetch_all(&self.pool)
            .await?;
        let (mut events, mut last) = (0, None);
        let mut taken = 0;
        for row in &rows {
            events += row.try_get::<i64, _>(1)?;
            if events > FOLD_EVENTS_MAX && taken > 0 {
                break;
            }
            taken += 1;
            last = Some(row.try_get::<String, _>(0)?);
        }
        let Some(last) = last else { return Ok((Vec::new(), false)) };
        let more = taken < rows.len() || rows.len() as i64 == FOLD_BATCHES_MAX;
        let rows = sqlx::query(
            "SELECT id, agent_id, epoch, received_at, body FROM batches WHERE project = $1 AND id <= $2 ORDER BY id",
        )
        .bind(project)
        .bind(last)
        .fetch_all(&self.pool)
        .await?;
        let batches = rows.iter().map(|row| {
            Ok(Waiting {
                id: row.try_get(0)?,
                agent_id: identifier(row.try_get(1)?)?,
                epoch: identifier(row.try_get(2)?)?,
                received_at_us: row.try_get(3)?,
                body: row.try_get(4)?,
            })
        });
        Ok((batches.collect::<Result<_, StoreError>>()?, more))
    }

    /// A few at a time: what is deleted is overwritten, and clients that send meanwhile wait for no more than one part of it.
    async fn remove_batches(&self, ids: &[String]) -> Result<(), StoreError> {
        for ids in ids.chunks(REMOVED_AT_ONCE) {
            let places: Vec<String> = (1..=ids.len()).map(|place| format!("${place}")).collect();
            let delete = format!("DELETE FROM batches WHERE id IN ({})", places.join(", "));
            self.writer.execute(delete, ids.iter().map(|id| id.clone().into()).collect()).await?;
        }
        Ok(())
    }
}

impl Store {
    /// Makes files of the oldest batches of a project.
    ///
    /// Errors: a batch that cannot be read stops the fold and names itself; nothing is lost then, and nothing half-written.
    pub async fn fold(&self, project: &str, now_us: i64) -> Result<Folded, StoreError> {
        let _turn = self.import_turn(project).await;
        let _folding = self.folding().await;
        // The last fold may have been committed without its batches being removed, if a database went away in between.
        self.finish_folds(Some(project)).await?;
        let (waiting, more) = self.ingest().oldest_batches(project).await?;
        if waiting.is_empty() {
            return Ok(Folded::default());
        }
        let batches: Vec<String> = waiting.iter().map(|batch| batch.id.clone()).collect();
        let streams = background(move || read(waiting)).await?;
        let known = self.control().known_keys(project).await?;
        let names: Vec<String> = streams.iter().map(|stream| stream.name.clone()).collect();
        let agents = self.control().agent_keys(project, &names).await?;
        let table = self.control().files(project, EVENTS).await?;
        let borders = borders(&table);
        let files = self.files().clone();
        let (staged, keys, events) = background(move || write(&files, streams, known, &agents, &borders)).await?;
        let fold = Fold { id: Uuid::now_v7().to_string(), project: project.to_owned(), batches, keys };
        let published = publish_all(self.files(), staged, project, EVENTS, &fold.id).await?;
        if let Err(error) = self.control().commit_fold(&fold, &published, now_us).await {
            // A database that went away may have committed all the same; files of which that is unknown go at the next start.
            if self.control().abandon_fold(&fold).await? {
                for file in &published {
                    self.files().delete(&file.path).await?;
                }
            }
            return Err(error);
        }
        self.ingest().remove_batches(&fold.batches).await?;
        self.control().end_fold(&fold.id).await?;
        Ok(Folded { batches: fold.batches.len(), events, more })
    }

    /// Removes batches whose fold was committed and whose removal did not follow, of one project or of all.
    pub(crate) async fn finish_folds(&self, project: Option<&str>) -> Result<(), StoreError> {
        for (id, batches) in self.control().folds(project).await? {
            self.ingest().remove_batches(&batches).await?;
            self.control().end_fold(&id).await?;
        }
        Ok(())
    }

    /// Merges recent files of the event table where they have become many.
    pub async fn merge_recent(&self, project: &str, now_us: i64) -> Result<Rewritten, StoreError> {
        let _turn = self.import_turn(project).await;
        let snapshot = self.snapshot(project).await?;
        let Some(events) = snapshot.tables.get(EVENTS) else { return Ok(Rewritten::default()) };
        let Some(clusters) = clusters(events.files.iter().cloned()) else { return Ok(Rewritten::default()) };
        let runs: Vec<Vec<Arc<FileEntry>>> = clusters.iter().filter_map(to_merge).collect();
        self.rewrite(&snapshot, runs, "SELECT * FROM events", HashMap::new(), now_us).await
    }
}

/// The files of a cluster to merge now: all of it when recent rows have become a good part, else the lowest full level.
fn to_merge(cluster: &Cluster<Arc<FileEntry>>) -> Option<Vec<Arc<FileEntry>>> {
    if cluster.files.len() < MERGE_FILES {
        return None;
    }
    let largest = cluster.files.iter().map(|file| file.rows).max().unwrap_or(0);
    let recent_rows = cluster.rows() - largest;
    if largest >= FILE_ROWS_TARGET / LEVEL_FACTOR && recent_rows * 100 >= cluster.rows() * MERGE_ALL_PERCENT {
        return Some(cluster.files.clone());
    }
    // The large file is not written anew for a few rows: it waits until they are a good part.
    let large = cluster.files.iter().position(|file| file.rows == largest && largest > LEVEL_ROWS);
    let recent = || cluster.files.iter().enumerate().filter(|(place, _)| Some(*place) != large).map(|(_, file)| file);
    let mut rows = LEVEL_ROWS;
    loop {
        let level: Vec<_> = recent().filter(|file| file.rows <= rows).cloned().collect();
        if level.len() >= MERGE_FILES {
            return Some(level);
        }
        if level.len() == recent().count() {
            return None;
        }
        rows *= LEVEL_FACTOR;
    }
}

/// The lowest agent of each cluster of a table but the first: where a fold begins a new file.
fn borders(table: &[FileEntry]) -> Vec<i64> {
    clusters(table).unwrap_or_default().iter().skip(1).map(|cluster| cluster.agents.0).collect()
}

/// Unpacks batches into the events of each (agent, epoch), sorted by number.
fn read(waiting: Vec<Waiting>) -> Result<Vec<StreamEvents>, StoreError> {
    let mut streams: HashMap<(Uuid, Uuid), Vec<Event>> = HashMap::new();
    for batch in waiting {
        let unreadable = |what: String| StoreError::Damaged { path: format!("batch {}", batch.id), reason: what };
        let text = zstd::decode_all(batch.body.as_slice()).map_err(|error| unreadable(error.to_string()))?;
        let events = streams.entry((batch.agent_id, batch.epoch)).or_default();
        for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let mut event: Event = serde_json::from_slice(line).map_err(|error| unreadable(error.to_string()))?;
            event.received_at_us = Some(batch.received_at_us);
            events.push(event);
        }
    }
    let mut streams: Vec<StreamEvents> = streams
        .into_iter()
        .map(|((agent, epoch), mut events)| {
            events.sort_unstable_by_key(|event| event.seq);
            if planted::is("sort-by-clock") {
                events.sort_by_key(|event| event.time_us);
            }
            StreamEvents { name: stream_name(agent, epoch), events }
        })
        .collect();
    // Time-ordered ids first: new agents get their numbers in the order in which they enrolled, run after run.
    streams.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(streams)
}

/// How the agent's row of the control database names one (agent, epoch): the order of events begins anew with each epoch.
fn stream_name(agent: Uuid, epoch: Uuid) -> String {
    format!("{agent}/{epoch}")
}

/// Writes sorted rows into staged files, one per cluster that is concerned.
fn write(
    files: &Files,
    mut streams: Vec<StreamEvents>,
    known: KnownKeys,
    agents: &HashMap<String, i32>,
    borders: &[i64],
) -> Result<(Vec<Staged>, NewKeys, usize), StoreError> {
    let mut numbers = Numbers { known, new: NewKeys::default() };
    let mut keyed = Vec::with_capacity(streams.len());
    for stream in streams.drain(..) {
        let key = match agents.get(&stream.name) {
            Some(key) => *key,
            None => numbers.new_agent(&stream.name)?,
        };
        keyed.push((key, stream.events));
    }
    keyed.sort_by_key(|(agent, _)| *agent);
    let (mut staged, mut events) = (Vec::new(), 0);
    let mut batch = EventBatch::default();
    let mut writer = None;
    let mut cluster = None;
    for (agent, rows) in keyed {
        let place = borders.partition_point(|border| *border <= i64::from(agent));
        if cluster.replace(place).is_some_and(|before| before != place) {
            flush(files, &mut batch, &mut writer)?;
            staged.extend(writer.take().map(crate::files::StagedWriter::finish).transpose()?);
        }
        events += rows.len();
        for event in rows {
            if batch.rows() >= BATCH_ROWS {
                flush(files, &mut batch, &mut writer)?;
            }
            let user = numbers.user(&event)?;
            batch.push_row(&event, RowKeys::of_stream(agent, user, &event)?);
        }
    }
    flush(files, &mut batch, &mut writer)?;
    staged.extend(writer.map(crate::files::StagedWriter::finish).transpose()?);
    Ok((staged, numbers.new, events))
}

fn flush(
    files: &Files,
    batch: &mut EventBatch,
    writer: &mut Option<crate::files::StagedWriter>,
) -> Result<(), StoreError> {
    if batch.rows() == 0 {
        return Ok(());
    }
    let rows = batch.take()?;
    match writer {
        Some(writer) => writer.write(rows),
        None => writer.insert(files.stage(event_schema())?).write(rows),
    }
}

/// Gives agents and people their numbers.
struct Numbers {
    known: KnownKeys,
    new: NewKeys,
}

impl Numbers {
    fn new_agent(&mut self, name: &str) -> Result<i32, StoreError> {
        let key = self.known.next_agent;
        self.known.next_agent = next(key)?;
        self.new.agents.push((key, name.to_owned()));
        Ok(key)
    }

    /// Where no rule lets a name through, the person is the agent: people are counted even when nobody is named.
    fn user(&mut self, event: &Event) -> Result<i32, StoreError> {
        let agent;
        let name = match event.user_name.as_deref() {
            Some(name) => name,
            None => {
                agent = event.agent_id.to_string();
                &agent
            }
        };
        if let Some(key) = self.known.users.get(name) {
            return Ok(*key);
        }
        let key = self.known.next_user;
        self.known.next_user = next(key)?;
        self.known.users.insert(name.to_owned(), key);
        self.new.users.push((key, name.to_owned()));
        Ok(key)
    }
}

fn next(key: i32) -> Result<i32, StoreError> {
    key.checked_add(1)
        .ok_or_else(|| StoreError::Invalid("a project holds at most 2^31 agents and as many users".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(agents: (i64, i64), rows: i64) -> Arc<FileEntry> {
        Arc::new(FileEntry {
            path: format!("{rows}"),
            agent_min: Some(agents.0),
            agent_max: Some(agents.1),
            rows,
            bytes: rows,
            time_min_us: None,
            time_max_us: None,
            sha256: String::new(),
            fingerprint: String::new(),
        })
    }

    fn merged(rows: &[i64]) -> Vec<i64> {
        let files = rows.iter().map(|rows| file((1, 9), *rows));
        let cluster = clusters(files).unwrap().remove(0);
        let mut merged: Vec<i64> = to_merge(&cluster).unwrap_or_default().iter().map(|file| file.rows).collect();
        merged.sort_unstable();
        merged
    }

    #[test]
    fn many_small_files_become_one_and_a_large_one_is_left_alone() {
        assert_eq!(merged(&[900_000, 5, 5, 5, 5, 5, 5, 5, 5]), [5; 8]);
        assert_eq!(merged(&[900_000, 5, 5, 5]), [0; 0]);
        assert_eq!(merged(&[5; 7]), [0; 0]);
    }

    #[test]
    fn what_was_merged_is_merged_again_only_with_files_of_its_size() {
        assert_eq!(merged(&[900_000, 100_000, 100_000, 5, 5, 5, 5, 5]), [0; 0]);
        assert_eq!(
            merged(&[900_000, 20_000, 20_000, 20_000, 20_000, 5, 5, 5, 5]),
            [5, 5, 5, 5, 20_000, 20_000, 20_000, 20_000]
        );
    }

    #[test]
    fn a_quarter_of_recent_rows_is_merged_into_the_whole() {
        assert_eq!(merged(&[900_000, 50_000, 50_000, 50_000, 50_000, 50_000, 50_000, 5]).len(), 8);
    }

    #[test]
    fn a_fold_begins_a_file_where_a_cluster_begins() {
        let table: Vec<FileEntry> = [file((1, 4), 1), file((5, 9), 1), file((7, 7), 1), file((12, 15), 1)]
            .iter()
            .map(|file| file.as_ref().clone())
            .collect();
        assert_eq!(borders(&table), [5, 12]);
    }
}
