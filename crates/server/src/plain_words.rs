//! What a configuration records and what it does not, in sentences for the people who are recorded.
//!
//! Each sentence follows from the configuration; nothing here is a promise that the client does not keep.

use std::time::Duration;
use uilog::column::ColumnId;
use uilog::policy::Configuration;
use uilog::policy::words::Scope;

/// Sentences, the most important first.
pub fn plain_words(configuration: &Configuration) -> Vec<String> {
    let mut words = Vec::new();
    let programs: Vec<&str> = configuration
        .allow
        .apps
        .iter()
        .flat_map(|app| app.processes.iter().chain(&app.app_ids))
        .map(String::as_str)
        .collect();
    words.push(match programs.as_slice() {
        [] => "Nothing is recorded: no application is allowed.".into(),
        programs => format!("Only while one of these programs is in front: {}.", programs.join(", ")),
    });
    let sites: Vec<&str> =
        configuration.allow.apps.iter().flat_map(|app| &app.sites).map(|site| site.host.as_str()).collect();
    if !sites.is_empty() {
        words.push(format!("In browsers only these sites: {}. Other pages are not even seen.", sites.join(", ")));
    }
    words.push(
        "Everything else does not exist for the client: no title, no address, only a count without a name.".into(),
    );
    words.push("Passwords, payment fields, private windows and password managers are never recorded.".into());
    words.push(typed_text(configuration));
    words.push(pictures(configuration));
    words.push(person(configuration));
    for window in configuration.schedules.iter().flat_map(|schedule| &schedule.windows) {
        words.push(format!(
            "Recording runs {} from {} to {}.",
            days(window),
            clock(window.from_min),
            clock(window.to_min)
        ));
    }
    words.push("You can pause at any time without giving a reason, stop for good, look at what was recorded, and delete the last hour before it is sent.".into());
    if !configuration.upload.hold.is_zero() {
        words.push(format!("Nothing leaves your machine before {} have passed.", span(configuration.upload.hold)));
    }
    words
}

fn typed_text(configuration: &Configuration) -> String {
    let rules = logging_rules(configuration).filter(|(_, log)| log.columns.names(ColumnId::Text));
    let names: Vec<&str> = rules.map(|(name, _)| name).collect();
    match names.as_slice() {
        [] => "What you type is not kept: only how many characters a field received.".into(),
        names => format!("What you type is kept only where these rules apply: {}.", names.join(", ")),
    }
}

fn pictures(configuration: &Configuration) -> String {
    let rules = logging_rules(configuration).filter(|(_, log)| log.screenshot != Scope::None);
    let names: Vec<&str> = rules.map(|(name, _)| name).collect();
    if !configuration.screenshots.enabled || names.is_empty() {
        return "No pictures of your screen are taken.".into();
    }
    format!(
        "Pictures of allowed windows are taken where these rules apply: {}. Every other window in them is painted over.",
        names.join(", ")
    )
}

fn person(configuration: &Configuration) -> String {
    let named = logging_rules(configuration).any(|(_, log)| {
        [ColumnId::UserName, ColumnId::MachineName]
            .into_iter()
            .any(|column| log.columns.names(column) && !log.hash.names(column))
    });
    if named {
        "Your user name or the name of your machine is sent in clear by at least one rule.".into()
    } else {
        "Your name is not sent: it is replaced by a code before it leaves your machine, and by another one at the service.".into()
    }
}

fn logging_rules(configuration: &Configuration) -> impl Iterator<Item = (&str, &uilog::policy::model::Log)> {
    let rules = configuration.rules.iter().map(|rule| (rule.name.as_str(), &rule.action));
    rules
        .chain([("everything else", &configuration.otherwise)])
        .filter_map(|(name, action)| Some((name, action.log()?)))
}

fn days(window: &uilog::policy::model::Window) -> String {
    const NAMES: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
    let named: Vec<&str> = (0..7).filter(|day| window.days.contains(*day)).map(|day| NAMES[day]).collect();
    if named.len() == 7 { "every day".into() } else { format!("on {}", named.join(", ")) }
}

fn clock(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

fn span(duration: Duration) -> String {
    let minutes = duration.as_secs().div_ceil(60);
    if minutes.is_multiple_of(60) { format!("{} hours", minutes / 60) } else { format!("{minutes} minutes") }
}
