//! Discovery on published logs whose tasks are known: no worse than what was reached, one setting for all of them.

use std::collections::HashMap;
use std::path::Path;

use discovery::score::{Label, Scores, score};
use discovery::{Field, LogRow, Settings, UiLogBuilder, discover};

#[test]
fn the_recording_of_student_records_is_cut_as_published_or_better() {
    let scores = scores_of("leno-real/SR");
    assert!(scores.led <= 0.015 && scores.boundary_f1 >= 0.98 && scores.instances == 50, "{scores:?}");
}

#[test]
fn the_recording_of_reimbursements_is_cut_better_than_published() {
    let scores = scores_of("leno-real/RT");
    assert!(scores.led <= 0.002 && scores.boundary_f1 == 1.0 && scores.instances == 50, "{scores:?}");
}

#[test]
fn a_simulated_routine_done_again_and_again_is_cut_exactly() {
    for (log, instances) in [("cpn1", 100), ("cpn4", 100), ("cpn5", 1_000)] {
        let scores = scores_of(&format!("leno-cpn/{log}"));
        let exact = scores.led == 0.0 && scores.boundary_f1 == 1.0 && scores.instance_f1 == 1.0;
        assert!(exact && scores.instances == instances, "{log}: {scores:?}");
    }
}

#[test]
fn five_routines_in_any_order_are_found_under_noise() {
    for (noise, least) in [("0.1", 0.90), ("0.2", 0.85), ("0.4", 0.70)] {
        let scores = scores_of(&format!("cpn-mix/noise{noise}"));
        assert!(scores.instance_f1 >= least, "noise {noise}: {scores:?}");
    }
}

fn scores_of(name: &str) -> Scores {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let records = |kind: &str| -> Vec<csv::StringRecord> {
        let file = std::fs::File::open(folder.join(format!("{name}.{kind}.csv.zst"))).unwrap();
        let text = zstd::decode_all(file).unwrap();
        csv::Reader::from_reader(text.as_slice()).into_records().map(Result::unwrap).collect()
    };
    let (mut builder, mut classes, mut known) = (UiLogBuilder::default(), Vec::new(), HashMap::new());
    for record in records("events") {
        const FIELDS: [Field; 8] = [
            Field::Application,
            Field::EventType,
            Field::Screen,
            Field::Area,
            Field::Element,
            Field::Label,
            Field::Address,
            Field::Value,
        ];
        let fields: Vec<(Field, &str)> = FIELDS.iter().zip(3..).map(|(&field, at)| (field, &record[at])).collect();
        let time = chrono::DateTime::parse_from_rfc3339(&record[2]).unwrap();
        builder.push(LogRow { user: &record[1], time_us: Some(time.timestamp_micros()), fields: &fields });
        let next = known.len() as u32;
        let class: Vec<String> = (3..8).map(|at| record[at].to_string()).collect();
        classes.push(*known.entry(class).or_insert(next));
    }
    let mut instances = HashMap::new();
    let mut number = |text: &str| {
        let next = instances.len() as u32;
        (!text.is_empty()).then(|| *instances.entry(text.to_owned()).or_insert(next))
    };
    let label = |record: csv::StringRecord| number(&record[1]).map(|instance| Label { instance, task_type: 0 });
    let truth: Vec<Option<Label>> = records("truth").into_iter().map(label).collect();
    score(&classes, &truth, &discover(&builder.finish(), &Settings::default()).labels())
}
