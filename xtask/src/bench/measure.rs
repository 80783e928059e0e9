//! Runs one process and says what it cost: time inside, time around, peak memory.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// How often the memory of a running process is read. The kernel keeps the peak itself, so only what is reached
/// in the last moment before the end can be missed.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// A question that takes longer is given up: half an hour.
const QUESTION_S_MAX: u64 = 1_800;

/// A process that grows beyond this share of the machine's memory is given up, before the machine is.
const MEMORY_SHARE_MAX: f64 = 0.5;

/// One answer and what it cost.
#[derive(Debug, Clone)]
pub struct Measured {
    /// Around the question, inside the process.
    pub inside_ms: f64,
    /// From start to end of the process.
    pub whole_ms: f64,
    /// Highest resident memory (`VmHWM`).
    pub peak_mib: f64,
    /// What the engine says it read from files, if it says.
    pub scanned_bytes: Option<u64>,
    /// Version of the engine, if it says.
    pub version: String,
    /// The answer, rows in a fixed order, cells as text.
    pub rows: Vec<Vec<String>>,
}

/// Runs `command`, whose last line of output is JSON with `elapsed_ms` and `rows`.
pub fn measure(mut command: Command, folder: &Path) -> Result<Measured> {
    // Output goes through files: a full pipe would stop a process that nobody reads from yet.
    let [path, complaints] = ["answer.json", "complaints.txt"].map(|name| folder.join(name));
    let create = |path: &Path| File::create(path).with_context(|| format!("cannot write '{}'", path.display()));
    command.stdout(create(&path)?).stderr(create(&complaints)?);
    let start = Instant::now();
    let mut child = command.spawn().with_context(|| format!("cannot start {command:?}"))?;
    let (status, peak_mib) = wait(&mut child)?;
    let whole_ms = start.elapsed().as_secs_f64() * 1e3;
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read '{}'", path.display()))?;
    if !status.success() {
        let complaints = std::fs::read_to_string(&complaints).unwrap_or_default();
        bail!("it ended with {status}: {} {}", text.trim(), complaints.trim());
    }
    let answer: Value =
        serde_json::from_str(text.lines().last().unwrap_or_default()).context("its answer is no JSON")?;
    let rows = answer["rows"].as_array().context("its answer has no rows")?;
    let mut rows: Vec<Vec<String>> =
        rows.iter().map(|row| row.as_array().into_iter().flatten().map(cell).collect()).collect();
    rows.sort();
    Ok(Measured {
        inside_ms: answer["elapsed_ms"].as_f64().context("its answer has no elapsed_ms")?,
        whole_ms,
        peak_mib,
        scanned_bytes: answer["bytes_scanned"].as_u64(),
        version: answer["version"].as_str().unwrap_or_default().to_owned(),
        rows,
    })
}

fn wait(child: &mut Child) -> Result<(ExitStatus, f64)> {
    let (start, mut peak_kib) = (Instant::now(), 0);
    let machine_kib = kib("/proc/meminfo", "MemTotal:");
    let kib_max = if machine_kib == 0 { u64::MAX } else { (machine_kib as f64 * MEMORY_SHARE_MAX) as u64 };
    loop {
        // The peak of a process that has just ended reads as 0.
        peak_kib = peak_kib.max(kib(&format!("/proc/{}/status", child.id()), "VmHWM:"));
        if let Some(status) = child.try_wait()? {
            return Ok((status, peak_kib as f64 / 1024.0));
        }
        if start.elapsed().as_secs() > QUESTION_S_MAX || peak_kib > kib_max {
            child.kill()?;
            child.wait()?;
            bail!("given up after {:.0} s with {} MiB", start.elapsed().as_secs_f64(), peak_kib / 1024);
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

/// A figure of the kernel in KiB; 0 where the system does not give it.
fn kib(path: &str, key: &str) -> u64 {
    let status = std::fs::read_to_string(path).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(key));
    line.and_then(|line| line.split_whitespace().next()).and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// A cell as text: whole numbers as such, fractions to a thousandth, so that engines can be compared.
fn cell(value: &Value) -> String {
    match value {
        Value::Number(number) => match number.as_f64() {
            Some(fraction) if !number.is_i64() && !number.is_u64() && fraction.fract() != 0.0 => {
                format!("{fraction:.3}")
            }
            Some(fraction) if number.is_f64() => format!("{fraction:.0}"),
            _ => number.to_string(),
        },
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn equal_numbers_are_equal_text_whatever_engine_wrote_them() {
        let texts =
            [json!(7), json!(7.0), json!(0.5), json!(0.50001), json!("excel"), json!(null)].map(|value| cell(&value));
        assert_eq!(texts, ["7", "7", "0.500", "0.500", "excel", "null"]);
    }

    #[test]
    fn a_process_that_fails_says_so() {
        let folder = std::env::temp_dir();
        let error = measure(Command::new("false"), &folder).unwrap_err();
        assert!(error.to_string().contains("ended with"), "{error}");
    }
}
