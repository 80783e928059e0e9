//! The gate: what is not allowed by name does not exist.
//!
//! Asked in this order, and the first "no" ends it: is the window's program known; is it on the list that nobody can switch
//! off; is it allowed, and where it has sites, is the page; is it on the project's never list. A "no" leaves nothing but a
//! counter. The state of the client (consent, schedule, pause) is asked before, by the client itself.
//!
//! The client asks with all it sees of a [window](Seen). Later the same event is asked again, from the columns it has: some
//! of what the gate looks at is no column, and in the second scrub columns are gone. What cannot be known any more then
//! counts as fulfilled; what is known and wrong is refused every time.

use std::collections::HashMap;

use regex::Regex;
use serde::Serialize;

use crate::column::ColumnId;
use crate::event::Event;

use super::address::{Address, ID};
use super::columns::ColumnSet;
use super::model::{Allow, App, Never, NeverPattern, Site};
use super::pattern::Budget;
use super::problem::{At, Problem, Severity};
use super::redact::MASK;
use super::rules::Truth;

/// What was learnt when something was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reading<T> {
    /// This.
    Known(T),
    /// It does not apply: a desktop window has no URL.
    #[default]
    Absent,
    /// It applies, and could not be read.
    Unknown,
}

/// What a client sees of the window under the pointer or in focus.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen<'a> {
    /// The executable, in lower case.
    pub process_name: Reading<&'a str>,
    /// The X11 class or Wayland application id.
    pub app_id: Reading<&'a str>,
    /// The full path of the executable.
    pub path: Reading<&'a str>,
    /// Whether it is a private window of a browser.
    pub private: Reading<bool>,
    /// The URL of the page.
    pub url: Reading<&'a str>,
    /// The title of the window.
    pub window_title: Reading<&'a str>,
    /// The title of the page.
    pub page_title: Reading<&'a str>,
}

/// Why the gate let nothing through; also the name of the counter, after `gate.`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// It is not known whose window it is.
    Identity,
    /// The application is not allowed.
    App,
    /// The page is not allowed, or unknown.
    Site,
    /// A never list forbids it, the built-in one or the project's.
    Never,
}

impl Refusal {
    /// All of them, in the order in which the gate asks.
    pub const ALL: [Refusal; 4] = [Refusal::Identity, Refusal::App, Refusal::Site, Refusal::Never];

    /// The snake_case name.
    pub fn name(self) -> &'static str {
        match self {
            Refusal::Identity => "identity",
            Refusal::App => "app",
            Refusal::Site => "site",
            Refusal::Never => "never",
        }
    }
}

/// What the gate says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GateDecision {
    /// It may be looked at.
    Admitted,
    /// It must not.
    Refused(Refusal),
}

/// From what the gate is asked, and so which doubts count against the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Evidence {
    /// A window: every doubt counts.
    Window,
    /// An event before its columns were worked on: application id and path are no columns, all else is there.
    Event,
    /// An event after that: columns may be gone.
    Scrubbed,
}

/// The lists of the gate, compiled.
pub(super) struct Gate {
    apps: Vec<CompiledApp>,
    by_process: HashMap<String, Vec<usize>>,
    /// Applications that may be meant although the executable is on no list: they have application ids.
    by_app_id: Vec<usize>,
    never: Vec<(ColumnId, Regex)>,
}

struct CompiledApp {
    app_ids: Vec<String>,
    has_processes: bool,
    path: Option<Regex>,
    sites: Vec<CompiledSite>,
}

struct CompiledSite {
    host: String,
    /// Nothing: every path.
    path: Option<Regex>,
}

/// The path of a site that means every path.
pub(super) const EVERY_PATH: &str = "/**";

impl Gate {
    /// Whether the program may be looked at, before a title or URL is read.
    pub(super) fn program(&self, seen: &Seen<'_>) -> GateDecision {
        self.application(seen, Evidence::Window).map_or_else(GateDecision::Refused, |_| GateDecision::Admitted)
    }

    /// Compiles the lists; what cannot be compiled is told as a problem.
    pub(super) fn compile(allow: &Allow, budget: &mut Budget, problems: &mut Vec<Problem>) -> Self {
        let mut gate = Gate { apps: Vec::new(), by_process: HashMap::new(), by_app_id: Vec::new(), never: Vec::new() };
        for (position, app) in allow.apps.iter().enumerate() {
            for process in &app.processes {
                gate.by_process.entry(process.clone()).or_default().push(position);
            }
            if !app.app_ids.is_empty() {
                gate.by_app_id.push(position);
            }
            gate.apps.push(CompiledApp::of(app, budget, problems));
        }
        for never in &allow.never {
            if let Some(pattern) = tell(never.at, compile_never(never, budget), problems) {
                gate.never.push((never.column, pattern));
            }
        }
        gate
    }

    /// Program and application alone, before a title or URL is read.
    fn application(&self, seen: &Seen<'_>, evidence: Evidence) -> Result<Vec<usize>, Refusal> {
        use Reading::{Known, Unknown};
        let names = [seen.process_name, seen.app_id];
        if !names.iter().any(|name| matches!(name, Known(_))) {
            let is_told_later = evidence == Evidence::Scrubbed && names.contains(&Unknown);
            return match is_told_later {
                true if self.apps.is_empty() => Err(Refusal::App),
                true => Ok((0..self.apps.len()).collect()),
                false => Err(Refusal::Identity),
            };
        }
        let is_forbidden = names.iter().any(|name| matches!(name, Known(name) if is_never(name)));
        let is_private = match seen.private {
            Known(private) => private,
            Unknown => evidence == Evidence::Window,
            Reading::Absent => false,
        };
        if is_forbidden || is_private {
            return Err(Refusal::Never);
        }
        let least = if evidence == Evidence::Window { Truth::True } else { Truth::Unknown };
        let mut admitted: Vec<usize> =
            self.candidates(seen).into_iter().filter(|&(_, truth)| truth >= least).map(|(app, _)| app).collect();
        admitted.sort_unstable();
        admitted.dedup();
        if admitted.is_empty() { Err(Refusal::App) } else { Ok(admitted) }
    }

    /// The whole gate.
    fn decide(&self, seen: &Seen<'_>, place: &Place<'_>, evidence: Evidence) -> GateDecision {
        let admitted = match self.application(seen, evidence) {
            Ok(admitted) => admitted,
            Err(refusal) => return GateDecision::Refused(refusal),
        };
        let least = if evidence == Evidence::Scrubbed { Truth::Unknown } else { Truth::True };
        if !admitted.iter().any(|&app| self.apps[app].shows(place) >= least) {
            return GateDecision::Refused(Refusal::Site);
        }
        let is_never = self.never.iter().any(|(column, pattern)| match text_of(seen, place, *column) {
            Reading::Known(text) => pattern.is_match(text),
            Reading::Absent => false,
            Reading::Unknown => evidence != Evidence::Scrubbed,
        });
        if is_never { GateDecision::Refused(Refusal::Never) } else { GateDecision::Admitted }
    }

    /// The applications that the window may be, each with how sure that is.
    fn candidates(&self, seen: &Seen<'_>) -> Vec<(usize, Truth)> {
        let mut candidates = Vec::new();
        let by_process = match seen.process_name {
            Reading::Known(process) => self.by_process.get(process).map_or(&[][..], Vec::as_slice),
            _ => &[],
        };
        candidates.extend(by_process.iter().map(|&app| (app, self.apps[app].path_fits(seen.path))));
        if matches!(seen.process_name, Reading::Unknown) {
            let maybe = self.apps.iter().enumerate().filter(|(_, app)| app.has_processes);
            candidates.extend(maybe.map(|(app, compiled)| (app, Truth::Unknown.min(compiled.path_fits(seen.path)))));
        }
        for &app in &self.by_app_id {
            let compiled = &self.apps[app];
            let named = match seen.app_id {
                Reading::Known(app_id) => compiled.app_ids.iter().any(|each| each == app_id).into(),
                Reading::Unknown => Truth::Unknown,
                Reading::Absent => Truth::False,
            };
            if named > Truth::False {
                candidates.push((app, named.min(compiled.path_fits(seen.path))));
            }
        }
        candidates.retain(|(_, truth)| *truth > Truth::False);
        candidates
    }
}

impl CompiledApp {
    fn of(app: &App, budget: &mut Budget, problems: &mut Vec<Problem>) -> Self {
        let path = app.path.as_ref().and_then(|path| tell(app.at, budget.glob(path, true, false), problems));
        CompiledApp {
            app_ids: app.app_ids.clone(),
            has_processes: !app.processes.is_empty(),
            path,
            sites: app.sites.iter().map(|site| CompiledSite::of(site, budget, problems)).collect(),
        }
    }

    fn path_fits(&self, seen: Reading<&str>) -> Truth {
        match (&self.path, seen) {
            (None, _) => Truth::True,
            (Some(path), Reading::Known(seen)) => path.is_match(seen).into(),
            (Some(_), _) => Truth::Unknown,
        }
    }

    /// Whether a page of the application may be seen.
    fn shows(&self, place: &Place<'_>) -> Truth {
        if self.sites.is_empty() {
            return Truth::True;
        }
        self.sites.iter().map(|site| site.shows(place)).max().unwrap_or(Truth::False)
    }
}

impl CompiledSite {
    fn of(site: &Site, budget: &mut Budget, problems: &mut Vec<Problem>) -> Self {
        let path = (site.path != EVERY_PATH).then(|| budget.glob(&site.path, true, true));
        CompiledSite { host: site.host.clone(), path: path.and_then(|path| tell(site.at, path, problems)) }
    }

    fn shows(&self, place: &Place<'_>) -> Truth {
        let Place { host, path, is_web, .. } = place;
        let host = match host {
            Reading::Known(host) => Truth::from(*is_web && host_fits(&self.host, host)),
            Reading::Unknown => Truth::Unknown,
            Reading::Absent => Truth::False,
        };
        let path = match (&self.path, path) {
            (None, _) => Truth::True,
            (Some(pattern), Reading::Known(path)) => pattern.is_match(if path.is_empty() { "/" } else { path }).into(),
            (Some(_), Reading::Unknown) => Truth::Unknown,
            (Some(_), Reading::Absent) => Truth::False,
        };
        host.min(path)
    }
}

/// Whether a host is the one of a site, or ends with what follows its `*`.
pub(super) fn host_fits(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix('*') {
        Some(end) => host.len() > end.len() && host.ends_with(end),
        None => host == pattern,
    }
}

fn compile_never(never: &Never, budget: &mut Budget) -> Result<Regex, String> {
    match &never.pattern {
        NeverPattern::Glob(glob) => budget.glob(glob, false, false),
        NeverPattern::Regex(regex) => budget.regex(regex),
    }
}

fn tell<T>(at: At, compiled: Result<T, String>, problems: &mut Vec<Problem>) -> Option<T> {
    let told = |why| at.problem(Severity::Error, "invalid_regex", format!("a pattern cannot be used: {why}"), None);
    compiled.map_err(|why| problems.push(told(why))).ok()
}

/// Where a page is, as far as it is known.
struct Place<'a> {
    host: Reading<&'a str>,
    path: Reading<&'a str>,
    is_web: bool,
}

impl<'a> Place<'a> {
    /// Of a URL that was read.
    fn of_url(address: &'a Reading<Address<'a>>) -> Self {
        match address {
            Reading::Known(address) => Place {
                host: Reading::Known(address.host()),
                path: Reading::Known(address.path),
                is_web: address.is_web(),
            },
            Reading::Absent => Place { host: Reading::Absent, path: Reading::Absent, is_web: false },
            Reading::Unknown => Place { host: Reading::Unknown, path: Reading::Unknown, is_web: false },
        }
    }

    /// Of an event whose URL is gone: the host is a column of its own, and the template has the path. With ids in it, the
    /// path is that of many pages; in the second scrub that is not enough to refuse one of them.
    fn of_template(
        event: &'a Event,
        template: &'a Option<Address<'a>>,
        changed: ColumnSet,
        evidence: Evidence,
    ) -> Self {
        let path = match template {
            Some(address) if evidence != Evidence::Scrubbed || !address.path.contains(ID) => {
                Reading::Known(address.path)
            }
            _ => Reading::Unknown,
        };
        let is_web = template.as_ref().is_none_or(|template| template.scheme.is_empty() || template.is_web());
        Place { host: left(event.url_host.as_deref(), changed.contains(ColumnId::UrlHost)), path, is_web }
    }
}

/// The address of a URL that was read.
fn address_of<'a>(url: Reading<&'a str>) -> Reading<Address<'a>> {
    match url {
        Reading::Known(url) => Reading::Known(Address::of(url)),
        Reading::Absent => Reading::Absent,
        Reading::Unknown => Reading::Unknown,
    }
}

fn text_of<'a>(seen: &Seen<'a>, place: &Place<'a>, column: ColumnId) -> Reading<&'a str> {
    match column {
        ColumnId::WindowTitle => seen.window_title,
        ColumnId::PageTitle => seen.page_title,
        ColumnId::Url => seen.url,
        ColumnId::UrlHost => place.host,
        _ => Reading::Absent,
    }
}

impl<'a> Seen<'a> {
    /// What an event tells, before its columns are worked on.
    fn of_event(event: &'a Event, unknown: ColumnSet) -> Self {
        let read = |text: &'a Option<String>, column| match text {
            Some(text) => Reading::Known(text.as_str()),
            None if unknown.contains(column) || super::cell::is_hashed(event, column) => Reading::Unknown,
            None => Reading::Absent,
        };
        Seen {
            process_name: read(&event.process_name, ColumnId::ProcessName),
            app_id: Reading::Unknown,
            path: Reading::Unknown,
            private: Reading::Absent,
            url: read(&event.url, ColumnId::Url),
            window_title: read(&event.window_title, ColumnId::WindowTitle),
            page_title: read(&event.page_title, ColumnId::PageTitle),
        }
    }

    /// What an event still tells afterwards; `changed` are columns in which not the value itself stands.
    fn of_scrubbed(event: &'a Event, changed: ColumnSet) -> Self {
        let read = |text: &'a Option<String>, column| left(text.as_deref(), changed.contains(column));
        Seen {
            process_name: read(&event.process_name, ColumnId::ProcessName),
            app_id: Reading::Unknown,
            path: Reading::Unknown,
            private: Reading::Absent,
            url: read(&event.url, ColumnId::Url),
            window_title: read(&event.window_title, ColumnId::WindowTitle),
            page_title: read(&event.page_title, ColumnId::PageTitle),
        }
    }
}

/// What is left of a text: nothing can be said where it is gone, where something else stands in its place, or where parts are
/// masked.
fn left(text: Option<&str>, is_changed: bool) -> Reading<&str> {
    text.filter(|text| !is_changed && !text.contains(MASK)).map_or(Reading::Unknown, Reading::Known)
}

impl Gate {
    /// The gate for a window.
    pub(super) fn window(&self, seen: &Seen<'_>) -> GateDecision {
        let address = address_of(seen.url);
        self.decide(seen, &Place::of_url(&address), Evidence::Window)
    }

    /// The gate for an event before its columns are worked on.
    pub(super) fn event(&self, event: &Event, unknown: ColumnSet) -> GateDecision {
        self.of(event, Seen::of_event(event, unknown), ColumnSet::EMPTY, Evidence::Event)
    }

    /// The gate for an event that was scrubbed before; in `changed` columns stands a rule's own text, or a part of what was
    /// there.
    pub(super) fn again(&self, event: &Event, changed: ColumnSet) -> GateDecision {
        self.of(event, Seen::of_scrubbed(event, changed), changed, Evidence::Scrubbed)
    }

    fn of(&self, event: &Event, seen: Seen<'_>, changed: ColumnSet, evidence: Evidence) -> GateDecision {
        let has_host = event.url_host.is_some() && seen.url == Reading::Absent;
        if evidence == Evidence::Event && !has_host || matches!(seen.url, Reading::Known(_)) {
            let address = address_of(seen.url);
            return self.decide(&seen, &Place::of_url(&address), evidence);
        }
        let template = event.url_template.as_deref();
        let template =
            template.filter(|text| !text.contains(MASK) && !changed.contains(ColumnId::UrlTemplate)).map(Address::of);
        self.decide(&seen, &Place::of_template(event, &template, changed, evidence), evidence)
    }
}

/// Programs that are never looked at, whatever a configuration says: by the name of the executable without `.exe`, or the
/// application id.
const NEVER: &[&str] = &[
    // password managers
    "1password",
    "authpass",
    "bitwarden",
    "com.bitwarden.desktop",
    "dashlane",
    "enpass",
    "gopass",
    "keepass",
    "keepassx",
    "keepassxc",
    "org.keepassxc.keepassxc",
    "keeper",
    "keeperpasswordmanager",
    "keyguard",
    "lastpass",
    "nordpass",
    "org.gnome.seahorse.application",
    "passwords",
    "proton pass",
    "protonpass",
    "qtpass",
    "roboform",
    "seahorse",
    "secrets",
    "stickypassword",
    "kwalletmanager",
    "kwalletmanager5",
    "zoho vault",
    // credential and log-in prompts
    "consent",
    "credentialuibroker",
    "credwiz",
    "gcr-prompter",
    "gnome-keyring-ask",
    "gnome-keyring-prompt",
    "kwalletd5",
    "kwalletd6",
    "logonui",
    "lxpolkit",
    "lxqt-policykit-agent",
    "mate-polkit",
    "pinentry",
    "pinentry-curses",
    "pinentry-gnome3",
    "pinentry-gtk-2",
    "pinentry-qt",
    "pinentry-qt5",
    "polkit-gnome-authentication-agent-1",
    "polkit-kde-authentication-agent-1",
    "ssh-askpass",
    "ssh-askpass-gnome",
    "winlogon",
    "xfce-polkit",
    // log-in and lock screens
    "gdm",
    "gdm-session-worker",
    "gnome-screensaver",
    "i3lock",
    "kscreenlocker_greet",
    "light-locker",
    "lightdm-gtk-greeter",
    "lockapp",
    "sddm-greeter",
    "slick-greeter",
    "slock",
    "swaylock",
    "xlock",
    "xscreensaver",
    "xsecurelock",
    // Lode itself
    "lode-agent",
    "lode-agent-ui",
];

/// The list that nobody can switch off; for documents.
pub(super) fn never_programs() -> impl Iterator<Item = &'static str> {
    NEVER.iter().copied()
}

/// Whether a program is on the list that nobody can switch off.
pub(super) fn is_never(name: &str) -> bool {
    let name = name.to_lowercase();
    NEVER.contains(&name.strip_suffix(".exe").unwrap_or(&name))
}
