//! Backups of a service that goes on: made because somebody asks, whole, and as good as the folder they were made of.

use crate::harness::Killed;
use crate::people::{House, Person, house};
use crate::pictures::{Study, png};
use crate::support::{lode, options, run, service_with};
use serde_json::{Value, json};
use server::backups::BackupPlan;
use server::serve::ServeOptions;
use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use store::control::members::{Grant, Role};
use uuid::Uuid;

const BACKUPS: &str = "/service/backups";

/// A study at a service whose backups go into a folder, and its administrator.
fn saved_in(folder: &Path, through: Option<&str>) -> (Study, Person) {
    let plan = BackupPlan { folder: folder.to_owned(), every_hours: 0, kept: 2, through: through.map(str::to_owned) };
    let options = ServeOptions { open: false, backups: Some(plan), ..options() };
    let study = Study::at(House { running: service_with(options) });
    let admin = study.house.person("admin", true);
    (study, admin)
}

/// Asks for a backup and waits for its end.
fn made(admin: &Person) -> Value {
    admin.post(BACKUPS, json!({})).expect(202);
    admin.until(BACKUPS, |answer| answer["progress"].is_null());
    admin.get(BACKUPS).expect(200)
}

#[test]
fn p14_a_backup_of_a_service_that_goes_on_brings_back_pictures_and_the_oldest_go() {
    let folder = tempfile::tempdir().unwrap();
    let backups = folder.path().join("backups");
    let (study, admin) = saved_in(&backups, None);
    let may = study.member("may", Role::Analyst, &[Grant::Pictures]);
    let (first, second) = (Uuid::new_v4(), Uuid::new_v4());
    assert_eq!(study.send(first, &png(40, 30, 7)).0, 200);
    let mut all = vec![made(&admin)["made"][0]["name"].as_str().unwrap().to_owned()];
    assert_eq!(study.send(second, &png(40, 30, 9)).0, 200);
    for _ in 0..2 {
        all.push(made(&admin)["made"][0]["name"].as_str().unwrap().to_owned());
    }
    let mut kept: Vec<String> =
        std::fs::read_dir(&backups).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    kept.sort();
    assert_eq!(kept, all[1..], "two are kept, and nothing else is there");
    assert_eq!(study.send(Uuid::new_v4(), &png(8, 8, 1)).0, 200, "the service goes on");

    let (archive, back) = (backups.join(&kept[1]), folder.path().join("back"));
    let restored = run(&back, &["restore", archive.to_str().unwrap()]);
    assert!(restored.status.success(), "{}", String::from_utf8_lossy(&restored.stderr));
    let again = Killed::start(&back, &[]);
    for (id, colour) in [(first, 7), (second, 9)] {
        let opened = again.client().get_with(&study.path(id, "/png"), &[&may.credential]);
        assert_eq!(opened.status, 200, "{id}: {}", opened.text());
        let mut pixels = vec![0; 40 * 30 * 3];
        let picture = std::io::Cursor::new(&opened.body);
        png::Decoder::new(picture).read_info().unwrap().next_frame(&mut pixels).unwrap();
        assert!(pixels.iter().all(|shade| *shade == colour), "{id}");
    }
}

#[test]
fn p14_a_backup_goes_through_the_program_that_was_named_and_whatever_fails_leaves_none() {
    let folder = tempfile::tempdir().unwrap();
    let backups = folder.path().join("backups");
    let (_study, admin) = saved_in(&backups, Some("gzip -1"));
    let answer = made(&admin);
    let name = answer["made"][0]["name"].as_str().unwrap();
    assert!(name.ends_with(".tar.zst.gzip"), "{answer}");
    let mut unpacking = Command::new("gzip");
    unpacking.arg("-dc").stdin(File::open(backups.join(name)).unwrap());
    assert_eq!(checked(&mut unpacking), "whole");

    let refusing = folder.path().join("refusing");
    let (_study, admin) = saved_in(&refusing, Some("head -c 100 >/dev/null; exit 3"));
    let answer = made(&admin);
    let told = answer["failure"]["message"].as_str().unwrap();
    assert!(told.contains("exit status: 3") || told.contains("Broken pipe"), "{answer}");
    assert_eq!(std::fs::read_dir(&refusing).unwrap().count(), 0, "something is left");
}

/// What `lode restore --check` says of what a program writes.
fn checked(program: &mut Command) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut unpacking = program.stdout(Stdio::piped()).spawn().unwrap();
    let checked = lode(folder.path(), &["--json", "restore", "--check", "-"])
        .stdin(unpacking.stdout.take().unwrap())
        .output()
        .unwrap();
    assert!(unpacking.wait().unwrap().success());
    let answer: Value = serde_json::from_slice(&checked.stdout).unwrap();
    answer["state"].as_str().unwrap().to_owned()
}

#[test]
fn a_folder_inside_the_data_folder_is_refused_and_without_one_it_is_said_how() {
    let house = house();
    let admin = house.person("admin", true);
    assert_eq!(admin.get(BACKUPS).expect(200)["folder"], Value::Null);
    let refused = admin.post(BACKUPS, json!({})).expect(409);
    assert!(refused.to_string().contains("--backups"), "{refused}");

    let folder = tempfile::tempdir().unwrap();
    let inside = folder.path().join("backups");
    let served = run(folder.path(), &["serve", "--listen", "127.0.0.1:0", "--backups", inside.to_str().unwrap()]);
    assert!(!served.status.success());
    assert!(String::from_utf8_lossy(&served.stderr).contains("outside the data folder"));
}
