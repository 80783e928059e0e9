//! Pictures that agents send: which there are, with which key each is encrypted, and their files.
//!
//! A picture's row and the synced file are there before anybody hears so; the row comes last. The file holds what the caller
//! encrypted with a key of the participant's day; the keys stand here, sealed, and nowhere in a file, so that whoever
//! destroys a key has destroyed every copy of its pictures. Rows and files end with [`Ingest::remove_pictures_of`] and
//! [`Ingest::expire_pictures`].

use super::Ingest;
use super::rows::Bound;
use crate::{Store, StoreError};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Connection, Row};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use uilog::planted;

/// Name of the folder with the pictures in a data folder.
pub(crate) const PICTURES_FOLDER: &str = "pictures";

/// Bytes of all pictures of a project at most; whoever sends more is told so.
pub const PROJECT_BYTES_MAX: i64 = 50 << 30;

/// One picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// As events name it.
    pub screenshot_id: String,
    /// The agent that sent it.
    pub agent_id: String,
    /// Day of its arrival, counted from 1970, UTC: with the agent it names the key.
    pub day: i64,
    /// SHA-256 of what was sent, in hex, by which a repetition is known.
    pub sent_sha256: String,
    /// Its file, below the folder of the pictures.
    pub path: String,
    /// Size of the file.
    pub bytes: i64,
    /// Pixels from left to right.
    pub width: i64,
    /// Pixels from top to bottom.
    pub height: i64,
    /// What its client said of it, as JSON.
    pub note: String,
    /// When it arrived, microseconds since 1970, UTC.
    pub received_at_us: i64,
    /// Whether somebody reported it as sensitive: then nobody is shown it until it was reviewed.
    pub hidden: bool,
}

/// What became of a picture that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It is there now.
    New,
    /// It was there already, the same.
    Again,
    /// Another one of this id was there; it stays.
    Conflict,
}

const COLUMNS: &str =
    "screenshot_id, agent_id, day, sent_sha256, path, bytes, width, height, note, received_at, hidden";

impl Ingest {
    /// Remembers a picture whose file is synced.
    pub async fn put_picture(&self, project: &str, picture: &Picture) -> Result<Kept, StoreError> {
        let values: Vec<Bound> = vec![
            project.into(),
            picture.screenshot_id.as_str().into(),
            picture.agent_id.as_str().into(),
            picture.day.into(),
            picture.sent_sha256.as_str().into(),
            picture.path.as_str().into(),
            picture.bytes.into(),
            picture.width.into(),
            picture.height.into(),
            picture.note.as_str().into(),
            picture.received_at_us.into(),
        ];
        let statement = "INSERT INTO pictures (project, screenshot_id, agent_id, day, sent_sha256, path, bytes, width, height, note,
             received_at, hidden) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0)
             ON CONFLICT (project, screenshot_id) DO NOTHING";
        if self.writer.execute(statement.into(), values).await? > 0 {
            return Ok(Kept::New);
        }
        let there = self.picture(project, &picture.screenshot_id).await?;
        let same = there.sent_sha256 == picture.sent_sha256 && there.agent_id == picture.agent_id;
        Ok(if same { Kept::Again } else { Kept::Conflict })
    }

    /// Puts another file and note in a picture's place, unless its file was replaced or removed meanwhile; says whether.
    pub async fn replace_picture(&self, project: &str, old: &Picture, new: &Picture) -> Result<bool, StoreError> {
        let statement = "UPDATE pictures SET path = $4, bytes = $5, note = $6
             WHERE project = $1 AND screenshot_id = $2 AND path = $3";
        let values: Vec<Bound> = vec![
            project.into(),
            old.screenshot_id.as_str().into(),
            old.path.as_str().into(),
            new.path.as_str().into(),
            new.bytes.into(),
            new.note.as_str().into(),
        ];
        Ok(self.writer.execute(statement.into(), values).await? > 0)
    }

    /// One picture.
    ///
    /// Errors: [`StoreError::Missing`] if it is not there (any more).
    pub async fn picture(&self, project: &str, id: &str) -> Result<Picture, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM pictures WHERE project = $1 AND screenshot_id = $2");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(project).bind(id).fetch_optional(&self.pool).await?;
        let missing = || StoreError::Missing { kind: "picture", name: id.into() };
        row.as_ref().map(picture).transpose()?.ok_or_else(missing)
    }

    /// Bytes of all pictures of a project.
    pub async fn picture_bytes(&self, project: &str) -> Result<i64, StoreError> {
        let sum = "SELECT CAST(coalesce(sum(bytes), 0) AS BIGINT) FROM pictures WHERE project = $1";
        Ok(sqlx::query(sum).bind(project).fetch_one(&self.pool).await?.try_get(0)?)
    }

    /// Hides a picture, or shows it again; `false` if it is not there.
    pub async fn hide_picture(&self, project: &str, id: &str, hidden: bool) -> Result<bool, StoreError> {
        let statement = "UPDATE pictures SET hidden = $3 WHERE project = $1 AND screenshot_id = $2";
        let values = vec![project.into(), id.into(), i64::from(hidden).into()];
        Ok(self.writer.execute(statement.into(), values).await? > 0)
    }

    /// The sealed key of an agent's day; `new` becomes it where there is none.
    pub async fn picture_key(&self, project: &str, agent: &str, day: i64, new: &str) -> Result<String, StoreError> {
        if let Some(key) = self.find_picture_key(project, agent, day).await? {
            return Ok(key);
        }
        let statement = "INSERT INTO picture_keys (project, agent_id, day, sealed) VALUES ($1, $2, $3, $4)
             ON CONFLICT (project, agent_id, day) DO NOTHING";
        let values = vec![project.into(), agent.into(), day.into(), new.into()];
        self.writer.execute(statement.into(), values).await?;
        let gone = || StoreError::Missing { kind: "key of the pictures of", name: format!("{agent}, day {day}") };
        self.find_picture_key(project, agent, day).await?.ok_or_else(gone)
    }

    /// The sealed key of an agent's day, if there is one (any more).
    pub async fn find_picture_key(&self, project: &str, agent: &str, day: i64) -> Result<Option<String>, StoreError> {
        let select = "SELECT sealed FROM picture_keys WHERE project = $1 AND agent_id = $2 AND day = $3";
        let row = sqlx::query(select).bind(project).bind(agent).bind(day).fetch_optional(&self.pool).await?;
        row.map(|row| Ok(row.try_get(0)?)).transpose()
    }

    /// Forgets one picture; its file is for the caller to remove.
    pub async fn remove_picture(&self, project: &str, id: &str) -> Result<(), StoreError> {
        let statement = "DELETE FROM pictures WHERE project = $1 AND screenshot_id = $2";
        self.writer.execute(statement.into(), vec![project.into(), id.into()]).await?;
        Ok(())
    }

    /// Forgets the pictures that fit, and their keys; gives their files.
    async fn remove_pictures(&self, project: &str, condition: &str, value: Bound) -> Result<Vec<String>, StoreError> {
        let sql = format!("SELECT path FROM pictures WHERE project = $1 AND {condition}");
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(project);
        let query = match &value {
            Bound::Number(number) => query.bind(*number),
            Bound::Text(text) => query.bind(text.clone()),
            _ => query,
        };
        let rows = query.fetch_all(&self.pool).await?;
        let paths = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
        let statement = |table: &str| {
            let values = vec![project.into(), value.clone()];
            (format!("DELETE FROM {table} WHERE project = $1 AND {condition}"), values)
        };
        // The keys go first and together: without them a file that is left is noise.
        let mut statements = vec![statement("picture_keys"), statement("pictures")];
        if planted::is("picture-keys-stay") {
            statements.remove(0);
        }
        self.writer.execute_all(statements).await?;
        Ok(paths)
    }
}

/// The files of all pictures that a copy of the database names.
pub(crate) async fn picture_paths(copy: &Path) -> Result<Vec<String>, StoreError> {
    let mut copy = AnyConnection::connect(&format!("sqlite://{}?mode=ro", copy.display())).await?;
    let rows = sqlx::query("SELECT path FROM pictures ORDER BY path").fetch_all(&mut copy).await;
    copy.close().await?;
    Ok(rows?.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?)
}

fn picture(row: &AnyRow) -> Result<Picture, StoreError> {
    Ok(Picture {
        screenshot_id: row.try_get(0)?,
        agent_id: row.try_get(1)?,
        day: row.try_get(2)?,
        sent_sha256: row.try_get(3)?,
        path: row.try_get(4)?,
        bytes: row.try_get(5)?,
        width: row.try_get(6)?,
        height: row.try_get(7)?,
        note: row.try_get(8)?,
        received_at_us: row.try_get(9)?,
        hidden: row.try_get::<i64, _>(10)? != 0,
    })
}

impl Store {
    fn picture_path(&self, path: &str) -> PathBuf {
        self.settings().folder.join(PICTURES_FOLDER).join(path)
    }

    /// Writes the file of a picture so that a power cut leaves it whole or not at all.
    pub async fn write_picture(&self, path: &str, bytes: Vec<u8>) -> Result<(), StoreError> {
        let target = self.picture_path(path);
        let written = tokio::task::spawn_blocking(move || write_synced(&target, &bytes));
        written.await.map_err(|error| StoreError::Invalid(format!("writing a picture stopped: {error}")))?
    }

    /// The file of a picture.
    pub async fn read_picture(&self, path: &str) -> Result<Vec<u8>, StoreError> {
        let path = self.picture_path(path);
        tokio::fs::read(&path).await.map_err(StoreError::file("read", path))
    }

    /// Removes the file of a picture; one that is gone already is no error.
    pub async fn remove_picture_file(&self, path: &str) -> Result<(), StoreError> {
        let path = self.picture_path(path);
        match tokio::fs::remove_file(&path).await {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(StoreError::file("remove", path)(error)),
            _ => Ok(()),
        }
    }

    /// Removes every picture of an agent and the keys of all its days; says how many there were.
    pub async fn remove_pictures_of(&self, project: &str, agent: &str) -> Result<u64, StoreError> {
        self.unlink(self.ingest().remove_pictures(project, "agent_id = $2", agent.into()).await?).await
    }

    /// Removes the pictures, and the keys, of every day of a project before `first_day`; says how many there were.
    pub async fn expire_pictures(&self, project: &str, first_day: i64) -> Result<u64, StoreError> {
        self.unlink(self.ingest().remove_pictures(project, "day < $2", first_day.into()).await?).await
    }

    async fn unlink(&self, paths: Vec<String>) -> Result<u64, StoreError> {
        for path in &paths {
            self.remove_picture_file(path).await?;
        }
        Ok(paths.len() as u64)
    }
}

fn write_synced(target: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let folder = target.parent().unwrap_or(target);
    std::fs::create_dir_all(folder).map_err(StoreError::file("make the folder", folder))?;
    let partial = target.with_extension("partial");
    let write = || -> std::io::Result<()> {
        let mut file = File::create(&partial)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&partial, target)?;
        // The names of new folders are synced as well.
        folder.ancestors().take(4).try_for_each(|folder| File::open(folder)?.sync_all())
    };
    write().map_err(|error| {
        let _ = std::fs::remove_file(&partial);
        StoreError::file("write", target)(error)
    })
}
