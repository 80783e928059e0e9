//! The figures of a benchmark for people (a table) and for programs (JSON).

use serde_json::{Value, json};

use super::Answer;
use super::measure::Measured;

/// Prints one line per engine: median times, the ratio to the fastest peer, memory, bytes.
pub fn print_question(answers: &[Answer]) {
    let fastest = answers.iter().skip(1).map(|answer| median(answer, inside)).reduce(f64::min);
    println!(
        "  {:12} {:10} {:>10} {:>8} {:>10} {:>9} {:>11}  answer",
        "engine", "version", "inside", "ratio", "process", "peak", "scanned"
    );
    for answer in answers {
        let inside_ms = median(answer, inside);
        let ratio = fastest.map_or_else(|| "-".into(), |fastest| format!("{:.2}", inside_ms / fastest));
        let scanned = answer.runs.last().and_then(|run| run.scanned_bytes);
        println!(
            "  {:12} {:10} {inside_ms:>7.0} ms {ratio:>8} {:>7.0} ms {:>5.0} MiB {:>11}  {}",
            answer.engine,
            answer.version,
            median(answer, |run| run.whole_ms),
            median(answer, |run| run.peak_mib),
            scanned.map_or_else(|| "-".into(), |bytes| format!("{:.1} MB", bytes as f64 / 1e6)),
            if answer.agrees { "agrees" } else { "DIFFERS" },
        );
    }
}

/// All runs of all engines, and the medians.
pub fn question_json(name: &str, answers: &[Answer]) -> Value {
    let fastest = answers.iter().skip(1).map(|answer| median(answer, inside)).reduce(f64::min);
    let of_run =
        |run: &Measured| json!({ "inside_ms": run.inside_ms, "whole_ms": run.whole_ms, "peak_mib": run.peak_mib });
    let of_answer = |answer: &Answer| {
        json!({
            "engine": answer.engine, "version": answer.version, "agrees": answer.agrees,
            "inside_ms": median(answer, inside), "whole_ms": median(answer, |run| run.whole_ms),
            "peak_mib": median(answer, |run| run.peak_mib),
            "ratio_to_fastest_peer": fastest.map(|fastest| median(answer, inside) / fastest),
            "scanned_bytes": answer.runs.last().and_then(|run| run.scanned_bytes),
            "rows": answer.runs.last().map(|run| run.rows.len()),
            "runs": answer.runs.iter().map(of_run).collect::<Vec<_>>(),
        })
    };
    json!({ "question": name, "engines": answers.iter().map(of_answer).collect::<Vec<_>>() })
}

/// What the figures were measured on.
pub fn machine() -> Value {
    let read = |path: &str, key: &str| -> String {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(key));
        line.and_then(|line| line.split_once([':', '='])).map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
    };
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    json!({
        "processor": read("/proc/cpuinfo", "model name"), "cores": cores, "memory": read("/proc/meminfo", "MemTotal"),
        "system": read("/etc/os-release", "PRETTY_NAME"),
    })
}

fn inside(run: &Measured) -> f64 {
    run.inside_ms
}

fn median(answer: &Answer, of: fn(&Measured) -> f64) -> f64 {
    let mut values: Vec<f64> = answer.runs.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
