//! What the stories share: a data folder of their own, logs in one line, answers as text.

use arrow::array::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use sha2::{Digest, Sha256};
use sqlx::{AssertSqlSafe, Connection, Executor};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use store::columns::EVENTS;
use store::control::imports::{ImportRecord, ImportState};
use store::control::projects::{Project, ProjectKind};
use store::engine::{Answer, Author, Question};
use store::files::hex;
use store::marts::Build;
use store::operator::RowFunctions;
use store::{Settings, Store, StoreError};
use tempfile::TempDir;
use uilog::notation;

/// Time in the stories, microseconds since 1970; no story looks at the clock.
pub const NOW_US: i64 = 1_767_700_000_000_000;

/// Where one store lives: a temporary folder, and a database of its own if its control data is in PostgreSQL.
pub struct Place {
    folder: TempDir,
    control_url: Option<String>,
}

impl Place {
    /// A place whose control data is in SQLite.
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), control_url: None }
    }

    /// The data folder.
    pub fn folder(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A path beside the data folder.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn settings(&self) -> Settings {
        Settings { control_url: self.control_url.clone(), cores: 2, ..Settings::for_folder(self.folder()) }
    }

    /// Opens the store; it closes when the last handle is dropped.
    pub async fn open(&self) -> Store {
        Store::open(self.settings()).await.unwrap()
    }
}

/// Progress that nobody looks at.
pub fn unheard() -> store::backup::Progress {
    Box::new(|_, _| {})
}

/// Tells a story once per control database.
pub async fn over_both(story: impl AsyncFn(&Place)) {
    story(&Place::new()).await;
    let Ok(server) = std::env::var("LODE_TEST_POSTGRES") else {
        eprintln!("not on PostgreSQL: LODE_TEST_POSTGRES is not set");
        return;
    };
    let name = format!("lode_test_{}", uuid::Uuid::new_v4().simple());
    command(&server, format!("CREATE DATABASE {name}")).await;
    let control_url = Some(with_database(&server, &name));
    story(&Place { folder: tempfile::tempdir().unwrap(), control_url }).await;
    command(&server, format!("DROP DATABASE {name} WITH (FORCE)")).await;
}

async fn command(url: &str, sql: String) {
    sqlx::any::install_default_drivers();
    let mut connection = sqlx::AnyConnection::connect(url).await.unwrap();
    connection.execute(AssertSqlSafe(sql)).await.unwrap();
    connection.close().await.unwrap();
}

/// `postgres://user@host/one?x=y` with another database in the place of `one`.
fn with_database(url: &str, name: &str) -> String {
    let (address, options) = url.split_once('?').unwrap_or((url, ""));
    let (server, _) = address.rsplit_once('/').unwrap();
    format!("{server}/{name}?{options}")
}

/// A new project of brought-along logs.
pub async fn project(store: &Store, name: &str) -> Project {
    store.control().create_project(name, ProjectKind::Imported, NOW_US).await.unwrap()
}

/// The record of an import that begins; the notation stands for the bytes.
pub async fn begin(store: &Store, project: &Project, notation: &str) -> ImportRecord {
    let record = ImportRecord {
        id: uuid::Uuid::now_v7().to_string(),
        project: project.id.clone(),
        file: "log".into(),
        content_hash: hash_of(notation),
        format: Some("notation".into()),
        state: ImportState::Running,
        bytes_total: notation.len() as i64,
        rows_read: 0,
        rows_rejected: 0,
        rows_stored: 0,
        message: None,
        started_at_us: NOW_US,
        finished_at_us: None,
    };
    store.control().insert_import(&record).await.unwrap();
    record
}

/// The identity of a log whose bytes are this text.
pub fn hash_of(notation: &str) -> String {
    hex(&Sha256::digest(notation))
}

/// Imports a log in the notation of `uilog::notation`.
pub async fn import(store: &Store, project: &Project, notation: &str) -> Result<ImportRecord, StoreError> {
    let record = begin(store, project, notation).await;
    let mut writer = store.begin_import(&project.id).await?;
    writer.append(&notation::log(notation))?;
    store.commit_import(writer, record, NOW_US).await
}

/// A table that a job would make from all events.
pub fn table(name: &str, sql: &str) -> Build {
    Build {
        table: name.into(),
        sql: sql.into(),
        parameters: Default::default(),
        row_functions: RowFunctions::default(),
        reads: vec![EVENTS.into()],
        per_agent: false,
        revision: sql.into(),
        author: Author::Lode,
        seconds_max: 60,
    }
}

/// The answer to a question, one text per row.
pub async fn ask(store: &Store, project: &Project, sql: &str) -> Result<Vec<String>, StoreError> {
    let (batches, _, _) = answer(store, project, sql).await?.collect(usize::MAX).await?;
    Ok(batches.iter().flat_map(rows).collect())
}

/// A question that has begun.
pub async fn answer(store: &Store, project: &Project, sql: &str) -> Result<Answer, StoreError> {
    let snapshot = store.snapshot(&project.id).await?;
    store.engine().ask(&snapshot, Question::of_lode(sql), &RowFunctions::default()).await
}

/// Rows of a batch as text, cells apart by spaces.
pub fn rows(batch: &RecordBatch) -> Vec<String> {
    let options = FormatOptions::default();
    let columns: Vec<_> =
        batch.columns().iter().map(|column| ArrayFormatter::try_new(column.as_ref(), &options).unwrap()).collect();
    let row = |row| columns.iter().map(|column| column.value(row).to_string()).collect::<Vec<_>>().join(" ");
    (0..batch.num_rows()).map(row).collect()
}

/// Every file below `folder`.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { found.extend(files_below(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// Files in which a text can be read: byte by byte, and what Parquet files say once they are unpacked.
pub fn files_with(folder: &Path, text: &str) -> Vec<PathBuf> {
    let holds = |path: &PathBuf| {
        let bytes = std::fs::read(path).unwrap_or_default();
        let plain = bytes.windows(text.len()).any(|window| window == text.as_bytes());
        plain || (path.extension().is_some_and(|ending| ending == "parquet") && parquet_says(path, text))
    };
    files_below(folder).into_iter().filter(holds).collect()
}

fn parquet_says(path: &Path, text: &str) -> bool {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap().build().unwrap();
    reader.flatten().any(|batch| rows(&batch).iter().any(|row| row.contains(text)))
}

/// Asks again until the answer is yes, for at most `seconds`; says whether it came.
pub async fn comes_true(seconds: u64, mut asked: impl AsyncFnMut() -> bool) -> bool {
    let end = Instant::now() + Duration::from_secs(seconds);
    while Instant::now() < end {
        if asked().await {
            return true;
        }
        tokio::task::yield_now().await;
    }
    false
}
