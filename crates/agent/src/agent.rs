//! The client running: what the rooms do, on threads.
//!
//! | thread | does | waits on |
//! | --- | --- | --- |
//! | the backend's own | push raw events | the desktop |
//! | flow (the caller's) | [`Flow`], standing, commands | raw events, commands, ≤ 500 ms |
//! | spool | the only one that writes events; syncs, makes room, salvages | ≤ 200 ms, or who waits for it |
//! | network | [`upload`], heartbeat, configuration | the clock, commands |
//! | pictures | sends pictures, on a connection of its own | acknowledged events, commands |
//! | control | the socket of the command line and the tray | a connection |
//! | indicator | shows on the screen that the client is there | the desktop |
//!
//! Threads share [`Shared`]; locks are held for the length of a look, never over the network or the disk of another.

mod network;
pub(crate) use network::Nudge;
mod pictures;
mod spooling;

use crate::browser::Browsers;
use crate::capture::Capture;
use crate::clock::{Clock, Moment, boot_id};
use crate::configuration::{Effective, Pins, Refused, effective, verify};
use crate::flow::{Flow, Person, Yield};
use crate::home::{Choice, Consent, Home, Identity, said};
use crate::indicator::{Indicator, Look};
use crate::spool::{Removed, Spool, SpoolError};
use crate::standing::{Facts, Said, State, day_and_minute, in_schedule, standing};
use crate::status::{Fault, Figures, GAPS_MAX, Gap, SpoolStatus, Status};
use crate::wire::Network;
use crate::{control, paths};
use crossbeam_channel::{Receiver, Select, Sender, TrySendError, bounded};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use uilog::policy::Variables;
use uilog::{EventType, planted};
use uuid::Uuid;
use zeroize::Zeroizing;

/// How long the flow sleeps at most.
const SLEEP_MAX: Duration = Duration::from_millis(500);

/// The longest that a letter waits for others.
const GATHER: Duration = Duration::from_millis(100);

/// How old what was read from the disk may be, in microseconds.
const DISK_US: u64 = 500_000;

/// Commands that wait at most.
const COMMANDS_MAX: usize = 64;

/// Yields that wait for the spool at most; then the flow waits for the disk, and the raw queue for the flow.
const YIELDS_MAX: usize = 256;

/// Microseconds that a last look at what is held takes before a deletion.
const WORD_CHARS_MAX: usize = 2_000;

/// How a client is to run.
pub struct Options {
    /// Where it keeps what it knows.
    pub data: PathBuf,
    /// Where its socket lies.
    pub runtime: PathBuf,
    /// The floor, if there is one.
    pub floor: PathBuf,
    /// How it reaches the network.
    pub network: Network,
    /// Open the consent dialog when consent is missing.
    pub dialog: bool,
}

/// Why the client ends at once.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Another one runs.
    #[error("lode-agent runs already for this user; `lode-agent status` asks it")]
    Running,
    /// The spool cannot be used.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// A file cannot be used.
    #[error("cannot use '{path}'")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}

/// What somebody asks of the running client.
pub enum Command {
    /// Something changed on the disk: consent, a choice, a new identity.
    Reload,
    /// A comment; answers whether it is recorded.
    Comment(String, Sender<bool>),
    /// Delete what happened in the last microseconds; answers how many events will never be sent.
    Forget(u64, Sender<Result<u64, String>>),
    /// End.
    Quit,
}

/// What threads share.
pub struct Shared {
    pub(crate) options: Options,
    pub(crate) home: Home,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) spool: Mutex<Spool>,
    pub(crate) known: Mutex<Known>,
    pub(crate) commands: Sender<Command>,
    pub(crate) network: Sender<network::Nudge>,
    pictures: Sender<pictures::Nudge>,
    pub(crate) browsers: Arc<Browsers>,
    began: Moment,
    boot: String,
}

/// What is known now, apart from the spool.
#[derive(Default)]
pub(crate) struct Known {
    pub identity: Option<Identity>,
    /// The token, and whose it is.
    pub token: Option<(Uuid, Zeroizing<String>)>,
    pub effective: Option<Arc<Effective>>,
    pub no_configuration: Option<String>,
    pub revoked: bool,
    pub held: bool,
    pub spool_error: Option<String>,
    pub capture_error: Option<String>,
    pub last_error: Option<Fault>,
    pub status: Status,
    /// Ranges of which an event is still to tell; put there by the spool's thread, taken by the flow.
    pub removed: Vec<Removed>,
    pub quitting: bool,
}

/// Runs a client until it is told to end. The backend and the indicator are given, so that a test can give its own.
///
/// Errors: another one runs, or the spool's folder cannot be written.
pub fn run(
    options: Options,
    clock: Arc<dyn Clock>,
    capture: Box<dyn Capture>,
    indicator: Box<dyn Indicator>,
) -> Result<(), RunError> {
    let io = |path: PathBuf| move |source| RunError::Io { path, source };
    paths::make_private_folder(&options.data).map_err(io(options.data.clone()))?;
    paths::make_private_folder(&options.runtime).map_err(io(options.runtime.clone()))?;
    let lock_path = options.data.join("agent.lock");
    let _lock = paths::lock(&lock_path).map_err(io(lock_path))?.ok_or(RunError::Running)?;
    let now = clock.now();
    let (spool, opened) = Spool::open(&paths::spool_folder(&options.data), now)?;
    let (commands, commands_out) = bounded(COMMANDS_MAX);
    let (nudges, nudges_out) = bounded(COMMANDS_MAX);
    let (picture_nudges, picture_nudges_out) = bounded(COMMANDS_MAX);
    let home = Home::of(&options.data);
    let shared = Arc::new(Shared {
        home,
        clock,
        spool: Mutex::new(spool),
        known: Mutex::default(),
        commands,
        network: nudges,
        pictures: picture_nudges,
        browsers: Arc::default(),
        began: now,
        boot: boot_id(),
        options,
    });
    if let Some(aside) = opened.quarantined {
        shared.fault("spool_quarantined", format!("a damaged spool was set aside as '{}'", aside.display()));
    }
    if opened.copied {
        shared.fault("spool_copied", "the spool was copied or restored; a new epoch began".into());
    }
    shared.reload();
    let ((work, work_out), (bell, bell_out)) = (bounded(YIELDS_MAX), bounded(1));
    let outbox = Outbox { work, bell };
    let threads = [
        spawn("spool", {
            let shared = shared.clone();
            move || spooling::run(&shared, &work_out, &bell_out)
        }),
        spawn("network", {
            let shared = shared.clone();
            move || network::run(&shared, &nudges_out)
        }),
        spawn("pictures", {
            let shared = shared.clone();
            move || pictures::run(&shared, &picture_nudges_out)
        }),
    ];
    let socket = control::serve(shared.clone());
    if let Err(error) = &socket {
        shared.fault("control", format!("no control socket: {error}"));
    }
    flow(&shared, capture, indicator, &commands_out, &outbox);
    shared.known().quitting = true;
    drop(outbox);
    let _ = shared.network.try_send(network::Nudge::Quit);
    let _ = shared.pictures.try_send(pictures::Nudge::Look);
    shared.browsers.close();
    if let Ok(socket) = socket {
        socket.close();
    }
    for thread in threads.into_iter().flatten() {
        let _ = thread.join();
    }
    Ok(())
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Option<std::thread::JoinHandle<()>> {
    std::thread::Builder::new().name(format!("lode-{name}")).spawn(work).ok()
}

/// What the spool's thread gets.
pub(crate) struct Work {
    pub given: Yield,
    pub reported: Vec<i64>,
    /// Answered when it is on the disk.
    pub done: Option<Sender<()>>,
}

/// The way to the spool's thread. What lies there is taken a few times a second, all at once; a ring is for what cannot wait.
struct Outbox {
    work: Sender<Work>,
    bell: Sender<()>,
}

impl Outbox {
    /// Puts something in. It waits a moment for more, unless somebody waits for it: a page for its word, a caller, this thread for
    /// room. The spool's thread ends after this one, so somebody takes it.
    fn put(&self, work: Work) {
        let is_awaited = work.done.is_some() || !work.given.pages.is_empty();
        if let Err(TrySendError::Full(work)) = self.work.try_send(work) {
            self.ring();
            let _ = self.work.send(work);
        }
        if is_awaited {
            self.ring();
        }
    }

    fn ring(&self) {
        // One ring is as good as many.
        let _ = self.bell.try_send(());
    }
}

/// The flow's thread.
fn flow(
    shared: &Shared,
    capture: Box<dyn Capture>,
    mut indicator: Box<dyn Indicator>,
    commands: &Receiver<Command>,
    outbox: &Outbox,
) {
    // Asked before it starts: one that cannot see this desktop says why all the same.
    let (os, capabilities) = (capture.os(), capture.capabilities());
    let mut flow = match Flow::start(capture, person(&shared.home)) {
        Ok(flow) => flow,
        Err(error) => {
            shared.fault("capture", error.to_string());
            shared.known().capture_error = Some(error.to_string());
            let null = Box::new(crate::capture::null::Null::default());
            match Flow::start(null, person(&shared.home)) {
                Ok(flow) => flow,
                Err(_) => return,
            }
        }
    };
    flow.hear(shared.browsers.clone());
    shared.known().status.os = os;
    shared.known().status.capabilities = capabilities;
    let mut recorded: Option<Arc<Effective>> = None;
    let mut first = true;
    let mut on_disk = OnDisk::default();
    loop {
        let now = shared.clock.now();
        indicator.show(shared.known().status.state.into());
        let said = on_disk.said(now, || Words::read(&shared.home));
        let (state, why) = shared.standing(now, said, &flow, indicator.is_visible());
        shared.tell(state, why, indicator.describe(), flow.session_id());
        let effective = shared.known().effective.clone();
        let is_wanted = state == State::Recording;
        shared.browsers.tell(effective.as_ref().filter(|_| is_wanted), state.name());
        let is_other = match (&recorded, &effective) {
            (Some(recorded), Some(effective)) => !Arc::ptr_eq(recorded, effective),
            _ => false,
        };
        if flow.is_recording() && (!is_wanted || is_other) {
            let given = flow.end(now, state);
            give(outbox, given, Vec::new());
        }
        if is_wanted && !flow.is_recording() {
            let hash = shared.known().identity.as_ref().and_then(Identity::hash);
            if let (Some(effective), Some(hash)) = (effective, hash) {
                let why = if first { EventType::RecordingStarted } else { EventType::RecordingResumed };
                flow.set_person(person(&shared.home));
                flow.record(now, effective.clone(), hash, why);
                (recorded, first) = (Some(effective), false);
            }
        }
        let given = flow.step(now);
        let (reports, reported) = gaps(shared, &mut flow, now);
        let mut given = given;
        for event in reports {
            given.counters.admit();
            given.admissions.push(crate::flow::Admission { event, picture: None, at: now });
        }
        give(outbox, given, reported);
        if wait(&flow, commands, now) {
            // Most commands come because a file was changed before.
            on_disk.forget();
            while let Ok(command) = commands.try_recv() {
                match command {
                    Command::Reload => {
                        shared.reload();
                        // A pause may have come with it: what was done since is not taken before that is looked at.
                        break;
                    }
                    Command::Comment(text, reply) => {
                        give(outbox, flow.step(shared.clock.now()), Vec::new());
                        let text: String = text.chars().take(WORD_CHARS_MAX).collect();
                        let _ = reply.send(flow.comment(shared.clock.now(), &text));
                    }
                    Command::Forget(us, reply) => {
                        let _ = reply.send(forget(shared, &mut flow, outbox, us));
                    }
                    Command::Quit => {
                        give(outbox, flow.step(shared.clock.now()), Vec::new());
                        let (given, difference) = flow.stop(shared.clock.now(), State::Stopped);
                        if difference != 0 {
                            shared.fault("balance", format!("{difference} raw events are missing"));
                        }
                        give(outbox, given, Vec::new());
                        indicator.close();
                        return;
                    }
                }
            }
        }
    }
}

/// What the person said and chose.
#[derive(Debug, PartialEq, Eq)]
struct Words {
    choice: Choice,
    consent: Option<Consent>,
}

impl Words {
    fn read(home: &Home) -> Self {
        Self { choice: home.choice(), consent: home.consent() }
    }
}

/// What the person said and chose, as it was on the disk a moment ago: it is read with every command and twice a second, not with
/// every key. So a word that nobody told the client holds within [`DISK_US`] (promise D7).
#[derive(Default)]
struct OnDisk(Option<(Moment, Words)>);

impl OnDisk {
    /// What holds now; `read` is asked if what is known is too old.
    fn said(&mut self, now: Moment, read: impl FnOnce() -> Words) -> &Words {
        let known = self.0.take().filter(|(at, _)| now.since_us(*at) < DISK_US || planted::is("old-word-holds"));
        &self.0.insert(known.unwrap_or_else(|| (now, read()))).1
    }

    /// Something changed: it is read anew.
    fn forget(&mut self) {
        if !planted::is("command-unheard") {
            self.0 = None;
        }
    }
}

/// Sleeps until something comes in or time alone finishes something; says whether commands wait. Letters are taken in groups, so that
/// who types wakes this thread a few times a second, and not with every key; what else comes is taken at once.
fn wait(flow: &Flow, commands: &Receiver<Command>, now: Moment) -> bool {
    let sleep = flow.next_us().map_or(SLEEP_MAX, |us| Duration::from_micros(us.saturating_sub(now.uptime_us)));
    // A waiting element keeps the flow awake for its time-out alone.
    let sleep = sleep.clamp(Duration::from_millis(1), SLEEP_MAX);
    let source = flow.source();
    let is_input = ready(flow, commands, &source.raw, sleep);
    if is_input && flow.is_typing() {
        ready(flow, commands, &source.bell, sleep.min(GATHER));
    }
    !commands.is_empty()
}

/// Waits for this input, answers, pages and commands; says whether it was the input that came.
fn ready<T>(flow: &Flow, commands: &Receiver<Command>, input: &Receiver<T>, time_max: Duration) -> bool {
    let mut select = Select::new();
    let input = select.recv(input);
    select.recv(&flow.source().answers);
    select.recv(&flow.browsers().source);
    select.recv(commands);
    select.ready_timeout(time_max).is_ok_and(|ready| ready == input)
}

fn give(outbox: &Outbox, given: Yield, reported: Vec<i64>) {
    if !given.admissions.is_empty() || !given.counters.is_empty() || !given.pages.is_empty() {
        outbox.put(Work { given, reported, done: None });
    }
}

/// Events that tell of removed ranges.
fn gaps(shared: &Shared, flow: &mut Flow, now: Moment) -> (Vec<uilog::policy::Scrubbed<uilog::Event>>, Vec<i64>) {
    if !flow.is_recording() {
        return Default::default();
    }
    let removed = std::mem::take(&mut shared.known().removed);
    let (mut events, mut reported) = (Vec::new(), Vec::new());
    for range in removed {
        let attributes = [
            ("reason", range.reason.clone()),
            ("seq_from", range.first.to_string()),
            ("seq_to", range.last.to_string()),
            ("events_lost", (range.last - range.first + 1).to_string()),
        ];
        if let Some(event) = flow.gap_event(now, &attributes) {
            shared.gap(Gap { at_us: now.time_us, reason: range.reason, lost: Some(range.last - range.first + 1) });
            events.push(event);
            reported.push(range.id);
        }
    }
    (events, reported)
}

/// Deletes what happened lately, what is still held included.
fn forget(shared: &Shared, flow: &mut Flow, outbox: &Outbox, us: u64) -> Result<u64, String> {
    let now = shared.clock.now();
    let was_recording = flow.is_recording();
    // What waits to be taken happened before, and is deleted with the rest.
    let mut given = if planted::is("deleted-comes-later") { Yield::default() } else { flow.step(now) };
    given.add(flow.end(now, State::Paused));
    let (done, done_out) = bounded(1);
    outbox.put(Work { given, reported: Vec::new(), done: Some(done) });
    // The spool's thread answers when it is on the disk, or ends.
    let _ = done_out.recv_timeout(Duration::from_secs(5));
    flow.forget_pictures();
    let forgotten = shared.spool().forget_last(us, now).map_err(|error| error.to_string());
    if was_recording && let Some((effective, hash)) = shared.recording_with() {
        flow.record(now, effective, hash, EventType::RecordingResumed);
    }
    forgotten
}

fn person(home: &Home) -> Person {
    Person {
        user_name: paths::user_name(),
        machine_name: paths::machine_name(),
        custom: home.consent().map(|consent| consent.custom).unwrap_or_default(),
    }
}

impl From<State> for Look {
    fn from(state: State) -> Self {
        match state {
            State::Recording => Look::Recording,
            State::Paused => Look::Paused,
            State::OutsideSchedule | State::Locked => Look::Resting,
            State::Stopped | State::Declined | State::NeedsConsent | State::NeedsEnrolment => Look::Stopped,
            State::Blocked | State::Revoked | State::Error => Look::Trouble,
        }
    }
}

impl Known {
    /// The token of an identity, if there is one.
    fn token_of(&self, identity: &Identity) -> Option<Zeroizing<String>> {
        self.token.as_ref().filter(|(agent_id, _)| *agent_id == identity.agent_id).map(|(_, token)| token.clone())
    }

    /// The identity of now has this token.
    fn keep_token(&mut self, token: Zeroizing<String>) {
        self.token = self.identity.as_ref().map(|identity| (identity.agent_id, token));
    }

    /// This token is not good any more; a newer one stays.
    fn forget_token(&mut self, token: &str) {
        self.token.take_if(|(_, known)| known.as_str() == token);
    }
}

impl Shared {
    pub(crate) fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn spool(&self) -> MutexGuard<'_, Spool> {
        self.spool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers an error for `status`; the log gets it too.
    pub(crate) fn fault(&self, code: &'static str, message: String) {
        let fault = Fault { code, message };
        let mut known = self.known();
        if known.last_error.as_ref() != Some(&fault) {
            eprintln!("lode-agent: {code}: {}", fault.message.replace(['\n', '\r', '\u{1b}'], " "));
        }
        known.last_error = Some(fault);
    }

    fn gap(&self, gap: Gap) {
        let gaps = &mut self.known().status.gaps;
        if gaps.len() >= GAPS_MAX {
            gaps.pop_front();
        }
        gaps.push_back(gap);
    }

    /// Reads identity and configuration from the disk again.
    pub(crate) fn reload(&self) {
        let identity = self.home.identity();
        let now = self.clock.now();
        let (effective, why) = match &identity {
            None => (None, None),
            Some(identity) => match self.home.envelope() {
                None => (None, Some("no configuration was published yet, or it was not fetched yet".to_owned())),
                Some(envelope) => match self.obeyed(identity, &envelope, now) {
                    Ok(effective) => (Some(effective), None),
                    Err(refused) => (None, Some(refused.to_string())),
                },
            },
        };
        let mut known = self.known();
        let is_same = match (&known.effective, &effective) {
            (Some(known), Some(new)) => known.configuration == new.configuration && known.floor_hash == new.floor_hash,
            _ => false,
        };
        known.identity = identity;
        known.no_configuration = why;
        if !is_same {
            known.effective = effective;
        }
    }

    /// What holds of an envelope here.
    pub(crate) fn obeyed(
        &self,
        identity: &Identity,
        envelope: &crate::configuration::Envelope,
        now: Moment,
    ) -> Result<Arc<Effective>, Refused> {
        let key = identity.config_key().ok_or(Refused::Signature)?;
        let pins = Pins { key: &key, project: identity.project, revision: identity.revision_max };
        let configuration = verify(envelope, &pins, now.time_us)?;
        let floor = match std::fs::read_to_string(&self.options.floor) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(_) if planted::is("unreadable-floor-ignored") => None,
            Err(_) => {
                return Err(Refused::Invalid(format!("the floor '{}' cannot be read", self.options.floor.display())));
            }
        };
        let mut variables = Variables::none();
        for (name, value) in [("username", paths::user_name()), ("machine", paths::machine_name())] {
            if let Some(value) = value {
                variables = variables.with(name, &value);
            }
        }
        effective(&configuration, floor.as_deref(), &variables).map(Arc::new)
    }

    fn standing(&self, now: Moment, said_of: &Words, flow: &Flow, indicator_visible: bool) -> (State, Option<String>) {
        let Words { choice, consent } = said_of;
        let known = self.known();
        let local = day_and_minute(&chrono::Local::now());
        let configuration = known.effective.as_ref().map(|effective| &effective.configuration);
        let is_over = configuration.is_some_and(|each| now.time_us >= each.valid_until_s.saturating_mul(1_000_000));
        let no_configuration = match (configuration, is_over) {
            (Some(_), true) => Some("the configuration has expired: the study is over".to_owned()),
            (Some(_), false) => None,
            (None, _) => Some(known.no_configuration.clone().unwrap_or_else(|| "no configuration".into())),
        };
        standing(&Facts {
            enrolled: known.identity.is_some(),
            revoked: known.revoked,
            no_configuration,
            said: configuration.map_or(Said::Nothing, |each| said(consent.as_ref(), each.consent.version)),
            stopped: choice.stopped,
            paused: choice.is_paused(now, &self.boot),
            in_schedule: configuration.map(|each| in_schedule(&each.schedules, now.time_us, local)),
            locked: flow.is_locked(),
            indicator_visible,
            capture_error: known.capture_error.clone(),
            spool_error: known.spool_error.clone(),
        })
    }

    fn tell(&self, state: State, why: Option<String>, indicator: String, session_id: Uuid) {
        let mut known = self.known();
        let changed = known.status.state != state;
        known.status.state = state;
        known.status.why = why;
        known.status.indicator = indicator;
        known.status.session_id = session_id;
        drop(known);
        if changed {
            let _ = self.network.try_send(network::Nudge::Beat);
            if state == State::NeedsConsent && self.options.dialog {
                crate::consent::open_dialog(&self.options.data);
            }
        }
    }

    pub(crate) fn recording_with(&self) -> Option<(Arc<Effective>, crate::configuration::ClientHash)> {
        let known = self.known();
        Some((known.effective.clone()?, known.identity.as_ref()?.hash()?))
    }

    /// The whole status, now.
    pub(crate) fn status(&self) -> Status {
        let now = self.clock.now();
        let (size, counters, epoch) = {
            let spool = self.spool();
            (spool.size().unwrap_or_default(), spool.counters().clone(), spool.epoch())
        };
        let known = self.known();
        let configuration = known.effective.as_ref().map(|effective| &effective.configuration);
        Status {
            agent_id: known.identity.as_ref().map(|identity| identity.agent_id),
            version: env!("CARGO_PKG_VERSION"),
            config_revision: configuration.map(|each| each.revision),
            floor_hash: known.effective.as_ref().and_then(|effective| effective.floor_hash.clone()),
            consent: self.home.consent().filter(|consent| consent.accepted).map(|consent| consent.version),
            epoch,
            client_key: known.identity.as_ref().and_then(Identity::hash).map(|hash| hash.id),
            time_us: now.time_us,
            spool: SpoolStatus::of(size),
            counters,
            extension: self.browsers.describe(),
            own: Figures::now(now.since_us(self.began)),
            last_error: known.last_error.clone(),
            ..known.status.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_ms(ms: u64) -> Moment {
        Moment { uptime_us: ms * 1_000, time_us: 0 }
    }

    #[test]
    fn d7_the_disk_is_read_twice_a_second_at_most_and_no_word_is_older_than_half_a_second() {
        let (mut on_disk, mut reads) = (OnDisk::default(), 0);
        for ms in 0..10_000 {
            let said = on_disk.said(at_ms(ms), || {
                reads += 1;
                Words { choice: Choice { paused_until_us: Some(ms as i64), ..Choice::default() }, consent: None }
            });
            let read_ms = said.choice.paused_until_us.unwrap() as u64;
            assert!(ms - read_ms < 500, "at {ms} ms what was read at {read_ms} ms holds");
        }
        assert_eq!(reads, 20, "in 10 s of a look every millisecond");
    }

    #[test]
    fn what_somebody_waits_for_rings_and_all_else_waits_for_a_group() {
        let ((work, work_out), (bell, bell_out)) = (bounded(2), bounded(1));
        let outbox = Outbox { work, bell };
        let put = |done, pages| {
            outbox.put(Work { given: Yield { pages, ..Yield::default() }, reported: Vec::new(), done });
            let rung = bell_out.try_recv().is_ok();
            (rung, work_out.len())
        };
        assert_eq!(put(None, Vec::new()), (false, 1));
        assert_eq!(put(Some(bounded(1).0), Vec::new()), (true, 2));
        work_out.try_iter().for_each(drop);
        let page = crate::browser::message::PageId { document: Uuid::nil(), seq: 1 };
        assert_eq!(put(None, vec![page]), (true, 1));
        assert_eq!(put(None, Vec::new()), (false, 2));
        // No room: whoever takes out is called, and the flow waits for it.
        let taken = std::thread::scope(|threads| {
            threads.spawn(|| outbox.put(Work { given: Yield::default(), reported: Vec::new(), done: None }));
            bell_out.recv().unwrap();
            work_out.iter().take(3).count()
        });
        assert_eq!(taken, 3);
    }

    #[test]
    fn d7_what_a_command_changed_is_read_at_once() {
        let words = |stopped| Words { choice: Choice { stopped, ..Choice::default() }, consent: None };
        let mut on_disk = OnDisk::default();
        assert!(!on_disk.said(at_ms(0), || words(false)).choice.stopped);
        on_disk.forget();
        assert!(on_disk.said(at_ms(0), || words(true)).choice.stopped);
    }
}
