//! Logs for the tests: random ones with a printed seed, and the ways in which a kernel may see them.

use std::sync::Arc;

use arrow::array::*;
use arrow::datatypes::{DataType, Field, Int32Type, TimestampMicrosecondType};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use discovery::Kernel;

/// One event as the operators see it.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub agent: i32,
    pub order: i64,
    pub time_us: i64,
    pub session: i64,
    pub case: Option<i64>,
    pub activity: Option<&'static str>,
    pub event_type: &'static str,
    pub application: Option<&'static str>,
    pub element: &'static str,
    pub fingerprint: Option<u8>,
    pub active_us: i64,
    pub is_break: bool,
    pub is_away: bool,
}

/// Columns of some rows, by the operators' names.
pub fn columns(rows: &[Row], names: &[&str]) -> Vec<ArrayRef> {
    names.iter().map(|name| column(rows, name)).collect()
}

fn column(rows: &[Row], name: &str) -> ArrayRef {
    let dictionary = |of: fn(&Row) -> Option<&'static str>| -> ArrayRef {
        Arc::new(rows.iter().map(of).collect::<DictionaryArray<Int32Type>>())
    };
    let integers = |of: fn(&Row) -> i64| -> ArrayRef { Arc::new(Int64Array::from_iter_values(rows.iter().map(of))) };
    match name {
        "agent_key" => Arc::new(Int32Array::from_iter_values(rows.iter().map(|row| row.agent))),
        "event_order" => integers(|row| row.order),
        "time" => Arc::new(TimestampMicrosecondArray::from_iter_values(rows.iter().map(|row| row.time_us))),
        "session_key" => integers(|row| row.session),
        "case_key" => Arc::new(Int64Array::from_iter(rows.iter().map(|row| row.case))),
        "activity" => dictionary(|row| row.activity),
        "event_type" => dictionary(|row| Some(row.event_type)),
        "application" => dictionary(|row| row.application),
        "element" => Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.element))),
        "screen" => Arc::new(NullArray::new(rows.len())),
        "active_us" => integers(|row| row.active_us),
        "breaks" => Arc::new(BooleanArray::from_iter(rows.iter().map(|row| Some(row.is_break)))),
        "away" => Arc::new(BooleanArray::from_iter(rows.iter().map(|row| Some(row.is_away)))),
        "value_fingerprint" => {
            let values = rows.iter().map(|row| row.fingerprint.map(|value| [value; 16]));
            Arc::new(FixedSizeBinaryArray::try_from_sparse_iter_with_size(values, 16).unwrap())
        }
        other => panic!("no column '{other}'"),
    }
}

/// A small generator (xorshift64*), so that a printed seed is all one needs to repeat a run.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % bound
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    pub fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }
}

/// A random log in order of agents and events: cases that interrupt each other, absences, holes, clocks set back.
pub fn random_log(random: &mut Random) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut order = 0;
    for agent in 0..1 + random.below(5) as i32 {
        let (mut time_us, mut case, mut session) = (1_000_000_000, i64::from(agent) * 100, order);
        for _ in 0..random.below(120) {
            if random.one_in(6) {
                case = i64::from(agent) * 100 + random.below(8) as i64;
            }
            if random.one_in(12) {
                session = order;
            }
            time_us +=
                random.pick(&[0, 1_000_000, 7_500_000, 40_000_000, 60_000_000, 61_000_000, 900_000_000, -2_000_000]);
            rows.push(Row {
                agent,
                order,
                time_us,
                session,
                case: (!random.one_in(20)).then_some(case),
                activity: (!random.one_in(20)).then(|| random.pick(&["open", "read", "type", "save"])),
                event_type: random.pick(&["copy", "cut", "paste", "paste", "left_click", "scroll"]),
                application: (!random.one_in(15)).then(|| random.pick(&["excel", "crm", "mail"])),
                element: random.pick(&["A1", "name"]),
                fingerprint: (!random.one_in(3)).then(|| random.below(4) as u8),
                active_us: random.pick(&[0, 1_000_000, 30_000_000]),
                is_break: random.one_in(40),
                is_away: random.one_in(25),
            });
            order += 1 + random.below(3) as i64;
        }
    }
    rows
}

/// The rows of an answer as text.
pub fn texts(answer: &StructArray) -> Vec<String> {
    let options = FormatOptions::default().with_null("-");
    let columns: Vec<ArrayRef> = answer.columns().iter().map(without_zone).collect();
    let formatters: Vec<_> = columns.iter().map(|column| ArrayFormatter::try_new(column, &options).unwrap()).collect();
    let row = |at: usize| formatters.iter().map(|formatter| formatter.value(at).to_string()).collect::<Vec<_>>();
    (0..answer.len()).map(|at| row(at).join(" ")).collect()
}

/// Arrow prints zones by name only with a time-zone database, which tests need not have.
fn without_zone(column: &ArrayRef) -> ArrayRef {
    match column.as_primitive_opt::<TimestampMicrosecondType>() {
        Some(times) => Arc::new(times.clone().with_timezone_opt(None::<&str>)),
        None => column.clone(),
    }
}

/// What a kernel answers in one pass; checks that batches, partitions and shipping change nothing about it.
pub fn answer<K: Kernel>(
    rows: &[Row],
    names: &[&str],
    new: impl Fn() -> K,
    finish: impl Fn(&mut K) -> StructArray,
    random: &mut Random,
) -> Vec<String> {
    let fold = |rows: &[Row], batch_rows: usize| {
        let mut kernel = new();
        rows.chunks(batch_rows).for_each(|batch| kernel.update(&columns(batch, names)).unwrap());
        kernel
    };
    let whole = texts(&finish(&mut fold(rows, rows.len().max(1))));
    assert_eq!(texts(&finish(&mut fold(rows, 1 + random.below(9)))), whole, "batches of another size");

    let parts = 1 + random.below(4) as i32;
    let mut merged = new();
    for part in (0..parts).rev() {
        let of_part: Vec<Row> = rows.iter().filter(|row| row.agent % parts == part).cloned().collect();
        let shipped = fold(&of_part, 50).to_bytes();
        merged.merge(K::from_bytes(&shipped).unwrap()).unwrap();
    }
    assert!(merged.size_bytes() > 0);
    assert_eq!(texts(&finish(&mut merged)), whole, "{parts} partitions");
    whole
}

/// Runs a check on many random logs and names the seed of the one that fails.
pub fn on_random_logs(check: impl Fn(&[Row], &mut Random)) {
    for seed in 1..=200 {
        println!("seed {seed}");
        let mut random = Random::new(seed);
        check(&random_log(&mut random), &mut random);
    }
}

/// Percentile with linear interpolation, straight from its definition.
pub fn percentile_s(values_us: &[i64], fraction: f64) -> String {
    let mut sorted = values_us.to_vec();
    sorted.sort();
    let Some(last) = sorted.len().checked_sub(1) else { return "-".into() };
    let rank = fraction * last as f64;
    let (low, high) = (sorted[rank as usize] as f64, sorted[rank.ceil() as usize] as f64);
    float((low + (high - low) * rank.fract()) / 1e6)
}

/// A number as Arrow prints it.
pub fn float(value: f64) -> String {
    texts(&StructArray::from(vec![(
        Arc::new(Field::new("value", DataType::Float64, false)),
        Arc::new(Float64Array::from(vec![value])) as ArrayRef,
    )]))
    .remove(0)
}
