//! Tests of jobs that anyone can read: a log in a line, a question, the rows it must give.
//!
//! ```text
//! statement ok
//! log 09:00 excel copy B2 | 09:01 crm paste name
//!
//! query TI
//! SELECT application_label, events FROM app_usage ORDER BY 1
//! ----
//! crm    1
//! excel  1
//! ```
//!
//! The form is that of sqllogictest; `log` takes the notation of [`uilog::notation`], imports it into an empty project
//! and runs the jobs. Each file has a store of its own. `case_rule`, `labels` and `job` change the project first.

use super::catalog::is_table_name;
use super::runner::{Outcome, Runner, Selection, Workshop, now_us};
use crate::scripts::Scripts;
use crate::{labels, operators, rows};
use serde_json::Value;
use sqllogictest::{AsyncDB, DBOutput, DefaultColumnType};
use std::path::Path;
use store::control::imports::{ImportRecord, ImportState};
use store::control::jobs::JobOverride;
use store::control::projects::ProjectKind;
use store::engine::Question;
use store::{Settings, Store};

/// Name of the project inside a test.
const PROJECT: &str = "test";

/// Rows that a test looks at.
const ROWS_MAX: usize = 10_000;

/// Checks one file, or fills in the rows that its questions give.
///
/// Errors: the first thing that differs, with file and line.
pub async fn check_file(path: &Path, fill_in: bool) -> anyhow::Result<()> {
    let folder = std::env::temp_dir().join(format!("lode-job-test-{}", uuid::Uuid::new_v4()));
    let result = check_in(&folder, path, fill_in).await;
    let _ = std::fs::remove_dir_all(&folder);
    result
}

async fn check_in(folder: &Path, path: &Path, fill_in: bool) -> anyhow::Result<()> {
    let store = Store::open(Settings { cores: 2, ..Settings::for_folder(folder) }).await?;
    store.engine().register(operators::all());
    store.control().create_project(PROJECT, ProjectKind::Imported, now_us()).await?;
    let mut runner = sqllogictest::Runner::new(|| {
        let store = store.clone();
        async move { Ok(Subject { store }) }
    });
    if fill_in {
        let same = sqllogictest::default_column_validator;
        let update = runner.update_test_file(
            path,
            "\t",
            sqllogictest::default_validator,
            sqllogictest::default_normalizer,
            same,
        );
        return update.await.map_err(|error| anyhow::anyhow!("{}: {error}", path.display()));
    }
    runner.run_file_async(path).await.map_err(|error| anyhow::anyhow!("{error}"))
}

/// A store as sqllogictest wants it.
struct Subject {
    store: Store,
}

/// An error in words.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct CheckError(String);

#[async_trait::async_trait]
impl AsyncDB for Subject {
    type Error = CheckError;
    type ColumnType = DefaultColumnType;

    async fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, CheckError> {
        self.obey(sql).await.map_err(|error| CheckError(format!("{error:#}")))
    }

    async fn shutdown(&mut self) {}

    fn engine_name(&self) -> &str {
        "lode"
    }
}

impl Subject {
    async fn obey(&self, text: &str) -> anyhow::Result<DBOutput<DefaultColumnType>> {
        let (word, rest) = text.trim().split_once(char::is_whitespace).unwrap_or((text, ""));
        match word {
            "log" => self.import(rest).await?,
            "labels" => {
                labels::parse(rest)?;
                let project = self.store.control().project(PROJECT).await?;
                self.store.control().put_label_rules(&project.id, rest).await?;
            }
            "case_rule" => {
                let project = self.store.control().project(PROJECT).await?;
                self.store.control().update_project(&project.id, PROJECT, &serde_json::from_str(rest)?).await?;
            }
            "job" => {
                let (name, sql) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
                if !is_table_name(name) {
                    anyhow::bail!("'{name}' cannot name a table");
                }
                let project = self.store.control().project(PROJECT).await?;
                let job = JobOverride { name: name.into(), text: Some(sql.into()), enabled: true, schedule: None };
                self.store.control().put_job(&project.id, &job).await?;
            }
            _ => return self.ask(text).await,
        }
        Ok(DBOutput::StatementComplete(0))
    }

    async fn import(&self, notation: &str) -> anyhow::Result<()> {
        let project = self.store.control().project(PROJECT).await?;
        let events = uilog::notation::parse(notation)?;
        let record = ImportRecord {
            id: uuid::Uuid::new_v4().to_string(),
            project: project.id.clone(),
            file: "notation".into(),
            content_hash: notation.into(),
            format: Some("notation".into()),
            state: ImportState::Running,
            bytes_total: notation.len() as i64,
            rows_read: events.len() as i64,
            rows_rejected: 0,
            rows_stored: 0,
            message: None,
            started_at_us: now_us(),
            finished_at_us: None,
        };
        self.store.control().insert_import(&record).await?;
        let mut writer = self.store.begin_import(&project.id).await?;
        writer.append(&events)?;
        self.store.commit_import(writer, record, now_us()).await?;
        let mut failed = None;
        let runner = Runner::new(self.store.clone(), Scripts::none(self.store.settings()));
        runner
            .run(&project.id, "test", &Selection::Stale, |job, outcome| {
                if let Outcome::Failed(error) = outcome {
                    failed.get_or_insert(format!("job {job}: {error}"));
                }
            })
            .await?;
        match failed {
            Some(message) => anyhow::bail!(message),
            None => Ok(()),
        }
    }

    async fn ask(&self, sql: &str) -> anyhow::Result<DBOutput<DefaultColumnType>> {
        let workshop = Workshop::open(&self.store, PROJECT).await?;
        let snapshot = workshop.snapshot(&self.store).await?;
        let answer = self.store.engine().ask(&snapshot, Question::of_lode(sql), workshop.functions()).await?;
        let types = answer.schema.fields().iter().map(|_| DefaultColumnType::Any).collect();
        let (batches, _, _) = answer.collect(ROWS_MAX).await?;
        let text = |value: &Value| match value {
            Value::Null => "NULL".to_owned(),
            Value::String(text) if text.is_empty() => "(empty)".to_owned(),
            Value::String(text) => text.clone(),
            Value::Number(number) => number
                .as_f64()
                .filter(|_| number.is_f64())
                .map_or_else(|| number.to_string(), |number| format!("{number:.3}")),
            other => other.to_string(),
        };
        let rows =
            rows::rows(&batches)?.iter().map(|row| row.as_array().into_iter().flatten().map(text).collect()).collect();
        Ok(DBOutput::Rows { types, rows })
    }
}
