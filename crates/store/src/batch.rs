//! Events become Arrow columns with integer keys.
//!
//! [`EventBatch`] fills builders from events one by one (readers of text formats); [`keyed`] adds the keys to columns that
//! came as columns (Lode Parquet). Both ask [`Keys`] who an agent, a user and a case are. No file is touched here.

use crate::StoreError;
use crate::columns::{self, event_schema, stored_columns};
use crate::control::keys::{KnownKeys, NewKeys};
use arrow::array::{
    Array, ArrayRef, AsArray, FixedSizeBinaryBuilder, FixedSizeListBuilder, Int16Builder, Int32Builder, Int64Builder,
    MapBuilder, MapFieldNames, RecordBatch, StringBuilder, StringDictionaryBuilder, TimestampMicrosecondBuilder,
    new_null_array,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Int32Type};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::Arc;
use uilog::Event;
use uilog::column::{Column, ColumnType};
use uilog::event::Value;
use uuid::Uuid;

/// Rows of one batch on the way to a file.
pub const BATCH_ROWS: usize = 32 * 1024;

/// Bits of `event_order` that count inside an agent.
const PLACE_BITS: u32 = 32;

/// Gives agents, users and cases their numbers while one import runs.
#[derive(Debug)]
pub struct Keys {
    known: KnownKeys,
    new: NewKeys,
    /// Agents of this import: key and events so far.
    agents: HashMap<String, Agent>,
    /// The agent of the row before; most rows have the same.
    current: Option<(String, Agent)>,
    /// The user of the row before.
    user: Option<(String, i32)>,
    /// The case of the row before.
    case: Option<(i32, String, i64)>,
    /// Whether every agent's rows came in one piece, in the order of the keys.
    contiguous: bool,
}

#[derive(Debug, Clone, Copy)]
struct Agent {
    key: i32,
    events: u32,
}

/// What a row gets in front of its own columns.
#[derive(Debug, Clone, Copy)]
pub struct RowKeys {
    agent: i32,
    user: i32,
    order: i64,
    case: Option<i64>,
}

impl RowKeys {
    /// Keys of an event that an agent sent: its `seq` is its place.
    ///
    /// Errors: more than 2³² events of one agent in one epoch.
    pub fn of_stream(agent: i32, user: i32, event: &Event) -> Result<Self, StoreError> {
        let place = u32::try_from(event.seq).map_err(|_| {
            StoreError::Invalid(format!("event {} has no place: an epoch holds 2^32 events", event.seq))
        })?;
        let case = event.case_id.as_deref().map(|id| case_key(agent, id));
        Ok(Self { agent, user, order: (i64::from(agent) << PLACE_BITS) | i64::from(place), case })
    }
}

impl Keys {
    /// Continues after the keys that the project has.
    pub fn new(known: KnownKeys) -> Self {
        Self {
            known,
            new: NewKeys::default(),
            agents: HashMap::new(),
            current: None,
            user: None,
            case: None,
            contiguous: true,
        }
    }

    /// Keys of the next row.
    ///
    /// Errors: more than 2³² events of one agent, or 2³¹ agents or users.
    pub fn row(
        &mut self,
        agent_id: &str,
        user_name: Option<&str>,
        case_id: Option<&str>,
    ) -> Result<RowKeys, StoreError> {
        let agent = self.agent(agent_id)?;
        let user = match user_name {
            Some(name) => self.user(name)?,
            None => 0,
        };
        Ok(RowKeys {
            agent: agent.key,
            user,
            order: (i64::from(agent.key) << PLACE_BITS) | i64::from(agent.events),
            case: case_id.map(|id| self.case(agent.key, id)),
        })
    }

    fn agent(&mut self, agent_id: &str) -> Result<Agent, StoreError> {
        if self.current.as_ref().is_none_or(|(id, _)| id != agent_id) {
            if let Some((id, agent)) = self.current.take() {
                self.agents.insert(id, agent);
            }
            let agent = match self.agents.get(agent_id) {
                Some(agent) => {
                    self.contiguous = false;
                    *agent
                }
                None => {
                    let key = self.known.next_agent;
                    self.known.next_agent = next(key)?;
                    self.new.agents.push((key, agent_id.to_owned()));
                    Agent { key, events: 0 }
                }
            };
            self.current = Some((agent_id.to_owned(), agent));
        }
        let Some((_, agent)) = &mut self.current else {
            return Err(StoreError::Invalid("an event without an agent".into()));
        };
        agent.events = agent
            .events
            .checked_add(1)
            .ok_or_else(|| StoreError::Invalid(format!("agent '{agent_id}' has more than 2^32 events in one log")))?;
        Ok(*agent)
    }

    fn user(&mut self, name: &str) -> Result<i32, StoreError> {
        match &self.user {
            Some((last, key)) if last == name => Ok(*key),
            _ => {
                let key = self.look_up_user(name)?;
                self.user = Some((name.to_owned(), key));
                Ok(key)
            }
        }
    }

    fn look_up_user(&mut self, name: &str) -> Result<i32, StoreError> {
        if let Some(key) = self.known.users.get(name) {
            return Ok(*key);
        }
        let key = self.known.next_user;
        self.known.next_user = next(key)?;
        self.known.users.insert(name.to_owned(), key);
        self.new.users.push((key, name.to_owned()));
        Ok(key)
    }

    fn case(&mut self, agent: i32, id: &str) -> i64 {
        match &self.case {
            Some((last_agent, last, key)) if *last_agent == agent && last == id => *key,
            _ => {
                let key = case_key(agent, id);
                self.case = Some((agent, id.to_owned(), key));
                key
            }
        }
    }

    /// Whether the rows came sorted by (`agent_key`, `event_order`).
    pub fn contiguous(&self) -> bool {
        self.contiguous
    }

    /// The keys that this import added.
    pub fn into_new(self) -> NewKeys {
        self.new
    }
}

fn next(key: i32) -> Result<i32, StoreError> {
    key.checked_add(1)
        .ok_or_else(|| StoreError::Invalid("a project holds at most 2^31 agents and as many users".into()))
}

/// The number of a case that an agent's log names: 63 bits of SHA-256 over agent and id.
///
/// It needs no table of all cases, and is the same in every import. Two of ten million cases collide with a
/// probability of 5 in a million.
fn case_key(agent: i32, id: &str) -> i64 {
    let hash = Sha256::new().chain_update(agent.to_le_bytes()).chain_update(id.as_bytes()).finalize();
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&hash[..8]);
    i64::from_le_bytes(bytes) & i64::MAX
}

/// Collects events into columns.
pub struct EventBatch {
    agent: Int32Builder,
    user: Int32Builder,
    order: Int64Builder,
    case: Int64Builder,
    columns: Vec<(usize, ColumnBuilder)>,
    rows: usize,
    /// Agent of the last row.
    last_agent: i32,
    text: String,
}

impl Default for EventBatch {
    fn default() -> Self {
        let position = |column: &Column| column.id as usize;
        Self {
            agent: Int32Builder::new(),
            user: Int32Builder::new(),
            order: Int64Builder::new(),
            case: Int64Builder::new(),
            columns: stored_columns()
                .map(|column| (position(column), ColumnBuilder::new(column.column_type)))
                .collect(),
            rows: 0,
            last_agent: 0,
            text: String::new(),
        }
    }
}

impl EventBatch {
    /// Adds one event.
    ///
    /// Errors: see [`Keys::row`].
    pub fn push(&mut self, event: &Event, keys: &mut Keys) -> Result<(), StoreError> {
        self.text.clear();
        self.text.push_str(event.agent_id.hyphenated().encode_lower(&mut Uuid::encode_buffer()));
        let row = keys.row(&self.text, event.user_name.as_deref(), event.case_id.as_deref())?;
        self.push_row(event, row);
        Ok(())
    }

    /// Adds one event whose keys are known.
    pub fn push_row(&mut self, event: &Event, row: RowKeys) {
        self.agent.append_value(row.agent);
        self.user.append_value(row.user);
        self.order.append_value(row.order);
        self.case.append_option(row.case);
        for (position, builder) in &mut self.columns {
            builder.push(event.value(*position));
        }
        self.last_agent = row.agent;
        self.rows += 1;
    }

    /// Rows collected since the last [`EventBatch::take`].
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The agent of the last row.
    pub fn last_agent(&self) -> i32 {
        self.last_agent
    }

    /// Hands out what was collected and begins anew.
    pub fn take(&mut self) -> Result<RecordBatch, StoreError> {
        let keys: [ArrayRef; 4] = [
            Arc::new(self.agent.finish()),
            Arc::new(self.user.finish()),
            Arc::new(self.order.finish()),
            Arc::new(self.case.finish()),
        ];
        let columns = self.columns.iter_mut().map(|(_, builder)| builder.finish());
        self.rows = 0;
        Ok(RecordBatch::try_new(event_schema(), keys.into_iter().chain(columns).collect())?)
    }
}

/// Adds keys to a batch that already has the UI log's columns; missing columns become null, extra ones are left out.
///
/// Errors: [`StoreError::Invalid`] names a mandatory column that is missing.
pub fn keyed(batch: &RecordBatch, keys: &mut Keys) -> Result<RecordBatch, StoreError> {
    let schema = event_schema();
    let text = |name: &str| -> Result<Option<ArrayRef>, StoreError> {
        Ok(match batch.column_by_name(name) {
            Some(column) => Some(cast(column, &columns::text_type())?),
            None => None,
        })
    };
    let agents = text("agent_id")?.ok_or_else(|| {
        StoreError::Invalid("the Parquet file has no column 'agent_id': is it one that Lode wrote?".into())
    })?;
    let (users, cases) = (text("user_name")?, text("case_id")?);
    let rows = batch.num_rows();
    let mut builder = (
        Int32Builder::with_capacity(rows),
        Int32Builder::with_capacity(rows),
        Int64Builder::with_capacity(rows),
        Int64Builder::with_capacity(rows),
    );
    for row in 0..rows {
        let agent = value(&agents, row)
            .ok_or_else(|| StoreError::Invalid(format!("row {row} of the Parquet file has no 'agent_id'")))?;
        // As with what clients send: where nobody is named, the person is the desktop.
        let user = users.as_ref().and_then(|users| value(users, row)).unwrap_or(agent);
        let key = keys.row(agent, Some(user), cases.as_ref().and_then(|cases| value(cases, row)))?;
        builder.0.append_value(key.agent);
        builder.1.append_value(key.user);
        builder.2.append_value(key.order);
        builder.3.append_option(key.case);
    }
    let mut arrays: Vec<ArrayRef> = vec![
        Arc::new(builder.0.finish()),
        Arc::new(builder.1.finish()),
        Arc::new(builder.2.finish()),
        Arc::new(builder.3.finish()),
    ];
    for field in &schema.fields()[arrays.len()..] {
        arrays.push(match batch.column_by_name(field.name()) {
            Some(column) if column.data_type() == field.data_type() => column.clone(),
            Some(column) => cast(column, field.data_type())?,
            None if field.is_nullable() => new_null_array(field.data_type(), rows),
            None => {
                return Err(StoreError::Invalid(format!(
                    "the Parquet file has no column '{}': is it one that Lode wrote?",
                    field.name()
                )));
            }
        });
    }
    Ok(RecordBatch::try_new(schema, arrays)?)
}

/// The text at `row` of a dictionary column.
fn value(column: &ArrayRef, row: usize) -> Option<&str> {
    let dictionary = column.as_dictionary::<Int32Type>();
    (!dictionary.is_null(row))
        .then(|| dictionary.values().as_string::<i32>().value(dictionary.keys().value(row) as usize))
}

enum ColumnBuilder {
    Text(Box<StringDictionaryBuilder<Int32Type>>, [u8; 36]),
    I64(Int64Builder),
    I32(Int32Builder),
    I16(Int16Builder),
    Time(TimestampMicrosecondBuilder),
    Box4(FixedSizeListBuilder<Int32Builder>),
    Fingerprint(FixedSizeBinaryBuilder),
    Map(Box<MapBuilder<StringBuilder, StringBuilder>>),
}

impl ColumnBuilder {
    fn new(column_type: ColumnType) -> Self {
        match column_type {
            ColumnType::Uuid | ColumnType::Text | ColumnType::Enum => {
                Self::Text(Box::new(StringDictionaryBuilder::new()), [0; 36])
            }
            ColumnType::U64 | ColumnType::U32 => Self::I64(Int64Builder::new()),
            ColumnType::U16 | ColumnType::I32 => Self::I32(Int32Builder::new()),
            ColumnType::U8 | ColumnType::I16 => Self::I16(Int16Builder::new()),
            ColumnType::TimestampUs => {
                Self::Time(TimestampMicrosecondBuilder::new().with_data_type(columns::time_type()))
            }
            ColumnType::Box4 => {
                let item = Field::new("item", DataType::Int32, false);
                Self::Box4(FixedSizeListBuilder::new(Int32Builder::new(), 4).with_field(item))
            }
            ColumnType::Fingerprint => Self::Fingerprint(FixedSizeBinaryBuilder::new(16)),
            ColumnType::TextMap => {
                let names = MapFieldNames { entry: "entries".into(), key: "keys".into(), value: "values".into() };
                Self::Map(Box::new(MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new())))
            }
        }
    }

    /// Appends a value; one of another kind than the column's is null, which the types of `Event` make impossible.
    fn push(&mut self, value: Value<'_>) {
        match self {
            Self::Text(builder, buffer) => match value {
                Value::Text(text) => builder.append_value(text),
                Value::Enum(text) => builder.append_value(text),
                Value::Uuid(id) => builder.append_value(id.hyphenated().encode_lower(buffer)),
                _ => builder.append_null(),
            },
            Self::I64(builder) => match value {
                Value::U64(number) => builder.append_value(i64::try_from(number).unwrap_or(i64::MAX)),
                Value::U32(number) => builder.append_value(i64::from(number)),
                _ => builder.append_null(),
            },
            Self::I32(builder) => match value {
                Value::I32(number) => builder.append_value(number),
                Value::U16(number) => builder.append_value(i32::from(number)),
                _ => builder.append_null(),
            },
            Self::I16(builder) => match value {
                Value::I16(number) => builder.append_value(number),
                Value::U8(number) => builder.append_value(i16::from(number)),
                _ => builder.append_null(),
            },
            Self::Time(builder) => match value {
                Value::TimestampUs(time_us) => builder.append_value(time_us),
                _ => builder.append_null(),
            },
            Self::Box4(builder) => {
                let known = if let Value::Box4(numbers) = value { Some(numbers) } else { None };
                builder.values().append_slice(&known.unwrap_or_default());
                builder.append(known.is_some());
            }
            Self::Fingerprint(builder) => match value {
                // The builder refuses only values of another length, and the type has 16 bytes.
                Value::Fingerprint(bytes) => builder.append_value(bytes).unwrap_or_else(|_| builder.append_null()),
                _ => builder.append_null(),
            },
            Self::Map(builder) => {
                let known = if let Value::TextMap(map) = value { Some(map) } else { None };
                for (key, text) in known.into_iter().flatten() {
                    builder.keys().append_value(key);
                    builder.values().append_value(text);
                }
                // Keys and values were appended in pairs, which is all that the builder checks.
                let _ = builder.append(known.is_some());
            }
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Text(builder, _) => Arc::new(builder.finish()),
            Self::I64(builder) => Arc::new(builder.finish()),
            Self::I32(builder) => Arc::new(builder.finish()),
            Self::I16(builder) => Arc::new(builder.finish()),
            Self::Time(builder) => Arc::new(builder.finish()),
            Self::Box4(builder) => Arc::new(builder.finish()),
            Self::Fingerprint(builder) => Arc::new(builder.finish()),
            Self::Map(builder) => Arc::new(builder.finish()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> Keys {
        Keys::new(KnownKeys { users: HashMap::from([("mia".into(), 1)]), next_agent: 7, next_user: 2 })
    }

    #[test]
    fn keys_continue_after_those_the_project_has() {
        let mut keys = keys();
        let first = keys.row("a", Some("mia"), None).unwrap();
        let second = keys.row("b", Some("noah"), None).unwrap();
        assert_eq!((first.agent, first.user, second.agent, second.user), (7, 1, 8, 2));
        assert_eq!(keys.into_new().users, [(2, "noah".to_owned())]);
    }

    #[test]
    fn the_order_of_events_grows_inside_an_agent_and_from_agent_to_agent() {
        let mut keys = keys();
        let orders: Vec<_> = ["a", "a", "b"].iter().map(|agent| keys.row(agent, None, None).unwrap().order).collect();
        assert!(orders.is_sorted());
        assert_eq!(orders[1] - orders[0], 1);
        assert!(keys.contiguous());
    }

    #[test]
    fn an_agent_that_comes_back_is_noticed() {
        let mut keys = keys();
        for agent in ["a", "b", "a"] {
            keys.row(agent, None, None).unwrap();
        }
        assert!(!keys.contiguous());
    }

    #[test]
    fn a_case_is_one_number_per_agent() {
        let mut keys = keys();
        let one = keys.row("a", None, Some("4711")).unwrap().case;
        let other = keys.row("a", None, Some("4712")).unwrap().case;
        let again = keys.row("a", None, Some("4711")).unwrap().case;
        let elsewhere = keys.row("b", None, Some("4711")).unwrap().case;
        assert_eq!(one, again);
        assert_ne!(one, other);
        assert_ne!(one, elsewhere);
    }

    #[test]
    fn columns_of_a_batch_can_be_keyed_again() {
        let mut batch = EventBatch::default();
        let mut first = keys();
        let event = Event {
            user_name: Some("mia".into()),
            attributes: [("a".to_owned(), "b".to_owned())].into(),
            element_box: Some([1, 2, 3, 4]),
            ..Event::default()
        };
        batch.push(&event, &mut first).unwrap();
        batch.push(&Event { user_name: Some("noah".into()), ..Event::default() }, &mut first).unwrap();
        let once = batch.take().unwrap();
        assert_eq!(keyed(&once, &mut keys()).unwrap(), once);
    }

    #[test]
    fn d6_where_nobody_is_named_the_person_is_the_desktop() {
        let mut batch = EventBatch::default();
        for desktop in [1, 2, 1] {
            let event = Event { agent_id: uuid::Uuid::from_u128(desktop), ..Event::default() };
            batch.push(&event, &mut keys()).unwrap();
        }
        let keyed = keyed(&batch.take().unwrap(), &mut keys()).unwrap();
        let people = keyed.column(1).as_primitive::<arrow::datatypes::Int32Type>();
        assert_eq!(people.values()[..], [2, 3, 2]);
    }
}
