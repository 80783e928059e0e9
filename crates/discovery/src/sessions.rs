//! Sessions: unbroken stretches of work by one agent, with active and idle time (`sessions_agg`).
//!
//! ```text
//! gap_us = 5 min, active_cap_us = 30 s
//! time      09:00:00  09:00:10  09:02:00        09:40:00
//! session   [---------- 1 ----------------]     [-- 2 --]
//! active    10 s      30 s      0 (last)        0 (last)
//! ```
//! The active time of an event is the time to the next event of the same session, at most the cap; the last event of a
//! session has none, and an event that begins an absence (idle, locked, paused) has none. A session ends where the
//! gap is longer than `gap_us`, where time steps back (the clock was set), where a row breaks it (recording started),
//! or where the given session id changes.
//!
//! [`Sessions`] gives one row per session, [`SessionMarker`] one value per event. Neither reads the clock.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Int64Array, StructArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, Fields, TimeUnit};

use crate::bytes::{Reader, Writer};
use crate::cases::CaseTable;
use crate::columns::{self, Integers};
use crate::kernel::{Kernel, KernelError};

const OPERATOR: &str = "sessions_agg";
const TAG: u8 = 4;
const COLUMNS: &str = "three to six (agent_key, event_order, time, breaks, away, session)";

/// When a session ends, and how much time an event can stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionRule {
    /// A longer pause than this ends a session.
    pub gap_us: i64,
    /// No event counts for more active time than this.
    pub active_cap_us: i64,
}

impl Default for SessionRule {
    /// Five minutes and thirty seconds, as the out-of-the-box jobs have it.
    fn default() -> Self {
        SessionRule { gap_us: 300_000_000, active_cap_us: 30_000_000 }
    }
}

/// One row per session.
///
/// Shape: columns `agent_key`, `event_order`, `time`, and, as far as there are any, `breaks` (the row begins a session),
/// `away` (the row begins an absence), `session` (an id given from outside; null continues). A column that is missing in
/// between is given with type `Null`. The answer is ordered by `session_key`, the `event_order` of the first event,
/// then by agent.
/// Units: microseconds. `idle_us` = `end` − `start` − `active_us`.
///
/// Errors: see [`Kernel`]; the first three columns must not be null.
///
/// ```
/// # use std::sync::Arc;
/// # use arrow::array::*;
/// # use arrow::datatypes::Int64Type;
/// # use discovery::{Kernel, SessionRule, Sessions};
/// let agent: ArrayRef = Arc::new(Int32Array::from(vec![1, 1, 1, 1]));
/// let order: ArrayRef = Arc::new(Int64Array::from(vec![0, 1, 2, 3]));
/// let time: ArrayRef = Arc::new(Int64Array::from(vec![0, 10_000_000, 120_000_000, 2_400_000_000]));
/// let mut sessions = Sessions::new(SessionRule::default());
/// sessions.update(&[agent, order, time])?;
/// let answer = sessions.finish()?;
/// assert_eq!(answer.column_by_name("session_key").expect("a field").as_primitive::<Int64Type>().values(), &[0, 3]);
/// assert_eq!(answer.column_by_name("active_us").expect("a field").as_primitive::<Int64Type>().values(), &[40_000_000, 0]);
/// # Ok::<(), discovery::KernelError>(())
/// ```
#[derive(Debug)]
pub struct Sessions {
    rule: SessionRule,
    open: CaseTable<Session>,
    /// The agent of the row before, with its position in `open`.
    current: Option<(i64, usize)>,
    closed: Vec<(i64, Session)>,
}

/// One session, open or closed.
#[derive(Debug, Clone, Copy)]
struct Session {
    key: i64,
    id: Option<i64>,
    start_us: i64,
    last_us: i64,
    events: i64,
    active_us: i64,
    /// Whether the event seen last began an absence.
    is_away: bool,
}

/// What the session rules look at in one row.
#[derive(Clone, Copy)]
struct Row {
    order: i64,
    time_us: i64,
    is_break: bool,
    is_away: bool,
    id: Option<i64>,
}

impl Session {
    fn begin(row: Row) -> Session {
        Session {
            key: row.order,
            id: row.id,
            start_us: row.time_us,
            last_us: row.time_us,
            events: 1,
            active_us: 0,
            is_away: row.is_away,
        }
    }

    /// Whether this row belongs to another session than the open one.
    #[inline]
    fn is_ended_by(&self, row: Row, rule: SessionRule) -> bool {
        let is_other_id = row.id.is_some_and(|id| self.id.is_some_and(|open| open != id));
        let gap_us = row.time_us.saturating_sub(self.last_us);
        row.is_break || is_other_id || gap_us < 0 || gap_us > rule.gap_us
    }

    /// Takes in the next event of the session; gives the active time of the one before.
    #[inline]
    fn extend(&mut self, row: Row, rule: SessionRule) -> i64 {
        let gap_us = row.time_us.saturating_sub(self.last_us);
        let active_us = if self.is_away { 0 } else { gap_us.min(rule.active_cap_us) };
        self.active_us += active_us;
        self.events += 1;
        self.last_us = row.time_us;
        self.is_away = row.is_away;
        self.id = self.id.or(row.id);
        active_us
    }
}

impl Sessions {
    /// An empty state with this rule.
    pub fn new(rule: SessionRule) -> Sessions {
        Sessions { rule, open: CaseTable::default(), current: None, closed: Vec::new() }
    }

    fn close(&mut self) {
        self.current = None;
        self.closed.extend(self.open.take());
    }
}

impl Kernel for Sessions {
    fn update(&mut self, columns: &[ArrayRef]) -> Result<(), KernelError> {
        let rows = Rows::read(columns)?;
        for at in 0..rows.len {
            let (agent, row) = (rows.agents[at], rows.row(at));
            let position = match self.current {
                Some((current, position)) if current == agent => position,
                _ => {
                    let entry = self.open.enter(agent, || Session::begin(row));
                    self.current = Some((agent, entry.at));
                    if entry.is_new {
                        continue;
                    }
                    entry.at
                }
            };
            let session = self.open.state(position);
            if session.is_ended_by(row, self.rule) {
                self.closed.push((agent, std::mem::replace(session, Session::begin(row))));
            } else {
                session.extend(row, self.rule);
            }
        }
        Ok(())
    }

    fn merge(&mut self, mut other: Sessions) -> Result<(), KernelError> {
        self.close();
        other.close();
        self.closed.append(&mut other.closed);
        Ok(())
    }

    fn finish(&mut self) -> Result<StructArray, KernelError> {
        self.close();
        self.closed.sort_unstable_by_key(|(agent, session)| (session.key, *agent));
        let column = |of: fn(&(i64, Session)) -> i64| Int64Array::from_iter_values(self.closed.iter().map(of));
        let time = |of: fn(&(i64, Session)) -> i64| -> ArrayRef {
            let times = TimestampMicrosecondArray::from_iter_values(self.closed.iter().map(of));
            Arc::new(times.with_timezone("UTC"))
        };
        let arrays: Vec<ArrayRef> = vec![
            Arc::new(column(|(agent, _)| *agent)),
            Arc::new(column(|(_, session)| session.key)),
            time(|(_, session)| session.start_us),
            time(|(_, session)| session.last_us),
            Arc::new(column(|(_, session)| session.events)),
            Arc::new(column(|(_, session)| session.active_us)),
            Arc::new(column(|(_, session)| session.last_us - session.start_us - session.active_us)),
        ];
        Ok(StructArray::new(self.fields(), arrays, None))
    }

    fn fields(&self) -> Fields {
        let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        Fields::from(vec![
            Field::new("agent_key", DataType::Int64, false),
            Field::new("session_key", DataType::Int64, false),
            Field::new("start", time.clone(), false),
            Field::new("end", time, false),
            Field::new("events", DataType::Int64, false),
            Field::new("active_us", DataType::Int64, false),
            Field::new("idle_us", DataType::Int64, false),
        ])
    }

    fn to_bytes(&mut self) -> Vec<u8> {
        self.close();
        let mut to = Writer::new(TAG);
        to.signed(self.rule.gap_us);
        to.signed(self.rule.active_cap_us);
        to.number(self.closed.len() as u64);
        let (mut last_key, mut last_start_us) = (0_i64, 0_i64);
        for (agent, session) in &self.closed {
            to.signed(*agent);
            to.signed(session.key.wrapping_sub(last_key));
            to.signed(session.start_us.wrapping_sub(last_start_us));
            to.signed(session.last_us.wrapping_sub(session.start_us));
            to.signed(session.events);
            to.signed(session.active_us);
            (last_key, last_start_us) = (session.key, session.start_us);
        }
        to.into_bytes()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Sessions, KernelError> {
        let mut from = Reader::new(bytes, TAG, OPERATOR)?;
        let mut state = Sessions::new(SessionRule { gap_us: from.signed()?, active_cap_us: from.signed()? });
        let (mut key, mut start_us) = (0_i64, 0_i64);
        for _ in 0..from.count()? {
            let agent = from.signed()?;
            key = key.wrapping_add(from.signed()?);
            start_us = start_us.wrapping_add(from.signed()?);
            let last_us = start_us.wrapping_add(from.signed()?);
            let (events, active_us) = (from.signed()?, from.signed()?);
            let session = Session { key, id: None, start_us, last_us, events, active_us, is_away: false };
            state.closed.push((agent, session));
        }
        from.end().map(|()| state)
    }

    fn size_bytes(&self) -> usize {
        self.open.size_bytes() + self.closed.capacity() * size_of::<(i64, Session)>()
    }
}

/// Session and active time of each event, in the order of the rows.
///
/// An event's active time is known only when the next event has come, so the answer runs one row behind:
/// ```text
/// mark   [a b c] -> [a b]     mark   [d e] -> [c d]     finish   -> [e]
/// ```
/// Here the rows of an agent must be contiguous; an agent that comes back begins a new session.
///
/// ```
/// # use std::sync::Arc;
/// # use arrow::array::*;
/// # use discovery::{SessionMarker, SessionRule};
/// let agent: ArrayRef = Arc::new(Int32Array::from(vec![1, 1]));
/// let order: ArrayRef = Arc::new(Int64Array::from(vec![7, 8]));
/// let time: ArrayRef = Arc::new(Int64Array::from(vec![0, 4_000_000]));
/// let mut marker = SessionMarker::new(SessionRule::default());
/// let known = marker.mark(&[agent, order, time])?;
/// assert_eq!((known.session_key.values().as_ref(), known.active_us.values().as_ref()), (&[7][..], &[4_000_000][..]));
/// let last = marker.finish();
/// assert_eq!((last.session_key.values().as_ref(), last.active_us.values().as_ref()), (&[7][..], &[0][..]));
/// # Ok::<(), discovery::KernelError>(())
/// ```
#[derive(Debug)]
pub struct SessionMarker {
    rule: SessionRule,
    /// The session of the row held back, with its agent.
    held: Option<(i64, Session)>,
}

/// What [`SessionMarker`] says about some events: two columns of one length.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionMarks {
    /// The `event_order` of the first event of the session.
    pub session_key: Int64Array,
    /// Time to the next event of the session, at most the cap; 0 for the last one and during absence.
    pub active_us: Int64Array,
}

impl SessionMarker {
    /// A marker before its first row.
    pub fn new(rule: SessionRule) -> SessionMarker {
        SessionMarker { rule, held: None }
    }

    /// Takes the next rows (columns as [`Sessions`]); answers for the row held back and all of these but the last.
    ///
    /// Errors: [`KernelError`] names the column that does not fit.
    pub fn mark(&mut self, columns: &[ArrayRef]) -> Result<SessionMarks, KernelError> {
        let rows = Rows::read(columns)?;
        let mut session_keys = Vec::with_capacity(rows.len);
        let mut active_us = Vec::with_capacity(rows.len);
        for at in 0..rows.len {
            let (agent, row) = (rows.agents[at], rows.row(at));
            match &mut self.held {
                Some((held, session)) if *held == agent && !session.is_ended_by(row, self.rule) => {
                    session_keys.push(session.key);
                    active_us.push(session.extend(row, self.rule));
                }
                held => {
                    if let Some((_, ended)) = held.replace((agent, Session::begin(row))) {
                        session_keys.push(ended.key);
                        active_us.push(0);
                    }
                }
            }
        }
        Ok(SessionMarks { session_key: session_keys.into(), active_us: active_us.into() })
    }

    /// The answer for the last row, if there was any; the marker is as new.
    pub fn finish(&mut self) -> SessionMarks {
        let last: Vec<i64> = self.held.take().map(|(_, session)| session.key).into_iter().collect();
        let active_us = vec![0; last.len()];
        SessionMarks { session_key: last.into(), active_us: active_us.into() }
    }
}

/// The columns of one batch.
struct Rows<'a> {
    len: usize,
    agents: Cow<'a, [i64]>,
    orders: Cow<'a, [i64]>,
    times: Cow<'a, [i64]>,
    breaks: Option<BooleanArray>,
    away: Option<BooleanArray>,
    ids: Option<Integers<'a>>,
}

impl<'a> Rows<'a> {
    fn read(columns: &'a [ArrayRef]) -> Result<Rows<'a>, KernelError> {
        let len = columns::rows(columns, 3, OPERATOR, COLUMNS)?;
        let flags = |at: usize, name| columns.get(at).map_or(Ok(None), |array| columns::flags(array, name));
        let given = columns.get(5).filter(|array| array.data_type() != &DataType::Null);
        Ok(Rows {
            len,
            agents: columns::mandatory(&columns[0], "agent_key")?,
            orders: columns::mandatory(&columns[1], "event_order")?,
            times: columns::mandatory(&columns[2], "time")?,
            breaks: flags(3, "breaks")?,
            away: flags(4, "away")?,
            ids: given.map(|array| columns::integers(array, "session")).transpose()?,
        })
    }

    #[inline]
    fn row(&self, at: usize) -> Row {
        let id = self.ids.as_ref().filter(|ids| !ids.is_null(at)).map(|ids| ids.values[at]);
        Row {
            order: self.orders[at],
            time_us: self.times[at],
            is_break: columns::is_set(&self.breaks, at),
            is_away: columns::is_set(&self.away, at),
            id,
        }
    }
}
