//! Elements, one at a time: UI Automation, else MSAA, else what the system knows of the control.
//!
//! The interfaces call into the program that is asked, which may hang; so each question has a time, a thread that hangs is
//! replaced once, and a program that is late too often is asked nothing for a while. A control that shows dots is known from its
//! style, before anything else of it is read.

use super::{roles, stands_for};
use crate::capture::questions::Questions;
use crate::capture::{Answer, CaptureError, Element, Query, RawSink, Reading, Ticket};
use crate::win32::elements::{Eyes, Found, Kind};
use crate::win32::window;
use crossbeam_channel::Receiver;
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A call that takes longer than this hangs.
const HANG: Duration = Duration::from_secs(2);

/// A call that takes longer than this was late.
const LATE: Duration = Duration::from_millis(250);

/// So many late calls of one program, within this time, and it is left alone for so long.
const LATE_MAX: usize = 5;
const LATE_WITHIN: Duration = Duration::from_secs(60);
const LEFT_ALONE: Duration = Duration::from_secs(600);

/// Programs that are remembered.
const PROGRAMS_MAX: usize = 64;

struct Question {
    ticket: Ticket,
    window: u64,
    at: Query,
    until: Instant,
}

/// The thread, and the one that replaces it.
pub struct Elements {
    questions: Questions<Question>,
    sink: RawSink,
    worker: Mutex<Worker>,
}

/// The thread that answers now.
#[derive(Clone, Default)]
struct Worker {
    /// Since when it is in a call.
    busy: Arc<Mutex<Option<Instant>>>,
    /// Whether another took its place.
    replaced: Arc<AtomicBool>,
    /// The one before, as long as it hangs.
    before: Option<Arc<Mutex<Option<Instant>>>>,
}

impl Elements {
    /// Starts the thread.
    pub fn start(sink: RawSink) -> Result<Self, CaptureError> {
        let questions = Questions::default();
        let worker = Worker::default();
        worker.spawn(questions.waiting(), sink.clone())?;
        Ok(Self { questions, sink, worker: Mutex::new(worker) })
    }

    /// Asks for an element of a window.
    pub fn ask(&self, ticket: Ticket, window: u64, at: Query, time_max: Duration) {
        let question = Question { ticket, window, at, until: Instant::now() + time_max };
        if let Some(oldest) = self.questions.put(question) {
            self.sink.answer(Answer::Element(oldest.ticket, Reading::Unknown));
        }
        let mut worker = self.worker.lock().unwrap_or_else(PoisonError::into_inner);
        if worker.hangs() && !worker.before.as_ref().is_some_and(is_busy) {
            worker.replaced.store(true, Ordering::SeqCst);
            let next = Worker { before: Some(worker.busy.clone()), ..Worker::default() };
            if next.spawn(self.questions.waiting(), self.sink.clone()).is_ok() {
                *worker = next;
            }
        }
    }
}

fn is_busy(busy: &Arc<Mutex<Option<Instant>>>) -> bool {
    busy.lock().unwrap_or_else(PoisonError::into_inner).is_some()
}

impl Worker {
    fn hangs(&self) -> bool {
        let busy = *self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        busy.is_some_and(|since| since.elapsed() > HANG)
    }

    fn set_busy(&self, since: Option<Instant>) {
        *self.busy.lock().unwrap_or_else(PoisonError::into_inner) = since;
    }

    fn spawn(&self, questions: Receiver<Question>, sink: RawSink) -> Result<(), CaptureError> {
        let own = self.clone();
        let thread = std::thread::Builder::new().name("lode-elements".into());
        thread.spawn(move || own.answer_all(&questions, &sink)).map(drop).map_err(CaptureError::Thread)
    }

    fn answer_all(&self, questions: &Receiver<Question>, sink: &RawSink) {
        let eyes = Eyes::open().ok();
        let mut patience = Patience::default();
        for question in questions {
            let began = Instant::now();
            self.set_busy(Some(began));
            let pid = window::process_and_thread(question.window).map_or(0, |(pid, _)| pid);
            let eyes = eyes.as_ref().filter(|_| patience.may_ask(pid, began));
            let element = if began >= question.until { None } else { find(eyes, question.window, question.at) };
            self.set_busy(None);
            if began.elapsed() > LATE {
                patience.was_late(pid, Instant::now());
            }
            let element = element.map_or(Reading::Unknown, Reading::Known);
            sink.answer(Answer::Element(question.ticket, element));
            if self.replaced.load(Ordering::SeqCst) {
                return;
            }
        }
    }
}

/// Which programs were late, and which are left alone.
#[derive(Default)]
struct Patience {
    late: BTreeMap<u32, VecDeque<Instant>>,
    alone: BTreeMap<u32, Instant>,
}

impl Patience {
    fn may_ask(&mut self, pid: u32, now: Instant) -> bool {
        self.alone.retain(|_, until| now < *until);
        !self.alone.contains_key(&pid)
    }

    fn was_late(&mut self, pid: u32, now: Instant) {
        if self.late.len() >= PROGRAMS_MAX || self.alone.len() >= PROGRAMS_MAX {
            (self.late, self.alone) = Default::default();
        }
        let late = self.late.entry(pid).or_default();
        late.push_back(now);
        while late.front().is_some_and(|first| now.duration_since(*first) > LATE_WITHIN) {
            late.pop_front();
        }
        if late.len() >= LATE_MAX {
            self.late.remove(&pid);
            self.alone.insert(pid, now + LEFT_ALONE);
        }
    }
}

/// Whether UI Automation is there.
pub fn has_automation() -> bool {
    // On a thread of its own, since the caller's may be one on which COM works otherwise.
    let probe = std::thread::spawn(|| Eyes::open().is_ok_and(|eyes| eyes.has_automation()));
    probe.join().unwrap_or(false)
}

/// The element of a window; nothing if meanwhile another window is there.
fn find(eyes: Option<&Eyes>, window: u64, at: Query) -> Option<Element> {
    let control = || match at {
        Query::At(x, y) => window::at(x, y),
        Query::Focused => window::focused_of(window).or(Some(window)),
    };
    let before = control()?;
    if stands_for(before)? != window {
        return None;
    }
    if window::is_password(before) {
        return Some(Element { role: Reading::Known("password".into()), name: None, id: None, ..by_class(before) });
    }
    let found = eyes.and_then(|eyes| ask(eyes, before, at));
    if control() != Some(before) {
        return None;
    }
    Some(match found {
        Some(found) => described(found, before),
        None => by_class(before),
    })
}

/// What the interfaces tell, the better one first. An answer that says no more than that there is something is none.
fn ask(eyes: &Eyes, control: u64, at: Query) -> Option<Found> {
    let tells = |found: &Found| found.is_password || roles::of_kind(found.kind).is_some();
    let automation = match at {
        Query::At(x, y) => eyes.automation_at(x, y),
        Query::Focused => eyes.automation_focused(),
    };
    let accessible = || match at {
        Query::At(x, y) => eyes.accessible_at(x, y),
        Query::Focused => None,
    };
    let automation = automation.filter(tells).or_else(|| eyes.automation_of(control).filter(tells));
    automation.or_else(|| accessible().filter(tells)).or_else(|| eyes.accessible_of(control).filter(tells))
}

fn described(found: Found, control: u64) -> Element {
    let role = if found.is_password { Some("password") } else { roles::of_kind(found.kind) };
    let is_whole_control = found.bounds.is_none() || found.bounds == window::place(control);
    let own = is_whole_control.then(|| by_class(control));
    let (id, class) = own.map_or((None, None), |own| (own.id, own.class));
    let id = if matches!(found.kind, Kind::Automation(_)) { found.id.or(id) } else { id };
    Element {
        role: role.map_or(Reading::Unknown, |role| Reading::Known(role.into())),
        name: found.name,
        id,
        class: found.class.or(class),
        path: None,
        bounds: found.bounds,
        url: None,
    }
}

/// What the system knows of a control. The caption of anything but a button may be its content, so it is not read.
fn by_class(control: u64) -> Element {
    let class = window::class(control);
    let style = window::style(control);
    let role = class.as_deref().and_then(|class| roles::of_class(class, style));
    let is_button = matches!(role, Some("button" | "checkbox" | "radio"));
    let name = if is_button { window::title(control) } else { None };
    Element {
        role: role.map_or(Reading::Unknown, |role| Reading::Known(role.into())),
        name: name.map(|name| name.replace('&', "")).filter(|name| !name.is_empty()),
        id: window::control_id(control).map(|id| id.to_string()),
        class,
        path: None,
        bounds: window::place(control),
        url: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_late_too_often_is_left_alone_for_a_while() {
        let (mut patience, began) = (Patience::default(), Instant::now());
        let at = |seconds: u64| began + Duration::from_secs(seconds);
        for second in [0, 61, 62, 63, 64] {
            patience.was_late(7, at(second));
        }
        assert!(patience.may_ask(7, at(64)), "four within a minute");
        patience.was_late(7, at(65));
        assert!(!patience.may_ask(7, at(66)) && patience.may_ask(8, at(66)));
        assert!(patience.may_ask(7, at(666)));
    }
}
