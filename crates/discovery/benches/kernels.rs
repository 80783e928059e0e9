//! How many events per second each kernel takes on one core, on columns as the event table has them.
//!
//! `cargo bench -p discovery`. A synthetic log of four million events, built once: 200 agents, cases of twelve events on
//! average, 200 activities and 40 applications with Zipf-like frequencies, text as dictionaries shared by all batches.
//! Printed is the best of five passes; on a busy machine run it again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, DictionaryArray, Int32Array, Int64Array, NullArray, StringArray};
use arrow::datatypes::Int32Type;
use discovery::{
    CopyPaste, DirectlyFollows, DirectlyFollowsCount, Kernel, SessionMarker, SessionRule, Sessions, Switches,
    SymbolKind, Traces,
};

const EVENTS: usize = 4_000_000;
const BATCH_ROWS: usize = 8_192;
const EVENTS_PER_AGENT: usize = EVENTS / 200;
const PASSES: usize = 5;

fn main() {
    let batches = log();
    let columns = |names: &[usize]| -> Vec<Vec<ArrayRef>> {
        batches.iter().map(|batch| names.iter().map(|&at| batch[at].clone()).collect()).collect()
    };
    let timed = columns(&[CASE, ACTIVITY, TIME]);
    let text = SymbolKind::Text;
    report("directly-follows, counts, text", || DirectlyFollowsCount::new(text), &columns(&[CASE, ACTIVITY]));
    let keys = columns(&[CASE, ACTIVITY_KEY]);
    report("directly-follows, counts, keys", || DirectlyFollowsCount::new(SymbolKind::Integer), &keys);
    report("directly-follows, times", || DirectlyFollows::new(text), &timed);
    report("variants", || Traces::new(text), &timed);
    report("sessions", || Sessions::new(SessionRule::default()), &columns(&[AGENT, ORDER, TIME]));
    report("switches", || Switches::new(text), &columns(&[AGENT, CASE, APPLICATION, TIME, ACTIVE]));
    let places = columns(&[AGENT, EVENT_TYPE, APPLICATION, ACTIVITY, ACTIVITY, ABSENT, TIME]);
    report("copy and paste", CopyPaste::new, &places);

    let marked = columns(&[AGENT, ORDER, TIME]);
    let pass = || {
        let mut marker = SessionMarker::new(SessionRule::default());
        marked.iter().map(|batch| marker.mark(batch).map_or(0, |marks| marks.active_us.values().len())).sum::<usize>()
    };
    print("session of each event", best(pass), 0, 0);
}

const CASE: usize = 0;
const ACTIVITY: usize = 1;
const ACTIVITY_KEY: usize = 2;
const TIME: usize = 3;
const AGENT: usize = 4;
const ORDER: usize = 5;
const APPLICATION: usize = 6;
const ACTIVE: usize = 7;
const EVENT_TYPE: usize = 8;
const ABSENT: usize = 9;

fn report<K: Kernel>(name: &str, new: impl Fn() -> K, batches: &[Vec<ArrayRef>]) {
    let fold = || {
        let mut kernel = new();
        for batch in batches {
            kernel.update(batch).expect("the columns fit");
        }
        kernel
    };
    let elapsed = best(fold);
    let mut kernel = fold();
    print(name, elapsed, kernel.size_bytes(), kernel.to_bytes().len());
}

fn print(name: &str, elapsed: Duration, state_bytes: usize, shipped_bytes: usize) {
    let rate = EVENTS as f64 / elapsed.as_secs_f64() / 1e6;
    let [state_mb, shipped_mb] = [state_bytes, shipped_bytes].map(|bytes| bytes as f64 / 1e6);
    println!("{name:32} {rate:7.1} M events/s   state {state_mb:6.1} MB   shipped {shipped_mb:6.1} MB");
}

fn best<T>(pass: impl Fn() -> T) -> Duration {
    let time = |_| {
        let start = Instant::now();
        std::hint::black_box(pass());
        start.elapsed()
    };
    (0..PASSES).map(time).min().unwrap_or_default()
}

fn log() -> Vec<Vec<ArrayRef>> {
    let names = |what: &str, count: usize| -> ArrayRef {
        Arc::new((0..count).map(|at| Some(format!("{what} {at}"))).collect::<StringArray>())
    };
    let (activities, applications) = (names("activity", 200), names("application", 40));
    let event_types: ArrayRef = Arc::new(StringArray::from(vec!["left_click", "text_entered", "copy", "paste"]));
    let mut random = 1_u64;
    let mut below = |bound: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) as usize % bound
    };
    let (mut time_us, mut case, mut activity, mut application) = (0_i64, 0_i64, 0_usize, 0_usize);
    let mut batches = Vec::new();
    for first in (0..EVENTS).step_by(BATCH_ROWS) {
        let orders: Vec<i64> = (first as i64..(first + BATCH_ROWS).min(EVENTS) as i64).collect();
        let mut values = [const { Vec::<i64>::new() }; 5];
        for &order in &orders {
            if below(12) == 0 || (order as usize).is_multiple_of(EVENTS_PER_AGENT) {
                (case, activity) = (order, 0);
            }
            // Mostly a usual next step, sometimes any: as real work, with a long tail.
            activity = if below(8) == 0 { below(200) * below(200) / 200 } else { (activity * 7 + 3) % 200 };
            if below(6) == 0 {
                application = below(40) * below(40) / 40;
            }
            time_us += [200_000, 900_000, 2_500_000, 7_000_000, 45_000_000][below(5)] + below(100_000) as i64;
            let event_type = [0, 0, 0, 0, 0, 0, 1, 1, 2, 3][below(10)];
            let row = [case, activity as i64, time_us, application as i64, event_type];
            values.iter_mut().zip(row).for_each(|(column, value)| column.push(value));
        }
        let rows = orders.len();
        let text = |codes: &[i64], names: &ArrayRef| -> ArrayRef {
            let codes = Int32Array::from_iter_values(codes.iter().map(|&code| code as i32));
            Arc::new(DictionaryArray::<Int32Type>::new(codes, names.clone()))
        };
        let agents = orders.iter().map(|&order| (order as usize / EVENTS_PER_AGENT) as i32);
        batches.push(vec![
            Arc::new(Int64Array::from(values[0].clone())) as ArrayRef,
            text(&values[1], &activities),
            Arc::new(Int64Array::from(values[1].clone())),
            Arc::new(Int64Array::from(values[2].clone())),
            Arc::new(Int32Array::from_iter_values(agents)),
            Arc::new(Int64Array::from(orders)),
            text(&values[3], &applications),
            Arc::new(Int64Array::from_iter_values(std::iter::repeat_n(1_000_000, rows))),
            text(&values[4], &event_types),
            Arc::new(NullArray::new(rows)),
        ]);
    }
    batches
}
