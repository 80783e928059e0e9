//! `lode sql`: one question, answered as a table on a terminal, as CSV elsewhere, or as JSON.

use super::ExitKind;
use super::remote::Remote;
use crate::jobs::runner::Workshop;
use crate::rows::{self, CsvRows};
use anyhow::{Result, anyhow};
use arrow::array::RecordBatch;
use arrow::util::pretty::pretty_format_batches;
use clap::Args;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use reqwest::Method;
use serde_json::json;
use std::io::{IsTerminal, Read, Write};
use std::time::Instant;
use store::engine::Question;
use store::{Store, StoreError};

/// Rows shown on a terminal unless asked otherwise.
const TERMINAL_ROWS: usize = 1_000;

#[derive(Debug, Args)]
pub struct Sql {
    /// The question; - reads it from standard input
    sql: String,
    /// The project
    #[arg(long)]
    project: String,
    /// Rows at most
    #[arg(long)]
    limit: Option<usize>,
}

impl Sql {
    pub async fn run(self, store: &Store, as_json: bool) -> Result<ExitKind> {
        let sql = self.question()?;
        let workshop = Workshop::open(store, &self.project).await?;
        let snapshot = workshop.snapshot(store).await?;
        let started = Instant::now();
        let mut answer =
            match store.engine().ask(&snapshot, Question::of_person(sql.as_str()), workshop.functions()).await {
                Ok(answer) => answer,
                Err(error) => return Err(pointed(error, &sql)),
            };
        let schema = answer.schema.clone();
        let terminal = std::io::stdout().is_terminal();
        if as_json || terminal {
            let limit = self.limit.unwrap_or(if as_json { usize::MAX } else { TERMINAL_ROWS });
            let (batches, truncated, cost) = answer.collect(limit).await.map_err(|error| pointed(error, &sql))?;
            let elapsed_ms = started.elapsed().as_secs_f64() * 1e3;
            if as_json {
                let row_count: usize = batches.iter().map(RecordBatch::num_rows).sum();
                let answer = json!({
                    "columns": rows::columns(&schema), "rows": rows::rows(&batches)?, "row_count": row_count, "truncated": truncated,
                    "elapsed_ms": elapsed_ms, "bytes_scanned": cost.bytes_scanned, "peak_memory_bytes": cost.peak_memory_bytes,
                });
                println!("{answer}");
            } else {
                show(&batches, truncated, elapsed_ms)?;
            }
            return Ok(ExitKind::Done);
        }
        let mut csv = CsvRows::new(std::io::stdout().lock());
        csv.header(&schema)?;
        let mut left = self.limit.unwrap_or(usize::MAX);
        while let Some(batch) = answer.next().await {
            let batch = batch.map_err(|error| pointed(error, &sql))?;
            let taken = batch.num_rows().min(left);
            csv.write(&batch.slice(0, taken))?;
            left -= taken;
            if left == 0 {
                break;
            }
        }
        csv.finish()?.flush()?;
        Ok(ExitKind::Done)
    }

    /// The same at a service, under the rights of a token.
    pub async fn run_at(self, remote: &Remote, as_json: bool) -> Result<ExitKind> {
        let (sql, started) = (self.question()?, Instant::now());
        if as_json {
            let asked = json!({ "sql": sql, "limit": self.limit });
            println!(
                "{}",
                remote.json(Method::POST, &format!("/projects/{}/query", self.project), Some(&asked)).await?
            );
            return Ok(ExitKind::Done);
        }
        let asked = json!({ "sql": sql, "format": "parquet" });
        let file =
            remote.bytes(Method::POST, &format!("/projects/{}/query/export", self.project), Some(&asked)).await?;
        let answer = ParquetRecordBatchReaderBuilder::try_new(file)?;
        let (schema, rows) = (answer.schema().clone(), answer.metadata().file_metadata().num_rows() as usize);
        let terminal = std::io::stdout().is_terminal();
        let limit = self.limit.unwrap_or(if terminal { TERMINAL_ROWS } else { usize::MAX });
        let batches: Vec<RecordBatch> = answer.with_limit(limit).build()?.collect::<Result<_, _>>()?;
        if terminal {
            show(&batches, rows > limit, started.elapsed().as_secs_f64() * 1e3)?;
            return Ok(ExitKind::Done);
        }
        let mut csv = CsvRows::new(std::io::stdout().lock());
        csv.header(&schema)?;
        for batch in &batches {
            csv.write(batch)?;
        }
        csv.finish()?.flush()?;
        Ok(ExitKind::Done)
    }

    fn question(&self) -> Result<String> {
        if self.sql == "-" { read_text(&self.sql) } else { Ok(self.sql.clone()) }
    }
}

/// Rows as a table on the terminal.
fn show(batches: &[RecordBatch], truncated: bool, elapsed_ms: f64) -> Result<()> {
    println!("{}", pretty_format_batches(batches)?);
    let row_count: usize = batches.iter().map(RecordBatch::num_rows).sum();
    let more = if truncated { " (there are more; use --limit)" } else { "" };
    eprintln!("{row_count} rows{more} in {elapsed_ms:.0} ms");
    Ok(())
}

/// An error with the line it is about and a mark under the place.
fn pointed(error: StoreError, sql: &str) -> anyhow::Error {
    let StoreError::Sql { message, position: Some(position) } = &error else { return error.into() };
    let line = sql.lines().nth(position.line.saturating_sub(1) as usize).unwrap_or_default();
    let mark = format!("{}^", " ".repeat(position.column.saturating_sub(1) as usize));
    let shown = format!(
        "{message}\n  line {}: {line}\n  {}{mark}",
        position.line,
        " ".repeat(format!("line {}: ", position.line).len())
    );
    anyhow::Error::new(StoreError::Sql { message: shown, position: Some(*position) })
}

/// Reads SQL from a file or standard input (`-`).
pub fn read_text(path: &str) -> Result<String> {
    if path == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text)?;
        return Ok(text);
    }
    std::fs::read_to_string(path).map_err(|error| anyhow!("cannot read '{path}': {error}"))
}
