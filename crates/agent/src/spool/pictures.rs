//! Pictures of the spool: sealed files, named by their content, whole or not there; and which of them may be sent.
//!
//! ```text
//! kept ── an event that names it was acknowledged ── due ── stored | refused
//!   └── deleted by the person, no room, damaged, or no event names it any more
//! ```

use super::{Spool, SpoolError, clamp, put_sums, sql_error};
use crate::clock::Moment;
use crate::counters::PictureCounters;
use crate::points;
use crate::seal::Purpose;
use rusqlite::{OptionalExtension, Transaction, params};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use uilog::SeqRanges;
use uuid::Uuid;

/// Pictures that one step of making room removes.
const ROOM_PICTURES: u32 = 8;

/// A picture whose turn it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// Its id, which events carry.
    pub id: Uuid,
    /// The picture.
    pub png: Vec<u8>,
    /// Its note: a JSON object.
    pub note: Vec<u8>,
}

/// How a picture leaves the spool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The service has it.
    Stored,
    /// The service will never take it.
    Refused,
    /// The person deleted it.
    Erased,
    /// No room, damaged, or its event is lost.
    Dropped,
}

impl Spool {
    /// The oldest picture that may be sent: it has waited for `hold_us`, and the service has an event that names it. One that
    /// cannot be opened is deleted and counted.
    ///
    /// Errors: the disk.
    pub fn due_picture(&mut self, now: Moment, hold_us: u64) -> Result<Option<Due>, SpoolError> {
        // Each round ends it or deletes a picture.
        while let Some((id, file, note)) = self.due_row(now, hold_us)? {
            let path = folder(&self.folder).join(&file);
            let sealed = match fs::read(&path) {
                Ok(sealed) => sealed,
                Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
                Err(source) => return Err(SpoolError::Io { path, source }),
            };
            let opened = (|| {
                let note = self.sealer.open(Purpose::Note, &note).ok()?.to_vec();
                let png = self.sealer.open(Purpose::Picture, &sealed).ok()?.to_vec();
                Some(Due { id: id.parse().ok()?, png, note })
            })();
            match opened {
                Some(due) => return Ok(Some(due)),
                None => self.delete_pictures(&[(id, file)], Fate::Dropped, now)?,
            }
        }
        Ok(None)
    }

    fn due_row(&self, now: Moment, hold_us: u64) -> Result<Option<(String, String, Vec<u8>)>, SpoolError> {
        // Age is told as that of events is.
        let held = i64::try_from(hold_us).unwrap_or(i64::MAX);
        let (uptime_us, time_us) = ((now.uptime_us as i64).saturating_sub(held), now.time_us.saturating_sub(held));
        self.db
            .query_row(
                "SELECT id, file, coalesce(note, '') FROM picture WHERE acknowledged = 1
                 AND ((boot = ?1 AND uptime_us <= ?2) OR (boot <> ?1 AND (time_us <= ?3 OR time_us > ?4)))
                 ORDER BY rowid LIMIT 1",
                params![self.boot, uptime_us, time_us, now.time_us],
                |row| Ok((row.get(0)?, row.get(1)?, row.get_ref(2)?.as_bytes()?.to_vec())),
            )
            .optional()
            .map_err(|source| self.error(source))
    }

    /// A picture has left for good: its file and its row go, and it is counted. One that is gone already changes nothing.
    ///
    /// Errors: the disk.
    pub fn end_picture(&mut self, id: Uuid, fate: Fate, now: Moment) -> Result<(), SpoolError> {
        let id = id.to_string();
        let file = self.db.query_row("SELECT file FROM picture WHERE id = ?1", [&id], |row| row.get(0)).optional();
        match file.map_err(|source| self.error(source))? {
            Some(file) => self.delete_pictures(&[(id, file)], fate, now),
            None => Ok(()),
        }
    }

    /// A picture, opened; `None` if it is gone or damaged.
    pub fn picture(&self, id: Uuid) -> Option<Vec<u8>> {
        let file: String =
            self.db.query_row("SELECT file FROM picture WHERE id = ?1", [id.to_string()], |row| row.get(0)).ok()?;
        let sealed = fs::read(folder(&self.folder).join(file)).ok()?;
        self.sealer.open(Purpose::Picture, &sealed).ok().map(|bytes| bytes.to_vec())
    }

    /// Deletes pictures, each by id and file, and counts them.
    pub(super) fn delete_pictures(
        &mut self,
        files: &[(String, String)],
        fate: Fate,
        now: Moment,
    ) -> Result<(), SpoolError> {
        if files.is_empty() {
            return Ok(());
        }
        let (path, next_seq, mut sums) = (self.path(), self.next_seq, self.counters.clone());
        let left = self.write(now, |transaction| {
            for (id, _) in files {
                let deleted = transaction.execute("DELETE FROM picture WHERE id = ?1", [id])?;
                *count_of(&mut sums.pictures, fate) += deleted as u64;
            }
            put_sums(transaction, next_seq, &sums)?;
            let left = "SELECT coalesce(sum(bytes), 0) FROM picture";
            Ok((transaction.query_row(left, [], |row| row.get::<_, i64>(0))?, sums))
        });
        let (bytes, sums) = left.map_err(|source| sql_error(&path, source))?;
        (self.picture_bytes, self.counters) = (bytes as u64, sums);
        for (_, file) in files {
            points::reached("picture: before its file goes");
            let _ = fs::remove_file(folder(&self.folder).join(file));
        }
        Ok(())
    }

    /// Pictures that waiting events of these numbers name.
    pub(super) fn pictures_named_by(&self, seqs: &SeqRanges) -> Result<Vec<String>, SpoolError> {
        let mut statement = self
            .db
            .prepare_cached(
                "SELECT DISTINCT picture FROM event
                 WHERE seq BETWEEN ?1 AND ?2 AND sent_us IS NULL AND picture IS NOT NULL",
            )
            .map_err(|source| self.error(source))?;
        let mut named = Vec::new();
        for (first, last) in seqs.ranges() {
            let rows = statement.query_map([clamp(*first), clamp(*last)], |row| row.get::<_, String>(0));
            let rows: rusqlite::Result<Vec<_>> = rows.and_then(Iterator::collect);
            named.extend(rows.map_err(|source| self.error(source))?);
        }
        Ok(named)
    }

    /// Deletes those of these pictures that no event names any more: nobody could tell what they show.
    pub(super) fn delete_unnamed(&mut self, ids: &[String], fate: Fate, now: Moment) -> Result<(), SpoolError> {
        let mut unnamed = Vec::new();
        for id in ids {
            let file = self.db.query_row(
                "SELECT file FROM picture WHERE id = ?1 AND acknowledged = 0
                 AND NOT EXISTS (SELECT 1 FROM event WHERE picture = ?1)",
                [id],
                |row| row.get::<_, String>(0),
            );
            let file = file.optional().map_err(|source| self.error(source))?;
            unnamed.extend(file.map(|file| (id.clone(), file)));
        }
        self.delete_pictures(&unnamed, fate, now)
    }

    pub(super) fn oldest_pictures(&self) -> Result<Vec<(String, String)>, SpoolError> {
        let mut statement = self
            .db
            .prepare_cached("SELECT id, file FROM picture ORDER BY rowid LIMIT ?1")
            .map_err(|source| self.error(source))?;
        let rows = statement.query_map([ROOM_PICTURES], |row| Ok((row.get(0)?, row.get(1)?)));
        rows.and_then(Iterator::collect).map_err(|source| self.error(source))
    }

    pub(super) fn picture_files(&self) -> Result<Vec<String>, SpoolError> {
        let mut statement = self.db.prepare("SELECT file FROM picture").map_err(|source| self.error(source))?;
        let rows = statement.query_map([], |row| row.get(0));
        rows.and_then(Iterator::collect).map_err(|source| self.error(source))
    }
}

/// Events of these numbers are acknowledged with this transaction, so what they name may be sent.
pub(super) fn acknowledge(transaction: &Transaction<'_>, first: i64, last: i64) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "UPDATE picture SET acknowledged = 1 WHERE id IN (SELECT picture FROM event
             WHERE seq BETWEEN ?1 AND ?2 AND sent_us IS NULL AND picture IS NOT NULL)",
        )?
        .execute([first, last])
        .map(drop)
}

fn count_of(counters: &mut PictureCounters, fate: Fate) -> &mut u64 {
    match fate {
        Fate::Stored => &mut counters.stored,
        Fate::Refused => &mut counters.refused,
        Fate::Erased => &mut counters.erased,
        Fate::Dropped => &mut counters.dropped,
    }
}

/// The folder of a spool's pictures.
pub fn folder(spool: &Path) -> PathBuf {
    spool.join("pictures")
}

/// Keeps a sealed picture, synced, under a final name; its row comes last, so that a row always has a whole file.
///
/// Errors: the disk.
pub fn keep(spool: &Path, sealed: &[u8]) -> Result<String, SpoolError> {
    let name: String = Sha256::digest(sealed).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let folder = folder(spool);
    let path = folder.join(&name);
    let staged = folder.join(format!("{name}.new"));
    let written = (|| {
        crate::paths::make_private_folder(&folder)?;
        let mut file = File::create(&staged)?;
        file.write_all(sealed)?;
        file.sync_all()?;
        points::reached("picture: before it has its name");
        fs::rename(&staged, &path)?;
        points::reached("picture: after it has its name");
        sync_folder(&folder)
    })();
    written.map_err(|source| {
        let _ = fs::remove_file(&staged);
        SpoolError::Io { path, source }
    })?;
    Ok(name)
}

/// Removes files that no row names: a kill between file and row leaves one.
pub fn sweep(spool: &Path, named: &[String]) {
    for entry in fs::read_dir(folder(spool)).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !named.contains(&name) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> std::io::Result<()> {
    // Folders cannot be opened for that; the file system's journal keeps renames in order.
    Ok(())
}
