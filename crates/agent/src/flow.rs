//! The way of an event on the desktop: gate, normalise, picture, scrub. One step at a time, without threads or disk.
//!
//! ```text
//! RawSource ── gate ── Normalizer ── rules: a picture? ── Policy::scrub ──> Admission ──> spool
//!                │          │                                   │
//!             filtered    merged                            filtered
//! ```
//!
//! [`Flow::step`] takes what the backend pushed and gives what may be kept, with the counters that belong to it. What it holds is
//! in memory only; nothing here can write, and only a `Scrubbed<Event>` leaves (promise D1).

use crate::browser::message::{Kind, PageEvent, PageId};
use crate::browser::{Browsers, Heard, Program};
use crate::capture::{
    Answer, Capture, CaptureError, Element, NoPicture, Query, RawEvent, RawKind, RawSource, Reading, Request, Ticket,
    Want, WindowId, channel,
};
use crate::clock::Moment;
use crate::configuration::{ClientHash, Effective};
use crate::counters::Counters;
use crate::gate::{self, Sight};
use crate::normalize::{Aside, Circumstances, Formed, Normalizer, PageAction, Settings};
use crate::screenshot::{Png, Shooter, Shot, scaled_down};
use crate::standing::State;
use std::sync::Arc;
use std::time::Duration;
use uilog::planted;
use uilog::policy::model::{MaskText, Scope};
use uilog::policy::{Decision, GateDecision, Outcome, Refusal, Scrubbed, Seen, is_secret_role};
use uilog::{Event, EventType};
use uuid::Uuid;

/// Raw events taken in one step at most, so that a burst does not keep finished events from the spool.
const RAW_PER_STEP_MAX: usize = 1_024;

/// How often the desktop is asked since when nobody touched it, in microseconds: asking costs a round trip, and input itself tells
/// that somebody is there.
const IDLE_LOOK_US: u64 = 500_000;

/// How much longer than the look-up's own limit the answer to what has the focus may take, in microseconds.
const FOCUS_SLACK_US: u64 = 100_000;

/// How old an event of a page may be, in microseconds; one that claims more counts as that old.
const PAGE_AGE_US_MAX: i64 = 600_000_000;

/// Areas of a picture at most; a picture with more is not kept. They travel in a header, and proxies take 8 KiB.
const MASKS_MAX: usize = 64;

/// An event that may be kept, with the picture that belongs to it.
#[derive(Debug)]
pub struct Admission {
    /// The event, scrubbed.
    pub event: Scrubbed<Event>,
    /// Its picture, if there is a new one.
    pub picture: Option<Png>,
    /// When it happened.
    pub at: Moment,
}

/// What a step gives.
#[derive(Debug, Default)]
pub struct Yield {
    /// What may be kept.
    pub admissions: Vec<Admission>,
    /// What became of everything since the last step.
    pub counters: Counters,
    /// Events of pages whose fate is among these.
    pub pages: Vec<PageId>,
}

impl Yield {
    /// Adds what came later.
    pub fn add(&mut self, later: Yield) {
        self.admissions.extend(later.admissions);
        self.counters.add(&later.counters);
        self.pages.extend(later.pages);
    }
}

/// Who the client is in its events.
#[derive(Clone, Debug, Default)]
pub struct Person {
    /// The operating system's user.
    pub user_name: Option<String>,
    /// The machine.
    pub machine_name: Option<String>,
    /// `custom1` … `custom5`.
    pub custom: [Option<String>; 5],
}

/// What is in front, as far as it may be known.
enum Front {
    /// Nothing, or something that is not allowed.
    Nothing(Refusal),
    /// An admitted window.
    Window(Sight),
}

/// One stretch of recording.
struct Session {
    effective: Arc<Effective>,
    hash: ClientHash,
    normalizer: Normalizer,
    front: Front,
    /// The window with which recording began, until a backend tells of one.
    began_with: Option<WindowId>,
    idle: bool,
    /// When the desktop is asked next whether somebody is there.
    idle_look_us: u64,
    last_event: Moment,
}

/// An event whose rule asks for a picture: its window settles, then it is asked what has the focus.
///
/// [-- settle --][- what has the focus? -] picture
struct Settling {
    formed: Formed,
    scope: Scope,
    focus: Focus,
}

/// What is known of the element that has the focus just before a picture is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Focus {
    /// Nobody was asked yet.
    Open,
    /// It is asked for; after that moment of uptime nobody waits any more.
    Asked(Ticket, u64),
    /// It is no secret field.
    Plain,
    /// It is a secret field, or nobody knows what it is.
    Secret,
}

/// See the module.
pub struct Flow {
    capture: Box<dyn Capture>,
    source: RawSource,
    shooter: Shooter,
    person: Person,
    session: Option<Session>,
    session_id: Uuid,
    /// An event that is finished, and waits for its picture.
    settling: Option<Settling>,
    locked: bool,
    counters: Counters,
    browsers: Arc<Browsers>,
    /// Events of pages whose fate was decided since the last step.
    pages: Vec<PageId>,
    /// Raw events that were taken from the source, to check the counters against.
    taken: u64,
}

impl Flow {
    /// Starts a backend; nothing is recorded yet.
    ///
    /// Errors: the backend does not start.
    pub fn start(mut capture: Box<dyn Capture>, person: Person) -> Result<Self, CaptureError> {
        let (sink, source) = channel();
        capture.start(sink)?;
        capture.arm(Want::default());
        Ok(Self {
            capture,
            source,
            shooter: Shooter::default(),
            person,
            session: None,
            session_id: Uuid::nil(),
            settling: None,
            locked: false,
            counters: Counters::default(),
            browsers: Arc::default(),
            pages: Vec::new(),
            taken: 0,
        })
    }

    /// Hears these browsers from now on.
    pub fn hear(&mut self, browsers: Arc<Browsers>) {
        self.browsers = browsers;
    }

    /// Who is heard.
    pub fn browsers(&self) -> &Browsers {
        &self.browsers
    }

    /// Whether the screen is locked, as far as the backend said so.
    pub fn is_locked(&self) -> bool {
        self.locked
    }

    /// The id of this stretch of recording.
    pub fn session_id(&self) -> Uuid {
        self.session_id
    }

    /// Whether recording runs.
    pub fn is_recording(&self) -> bool {
        self.session.is_some()
    }

    /// Answers to the project's questions, for events from now on.
    pub fn set_person(&mut self, person: Person) {
        self.person = person;
    }

    /// What the screen shows may have been deleted: pictures are compared with none.
    pub fn forget_pictures(&mut self) {
        self.shooter.forget();
    }

    /// Begins to record, or goes on under another configuration. `why` is the event that says so.
    pub fn record(&mut self, now: Moment, effective: Arc<Effective>, hash: ClientHash, why: EventType) {
        self.session_id = Uuid::new_v4();
        let mut normalizer = Normalizer::new(Settings::of(&effective.configuration), self.circumstances());
        normalizer.session(why, now, &[], 1);
        let front = Front::Nothing(Refusal::Identity);
        self.session = Some(Session {
            effective,
            hash,
            normalizer,
            front,
            began_with: None,
            idle: false,
            idle_look_us: 0,
            last_event: now,
        });
        if let Reading::Known(window) = self.capture.front() {
            self.look_front(window);
            self.admit_front(now);
            self.begin_with(window);
        }
        self.arm();
    }

    /// Ends recording: what is finished leaves with the next [`step`](Self::step), nothing that comes later does. `state` says why.
    pub fn end(&mut self, now: Moment, state: State) -> Yield {
        let Some(session) = &mut self.session else { return Yield::default() };
        let (event_type, reason) = match state {
            State::Paused => (EventType::RecordingPaused, "user"),
            State::OutsideSchedule => (EventType::RecordingPaused, "schedule"),
            State::Locked => (EventType::ScreenLocked, "locked"),
            State::Stopped => (EventType::RecordingStopped, "user"),
            other => (EventType::RecordingStopped, other.name()),
        };
        session.normalizer.end_all();
        session.normalizer.session(event_type, now, &[("reason", reason.to_owned())], 1);
        session.normalizer.end_all();
        self.hear_pages(now);
        if let Some(session) = &mut self.session {
            session.normalizer.end_all();
        }
        let given = self.finish(now, true);
        if planted::is("recorded-after-the-end") {
            return given;
        }
        self.session = None;
        self.capture.arm(Want::default());
        given
    }

    /// Ends the backend too, and tells whether everything that it pushed came out.
    pub fn stop(mut self, now: Moment, state: State) -> (Yield, i128) {
        let mut given = self.end(now, state);
        let drained = self.capture.stop();
        while let Ok(raw) = self.source.raw.try_recv() {
            self.taken += 1;
            self.count_state(&raw);
        }
        let lost = self.source.newly_lost();
        self.counters.lose("queue_full", lost);
        self.hear_pages(now);
        given.counters.add(&std::mem::take(&mut self.counters));
        given.pages.append(&mut self.pages);
        (given, i128::from(drained.pushed) - i128::from(self.taken))
    }

    /// How many raw events are held, whose fate is open.
    pub fn pending(&self) -> u64 {
        let held = self.session.as_ref().map_or(0, |session| session.normalizer.pending());
        held + self.settling.as_ref().map_or(0, |settling| settling.formed.parts)
    }

    /// How long nothing can happen without input, in microseconds of uptime.
    pub fn next_us(&self) -> Option<u64> {
        let settling = self.settling.as_ref().map(|settling| match settling.focus {
            Focus::Asked(_, until_us) => until_us,
            _ => settling.formed.at.uptime_us + self.settle_us(),
        });
        settling.or_else(|| self.session.as_ref()?.normalizer.next_us())
    }

    /// Whether somebody is typing, so that letters, which ring no bell, may wait for others.
    pub fn is_typing(&self) -> bool {
        self.session.as_ref().is_some_and(|session| session.normalizer.is_typing())
    }

    /// Where raw events come in: for whoever waits for the next one.
    pub fn source(&self) -> &RawSource {
        &self.source
    }

    /// Takes what was pushed, and gives what is finished.
    pub fn step(&mut self, now: Moment) -> Yield {
        // Before anything is taken, so that a ring for what comes meanwhile stays.
        let _ = self.source.bell.try_recv();
        for _ in 0..RAW_PER_STEP_MAX {
            let Ok(raw) = self.source.raw.try_recv() else { break };
            self.taken += 1;
            self.take(raw, now);
        }
        let lost = self.source.newly_lost();
        if lost > 0 && !planted::is("full-queue-untold") {
            self.counters.lose("queue_full", lost);
            self.gap(now, "queue_full", &[("events_lost", lost.to_string())], 1);
        }
        self.hear_pages(now);
        while let Ok(answer) = self.source.answers.try_recv() {
            if let Some(settling) = &mut self.settling
                && let (Focus::Asked(asked, _), Answer::Element(ticket, element)) = (settling.focus, &answer)
                && asked == *ticket
            {
                settling.focus = focus_on(element);
            } else if let Some(session) = &mut self.session {
                session.normalizer.answer(answer, &session.hash);
            }
        }
        self.tick(now);
        self.finish(now, false)
    }

    /// Puts in a comment of the participant; `false` if nothing is recorded now.
    pub fn comment(&mut self, now: Moment, text: &str) -> bool {
        let Some(session) = &mut self.session else { return false };
        session.normalizer.comment(now, text);
        true
    }

    /// Makes the events that tell of a hole.
    ///
    /// They pass the policy like all others; `None` if nothing is recorded now, so that they are asked for again later.
    pub fn gap_event(&mut self, now: Moment, attributes: &[(&str, String)]) -> Option<Scrubbed<Event>> {
        let template = self.circumstances().template;
        let session = self.session.as_ref()?;
        let attributes = attributes.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
        let event = Event {
            event_type: EventType::CoverageGap,
            time_us: now.time_us,
            uptime_us: Some(now.uptime_us),
            attributes,
            ..template
        };
        match session.effective.policy.scrub(event, &session.hash) {
            Outcome::Logged(event, _) => Some(*event),
            _ => None,
        }
    }

    fn circumstances(&self) -> Circumstances {
        let [custom1, custom2, custom3, custom4, custom5] = self.person.custom.clone();
        let template = Event {
            session_id: self.session_id,
            user_name: self.person.user_name.clone(),
            machine_name: self.person.machine_name.clone(),
            custom1,
            custom2,
            custom3,
            custom4,
            custom5,
            tz_offset_min: Some(offset_min()),
            os: Some(self.capture.os().to_owned()),
            client_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            ..Event::default()
        };
        Circumstances { template }
    }

    fn take(&mut self, raw: RawEvent, now: Moment) {
        match raw.kind {
            RawKind::Locked => self.locked = true,
            RawKind::Unlocked => self.locked = false,
            _ => {}
        }
        let Some(session) = &mut self.session else { return self.count_state(&raw) };
        if matches!(raw.kind, RawKind::Locked | RawKind::Unlocked) {
            // The state follows, and the event with it.
            return self.counters.merge(1);
        }
        if let RawKind::Blind(reason, duration) = raw.kind {
            let duration_us = duration.as_micros().to_string();
            return self.gap(now, reason.name(), &[("duration_us", duration_us)], 1);
        }
        if raw.injected && !session.effective.configuration.capture.injected {
            return self.counters.filter("setting:injected", 1);
        }
        if session.idle && matches!(raw.kind, RawKind::Key { .. } | RawKind::Button { .. } | RawKind::Wheel { .. }) {
            session.idle = false;
            session.normalizer.session(EventType::IdleEnded, raw.at, &[], 1);
        }
        // A backend that starts tells which window is in front; recording may have begun with that window already.
        let is_told = matches!(raw.kind, RawKind::Focus(window) if session.began_with.take() == Some(window));
        let sight = match raw.kind {
            RawKind::Button { window, .. } | RawKind::Wheel { window, .. } => {
                gate::look(window, &*self.capture, &self.browsers, &session.effective)
            }
            RawKind::Focus(window) => {
                self.look_front(window);
                self.arm();
                self.front_sight()
            }
            RawKind::Title(window) | RawKind::Element(window) => {
                let front = self.front_sight();
                match front {
                    Ok(sight) if sight.window() == window => {
                        // The new title may be one that is never seen.
                        self.look_front(window);
                        self.arm();
                        self.front_sight()
                    }
                    Ok(_) => Err(Refusal::App),
                    refused if self.browsers.have_page() => {
                        self.look_again(now);
                        refused
                    }
                    refused => {
                        self.look_front(window);
                        self.arm();
                        refused.or_else(|refusal| self.front_sight().map_err(|_| refusal))
                    }
                }
            }
            _ => self.front_sight(),
        };
        let Some(session) = &mut self.session else { return };
        match sight {
            Ok(_) if is_told && !planted::is("front-told-twice") => self.counters.merge(1),
            Ok(sight) => {
                session.last_event = raw.at;
                match session.normalizer.raw(&raw, &sight, &*self.capture) {
                    None => {}
                    Some(Aside::Merged) => self.counters.merge(1),
                    Some(Aside::Dropped(reason)) => self.counters.lose(reason, 1),
                    Some(Aside::Filtered(name)) => self.counters.filter(name, 1),
                }
            }
            Err(refusal) => {
                session.normalizer.end_stay();
                self.counters.filter(&format!("gate.{}", refusal.name()), 1);
            }
        }
    }

    /// Takes what browsers said.
    fn hear_pages(&mut self, now: Moment) {
        for _ in 0..RAW_PER_STEP_MAX {
            match self.browsers.source.try_recv() {
                Ok(Heard::Event(program, event)) => self.take_page(&program, *event, now),
                Ok(Heard::Front) => self.look_again(now),
                Err(_) => break,
            }
        }
    }

    /// Another page is in front: what was refused may be allowed now, and the other way round.
    fn look_again(&mut self, now: Moment) {
        let Reading::Known(window) = self.capture.front() else { return };
        let was_refused = self.front_sight().is_err();
        self.look_front(window);
        if was_refused {
            self.admit_front(now);
        }
        self.arm();
    }

    /// An event of a page, on its way through the same gate as everything else.
    fn take_page(&mut self, program: &Program, event: PageEvent, now: Moment) {
        let id = event.id();
        let Some(session) = &mut self.session else {
            self.counters.filter("gate.state", 1);
            return self.pages.push(id);
        };
        if !event.is_bounded() && !planted::is("page-without-bounds") {
            self.counters.lose("page_unbounded", 1);
            return self.pages.push(id);
        }
        if event.kind == Kind::Lost {
            self.counters.lose("extension_lost", event.lost);
            let attributes = [("reason", "extension_lost".to_owned()), ("events_lost", event.lost.to_string())];
            session.normalizer.session(EventType::CoverageGap, now, &attributes, 1);
            return session.normalizer.belongs_to_last(id);
        }
        let front = match &session.front {
            Front::Window(sight) if sight.admitted.pid() == Some(program.pid) => Some(sight.clone()),
            _ => None,
        };
        let in_front = front.filter(|sight| sight.page.as_ref().is_some_and(|page| page.title == event.title));
        // A tab that is not in front gives its window no title; its own is what the window would show.
        let window_title = match in_front.as_ref().map(|sight| &sight.title) {
            Some(Reading::Known(title)) => title.clone(),
            _ => event.title.clone(),
        };
        let path = program.path.to_string_lossy();
        let seen = Seen {
            process_name: Reading::Known(&program.name),
            path: Reading::Known(&path),
            // The extension does not run in private windows.
            private: Reading::Known(false),
            url: Reading::Known(&event.url),
            page_title: Reading::Known(&event.title),
            window_title: Reading::Known(&window_title),
            ..Seen::default()
        };
        if let GateDecision::Refused(refusal) = session.effective.policy.gate(&seen) {
            self.counters.filter(&format!("gate.{}", refusal.name()), 1);
            return self.pages.push(id);
        }
        let ago_us = (now.time_us - (event.time_ms * 1_000.0) as i64).clamp(0, PAGE_AGE_US_MAX);
        let at =
            Moment { uptime_us: now.uptime_us.saturating_sub(ago_us.unsigned_abs()), time_us: now.time_us - ago_us };
        session.last_event = at.max(session.last_event);
        let action =
            PageAction { program: program.clone(), event, at, sight: in_front, window_title, known_us: now.uptime_us };
        if let Some(aside) = session.normalizer.page(action, &session.hash) {
            match aside {
                Aside::Merged => self.counters.merge(1),
                Aside::Dropped(reason) => self.counters.lose(reason, 1),
                Aside::Filtered(name) => self.counters.filter(name, 1),
            }
            self.pages.push(id);
        }
    }

    /// Nothing is recorded: raw events leave nothing but a number.
    fn count_state(&mut self, _raw: &RawEvent) {
        self.counters.filter("gate.state", 1);
    }

    fn front_sight(&self) -> Result<Sight, Refusal> {
        match self.session.as_ref().map(|session| &session.front) {
            Some(Front::Window(sight)) => Ok(sight.clone()),
            Some(Front::Nothing(refusal)) => Err(*refusal),
            None => Err(Refusal::Identity),
        }
    }

    fn look_front(&mut self, window: WindowId) {
        let Some(session) = &mut self.session else { return };
        session.front = match gate::look(window, &*self.capture, &self.browsers, &session.effective) {
            Ok(sight) => Front::Window(sight),
            Err(refusal) => Front::Nothing(refusal),
        };
    }

    /// The window that is in front when recording begins counts as one that came there.
    fn admit_front(&mut self, now: Moment) {
        if let Ok(sight) = self.front_sight()
            && let Some(session) = &mut self.session
        {
            let raw = RawEvent { at: now, injected: false, kind: RawKind::Focus(sight.window()) };
            session.normalizer.raw(&raw, &sight, &*self.capture);
        }
    }

    /// Recording began with this window, as far as it may be seen.
    fn begin_with(&mut self, window: WindowId) {
        if let Some(session) = &mut self.session {
            session.began_with = matches!(session.front, Front::Window(_)).then_some(window);
        }
    }

    /// Nothing allowed in front: no input is listened to, only which window comes next.
    fn arm(&mut self) {
        let Some(session) = &self.session else { return };
        let front = match &session.front {
            Front::Window(sight) => Some(sight.window()),
            Front::Nothing(_) => None,
        };
        // A browser tells of a page before or after its window shows the title; then the title is waited for, and nothing else.
        let waits = matches!(session.front, Front::Nothing(Refusal::Site)) && self.browsers.have_page();
        let in_wait = waits.then(|| self.capture.front()).and_then(|front| match front {
            Reading::Known(window) => Some(window),
            _ => None,
        });
        let clipboard = session.effective.configuration.capture.clipboard;
        let want =
            Want { input: front.is_some(), clipboard: front.is_some() && clipboard, titles_of: front.or(in_wait) };
        self.capture.arm(want);
    }

    fn tick(&mut self, now: Moment) {
        let Some(session) = &mut self.session else { return };
        session.normalizer.tick(now);
        for (window, since) in session.normalizer.settled_titles(now) {
            match gate::look(window, &*self.capture, &self.browsers, &session.effective) {
                Ok(sight) => session.normalizer.title(since, now, &sight, &*self.capture),
                Err(refusal) => self.counters.filter(&format!("gate.{}", refusal.name()), 1),
            }
        }
        let settings = &session.effective.configuration.capture;
        let (idle_after_us, alive_us) = (us(settings.idle_after), us(settings.alive));
        let is_asked = idle_after_us > 0 && now.uptime_us >= session.idle_look_us;
        if is_asked {
            session.idle_look_us = now.uptime_us + IDLE_LOOK_US;
        }
        if is_asked
            && let Reading::Known(idle_us) = self.capture.idle_us()
            && session.idle != (idle_us >= idle_after_us)
        {
            // It ends here where the input itself is not seen: in a window that is not allowed, or on Wayland.
            session.idle = !session.idle;
            let event_type = if session.idle { EventType::IdleStarted } else { EventType::IdleEnded };
            let last_input = Moment {
                uptime_us: now.uptime_us.saturating_sub(idle_us),
                time_us: now.time_us - i64::try_from(idle_us).unwrap_or(0),
            };
            session.normalizer.session(event_type, last_input, &[], 1);
            session.last_event = now;
        }
        if alive_us > 0 && now.since_us(session.last_event) >= alive_us {
            session.last_event = now;
            session.normalizer.session(EventType::Alive, now, &[], 1);
        }
    }

    fn gap(&mut self, now: Moment, reason: &str, attributes: &[(&str, String)], parts: u64) {
        let Some(session) = &mut self.session else { return };
        let mut all = vec![("reason", reason.to_owned())];
        all.extend(attributes.iter().cloned());
        session.normalizer.session(EventType::CoverageGap, now, &all, parts);
    }

    /// Takes what the normalizer finished through pictures and rules.
    fn finish(&mut self, now: Moment, at_once: bool) -> Yield {
        let mut admissions = Vec::new();
        while let Some(session) = &mut self.session {
            let Settling { formed, scope, focus } = match self.settling.take() {
                Some(settling) => settling,
                None => {
                    let Some(formed) = session.normalizer.pop(now) else { break };
                    let scope = wanted_picture(&session.effective, &formed);
                    Settling { formed, scope, focus: Focus::Open }
                }
            };
            if scope == Scope::None || at_once {
                admissions.extend(self.scrub(formed, None));
                continue;
            }
            let settle_us = us(session.effective.configuration.screenshots.settle);
            let is_settled = now.since_us(formed.at) >= settle_us;
            let focus = if is_settled { self.focus(now, &formed, focus) } else { focus };
            if matches!(focus, Focus::Open | Focus::Asked(..)) {
                self.settling = Some(Settling { formed, scope, focus });
                break;
            }
            let shot = if focus == Focus::Plain { self.shoot(now, &formed, scope) } else { None };
            admissions.extend(self.scrub(formed, shot));
        }
        Yield { admissions, counters: std::mem::take(&mut self.counters), pages: std::mem::take(&mut self.pages) }
    }

    /// What has the focus now that the window of an event has settled: since the event it may have come to a secret field.
    fn focus(&mut self, now: Moment, formed: &Formed, focus: Focus) -> Focus {
        match (focus, &self.session, &formed.sight) {
            (Focus::Open, Some(session), Some(sight)) => {
                let configuration = &session.effective.configuration;
                // Of its own fields a page tells by itself, and where there will be no picture nobody has to be asked.
                let is_needless = sight.page.is_some() || !self.shooter.may(now, &configuration.screenshots);
                if is_needless || planted::is("focus-unasked") {
                    return Focus::Plain;
                }
                let time_max = configuration.capture.element_timeout;
                let ticket = self.capture.element(&sight.admitted, Query::Focused, time_max);
                Focus::Asked(ticket, now.uptime_us + us(time_max) + FOCUS_SLACK_US)
            }
            (Focus::Asked(_, until_us), ..) if now.uptime_us >= until_us => Focus::Secret,
            (focus, ..) => focus,
        }
    }

    /// A picture for an event whose rule asks for one; every doubt is none.
    fn shoot(&mut self, now: Moment, formed: &Formed, scope: Scope) -> Option<Shot> {
        let session = self.session.as_ref()?;
        let sight = formed.sight.as_ref()?;
        let settings = &session.effective.configuration.screenshots;
        if !self.shooter.may(now, settings) {
            return None;
        }
        // Texts inside windows cannot be masked here, so who asks for that gets no picture.
        if settings.mask_text != MaskText::Page {
            return None;
        }
        // The window must still be what it was: its title may have become one that is never seen.
        let again = match planted::is("picture-at-first-sight") {
            true => sight.clone(),
            false => gate::look(sight.window(), &*self.capture, &self.browsers, &session.effective).ok()?,
        };
        // What a page must not show, only the page can tell; without its word there is no picture.
        let masks = match (&again.page, formed.masks.clone()) {
            (None, _) => Vec::new(),
            (Some(_), None) if planted::is("page-unmasked") => Vec::new(),
            (Some(_), masks) => masks?,
        };
        let request =
            Request { allowed: Vec::new(), masks, desktop: scope == Scope::Desktop, side_px_max: settings.max_side };
        let picture = self.picture(&again, request).ok().filter(|picture| picture.masks.len() <= MASKS_MAX)?;
        let picture = scaled_down(picture, settings.max_side);
        self.shooter.add(now, &picture).ok()
    }

    fn picture(&self, sight: &Sight, request: Request) -> Result<crate::capture::Picture, NoPicture> {
        self.capture.picture(&sight.admitted, &request)
    }

    fn scrub(&mut self, formed: Formed, shot: Option<Shot>) -> Option<Admission> {
        let session = self.session.as_ref()?;
        if planted::is("leak-per-event") {
            Box::leak(vec![1_u8; 1_024].into_boxed_slice());
        }
        let Formed { mut captured, parts, at, pages, .. } = formed;
        self.pages.extend(pages);
        let picture = match shot {
            Some(Shot::New(png)) => {
                captured.event.screenshot_id = Some(png.id);
                Some(png)
            }
            Some(Shot::Same(id)) => {
                captured.event.screenshot_id = Some(id);
                None
            }
            None => None,
        };
        // All parts but one are merged; the one is what became of the event.
        if !planted::is("parts-uncounted") {
            self.counters.merge(parts.saturating_sub(1));
        }
        match session.effective.policy.scrub(captured, &session.hash) {
            Outcome::Logged(event, scope) => {
                self.counters.admit();
                let picture = picture.filter(|_| scope != Scope::None && event.screenshot_id.is_some());
                Some(Admission { event: *event, picture, at })
            }
            refused => {
                self.counters.filter(&refused.counter().unwrap_or_default(), 1);
                None
            }
        }
    }

    fn settle_us(&self) -> u64 {
        self.session.as_ref().map_or(0, |session| us(session.effective.configuration.screenshots.settle))
    }
}

/// The picture that the rule of an event asks for.
fn wanted_picture(effective: &Effective, formed: &Formed) -> Scope {
    if !effective.configuration.screenshots.enabled || formed.sight.is_none() {
        return Scope::None;
    }
    match effective.policy.decide(&formed.captured) {
        Decision::Log { screenshot, .. } => screenshot,
        _ => Scope::None,
    }
}

/// What an element is to a picture. Where nothing has the focus, nothing is typed.
fn focus_on(element: &Reading<Element>) -> Focus {
    match element {
        Reading::Absent => Focus::Plain,
        Reading::Known(Element { role: Reading::Known(role), .. }) if !is_secret_role(role) => Focus::Plain,
        Reading::Known(Element { role: Reading::Absent, .. }) => Focus::Plain,
        _ => Focus::Secret,
    }
}

/// Minutes of the user's offset from UTC.
fn offset_min() -> i16 {
    i16::try_from(chrono::Local::now().offset().local_minus_utc() / 60).unwrap_or(0)
}

fn us(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
pub(crate) mod tests;
