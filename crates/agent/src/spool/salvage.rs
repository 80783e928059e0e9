//! Saving what can be saved of a spool that could not be used.
//!
//! The file is set aside under a name that says when, and nobody has to delete anything by hand: it counts against nothing
//! and the newest few stay. Rows are looked up one by one, so that one damaged page costs the rows on it and no others.

use rusqlite::{Connection, OpenFlags, OptionalExtension};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use uilog::planted;

/// Files that were set aside and stay; older ones are removed.
const ASIDE_MAX: usize = 3;

/// Rows that one call looks up.
const ROWS_PER_CALL: i64 = 5_000;

/// An event out of a damaged file, still sealed.
pub struct Row {
    /// When it happened.
    pub time_us: i64,
    /// Its body.
    pub body: Vec<u8>,
}

/// What one call found.
#[derive(Default)]
pub struct Found {
    /// Rows that could be read.
    pub rows: Vec<Row>,
    /// Where to go on; nothing if that was all.
    pub next: Option<i64>,
}

/// Renames whatever lies in the way, a file or a folder, with what belongs to it.
///
/// Errors: the folder cannot be written.
pub fn set_aside(folder: &Path, name: &str, time_us: i64) -> io::Result<PathBuf> {
    let mut number = time_us;
    let aside = loop {
        let aside = folder.join(format!("{name}.quarantine-{number}"));
        if !aside.exists() {
            break aside;
        }
        number += 1;
    };
    fs::rename(folder.join(name), &aside)?;
    for ending in ["-wal", "-journal", "-shm"] {
        let beside = folder.join(format!("{name}{ending}"));
        if beside.exists() {
            fs::rename(beside, format!("{}{ending}", aside.display()))?;
        }
    }
    remove_oldest(folder, name);
    Ok(aside)
}

fn remove_oldest(folder: &Path, name: &str) {
    let begin = format!("{name}.quarantine-");
    let is_aside = |path: &PathBuf| {
        path.file_name().is_some_and(|name| {
            let name = name.to_string_lossy();
            name.starts_with(&begin)
                && !name.ends_with("-wal")
                && !name.ends_with("-journal")
                && !name.ends_with("-shm")
        })
    };
    let mut aside: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).filter(is_aside).collect();
    aside.sort();
    let surplus = aside.len().saturating_sub(ASIDE_MAX);
    for path in aside.into_iter().take(surplus) {
        for ending in ["", "-wal", "-journal", "-shm"] {
            let path = PathBuf::from(format!("{}{ending}", path.display()));
            let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
        }
    }
}

/// Rows of a file that was set aside, from a number on. Whatever cannot be read is left out.
pub fn rows(aside: &Path, from: i64) -> Found {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let Ok(db) = Connection::open_with_flags(aside, flags) else { return Found::default() };
    let _ = db.pragma_update(None, "locking_mode", "EXCLUSIVE");
    let Some(last) = last_seq(&db) else { return Found::default() };
    let to = from.saturating_add(ROWS_PER_CALL).min(last);
    let mut found = Found { next: (to < last).then_some(to), ..Found::default() };
    for seq in from.saturating_add(1)..=to {
        let row = db.prepare_cached("SELECT time_us, body FROM event WHERE seq = ?1 AND sent_us IS NULL").and_then(
            |mut statement| {
                statement.query_row([seq], |row| Ok(Row { time_us: row.get(0)?, body: row.get(1)? })).optional()
            },
        );
        if row.is_err() && planted::is("salvage-ends-at-damage") {
            return Found { next: None, ..found };
        }
        if let Ok(Some(row)) = row {
            found.rows.push(row);
        }
    }
    found
}

/// The highest number, from the table or else from what was noted.
fn last_seq(db: &Connection) -> Option<i64> {
    let noted =
        db.query_row("SELECT CAST(value AS TEXT) FROM meta WHERE name = 'next_seq'", [], |row| row.get::<_, String>(0));
    let noted = noted.ok().and_then(|text| text.parse::<i64>().ok());
    let highest = || db.query_row("SELECT max(seq) FROM event", [], |row| row.get::<_, Option<i64>>(0)).ok().flatten();
    noted.or_else(highest)
}
