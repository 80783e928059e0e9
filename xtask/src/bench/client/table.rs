//! The figures for people (tables) and for programs (JSON).

use serde_json::{Value, json};

use super::processes::Use;
use super::soak::Soaked;
use super::watched::{Cost, Measured};

/// Prints what each candidate cost and how much of the load arrived.
pub fn print(measured: &[Measured], absent: &[String]) {
    println!(
        "\n| candidate | idle CPU | CPU under load | per input | memory | peak | threads | files | on disk | inputs it can record | missed |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    for each in measured {
        let name = format!("{} {}", each.name, each.version);
        let (done, missed) = (each.arrived.done(), each.arrived.missed());
        let arrived = if each.arrived.kinds.is_empty() { "– | –".into() } else { format!("{done} | {missed}") };
        println!(
            "| {} | {:.1} MB | {arrived} |",
            figures(name.trim(), each, &each.parts),
            each.disk_bytes as f64 / 1e6
        );
        for part in each.parts.iter().filter(|_| each.parts.len() > 1) {
            println!("| {} | | | |", figures(&format!("· {}", part.name), each, std::slice::from_ref(part)));
        }
    }
    for name in absent {
        println!("| {name} | not obtainable | | | | | | | | | |");
    }
    println!("\nthe desktop's own processor time under the load, seconds:");
    for each in measured {
        let others: Vec<String> = each.others.iter().map(|cost| format!("{} {:.2}", cost.name, cost.load_s)).collect();
        println!("  {:28} {}", each.name, others.join(", "));
    }
    for each in measured.iter().filter(|each| !each.parts.is_empty()) {
        println!(
            "\n{}: {} inputs, {} of them in the editor, {} records",
            each.name,
            each.done.all(),
            each.done.in_editor(),
            each.arrived.records
        );
        for (kind, done, seen) in &each.arrived.kinds {
            println!("  {kind}: {done} done, {seen} in the record");
        }
        for note in &each.arrived.notes {
            println!("  {note}");
        }
        for part in &each.parts {
            let threads: Vec<String> =
                part.threads.iter().take(8).map(|(name, s)| format!("{name} {s:.3} s")).collect();
            println!("  threads of {} under the load: {}", part.name, threads.join(", "));
        }
    }
}

/// Prints the virtual hours.
pub fn print_soak(soaked: &Soaked) {
    println!("\nvirtual hours: {} with {} actions", soaked.hours.len(), soaked.actions);
    println!("| after hour | memory | peak | open files | threads | processor time |");
    println!("| --- | --- | --- | --- | --- | --- |");
    for (number, hour) in soaked.hours.iter().enumerate() {
        let (memory, peak) = (hour.rss_mb(), hour.peak_mb());
        println!(
            "| {} | {memory:.1} MB | {peak:.1} MB | {} | {} | {:.1} s |",
            number + 1,
            hour.files,
            hour.threads,
            hour.cpu_s
        );
    }
    println!("counters: {}", soaked.counters);
}

/// The virtual hours, to be read by programs.
pub fn soak_json(soaked: &Soaked) -> Value {
    let hour = |hour: &Use| json!({ "rss_kib": hour.rss_kib, "peak_kib": hour.peak_kib, "files": hour.files, "cpu_s": hour.cpu_s });
    json!({
        "actions": soaked.actions, "hours": soaked.hours.iter().map(hour).collect::<Vec<_>>(),
        "counters": soaked.counters, "missing": soaked.missing(),
    })
}

/// Everything, to be read by programs.
pub fn json(measured: &[Measured], absent: &[String]) -> Value {
    let cost = |cost: &Cost| {
        json!({
            "name": cost.name, "idle_cpu_s": cost.idle_s, "load_cpu_s": cost.load_s, "rss_kib": cost.end.rss_kib,
            "peak_kib": cost.end.peak_kib, "threads": cost.end.threads, "files": cost.end.files,
            "cpu_by_thread_s": cost.threads.iter().cloned().collect::<std::collections::BTreeMap<_, _>>(),
        })
    };
    let of = |each: &Measured| {
        json!({
            "name": each.name, "version": each.version, "idle_s": each.idle_s, "load_s": each.load_s,
            "inputs": each.done.all(), "inputs_in_editor": each.done.in_editor(), "records": each.arrived.records,
            "arrived": each.arrived.kinds, "notes": each.arrived.notes, "disk_bytes": each.disk_bytes,
            "parts": each.parts.iter().map(cost).collect::<Vec<_>>(),
            "desktop": each.others.iter().map(cost).collect::<Vec<_>>(),
        })
    };
    json!({ "candidates": measured.iter().map(of).collect::<Vec<_>>(), "not_obtainable": absent })
}

/// The columns that both a candidate and each of its processes have.
fn figures(name: &str, each: &Measured, parts: &[Cost]) -> String {
    if parts.is_empty() {
        return format!("{name} | – | – | – | – | – | – | –");
    }
    let sum = |of: fn(&Cost) -> f64| parts.iter().map(of).sum::<f64>();
    let (idle_s, load_s) = (sum(|cost| cost.idle_s), sum(|cost| cost.load_s));
    format!(
        "{name} | {:.2} % | {:.2} % | {:.2} ms | {:.1} MB | {:.1} MB | {} | {}",
        100.0 * idle_s / each.idle_s,
        100.0 * load_s / each.load_s,
        1_000.0 * load_s / each.done.all() as f64,
        sum(|cost| cost.end.rss_mb()),
        sum(|cost| cost.end.peak_mb()),
        sum(|cost| cost.end.threads as f64),
        sum(|cost| cost.end.files as f64),
    )
}
