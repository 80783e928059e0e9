//! Asking the person: what would be recorded, in the project's words and in plain facts, with accept and decline alike.
//!
//! The dialog is a short-lived program of its own (`lode-agent consent`), so that the client that runs stays small. It shows itself
//! by the first of these that works: `zenity`, `kdialog`, a window drawn by this program or by Windows, the terminal. Nothing is captured
//! before the person said yes to the version of the text that holds.

#[cfg(target_os = "linux")]
mod window;

use crate::home::{Consent, Home};
use std::io::{BufRead, IsTerminal, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use uilog::policy::Configuration;
use uilog::policy::model::{ConsentKind, UserAttribute};

/// What the person is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Version of the text.
    pub version: u32,
    /// The whole text.
    pub text: String,
}

/// Accept, decline, or no answer: the dialog was closed, or could not be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answered {
    /// Yes.
    Accepted,
    /// No.
    Declined,
    /// Nothing.
    Nothing,
}

/// The labels of the two buttons.
const ACCEPT: &str = "Accept";
const DECLINE: &str = "Decline";

/// The question of a configuration, in the language of the user where the project wrote it.
pub fn question(configuration: &Configuration, language: &str) -> Question {
    let text_of = |kind: ConsentKind| {
        let texts = || configuration.consent.texts.iter().filter(|text| text.kind == kind);
        let in_language = texts().find(|text| text.lang.split('-').next() == Some(language));
        in_language.or_else(|| texts().find(|text| text.lang.starts_with("en"))).or_else(|| texts().next())
    };
    let mut parts: Vec<String> = Vec::new();
    for kind in [ConsentKind::Text, ConsentKind::Pictures, ConsentKind::Typed] {
        parts.extend(text_of(kind).map(|text| text.text.trim().to_owned()));
    }
    parts.push(scope(configuration));
    parts.push("You can pause or stop at any time without giving a reason, see what was captured, and delete it before it is sent.".into());
    Question { version: configuration.consent.version, text: parts.join("\n\n") }
}

/// What the configuration allows, as facts: made from the rules, not from what anybody wrote about them.
fn scope(configuration: &Configuration) -> String {
    let mut apps: Vec<&str> = configuration
        .allow
        .apps
        .iter()
        .flat_map(|app| app.processes.iter().chain(&app.app_ids))
        .map(String::as_str)
        .collect();
    apps.sort_unstable();
    apps.dedup();
    let sites: Vec<&str> =
        configuration.allow.apps.iter().flat_map(|app| &app.sites).map(|site| site.host.as_str()).collect();
    let mut text = format!("Recorded only in: {}.", if apps.is_empty() { "nothing".into() } else { apps.join(", ") });
    if !sites.is_empty() {
        text.push_str(&format!(" In browsers only: {}.", sites.join(", ")));
    }
    let logs = || configuration.rules.iter().filter_map(|rule| rule.action.log());
    let typed = logs().any(|log| log.columns.names(uilog::column::ColumnId::Text));
    text.push_str(if configuration.screenshots.enabled { " Pictures: yes." } else { " Pictures: no." });
    text.push_str(if typed { " What you type: in some fields." } else { " What you type: no." });
    let days: Vec<String> = configuration
        .schedules
        .iter()
        .flat_map(|schedule| &schedule.windows)
        .map(|window| {
            format!(
                "{:02}:{:02}–{:02}:{:02}",
                window.from_min / 60,
                window.from_min % 60,
                window.to_min / 60,
                window.to_min % 60
            )
        })
        .collect();
    text.push_str(&format!(" Times: {}.", days.join(", ")));
    text
}

/// Keeps what the person said.
///
/// Errors: the disk.
pub fn keep(home: &Home, version: u32, accepted: bool, custom: [Option<String>; 5], at_us: i64) -> std::io::Result<()> {
    home.set_consent(&Consent { version, accepted, at_us, custom })
}

/// Opens the dialog in a program of its own.
pub fn open_dialog(data: &Path) {
    let Ok(program) = std::env::current_exe() else { return };
    let started = Command::new(program).arg("--data").arg(data).arg("consent").stdin(Stdio::null()).spawn();
    if let Ok(mut dialog) = started {
        // Whoever starts a program waits for it, or it stays in the table of processes.
        let _ = std::thread::Builder::new().name("lode-consent".into()).spawn(move || dialog.wait());
    }
}

/// Asks, by the first way that works here.
pub fn ask(question: &Question) -> Answered {
    let ways: [fn(&Question) -> Option<Answered>; 4] = [ask_zenity, ask_kdialog, ask_window, ask_terminal];
    ways.into_iter().find_map(|way| way(question)).unwrap_or(Answered::Nothing)
}

const TITLE: &str = "Lode: may your work be recorded?";

fn ask_zenity(question: &Question) -> Option<Answered> {
    std::env::var_os("DISPLAY").or_else(|| std::env::var_os("WAYLAND_DISPLAY"))?;
    let text = format!("--text={}", question.text.replace('&', "&amp;").replace('<', "&lt;"));
    let arguments = [
        "--question",
        "--width=640",
        &format!("--title={TITLE}"),
        &text,
        &format!("--ok-label={ACCEPT}"),
        &format!("--cancel-label={DECLINE}"),
    ]
    .map(str::to_owned);
    by_program("zenity", &arguments)
}

fn ask_kdialog(question: &Question) -> Option<Answered> {
    std::env::var_os("DISPLAY").or_else(|| std::env::var_os("WAYLAND_DISPLAY"))?;
    let arguments = ["--title", TITLE, "--yes-label", ACCEPT, "--no-label", DECLINE, "--yesno", &question.text];
    by_program("kdialog", &arguments.map(str::to_owned))
}

/// Exit 0 is yes, 1 is no, everything else nothing.
fn by_program(program: &str, arguments: &[String]) -> Option<Answered> {
    let ended = Command::new(program).args(arguments).stderr(Stdio::null()).status().ok()?;
    match ended.code() {
        Some(0) => Some(Answered::Accepted),
        Some(1) => Some(Answered::Declined),
        _ => None,
    }
}

#[cfg(target_os = "linux")]
fn ask_window(question: &Question) -> Option<Answered> {
    window::ask(TITLE, &question.text, [ACCEPT, DECLINE])
}

#[cfg(windows)]
fn ask_window(question: &Question) -> Option<Answered> {
    let text = format!("{}\n\nYes: {ACCEPT}. No: {DECLINE}.", question.text);
    crate::win32::dialog::yes_or_no(TITLE, &text)
        .map(|is_accepted| if is_accepted { Answered::Accepted } else { Answered::Declined })
}

#[cfg(not(any(target_os = "linux", windows)))]
fn ask_window(_question: &Question) -> Option<Answered> {
    None
}

fn ask_terminal(question: &Question) -> Option<Answered> {
    if !std::io::stdin().is_terminal() {
        return None;
    }
    println!("{TITLE}\n\n{}\n", question.text);
    print!("Type accept or decline: ");
    std::io::stdout().flush().ok()?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).ok()?;
    match line.trim().to_lowercase().as_str() {
        "accept" => Some(Answered::Accepted),
        "decline" => Some(Answered::Declined),
        _ => Some(Answered::Nothing),
    }
}

/// The project's questions that must be answered and were not.
pub fn open_questions<'a>(configuration: &'a Configuration, custom: &[Option<String>; 5]) -> Vec<&'a UserAttribute> {
    let position = |attribute: &UserAttribute| {
        attribute.column.column().name.trim_start_matches("custom").parse::<usize>().unwrap_or(1) - 1
    };
    let is_open =
        |attribute: &&UserAttribute| attribute.required && custom.get(position(attribute)).is_none_or(Option::is_none);
    configuration.user_attributes.iter().filter(is_open).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d7_the_question_says_what_the_rules_allow_whatever_the_text_says() {
        let xml = crate::configuration::tests::xml(1, "excel.exe sap.exe", r#"<screenshots enabled="true"/>"#);
        let question = question(&uilog::policy::parse(&xml).unwrap(), "de");
        for fact in [
            "We record clicks.",
            "And pictures.",
            "excel.exe, sap.exe",
            "Pictures: yes",
            "What you type: no",
            "pause or stop",
        ] {
            assert!(question.text.contains(fact), "{fact} is not in: {}", question.text);
        }
    }
}
