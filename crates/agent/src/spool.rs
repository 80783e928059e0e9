//! The queue on the disk between capture and upload: bounded, encrypted, and never in the way.
//!
//! Everything here is scrubbed already: [`Spool::append`] takes nothing else. An event gets its `seq` when it enters, and leaves
//! when the service has it, when the person deletes it, when there is no room, or when the service will never take it; each way
//! out is counted in the same transaction, and a removed range is kept until an event has told of it (promise P5).
//!
//! | promise | how |
//! | --- | --- |
//! | P3 | SQLite in WAL mode: a commit survives a kill; once a second a commit is synced and with it all before |
//! | P4 | [`Spool::make_room`]: what was sent goes first, then the oldest pictures, then the oldest events |
//! | P6 | whatever is in the way is set aside as `….quarantine-<time>` and salvaged row by row ([`salvage`]) |
//! | P8 | a new `epoch` with each new spool, on another machine, and where the file is a copy |
//! | D13 | bodies and pictures are sealed; in clear are numbers and times |
//!
//! No thread, no network, no clock: time comes in as an argument.

pub mod pictures;
pub mod salvage;

use crate::browser::message::PageId;
use crate::clock::{self, Moment};
use crate::counters::Counters;
use crate::flow::Admission;
use crate::points;
use crate::seal::{KEY_BYTES, Purpose, Sealer};
use crate::secrets;
use pictures::Fate;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OptionalExtension, Transaction, TransactionBehavior, params};
use std::path::{Path, PathBuf};
use uilog::policy::Scrubbed;
use uilog::policy::model::Storage;
use uilog::{Event, EventType, SeqRanges, planted};
use uuid::Uuid;

/// The version of the tables below.
const VERSION: i32 = 3;

/// Marks the file as ours; "Lode" in ASCII.
const APPLICATION_ID: i32 = 0x4c6f_6465;

/// Commits are synced at least this often.
const SYNC_US: u64 = 1_000_000;

/// Bytes of the write-ahead log that stay on the disk.
const JOURNAL_BYTES_MAX: u32 = 16 << 20;

/// Rows that one step of making room removes.
const ROOM_ROWS: u32 = 256;

/// Steps of making room in one go; the rest follows with the next tick.
const ROOM_STEPS_MAX: usize = 64;

/// Characters of a reason that are kept with a dead letter.
const REASON_CHARS_MAX: usize = 200;

/// Bytes of events in one batch, unpacked; a batch ends before it passes them.
const BATCH_BYTES_MAX: usize = 8 << 20;

const SCHEMA: &str = "
    CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE event (
        seq INTEGER PRIMARY KEY, time_us INTEGER NOT NULL, boot TEXT NOT NULL, uptime_us INTEGER NOT NULL,
        sent_us INTEGER, bytes INTEGER NOT NULL, body BLOB NOT NULL, picture TEXT);
    CREATE INDEX event_waiting ON event (seq) WHERE sent_us IS NULL;
    CREATE INDEX event_sent ON event (seq) WHERE sent_us IS NOT NULL;
    CREATE INDEX event_picture ON event (picture) WHERE picture IS NOT NULL;
    CREATE TABLE picture (
        id TEXT PRIMARY KEY, time_us INTEGER NOT NULL, boot TEXT NOT NULL, uptime_us INTEGER NOT NULL,
        bytes INTEGER NOT NULL, file TEXT NOT NULL, note BLOB, acknowledged INTEGER);
    CREATE TABLE removed (id INTEGER PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL, reason TEXT NOT NULL);
    CREATE TABLE dead_letter (seq INTEGER PRIMARY KEY, reason TEXT NOT NULL, body BLOB NOT NULL);
    CREATE TABLE page (document TEXT, seq INTEGER, time_us INTEGER NOT NULL, PRIMARY KEY (document, seq)) WITHOUT ROWID;
";

/// How long it is known which events of pages were taken: longer than a page that was not acknowledged sends them again.
const PAGES_KNOWN_US: i64 = 86_400_000_000;

/// Shape: number, time, boot, uptime, bytes, body, picture that it names.
const INSERT_EVENT: &str = "INSERT INTO event VALUES (?1, ?2, ?3, ?4, NULL, ?5, ?6, ?7)";

/// Changes a page with each synced commit: one that changes none, such as sums that are what they were, syncs nothing.
const MARK_SYNCED: &str = "INSERT INTO meta VALUES ('synced', 1)
    ON CONFLICT (name) DO UPDATE SET value = CAST(value AS INTEGER) + 1";

/// What version 2 has and version 1 had not: which event names which picture, what was painted over, and whether the service
/// has an event that names it. Pictures of version 1 know none of it; they stay on the desktop.
const FROM_VERSION_1: &str = "
    ALTER TABLE event ADD COLUMN picture TEXT;
    CREATE INDEX event_picture ON event (picture) WHERE picture IS NOT NULL;
    ALTER TABLE picture ADD COLUMN note BLOB;
    ALTER TABLE picture ADD COLUMN acknowledged INTEGER;
    PRAGMA user_version = 2;
";

/// What version 3 has and version 2 had not: which events of pages were taken, so that none is taken twice.
const FROM_VERSION_2: &str = "
    CREATE TABLE page (document TEXT, seq INTEGER, time_us INTEGER NOT NULL, PRIMARY KEY (document, seq)) WITHOUT ROWID;
    PRAGMA user_version = 3;
";

/// Why the spool cannot be used. It never ends the program.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// Another client has it.
    #[error("another lode-agent uses the spool '{0}'")]
    InUse(PathBuf),
    /// A newer client wrote it. Nothing in it is changed.
    #[error(
        "a newer lode-agent wrote the spool '{path}' (layout {layout}, this one knows {VERSION}): install that version again; nothing was changed"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its layout.
        layout: i32,
    },
    /// The disk is full.
    #[error("the disk is full: '{0}'")]
    Full(PathBuf),
    /// The disk or SQLite failed.
    #[error("cannot use the spool '{path}'")]
    Sql {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// A file cannot be read or written.
    #[error("cannot use '{path}'")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}

/// What was found when the spool was opened; each is told once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opened {
    /// A file that could not be used was set aside here.
    pub quarantined: Option<PathBuf>,
    /// The spool was copied or restored, so a new epoch began.
    pub copied: bool,
}

/// The two ways to the service: what happens now, and what waited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// Events that became old enough a short while ago.
    Live,
    /// All others, oldest first.
    Backlog,
}

/// Events younger than this, beyond what they must wait, are live.
pub const LIVE_US: u64 = 120_000_000;

/// An event that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Its number.
    pub seq: u64,
    /// The event, with agent, epoch and number.
    pub event: Event,
}

/// A range of numbers that will never come, of which no event has told yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removed {
    /// Names it.
    pub id: i64,
    /// The first number.
    pub first: u64,
    /// The last.
    pub last: u64,
    /// `quota`, `deleted_by_user`, `refused`, `damaged`.
    pub reason: String,
}

/// How much is in the spool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Events that wait.
    pub events: u64,
    /// Bytes of all events.
    pub event_bytes: u64,
    /// Pictures.
    pub pictures: u64,
    /// Bytes of all pictures.
    pub picture_bytes: u64,
    /// Time of the oldest event that waits.
    pub oldest_us: Option<i64>,
}

/// An open spool.
pub struct Spool {
    folder: PathBuf,
    db: Connection,
    sealer: Sealer,
    epoch: Uuid,
    next_seq: u64,
    boot: String,
    counters: Counters,
    event_bytes: u64,
    picture_bytes: u64,
    synced: Moment,
    unsynced: bool,
}

impl Spool {
    /// Opens the spool of a folder, whatever lies there: what cannot be used is set aside.
    ///
    /// Errors: another program has it, or the folder cannot be written.
    pub fn open(folder: &Path, now: Moment) -> Result<(Self, Opened), SpoolError> {
        make_folder(folder)?;
        let path = folder.join(FILE);
        match Self::open_file(folder) {
            Ok(opened) => Ok(opened),
            Err(error) if is_hopeless(&error) && !planted::is("panic-on-bad-spool") => {
                let aside = salvage::set_aside(folder, FILE, now.time_us)
                    .map_err(|source| SpoolError::Io { path: path.clone(), source })?;
                let (mut spool, opened) = Self::open_file(folder)?;
                spool.put_meta("salvage", aside.to_string_lossy().as_bytes())?;
                Ok((spool, Opened { quarantined: Some(aside), ..opened }))
            }
            Err(error) => Err(error),
        }
    }

    fn open_file(folder: &Path) -> Result<(Self, Opened), SpoolError> {
        let path = folder.join(FILE);
        let sql = |source| sql_error(&path, source);
        let has_log = folder.join(format!("{FILE}-wal")).exists();
        let db = Connection::open(&path).map_err(sql)?;
        // Before the first access: one owner, and no shared memory beside the file.
        let locking = if planted::is("spool-shared") { "NORMAL" } else { "EXCLUSIVE" };
        db.pragma_update(None, "locking_mode", locking).map_err(sql)?;
        let layout = |name| db.pragma_query_value(None, name, |row| row.get::<_, i32>(0)).map_err(sql);
        let (application, version) = (layout("application_id")?, layout("user_version")?);
        if application == APPLICATION_ID && version > VERSION && !planted::is("newer-spool-set-aside") {
            // Its log is not written back into the file either; one that was not there goes.
            db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, has_log).map_err(sql)?;
            return Err(SpoolError::Newer { path: path.clone(), layout: version });
        }
        db.pragma_update(None, "journal_mode", "WAL").map_err(sql)?;
        db.pragma_update(None, "synchronous", "NORMAL").map_err(sql)?;
        db.pragma_update(None, "journal_size_limit", JOURNAL_BYTES_MAX).map_err(sql)?;
        db.pragma_update(None, "secure_delete", true).map_err(sql)?;
        db.pragma_update(None, "auto_vacuum", "INCREMENTAL").map_err(sql)?;
        let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(sql)?;
        if tables == 0 && version == 0 {
            Self::create(&db).map_err(sql)?;
        } else {
            match (application, version) {
                (APPLICATION_ID, VERSION) => {}
                _ if planted::is("older-spool-set-aside") => return Err(sql(rusqlite::Error::InvalidQuery)),
                (APPLICATION_ID, 1) => {
                    upgrade(&db, FROM_VERSION_1).map_err(sql)?;
                    upgrade(&db, FROM_VERSION_2).map_err(sql)?;
                }
                (APPLICATION_ID, 2) => upgrade(&db, FROM_VERSION_2).map_err(sql)?,
                _ => return Err(sql(rusqlite::Error::InvalidQuery)),
            }
        }
        let sealer = sealer(folder, &db)?;
        let mut spool = Self {
            folder: folder.to_owned(),
            db,
            sealer,
            epoch: Uuid::nil(),
            next_seq: 1,
            boot: clock::boot_id(),
            counters: Counters::default(),
            event_bytes: 0,
            picture_bytes: 0,
            synced: Moment::default(),
            unsynced: true,
        };
        let copied = spool.load()?;
        pictures::sweep(&spool.folder, &spool.picture_files()?);
        Ok((spool, Opened { quarantined: None, copied }))
    }

    fn create(db: &Connection) -> rusqlite::Result<()> {
        let epoch = Uuid::new_v4();
        db.execute_batch(&format!(
            "BEGIN IMMEDIATE; {SCHEMA} PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION};"
        ))?;
        db.execute(
            "INSERT INTO meta VALUES ('epoch', ?1), ('next_seq', '1'), ('counters', '{}')",
            [epoch.to_string()],
        )?;
        db.execute_batch("COMMIT")
    }

    /// Reads what is kept beside the events; says whether the file turned out to be a copy.
    fn load(&mut self) -> Result<bool, SpoolError> {
        let text = |name: &str| -> Result<String, SpoolError> {
            let bytes: Vec<u8> = self
                .db
                .query_row("SELECT CAST(value AS BLOB) FROM meta WHERE name = ?1", [name], |row| row.get(0))
                .map_err(|source| self.error(source))?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        };
        let unreadable = || self.error(rusqlite::Error::InvalidQuery);
        let epoch: Uuid = text("epoch")?.parse().map_err(|_| unreadable())?;
        let next_seq: u64 = text("next_seq")?.parse().map_err(|_| unreadable())?;
        let counters = text("counters")?;
        let counters: Counters = if counters == "{}" {
            Counters::default()
        } else {
            serde_json::from_str(&counters).map_err(|_| unreadable())?
        };
        let last: Option<i64> = self
            .db
            .query_row("SELECT max(seq) FROM event", [], |row| row.get(0))
            .map_err(|source| self.error(source))?;
        if last.is_some_and(|last| last as u64 >= next_seq) {
            return Err(unreadable());
        }
        let bytes = |sql: &str| -> Result<i64, SpoolError> {
            self.db.query_row(sql, [], |row| row.get(0)).map_err(|source| self.error(source))
        };
        let event_bytes = bytes("SELECT coalesce(sum(bytes), 0) FROM event")? as u64;
        let picture_bytes = bytes("SELECT coalesce(sum(bytes), 0) FROM picture")? as u64;
        (self.epoch, self.next_seq, self.counters) = (epoch, next_seq, counters);
        (self.event_bytes, self.picture_bytes) = (event_bytes, picture_bytes);
        let here = identity(&self.folder);
        let known = self.meta("identity")?;
        let copied = known.as_ref().is_some_and(|known| *known != here.as_bytes()) && !planted::is("copy-keeps-epoch");
        if copied {
            self.begin_epoch()?;
        }
        if copied || known.is_none() {
            self.put_meta("identity", here.as_bytes())?;
        }
        Ok(copied)
    }

    /// Sets the file aside, which turned out to be damaged, and goes on with a new one.
    ///
    /// Errors: the folder cannot be written; then it is tried again later.
    pub fn renew(&mut self, now: Moment) -> Result<Opened, SpoolError> {
        let path = self.path();
        // The old file is closed before it is renamed.
        self.db = Connection::open_in_memory().map_err(|source| self.error(source))?;
        let aside =
            salvage::set_aside(&self.folder, FILE, now.time_us).map_err(|source| SpoolError::Io { path, source })?;
        let (mut spool, opened) = Self::open_file(&self.folder)?;
        spool.put_meta("salvage", aside.to_string_lossy().as_bytes())?;
        *self = spool;
        Ok(Opened { quarantined: Some(aside), ..opened })
    }

    /// The life of this spool.
    pub fn epoch(&self) -> Uuid {
        self.epoch
    }

    /// What became of everything in this epoch.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Keeps events, their pictures and the counters that belong to them, all or nothing. It survives a kill at once and a power
    /// cut within a second.
    ///
    /// Shape: numbers are given in the order of the events. `reported` are removed ranges that the events tell of.
    ///
    /// Errors: the disk; then nothing of it is kept, and the caller counts it as lost.
    pub fn append(
        &mut self,
        admissions: &[Admission],
        counters: &Counters,
        reported: &[i64],
        now: Moment,
    ) -> Result<(), SpoolError> {
        self.append_of_pages(admissions, counters, reported, &[], now)
    }

    /// The same, and remembers which events of pages were decided with it, so that they are known when they come again.
    ///
    /// Errors: as [`append`](Self::append).
    pub fn append_of_pages(
        &mut self,
        admissions: &[Admission],
        counters: &Counters,
        reported: &[i64],
        pages: &[PageId],
        now: Moment,
    ) -> Result<(), SpoolError> {
        let mut bodies = Vec::with_capacity(admissions.len());
        for admission in admissions {
            bodies.push(self.sealed_body(&admission.event)?);
        }
        let mut files = Vec::new();
        for (admission, png) in admissions.iter().filter_map(|each| Some((each, each.picture.as_ref()?))) {
            let sealed = self.sealer.seal(Purpose::Picture, &png.bytes).map_err(|_| self.unsealable())?;
            let note = serde_json::to_vec(&png.note).map_err(|_| self.unsealable())?;
            let note = self.sealer.seal(Purpose::Note, &note).map_err(|_| self.unsealable())?;
            let file = pictures::keep(&self.folder, &sealed)?;
            files.push((png.id, admission.at, sealed.len() as u64, file, note));
        }
        let mut sums = self.counters.clone();
        sums.add(counters);
        let mut seq = self.next_seq;
        let (boot, path) = (self.boot.clone(), self.path());
        let written: Result<u64, rusqlite::Error> = self.write(now, |transaction| {
            let mut bytes = 0;
            for (admission, body) in admissions.iter().zip(&bodies) {
                transaction.prepare_cached(INSERT_EVENT)?.execute(params![
                    seq as i64,
                    admission.at.time_us,
                    boot,
                    admission.at.uptime_us as i64,
                    body.len() as i64,
                    body,
                    admission.event.screenshot_id.map(|id| id.to_string())
                ])?;
                bytes += body.len() as u64;
                seq += 1;
            }
            for (id, at, length, file, note) in &files {
                transaction.prepare_cached("INSERT INTO picture VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0)")?.execute(
                    params![id.to_string(), at.time_us, boot, at.uptime_us as i64, *length as i64, file, note],
                )?;
            }
            for page in pages {
                let known = params![page.document.simple().to_string(), page.seq as i64, now.time_us];
                transaction.prepare_cached("INSERT OR IGNORE INTO page VALUES (?1, ?2, ?3)")?.execute(known)?;
            }
            for id in reported {
                transaction.execute("DELETE FROM removed WHERE id = ?1", [id])?;
            }
            if !planted::is("counted-later") {
                put_sums(transaction, seq, &sums)?;
            }
            Ok(bytes)
        });
        if planted::is("counted-later") {
            let _ = self.write(now, |transaction| put_sums(transaction, seq, &sums));
        }
        let bytes = written.map_err(|source| sql_error(&path, source))?;
        (self.next_seq, self.counters) = (seq, sums);
        self.event_bytes += bytes;
        self.picture_bytes += files.iter().map(|(_, _, length, _, _)| length).sum::<u64>();
        Ok(())
    }

    /// Whether an event of a page was taken before.
    ///
    /// Errors: the disk.
    pub fn has_page(&self, page: PageId) -> Result<bool, SpoolError> {
        let found = self
            .db
            .prepare_cached("SELECT 1 FROM page WHERE document = ?1 AND seq = ?2")
            .and_then(|mut find| find.exists(params![page.document.simple().to_string(), page.seq as i64]));
        found.map(|found| found && !planted::is("page-taken-twice")).map_err(|source| self.error(source))
    }

    /// Forgets events of pages that were taken long ago.
    ///
    /// Errors: the disk; then it is tried again later.
    pub fn forget_pages(&mut self, now: Moment) -> Result<(), SpoolError> {
        let path = self.path();
        let forgotten = self.write(now, |transaction| {
            transaction.execute("DELETE FROM page WHERE time_us < ?1", [now.time_us - PAGES_KNOWN_US]).map(drop)
        });
        forgotten.map_err(|source| sql_error(&path, source))
    }

    /// Syncs what was committed and not synced, once a second has passed since the last time.
    pub fn tick(&mut self, now: Moment) -> Result<(), SpoolError> {
        if !self.unsynced || now.since_us(self.synced) < SYNC_US {
            return Ok(());
        }
        self.sync(now)
    }

    /// Syncs everything that was committed: it survives a power cut from here on.
    pub fn sync(&mut self, now: Moment) -> Result<(), SpoolError> {
        self.synced = Moment::default();
        let path = self.path();
        let far = Moment { uptime_us: now.uptime_us.max(SYNC_US), ..now };
        self.write(far, |_| Ok(())).map_err(|source| sql_error(&path, source))?;
        self.synced = now;
        Ok(())
    }

    /// Whether a power cut would leave everything that was committed.
    #[cfg(test)]
    pub(crate) fn is_synced(&self) -> bool {
        !self.unsynced
    }

    /// Events that wait, in order, of one lane; at most so many, and only those that have waited for `hold_us`.
    ///
    /// Errors: the disk. A body that cannot be opened is removed and counted as damaged.
    pub fn batch(
        &mut self,
        lane: Lane,
        now: Moment,
        hold_us: u64,
        events_max: usize,
        agent_id: Uuid,
    ) -> Result<Vec<Waiting>, SpoolError> {
        let rows = self.waiting_rows(lane, now, hold_us, events_max)?;
        let (mut waiting, mut damaged, mut bytes) = (Vec::with_capacity(rows.len()), SeqRanges::default(), 0);
        for (seq, body) in rows {
            bytes += body.len();
            if bytes > BATCH_BYTES_MAX && !waiting.is_empty() {
                break;
            }
            match self.open_body(&body) {
                Some(event) => {
                    waiting.push(Waiting { seq, event: Event { agent_id, epoch: self.epoch, seq, ..event } })
                }
                None => {
                    damaged.add(seq);
                }
            }
        }
        if !damaged.is_empty() {
            self.remove(&damaged, "damaged", now)?;
        }
        Ok(waiting)
    }

    fn waiting_rows(
        &self,
        lane: Lane,
        now: Moment,
        hold_us: u64,
        events_max: usize,
    ) -> Result<Vec<(u64, Vec<u8>)>, SpoolError> {
        // Age is told by the monotonic clock within one boot; across boots by the wall clock, and a time in the future is old.
        const OLD: &str = "((boot = ?1 AND uptime_us <= ?2) OR (boot <> ?1 AND (time_us <= ?3 OR time_us > ?4)))";
        let edge = |us: u64| {
            let past = i64::try_from(us).unwrap_or(i64::MAX);
            ((now.uptime_us as i64).saturating_sub(past), now.time_us.saturating_sub(past))
        };
        let (held_uptime, held_time) = edge(hold_us);
        let live_edge = edge(hold_us.saturating_add(LIVE_US));
        let lane_filter = match lane {
            Lane::Live => "(boot = ?1 AND uptime_us > ?5)",
            Lane::Backlog => "NOT (boot = ?1 AND uptime_us > ?5)",
        };
        let old = if planted::is("held-by-clock") { "(time_us <= ?3 OR time_us > ?4)" } else { OLD };
        let order = if planted::is("sent-by-clock") { "time_us" } else { "seq" };
        let sql = format!(
            "SELECT seq, body FROM event WHERE sent_us IS NULL AND {old} AND {lane_filter} ORDER BY {order} LIMIT ?6"
        );
        let mut statement = self.db.prepare_cached(&sql).map_err(|source| self.error(source))?;
        let limit = i64::try_from(events_max).unwrap_or(i64::MAX);
        let found = statement
            .query_map(params![self.boot, held_uptime, held_time, now.time_us, live_edge.0, limit], |row| {
                Ok((row.get::<_, i64>(0)? as u64, row.get(1)?))
            });
        let rows = found.and_then(Iterator::collect).map_err(|source| self.error(source))?;
        Ok(rows)
    }

    /// The service has these events. They are kept for the person's own page until [`forget_sent`](Self::forget_sent).
    pub fn settle(&mut self, acknowledged: &SeqRanges, server_time_us: i64, now: Moment) -> Result<u64, SpoolError> {
        let (path, next_seq) = (self.path(), self.next_seq);
        let mut sums = self.counters.clone();
        let settled = self.write(now, |transaction| {
            let mut settled = 0;
            for (first, last) in acknowledged.ranges() {
                pictures::acknowledge(transaction, clamp(*first), clamp(*last))?;
                settled += transaction.execute(
                    "UPDATE event SET sent_us = ?3 WHERE seq BETWEEN ?1 AND ?2 AND sent_us IS NULL",
                    params![clamp(*first), clamp(*last), server_time_us],
                )? as u64;
            }
            sums.stored += settled;
            sums.waiting = sums.waiting.saturating_sub(settled);
            put_sums(transaction, next_seq, &sums)?;
            Ok((settled, sums))
        });
        let (settled, sums) = settled.map_err(|source| sql_error(&path, source))?;
        self.counters = sums;
        Ok(settled)
    }

    /// The service will never take this event: it becomes a dead letter, with the reason.
    pub fn refuse(&mut self, seq: u64, reason: &str, now: Moment) -> Result<(), SpoolError> {
        let reason: String = reason.chars().take(REASON_CHARS_MAX).collect();
        let path = self.path();
        let moved = self.write(now, |transaction| {
            if planted::is("refused-is-gone") {
                return Ok(0);
            }
            transaction.execute(
                "INSERT OR IGNORE INTO dead_letter SELECT seq, ?2, body FROM event WHERE seq = ?1 AND sent_us IS NULL",
                params![clamp(seq), reason],
            )
        });
        moved.map_err(|source| sql_error(&path, source))?;
        self.remove(&[seq].into_iter().collect(), "refused", now)
    }

    /// Puts dead letters back among the events that wait, with new numbers; says how many.
    pub fn replay_dead_letters(&mut self, now: Moment) -> Result<u64, SpoolError> {
        let (path, mut seq, boot) = (self.path(), self.next_seq, self.boot.clone());
        let (mut sums, sealer) = (self.counters.clone(), self.sealer.clone());
        let moved = self.write(now, |transaction| {
            let letters: Vec<(i64, Vec<u8>)> = transaction
                .prepare("SELECT seq, body FROM dead_letter ORDER BY seq")?
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<rusqlite::Result<_>>()?;
            for (_, body) in &letters {
                let picture = open_body(&sealer, body).and_then(|event| event.screenshot_id).map(|id| id.to_string());
                transaction.execute(
                    INSERT_EVENT,
                    params![clamp(seq), now.time_us, boot, now.uptime_us as i64, body.len() as i64, body, picture],
                )?;
                seq += 1;
            }
            transaction.execute("DELETE FROM dead_letter", [])?;
            sums.captured += letters.len() as u64;
            sums.waiting += letters.len() as u64;
            put_sums(transaction, seq, &sums)?;
            Ok((letters.iter().map(|(_, body)| body.len() as u64).sum::<u64>(), letters.len() as u64, sums))
        });
        let (bytes, count, sums) = moved.map_err(|source| sql_error(&path, source))?;
        (self.next_seq, self.counters) = (seq, sums);
        self.event_bytes += bytes;
        Ok(count)
    }

    /// Events that the service will never take, with the reason.
    pub fn dead_letters(&self) -> Result<Vec<(u64, String)>, SpoolError> {
        let mut statement = self
            .db
            .prepare("SELECT seq, reason FROM dead_letter ORDER BY seq LIMIT 1000")
            .map_err(|source| self.error(source))?;
        let letters = statement
            .query_map([], |row| Ok((row.get::<_, i64>(0)? as u64, row.get(1)?)))
            .and_then(Iterator::collect)
            .map_err(|source| self.error(source))?;
        Ok(letters)
    }

    /// The person deletes what happened in the last so many microseconds: events that wait, copies of sent ones, pictures. Says
    /// how many events will never be sent.
    pub fn forget_last(&mut self, us: u64, now: Moment) -> Result<u64, SpoolError> {
        let past = i64::try_from(us).unwrap_or(i64::MAX);
        let since = ((now.uptime_us as i64).saturating_sub(past), now.time_us.saturating_sub(past));
        const YOUNG: &str = "((boot = ?1 AND uptime_us >= ?2) OR (boot <> ?1 AND time_us >= ?3))";
        let boot = self.boot.clone();
        let seqs = |sent: &str| -> Result<SeqRanges, SpoolError> {
            let sql = format!("SELECT seq FROM event WHERE {sent} AND {YOUNG}");
            let mut statement = self.db.prepare(&sql).map_err(|source| self.error(source))?;
            let rows = statement.query_map(params![boot, since.0, since.1], |row| Ok(row.get::<_, i64>(0)? as u64));
            rows.and_then(Iterator::collect).map_err(|source| self.error(source))
        };
        let (waiting, sent) = (seqs("sent_us IS NULL")?, seqs("sent_us IS NOT NULL")?);
        self.remove(&waiting, "deleted_by_user", now)?;
        self.delete_rows(&sent, now)?;
        let files: Vec<(String, String)> = {
            let sql = format!("SELECT id, file FROM picture WHERE {YOUNG}");
            let mut statement = self.db.prepare(&sql).map_err(|source| self.error(source))?;
            let rows = statement.query_map(params![boot, since.0, since.1], |row| Ok((row.get(0)?, row.get(1)?)));
            rows.and_then(Iterator::collect).map_err(|source| self.error(source))?
        };
        if !planted::is("deleted-pictures-stay") {
            self.delete_pictures(&files, Fate::Erased, now)?;
        }
        // What was deleted is not to be found in the log beside the file either.
        if !planted::is("deleted-stays-in-log") {
            self.checkpoint()?;
        }
        Ok(waiting.count())
    }

    /// Deletes the copies of sent events that were kept long enough, by the service's clock.
    pub fn forget_sent(&mut self, server_time_us: i64, keep_us: u64, now: Moment) -> Result<(), SpoolError> {
        let clock_us = if planted::is("kept-by-own-clock") { now.time_us } else { server_time_us };
        let before = clock_us.saturating_sub(i64::try_from(keep_us).unwrap_or(i64::MAX));
        let seqs: SeqRanges = {
            let mut statement = self
                .db
                .prepare_cached(
                    "SELECT seq FROM event WHERE sent_us IS NOT NULL AND sent_us <= ?1 ORDER BY seq LIMIT 5000",
                )
                .map_err(|source| self.error(source))?;
            let rows = statement.query_map([before], |row| Ok(row.get::<_, i64>(0)? as u64));
            rows.and_then(Iterator::collect).map_err(|source| self.error(source))?
        };
        self.delete_rows(&seqs, now)
    }

    /// Stays within the quota and leaves the disk room: copies of sent events go first, then the oldest pictures, then the oldest
    /// events that wait, which are counted and told of. `free` is the free and the whole size of the disk in bytes, if known.
    pub fn make_room(&mut self, storage: &Storage, free: Option<(u64, u64)>, now: Moment) -> Result<(), SpoolError> {
        for _ in 0..if planted::is("quota-off") { 0 } else { ROOM_STEPS_MAX } {
            let is_tight = free.is_some_and(|(free, whole)| {
                let percent = whole / 100 * u64::from(storage.keep_free_percent);
                free < storage.keep_free_bytes.max(percent)
            });
            let (events, pictures) =
                (self.event_bytes > storage.events_bytes, self.picture_bytes > storage.screenshots_bytes);
            if !is_tight && !events && !pictures {
                return Ok(());
            }
            let sent = if events || is_tight { self.oldest("sent_us IS NOT NULL")? } else { SeqRanges::default() };
            if !sent.is_empty() {
                self.delete_rows(&sent, now)?;
            } else if (pictures || is_tight) && self.picture_bytes > 0 {
                let files = self.oldest_pictures()?;
                self.delete_pictures(&files, Fate::Dropped, now)?;
            } else if events || is_tight {
                let waiting = self.oldest("sent_us IS NULL")?;
                if waiting.is_empty() {
                    return Ok(());
                }
                self.remove(&waiting, "quota", now)?;
            }
            if is_tight {
                // Whether that was enough, the next look at the disk tells.
                self.checkpoint()?;
                return Ok(());
            }
        }
        Ok(())
    }

    /// Ranges that will never come and of which no event has told yet.
    pub fn unreported(&self) -> Result<Vec<Removed>, SpoolError> {
        let mut statement = self
            .db
            .prepare_cached("SELECT id, first, last, reason FROM removed ORDER BY id LIMIT 100")
            .map_err(|source| self.error(source))?;
        let rows = statement.query_map([], |row| {
            let (first, last): (i64, i64) = (row.get(1)?, row.get(2)?);
            Ok(Removed { id: row.get(0)?, first: first as u64, last: last as u64, reason: row.get(3)? })
        });
        rows.and_then(Iterator::collect).map_err(|source| self.error(source))
    }

    /// Begins a new epoch: what waits is numbered anew from 1, everything else of the old one is forgotten.
    pub fn begin_epoch(&mut self) -> Result<(), SpoolError> {
        let path = self.path();
        let epoch = Uuid::new_v4();
        let begun = self.write(Moment::default(), |transaction| {
            transaction.execute("DELETE FROM event WHERE sent_us IS NOT NULL", [])?;
            transaction.execute("DELETE FROM removed", [])?;
            let seqs: Vec<i64> = transaction
                .prepare("SELECT seq FROM event ORDER BY seq")?
                .query_map([], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            // Ascending, so that a new number is never one that is still taken.
            for (new, old) in (1_i64..).zip(&seqs) {
                transaction.execute("UPDATE event SET seq = ?1 WHERE seq = ?2", [new, *old])?;
            }
            let waiting = seqs.len() as u64;
            let sums = Counters { captured: waiting, waiting, ..Counters::default() };
            transaction.execute("INSERT OR REPLACE INTO meta VALUES ('epoch', ?1)", [epoch.to_string().as_bytes()])?;
            put_sums(transaction, waiting + 1, &sums)?;
            let bytes: i64 =
                transaction.query_row("SELECT coalesce(sum(bytes), 0) FROM event", [], |row| row.get(0))?;
            Ok((sums, bytes as u64))
        });
        let (sums, bytes) = begun.map_err(|source| sql_error(&path, source))?;
        (self.epoch, self.next_seq, self.event_bytes) = (epoch, sums.waiting + 1, bytes);
        self.counters = sums;
        Ok(())
    }

    /// How much is in it.
    pub fn size(&self) -> Result<Size, SpoolError> {
        let pictures: i64 = self
            .db
            .query_row("SELECT count(*) FROM picture", [], |row| row.get(0))
            .map_err(|source| self.error(source))?;
        let oldest_us = self
            .db
            .query_row("SELECT time_us FROM event WHERE sent_us IS NULL ORDER BY seq LIMIT 1", [], |row| row.get(0))
            .optional()
            .map_err(|source| self.error(source))?;
        Ok(Size {
            events: self.counters.waiting,
            event_bytes: self.event_bytes,
            pictures: pictures as u64,
            picture_bytes: self.picture_bytes,
            oldest_us,
        })
    }

    /// The latest events before a number, newest first, each with whether it was sent: for the person's own page.
    pub fn latest(&self, before: u64, events_max: usize) -> Result<Vec<(Event, bool)>, SpoolError> {
        let mut statement = self
            .db
            .prepare_cached(
                "SELECT seq, sent_us IS NOT NULL, body FROM event WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2",
            )
            .map_err(|source| self.error(source))?;
        let limit = i64::try_from(events_max).unwrap_or(i64::MAX);
        let rows: Vec<(i64, bool, Vec<u8>)> = statement
            .query_map([clamp(before), limit], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .and_then(Iterator::collect)
            .map_err(|source| self.error(source))?;
        let open = |(seq, sent, body): (i64, bool, Vec<u8>)| {
            let event = self.open_body(&body)?;
            Some((Event { epoch: self.epoch, seq: seq as u64, ..event }, sent))
        };
        Ok(rows.into_iter().filter_map(open).collect())
    }

    /// Puts back what can be saved of a file that was set aside: some rows a call, `false` when nothing is left to do.
    pub fn salvage_step(&mut self, now: Moment) -> Result<bool, SpoolError> {
        let Some(aside) = self.meta("salvage")? else { return Ok(false) };
        let aside = PathBuf::from(String::from_utf8_lossy(&aside).into_owned());
        let from = self.meta("salvaged_to")?.and_then(|text| String::from_utf8_lossy(&text).parse().ok()).unwrap_or(0);
        let found = salvage::rows(&aside, from);
        let boot = self.boot.clone();
        let opened: Vec<_> = found.rows.into_iter().filter(|row| self.open_body(&row.body).is_some()).collect();
        let (path, mut seq, mut sums, mut bytes) = (self.path(), self.next_seq, self.counters.clone(), 0);
        let written = self.write(now, |transaction| {
            for row in &opened {
                transaction.execute(
                    INSERT_EVENT,
                    params![clamp(seq), row.time_us, boot, 0, row.body.len() as i64, row.body, None::<String>],
                )?;
                bytes += row.body.len() as u64;
                seq += 1;
            }
            sums.captured += opened.len() as u64;
            sums.waiting += opened.len() as u64;
            put_sums(transaction, seq, &sums)?;
            match found.next {
                Some(next) => transaction
                    .execute("INSERT OR REPLACE INTO meta VALUES ('salvaged_to', ?1)", [next.to_string().as_bytes()])?,
                None => transaction.execute("DELETE FROM meta WHERE name IN ('salvage', 'salvaged_to')", [])?,
            };
            Ok(())
        });
        written.map_err(|source| sql_error(&path, source))?;
        (self.next_seq, self.counters) = (seq, sums);
        self.event_bytes += bytes;
        Ok(found.next.is_some())
    }

    /// Checks the whole file; `false` if it is damaged.
    pub fn is_sound(&self) -> bool {
        let said: rusqlite::Result<String> = self.db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0));
        said.is_ok_and(|said| said == "ok")
    }

    /// Writes the log back into the file, so that neither grows.
    pub fn checkpoint(&mut self) -> Result<(), SpoolError> {
        points::reached("spool: before the log is written back");
        let done = self.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        done.map_err(|source| self.error(source))?;
        points::reached("spool: after the log was written back");
        let vacuumed = self.db.execute_batch("PRAGMA incremental_vacuum(4096)");
        vacuumed.map_err(|source| self.error(source))
    }

    /// Takes events out that will never be sent, counts them, and remembers the ranges until an event tells of them.
    fn remove(&mut self, seqs: &SeqRanges, reason: &str, now: Moment) -> Result<(), SpoolError> {
        if seqs.is_empty() {
            return Ok(());
        }
        // A refused event may be sent again, so its picture stays.
        let named = if reason == "refused" { Vec::new() } else { self.pictures_named_by(seqs)? };
        let owed = self.explained_by(seqs)?;
        let (path, next_seq) = (self.path(), self.next_seq);
        let mut sums = self.counters.clone();
        let removed = self.write(now, |transaction| {
            let (mut count, mut bytes) = (0, 0);
            for (first, last, reason) in &owed {
                transaction.execute(
                    "INSERT INTO removed (first, last, reason) VALUES (?1, ?2, ?3)",
                    params![clamp(*first), clamp(*last), reason],
                )?;
            }
            for (first, last) in seqs.ranges() {
                let (rows, length): (i64, i64) = transaction.query_row(
                    "SELECT count(*), coalesce(sum(bytes), 0) FROM event WHERE seq BETWEEN ?1 AND ?2 AND sent_us IS NULL",
                    [clamp(*first), clamp(*last)],
                    |row| Ok((row.get(0)?, row.get(1)?)),
                )?;
                if rows == 0 {
                    continue;
                }
                transaction.execute(
                    "DELETE FROM event WHERE seq BETWEEN ?1 AND ?2 AND sent_us IS NULL",
                    [clamp(*first), clamp(*last)],
                )?;
                // Ranges that touch one of the same reason become one, under a number of its own: an event that tells of the
                // shorter one may be on its way, and takes only that one's number off the list.
                let touched: Option<(i64, i64)> = transaction
                    .query_row(
                        "SELECT id, first FROM removed WHERE last = ?1 - 1 AND reason = ?2",
                        params![clamp(*first), reason],
                        |row| Ok((row.get(0)?, row.get(1)?)),
                    )
                    .optional()?;
                transaction.execute(
                    "INSERT INTO removed (first, last, reason) VALUES (?1, ?2, ?3)",
                    params![touched.map_or(clamp(*first), |(_, begin)| begin), clamp(*last), reason],
                )?;
                if let Some((id, _)) = touched {
                    transaction.execute("DELETE FROM removed WHERE id = ?1", [id])?;
                }
                if planted::is("range-untold") {
                    transaction.execute("DELETE FROM removed", [])?;
                }
                count += rows as u64;
                bytes += length as u64;
            }
            sums.waiting = sums.waiting.saturating_sub(count);
            match reason {
                "refused" => sums.refused += count,
                "deleted_by_user" => sums.erased += count,
                _ => *sums.dropped.entry(reason.to_owned()).or_default() += count,
            }
            put_sums(transaction, next_seq, &sums)?;
            Ok((sums, bytes))
        });
        let (sums, bytes) = removed.map_err(|source| sql_error(&path, source))?;
        self.counters = sums;
        self.event_bytes = self.event_bytes.saturating_sub(bytes);
        let fate = if reason == "deleted_by_user" { Fate::Erased } else { Fate::Dropped };
        self.delete_unnamed(&named, fate, now)
    }

    /// Ranges that these events, as far as they wait, explain. When such an event goes, its explanation is owed again.
    fn explained_by(&self, seqs: &SeqRanges) -> Result<Vec<(u64, u64, String)>, SpoolError> {
        let mut statement = self
            .db
            .prepare_cached("SELECT body FROM event WHERE seq BETWEEN ?1 AND ?2 AND sent_us IS NULL")
            .map_err(|source| self.error(source))?;
        let mut explained = Vec::new();
        for (first, last) in seqs.ranges() {
            let rows = statement.query_map([clamp(*first), clamp(*last)], |row| row.get::<_, Vec<u8>>(0));
            let rows: rusqlite::Result<Vec<_>> = rows.and_then(Iterator::collect);
            let bodies = rows.map_err(|source| self.error(source))?;
            explained.extend(bodies.iter().filter_map(|body| explanation(&self.open_body(body)?)));
        }
        Ok(explained)
    }

    fn delete_rows(&mut self, seqs: &SeqRanges, now: Moment) -> Result<(), SpoolError> {
        if seqs.is_empty() {
            return Ok(());
        }
        let path = self.path();
        let deleted = self.write(now, |transaction| {
            let mut bytes = 0;
            for (first, last) in seqs.ranges() {
                let range = [clamp(*first), clamp(*last)];
                bytes += transaction.query_row(
                    "SELECT coalesce(sum(bytes), 0) FROM event WHERE seq BETWEEN ?1 AND ?2 AND sent_us IS NOT NULL",
                    range,
                    |row| row.get::<_, i64>(0),
                )?;
                transaction.execute("DELETE FROM event WHERE seq BETWEEN ?1 AND ?2 AND sent_us IS NOT NULL", range)?;
            }
            Ok(bytes as u64)
        });
        self.event_bytes = self.event_bytes.saturating_sub(deleted.map_err(|source| sql_error(&path, source))?);
        Ok(())
    }

    fn oldest(&self, which: &str) -> Result<SeqRanges, SpoolError> {
        let sql = format!("SELECT seq FROM event WHERE {which} ORDER BY seq LIMIT {ROOM_ROWS}");
        let mut statement = self.db.prepare_cached(&sql).map_err(|source| self.error(source))?;
        let rows = statement.query_map([], |row| Ok(row.get::<_, i64>(0)? as u64));
        rows.and_then(Iterator::collect).map_err(|source| self.error(source))
    }

    /// One transaction; synced if a second has passed since the last one that was.
    fn write<T>(
        &mut self,
        now: Moment,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let is_synced = now.since_us(self.synced) >= SYNC_US;
        let is_full = is_synced && !planted::is("skip-fsync");
        self.db.pragma_update(None, "synchronous", if is_full { "FULL" } else { "NORMAL" })?;
        let transaction = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = work(&transaction)?;
        if is_synced {
            transaction.prepare_cached(MARK_SYNCED)?.execute([])?;
        }
        points::reached("spool: before a commit");
        transaction.commit()?;
        points::reached("spool: after a commit");
        if is_synced {
            self.synced = now;
        }
        self.unsynced = !is_synced;
        Ok(done)
    }

    fn sealed_body(&self, event: &Scrubbed<Event>) -> Result<Vec<u8>, SpoolError> {
        let text = serde_json::to_vec(event).map_err(|_| self.unsealable())?;
        self.sealer.seal(Purpose::Event, &text).map_err(|_| self.unsealable())
    }

    fn open_body(&self, body: &[u8]) -> Option<Event> {
        open_body(&self.sealer, body)
    }

    fn meta(&self, name: &str) -> Result<Option<Vec<u8>>, SpoolError> {
        self.db
            .query_row("SELECT CAST(value AS BLOB) FROM meta WHERE name = ?1", [name], |row| row.get(0))
            .optional()
            .map_err(|source| self.error(source))
    }

    fn put_meta(&mut self, name: &str, value: &[u8]) -> Result<(), SpoolError> {
        self.db
            .execute("INSERT OR REPLACE INTO meta VALUES (?1, ?2)", params![name, value])
            .map(drop)
            .map_err(|source| self.error(source))
    }

    fn path(&self) -> PathBuf {
        self.folder.join(FILE)
    }

    fn error(&self, source: rusqlite::Error) -> SpoolError {
        sql_error(&self.path(), source)
    }

    fn unsealable(&self) -> SpoolError {
        self.error(rusqlite::Error::InvalidQuery)
    }
}

/// The name of the file.
pub const FILE: &str = "spool.db";

/// The name of the file with the key.
const KEY_FILE: &str = "spool.key";

/// What is sealed to see whether the key is the right one.
const CHECK_TEXT: &[u8] = b"lode spool";

/// The sealer of a spool; a new spool gets a new key.
fn sealer(folder: &Path, db: &Connection) -> Result<Sealer, SpoolError> {
    let path = folder.join(KEY_FILE);
    let io = |source| SpoolError::Io { path: path.clone(), source };
    let sql = |source| sql_error(&folder.join(FILE), source);
    let check: Option<Vec<u8>> =
        db.query_row("SELECT value FROM meta WHERE name = 'check'", [], |row| row.get(0)).optional().map_err(sql)?;
    let key: Option<[u8; KEY_BYTES]> = secrets::read(&path).map_err(io)?.and_then(|key| key[..].try_into().ok());
    match (check, key) {
        (Some(check), Some(key)) => {
            let sealer = Sealer::new(&key);
            // Rows that nobody can open are as good as damaged.
            sealer.open(Purpose::Check, &check).map_err(|_| sql(rusqlite::Error::InvalidQuery))?;
            Ok(sealer)
        }
        (Some(_), None) => Err(sql(rusqlite::Error::InvalidQuery)),
        (None, known) => {
            let key = match known {
                // A spool that was set aside may still be salvaged with it.
                Some(key) => zeroize::Zeroizing::new(key),
                None => Sealer::new_key(),
            };
            if known.is_none() {
                secrets::write(&path, &key[..]).map_err(io)?;
            }
            let sealer = Sealer::new(&key);
            let check = sealer.seal(Purpose::Check, CHECK_TEXT).map_err(|_| sql(rusqlite::Error::InvalidQuery))?;
            db.execute("INSERT INTO meta VALUES ('check', ?1)", [check]).map_err(sql)?;
            Ok(sealer)
        }
    }
}

/// Brings the tables from one version to the next: all of it, or nothing (promise P14).
fn upgrade(db: &Connection, statements: &str) -> rusqlite::Result<()> {
    if planted::is("upgrade-in-steps") {
        return db.execute_batch(statements);
    }
    db.execute_batch(&format!("BEGIN IMMEDIATE; {statements} COMMIT;"))
}

/// The range that a coverage gap explains, and why its events will never come.
fn explanation(event: &Event) -> Option<(u64, u64, String)> {
    let number = |key: &str| event.attributes.get(key)?.parse().ok();
    let reason = event.attributes.get("reason").cloned().unwrap_or_default();
    (event.event_type == EventType::CoverageGap).then_some(())?;
    Some((number("seq_from")?, number("seq_to")?, reason))
}

fn open_body(sealer: &Sealer, body: &[u8]) -> Option<Event> {
    serde_json::from_slice(&sealer.open(Purpose::Event, body).ok()?).ok()
}

/// What tells this file on this machine from a copy of it (promise P8).
fn identity(folder: &Path) -> String {
    format!("{}/{}", crate::paths::machine_id(), crate::paths::file_id(&folder.join(FILE)))
}

fn make_folder(folder: &Path) -> Result<(), SpoolError> {
    crate::paths::make_private_folder(folder).map_err(|source| SpoolError::Io { path: folder.to_owned(), source })
}

/// SQLite has signed numbers; a `seq` beyond them cannot be reached.
fn clamp(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}

fn put_sums(transaction: &Transaction<'_>, next_seq: u64, sums: &Counters) -> rusqlite::Result<()> {
    let text = serde_json::to_string(sums).unwrap_or_else(|_| "{}".to_owned());
    transaction
        .prepare_cached("INSERT OR REPLACE INTO meta VALUES ('next_seq', ?1), ('counters', ?2)")?
        .execute(params![next_seq.to_string().as_bytes(), text.as_bytes()])
        .map(drop)
}

fn sql_error(path: &Path, source: rusqlite::Error) -> SpoolError {
    match source.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => SpoolError::InUse(path.to_owned()),
        Some(ErrorCode::DiskFull) => SpoolError::Full(path.to_owned()),
        _ => SpoolError::Sql { path: path.to_owned(), source },
    }
}

/// Whether nothing can be done with the file but to set it aside: not a disk that is full, not a folder without rights.
pub fn is_hopeless(error: &SpoolError) -> bool {
    let SpoolError::Sql { path, source } = error else { return false };
    match source.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::TypeMismatch) => true,
        Some(ErrorCode::CannotOpen) => path.is_dir(),
        Some(ErrorCode::ReadOnly) => path.parent().is_some_and(crate::paths::is_writable),
        Some(ErrorCode::Unknown) => true,
        Some(_) => false,
        // Our own tables with contents that cannot be: another program's, or damaged.
        None => true,
    }
}

#[cfg(test)]
pub(crate) mod tests;
