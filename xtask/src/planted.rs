//! `cargo xtask planted`: every bug that is put in on purpose, and the test that must find it.
//!
//! One build holds all bugs of the service, one all bugs of the client; `LODE_PLANTED` turns one on. A test that passes with its
//! bug is no evidence, so that counts as a failure here; and all of them must pass while no bug is turned on.

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
    /// The package whose feature `planted` puts it in: `server`, with what it is made of, or `agent`.
    package: &'static str,
    /// `lib` or `it`.
    target: &'static str,
    test: &'static str,
}

const fn bug(name: &'static str, promise: &'static str, target: &'static str, test: &'static str) -> Bug {
    Bug { name, promise, package: "server", target, test }
}

/// A bug of the client.
const fn client(name: &'static str, promise: &'static str, target: &'static str, test: &'static str) -> Bug {
    Bug { package: "agent", ..bug(name, promise, target, test) }
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
    bug("one-person-tells", "D6", "it", "analyses::d6_tq8_two_selections_that_differ_by_one_person_are_not_shown"),
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
    client(
        "title-before-program",
        "D1",
        "lib",
        "flow::tests::d1_nothing_of_a_window_that_is_not_allowed_is_ever_asked_for",
    ),
    client(
        "never-list-off",
        "D1",
        "lib",
        "flow::tests::d1_a_title_that_is_never_seen_and_one_that_cannot_be_read_close_the_window",
    ),
    client(
        "private-window-seen",
        "D1",
        "lib",
        "flow::tests::d1_private_windows_and_browsers_without_the_extension_are_not_seen",
    ),
    client(
        "page-not-compared",
        "D1",
        "lib",
        "flow::tests::pages::d1_a_browser_whose_page_is_hidden_foreign_or_already_another_is_not_looked_at",
    ),
    client(
        "secret-field-told",
        "D2",
        "lib",
        "flow::tests::d2_concealed_clipboards_cards_and_password_fields_leave_neither_length_nor_fingerprint",
    ),
    client(
        "unanswered-is-plain",
        "D2",
        "lib",
        "flow::tests::d2_concealed_clipboards_cards_and_password_fields_leave_neither_length_nor_fingerprint",
    ),
    client(
        "altgr-is-a-command",
        "D2",
        "lib",
        "flow::tests::d2_altgr_makes_text_and_typed_text_is_kept_only_where_a_rule_names_it",
    ),
    client(
        "letters-wait-always",
        "D2",
        "lib",
        "flow::tests::d2_letters_wait_only_behind_the_first_one_in_a_field_with_which_it_is_asked_which_field_that_is",
    ),
    client(
        "guessable-fingerprint",
        "D5",
        "lib",
        "flow::tests::d5_a_value_so_short_that_it_can_be_guessed_has_no_fingerprint",
    ),
    client(
        "picture-beside-secret",
        "D3",
        "lib",
        "flow::tests::d3_pictures_are_taken_for_the_rule_that_asks_and_never_beside_a_secret",
    ),
    client(
        "picture-at-first-sight",
        "D3",
        "lib",
        "flow::tests::d3_there_is_no_picture_of_a_window_that_may_not_be_seen_any_more_when_it_is_taken",
    ),
    client(
        "page-unmasked",
        "D3",
        "lib",
        "flow::tests::pages::d3_a_page_gives_a_picture_only_if_it_says_what_must_not_be_on_it",
    ),
    client(
        "shot-before-mask",
        "D3",
        "lib",
        "flow::tests::pages::d3_a_page_gives_a_picture_only_if_it_says_what_must_not_be_on_it",
    ),
    client(
        "moved-is-the-same",
        "D3",
        "lib",
        "screenshot::tests::an_unchanged_window_gives_no_second_picture_a_scrolled_text_does",
    ),
    client("pause-ignored", "D7", "lib", "standing::tests::d7_every_missing_condition_alone_ends_recording"),
    client(
        "zone-ignored",
        "D7",
        "lib",
        "standing::tests::a_schedule_in_another_zone_is_computed_there_and_an_unknown_zone_admits_nothing",
    ),
    client("consent-of-any-version", "D7", "lib", "home::tests::d7_a_word_about_another_version_of_the_text_is_none"),
    client(
        "recorded-after-the-end",
        "D7",
        "lib",
        "flow::tests::d7_not_one_event_after_the_stop_and_what_was_finished_is_kept",
    ),
    client(
        "old-word-holds",
        "D7",
        "lib",
        "agent::tests::d7_the_disk_is_read_twice_a_second_at_most_and_no_word_is_older_than_half_a_second",
    ),
    client("command-unheard", "D7", "lib", "agent::tests::d7_what_a_command_changed_is_read_at_once"),
    client(
        "deleted-comes-later",
        "D7",
        "it",
        "alone::p5_d7_what_was_typed_just_before_the_end_is_kept_and_just_before_a_deletion_is_deleted",
    ),
    client(
        "deleted-pictures-stay",
        "D7",
        "lib",
        "upload::pictures::tests::younger_pictures_wait_and_what_the_person_deletes_is_never_sent",
    ),
    client(
        "deleted-stays-in-log",
        "D7",
        "lib",
        "spool::tests::d7_the_last_hour_is_deleted_counted_and_gone_from_every_byte",
    ),
    client(
        "floor-ignored",
        "D12",
        "lib",
        "configuration::tests::d12_a_floor_narrows_and_one_with_errors_stops_everything",
    ),
    client("unreadable-floor-ignored", "D12", "it", "alone::d12_a_floor_that_cannot_be_opened_stops_recording"),
    client("spool-in-clear", "D13", "lib", "spool::tests::d13_what_lies_on_the_disk_tells_nothing"),
    client("readable-secret", "D13", "lib", "secrets::unix::tests::d13_a_secret_is_for_its_user_alone"),
    client(
        "signature-unchecked",
        "S4",
        "lib",
        "configuration::tests::s4_any_changed_byte_of_header_text_or_signature_is_refused",
    ),
    client(
        "accept-older-config",
        "S4",
        "lib",
        "configuration::tests::s4_a_configuration_signed_for_the_project_is_obeyed_an_older_one_never_again",
    ),
    client(
        "foreign-project-obeyed",
        "S4",
        "lib",
        "configuration::tests::tc12_what_is_signed_and_still_wrong_is_refused",
    ),
    client(
        "typing-error-sent",
        "S2",
        "lib",
        "enrol::tests::s2_every_typing_error_in_an_app_key_is_found_without_the_service",
    ),
    client("plain-http", "S12", "lib", "wire::tests::s12_plain_http_goes_to_this_machine_alone"),
    client(
        "bridge-trusts-length",
        "S13",
        "lib",
        "browser::relay::tests::s13_a_browser_that_lies_about_a_length_or_sends_half_a_message_is_an_error",
    ),
    client("bridge-trusts-length", "S13", "lib", "control::tests::s13_a_length_that_lies_allocates_nothing"),
    client("foreign-extension", "S13", "it", "alone::s13_only_our_extension_is_heard_and_only_from_a_browser"),
    client("any-program-a-browser", "S13", "it", "alone::s13_only_our_extension_is_heard_and_only_from_a_browser"),
    client(
        "page-without-bounds",
        "S13",
        "lib",
        "flow::tests::pages::p5_every_event_of_a_page_is_acknowledged_once_whatever_becomes_of_it",
    ),
    client(
        "page-taken-twice",
        "P2",
        "lib",
        "spool::tests::p2_an_event_of_a_page_is_known_when_it_comes_again_after_a_start_until_it_is_old",
    ),
    client("front-told-twice", "P2", "lib", "flow::tests::the_window_with_which_recording_begins_is_told_once"),
    client("spool-shared", "P2", "lib", "spool::tests::tc10_a_second_program_on_the_spool_is_told_so"),
    client(
        "skip-fsync",
        "P3",
        "it",
        "power::p3_tc3_a_power_cut_costs_the_last_second_and_nothing_that_was_kept_before",
    ),
    client(
        "sent-before-synced",
        "P3",
        "lib",
        "upload::tests::tc8_no_answer_loses_an_event_and_none_is_sent_twice_into_the_store",
    ),
    client("quota-off", "P4", "lib", "spool::tests::p4_room_is_made_oldest_first_counted_and_told"),
    client("full-queue-untold", "P5", "lib", "flow::tests::p5_a_burst_beyond_the_queue_is_counted_and_told"),
    client("parts-uncounted", "P5", "lib", "flow::tests::p5_every_raw_event_is_accounted_for_whatever_happens"),
    client("range-untold", "P5", "lib", "spool::tests::p5_a_range_that_grows_while_an_event_tells_of_it_is_told_again"),
    client(
        "panic-on-bad-spool",
        "P6",
        "lib",
        "spool::tests::tc5_whatever_lies_in_the_folder_the_spool_opens_and_saves_what_can_be_saved",
    ),
    client(
        "salvage-ends-at-damage",
        "P6",
        "lib",
        "spool::tests::tc5_of_the_rows_on_undamaged_pages_nineteen_in_twenty_are_saved",
    ),
    client(
        "any-answer-a-receipt",
        "P1",
        "lib",
        "upload::tests::tc8_no_answer_loses_an_event_and_none_is_sent_twice_into_the_store",
    ),
    client(
        "foreign-receipt",
        "P7",
        "lib",
        "upload::tests::tc8_no_answer_loses_an_event_and_none_is_sent_twice_into_the_store",
    ),
    client("retry-4xx-forever", "P7", "lib", "upload::tests::p7_one_bad_event_costs_itself_and_no_neighbour"),
    client("refused-is-gone", "P7", "lib", "upload::tests::p7_one_bad_event_costs_itself_and_no_neighbour"),
    client(
        "asks-for-ever",
        "P7",
        "lib",
        "upload::tests::p7_a_second_401_waits_and_keeps_everything_and_a_revoked_client_stops",
    ),
    client("sent-by-clock", "P8", "lib", "spool::tests::tc6_turning_the_wall_clock_reorders_and_deletes_nothing"),
    client("held-by-clock", "P8", "lib", "spool::tests::tc6_turning_the_wall_clock_reorders_and_deletes_nothing"),
    client("kept-by-own-clock", "P8", "lib", "spool::tests::tc6_turning_the_wall_clock_reorders_and_deletes_nothing"),
    client(
        "copy-keeps-epoch",
        "P8",
        "lib",
        "spool::tests::tc11_a_copied_spool_begins_a_new_epoch_and_keeps_what_waits",
    ),
    client(
        "clone-keeps-epoch",
        "P8",
        "lib",
        "upload::tests::tc11_a_detected_clone_sends_what_was_not_sent_under_a_new_epoch",
    ),
    client("waits-unspread", "P9", "lib", "upload::tests::tc8_waits_are_spread_bounded_and_as_long_as_asked"),
    client("retry-after-ignored", "P9", "lib", "upload::tests::tc8_waits_are_spread_bounded_and_as_long_as_asked"),
    client("backlog-first", "P10", "lib", "upload::tests::p10_after_days_offline_live_events_overtake_the_backlog"),
    client(
        "older-spool-set-aside",
        "P14",
        "lib",
        "spool::tests::a_spool_of_the_version_before_opens_with_all_that_is_in_it_and_its_pictures_stay",
    ),
    client(
        "secret-size-told",
        "D2",
        "lib",
        "flow::tests::secrets::d2_td2_no_secret_is_left_whatever_a_rule_does_to_a_column",
    ),
    client(
        "moved-while-taken",
        "D3",
        "lib",
        "flow::tests::screens::d3_td3_a_picture_shows_the_window_and_nothing_that_lies_over_it_or_is_secret_pixel_by_pixel",
    ),
    client(
        "focus-unasked",
        "D3",
        "lib",
        "flow::tests::screens::d3_td3_the_focus_that_comes_to_a_password_box_after_the_event_is_seen_before_the_picture",
    ),
    client(
        "counted-later",
        "P3",
        "lib",
        "upload::tests::abort::p3_tc2_a_program_that_ends_between_two_steps_keeps_what_it_had_and_sends_it_once",
    ),
    client(
        "share-ignored",
        "P10",
        "lib",
        "upload::tests::fleet::p4_p10_tc7_clients_that_come_back_together_lose_nothing_and_keep_to_their_share_and_what_happens_now_goes_first",
    ),
    client(
        "newer-spool-set-aside",
        "P14",
        "lib",
        "spool::tests::p14_tc13_an_older_spool_is_upgraded_with_all_that_waits_and_a_newer_one_is_refused_and_not_touched",
    ),
    client(
        "upgrade-in-steps",
        "P14",
        "it",
        "power::p14_tc13_an_upgrade_that_ends_anywhere_leaves_the_old_spool_or_the_new_one_with_all_that_waits",
    ),
    client("phone-home", "D11", "it", "contacts::d11_nobody_but_the_configured_service_is_ever_connected_or_sent_to"),
];

/// The packages in which bugs are planted: the one with the feature, what is built with it, and its program.
const BUILDS: [(&str, &[&str], &str); 2] = [("server", &["store", "uilog"], "lode"), ("agent", &[], "lode-agent")];

/// Builds the programs with all bugs and runs each one's test; `names` picks some, and what they need is built.
///
/// Errors: a test that passes although its bug is turned on, or fails although none is.
pub fn run(names: &[String]) -> Result<()> {
    let wanted: Vec<&Bug> =
        BUGS.iter().filter(|bug| names.is_empty() || names.iter().any(|name| name == bug.name)).collect();
    if wanted.is_empty() {
        bail!("there is no such bug; there are {}", BUGS.iter().map(|bug| bug.name).collect::<Vec<_>>().join(", "));
    }
    let mut wrong = Vec::new();
    for (package, others, binary) in BUILDS {
        let here: Vec<&&Bug> = wanted.iter().filter(|bug| bug.package == package).collect();
        if here.is_empty() {
            continue;
        }
        let postgres = (package == "server").then(test::Postgres::start).transpose()?;
        let url = postgres.as_ref().map(test::Postgres::url);
        let built = build(package, others)?;
        wrong.extend(here.into_iter().filter(|bug| !is_found(bug, &built, url.as_deref())).map(|bug| bug.name));
        // The program with bugs lies where the one without did.
        command::run(program("cargo").args(["build", "--quiet", "--package", package, "--bin", binary]))?;
    }
    let found = wanted.len() - wrong.len();
    println!("planted bugs: {found} passed, {} failed", wrong.len());
    if wrong.is_empty() { Ok(()) } else { bail!("not found: {}", wrong.join(", ")) }
}

/// Whether the bug's test passes without it and fails with it; says so.
fn is_found(bug: &Bug, built: &[TestProgram], postgres: Option<&str>) -> bool {
    let mut is_found = true;
    for (planted, must_pass) in [("", true), (bug.name, false)] {
        let passed = passes(bug, planted, built, postgres);
        let said = match (passed == must_pass, must_pass) {
            (true, true) => continue,
            (true, false) => "found by",
            (false, true) => "fails without any bug:",
            (false, false) => "NOT found by",
        };
        println!("{:24} {:4} {said} {}", bug.name, bug.promise, bug.test);
        is_found &= passed == must_pass;
    }
    is_found
}

/// A program of tests that was built.
struct TestProgram {
    /// `lib` or the name of the file of tests.
    target: String,
    program: PathBuf,
    /// The folder of its package, in which cargo would run it.
    folder: PathBuf,
}

/// One build of the tests of these packages, with all bugs in it. The programs are then run without cargo, which would look at every file
/// again for each of them.
fn build(package: &str, others: &[&str]) -> Result<Vec<TestProgram>> {
    let mut cargo = program("cargo");
    cargo.args(["test", "--quiet", "--package", package]);
    cargo.args(others.iter().flat_map(|other| ["--package", *other]));
    cargo.args(["--features", &format!("{package}/planted"), "--no-run", "--message-format", "json"]);
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

fn passes(bug: &Bug, planted: &str, built: &[TestProgram], postgres: Option<&str>) -> bool {
    built.iter().filter(|test| test.target == bug.target).all(|test| {
        let mut run = program(&test.program);
        run.args(["--exact", bug.test]).current_dir(&test.folder).env("CARGO_MANIFEST_DIR", &test.folder);
        run.env("LODE_PLANTED", planted);
        run.envs(postgres.map(|url| ("LODE_TEST_POSTGRES", url)));
        run.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    })
}
