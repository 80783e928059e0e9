//! The operators that look at all events at once: they find tasks, apply what people say of them, and tell what a robot
//! could do.
//!
//! ```text
//! events ─▶ tasks_agg ─▶ task and step of each event ─┬▶ task_types_agg        type of each task, after corrections
//!                                                     ├▶ task_corrections_agg  which type each correction holds for
//!                                                     ├▶ routine_agg           steps of each type, and their rules
//!                                                     └▶ patterns_agg          what recurs in each type whatever comes between
//! ```
//! Unlike the folds of [`crate::operators`] these keep every row until the end, as columns with dictionaries; the engine
//! counts their bytes. Rows are put in the order of events before anything is looked at, so that the answer does not
//! depend on how the engine dealt them out.

use crate::tasks::Correction;
use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int32Array, Int64Array, Int64Builder, ListBuilder,
    RecordBatch, StringArray, StringBuilder, StructArray, new_empty_array,
};
use arrow::compute::{cast, concat, sort_to_indices, take};
use arrow::datatypes::{DataType, Field as Column, Fields, Int32Type, Int64Type, Schema};
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use discovery::corrections::{Corrected, FoundInstance, Standing, correct, likeness};
use discovery::patterns::{SHARE_MIN, TOLD_MAX, closed_patterns};
use discovery::replay::{Differences, Replay, replay};
use discovery::routines::{RoutineStep, Target, Verdict, routines};
use discovery::score::Label;
use discovery::{Discovery, Field, Settings, UiLog, discover, type_names};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use store::operator::{Fold, Operator};

/// Events that one of these operators takes: about two gigabytes of columns.
const EVENTS_MAX: usize = 30_000_000;

type Finish = fn(&[ArrayRef]) -> Result<Vec<ArrayRef>, String>;

/// The operators.
pub fn all() -> Vec<Operator> {
    vec![
        Operator {
            name: "tasks_agg",
            signature: "tasks_agg(event_order, agent_key, time, application, event_type, screen, area, role, element, label, address, row, column, value, value_fingerprint, activity)",
            description: "Finds tasks. One row per event that belongs to one: event_order, task_key, found_type, found_name, step, step_key.",
            arguments: &[16],
            returns: |_| tasks_fields(),
            start: |_| whole(tasks_fields(), tasks),
        },
        Operator {
            name: "task_types_agg",
            signature: "task_types_agg(event_order, task_key, found_type, found_name, step_key, corrections)",
            description: "Types of tasks after corrections, one row per task: task_key, task_type, name, standing, confidence.",
            arguments: &[6],
            returns: |_| types_fields(),
            start: |_| whole(types_fields(), types),
        },
        Operator {
            name: "task_corrections_agg",
            signature: "task_corrections_agg(event_order, task_key, found_type, found_name, step_key, corrections)",
            description: "Which type each correction holds for: correction, task_type (null if it is no longer found), likeness.",
            arguments: &[6],
            returns: |_| holds_fields(),
            start: |_| whole(holds_fields(), holds),
        },
        Operator {
            name: "routine_agg",
            signature: "routine_agg(event_order, user_key, task_key, task_type, step, event_type, element, label, address, value, value_fingerprint, people_min)",
            description: "Steps of each task type: how often, what follows, whether a robot could do them, and where its script would have differed. Tables of values have the lines of people_min people or more.",
            arguments: &[12],
            returns: |_| routine_fields(),
            start: |_| whole(routine_fields(), routine),
        },
        Operator {
            name: "patterns_agg",
            signature: "patterns_agg(event_order, user_key, task_key, task_type, step)",
            description: "What recurs in at least half of the instances of each task type, whatever comes between: steps in their order, of which each pattern says something new.",
            arguments: &[5],
            returns: |_| patterns_fields(),
            start: |_| whole(patterns_fields(), patterns),
        },
    ]
}

/// A fold that keeps all rows.
#[derive(Debug)]
struct Whole {
    /// Batches as they came: their arguments.
    batches: Vec<Vec<ArrayRef>>,
    rows: usize,
    fields: Fields,
    finish: Finish,
}

fn whole(fields: Fields, finish: Finish) -> Box<dyn Fold> {
    Box::new(Whole { batches: Vec::new(), rows: 0, fields, finish })
}

impl Whole {
    fn push(&mut self, columns: Vec<ArrayRef>) -> Result<(), String> {
        self.rows += columns.first().map_or(0, |column| column.len());
        if self.rows > EVENTS_MAX {
            return Err(format!("more than {EVENTS_MAX} events; let the job choose fewer, such as the last months"));
        }
        self.batches.push(columns);
        Ok(())
    }

    /// All rows, one array per argument.
    fn columns(&mut self) -> Result<Vec<ArrayRef>, String> {
        let batches = std::mem::take(&mut self.batches);
        let count = batches.first().map_or(0, Vec::len);
        let column = |at: usize| {
            let parts: Vec<&dyn Array> = batches.iter().map(|batch| batch[at].as_ref()).collect();
            concat(&parts).map_err(|error| error.to_string())
        };
        (0..count).map(column).collect()
    }
}

impl Fold for Whole {
    fn update(&mut self, columns: &[ArrayRef]) -> Result<(), String> {
        self.push(columns.to_vec())
    }

    fn state(&mut self) -> Result<Vec<u8>, String> {
        let columns = self.columns()?;
        self.rows = 0;
        if columns.is_empty() {
            return Ok(Vec::new());
        }
        let fields: Vec<Column> = (0..)
            .zip(&columns)
            .map(|(at, column)| Column::new(format!("argument{at}"), column.data_type().clone(), true))
            .collect();
        let schema = Arc::new(Schema::new(fields));
        let write = || {
            let mut writer = StreamWriter::try_new(Vec::new(), &schema)?;
            writer.write(&RecordBatch::try_new(schema.clone(), columns)?)?;
            writer.into_inner()
        };
        write().map_err(|error: arrow::error::ArrowError| error.to_string())
    }

    fn merge(&mut self, state: &[u8]) -> Result<(), String> {
        if state.is_empty() {
            return Ok(());
        }
        let reader = StreamReader::try_new(state, None).map_err(|error| error.to_string())?;
        for batch in reader {
            self.push(batch.map_err(|error| error.to_string())?.columns().to_vec())?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<StructArray, String> {
        let columns = self.columns()?;
        let arrays = if self.rows == 0 {
            self.fields.iter().map(|field| new_empty_array(field.data_type())).collect()
        } else {
            (self.finish)(&in_order(&columns)?)?
        };
        StructArray::try_new(self.fields.clone(), arrays, None).map_err(|error| error.to_string())
    }

    fn size_bytes(&self) -> usize {
        self.batches.iter().flatten().map(|column| column.get_array_memory_size()).sum()
    }
}

/// Rows in the order of their first column.
fn in_order(columns: &[ArrayRef]) -> Result<Vec<ArrayRef>, String> {
    let order = integers(&columns[0])?;
    if order.values().is_sorted() {
        return Ok(columns.to_vec());
    }
    let indices = sort_to_indices(&order, None, None).map_err(|error| error.to_string())?;
    columns.iter().map(|column| take(column, &indices, None).map_err(|error| error.to_string())).collect()
}

fn integers(column: &ArrayRef) -> Result<Int64Array, String> {
    let cast = cast(column, &DataType::Int64).map_err(|error| error.to_string())?;
    Ok(cast.as_primitive::<Int64Type>().clone())
}

/// A text column as codes and distinct texts, whatever it came as.
struct Texts {
    codes: Int32Array,
    values: StringArray,
}

impl Texts {
    fn of(column: &ArrayRef) -> Result<Self, String> {
        let kind = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
        let column = cast(column, &kind).map_err(|error| error.to_string())?;
        let dictionary = column.as_dictionary::<Int32Type>();
        Ok(Self { codes: dictionary.keys().clone(), values: dictionary.values().as_string::<i32>().clone() })
    }

    /// The text of a row, or the empty one.
    fn text(&self, row: usize) -> &str {
        if self.codes.is_null(row) { "" } else { self.values.value(self.codes.value(row) as usize) }
    }
}

/// Texts, and where they are absent the fingerprints, as the values of a log.
fn values(texts: &ArrayRef, fingerprints: &ArrayRef) -> Result<ArrayRef, String> {
    let texts = Texts::of(texts)?;
    let fingerprints = fingerprints.as_fixed_size_binary_opt();
    let value = |row: usize| {
        let text = texts.text(row);
        if !text.is_empty() {
            return Some(text.to_owned());
        }
        let bytes = fingerprints.filter(|known| known.is_valid(row))?.value(row);
        Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
    };
    Ok(Arc::new((0..texts.codes.len()).map(value).collect::<StringArray>()))
}

fn text_column() -> DataType {
    DataType::Utf8
}

fn tasks_fields() -> Fields {
    Fields::from(vec![
        Column::new("event_order", DataType::Int64, false),
        Column::new("task_key", DataType::Int64, false),
        Column::new("found_type", DataType::Int32, false),
        Column::new("found_name", text_column(), false),
        Column::new("step", text_column(), false),
        Column::new("step_key", text_column(), false),
    ])
}

/// Columns of a log, by their place among the arguments of `tasks_agg`.
const LOG_FIELDS: [(usize, Field); 10] = [
    (3, Field::Application),
    (4, Field::EventType),
    (5, Field::Screen),
    (6, Field::Area),
    (7, Field::Role),
    (8, Field::Element),
    (9, Field::Label),
    (10, Field::Address),
    (11, Field::Row),
    (12, Field::Column),
];

fn tasks(columns: &[ArrayRef]) -> Result<Vec<ArrayRef>, String> {
    let order = integers(&columns[0])?;
    let agents = cast(&columns[1], &text_column()).map_err(|error| error.to_string())?;
    let mut fields: Vec<(Field, ArrayRef)> =
        LOG_FIELDS.iter().map(|(at, field)| (*field, columns[*at].clone())).collect();
    fields.push((Field::Value, values(&columns[13], &columns[14])?));
    let log = UiLog::from_arrow(&agents, &columns[2], &fields).map_err(|error| error.to_string())?;
    drop(fields);
    let found = discover(&log, &Settings::default());
    let type_names = type_names(&log, &found);
    let (names, keys) = (step_names(&found, &Texts::of(&columns[15])?), step_keys(&log, &found));
    let mut first = HashMap::new();
    let rows: Vec<(usize, Label)> = (0..log.rows()).filter_map(|row| Some((row, found.label(row)?))).collect();
    for (row, label) in &rows {
        first.entry(label.instance).or_insert_with(|| order.value(*row));
    }
    let step = |names: &Vec<String>| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.iter().map(|(row, _)| &names[found.activity(*row) as usize])))
    };
    Ok(vec![
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|(row, _)| order.value(*row)))),
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|(_, label)| first[&label.instance]))),
        Arc::new(Int32Array::from_iter_values(rows.iter().map(|(_, label)| label.task_type as i32))),
        Arc::new(StringArray::from_iter_values(rows.iter().map(|(_, label)| &type_names[label.task_type as usize]))),
        step(&names),
        step(&keys),
    ])
}

/// What each step is called: the activity that most of its events have; where two steps share it, with a number.
fn step_names(found: &Discovery, activities: &Texts) -> Vec<String> {
    let mut counts: Vec<BTreeMap<i32, usize>> = vec![BTreeMap::new(); found.activities()];
    for row in (0..activities.codes.len()).filter(|row| activities.codes.is_valid(*row) && found.label(*row).is_some())
    {
        *counts[found.activity(row) as usize].entry(activities.codes.value(row)).or_insert(0) += 1;
    }
    let mut taken = HashMap::<String, usize>::new();
    let name = |counts: &BTreeMap<i32, usize>| {
        let usual = counts.iter().rev().max_by_key(|(_, count)| **count);
        let name = usual.map_or("", |(code, _)| activities.values.value(*code as usize));
        if counts.is_empty() {
            return String::new();
        }
        let seen = taken.entry(name.to_owned()).or_insert(0);
        *seen += 1;
        if *seen == 1 { name.to_owned() } else { format!("{name} ({seen})") }
    };
    counts.iter().map(name).collect()
}

/// What each step is by the log's own words, whatever names people give: with `#` for numbers, so that the record on which
/// it was seen first does not matter.
fn step_keys(log: &UiLog, found: &Discovery) -> Vec<String> {
    const WORDS: [Field; 5] = [Field::EventType, Field::Label, Field::Element, Field::Area, Field::Application];
    let key = |activity: u32| {
        let row = found.example(activity);
        let words: Vec<&str> =
            WORDS.iter().map(|field| log.text(row, *field)).filter(|word| !word.is_empty()).collect();
        let mut key = String::new();
        for letter in words.join(" | ").chars() {
            match letter {
                '0'..='9' if key.ends_with('#') => {}
                '0'..='9' => key.push('#'),
                letter => key.push(letter),
            }
        }
        key
    };
    (0..found.activities() as u32).map(key).collect()
}

fn types_fields() -> Fields {
    Fields::from(vec![
        Column::new("task_key", DataType::Int64, false),
        Column::new("task_type", text_column(), false),
        Column::new("name", text_column(), false),
        Column::new("standing", text_column(), false),
        Column::new("confidence", DataType::Float64, false),
    ])
}

/// Tasks with their steps, and the corrections with what became of them.
struct Judged {
    keys: Vec<i64>,
    instances: Vec<FoundInstance>,
    corrections: Vec<Correction>,
    corrected: Corrected,
}

fn judged(columns: &[ArrayRef]) -> Result<Judged, String> {
    let (tasks, types) = (integers(&columns[1])?, integers(&columns[2])?);
    let (names, steps, said) = (Texts::of(&columns[3])?, Texts::of(&columns[4])?, Texts::of(&columns[5])?);
    let corrections = Correction::read_all(said.text(0))?;
    let mut places = HashMap::new();
    let (mut keys, mut instances, mut type_names) = (Vec::new(), Vec::<FoundInstance>::new(), Vec::<String>::new());
    for row in 0..tasks.len() {
        let task_type = types.value(row) as usize;
        if type_names.len() <= task_type {
            type_names.resize(task_type + 1, String::new());
        }
        if type_names[task_type].is_empty() {
            type_names[task_type] = names.text(row).to_owned();
        }
        let at = *places.entry(tasks.value(row)).or_insert_with(|| {
            keys.push(tasks.value(row));
            instances.push(FoundInstance { task_type: task_type as u32, steps: BTreeSet::new() });
            instances.len() - 1
        });
        if !instances[at].steps.contains(steps.text(row)) {
            instances[at].steps.insert(steps.text(row).to_owned());
        }
    }
    let said: Vec<_> = corrections.iter().map(Correction::of_discovery).collect();
    let corrected = correct(&instances, &type_names, &said);
    Ok(Judged { keys, instances, corrections, corrected })
}

fn types(columns: &[ArrayRef]) -> Result<Vec<ArrayRef>, String> {
    let Judged { keys, instances, corrected, .. } = judged(columns)?;
    let of = |at: usize| &corrected.types[corrected.of_instances[at]];
    let confidence = (0..instances.len()).map(|at| {
        let steps: Vec<String> = instances[at].steps.iter().cloned().collect();
        likeness(&steps, &of(at).profile)
    });
    let standing = |at: usize| match of(at).standing {
        Standing::Found => "found",
        Standing::Confirmed => "confirmed",
        Standing::Rejected => "rejected",
    };
    let all = 0..keys.len();
    Ok(vec![
        Arc::new(Int64Array::from(keys)),
        Arc::new(StringArray::from_iter_values(all.clone().map(|at| &of(at).id))),
        Arc::new(StringArray::from_iter_values(all.clone().map(|at| &of(at).name))),
        Arc::new(StringArray::from_iter_values(all.map(standing))),
        Arc::new(Float64Array::from_iter_values(confidence)),
    ])
}

fn holds_fields() -> Fields {
    Fields::from(vec![
        Column::new("correction", text_column(), false),
        Column::new("task_type", text_column(), true),
        Column::new("likeness", DataType::Float64, false),
    ])
}

fn holds(columns: &[ArrayRef]) -> Result<Vec<ArrayRef>, String> {
    let Judged { corrections, corrected, .. } = judged(columns)?;
    let task_type = corrected.holds.iter().map(|hold| hold.task_type.map(|at| corrected.types[at].id.as_str()));
    Ok(vec![
        Arc::new(StringArray::from_iter_values(corrections.iter().map(|correction| &correction.id))),
        Arc::new(task_type.collect::<StringArray>()),
        Arc::new(Float64Array::from_iter_values(corrected.holds.iter().map(|hold| hold.likeness))),
    ])
}

fn list_of(kind: DataType) -> DataType {
    DataType::List(Arc::new(Column::new("item", kind, true)))
}

fn routine_fields() -> Fields {
    Fields::from(vec![
        Column::new("task_type", text_column(), false),
        Column::new("step", text_column(), false),
        Column::new("instances", DataType::Int64, false),
        Column::new("events", DataType::Int64, false),
        Column::new("users", DataType::Int64, false),
        Column::new("position", DataType::Float64, false),
        Column::new("next_step", text_column(), true),
        Column::new("next_share", DataType::Float64, false),
        Column::new("target", text_column(), false),
        Column::new("target_by", DataType::Int64, true),
        Column::new("event_type", text_column(), true),
        Column::new("element", text_column(), true),
        Column::new("label", text_column(), true),
        Column::new("address", text_column(), true),
        Column::new("reads", list_of(text_column()), true),
        Column::new("rule", text_column(), true),
        Column::new("script", text_column(), true),
        Column::new("hit_rate", DataType::Float64, true),
        Column::new("held_back", DataType::Int64, true),
        Column::new("verdict", text_column(), false),
        Column::new("automatable", DataType::Boolean, false),
        Column::new("script_ranks", list_of(DataType::Int64), true),
        Column::new("replayed", DataType::Int64, true),
        Column::new("replayed_in_order", DataType::Int64, true),
        Column::new("replayed_exactly", DataType::Int64, true),
        Column::new("replay_same", DataType::Int64, true),
        Column::new("replay_missing", DataType::Int64, true),
        Column::new("replay_added", DataType::Int64, true),
        Column::new("replay_other_order", DataType::Int64, true),
        Column::new("replay_other_value", DataType::Int64, true),
        Column::new("replay_unknown_value", DataType::Int64, true),
    ])
}

fn routine(columns: &[ArrayRef]) -> Result<Vec<ArrayRef>, String> {
    let users = cast(&columns[1], &text_column()).map_err(|error| error.to_string())?;
    let fields = [
        (Field::EventType, columns[5].clone()),
        (Field::Element, columns[6].clone()),
        (Field::Label, columns[7].clone()),
        (Field::Address, columns[8].clone()),
        (Field::Value, values(&columns[9], &columns[10])?),
    ];
    let log = UiLog::from_arrow(&users, &columns[0], &fields).map_err(|error| error.to_string())?;
    let (tasks, types, steps) = (integers(&columns[2])?, Texts::of(&columns[3])?, Texts::of(&columns[4])?);
    let (mut instances, mut type_numbers, mut step_numbers) =
        (Numbers::default(), Numbers::default(), Numbers::default());
    let labels: Vec<Option<Label>> = (0..log.rows())
        .map(|row| {
            let (instance, task_type) = (instances.of(tasks.value(row)), type_numbers.of(types.text(row)));
            Some(Label { instance, task_type })
        })
        .collect();
    let activities: Vec<u32> = (0..log.rows()).map(|row| step_numbers.of(steps.text(row))).collect();
    let known = Discovery::known(&labels, activities);
    let mut found = routines(&log, &known);
    // A line of a table may say whose it is: the script has those of enough people, and what it has is what is replayed.
    let people_min = usize::try_from(integers(&columns[11])?.value(0)).unwrap_or(usize::MAX);
    for transfer in found.iter_mut().filter_map(|step| step.transfer.as_mut()) {
        transfer.program = transfer.program.clone().of_people(people_min);
    }
    let replays = replay(&log, &known, &found);
    let name = |activity: u32| step_numbers.known[activity as usize].to_owned();
    let mut columns = routine_columns(&log, &found, &type_numbers.known, &name);
    columns.extend(replay_columns(&found, &replays));
    Ok(columns)
}

fn patterns_fields() -> Fields {
    Fields::from(vec![
        Column::new("task_type", text_column(), false),
        Column::new("rank", DataType::Int64, false),
        Column::new("steps", list_of(text_column()), false),
        Column::new("instances", DataType::Int64, false),
        Column::new("looked_at", DataType::Int64, false),
        Column::new("users", DataType::Int64, false),
        Column::new("cohesion", DataType::Float64, false),
    ])
}

/// The instances of one task type: who did each, and its steps in order.
#[derive(Default)]
struct Instances {
    places: HashMap<i64, usize>,
    people: Vec<i64>,
    steps: Vec<Vec<u32>>,
}

fn patterns(columns: &[ArrayRef]) -> Result<Vec<ArrayRef>, String> {
    let (people, tasks) = (integers(&columns[1])?, integers(&columns[2])?);
    let (types, steps) = (Texts::of(&columns[3])?, Texts::of(&columns[4])?);
    let mut by_type = BTreeMap::<&str, Instances>::new();
    let mut numbers = Numbers::default();
    for row in 0..tasks.len() {
        let Instances { places, people: known, steps: of_instances } = by_type.entry(types.text(row)).or_default();
        let at = *places.entry(tasks.value(row)).or_insert_with(|| {
            known.push(people.value(row));
            of_instances.push(Vec::new());
            known.len() - 1
        });
        of_instances[at].push(numbers.of(steps.text(row)));
    }
    let mut names = ListBuilder::new(StringBuilder::new());
    let (mut of_types, mut counts, mut cohesion) = (Vec::new(), [const { Vec::new() }; 4], Vec::new());
    for (task_type, Instances { people, steps, .. }) in &by_type {
        let found = closed_patterns(steps, SHARE_MIN);
        for (rank, pattern) in (1..).zip(found.told(TOLD_MAX)) {
            of_types.push(*task_type);
            pattern.activities.iter().for_each(|step| names.values().append_value(numbers.known[*step as usize]));
            names.append(true);
            let users: BTreeSet<i64> = pattern.holders.iter().map(|at| people[*at]).collect();
            for (column, count) in counts.iter_mut().zip([rank, pattern.holders.len(), found.instances, users.len()]) {
                column.push(count as i64);
            }
            cohesion.push(pattern.cohesion);
        }
    }
    let [ranks, instances, looked_at, users] = counts.map(|column| Arc::new(Int64Array::from(column)) as ArrayRef);
    let of_types = Arc::new(StringArray::from(of_types));
    Ok(vec![
        of_types,
        ranks,
        Arc::new(names.finish()),
        instances,
        looked_at,
        users,
        Arc::new(Float64Array::from(cohesion)),
    ])
}

/// For each step its places in the script, how the script fared, and how the step differed.
fn replay_columns(steps: &[RoutineStep], replays: &[Replay]) -> Vec<ArrayRef> {
    let of_type = |step: &RoutineStep| replays.iter().find(|replay| replay.task_type == step.task_type);
    let counts = |of: &dyn Fn(&Replay, &RoutineStep) -> Option<usize>| -> ArrayRef {
        let count = |step: &RoutineStep| of(of_type(step)?, step).map(|count| count as i64);
        Arc::new(steps.iter().map(count).collect::<Int64Array>())
    };
    let differed = |of: fn(&Differences) -> usize| counts(&|replay, step| replay.steps.get(&step.activity).map(of));
    let mut ranks = ListBuilder::new(Int64Builder::new());
    for step in steps {
        let way = of_type(step).map(|replay| replay.way.as_slice()).unwrap_or_default();
        for (rank, _) in (1..).zip(way).filter(|(_, activity)| **activity == step.activity) {
            ranks.values().append_value(rank);
        }
        ranks.append(true);
    }
    vec![
        Arc::new(ranks.finish()),
        counts(&|replay, _| Some(replay.instances)),
        counts(&|replay, _| Some(replay.in_order)),
        counts(&|replay, _| Some(replay.exact)),
        differed(|found| found.same),
        differed(|found| found.missing),
        differed(|found| found.added),
        differed(|found| found.other_order),
        differed(|found| found.other_value),
        differed(|found| found.unknown_value),
    ]
}

/// Numbers things in the order in which they are first seen.
struct Numbers<T> {
    numbers: HashMap<T, u32>,
    known: Vec<T>,
}

impl<T> Default for Numbers<T> {
    fn default() -> Self {
        Self { numbers: HashMap::new(), known: Vec::new() }
    }
}

impl<T: Copy + Eq + std::hash::Hash> Numbers<T> {
    fn of(&mut self, thing: T) -> u32 {
        *self.numbers.entry(thing).or_insert_with(|| {
            self.known.push(thing);
            self.known.len() as u32 - 1
        })
    }
}

fn routine_columns(log: &UiLog, steps: &[RoutineStep], types: &[&str], name: &dyn Fn(u32) -> String) -> Vec<ArrayRef> {
    let texts = |of: &dyn Fn(&RoutineStep) -> Option<String>| -> ArrayRef {
        Arc::new(steps.iter().map(of).collect::<StringArray>())
    };
    let counts =
        |of: fn(&RoutineStep) -> Option<i64>| -> ArrayRef { Arc::new(steps.iter().map(of).collect::<Int64Array>()) };
    let shares =
        |of: fn(&RoutineStep) -> Option<f64>| -> ArrayRef { Arc::new(steps.iter().map(of).collect::<Float64Array>()) };
    // What differs from instance to instance may say whose it is; only what is the same, and numbers of cells, are shown.
    let example = |field: Field, is_shown: fn(Target) -> bool| {
        texts(&move |step: &RoutineStep| {
            let text = log.text(step.example, field);
            (is_shown(step.target) && !text.is_empty()).then(|| text.to_owned())
        })
    };
    let transfer = |step: &RoutineStep, told: &dyn Fn(&discovery::dataflow::Program) -> String| {
        step.transfer.as_ref().map(|transfer| told(&transfer.program))
    };
    let mut reads = ListBuilder::new(StringBuilder::new());
    for step in steps {
        let sources = step.transfer.iter().flat_map(|transfer| transfer.program.sources());
        sources.for_each(|source| reads.values().append_value(name(source)));
        reads.append(true);
    }
    let value = |step: u32| format!("values[{:?}]", name(step));
    vec![
        texts(&|step| Some(types[step.task_type as usize].to_owned())),
        texts(&|step| Some(name(step.activity))),
        counts(|step| Some(step.instances as i64)),
        counts(|step| Some(step.events as i64)),
        counts(|step| Some(step.users as i64)),
        shares(|step| Some(step.position)),
        texts(&|step| step.next.map(name)),
        shares(|step| Some(step.next_share)),
        texts(&|step| {
            let word = match step.target {
                Target::Same => "same",
                Target::Progression(_) => "progression",
                Target::Varies => "varies",
            };
            Some(word.to_owned())
        }),
        counts(|step| match step.target {
            Target::Progression(by) => Some(by),
            _ => None,
        }),
        example(Field::EventType, |_| true),
        example(Field::Element, |target| target != Target::Varies),
        example(Field::Label, |target| target == Target::Same),
        example(Field::Address, |_| true),
        Arc::new(reads.finish()),
        texts(&|step| transfer(step, &|program| program.told(name))),
        texts(&|step| transfer(step, &|program| program.script(&value))),
        shares(|step| step.transfer.as_ref().map(|transfer| transfer.hit_rate)),
        counts(|step| step.transfer.as_ref().map(|transfer| transfer.held_back as i64)),
        texts(&|step| {
            let word = match step.verdict {
                Verdict::Known => "known",
                Verdict::Explained => "explained",
                Verdict::ValueUnknown => "value_unknown",
                Verdict::TargetUnknown => "target_unknown",
            };
            Some(word.to_owned())
        }),
        Arc::new(BooleanArray::from_iter(steps.iter().map(|step| Some(step.verdict.is_automatable())))),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::FixedSizeBinaryArray;

    /// Ten orders of each of two people, as arguments of `tasks_agg`: row by row `word element value`.
    fn arguments() -> Vec<ArrayRef> {
        let (mut order, mut agents, mut words, mut elements, mut values) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for agent in 1..=2_i64 {
            for (place, record) in (0..).zip(0..10) {
                let steps =
                    [("copy", format!("A{record}"), "v"), ("paste", "name".into(), "v"), ("click", "save".into(), "")];
                for (step, (word, element, value)) in (0..).zip(steps) {
                    order.push(agent << 32 | (place * 3 + step));
                    agents.push(agent as i32);
                    words.push(word);
                    elements.push(element);
                    values.push((!value.is_empty()).then(|| format!("{value}{record}")));
                }
            }
        }
        let absent = || -> ArrayRef { Arc::new(StringArray::new_null(order.len())) };
        let words: ArrayRef = Arc::new(StringArray::from(words));
        let mut columns: Vec<ArrayRef> = (0..16).map(|_| absent()).collect();
        columns[0] = Arc::new(Int64Array::from(order.clone()));
        columns[1] = Arc::new(Int32Array::from(agents));
        columns[2] = Arc::new(Int64Array::from(order.clone()));
        columns[4] = words.clone();
        columns[8] = Arc::new(StringArray::from_iter_values(elements));
        columns[13] = Arc::new(values.into_iter().collect::<StringArray>());
        let none = std::iter::repeat_n(None::<[u8; 16]>, order.len());
        columns[14] = Arc::new(FixedSizeBinaryArray::try_from_sparse_iter_with_size(none, 16).unwrap());
        columns[15] = words;
        columns
    }

    fn slice(columns: &[ArrayRef], from: usize, rows: usize) -> Vec<ArrayRef> {
        columns.iter().map(|column| column.slice(from, rows)).collect()
    }

    #[test]
    fn the_answer_does_not_depend_on_how_rows_are_dealt_out() {
        let columns = arguments();
        let mut whole = super::whole(tasks_fields(), tasks);
        whole.update(&columns).unwrap();
        let expected = whole.finish().unwrap();
        let keys = expected.column(1).as_primitive::<Int64Type>();
        assert_eq!((expected.len(), keys.values().iter().collect::<BTreeSet<_>>().len()), (60, 20));

        let (mut first, mut second) = (super::whole(tasks_fields(), tasks), super::whole(tasks_fields(), tasks));
        second.update(&slice(&columns, 0, 17)).unwrap();
        first.update(&slice(&columns, 40, 20)).unwrap();
        first.update(&slice(&columns, 17, 23)).unwrap();
        let mut merged = super::whole(tasks_fields(), tasks);
        merged.merge(&first.state().unwrap()).unwrap();
        merged.merge(&second.state().unwrap()).unwrap();
        assert_eq!(merged.finish().unwrap(), expected);
    }

    #[test]
    fn a_pattern_has_the_people_in_whose_instances_it_is() {
        // Three instances of each of two people; what the second one does between is in half of them.
        let (mut people, mut tasks, mut steps) = (Vec::new(), Vec::new(), Vec::new());
        for (task, person) in (0..).zip([1_i64, 1, 1, 2, 2, 2]) {
            for step in if person == 1 { ["open", "type", "save"] } else { ["open", "look", "save"] } {
                people.push(person);
                tasks.push(task);
                steps.push(step);
            }
        }
        let rows = people.len() as i64;
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from_iter_values(0..rows)),
            Arc::new(Int64Array::from(people)),
            Arc::new(Int64Array::from_iter_values(tasks)),
            Arc::new(StringArray::from(vec!["orders"; rows as usize])),
            Arc::new(StringArray::from(steps)),
        ];
        let mut fold = super::whole(patterns_fields(), patterns);
        fold.update(&columns).unwrap();
        let found = fold.finish().unwrap();
        let steps = found.column(2).as_list::<i32>();
        let told: Vec<(String, Vec<i64>)> = (0..found.len())
            .map(|row| {
                let names = steps.value(row).as_string::<i32>().iter().flatten().collect::<Vec<_>>().join(" ");
                (names, [3, 4, 5].map(|at| found.column(at).as_primitive::<Int64Type>().value(row)).to_vec())
            })
            .collect();
        let expected =
            [("open type save", vec![3, 6, 1]), ("open look save", vec![3, 6, 1]), ("open save", vec![6, 6, 2])];
        assert_eq!(told, expected.map(|(names, counts)| (names.to_owned(), counts)));
    }

    #[test]
    fn no_rows_give_no_rows() {
        for operator in all() {
            let mut fold = (operator.start)(&[]);
            assert!(fold.state().unwrap().is_empty());
            fold.merge(&[]).unwrap();
            let answer = fold.finish().unwrap();
            assert_eq!((answer.len(), answer.fields()), (0, &(operator.returns)(&[])), "{}", operator.name);
        }
    }

    #[test]
    fn steps_are_told_in_the_logs_own_words_whatever_record_was_seen_first() {
        let mut fold = super::whole(tasks_fields(), tasks);
        fold.update(&arguments()).unwrap();
        let answer = fold.finish().unwrap();
        let of = |column: usize| answer.column(column).as_string::<i32>().iter().flatten().collect::<BTreeSet<_>>();
        assert_eq!(of(5), ["click | save", "copy | A#", "paste | name"].into());
        assert_eq!(of(4), ["click", "copy", "paste"].into());
    }
}
