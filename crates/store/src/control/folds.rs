//! Batches of agents become files of the event table: the commit that makes it so, and the note that keeps it from
//! happening twice.
//!
//! Batches are in the ingest database, the manifest is here, and no transaction spans both. So the commit notes which
//! batches the files were made of; after it they are removed there, then the note here. Whoever starts in between finds the
//! note and removes them again.

use super::Control;
use super::keys::NewKeys;
use super::manifest::{FileEntry, insert_file, insert_keys, refresh_table};
use crate::StoreError;
use crate::columns::EVENTS;
use sqlx::Row;

pub(super) const TABLES_2: &[&str] =
    &["CREATE TABLE folds (id TEXT PRIMARY KEY, project TEXT NOT NULL, batches TEXT NOT NULL)"];

pub(super) const OF_A_PROJECT: &[&str] = &["DELETE FROM folds WHERE project = $1"];

/// Batches of agents that become files of the event table together.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fold {
    /// Made anew for every attempt.
    pub id: String,
    /// The project.
    pub project: String,
    /// Ids of the batches.
    pub batches: Vec<String>,
    /// Agents and users that were not known before.
    pub keys: NewKeys,
}

impl Control {
    /// Commits a fold: its files join the event table, its keys become known, and the batches it was made of are noted, so
    /// that they are not folded again whatever happens next. All or nothing.
    pub(crate) async fn commit_fold(&self, fold: &Fold, files: &[FileEntry], now_us: i64) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        insert_keys(&mut transaction, &fold.project, &fold.keys, None).await?;
        for file in files {
            insert_file(&mut transaction, &fold.project, EVENTS, file, now_us).await?;
        }
        sqlx::query("INSERT INTO folds (id, project, batches) VALUES ($1, $2, $3)")
            .bind(&fold.id)
            .bind(&fold.project)
            .bind(fold.batches.join(","))
            .execute(&mut *transaction)
            .await?;
        refresh_table(&mut transaction, &fold.project, EVENTS, &fold.id, now_us).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Folds, of one project or of all, whose batches may still be in the ingest database.
    pub(crate) async fn folds(&self, project: Option<&str>) -> Result<Vec<(String, Vec<String>)>, StoreError> {
        let select = "SELECT id, batches FROM folds WHERE $1 = '' OR project = $1";
        let rows = sqlx::query(select).bind(project.unwrap_or_default()).fetch_all(&self.pool).await?;
        let batches = |text: String| text.split(',').map(str::to_owned).collect();
        rows.iter().map(|row| Ok((row.try_get(0)?, batches(row.try_get(1)?)))).collect()
    }

    /// Makes sure that a fold whose commit failed will never have happened; `false` if it has.
    ///
    /// Looking whether its note is there is not enough: a database that is going down can still answer from before a commit
    /// that it finds in its log when it comes back. Who claims the note's id waits for that commit, and then knows.
    ///
    /// Errors: if the database does not answer; then nothing is known, and the fold's files must stay.
    pub(crate) async fn abandon_fold(&self, fold: &Fold) -> Result<bool, StoreError> {
        let claimed = sqlx::query("INSERT INTO folds (id, project, batches) VALUES ($1, $2, '')")
            .bind(&fold.id)
            .bind(&fold.project)
            .execute(&self.pool)
            .await;
        match claimed {
            Ok(_) => self.end_fold(&fold.id).await.map(|()| true),
            Err(error) if error.as_database_error().is_some_and(|error| error.is_unique_violation()) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Forgets a fold whose batches are gone.
    pub(crate) async fn end_fold(&self, id: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM folds WHERE id = $1").bind(id).execute(&self.pool).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_fold_whose_commit_is_in_doubt_has_happened_or_never_will() {
        let folder = tempfile::tempdir().unwrap();
        let control = Control::open_file(&folder.path().join("control.sqlite")).await.unwrap();
        let fold =
            Fold { id: "f".into(), project: "p".into(), batches: vec!["a".into(), "b".into()], ..Fold::default() };
        assert!(control.abandon_fold(&fold).await.unwrap());
        assert_eq!(control.folds(None).await.unwrap(), []);
        control.commit_fold(&fold, &[], 0).await.unwrap();
        assert!(!control.abandon_fold(&fold).await.unwrap());
        assert_eq!(control.folds(None).await.unwrap(), [(fold.id, fold.batches)]);
    }
}
