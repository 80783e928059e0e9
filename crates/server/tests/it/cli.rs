//! The command line as a person uses it: numbers of the real recordings, and exit codes that scripts rely on.

use crate::people::{Person, house};
use crate::support::{fixture, lode, number, open, plain_log, run, run_json};
use serde_json::json;
use std::path::Path;
use store::control::members::{Grant, Role};

fn exit_code(folder: &Path, arguments: &[&str]) -> i32 {
    run(folder, arguments).status.code().unwrap()
}

#[test]
fn the_real_recordings_come_in_whole_and_only_once() {
    let folder = tempfile::tempdir().unwrap();
    let logs = [("Reimbursement.csv.zst", 4_591), ("StudentRecord.csv.zst", 2_409)];
    for (name, rows) in logs {
        let path = fixture("sample-data/leno-real").join(name);
        for (state, stored) in [("done", rows), ("duplicate", 0)] {
            let arguments = ["import", path.to_str().unwrap(), "--project", "leno", "--no-jobs"];
            let (code, answer) = run_json(folder.path(), &arguments);
            let import = &answer["imports"][0];
            assert_eq!(
                (code, &import["state"], &import["rows_stored"]),
                (0, &json!(state), &json!(stored)),
                "{answer}"
            );
            assert_eq!((&import["rows_rejected"], &import["format"]), (&json!(0), &json!("leno")), "{answer}");
            if state == "done" {
                assert_eq!(import["rows_read"], rows);
            }
        }
    }
    assert_eq!(number(folder.path(), "leno", "SELECT count(*) FROM events"), 4_591 + 2_409);
}

#[test]
fn a_file_with_broken_rows_brings_the_good_ones_and_exits_6() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("broken.csv");
    std::fs::copy(fixture("import/broken.csv"), &log).unwrap();
    let data = folder.path().join("data");
    let (code, answer) = run_json(&data, &["import", log.to_str().unwrap(), "--project", "broken"]);
    let import = &answer["imports"][0];
    let (read, stored) = (import["rows_read"].as_i64().unwrap(), import["rows_stored"].as_i64().unwrap());
    assert_eq!((code, read - stored, &import["rows_rejected"]), (6, 6, &json!(6)), "{answer}");
    assert!(stored > 0);
    assert_eq!(number(&data, "broken", "SELECT count(*) FROM events"), stored);
    let rejects = csv::Reader::from_path(folder.path().join("broken.csv.rejects.csv")).unwrap().into_records();
    assert_eq!(rejects.flatten().filter(|reject| !reject[0].is_empty() && !reject[1].is_empty()).count(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn exit_codes_tell_what_was_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let (data, log) = (folder.path().join("data"), folder.path().join("log.csv"));
    std::fs::write(&log, plain_log(0..1, 20)).unwrap();
    let log = log.to_str().unwrap();
    assert_eq!(exit_code(&data, &["import", log, "--project", "orders"]), 0);
    assert_eq!(exit_code(&data, &["doctor"]), 0);
    for (code, arguments) in [
        (2, vec!["sql", "SELECT 1"]),
        (2, vec!["no-such-command"]),
        (3, vec!["sql", "SELECT 1", "--project", "nobody"]),
        (3, vec!["export", "--project", "nobody", "--format", "csv", "--out", "out.csv"]),
        (3, vec!["job", "run", "--project", "nobody"]),
        (3, vec!["job", "run", "--project", "orders", "nothing"]),
        (3, vec!["project", "erase", "orders", "--user", "nobody"]),
        (3, vec!["import", "no such file.csv", "--project", "orders"]),
        (5, vec!["sql", "SELECT nothing FROM events", "--project", "orders"]),
        (5, vec!["sql", "DROP TABLE events", "--project", "orders"]),
        (1, vec!["project", "delete", "orders"]),
        (1, vec!["serve", "--listen", "0.0.0.0:0"]),
        (8, vec!["restore", "--check", log]),
    ] {
        assert_eq!(exit_code(&data, &arguments), code, "{arguments:?}");
    }
    assert_eq!(exit_code(&folder.path().join("new"), &["restore", "no such archive.tar.zst"]), 3);
    let wrong = run(&data, &["sql", "SELECT user_name,\n  usr\nFROM events", "--project", "orders"]);
    let said = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert!(said.contains("line 2:   usr\n") && said.contains('^'), "{said}");

    let broken = folder.path().join("broken.sql");
    std::fs::write(&broken, "-- Broken.\n-- reads: events\nSELECT CAST('x' AS BIGINT) AS n FROM events").unwrap();
    assert_eq!(exit_code(&data, &["job", "put", "--project", "orders", "own", broken.to_str().unwrap()]), 0);
    assert_eq!(exit_code(&data, &["job", "run", "--project", "orders"]), 7);
    assert_eq!(exit_code(&data, &["doctor"]), 8, "a job that fails is not well");

    let owner = open(&data).await;
    assert_eq!(exit_code(&data, &["project", "list"]), 4);
    drop(owner);
}

#[test]
fn a_data_folder_may_be_named_from_where_one_stands() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("log.csv"), plain_log(0..2, 20)).unwrap();
    let here = |arguments: &[&str]| {
        let asked = lode(Path::new("data"), arguments).current_dir(folder.path()).output().unwrap();
        assert!(asked.status.success(), "{}", String::from_utf8_lossy(&asked.stderr));
        String::from_utf8(asked.stdout).unwrap()
    };
    here(&["import", "log.csv", "--project", "orders"]);
    assert!(here(&["sql", "SELECT count(*) AS n FROM events", "--project", "orders"]).contains("40"));
}

#[test]
fn p14_an_archive_comes_back_with_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let (data, log) = (folder.path().join("data"), folder.path().join("log.csv"));
    let archive = folder.path().join("saved.tar.zst");
    let archive = archive.to_str().unwrap();
    std::fs::write(&log, plain_log(0..2, 20)).unwrap();
    assert_eq!(exit_code(&data, &["import", log.to_str().unwrap(), "--project", "orders"]), 0);
    assert_eq!(exit_code(&data, &["backup", archive]), 0);
    assert_eq!(exit_code(&data, &["restore", "--check", archive]), 0);
    let back = folder.path().join("back");
    assert_eq!(exit_code(&back, &["restore", archive]), 0);
    assert_eq!(exit_code(&back, &["doctor"]), 0);
    assert_eq!(
        number(&back, "orders", "SELECT count(*) FROM int_labeled_events"),
        number(&data, "orders", "SELECT count(*) FROM int_labeled_events")
    );
    assert_eq!(exit_code(&data, &["restore", archive]), 1, "a folder with data was overwritten");
}

#[test]
fn d8_an_erased_persons_rejected_rows_go_too() {
    let folder = tempfile::tempdir().unwrap();
    let (data, log) = (folder.path().join("data"), folder.path().join("log.csv"));
    let broken = "20,canary-name,never,Excel,copyCell,a.xlsx,Sheet1,B2,,,canary-value,,\n";
    std::fs::write(&log, plain_log(0..2, 20) + broken).unwrap();
    assert_eq!(exit_code(&data, &["import", log.to_str().unwrap(), "--project", "orders"]), 6);
    assert!(data.join("rejects").read_dir().unwrap().count() == 1, "no row was rejected");
    assert_eq!(exit_code(&data, &["project", "erase", "orders", "--user", "user0"]), 0);
    assert_eq!(
        data.join("rejects").read_dir().unwrap().count(),
        0,
        "rows of people whom nobody can tell are still there"
    );
}

#[test]
fn tasks_of_a_recording_are_found_and_every_row_of_it_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let log = fixture("sample-data/leno-real/Reimbursement.csv.zst");
    let out = |name: &str| folder.path().join(name);
    let discover = || {
        let (segments, page) = (out("segments.csv"), out("tasks.html"));
        let arguments = ["discover", log.to_str().unwrap(), "--segments", segments.to_str().unwrap()];
        let (code, report) = run_json(folder.path(), &[&arguments[..], &["--html", page.to_str().unwrap()]].concat());
        assert_eq!(code, 0, "{report}");
        (report, std::fs::read_to_string(segments).unwrap(), std::fs::read_to_string(page).unwrap())
    };
    let (report, segments, page) = discover();
    let rows: Vec<&str> = segments.lines().skip(1).collect();
    assert_eq!(rows.len() as u64, report["rows"].as_u64().unwrap());
    assert!(rows.iter().enumerate().all(|(row, line)| line.starts_with(&format!("{row},"))), "a row is missing");
    let tasks = report["tasks"].as_array().unwrap();
    assert!(!tasks.is_empty() && tasks[0]["instances"].as_u64().unwrap() > 10, "{report}");
    assert!(page.contains(tasks[0]["name"].as_str().unwrap()) && !page.contains("<script"), "{page}");
    assert_eq!(discover().1, segments, "the same log gave another answer");
}

#[test]
fn a_row_that_cannot_be_read_keeps_its_place_among_the_segments() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let mut log = plain_log(0..1, 60);
    log.push_str("60,user0,no time at all,Excel,copy,,,,,,,,\n");
    log.push_str("61,user0,2026-01-05T09:00:00.000Z,Excel,copyCell,,,,,,,,\n");
    std::fs::write(path("log.csv"), log).unwrap();
    let (code, report) = run_json(folder.path(), &["discover", &path("log.csv"), "--segments", &path("out.csv")]);
    assert_eq!((code, &report["rejected"], &report["rows"]), (6, &json!(1), &json!(62)), "{report}");
    let segments = std::fs::read_to_string(path("out.csv")).unwrap();
    assert!(segments.contains("\n60,,\n61,"), "{segments}");
    assert_eq!(run_json(folder.path(), &["discover", &path("nothing.csv")]).0, 3);
}

#[test]
fn a_service_is_asked_like_a_folder_under_the_rights_of_a_token() {
    let house = house();
    let ann = house.person("ann", false);
    let project = house.project("Orders");
    house.join(&project, &ann, Role::Lead, &[Grant::Raw]);
    ann.import(&project, "log.csv", &plain_log(0..2, 10));
    let (folder, token) = (tempfile::tempdir().unwrap(), ann.token(None));
    let none = folder.path().join("none");
    let ask = |arguments: &[&str]| at_service(&ann, &none, arguments, &token);

    let question = "SELECT user_name, count(*) AS n FROM events GROUP BY 1 ORDER BY 1";
    let asked = ["sql", question, "--project", "orders"];
    assert_eq!(ask(&asked), (0, "user_name,n\nuser0,10\nuser1,10\n".into(), String::new()));
    assert_eq!(ask(&["sql", question, "--project", "orders", "--limit", "1"]).1, "user_name,n\nuser0,10\n");
    let (code, answer, _) = ask(&["sql", question, "--project", "orders", "--json"]);
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
    assert_eq!((code, &answer["rows"]), (0, &json!([["user0", 10], ["user1", 10]])));

    let file = folder.path().join("own.sql");
    std::fs::write(&file, "-- How many.\n-- reads: events\nSELECT count(*) AS n FROM events").unwrap();
    let put = ["job", "put", "--project", "orders", "own", file.to_str().unwrap(), "--schedule", "manual"];
    assert_eq!(ask(&put).0, 0);
    let listed = ask(&["job", "list", "--project", "orders"]).1;
    assert!(listed.lines().any(|line| line.starts_with("own ") && line.contains("How many.")), "{listed}");
    assert_eq!(ask(&["job", "run", "--project", "orders", "own"]).0, 0);
    ann.until(&format!("/projects/{project}/runs?job=own"), |answer| answer["runs"][0]["state"] == "done");
    assert!(ask(&["job", "history", "--project", "orders", "--job", "own"]).1.contains("done"));
    assert_eq!(ask(&["sql", "SELECT n FROM own", "--project", "orders"]).1, "n\n20\n");
    assert_eq!(ask(&["job", "remove", "--project", "orders", "own"]).0, 0);

    let (code, _, said) = ask(&["sql", "SELECT nothing FROM events", "--project", "orders"]);
    assert!(code == 5 && said.contains("nothing") && said.contains("(line 1)"), "{code} {said}");
    assert_eq!(ask(&["sql", question, "--project", "nobody"]).0, 3);
    let (code, _, said) = at_service(&ann, &none, &asked, "lodet_guessed");
    assert!(code == 1 && !said.contains("guessed"), "{code} {said}");
    assert!(at_service(&ann, &none, &asked, "").2.contains("LODE_TOKEN"));
    for here in [&["doctor"][..], &["project", "compact", "orders"]] {
        let (code, _, said) = ask(here);
        assert!(code == 1 && said.contains("leave --server"), "{code} {said}");
    }
    assert!(!none.exists(), "a data folder was made");
}

#[test]
fn logs_travel_to_a_service_and_from_it_under_the_rights_of_a_token() {
    let house = house();
    let ann = house.person("ann", false);
    let (folder, token) = (tempfile::tempdir().unwrap(), ann.token(None));
    let none = folder.path().join("none");
    let ask = |arguments: &[&str]| at_service(&ann, &none, arguments, &token);
    let [log, out] = ["broken.csv", "out.csv"].map(|name| folder.path().join(name).to_str().unwrap().to_owned());
    std::fs::copy(fixture("import/broken.csv"), &log).unwrap();

    let import = ["import", &log, "--project", "New work"];
    let (code, said, errors) = ask(&import);
    assert!(code == 6 && said.contains("6 rejected") && said.contains("line "), "{code} {said} {errors}");
    let rejects = csv::Reader::from_path(format!("{log}.rejects.csv")).unwrap().into_records();
    assert_eq!(rejects.flatten().filter(|reject| !reject[0].is_empty() && !reject[1].is_empty()).count(), 6);
    let (code, said, _) = ask(&[&import[..], &["--json"]].concat());
    let said: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!((code, &said["project"], &said["imports"][0]["state"]), (0, &json!("new-work"), &json!("duplicate")));
    let (code, _, said) = ask(&["import", &out, "--project", "new-work"]);
    assert!(code == 3 && said.contains("out.csv"), "{code} {said}");
    assert!(ask(&["project", "list"]).1.starts_with("new-work "));
    assert_eq!(ask(&["project", "create", "Second"]).1, "second\n");

    let export = ["export", "--project", "new-work", "--format", "csv", "--out", &out];
    let (code, _, said) = ask(&export);
    assert!(code != 0 && !said.is_empty(), "{code} {said}");
    let left = std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap().file_name()).collect::<Vec<_>>();
    assert_eq!(left.len(), 2, "something was left of a refused export: {left:?}");
    let project = ann.get("/projects/new-work").expect(200);
    house.join(project["id"].as_str().unwrap(), &ann, Role::Lead, &[Grant::Raw]);
    assert_eq!(ask(&export).0, 0);
    assert_eq!(
        csv::Reader::from_path(&out).unwrap().into_records().count() as u64,
        project["events"].as_u64().unwrap()
    );
}

/// What the command line says at `person`'s service: exit code, output, errors. `none` is a data folder that it must not make.
fn at_service(person: &Person, none: &Path, arguments: &[&str], token: &str) -> (i32, String, String) {
    let mut command = lode(none, arguments);
    command.env("LODE_SERVER", format!("http://{}", person.client.0)).env("LODE_TOKEN", token);
    let output = command.output().unwrap();
    let [said, errors] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    (output.status.code().unwrap(), said, errors)
}
