//! The one task that writes to the ingest database.
//!
//! Whatever queued up while a commit was synced goes into the next one: a lone batch is durable within one sync, a thousand
//! agents share it. The queue is bounded, and who finds it full is told at once. After a failed commit the connection is not
//! trusted any more: it is opened anew, and everybody in the group hears that nothing was stored.
//!
//! ```text
//! jobs:     a b      c d e f              g
//! commits:    [a]────[b c]───[d e f]─────  [g]
//! ```
//!
//! SQLite commits into a log and moves what is in it into its file later. Whoever commits would do that now and then, and all
//! would wait for it; here [`backfill`] does it on a connection of its own, and leaves a few pages for the writer's turn, after
//! which the log begins anew.

use super::landing::{LandError, Landed, LandingRows, Packed, Streams, land};
use super::rows::{Bound, Statement, execute};
use crate::StoreError;
use sqlx::any::AnyConnectOptions;
use sqlx::{AnyConnection, Connection, Executor, Row};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use uilog::planted;

/// Jobs that may wait; the next one is refused.
const QUEUE_JOBS_MAX: usize = 2_048;

/// Bytes of events, compressed, that may wait; the next batch is refused.
const QUEUE_BYTES_MAX: usize = 64 << 20;

/// Jobs of one commit at most, so that nobody waits long for the sync.
const GROUP_JOBS_MAX: usize = 256;

/// Streams kept in memory; beyond that all are forgotten and read again.
const STREAMS_MAX: usize = 200_000;

/// How often SQLite's log is moved into its file.
const BACKFILL_EVERY: Duration = Duration::from_millis(500);

/// Pages of SQLite's log from which on it should begin anew: 16 MiB.
const LOG_PAGES_LONG: i64 = 4_096;

/// Moves what is in SQLite's log into its file, as far as readers allow, and waits for nobody.
const BACKFILL: &str = "PRAGMA wal_checkpoint(PASSIVE)";

/// The writer's end of the queue.
#[derive(Debug, Clone)]
pub(super) struct Writer {
    jobs: mpsc::Sender<Job>,
    bytes: Arc<AtomicUsize>,
}

#[derive(Debug)]
enum Job {
    Land(Box<Packed>, oneshot::Sender<Result<Landed, LandError>>),
    /// Statements that stand or fall together; the answer is how many rows each touched.
    Execute(Vec<Statement>, oneshot::Sender<Result<Vec<u64>, String>>),
    Checkpoint(oneshot::Sender<()>),
    Close(oneshot::Sender<()>),
}

impl Writer {
    pub(super) fn start(options: AnyConnectOptions, sqlite: bool) -> Self {
        let (jobs, queue) = mpsc::channel(QUEUE_JOBS_MAX);
        let bytes = Arc::new(AtomicUsize::new(0));
        tokio::spawn(Task { options, sqlite, streams: Streams::new(), bytes: bytes.clone() }.run(queue));
        Self { jobs, bytes }
    }

    pub(super) async fn land(&self, batch: Packed) -> Result<Landed, LandError> {
        let size = batch.body.len();
        if self.bytes.fetch_add(size, Ordering::Relaxed) + size > QUEUE_BYTES_MAX {
            self.bytes.fetch_sub(size, Ordering::Relaxed);
            return Err(LandError::Overloaded);
        }
        let (reply, answer) = oneshot::channel();
        if self.jobs.try_send(Job::Land(Box::new(batch), reply)).is_err() {
            self.bytes.fetch_sub(size, Ordering::Relaxed);
            return Err(LandError::Overloaded);
        }
        answer.await.unwrap_or_else(|_| Err(LandError::Unavailable("the writer has ended".into())))
    }

    pub(super) async fn execute(&self, statement: String, values: Vec<Bound>) -> Result<u64, StoreError> {
        Ok(self.execute_all(vec![(statement, values)]).await?.first().copied().unwrap_or(0))
    }

    pub(super) async fn execute_all(&self, statements: Vec<Statement>) -> Result<Vec<u64>, StoreError> {
        let (reply, answer) = oneshot::channel();
        let ended = || StoreError::Unavailable("the ingest database is closed".into());
        self.jobs.send(Job::Execute(statements, reply)).await.map_err(|_| ended())?;
        answer.await.map_err(|_| ended())?.map_err(|error| StoreError::Unavailable(format!("ingest database: {error}")))
    }

    pub(super) async fn checkpoint(&self) -> Result<(), StoreError> {
        let (reply, done) = oneshot::channel();
        if self.jobs.send(Job::Checkpoint(reply)).await.is_ok() {
            let _ = done.await;
        }
        Ok(())
    }

    pub(super) async fn close(&self) {
        let (reply, done) = oneshot::channel();
        if self.jobs.send(Job::Close(reply)).await.is_ok() {
            let _ = done.await;
        }
    }
}

struct Task {
    options: AnyConnectOptions,
    sqlite: bool,
    streams: Streams,
    bytes: Arc<AtomicUsize>,
}

/// What is told to whom once the group is committed.
enum Told {
    Landed(oneshot::Sender<Result<Landed, LandError>>, Result<Landed, LandError>),
    Executed(oneshot::Sender<Result<Vec<u64>, String>>, Result<Vec<u64>, String>),
}

impl Told {
    fn commit(self) {
        match self {
            Self::Landed(reply, answer) => drop(reply.send(answer)),
            Self::Executed(reply, answer) => drop(reply.send(answer)),
        }
    }

    fn fail(self, reason: &str) {
        match self {
            Self::Landed(reply, _) => drop(reply.send(Err(LandError::Unavailable(reason.to_owned())))),
            Self::Executed(reply, _) => drop(reply.send(Err(reason.to_owned()))),
        }
    }
}

impl Task {
    async fn run(mut self, mut queue: mpsc::Receiver<Job>) {
        let mut connection: Option<AnyConnection> = None;
        let log_is_long = Arc::new(AtomicBool::new(false));
        let (end, ended) = oneshot::channel();
        let beside = self.sqlite.then(|| tokio::spawn(backfill(self.options.clone(), log_is_long.clone(), ended)));
        let mut group = Vec::with_capacity(GROUP_JOBS_MAX);
        while queue.recv_many(&mut group, GROUP_JOBS_MAX).await > 0 {
            if connection.is_none() {
                connection = self.connect().await;
            }
            let mut closing = Vec::new();
            let mut checkpoints = Vec::new();
            let mut writes = Vec::with_capacity(group.len());
            for job in group.drain(..) {
                match job {
                    Job::Close(reply) => closing.push(reply),
                    Job::Checkpoint(reply) => checkpoints.push(reply),
                    write => writes.push(write),
                }
            }
            if !self.commit(&mut connection, writes).await {
                connection = None;
                self.streams.clear();
            }
            if let Some(open) = connection.as_mut().filter(|_| self.sqlite && !checkpoints.is_empty()) {
                let _ = open.execute("PRAGMA wal_checkpoint(TRUNCATE)").await;
            }
            if let Some(open) = connection.as_mut().filter(|_| log_is_long.swap(false, Ordering::Relaxed)) {
                let _ = open.execute(BACKFILL).await;
            }
            for reply in checkpoints {
                let _ = reply.send(());
            }
            if self.streams.len() > STREAMS_MAX {
                self.streams.clear();
            }
            if !closing.is_empty() {
                let _ = end.send(());
                if let Some(beside) = beside {
                    let _ = beside.await;
                }
                if let Some(open) = connection.take() {
                    let _ = open.close().await;
                }
                for reply in closing {
                    let _ = reply.send(());
                }
                return;
            }
        }
    }

    async fn connect(&self) -> Option<AnyConnection> {
        let mut connection = match AnyConnection::connect_with(&self.options).await {
            Ok(connection) => connection,
            Err(error) => {
                tracing::error!(%error, "the ingest database cannot be opened");
                return None;
            }
        };
        if self.sqlite {
            for pragma in super::SQLITE_PRAGMAS.iter().chain(&["PRAGMA wal_autocheckpoint = 0"]) {
                if let Err(error) = connection.execute(*pragma).await {
                    tracing::error!(%error, "the ingest database cannot be set up");
                    return None;
                }
            }
        }
        if planted::is("commit-unsynced") {
            let _ = connection.execute("PRAGMA synchronous = OFF").await;
        }
        Some(connection)
    }

    /// Writes a group in one transaction and answers everybody; `false` if the connection is not to be used again.
    async fn commit(&mut self, connection: &mut Option<AnyConnection>, jobs: Vec<Job>) -> bool {
        if jobs.is_empty() {
            return true;
        }
        let mut told = Vec::with_capacity(jobs.len());
        let result = match connection {
            Some(connection) => self.write(connection, jobs, &mut told).await,
            None => {
                told.extend(jobs.into_iter().filter_map(|job| self.unanswered(job)));
                Err("the ingest database cannot be opened".to_owned())
            }
        };
        match result {
            Ok(()) => {
                told.into_iter().for_each(Told::commit);
                true
            }
            Err(reason) => {
                tracing::error!(reason, "a group of writes was not committed");
                told.into_iter().for_each(|told| told.fail(&reason));
                false
            }
        }
    }

    fn unanswered(&self, job: Job) -> Option<Told> {
        let unavailable = || "not reached".to_owned();
        match job {
            Job::Land(batch, reply) => {
                self.bytes.fetch_sub(batch.body.len(), Ordering::Relaxed);
                Some(Told::Landed(reply, Err(LandError::Unavailable(unavailable()))))
            }
            Job::Execute(_, reply) => Some(Told::Executed(reply, Err(unavailable()))),
            Job::Checkpoint(_) | Job::Close(_) => None,
        }
    }

    async fn write(
        &mut self,
        connection: &mut AnyConnection,
        mut jobs: Vec<Job>,
        told: &mut Vec<Told>,
    ) -> Result<(), String> {
        // Who waited at the same time has no order. What lands comes first, so that its rows are written together.
        jobs.sort_by_key(|job| !matches!(job, Job::Land(..)));
        let mut jobs = jobs.into_iter();
        let result = async {
            let mut transaction = connection.begin().await.map_err(|error| error.to_string())?;
            let mut rows = LandingRows::new();
            for job in jobs.by_ref() {
                match job {
                    Job::Land(batch, reply) => {
                        self.bytes.fetch_sub(batch.body.len(), Ordering::Relaxed);
                        let landed = land(&mut transaction, &mut self.streams, &mut rows, *batch).await;
                        let failed = landed.as_ref().err().map(ToString::to_string);
                        told.push(Told::Landed(
                            reply,
                            landed.unwrap_or_else(|error| Err(LandError::Unavailable(error.to_string()))),
                        ));
                        if let Some(failed) = failed {
                            return Err(failed);
                        }
                    }
                    Job::Execute(statements, reply) => {
                        let touched = match rows.write(&mut transaction).await {
                            Ok(()) => execute_all(&mut transaction, statements).await,
                            Err(error) => Err(error.to_string()),
                        };
                        let failed = touched.as_ref().err().cloned();
                        told.push(Told::Executed(reply, touched.unwrap_or_else(Err)));
                        if let Some(failed) = failed.filter(|_| !planted::is("broken-group-commits")) {
                            return Err(failed);
                        }
                    }
                    Job::Checkpoint(_) | Job::Close(_) => {}
                }
            }
            rows.write(&mut transaction).await.map_err(|error| error.to_string())?;
            if planted::is("ack-before-commit") {
                told.drain(..).for_each(Told::commit);
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
            // A library that has lost its transaction calls a commit of nothing a success.
            if !transaction.is_in_transaction() && !planted::is("broken-group-commits") {
                return Err("the transaction has ended before its commit".to_owned());
            }
            // Nothing is told before this returns: an acknowledged event survives a power cut (P1).
            transaction.commit().await.map_err(|error| error.to_string())
        }
        .await;
        told.extend(jobs.filter_map(|job| self.unanswered(job)));
        result
    }
}

/// Moves SQLite's log into its file every now and then, until `ended`; says when the log is long. What it cannot do now it does
/// the next time.
async fn backfill(options: AnyConnectOptions, log_is_long: Arc<AtomicBool>, mut ended: oneshot::Receiver<()>) {
    let mut connection: Option<AnyConnection> = None;
    loop {
        tokio::select! {
            _ = &mut ended => break,
            () = tokio::time::sleep(BACKFILL_EVERY) => {}
        }
        let pages = async {
            let open = match &mut connection {
                Some(open) => open,
                None => connection.insert(AnyConnection::connect_with(&options).await?),
            };
            open.fetch_one(BACKFILL).await?.try_get::<i64, _>(1)
        };
        match pages.await {
            Ok(pages) => log_is_long.store(pages > LOG_PAGES_LONG, Ordering::Relaxed),
            Err(error) => {
                tracing::warn!(%error, "the log of the ingest database could not be moved into its file");
                connection = None;
            }
        }
    }
    if let Some(open) = connection {
        let _ = open.close().await;
    }
}

/// Statements that a constraint refuses are undone alone; the group goes on without them.
///
/// Errors: they could not be undone or kept alone, because the connection is gone, say. Then nobody knows what became of
/// the group, and none of it counts.
async fn execute_all(
    connection: &mut AnyConnection,
    statements: Vec<Statement>,
) -> Result<Result<Vec<u64>, String>, String> {
    let mut savepoint = connection.begin().await.map_err(|error| error.to_string())?;
    let mut touched = Vec::with_capacity(statements.len());
    for (statement, values) in statements {
        match execute(&mut savepoint, statement, values).await {
            Ok(rows) => touched.push(rows),
            Err(error) => {
                savepoint.rollback().await.map_err(|error| error.to_string())?;
                return Ok(Err(error));
            }
        }
    }
    savepoint.commit().await.map_err(|error| error.to_string())?;
    Ok(Ok(touched))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlx::{AssertSqlSafe, Row};
    use std::str::FromStr;

    #[tokio::test]
    async fn p1_a_connection_that_ends_in_the_middle_of_a_group_fails_all_of_it() {
        let Ok(url) = std::env::var("LODE_TEST_POSTGRES") else {
            eprintln!("not on PostgreSQL: LODE_TEST_POSTGRES is not set");
            return;
        };
        sqlx::any::install_default_drivers();
        let options = AnyConnectOptions::from_str(&url).unwrap();
        let mut beside = AnyConnection::connect_with(&options).await.unwrap();
        let table = format!("group_{}", uuid::Uuid::new_v4().simple());
        beside.execute(AssertSqlSafe(format!("CREATE TABLE {table} (n BIGINT)"))).await.unwrap();
        let writer = Writer::start(options, false);
        let insert = |n: i64| writer.execute(format!("INSERT INTO {table} VALUES ($1)"), vec![n.into()]);
        let end = writer.execute("SELECT pg_terminate_backend(pg_backend_pid())".into(), Vec::new());
        // All three wait before the writer has its turn, so they are one group.
        let (before, end, after) = tokio::join!(insert(1), end, insert(2));
        let count = sqlx::query(AssertSqlSafe(format!("SELECT count(*) FROM {table}"))).fetch_one(&mut beside).await;
        beside.execute(AssertSqlSafe(format!("DROP TABLE {table}"))).await.unwrap();
        assert_eq!(count.unwrap().get::<i64, _>(0), 0);
        assert!(before.is_err() && end.is_err() && after.is_err(), "{before:?} {end:?} {after:?}");
    }
}
