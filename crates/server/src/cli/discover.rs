//! `lode discover`: the tasks in one recorded log, without a project: which rows belong together, and what recurs.
//!
//! The segments name every row of the input, in its order, so that they can be laid beside it: a row of a CSV is a row here,
//! whether it could be read or not. What is found and how is told by the crate `discovery`; here files become a log and the
//! findings become a table, a report, a page.

use super::ExitKind;
use crate::import::{self, Options, Reader, Rows, Written};
use crate::importing;
use crate::task_document::{MODEL_NOISE, safe};
use anyhow::{Context, Result, anyhow, bail};
use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::compute::concat_batches;
use clap::Args;
use discovery::models::{Trace, bpmn, fitness, mine};
use discovery::patterns::{Pattern, SHARE_MIN, TOLD_MAX, closed_patterns};
use discovery::replay::{Replay, replay};
use discovery::routines::routines;
use discovery::{Discovery, Field, LogRow, Settings, UiLog, UiLogBuilder, dataflow, discover, type_names};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use uilog::Event;
use uuid::Uuid;

/// What an importer keeps of the source's own words.
const SOURCE_EVENT: &str = "source_event";

#[derive(Debug, Args)]
pub struct Discover {
    /// The log: Action Logger CSV, SmartRPA CSV, ActivityWatch JSON, XES, Lode Parquet, plain or mapped CSV; .gz and .zst too
    file: PathBuf,
    /// For a CSV of no known form: which of its columns is which field, such as --map time=Timestamp
    #[arg(long, value_name = "COLUMN=NAME")]
    map: Vec<String>,
    /// Write row, instance and task type of every row of the input; an empty instance belongs to no task
    #[arg(long, value_name = "OUT.csv")]
    segments: Option<PathBuf>,
    /// Write what was found as JSON
    #[arg(long, value_name = "OUT.json")]
    report: Option<PathBuf>,
    /// Write what was found as a page to read
    #[arg(long, value_name = "OUT.html")]
    html: Option<PathBuf>,
    /// Write the process of each task type into this folder, as BPMN 2.0
    #[arg(long, value_name = "DIR")]
    bpmn: Option<PathBuf>,
}

impl Discover {
    pub fn run(self, as_json: bool) -> Result<ExitKind> {
        let map = importing::parse_map(&self.map.join(",")).map_err(|message| anyhow!(message))?;
        let read = read(&self.file, map)?;
        if read.log.rows() == 0 {
            bail!("'{}' holds no event that could be read", self.file.display());
        }
        let found = discover(&read.log, &Settings::default());
        let tasks = tasks(&read.log, &found);
        if let Some(path) = &self.segments {
            written(path, |file| segments(file, &read, &found))?;
        }
        let report = report(&read, &found, &tasks);
        if let Some(path) = &self.report {
            written(path, |file| Ok(serde_json::to_writer_pretty(file, &report)?))?;
        }
        if let Some(path) = &self.html {
            written(path, |file| page(file, &self.file, &report))?;
        }
        if let Some(folder) = &self.bpmn {
            std::fs::create_dir_all(folder).with_context(|| format!("cannot make '{}'", folder.display()))?;
            for (number, task) in tasks.iter().enumerate() {
                written(&folder.join(format!("task-{number}.bpmn")), |file| Ok(file.write_all(task.bpmn.as_bytes())?))?;
            }
        }
        super::print(as_json, &report, || told(&report));
        Ok(if read.rejected > 0 { ExitKind::Rejects } else { ExitKind::Done })
    }
}

/// A log, and which row of the input each of its rows is.
struct Read {
    log: UiLog,
    /// For each row of the input its row in the log; `None` where it could not be read.
    rows: Vec<Option<u32>>,
    rejected: usize,
}

fn read(path: &Path, map: Vec<(String, String)>) -> Result<Read> {
    let file = File::open(path).with_context(|| format!("cannot open '{}'", path.display()))?;
    let source = Uuid::new_v5(&Uuid::NAMESPACE_OID, path.as_os_str().as_encoded_bytes());
    let options = Options { source, map, ..Options::default() };
    let reader = import::open_file(file, &options).with_context(|| format!("cannot read '{}'", path.display()))?;
    match reader {
        Reader::Rows(rows) => from_rows(rows),
        Reader::Batches(batches) => from_batches(&batches.collect::<Result<Vec<_>, _>>()?),
    }
}

fn from_rows(mut source: Rows) -> Result<Read> {
    let (mut builder, mut events, mut rejects) = (UiLogBuilder::default(), Vec::new(), Vec::new());
    let (mut rows, mut count) = (Vec::new(), 0);
    // One by one, so that a row that is rejected keeps its place.
    while source.next(&mut events, &mut rejects, 1)? > 0 {
        let Some(event) = events.first() else {
            rows.push(None);
            continue;
        };
        push(&mut builder, event, source.written());
        rows.push(Some(count));
        count += 1;
    }
    Ok(Read { log: builder.finish(), rows, rejected: rejects.len() })
}

fn push(builder: &mut UiLogBuilder, event: &Event, written: Option<Written<'_>>) {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let first = |texts: [&Option<String>; 2]| texts.into_iter().flatten().next().cloned().unwrap_or_default();
    let attribute = |key: &str| event.attributes.get(key).cloned();
    let agent = event.agent_id.to_string();
    let own_word = attribute(SOURCE_EVENT);
    let is_synthetic = event.attributes.get("time").is_some_and(|kind| kind == "synthetic");
    let value = event.value_fingerprint.map(|fingerprint| format!("{:032x}", u128::from_be_bytes(fingerprint.0)));
    // What an importer concludes from a log's own words and addresses is in them already; said twice it would weigh twice.
    let told =
        |text: &Option<String>| if own_word.is_some() { String::new() } else { text.clone().unwrap_or_default() };
    let (role, row, column) = (told(&event.element_role), told(&event.row_label), told(&event.column_label));
    let element = first([&event.element_id, &event.element_path]);
    let (element, label, value) = match written {
        // Blanks and the word on a button tell apart what an event's own columns make equal.
        Some(written) => (written.element.to_owned(), written.label.to_owned(), written.value.to_owned()),
        None => (element, text(&event.element_name), first([&event.text, &value])),
    };
    let fields = [
        (Field::Application, first([&event.process_name, &event.application])),
        (Field::EventType, own_word.unwrap_or_else(|| event.event_type.name().to_owned())),
        (Field::Screen, attribute("workbook").unwrap_or_else(|| first([&event.page_title, &event.window_title]))),
        (Field::Area, attribute("sheet").unwrap_or_default()),
        (Field::Role, role),
        (Field::Element, element),
        (Field::Label, label),
        (Field::Address, first([&event.url, &event.url_template])),
        (Field::Row, row),
        (Field::Column, column),
        (Field::Value, value),
    ];
    let fields: Vec<(Field, &str)> = fields.iter().map(|(field, text)| (*field, text.as_str())).collect();
    let user = event.user_name.as_deref().unwrap_or(&agent);
    builder.push(LogRow { user, time_us: (!is_synthetic).then_some(event.time_us), fields: &fields });
}

/// Columns of Lode Parquet, by the field that they fill.
const COLUMNS: &[(&str, Field)] = &[
    ("process_name", Field::Application),
    ("event_type", Field::EventType),
    ("window_title", Field::Screen),
    ("element_role", Field::Role),
    ("element_id", Field::Element),
    ("element_name", Field::Label),
    ("url_template", Field::Address),
    ("row_label", Field::Row),
    ("column_label", Field::Column),
];

fn from_batches(batches: &[RecordBatch]) -> Result<Read> {
    let Some(first) = batches.first() else { bail!("the file holds no rows") };
    let all = concat_batches(&first.schema(), batches)?;
    let column = |name: &str| all.column_by_name(name).cloned();
    let user = column("user_name").filter(|users| users.null_count() < users.len()).or_else(|| column("agent_id"));
    let (Some(user), Some(time)) = (user, column("time")) else { bail!("the file has no columns user_name and time") };
    let fields: Vec<(Field, ArrayRef)> =
        COLUMNS.iter().filter_map(|(name, field)| Some((*field, column(name)?))).collect();
    let log = UiLog::from_arrow(&user, &time, &fields)?;
    let rows = (0..log.rows() as u32).map(Some).collect();
    Ok(Read { log, rows, rejected: 0 })
}

/// One task type.
struct Task {
    name: String,
    instances: usize,
    rows: usize,
    users: usize,
    /// Median time from first to last event, in seconds, where the log has times.
    p50_s: Option<f64>,
    variants: usize,
    fitness: f64,
    tree: String,
    bpmn: String,
    steps: Vec<String>,
    transfers: Vec<Value>,
    replay: Value,
    patterns: Value,
}

fn tasks(log: &UiLog, found: &Discovery) -> Vec<Task> {
    let mut instances: BTreeMap<u32, BTreeMap<u32, Vec<usize>>> = BTreeMap::new();
    for row in 0..log.rows() {
        if let Some(label) = found.label(row) {
            instances.entry(label.task_type).or_default().entry(label.instance).or_default().push(row);
        }
    }
    let names = type_names(log, found);
    let name_of =
        |task_type: u32| names.get(task_type as usize).cloned().unwrap_or_else(|| format!("Task {task_type}"));
    let replays = replay(log, found, &routines(log, found));
    // Both go through the task types in the order of their numbers.
    let tasks = instances.iter().zip(&replays);
    tasks.map(|((task_type, rows), replay)| task(log, found, replay, name_of(*task_type), rows)).collect()
}

/// How a script of the usual way would have fared; steps that would have been the same in all instances are left out.
fn replayed(replay: &Replay, step: &dyn Fn(u32) -> String) -> Value {
    let differing = replay.steps.iter().filter(|(_, found)| found.same < replay.instances);
    let steps = differing.map(|(activity, found)| {
        json!({
            "step": step(*activity), "same": found.same, "missing": found.missing, "added": found.added,
            "other_order": found.other_order, "other_value": found.other_value, "unknown_value": found.unknown_value,
        })
    });
    json!({
        "script": replay.way.iter().map(|activity| step(*activity)).collect::<Vec<_>>(),
        "instances": replay.instances, "in_order": replay.in_order, "exact": replay.exact, "differences": Vec::from_iter(steps),
    })
}

/// What recurs in the instances whatever comes between: the patterns that account for most steps.
fn patterns(instances: &[Trace], step: &dyn Fn(u32) -> String) -> Value {
    let instances: Vec<Vec<u32>> = instances.iter().map(|(activities, _)| activities.clone()).collect();
    let found = closed_patterns(&instances, SHARE_MIN);
    let told = |pattern: &Pattern| {
        json!({
            "steps": pattern.activities.iter().map(|activity| step(*activity)).collect::<Vec<_>>(),
            "instances": pattern.holders.len(), "cohesion": pattern.cohesion,
        })
    };
    json!({
        "instances": found.instances, "truncated": found.truncated,
        "closed": found.told(TOLD_MAX).into_iter().map(told).collect::<Vec<_>>(),
    })
}

fn task(log: &UiLog, found: &Discovery, replay: &Replay, name: String, instances: &BTreeMap<u32, Vec<usize>>) -> Task {
    let trace = |rows: &Vec<usize>| rows.iter().map(|row| found.activity(*row)).collect::<Vec<u32>>();
    let mut variants: BTreeMap<Vec<u32>, usize> = BTreeMap::new();
    for rows in instances.values() {
        *variants.entry(trace(rows)).or_default() += 1;
    }
    let traces: Vec<Trace> = instances.values().map(|rows| (trace(rows), 1)).collect();
    let tree = mine(&traces, MODEL_NOISE);
    let step = |activity: u32| step_name(log, found, activity);
    let most = variants.iter().max_by_key(|(_, count)| **count).map(|(steps, _)| steps.clone()).unwrap_or_default();
    let mut times: Vec<i64> = instances
        .values()
        .filter_map(|rows| {
            let (first, last) = (log.time(*rows.first()?), log.time(*rows.last()?));
            (first != discovery::NO_TIME && last >= first).then_some(last - first)
        })
        .collect();
    times.sort_unstable();
    let users = instances.values().filter_map(|rows| rows.first()).map(|row| log.users().code(*row));
    Task {
        users: users.collect::<std::collections::BTreeSet<_>>().len(),
        instances: instances.len(),
        rows: instances.values().map(Vec::len).sum(),
        p50_s: times.get(times.len() / 2).map(|time| *time as f64 / 1e6),
        variants: variants.len(),
        fitness: fitness(&tree, &traces),
        bpmn: bpmn(&tree, &name, &step),
        tree: tree.to_string(),
        steps: most.into_iter().map(step).collect(),
        transfers: dataflow::transfers(log, found, replay.task_type)
            .into_iter()
            .map(|transfer| {
                json!({
                    "writes": step(transfer.to), "program": transfer.program.told(&step),
                    "hit_rate": transfer.hit_rate, "held_back": transfer.held_back,
                })
            })
            .collect(),
        replay: replayed(replay, &step),
        patterns: patterns(&traces, &step),
        name,
    }
}

fn step_name(log: &UiLog, found: &Discovery, activity: u32) -> String {
    let row = found.example(activity);
    let fields = [Field::EventType, Field::Label, Field::Element, Field::Area];
    let mut words: Vec<&str> =
        fields.iter().map(|field| log.text(row, *field)).filter(|text| !text.is_empty()).collect();
    words.truncate(2);
    words.join(" ")
}

fn segments(file: &mut impl Write, read: &Read, found: &Discovery) -> Result<()> {
    let mut table = csv::Writer::from_writer(file);
    table.write_record(["row", "instance", "task_type"])?;
    for (row, at) in read.rows.iter().enumerate() {
        let label = at.and_then(|at| found.label(at as usize));
        let number = |number: Option<u32>| number.map(|number| number.to_string()).unwrap_or_default();
        let (instance, task_type) = (label.map(|label| label.instance), label.map(|label| label.task_type));
        table.write_record([row.to_string(), number(instance), number(task_type)])?;
    }
    Ok(table.flush()?)
}

fn report(read: &Read, found: &Discovery, tasks: &[Task]) -> Value {
    let in_tasks = (0..read.log.rows()).filter(|row| found.label(*row).is_some()).count();
    let tasks = tasks.iter().enumerate().map(|(number, task)| {
        json!({
            "task_type": number, "name": task.name, "instances": task.instances, "users": task.users, "events": task.rows,
            "p50_s": task.p50_s, "variants": task.variants, "fitness": task.fitness, "process_tree": task.tree,
            "most_frequent_variant": task.steps, "data_flow": task.transfers, "replay": task.replay,
            "patterns": task.patterns,
        })
    });
    json!({
        "rows": read.rows.len(), "rejected": read.rejected, "in_tasks": in_tasks,
        "noise": read.log.rows() - in_tasks, "tasks": Vec::from_iter(tasks),
    })
}

fn told(report: &Value) -> String {
    let mut lines = vec![format!(
        "{} rows, {} in tasks, {} in none, {} not read",
        report["rows"], report["in_tasks"], report["noise"], report["rejected"]
    )];
    for task in report["tasks"].as_array().into_iter().flatten() {
        lines.push(format!(
            "{:>4} × {}  ({} people, {} variants, fitness {:.3})",
            task["instances"].as_u64().unwrap_or(0),
            task["name"].as_str().unwrap_or_default(),
            task["users"],
            task["variants"],
            task["fitness"].as_f64().unwrap_or(0.0),
        ));
    }
    lines.join("\n")
}

/// A page without script, to be read and printed.
fn page(file: &mut impl Write, log: &Path, report: &Value) -> Result<()> {
    let name = log.file_name().unwrap_or_default().to_string_lossy();
    writeln!(file, "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Tasks in {}</title>", safe(&name))?;
    writeln!(file, "<style>{STYLE}</style><h1>Tasks in {}</h1>", safe(&name))?;
    writeln!(
        file,
        "<p>{} rows; {} belong to a task, {} to none, {} could not be read.</p>",
        report["rows"], report["in_tasks"], report["noise"], report["rejected"]
    )?;
    for task in report["tasks"].as_array().into_iter().flatten() {
        writeln!(file, "<h2>{}</h2>", safe(task["name"].as_str().unwrap_or_default()))?;
        let minutes = task["p50_s"].as_f64().map_or("unknown".into(), |seconds| format!("{seconds:.0} s"));
        writeln!(
            file,
            "<p>{} times by {} people, in {} variants; half of them within {minutes}. The model explains {:.1} % of the steps.</p><ol>",
            task["instances"],
            task["users"],
            task["variants"],
            100.0 * task["fitness"].as_f64().unwrap_or(0.0)
        )?;
        for step in task["most_frequent_variant"].as_array().into_iter().flatten() {
            writeln!(file, "<li>{}</li>", safe(step.as_str().unwrap_or_default()))?;
        }
        writeln!(file, "</ol>")?;
        for flow in task["data_flow"].as_array().into_iter().flatten() {
            writeln!(
                file,
                "<p>{} = <code>{}</code>, right in {:.0} % of {} instances that were held back</p>",
                safe(flow["writes"].as_str().unwrap_or_default()),
                safe(flow["program"].as_str().unwrap_or_default()),
                100.0 * flow["hit_rate"].as_f64().unwrap_or(0.0),
                flow["held_back"]
            )?;
        }
        let replay = &task["replay"];
        writeln!(
            file,
            "<p>A script of the usual steps, followed in {} instances, does {} of them in the same order and {} exactly.</p>",
            replay["instances"], replay["in_order"], replay["exact"]
        )?;
    }
    Ok(())
}

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem}\
@media(prefers-color-scheme:dark){body{background:#16181d;color:#e8e8ea}}";

/// Writes a file that is there whole or not at all.
fn written(path: &Path, write: impl FnOnce(&mut BufWriter<File>) -> Result<()>) -> Result<()> {
    let partial = path.with_added_extension("partial");
    let failed = || format!("cannot write '{}'", path.display());
    let mut file = BufWriter::new(File::create(&partial).with_context(failed)?);
    write(&mut file).with_context(failed)?;
    file.flush().with_context(failed)?;
    std::fs::rename(&partial, path).with_context(failed)
}
