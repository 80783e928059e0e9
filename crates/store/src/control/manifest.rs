//! The manifest: which Parquet files make up a table, now.
//!
//! A file counts when its row says `live`. Swapping the files of a table is one transaction, so a reader sees the old
//! list or the new one; files that dropped out are deleted when nobody reads them any more (`upkeep`).

use super::Control;
use super::imports::{self, ImportRecord};
use super::keys::NewKeys;
use crate::StoreError;
use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;
use sqlx::{Any, Row, Transaction};

/// One file of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Path inside the object store.
    pub path: String,
    /// First agent in it; `None` for a table that is not in the order of events.
    pub agent_min: Option<i64>,
    /// Last agent in it.
    pub agent_max: Option<i64>,
    /// Rows.
    pub rows: i64,
    /// Size in bytes.
    pub bytes: i64,
    /// Earliest time, microseconds since 1970, UTC.
    pub time_min_us: Option<i64>,
    /// Latest time.
    pub time_max_us: Option<i64>,
    /// SHA-256 of its bytes in hex.
    pub sha256: String,
    /// What it was made from; equal fingerprints mean equal content.
    pub fingerprint: String,
}

/// What the manifest says of a table as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableEntry {
    /// SQL name.
    pub name: String,
    /// What it was made from.
    pub fingerprint: String,
    /// Rows of all files.
    pub rows: i64,
    /// Bytes of all files.
    pub bytes: i64,
    /// Microseconds since 1970, UTC.
    pub built_at_us: i64,
}

impl Control {
    /// The live files of a table in the order of their agents.
    pub async fn files(&self, project: &str, table: &str) -> Result<Vec<FileEntry>, StoreError> {
        let rows = sqlx::query(
            "SELECT path, agent_min, agent_max, rows, bytes, time_min, time_max, sha256, fingerprint FROM files
             WHERE project = $1 AND table_name = $2 AND state = 'live' ORDER BY agent_min, path",
        )
        .bind(project)
        .bind(table)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(entry).collect()
    }

    /// Every table of a project.
    pub async fn tables(&self, project: &str) -> Result<Vec<TableEntry>, StoreError> {
        let rows =
            sqlx::query("SELECT name, fingerprint, rows, bytes, built_at FROM tables WHERE project = $1 ORDER BY name")
                .bind(project)
                .fetch_all(&self.pool)
                .await?;
        rows.iter()
            .map(|row| {
                Ok(TableEntry {
                    name: row.try_get(0)?,
                    fingerprint: row.try_get(1)?,
                    rows: row.try_get(2)?,
                    bytes: row.try_get(3)?,
                    built_at_us: row.try_get(4)?,
                })
            })
            .collect()
    }

    /// Replaces the files of a table by `files` in one transaction. Files that are in both lists stay as they are.
    pub async fn commit_table(&self, project: &str, table: &TableEntry, files: &[FileEntry]) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        swap_files(&mut transaction, project, &table.name, files, table.built_at_us).await?;
        upsert_table(&mut transaction, project, table).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Commits a rewrite: the files at the paths `read` leave the table, those written from them join it, in one transaction.
    /// Files that the rewrite has not seen stay: a fold whose commit was in doubt may have happened after all.
    ///
    /// Errors: if one of `read` has left the table meanwhile; nothing happens then.
    pub(crate) async fn commit_rewrite(
        &self,
        project: &str,
        table: &str,
        read: &[&str],
        written: &[FileEntry],
        now_us: i64,
    ) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        for path in read {
            let dropped = sqlx::query(
                "UPDATE files SET state = 'dropped' WHERE path = $1 AND project = $2 AND table_name = $3 AND state = 'live'",
            )
            .bind(*path)
            .bind(project)
            .bind(table)
            .execute(&mut *transaction)
            .await?;
            if dropped.rows_affected() != 1 {
                return Err(StoreError::Invalid(format!("{path} has left the table {table} while it was rewritten")));
            }
        }
        for file in written {
            insert_file(&mut transaction, project, table, file, now_us).await?;
        }
        refresh_table(&mut transaction, project, table, &format!("rewritten at {now_us}"), now_us).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Commits an import: its files join the event table, its keys become known, its record is done. All or nothing.
    ///
    /// Errors: [`StoreError::Exists`] if the same bytes were committed meanwhile.
    pub async fn commit_import(
        &self,
        record: &ImportRecord,
        table: &str,
        files: &[FileEntry],
        keys: &NewKeys,
    ) -> Result<(), StoreError> {
        let now_us = record.finished_at_us.unwrap_or(record.started_at_us);
        let mut transaction = self.pool.begin().await?;
        if let Err(error) = imports::update(record).execute(&mut *transaction).await {
            return Err(match error.as_database_error() {
                Some(database) if database.is_unique_violation() => {
                    StoreError::Exists { kind: "import of the same bytes", name: record.file.clone() }
                }
                _ => error.into(),
            });
        }
        insert_keys(&mut transaction, &record.project, keys, Some(&record.id)).await?;
        for file in files {
            insert_file(&mut transaction, &record.project, table, file, now_us).await?;
        }
        refresh_table(&mut transaction, &record.project, table, &record.id, now_us).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Takes a table away; its files become garbage.
    pub async fn drop_table(&self, project: &str, table: &str) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query("UPDATE files SET state = 'dropped' WHERE project = $1 AND table_name = $2")
            .bind(project)
            .bind(table)
            .execute(&mut *transaction)
            .await?;
        sqlx::query("DELETE FROM tables WHERE project = $1 AND name = $2")
            .bind(project)
            .bind(table)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Paths that dropped out of every table.
    pub(crate) async fn dropped_files(&self) -> Result<Vec<String>, StoreError> {
        let rows = sqlx::query("SELECT path FROM files WHERE state = 'dropped'").fetch_all(&self.pool).await?;
        rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
    }

    /// Every path the manifest knows, live or dropped, with its size and hash.
    pub async fn known_files(&self) -> Result<Vec<(String, i64, String, bool)>, StoreError> {
        let rows =
            sqlx::query("SELECT path, bytes, sha256, state FROM files ORDER BY path").fetch_all(&self.pool).await?;
        rows.iter()
            .map(|row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get::<String, _>(3)? == "live")))
            .collect()
    }

    /// The live files of every table of every project.
    pub(crate) async fn all_live_files(&self) -> Result<Vec<FileEntry>, StoreError> {
        let rows = sqlx::query(
            "SELECT path, agent_min, agent_max, rows, bytes, time_min, time_max, sha256, fingerprint FROM files
             WHERE state = 'live' ORDER BY path",
        )
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(entry).collect()
    }

    /// Forgets a dropped file after its bytes are gone.
    pub(crate) async fn forget_file(&self, path: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM files WHERE path = $1 AND state = 'dropped'").bind(path).execute(&self.pool).await?;
        Ok(())
    }
}

async fn swap_files(
    transaction: &mut Transaction<'_, Any>,
    project: &str,
    table: &str,
    files: &[FileEntry],
    now_us: i64,
) -> Result<(), StoreError> {
    let old = sqlx::query("SELECT path FROM files WHERE project = $1 AND table_name = $2 AND state = 'live'")
        .bind(project)
        .bind(table)
        .fetch_all(&mut **transaction)
        .await?;
    let mut kept = std::collections::HashSet::new();
    for row in &old {
        let path: String = row.try_get(0)?;
        if files.iter().any(|file| file.path == path) {
            kept.insert(path);
        } else {
            sqlx::query("UPDATE files SET state = 'dropped' WHERE path = $1")
                .bind(path)
                .execute(&mut **transaction)
                .await?;
        }
    }
    for file in files.iter().filter(|file| !kept.contains(&file.path)) {
        insert_file(transaction, project, table, file, now_us).await?;
    }
    Ok(())
}

pub(super) async fn insert_file(
    transaction: &mut Transaction<'_, Any>,
    project: &str,
    table: &str,
    file: &FileEntry,
    now_us: i64,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO files (path, project, table_name, agent_min, agent_max, rows, bytes, time_min, time_max, sha256, fingerprint, state, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'live', $12)",
    )
    .bind(&file.path)
    .bind(project)
    .bind(table)
    .bind(file.agent_min)
    .bind(file.agent_max)
    .bind(file.rows)
    .bind(file.bytes)
    .bind(file.time_min_us)
    .bind(file.time_max_us)
    .bind(&file.sha256)
    .bind(&file.fingerprint)
    .bind(now_us)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

async fn upsert_table(
    transaction: &mut Transaction<'_, Any>,
    project: &str,
    table: &TableEntry,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO tables (project, name, fingerprint, rows, bytes, built_at) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (project, name) DO UPDATE SET fingerprint = excluded.fingerprint, rows = excluded.rows,
             bytes = excluded.bytes, built_at = excluded.built_at",
    )
    .bind(project)
    .bind(&table.name)
    .bind(&table.fingerprint)
    .bind(table.rows)
    .bind(table.bytes)
    .bind(table.built_at_us)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Makes new keys known; `import` is the log that brought the agents, if one did.
pub(super) async fn insert_keys(
    transaction: &mut Transaction<'_, Any>,
    project: &str,
    keys: &NewKeys,
    import: Option<&str>,
) -> Result<(), StoreError> {
    for (key, id) in &keys.agents {
        sqlx::query("INSERT INTO agents (project, agent_key, agent_id, import) VALUES ($1, $2, $3, $4)")
            .bind(project)
            .bind(i64::from(*key))
            .bind(id)
            .bind(import)
            .execute(&mut **transaction)
            .await?;
    }
    for (key, name) in &keys.users {
        sqlx::query("INSERT INTO users (project, user_key, user_name) VALUES ($1, $2, $3)")
            .bind(project)
            .bind(i64::from(*key))
            .bind(name)
            .execute(&mut **transaction)
            .await?;
    }
    Ok(())
}

/// Counts a table's live files anew, after some were added.
pub(super) async fn refresh_table(
    transaction: &mut Transaction<'_, Any>,
    project: &str,
    table: &str,
    fingerprint: &str,
    now_us: i64,
) -> Result<(), StoreError> {
    let sums = sqlx::query(
        "SELECT CAST(coalesce(sum(rows), 0) AS BIGINT), CAST(coalesce(sum(bytes), 0) AS BIGINT) FROM files
         WHERE project = $1 AND table_name = $2 AND state = 'live'",
    )
    .bind(project)
    .bind(table)
    .fetch_one(&mut **transaction)
    .await?;
    let entry = TableEntry {
        name: table.into(),
        fingerprint: fingerprint.into(),
        rows: sums.try_get(0)?,
        bytes: sums.try_get(1)?,
        built_at_us: now_us,
    };
    upsert_table(transaction, project, &entry).await
}

pub(crate) fn entry(row: &AnyRow) -> Result<FileEntry, StoreError> {
    Ok(FileEntry {
        path: row.try_get(0)?,
        agent_min: row.try_get(1)?,
        agent_max: row.try_get(2)?,
        rows: row.try_get(3)?,
        bytes: row.try_get(4)?,
        time_min_us: row.try_get(5)?,
        time_max_us: row.try_get(6)?,
        sha256: row.try_get(7)?,
        fingerprint: row.try_get(8)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str) -> FileEntry {
        FileEntry {
            path: path.into(),
            agent_min: Some(1),
            agent_max: Some(1),
            rows: 5,
            bytes: 50,
            time_min_us: None,
            time_max_us: None,
            sha256: String::new(),
            fingerprint: String::new(),
        }
    }

    #[tokio::test]
    async fn a_rewrite_takes_away_what_it_has_read_and_no_file_that_came_meanwhile() {
        let folder = tempfile::tempdir().unwrap();
        let control = Control::open_file(&folder.path().join("control.sqlite")).await.unwrap();
        let paths = async || -> Vec<String> {
            control.files("p", "events").await.unwrap().into_iter().map(|file| file.path).collect()
        };
        let table =
            TableEntry { name: "events".into(), fingerprint: String::new(), rows: 10, bytes: 100, built_at_us: 0 };
        control.commit_table("p", &table, &[file("a"), file("b"), file("came meanwhile")]).await.unwrap();
        control.commit_rewrite("p", "events", &["a", "b"], &[file("c")], 1).await.unwrap();
        assert_eq!(paths().await, ["c", "came meanwhile"]);
        assert_eq!(control.tables("p").await.unwrap()[0].rows, 10);
        control.commit_rewrite("p", "events", &["c", "a"], &[file("d")], 2).await.unwrap_err();
        assert_eq!(paths().await, ["c", "came meanwhile"], "half of a rewrite");
    }
}
