//! Configurations to start from: what the wizard fills in, in a standard form and in one that a works council can accept.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::model::*;
use super::parse::parse;
use super::problem::{At, Problem};
use super::value;
use super::vocabulary::Columns;

/// How careful a configuration is from the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// What most projects begin with: window, page and element, no text, no pictures.
    #[default]
    Standard,
    /// For companies with a works council: no titles in clear, no idle times, no signs of who was when away, an hour in
    /// which participants can delete.
    WorksCouncil,
}

/// What the wizard asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateInput {
    /// The project.
    pub project: Uuid,
    /// Executables, in lower case.
    pub applications: Vec<String>,
    /// Hosts of pages; with one, browsers are allowed on these pages only.
    pub sites: Vec<String>,
    /// When recording ends, in seconds since 1970-01-01T00:00:00 UTC.
    pub valid_until_s: i64,
    /// Consent texts: language and text.
    pub texts: Vec<(String, String)>,
}

/// The browsers that sites are opened in.
const BROWSERS: &str = "chrome.exe msedge.exe chrome chromium msedge";

/// The name of the rule that logs.
const RULE: &str = "allowed work";

/// A configuration of revision 1, filled in; it has every default but what the preset says.
///
/// Errors: problems with what was filled in, such as a host that is none. They have no place in a file.
pub fn template(preset: Preset, input: &TemplateInput) -> Result<Configuration, Vec<Problem>> {
    let mut configuration = bare(input)?;
    configuration.allow.apps = apps(input)?;
    configuration.rules = vec![Rule {
        name: RULE.to_owned(),
        description: String::new(),
        on: On { events: vec![EventWord::All], except: Vec::new() },
        when: None,
        action: Action::Log(log(preset)),
        at: At::default(),
    }];
    match preset {
        Preset::Standard => {}
        Preset::WorksCouncil => {
            configuration.capture.idle_after = Duration::ZERO;
            configuration.capture.hover_lookup = false;
            configuration.extension.value_length = ValueLength::Off;
            configuration.redaction.builtins = vec![Builtin { patterns: all_patterns(), columns: None }];
            configuration.upload.hold = Duration::from_secs(60 * 60);
            configuration.storage.keep_sent = Duration::from_secs(7 * 24 * 60 * 60);
        }
    }
    Ok(configuration)
}

fn all_patterns() -> Vec<BuiltinPattern> {
    BuiltinPattern::WORDS.iter().filter_map(|word| BuiltinPattern::from_word(word)).collect()
}

fn log(preset: Preset) -> Log {
    let words = |words: &str| value::selection(Columns::Logged, words).unwrap_or_default();
    let (columns, omit, hash) = match preset {
        Preset::Standard => ("@app @window @web @element @pointer @keys snippet actor", "", "user_name machine_name"),
        Preset::WorksCouncil => (
            "@app @web @element key_command snippet actor",
            "page_title element_name row_label",
            "user_name machine_name",
        ),
    };
    let hash = value::selection(Columns::Texts, hash).unwrap_or_default();
    Log { columns: words(columns), omit: words(omit), hash, ..Log::default() }
}

/// A configuration that says nothing but whose it is, so that every default comes from the vocabulary.
fn bare(input: &TemplateInput) -> Result<Configuration, Vec<Problem>> {
    let xml = format!(
        "<lodeConfig schema=\"1\" project=\"{}\" revision=\"1\" validUntil=\"{}\"><consent version=\"1\"><text lang=\"en\">-</text></consent></lodeConfig>",
        input.project,
        value::write_moment(input.valid_until_s)
    );
    let mut configuration = parse(&xml)?;
    configuration.consent.texts = input
        .texts
        .iter()
        .map(|(lang, text)| ConsentText {
            kind: ConsentKind::Text,
            lang: lang.clone(),
            text: text.clone(),
            at: At::default(),
        })
        .collect();
    Ok(configuration)
}

fn apps(input: &TemplateInput) -> Result<Vec<App>, Vec<Problem>> {
    let mut apps = Vec::new();
    // A browser named beside sites is meant for these sites: an entry without sites would let every page in.
    let is_meant_for_sites =
        |name: &String| !input.sites.is_empty() && BROWSERS.split(' ').any(|browser| browser == name);
    let processes: Vec<String> = input.applications.iter().filter(|name| !is_meant_for_sites(name)).cloned().collect();
    if !processes.is_empty() {
        apps.push(App { processes, ..App::default() });
    }
    if !input.sites.is_empty() {
        let site =
            |host: &String| Site { host: host.clone(), path: super::gate::EVERY_PATH.to_owned(), at: At::default() };
        let processes = BROWSERS.split(' ').map(str::to_owned).collect();
        apps.push(App { processes, sites: input.sites.iter().map(site).collect(), ..App::default() });
    }
    let mut problems = Vec::new();
    let kind = super::vocabulary::Kind::Names { count: usize::MAX, lower: true };
    for (text, fault) in input
        .applications
        .iter()
        .map(|name| (name, value::names(kind, name).err()))
        .chain(input.sites.iter().map(|host| (host, value::host(host).err())))
    {
        if let Some(fault) = fault {
            let at = At { line: 1, column: 1 };
            problems.push(at.problem(
                super::problem::Severity::Error,
                fault.code,
                format!("\"{text}\": {}", fault.message),
                fault.hint,
            ));
        }
    }
    if problems.is_empty() { Ok(apps) } else { Err(problems) }
}
