//! Every configuration in `fixtures/configuration`: what is right is right for parser and XML Schema alike, what is wrong is
//! told as the file beside it says.

use std::path::{Path, PathBuf};
use std::process::Command;

use expect_test::expect_file;

use super::*;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/configuration")
}

/// The XML files of a folder, by name.
fn files(folder: &str) -> Vec<PathBuf> {
    let folder = super::fixtures::folder().join(folder);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "xml"));
    files.sort();
    assert!(!files.is_empty());
    files
}

fn name(file: &Path) -> String {
    file.file_name().unwrap().to_string_lossy().into_owned()
}

fn read(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// The problems of a file, as `lode config check` prints them.
fn listing(file: &Path, problems: &[Problem]) -> String {
    problems.iter().map(|problem| format!("{} [{}]\n", problem.in_file(&name(file)), problem.code)).collect()
}

#[test]
fn what_is_right_is_read_written_and_passes_its_own_tests() {
    for file in files(".") {
        let configuration = configuration(&read(&file));
        assert_eq!(configuration, super::configuration(&write(&configuration)), "{}", name(&file));
        for result in run_tests(&configuration).unwrap() {
            assert!(result.passed, "{}: {result:?}", name(&file));
        }
    }
}

#[test]
fn what_is_wrong_is_told_with_line_and_column() {
    for file in files("invalid") {
        let problems = parse(&read(&file)).expect_err(&name(&file));
        expect_file![file.with_extension("problems")].assert_eq(&listing(&file, &problems));
    }
}

#[test]
fn what_is_doubtful_is_told_too() {
    for file in files("doubtful") {
        let problems = check(&configuration(&read(&file)), None);
        expect_file![file.with_extension("problems")].assert_eq(&listing(&file, &problems));
    }
}

#[test]
fn floors_are_read() {
    for file in files("floor") {
        parse_floor(&read(&file)).unwrap_or_else(|problems| panic!("{}", listing(&file, &problems)));
    }
}

/// Problems that no single file shows: they need a limit to be passed, a machine, a clock or a revision before.
const NOT_IN_FILES: [&str; 5] =
    ["pattern_skipped", "validity", "consent_must_rise", "revision_must_rise", "other_project"];

#[test]
fn every_kind_of_problem_has_a_file_that_shows_it() {
    let mut shown: Vec<&str> = Vec::new();
    for file in files("invalid") {
        shown.extend(parse(&read(&file)).unwrap_err().iter().map(|problem| problem.code));
    }
    for file in files("doubtful") {
        shown.extend(check(&configuration(&read(&file)), None).iter().map(|problem| problem.code));
    }
    for (code, _) in CODES {
        assert_eq!(shown.contains(code), !NOT_IN_FILES.contains(code), "{code}");
    }
    assert!(shown.iter().all(|code| CODES.iter().any(|(known, _)| known == code)));
}

/// What only the parser sees: two places together, what must be compiled, ranges of sizes, and markup that a schema cannot
/// forbid.
const PARSER_ONLY: [&str; 22] = [
    "app-without-name.xml",
    "broken-regex.xml",
    "comparison-without-value.xml",
    "consent-only-of-pictures.xml",
    "consent-twice-in-a-language.xml",
    "deep.xml",
    "glob-too-wide.xml",
    "never-without-pattern.xml",
    "no-days.xml",
    "omitted-and-hashed.xml",
    "pictures-without-consent.xml",
    "processing-instruction.xml",
    "regex-too-large.xml",
    "regex-with-look-around.xml",
    "rule-named-otherwise.xml",
    "rule-twice.xml",
    "size-out-of-range.xml",
    "test-of-a-missing-rule.xml",
    "test-with-a-wrong-value.xml",
    "typed-text-without-consent.xml",
    "value-and-values.xml",
    "window-ends-before-it-begins.xml",
];

#[test]
fn the_xml_schema_and_the_parser_agree() {
    let schema = folder().join("../../schemas/lode-config-1.xsd");
    if Command::new("xmllint").arg("--version").output().is_err() {
        eprintln!("skipped: xmllint is not installed (Debian: libxml2-utils)");
        return;
    }
    let is_valid = |file: &Path| {
        let run =
            Command::new("xmllint").args(["--noout", "--nonet", "--schema"]).arg(&schema).arg(file).output().unwrap();
        assert!(matches!(run.status.code(), Some(0 | 1 | 3)), "{}", String::from_utf8_lossy(&run.stderr));
        run.status.success()
    };
    for file in files(".").into_iter().chain(files("doubtful")).chain(files("floor")) {
        assert!(is_valid(&file), "{}", name(&file));
    }
    let seen_by_parser_only: Vec<String> =
        files("invalid").into_iter().filter(|file| is_valid(file)).map(|file| name(&file)).collect();
    assert_eq!(seen_by_parser_only, PARSER_ONLY);
}
