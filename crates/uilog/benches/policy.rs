//! How long a policy takes for an event, and a configuration for being read.
//!
//! `cargo bench -p uilog --bench policy --profile dev`. One hundred rules of which the last one decides, twenty patterns and
//! the built-in ones, twenty-two columns, events with and without something to redact. Printed are median and 99th
//! percentile of single calls; on a busy machine run it again.

use std::hint::black_box;
use std::time::{Duration, Instant};

use uilog::policy::{Captured, Policy, StandInHash, Variables, check, parse, write};
use uilog::{Event, EventType};

const RULES: usize = 100;
const PATTERNS: usize = 20;
const CALLS: usize = 50_000;
const READS: usize = 50;

fn main() {
    let xml = configuration();
    let configuration = parse(&xml).expect("the configuration of the benchmark is right");
    let policy = Policy::compile(&configuration, &Variables::none()).expect("and compiles");
    let plain = event("Workbook of the second quarter", "Quarterly figures");
    let personal = event("Order 4500017 of jane.doe@example.org", "DE89 3704 0044 0532 0130 00");
    println!("{RULES} rules, {PATTERNS} patterns of the project, built-in ones");
    report("decide", &plain, |captured| _ = black_box(policy.decide(&captured)));
    report("scrub, nothing to redact", &plain, |captured| _ = black_box(policy.scrub(captured, &StandInHash)));
    report("scrub, two texts to redact", &personal, |captured| _ = black_box(policy.scrub(captured, &StandInHash)));
    read("parse", || _ = black_box(parse(&xml)));
    read("compile", || _ = black_box(Policy::compile(&configuration, &Variables::none())));
    read("check", || _ = black_box(check(&configuration, None)));
    read("write", || _ = black_box(write(&configuration)));
    println!("the file has {} kB", xml.len() / 1_000);
}

fn configuration() -> String {
    let rules: String = (0..RULES - 1)
        .map(|number| {
            format!(
                "<rule name=\"rule {number}\"><on/><when><all><equals column=\"process_name\" value=\"excel.exe\"/>\
                 <contains column=\"window_title\" value=\"Form {number}\"/></all></when><drop/></rule>"
            )
        })
        .collect();
    let patterns: String = (0..PATTERNS)
        .map(|number| format!("<pattern name=\"p{number}\" regex=\"\\b4{number}\\d{{5,8}}\\b\" columns=\"all\"/>"))
        .collect();
    format!(
        "<lodeConfig schema=\"1\" project=\"0b6f2d0e-5c1f-4c53-9b1e-6f6f2f3a7c11\" revision=\"1\" validUntil=\"2027-02-28T23:59:59Z\">\
         <consent version=\"1\"><text lang=\"en\">Work in Excel is recorded.</text></consent>\
         <allow><app process=\"excel.exe\"/><never column=\"window_title\" regex=\"(?i)payroll|gehalt\"/></allow>\
         <rules>{rules}<rule name=\"rest\"><on/><log columns=\"all\" hash=\"@person\"/></rule></rules>\
         <redaction>{patterns}</redaction></lodeConfig>"
    )
}

fn event(window_title: &str, element_name: &str) -> Captured {
    let text = |text: &str| Some(text.to_owned());
    let event = Event {
        event_type: EventType::LeftClick,
        seq: 1,
        user_name: text("muster"),
        machine_name: text("pc-4711.example.org"),
        custom1: text("Accounts payable"),
        process_name: text("excel.exe"),
        application: text("Microsoft Excel"),
        window_title: text(window_title),
        element_role: text("button"),
        element_name: text(element_name),
        element_id: text("FileSaveAs"),
        element_class: text("NetUIRibbonButton"),
        element_path: text("window/toolbar[Ribbon]/group[File]/button[FileSaveAs]"),
        element_box: Some([10, 20, 300, 40]),
        row_label: text("17"),
        column_label: text("B"),
        mouse_x: Some(17),
        mouse_y: Some(30),
        monitor: Some(0),
        dpi: Some(96),
        os: text("windows 11"),
        client_version: text("0.1.0"),
        ..Event::default()
    };
    event.into()
}

fn report(name: &str, captured: &Captured, work: impl Fn(Captured)) {
    let mut times: Vec<Duration> = (0..CALLS)
        .map(|_| {
            let captured = captured.clone();
            let start = Instant::now();
            work(captured);
            start.elapsed()
        })
        .collect();
    print(name, &mut times);
}

fn read(name: &str, work: impl Fn()) {
    let mut times: Vec<Duration> = (0..READS)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed()
        })
        .collect();
    print(name, &mut times);
}

fn print(name: &str, times: &mut [Duration]) {
    times.sort();
    let at = |hundredths: usize| times[(times.len() - 1) * hundredths / 100].as_nanos() as f64 / 1_000.0;
    println!("{name:<28} p50 {:>9.1} µs   p99 {:>9.1} µs", at(50), at(99));
}
