//! Every test of a job beside its SQL is run.

use server::jobs::check::check_file;
use std::path::{Path, PathBuf};

fn tests_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(tests_below(&path));
        } else if path.extension().is_some_and(|ending| ending == "slt") {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn every_job_gives_the_rows_that_its_test_names() {
    let tests = tests_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../jobs"));
    assert!(tests.len() >= 13, "the tests of jobs are not where they were: {tests:?}");
    let mut failures = Vec::new();
    for test in tests {
        if let Err(error) = check_file(&test, false).await {
            failures.push(format!("{}\n{error:#}", test.display()));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}
