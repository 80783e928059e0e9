//! `cargo xtask planted`: every bug that is put in on purpose, and the test that must find it.
//!
//! One build holds all bugs; `LODE_PLANTED` turns one on. A test that passes with its bug is no evidence, so that counts as
//! a failure here; and all of them must pass while no bug is turned on.

use crate::command::{self, program};
use crate::test;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// A bug, the promise it breaks, and the test that must find it.
struct Bug {
    name: &'static str,
    promise: &'static str,
    /// `lib` or `it`.
    target: &'static str,
    test: &'static str,
}

const fn bug(name: &'static str, promise: &'static str, target: &'static str, test: &'static str) -> Bug {
    Bug { name, promise, target, test }
}

const BUGS: &[Bug] = &[
    bug("ack-before-commit", "P1", "it", "harness::p1_p2_p5_what_a_fleet_was_told_is_stored_is_there_after_kill_9"),
    bug("commit-unsynced", "P1", "it", "harness::power::p1_p14_a_power_cut_costs_nothing_that_was_acknowledged"),
    bug(
        "broken-group-commits",
        "P1",
        "lib",
        "ingest::writer::tests::p1_a_connection_that_ends_in_the_middle_of_a_group_fails_all_of_it",
    ),
    bug("dedupe-off", "P2", "it", "harness::p2_p7_a_bad_network_loses_and_doubles_nothing"),
    bug("silent-drop", "P5", "it", "harness::p2_p7_a_bad_network_loses_and_doubles_nothing"),
    bug(
        "refused-on-full-disk",
        "P7",
        "it",
        "harness::power::p1_a_disk_that_is_full_or_broken_acknowledges_nothing_and_goes_on_afterwards",
    ),
    bug("places-without-end", "S7", "lib", "connections::tests::s7_who_finds_no_place_is_closed_until_somebody_leaves"),
    bug(
        "agent-takes-all",
        "P11",
        "lib",
        "client_api::admission::tests::p11_one_agent_leaves_room_for_others_however_much_it_sends",
    ),
    bug("unbounded-queue", "P9", "it", "harness::flood::p9_a_flood_is_told_when_to_come_back_and_loses_nothing"),
    bug("backup-undoes-erasure", "D8", "it", "harness::d8_a_backup_brings_nobody_back_who_was_erased_since"),
    bug("sort-by-clock", "P8", "it", "ingest::p8_a_clock_that_runs_backwards_changes_no_order"),
    bug(
        "unbounded-queue",
        "P9",
        "lib",
        "client_api::admission::tests::p9_bodies_beyond_the_budget_find_no_room_until_others_are_gone",
    ),
    bug("shared-quota", "P11", "lib", "client_api::limits::tests::p11_one_key_that_is_used_up_leaves_another_alone"),
    bug("stale-views", "P12", "it", "fleet::p12_what_a_desktop_sends_is_visible_within_ten_seconds_and_once"),
    bug("migrate-in-place", "P14", "it", "migration::p14_an_older_layout_becomes_this_one_and_a_copy_of_it_stays"),
    bug("job-writes-in-place", "P15", "it", "marts::p15_a_table_that_cannot_be_made_stays_the_one_before"),
    bug(
        "project-filter-off",
        "S1",
        "it",
        "permissions::s1_d10_every_operation_lets_in_whom_the_table_says_and_nobody_else",
    ),
    bug("key-never-expires", "S2", "it", "fleet::s2_a_key_enrols_nobody_after_its_last_day"),
    bug("token-not-rechecked", "S3", "it", "fleet::s3_a_revoked_client_is_out_within_five_seconds"),
    bug("admin-by-password", "S9", "it", "accounts::s9_an_admin_whom_a_stolen_password_would_be_manages_nothing"),
    bug("no-unpack-cap", "S5", "it", "fleet::s5_bombs_and_nonsense_are_refused_and_the_next_envelope_is_taken"),
    bug("store-original-png", "S6", "lib", "confined::pictures::tests::s6_what_is_kept_is_what_we_encoded"),
    bug("no-header-timeout", "S7", "it", "doors::s7_a_head_that_never_ends_is_closed"),
    bug(
        "job-sees-files",
        "S8",
        "lib",
        "confined::walls::tests::s8_behind_the_walls_there_is_no_file_no_network_and_no_new_program",
    ),
    bug("user-enumeration", "S9", "it", "accounts::s9_whoever_is_refused_learns_nothing"),
    bug("session-survives-logout", "S10", "it", "accounts::s10_a_copied_cookie_is_worth_nothing_after_logout"),
    bug("audit-unchained", "S11", "it", "accounts::s11_an_entry_that_was_written_anew_is_seen_at_the_one_after_it"),
    bug("picture-unrecorded", "S11", "it", "pictures::a_reported_picture_is_hidden_at_once_until_a_lead_decides"),
    bug("reported-stays", "S11", "it", "pictures::a_reported_picture_is_hidden_at_once_until_a_lead_decides"),
    bug(
        "cover-in-name-only",
        "S11",
        "it",
        "pictures::what_a_lead_paints_over_is_gone_from_the_picture_and_from_the_disk",
    ),
    bug("pictures-are-told", "S11", "it", "fleet::d6_sql_without_the_grant_raw_shows_no_group_below_the_minimum"),
    bug("http-fallback", "S12", "it", "accounts::s12_behind_a_proxy_only_encrypted_requests_are_taken"),
    bug("log-event-text", "S14", "it", "harness::s14_a_log_of_everything_holds_no_content"),
    bug("one-person-reident", "D4", "it", "privacy::d4_naming_a_person_takes_two_people_a_reason_and_leaves_a_trace"),
    bug("unkeyed-hash", "D5", "it", "fleet::d5_a_name_is_hashed_twice_and_the_first_hash_is_stored_nowhere"),
    bug("k-check-off", "D6", "it", "fleet::d6_sql_without_the_grant_raw_shows_no_group_below_the_minimum"),
    bug(
        "erase-skips-marts",
        "D8",
        "it",
        "ingest::d8_an_erased_agent_leaves_no_byte_anywhere_and_a_repetition_brings_nothing_back",
    ),
    bug("k-check-off", "D6", "it", "tasks::d6_a_way_that_too_few_people_work_is_neither_shown_nor_handed_on"),
    bug("subtraction-tells", "D6", "it", "analyses::d6_tq8_a_few_people_are_not_told_by_subtraction"),
    bug("picture-keys-stay", "D9", "it", "pictures::d8_d9_pictures_end_with_their_days_and_with_their_participant"),
    bug("local-clock-retention", "D9", "it", "ingest::d9_the_services_clock_ends_events_whatever_an_agents_clock_says"),
    bug(
        "dpo-sees-content",
        "D10",
        "it",
        "permissions::s1_d10_every_operation_lets_in_whom_the_table_says_and_nobody_else",
    ),
    bug("service-widens-floor", "D12", "lib", "policy::tests::properties::d12_under_a_floor_nothing_is_ever_wider"),
    bug(
        "wildcard-includes-text",
        "D2",
        "lib",
        "policy::columns::tests::d2_all_and_groups_never_mean_text_fingerprint_or_url",
    ),
];

/// Builds the program with all bugs and runs each one's test; `names` picks some.
///
/// Errors: a test that passes although its bug is turned on, or fails although none is.
pub fn run(names: &[String]) -> Result<()> {
    let wanted: Vec<&Bug> =
        BUGS.iter().filter(|bug| names.is_empty() || names.iter().any(|name| name == bug.name)).collect();
    if wanted.is_empty() {
        bail!("there is no such bug; there are {}", BUGS.iter().map(|bug| bug.name).collect::<Vec<_>>().join(", "));
    }
    let postgres = test::Postgres::start()?;
    let built = build()?;
    let mut wrong = Vec::new();
    for bug in &wanted {
        for (planted, must_pass) in [("", true), (bug.name, false)] {
            let passed = passes(bug, planted, &built, &postgres.url());
            let said = match (passed == must_pass, must_pass) {
                (true, true) => continue,
                (true, false) => "found by",
                (false, true) => "fails without any bug:",
                (false, false) => "NOT found by",
            };
            println!("{:24} {:4} {said} {}", bug.name, bug.promise, bug.test);
            if passed != must_pass {
                wrong.push(bug.name);
            }
        }
    }
    // The program with bugs lies where the one without did.
    command::run(program("cargo").args(["build", "--quiet", "--package", "server", "--bin", "lode"]))?;
    let found = wanted.len() - wrong.len();
    println!("planted bugs: {found} passed, {} failed", wrong.len());
    if wrong.is_empty() { Ok(()) } else { bail!("not found: {}", wrong.join(", ")) }
}

/// A program of tests that was built.
struct TestProgram {
    /// `lib` or the name of the file of tests.
    target: String,
    program: PathBuf,
    /// The folder of its package, in which cargo would run it.
    folder: PathBuf,
}

/// One build of everything, with all bugs in it. The programs are then run without cargo, which would look at every file
/// again for each of them.
fn build() -> Result<Vec<TestProgram>> {
    let mut cargo = program("cargo");
    cargo.args(["test", "--quiet", "--package", "server", "--package", "store", "--package", "uilog"]);
    cargo.args(["--features", "server/planted", "--no-run", "--message-format", "json"]);
    let output = cargo.stderr(Stdio::inherit()).output().context("cannot start cargo")?;
    if !output.status.success() {
        bail!("the tests with the planted bugs could not be built");
    }
    let messages = output.stdout.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok());
    Ok(messages.filter_map(|message: Value| test_program(&message)).collect())
}

/// The program that a message of cargo tells of, if it is one of tests.
fn test_program(message: &Value) -> Option<TestProgram> {
    let program = PathBuf::from(message["executable"].as_str()?);
    let folder = Path::new(message["manifest_path"].as_str()?).parent()?.to_owned();
    let kind = message["target"]["kind"][0].as_str()?;
    let target = if kind == "lib" { "lib" } else { message["target"]["name"].as_str()? };
    (message["profile"]["test"] == true).then(|| TestProgram { target: target.to_owned(), program, folder })
}

fn passes(bug: &Bug, planted: &str, built: &[TestProgram], postgres: &str) -> bool {
    built.iter().filter(|test| test.target == bug.target).all(|test| {
        let mut run = program(&test.program);
        run.args(["--exact", bug.test]).current_dir(&test.folder).env("CARGO_MANIFEST_DIR", &test.folder);
        run.env("LODE_PLANTED", planted).env("LODE_TEST_POSTGRES", postgres);
        run.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    })
}
