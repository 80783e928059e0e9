//! Rewrites files: small ones become large ones, rows whose time is over go, rows of a person go.
//!
//! Each act is one swap in the manifest; a reader sees the table before or after it. Tables that jobs made from rewritten
//! events no longer match their fingerprints and are made anew by the next run; until then an erasure takes them away.

use crate::columns::{AGENT_KEY, EVENTS, USER_KEY};
use crate::control::manifest::FileEntry;
use crate::engine::{Parameter, Question};
use crate::files::FILE_ROWS_TARGET;
use crate::import::{SortedWriter, publish_all};
use crate::ingest::removal::{Removed, Why};
use crate::operator::RowFunctions;
use crate::snapshot::{Snapshot, TableFiles};
use crate::{Store, StoreError};
use arrow::array::AsArray;
use arrow::datatypes::{Int32Type, Int64Type};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use uilog::planted;

/// A file with fewer rows than this is merged with its neighbours.
pub const SMALL_FILE_ROWS: i64 = FILE_ROWS_TARGET / 4;

/// What an act of upkeep did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rewritten {
    /// Files that were replaced.
    pub files_before: usize,
    /// Files that replaced them.
    pub files_after: usize,
    /// Rows that are gone.
    pub rows_removed: i64,
}

/// What an erasure took away.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Erased {
    /// Files of events, and rows in them.
    pub rewritten: Rewritten,
    /// Tables made from them.
    pub tables: usize,
    /// What had not become a file yet.
    pub removed: Removed,
}

/// When an event came; of a log that was brought along, when it happened.
fn came() -> &'static str {
    if planted::is("local-clock-retention") { "time" } else { "coalesce(received_at, time)" }
}

impl Store {
    /// Merges runs of small event files.
    pub async fn compact(&self, project: &str, now_us: i64) -> Result<Rewritten, StoreError> {
        let project = self.control().project(project).await?.id;
        // A file that a fold or an import adds meanwhile would drop out of the list that is committed.
        let _turn = self.import_turn(&project).await;
        let snapshot = self.snapshot(&project).await?;
        let Some(events) = snapshot.tables.get(EVENTS) else { return Ok(Rewritten::default()) };
        let mut runs: Vec<Vec<Arc<FileEntry>>> = Vec::new();
        let mut rows = 0;
        for file in &events.files {
            let joins = file.rows < SMALL_FILE_ROWS
                && rows + file.rows <= FILE_ROWS_TARGET
                && runs.last().is_some_and(|run| run[0].rows < SMALL_FILE_ROWS);
            match runs.last_mut() {
                Some(run) if joins => {
                    run.push(file.clone());
                    rows += file.rows;
                }
                _ => {
                    runs.push(vec![file.clone()]);
                    rows = file.rows;
                }
            }
        }
        runs.retain(|run| run.len() > 1);
        if runs.is_empty() {
            return Ok(Rewritten::default());
        }
        self.rewrite(&snapshot, runs, "SELECT * FROM events", HashMap::new(), now_us).await
    }

    /// Removes events that came before `cutoff_us` by the service's clock; where nothing came, by the time in the log.
    /// They count as expired.
    pub async fn retire(&self, project: &str, cutoff_us: i64, now_us: i64) -> Result<Rewritten, StoreError> {
        let project = self.control().project(project).await?.id;
        // A file that a fold or an import adds meanwhile would drop out of the list that is committed.
        let _turn = self.import_turn(&project).await;
        let snapshot = self.snapshot(&project).await?;
        let Some(events) = snapshot.tables.get(EVENTS) else { return Ok(Rewritten::default()) };
        let parameters = HashMap::from([("cutoff".to_owned(), Parameter::TimeUs(Some(cutoff_us)))]);
        let over = self.rows_per_agent(&snapshot, &format!("{} < $cutoff", came()), parameters.clone()).await?;
        let runs = alone(events, |file| holds_any(file, over.keys()));
        let sql = format!("SELECT * FROM events WHERE {} >= $cutoff", came());
        let rewritten = self.rewrite(&snapshot, runs, &sql, parameters, now_us).await?;
        self.count_gone(&project, &over, Why::Expired).await?;
        Ok(rewritten)
    }

    /// Removes everything that an agent sent, in files and on its way there, and every table made from it. The `seq` ranges
    /// that came stay known, so that a repetition brings nothing back; the events count as erased.
    ///
    /// What the agent sends later is new. An agent that nobody knows has nothing, and nothing happens.
    pub async fn erase_agent(&self, project: &str, agent_id: &str, now_us: i64) -> Result<Erased, StoreError> {
        let project = self.control().project(project).await?.id;
        // Folds wait too, so nothing is between the two databases.
        let _turn = self.import_turn(&project).await;
        let removed = self.ingest().remove_agent(&project, agent_id).await?;
        let mut erased = Erased { removed, ..Erased::default() };
        let snapshot = self.snapshot(&project).await?;
        for table in snapshot.tables.keys().filter(|name| *name != EVENTS && !planted::is("erase-skips-marts")) {
            self.control().drop_table(&project, table).await?;
            erased.tables += 1;
        }
        let streams = self.control().streams_of(&project, agent_id).await?;
        let Some(events) = snapshot.tables.get(EVENTS).filter(|_| !streams.is_empty()) else { return Ok(erased) };
        let keys = streams.keys().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let of_agent = format!("{AGENT_KEY} IN ({keys})");
        let rows = self.rows_per_agent(&snapshot, &of_agent, HashMap::new()).await?;
        let people = self.people(&snapshot, &of_agent).await?;
        let runs = alone(events, |file| holds_any(file, rows.keys()));
        let sql = format!("SELECT * FROM events WHERE {AGENT_KEY} NOT IN ({keys})");
        erased.rewritten = self.rewrite(&snapshot, runs, &sql, HashMap::new(), now_us).await?;
        drop(snapshot);
        self.count_gone(&project, &rows, Why::Erased).await?;
        let left = self.people(&self.snapshot(&project).await?, "true").await?;
        for person in people.into_iter().filter(|person| !left.contains(person)) {
            self.control().forget_user(&project, person).await?;
        }
        Ok(erased)
    }

    /// How many events of each agent fit.
    async fn rows_per_agent(
        &self,
        snapshot: &Snapshot,
        fitting: &str,
        parameters: HashMap<String, Parameter>,
    ) -> Result<HashMap<i64, i64>, StoreError> {
        let sql =
            format!("SELECT CAST({AGENT_KEY} AS BIGINT), count(*) FROM events WHERE {fitting} GROUP BY {AGENT_KEY}");
        let mut answer = self
            .engine()
            .ask(snapshot, Question { parameters, ..Question::of_lode(sql) }, &RowFunctions::default())
            .await?;
        let mut rows = HashMap::new();
        while let Some(batch) = answer.next().await {
            let batch = batch?;
            let (keys, counts) =
                (batch.column(0).as_primitive::<Int64Type>(), batch.column(1).as_primitive::<Int64Type>());
            rows.extend(keys.values().iter().copied().zip(counts.values().iter().copied()));
        }
        Ok(rows)
    }

    /// The people in the events that fit.
    async fn people(&self, snapshot: &Snapshot, fitting: &str) -> Result<HashSet<i32>, StoreError> {
        let sql = format!("SELECT DISTINCT CAST({USER_KEY} AS INT) FROM events WHERE {fitting}");
        let mut answer = self.engine().ask(snapshot, Question::of_lode(sql), &RowFunctions::default()).await?;
        let mut people = HashSet::new();
        while let Some(batch) = answer.next().await {
            people.extend(batch?.column(0).as_primitive::<Int32Type>().values());
        }
        Ok(people)
    }

    async fn count_gone(&self, project: &str, rows: &HashMap<i64, i64>, why: Why) -> Result<(), StoreError> {
        if rows.is_empty() {
            return Ok(());
        }
        let streams = self.control().streams(project).await?;
        let named = rows.iter().filter_map(|(key, rows)| Some((streams.get(key)?.clone(), *rows))).collect();
        self.ingest().count_gone(&named, why).await
    }

    /// Removes every event of a person, and every table made from them.
    ///
    /// Errors: [`StoreError::Missing`] if no source named that person.
    pub async fn erase_user(&self, project: &str, user_name: &str, now_us: i64) -> Result<Rewritten, StoreError> {
        let project = self.control().project(project).await?.id;
        // A file that a fold or an import adds meanwhile would drop out of the list that is committed.
        let _turn = self.import_turn(&project).await;
        let snapshot = self.snapshot(&project).await?;
        let id = snapshot.project.id.clone();
        let Some(user_key) = self.control().known_keys(&id).await?.users.get(user_name).copied() else {
            return Err(StoreError::Missing { kind: "user", name: user_name.into() });
        };
        for table in snapshot.tables.keys().filter(|name| *name != EVENTS) {
            self.control().drop_table(&id, table).await?;
        }
        let Some(events) = snapshot.tables.get(EVENTS) else { return Ok(Rewritten::default()) };
        let runs = alone(events, |_| true);
        let parameters = HashMap::from([("user".to_owned(), Parameter::Integer(Some(i64::from(user_key))))]);
        let rewritten =
            self.rewrite(&snapshot, runs, "SELECT * FROM events WHERE user_key <> $user", parameters, now_us).await?;
        self.control().forget_user(&id, user_key).await?;
        Ok(rewritten)
    }

    /// Replaces each run of files by what `sql` keeps of it; a run of one file that loses nothing stays as it is.
    pub(crate) async fn rewrite(
        &self,
        snapshot: &Snapshot,
        runs: Vec<Vec<Arc<FileEntry>>>,
        sql: &str,
        parameters: HashMap<String, Parameter>,
        now_us: i64,
    ) -> Result<Rewritten, StoreError> {
        let Some(events) = snapshot.tables.get(EVENTS) else { return Ok(Rewritten::default()) };
        let mut touched: Vec<&str> = Vec::new();
        let mut files: Vec<FileEntry> = Vec::new();
        let mut done = Rewritten::default();
        for run in &runs {
            let rows: i64 = run.iter().map(|file| file.rows).sum();
            let only = TableFiles { schema: events.schema.clone(), files: run.clone() };
            let part = Snapshot {
                project: snapshot.project.clone(),
                tables: [(EVENTS.to_owned(), only)].into(),
                views: Vec::new(),
                persons_min: None,
                hidden_columns: Vec::new(),
            };
            let question = Question { parameters: parameters.clone(), partitions: Some(1), ..Question::of_lode(sql) };
            let mut answer = self.engine().ask(&part, question, &RowFunctions::default()).await?;
            let mut writer = SortedWriter::new(self.files().clone(), events.schema.clone());
            while let Some(batch) = answer.next().await {
                writer.write(batch?.with_schema(events.schema.clone())?)?;
            }
            let staged = writer.finish()?;
            let left: i64 = staged.iter().map(|file| file.rows).sum();
            if run.len() == 1 && left == rows {
                staged.into_iter().for_each(crate::files::Staged::discard);
                continue;
            }
            touched.extend(run.iter().map(|file| file.path.as_str()));
            done.files_before += run.len();
            done.files_after += staged.len();
            done.rows_removed += rows - left;
            files.extend(publish_all(self.files(), staged, &snapshot.project.id, EVENTS, &run[0].fingerprint).await?);
        }
        if touched.is_empty() {
            return Ok(done);
        }
        if files.is_empty() && touched.len() == events.files.len() {
            let empty = self.files().stage(events.schema.clone())?.finish()?;
            files = publish_all(self.files(), vec![empty], &snapshot.project.id, EVENTS, "empty").await?;
        }
        self.control().commit_rewrite(&snapshot.project.id, EVENTS, &touched, &files, now_us).await?;
        Ok(done)
    }
}

/// Each file that `touches` says is concerned, as a run of its own.
fn alone(table: &TableFiles, touches: impl Fn(&FileEntry) -> bool) -> Vec<Vec<Arc<FileEntry>>> {
    table.files.iter().filter(|file| touches(file)).map(|file| vec![file.clone()]).collect()
}

/// Whether rows of any of these agents can be in a file.
fn holds_any<'a>(file: &FileEntry, mut agents: impl Iterator<Item = &'a i64>) -> bool {
    let Some((first, last)) = file.agent_min.zip(file.agent_max) else { return true };
    agents.any(|agent| (first..=last).contains(agent))
}
