//! The command line: what a person and an administrator can ask of the client.
//!
//! Exit codes: 0 done, 1 an error, 2 invalid input, 3 not enrolled, 4 no consent, 5 it runs already, 6 rows were rejected.
//! What is asked `--json` is answered in JSON: `status --json` succeeds whatever the state is that it tells.

mod doctor;
mod host;
mod replay;

use crate::agent::{Options, RunError};
use crate::browser::host::Form;
use crate::browser::{EXTENSION_ID, relay};
use crate::capture::{self, Capture};
use crate::clock::{Clock, SystemClock};
use crate::consent::{self, Answered};
use crate::control::{self, Call};
use crate::enrol;
use crate::home::{Choice, Home};
use crate::settings::{self, Settings};
use crate::wire::{self, Http};
use crate::{indicator, paths, view};
use anyhow::{Context, Result, anyhow};
use clap::{Parser, Subcommand, ValueEnum};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// Exit codes beyond 0 and 1.
const INVALID: u8 = 2;
const NOT_ENROLLED: u8 = 3;
const NO_CONSENT: u8 = 4;
const RUNNING: u8 = 5;
const REJECTED: u8 = 6;

#[derive(Parser)]
#[command(
    name = "lode-agent",
    version,
    about = "The desktop client of Lode: records work, only where it is allowed to"
)]
struct Arguments {
    /// Where the client keeps what it knows.
    #[arg(long, global = true)]
    data: Option<PathBuf>,
    #[command(subcommand)]
    command: Ask,
}

/// Which desktop is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Backend {
    /// The one that is there.
    Auto,
    /// X11.
    X11,
    /// Wayland.
    Wayland,
    /// Windows.
    Windows,
    /// Nothing is seen.
    Null,
}

#[derive(Subcommand)]
enum Ask {
    /// Run until told to end.
    Run {
        /// Which desktop is looked at.
        #[arg(long, value_enum, default_value_t = Backend::Auto)]
        backend: Backend,
        /// Do not open the consent dialog by itself; `lode-agent consent` does.
        #[arg(long)]
        no_dialog: bool,
    },
    /// Become a client of a project, with an app key.
    Enroll {
        /// The service: https://…
        #[arg(long)]
        server: String,
        /// The app key; better from a file, so that it is in no history of commands.
        #[arg(long, conflicts_with = "key_file")]
        key: Option<String>,
        /// A file with the app key.
        #[arg(long)]
        key_file: Option<PathBuf>,
        /// Leave the project that this client belongs to.
        #[arg(long)]
        again: bool,
    },
    /// What would be recorded; accept or decline.
    Consent {
        /// Say it here, instead of in a dialog.
        #[command(subcommand)]
        say: Option<Say>,
    },
    /// What the client does; exit 3 if it is not enrolled, 4 without consent.
    Status {
        /// As JSON; exit 0 whatever the state is, 1 if the client does not answer.
        #[arg(long)]
        json: bool,
    },
    /// What is wrong, and what to do about it.
    Doctor {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Pause: 15m, 1h, until-resume.
    Pause {
        /// How long.
        how_long: String,
    },
    /// Go on after a pause or a stop.
    Resume,
    /// No recording until `resume`.
    Stop,
    /// Delete what happened lately and was not sent yet.
    Forget {
        /// How far back: 1h.
        #[arg(long)]
        last: String,
    },
    /// Send what waits now, also what is held back.
    SendNow,
    /// Say something to those who read the record.
    Comment {
        /// The words.
        text: String,
    },
    /// Open the page of what was captured.
    Show {
        /// Print where the page is, instead of opening it.
        #[arg(long)]
        print: bool,
    },
    /// Write what is on this machine into a folder: JSON Lines and pictures.
    Export {
        /// The folder; it must be new.
        folder: PathBuf,
    },
    /// Put events that the service refused back into the queue.
    RetryRefused,
    /// Play a recorded log through gate, rules and spool, without a desktop and without sending anything.
    Replay {
        /// JSON Lines of events, or a log in the notation of the tests.
        file: PathBuf,
        /// A configuration; without it, everything in the log is allowed.
        #[arg(long)]
        config: Option<PathBuf>,
        /// Where its own spool goes; a temporary folder without.
        #[arg(long)]
        spool: Option<PathBuf>,
    },
    /// Tell the browsers of this user where the client is, so that the extension finds it.
    InstallBrowserHost {
        /// A folder of relays of another browser, besides those that are found.
        #[arg(long)]
        folder: Option<PathBuf>,
        /// Only that folder.
        #[arg(long, requires = "folder")]
        only: bool,
        /// That folder is one of Firefox.
        #[arg(long, requires = "folder")]
        firefox: bool,
        /// Take it back.
        #[arg(long)]
        remove: bool,
    },
    /// What a browser starts for the extension; nobody else does.
    NativeMessaging {
        /// The extension that the browser speaks for.
        #[arg(default_value_t = format!("chrome-extension://{EXTENSION_ID}/"))]
        origin: String,
        /// What else a browser says.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        more: Vec<String>,
    },
    /// End the running client.
    Quit,
}

#[derive(Subcommand)]
enum Say {
    /// Print the text.
    Show,
    /// Accept it; the project's questions are answered with `--answer custom1=AP`.
    Accept {
        /// An answer to a question of the project.
        #[arg(long = "answer")]
        answers: Vec<String>,
    },
    /// Decline it.
    Decline,
}

/// Parses, and does what is asked.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse_from(as_browsers_call(std::env::args_os().collect()));
    match run(arguments) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("lode-agent: {error:#}");
            let code = error.downcast_ref::<Coded>().map_or(1, |coded| coded.0);
            ExitCode::from(code)
        }
    }
}

/// A browser starts the program with nothing but the extension's address and what else it likes to say; Firefox with the file
/// in which it found the program, and the extension's id.
fn as_browsers_call(mut arguments: Vec<std::ffi::OsString>) -> Vec<std::ffi::OsString> {
    let first = arguments.get(1).map(Path::new);
    let is_address = first.is_some_and(|first| first.to_string_lossy().starts_with("chrome-extension://"));
    let is_firefox = first.is_some_and(|first| first.ends_with(crate::browser::host::FILE)) && arguments.len() > 2;
    if is_firefox {
        arguments.swap(1, 2);
    }
    if is_address || is_firefox {
        arguments.insert(1, "native-messaging".into());
    }
    arguments
}

/// An error with an exit code of its own.
#[derive(Debug, thiserror::Error)]
#[error("{1}")]
struct Coded(u8, String);

fn coded(code: u8, text: impl Into<String>) -> anyhow::Error {
    Coded(code, text.into()).into()
}

fn run(arguments: Arguments) -> Result<u8> {
    let settings = settings::read().map_err(|error| coded(INVALID, error.to_string()))?;
    let data = arguments.data.or_else(|| settings.data.clone()).unwrap_or_else(paths::data_folder);
    let place = Place { runtime: runtime_of(&data), home: Home::of(&data), data, settings };
    match arguments.command {
        Ask::Run { backend, no_dialog } => place.run(backend, !no_dialog),
        Ask::Enroll { server, key, key_file, again } => place.enroll(&server, key, key_file, again),
        Ask::Consent { say } => place.consent(say),
        Ask::Status { json } => place.status(json),
        Ask::Doctor { json } => doctor::run(&place, json),
        Ask::Pause { how_long } => place.pause(&how_long),
        Ask::Resume => place.choose(&Call::Start, |choice, _| {
            choice.stopped = false;
            choice.resume();
        }),
        Ask::Stop => place.choose(&Call::Stop, |choice, _| choice.stopped = true),
        Ask::Forget { last } => place.forget(&last),
        Ask::SendNow => place.tell(&Call::SendNow, "what waits is sent now"),
        Ask::Comment { text } => place.tell(&Call::Comment { text }, "the comment is recorded"),
        Ask::Show { print } => place.show(print),
        Ask::Export { folder } => place.export(&folder),
        Ask::RetryRefused => place.tell(&Call::ReplayDeadLetters, "refused events wait again"),
        Ask::Replay { file, config, spool } => replay::run(&file, config.as_deref(), spool.as_deref()),
        Ask::InstallBrowserHost { folder, only, firefox, remove } => {
            let form = if firefox { Form::Firefox } else { Form::Chromium };
            host::run(folder.as_deref().map(|folder| (folder, form)), only, remove)
        }
        Ask::NativeMessaging { origin, .. } => relay::run(&place.runtime, &origin).map(|()| 0),
        Ask::Quit => place.tell(&Call::Quit, "the client ends"),
    }
}

/// A data folder of one's own has a socket of its own; the ordinary one has it where the system wants it.
fn runtime_of(data: &Path) -> PathBuf {
    if data == paths::data_folder() { paths::runtime_folder() } else { data.join("run") }
}

/// Where this client lies.
pub(crate) struct Place {
    pub data: PathBuf,
    pub runtime: PathBuf,
    pub home: Home,
    pub settings: Settings,
}

impl Place {
    fn run(&self, backend: Backend, dialog: bool) -> Result<u8> {
        let options = Options {
            data: self.data.clone(),
            runtime: self.runtime.clone(),
            floor: paths::floor_file(),
            network: self.settings.network(),
            dialog,
        };
        let clock = Arc::new(SystemClock::default());
        let capture = desktop(backend, clock.clone());
        let indicator = indicator::for_desktop(&self.runtime);
        match crate::agent::run(options, clock, capture, indicator) {
            Ok(()) => Ok(0),
            Err(error @ (RunError::Running | RunError::Spool(crate::spool::SpoolError::InUse(_)))) => {
                Err(coded(RUNNING, error.to_string()))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn enroll(&self, server: &str, key: Option<String>, key_file: Option<PathBuf>, again: bool) -> Result<u8> {
        if self.home.identity().is_some() && !again {
            return Err(coded(INVALID, "this client is enrolled already; --again leaves its project first"));
        }
        let key = match (key, key_file) {
            (Some(key), _) => key,
            (None, Some(path)) => {
                std::fs::read_to_string(&path).with_context(|| format!("cannot read '{}'", path.display()))?
            }
            (None, None) => return Err(coded(INVALID, "give the app key with --key or --key-file")),
        };
        wire::check_address(server.trim_end_matches('/')).map_err(|error| coded(INVALID, error.to_string()))?;
        let key = key.trim();
        if enrol::id_of(key).is_none() {
            return Err(coded(INVALID, enrol::EnrolError::Typo.to_string()));
        }
        let mut wire = Http::new(server, &self.settings.network())?;
        let os = desktop(Backend::Auto, Arc::new(SystemClock::default())).os();
        let (identity, token) = enrol::enrol(&mut wire, server, key, os)?;
        self.home.set_identity(&identity).with_context(|| format!("cannot write into '{}'", self.data.display()))?;
        println!("enrolled as {} at {server}", identity.agent_id);
        let token = token.to_string();
        if control::ask(&self.runtime, &serde_json::to_value(Call::Enrolled { token })?).is_err() {
            println!("start it with: lode-agent run");
        }
        Ok(0)
    }

    /// The configuration that holds, as it is kept on the disk.
    pub(crate) fn configuration(&self) -> Result<uilog::policy::Configuration> {
        let identity =
            self.home.identity().ok_or_else(|| coded(NOT_ENROLLED, "not enrolled; use lode-agent enroll"))?;
        let none = || anyhow!("no configuration was fetched yet; is lode-agent running, and is one published?");
        let envelope = self.home.envelope().ok_or_else(none)?;
        let key = identity.config_key().ok_or_else(|| anyhow!("the identity file is damaged; enrol again"))?;
        let pins = crate::configuration::Pins { key: &key, project: identity.project, revision: identity.revision_max };
        let now = SystemClock::default().now();
        let configuration = crate::configuration::verify(&envelope, &pins, now.time_us)?;
        let floor = std::fs::read_to_string(paths::floor_file()).ok();
        let effective =
            crate::configuration::effective(&configuration, floor.as_deref(), &uilog::policy::Variables::none())?;
        Ok(effective.configuration)
    }

    fn consent(&self, say: Option<Say>) -> Result<u8> {
        let configuration = self.configuration()?;
        let question = consent::question(&configuration, &paths::language().unwrap_or_else(|| "en".into()));
        let mut custom = self.home.consent().map(|consent| consent.custom).unwrap_or_default();
        let accepted = match say {
            Some(Say::Show) => {
                println!("{}", question.text);
                return Ok(0);
            }
            Some(Say::Accept { answers }) => {
                for answer in answers {
                    let (name, value) = answer.split_once('=').unwrap_or((&answer, ""));
                    let number: Option<usize> = name.strip_prefix("custom").and_then(|number| number.parse().ok());
                    let place = number.and_then(|number| custom.get_mut(number.checked_sub(1)?));
                    *place.ok_or_else(|| coded(INVALID, format!("'{name}' is none of custom1 to custom5")))? =
                        Some(value.to_owned());
                }
                true
            }
            Some(Say::Decline) => false,
            None => match consent::ask(&question) {
                Answered::Accepted => true,
                Answered::Declined => false,
                Answered::Nothing => return Err(coded(NO_CONSENT, "nothing was said; nothing is recorded")),
            },
        };
        if accepted && let Some(open) = consent::open_questions(&configuration, &custom).first() {
            let name = open.column.column().name;
            let label = open.labels.first().map_or("", |label| label.text.as_str());
            let choices = open.choices.join(", ");
            return Err(coded(
                INVALID,
                format!(
                    "the project asks \"{label}\" ({choices}); answer with: lode-agent consent accept --answer {name}=…"
                ),
            ));
        }
        let now = SystemClock::default().now();
        consent::keep(&self.home, question.version, accepted, custom, now.time_us)?;
        let _ = self.send(&Call::Reload);
        println!("{}", if accepted { "accepted" } else { "declined: nothing is recorded" });
        Ok(if accepted { 0 } else { NO_CONSENT })
    }

    fn status(&self, as_json: bool) -> Result<u8> {
        let status = self.send(&Call::Status);
        let status = match status {
            Ok(status) => status,
            Err(error) if is_silent(&error) => return Err(error).context("lode-agent runs, but does not answer"),
            Err(_) if self.home.identity().is_none() => json!({ "state": "needs_enrolment", "why": "not running" }),
            Err(_) => json!({ "state": "stopped", "why": "not running; start it with lode-agent run" }),
        };
        if as_json {
            // The state is in the answer; a program that reads it must not take one that waits for one that failed.
            println!("{}", serde_json::to_string_pretty(&status)?);
            return Ok(0);
        }
        print_status(&status);
        Ok(match status["state"].as_str() {
            Some("needs_enrolment") => NOT_ENROLLED,
            Some("needs_consent" | "declined") => NO_CONSENT,
            _ => 0,
        })
    }

    fn pause(&self, how_long: &str) -> Result<u8> {
        let us = match how_long {
            "until-resume" => None,
            text => Some(duration_us(text)?),
        };
        self.choose(&Call::Pause { us }, |choice, now| choice.pause(us, now))
    }

    /// Changes what the person chose, whether the client runs or not.
    fn choose(&self, call: &Call, change: impl Fn(&mut Choice, crate::clock::Moment)) -> Result<u8> {
        if self.send(call).is_err() {
            let mut choice = self.home.choice();
            change(&mut choice, SystemClock::default().now());
            self.home.set_choice(&choice)?;
        }
        println!("done");
        Ok(0)
    }

    fn forget(&self, last: &str) -> Result<u8> {
        let us = duration_us(last)?;
        let forgotten = match self.send(&Call::Forget { us }) {
            Ok(reply) => checked(&reply)?["forgotten"].as_u64().unwrap_or(0),
            Err(_) => {
                let now = SystemClock::default().now();
                self.open_spool()?.forget_last(us, now)?
            }
        };
        println!("{forgotten} events are deleted and will never be sent");
        Ok(0)
    }

    fn tell(&self, call: &Call, done: &str) -> Result<u8> {
        let reply = self.send(call).context("lode-agent does not run; start it with lode-agent run")?;
        checked(&reply)?;
        println!("{done}");
        Ok(0)
    }

    fn show(&self, print: bool) -> Result<u8> {
        if !print && self.send(&Call::Show).is_ok() {
            return Ok(0);
        }
        let spool = self.open_spool();
        let spool = spool.context("while lode-agent runs, `lode-agent show` opens the page by itself")?;
        let counters = spool.counters().clone();
        let status = crate::status::Status { counters, ..Default::default() };
        let path = view::write(&self.runtime.join("view"), &view::page(&status, &spool))?;
        println!("{}", path.display());
        Ok(0)
    }

    fn export(&self, folder: &Path) -> Result<u8> {
        std::fs::create_dir(folder).with_context(|| format!("cannot make the folder '{}'", folder.display()))?;
        let mut before = u64::MAX;
        let mut lines = Vec::new();
        let (mut count, mut pictures) = (0, 0);
        let offline = if self.send(&Call::Status).is_ok() { None } else { Some(self.open_spool()?) };
        loop {
            let events: Vec<(uilog::Event, bool)> = match &offline {
                Some(spool) => spool.latest(before, 500)?,
                None => serde_json::from_value(checked(&self.send(&Call::Events { before })?)?["events"].take())?,
            };
            let Some((last, _)) = events.last() else { break };
            before = last.seq;
            for (event, _) in &events {
                serde_json::to_writer(&mut lines, event)?;
                lines.push(b'\n');
                count += 1;
                let Some(id) = event.screenshot_id else { continue };
                let png = match &offline {
                    Some(spool) => spool.picture(id),
                    None => picture(&self.send(&Call::Picture { id })?),
                };
                if let Some(png) = png {
                    std::fs::write(folder.join(format!("{id}.png")), png)?;
                    pictures += 1;
                }
            }
        }
        let path = folder.join("events.jsonl.zst");
        std::fs::write(&path, zstd::encode_all(lines.as_slice(), 0)?)?;
        println!("{count} events and {pictures} pictures are in {}", folder.display());
        Ok(0)
    }

    pub(crate) fn send(&self, call: &Call) -> std::io::Result<Value> {
        control::ask(&self.runtime, &serde_json::to_value(call)?)
    }

    fn open_spool(&self) -> Result<crate::spool::Spool> {
        let now = SystemClock::default().now();
        Ok(crate::spool::Spool::open(&paths::spool_folder(&self.data), now)?.0)
    }
}

/// The backend of a desktop.
fn desktop(backend: Backend, clock: Arc<dyn Clock>) -> Box<dyn Capture> {
    match backend {
        Backend::Null => Box::new(capture::null::Null::default()),
        #[cfg(target_os = "linux")]
        Backend::X11 => Box::new(capture::x11::X11::new(clock)),
        #[cfg(target_os = "linux")]
        Backend::Wayland => Box::new(capture::wayland::Wayland::new(clock)),
        // A Wayland desktop has an X server too, which sees only some of its windows; so it is asked for by name, or not at all.
        #[cfg(target_os = "linux")]
        Backend::Auto if std::env::var_os("WAYLAND_DISPLAY").is_some() => {
            Box::new(capture::wayland::Wayland::new(clock))
        }
        #[cfg(target_os = "linux")]
        Backend::Auto if std::env::var_os("DISPLAY").is_some() => Box::new(capture::x11::X11::new(clock)),
        #[cfg(windows)]
        Backend::Windows | Backend::Auto => Box::new(capture::windows::Windows::new(clock)),
        _ => {
            let _ = clock;
            Box::new(capture::null::Null::default())
        }
    }
}

/// Whether somebody is there who did not answer, and not nobody.
fn is_silent(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionReset, TimedOut, UnexpectedEof, WouldBlock};
    matches!(error.kind(), ConnectionReset | TimedOut | UnexpectedEof | WouldBlock)
}

fn checked(reply: &Value) -> Result<Value> {
    match reply["ok"].as_bool() {
        Some(false) => Err(anyhow!("{}", reply["error"].as_str().unwrap_or("refused"))),
        _ => Ok(reply.clone()),
    }
}

fn picture(reply: &Value) -> Option<Vec<u8>> {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.decode(reply["png"].as_str()?).ok()
}

fn print_status(status: &Value) {
    let text = |name: &str| status[name].as_str().unwrap_or("–").to_owned();
    println!("{}{}", text("state"), status["why"].as_str().map(|why| format!(": {why}")).unwrap_or_default());
    if status["state"] == "needs_consent" {
        println!("answer with: lode-agent consent");
    }
    if status.get("counters").is_none() {
        return;
    }
    println!("client {} on {}, version {}", text("agent_id"), text("os"), text("version"));
    println!("configuration {}, indicator: {}", status["config_revision"], text("indicator"));
    let number = |path: &str| status.pointer(path).cloned().unwrap_or_default();
    println!(
        "waiting {}, sent {}, deleted {}, refused {}; spool {} bytes, key: {}",
        number("/counters/waiting"),
        number("/counters/stored"),
        number("/counters/erased"),
        number("/counters/refused"),
        number("/spool/bytes"),
        number("/spool/sealed_by"),
    );
    if let Some(error) = status["last_error"].as_object() {
        println!("last error: {}", error["message"].as_str().unwrap_or("–"));
    }
}

/// Microseconds of 90s, 15m, 1h, 2d.
fn duration_us(text: &str) -> Result<u64> {
    let wrong = || coded(INVALID, format!("'{text}' is no duration; write 90s, 15m, 1h or 2d"));
    let unit = text.chars().last().ok_or_else(wrong)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    let number: u64 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
    let duration = Duration::from_secs(number.checked_mul(seconds).ok_or_else(wrong)?);
    u64::try_from(duration.as_micros()).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_holds_together() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_browser_that_starts_the_program_gets_the_relay() {
        let spoken_for = |words: &[&str]| {
            let words = [&["lode-agent"][..], words].concat().into_iter().map(Into::into).collect();
            match Arguments::try_parse_from(as_browsers_call(words)).map(|asked| asked.command) {
                Ok(Ask::NativeMessaging { origin, .. }) => origin,
                _ => String::new(),
            }
        };
        assert_eq!(spoken_for(&["chrome-extension://abc/", "--parent-window=0"]), "chrome-extension://abc/");
        assert_eq!(
            spoken_for(&["/home/ann/.mozilla/native-messaging-hosts/org.lode.agent.json", "a@b.org"]),
            "a@b.org"
        );
        assert_eq!(spoken_for(&["/home/ann/org.lode.agent.json"]), "", "nobody is named");
    }

    #[test]
    fn durations_are_read_and_nonsense_is_not() {
        assert_eq!(duration_us("15m").unwrap(), 900_000_000);
        assert_eq!(duration_us("2d").unwrap(), 172_800_000_000);
        for wrong in ["", "m", "15", "1w", "-1h", "99999999999999999999h", "1é"] {
            assert!(duration_us(wrong).is_err(), "{wrong}");
        }
    }
}
