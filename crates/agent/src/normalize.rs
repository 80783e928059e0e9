//! From what the system said to what a person did: keystrokes become entered text, two clicks a double click, a key and a change
//! of the clipboard a copy.
//!
//! Only raw events of admitted windows come here. What is still unfinished is held in memory; each finished [`Formed`] knows how
//! many raw events it was made of, so that the sums of promise P5 are exact.
//!
//! ```text
//! raw      k k k   tab   press release        press release      ctrl+c  clipboard
//! events   [text_entered][key_command] [--------double_click--------]    [--copy--]
//! ```
//!
//! Events leave in the order in which they ended; one that waits for its element holds back those behind it. All durations are
//! measured on the monotonic clock. This module reads no title and decides about no rule.

use crate::browser::Program;
use crate::browser::message::{Kind, PageEvent, PageId};
use crate::capture::{
    Answer, Button, Capture, Clipboard, Direction, Element, Key, Modifiers, Query, RawEvent, RawKind, Reading, Ticket,
    WindowId,
};
use crate::clock::Moment;
use crate::gate::Sight;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;
use uilog::column::ColumnId;
use uilog::event::Fingerprint;
use uilog::planted;
use uilog::policy::{Captured, ColumnSet, Configuration, KeyedHash};
use uilog::{Actor, Event, EventType};
use zeroize::Zeroizing;

/// Silence after which entered text is one event.
const TYPING_SILENCE_US: u64 = 10_000_000;
/// The longest stay in one field that is one event.
const TYPING_US_MAX: u64 = 600_000_000;
/// The most characters of entered text that are kept, where a rule asks for them; further ones are counted only.
const TYPED_CHARS_MAX: usize = 4_096;
/// Two clicks closer than this, in time and in pixels, are a double click.
const DOUBLE_CLICK_US: u64 = 400_000;
/// How far the pointer may move during a click.
const CLICK_PX_MAX: i32 = 8;
/// The same button again within this is a fault of the driver.
const BOUNCE_US: u64 = 50_000;
/// Rest after which a scroll is one event.
const SCROLL_REST_US: u64 = 400_000;
/// The same command again within this joins.
const REPEAT_US: u64 = 1_000_000;
/// How long a copy waits for the clipboard to change.
const CLIPBOARD_US: u64 = 1_000_000;
/// How long a title must stay before it counts.
const TITLE_SETTLE_US: u64 = 300_000;
/// A window's titles count at most this often.
const TITLE_GAP_US: u64 = 2_000_000;
/// How much longer than the look-up's own limit an answer may take.
const ANSWER_SLACK_US: u64 = 100_000;
/// How long the clipboard may take to answer.
const CLIPBOARD_ANSWER_US: u64 = 250_000;
/// Values with fewer characters get no fingerprint (promise D5).
const FINGERPRINT_CHARS_MIN: usize = 4;
/// How long a click on a page waits for the page's word, and the page's word for the click of the desktop.
const PAGE_US: u64 = 250_000;
/// Clicks that went without the page's word, and are remembered so that a late word makes no second event.
const UNANSWERED_MAX: usize = 16;
/// Events that wait for their elements at most; further ones go without.
const QUEUE_MAX: usize = 512;

/// What of the configuration matters here.
#[derive(Clone, Debug)]
pub struct Settings {
    elements: bool,
    elements_never: Vec<String>,
    element_time_max: Duration,
    clipboard: bool,
    /// A rule keeps typed or copied text, or its hash.
    keeps_text: bool,
    /// A rule keeps text or fingerprints, so content must be read.
    reads_content: bool,
    /// Pictures may be taken, so every event must tell whether a secret field is near.
    pictures: bool,
    name_chars_max: usize,
    snippet_split_us: u64,
}

impl Settings {
    /// What a configuration says.
    pub fn of(configuration: &Configuration) -> Self {
        let logs = || {
            let rules = configuration.rules.iter().filter_map(|rule| rule.action.log());
            rules.chain(configuration.otherwise.log())
        };
        let names = |column| logs().any(|log| log.columns.names(column) || log.hash.names(column));
        let capture = &configuration.capture;
        Self {
            elements: capture.elements,
            elements_never: capture.elements_never.clone(),
            element_time_max: capture.element_timeout,
            clipboard: capture.clipboard,
            keeps_text: names(ColumnId::Text),
            reads_content: names(ColumnId::Text) || names(ColumnId::ValueFingerprint),
            pictures: configuration.screenshots.enabled,
            name_chars_max: capture.name_max as usize,
            snippet_split_us: us(capture.snippet_split),
        }
    }
}

/// Who and where: columns that are the same in every event of a session.
#[derive(Clone, Debug, Default)]
pub struct Circumstances {
    /// An event with these columns filled in.
    pub template: Event,
}

/// An event, finished.
#[derive(Debug)]
pub struct Formed {
    /// The event and what could not be read of it.
    pub captured: Captured,
    /// Its window; none for what is about the recording itself.
    pub sight: Option<Sight>,
    /// How many raw events it was made of.
    pub parts: u64,
    /// When it ended.
    pub at: Moment,
    /// Events of pages that are part of it.
    pub pages: Vec<PageId>,
    /// What must be painted over in a picture of the page; none if the page did not say.
    pub masks: Option<Vec<[i32; 4]>>,
}

/// An event of a page that the gate let through.
#[derive(Debug)]
pub struct PageAction {
    /// The browser.
    pub program: Program,
    /// What the page says.
    pub event: PageEvent,
    /// When it happened.
    pub at: Moment,
    /// The browser's window, if it is in front and shows this page.
    pub sight: Option<Sight>,
    /// The title of the window that it is in, as far as it is known.
    pub window_title: String,
    /// When it came here, on the monotonic clock.
    pub known_us: u64,
}

/// A click of the desktop on a page, which the page may tell more about.
#[derive(Clone, Copy, Debug)]
struct OnPage {
    pid: u32,
    /// Wall clock of the press.
    from_us: i64,
    is_answered: bool,
}

impl OnPage {
    /// How far, in microseconds, the page's word is from the click that ended then; nothing if it cannot be meant.
    ///
    /// page    |- 250 ms -|press   release|- 250 ms -|
    fn distance_us(&self, ended_us: i64, action: &PageAction) -> Option<i64> {
        let at_us = action.at.time_us;
        let distance_us = (self.from_us - at_us).max(at_us - ended_us).max(0);
        (self.pid == action.program.pid && distance_us <= PAGE_US as i64).then_some(distance_us)
    }
}

/// What became of a raw event that makes no event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aside {
    /// A fault of the driver; the counter's name.
    Dropped(&'static str),
    /// Nothing a person did; the counter's name.
    Filtered(&'static str),
    /// It belongs to an event that was counted already.
    Merged,
}

/// Something of an event that is still missing.
#[derive(Debug, Default)]
struct Missing {
    element: Option<Ticket>,
    clipboard: Option<Ticket>,
    /// A copy that the clipboard has not confirmed yet.
    unconfirmed: Option<EventType>,
    /// The same command may come again.
    repeats: bool,
    /// It is a click on a page.
    on_page: Option<OnPage>,
}

#[derive(Debug)]
struct Slot {
    formed: Formed,
    missing: Missing,
    /// When it goes as it is.
    until_us: u64,
}

#[derive(Debug)]
struct Typing {
    slot: Slot,
    length: i64,
    text: Zeroizing<String>,
    began: Moment,
    last: Moment,
}

#[derive(Debug)]
struct Press {
    slot: Slot,
    button: Button,
    x: i32,
    y: i32,
}

#[derive(Debug)]
struct Click {
    press: Press,
    released: Moment,
}

#[derive(Debug)]
struct Scroll {
    slot: Slot,
    direction: Direction,
    notches: i32,
    last: Moment,
}

/// Holds what is unfinished. One for each stretch of recording.
pub struct Normalizer {
    settings: Settings,
    circumstances: Circumstances,
    queue: VecDeque<Slot>,
    typing: Option<Typing>,
    press: Option<Press>,
    click: Option<Click>,
    scroll: Option<Scroll>,
    retitled: BTreeMap<WindowId, (Moment, Sight)>,
    /// When a title of a window counted last.
    titled_us: BTreeMap<WindowId, u64>,
    bounced: Option<(Button, u64)>,
    last_click: Option<(WindowId, Moment)>,
    /// Clicks of pages that wait for the desktop's, and until when.
    page_clicks: VecDeque<(PageAction, u64)>,
    /// Clicks that went without their page's word, and when they ended.
    unanswered: VecDeque<(OnPage, i64)>,
    last: Moment,
    snippet: u32,
    snippet_last_us: Option<u64>,
}

impl Normalizer {
    /// Begins a stretch of recording.
    pub fn new(settings: Settings, circumstances: Circumstances) -> Self {
        Self {
            settings,
            circumstances,
            queue: VecDeque::new(),
            typing: None,
            press: None,
            click: None,
            scroll: None,
            retitled: BTreeMap::new(),
            titled_us: BTreeMap::new(),
            bounced: None,
            last_click: None,
            page_clicks: VecDeque::new(),
            unanswered: VecDeque::new(),
            last: Moment::default(),
            snippet: 1,
            snippet_last_us: None,
        }
    }

    /// Whether text is being entered: one letter more asks nothing then, while with the first one it is asked which field has the focus.
    pub fn is_typing(&self) -> bool {
        self.typing.is_some() || planted::is("letters-wait-always")
    }

    /// How many raw events are held here, whose fate is open.
    pub fn pending(&self) -> u64 {
        let slots = self.queue.iter().map(|slot| slot.formed.parts);
        let held = [
            self.typing.as_ref().map(|typing| &typing.slot),
            self.press.as_ref().map(|press| &press.slot),
            self.click.as_ref().map(|click| &click.press.slot),
            self.scroll.as_ref().map(|scroll| &scroll.slot),
        ];
        slots.chain(held.into_iter().flatten().map(|slot| slot.formed.parts)).sum::<u64>()
            + self.retitled.len() as u64
            + self.page_clicks.len() as u64
    }

    /// Takes a raw event of an admitted window. Gives what became of it at once, if it makes no event.
    pub fn raw(&mut self, raw: &RawEvent, sight: &Sight, capture: &dyn Capture) -> Option<Aside> {
        if sight.page.is_some() && self.is_told_by_page(raw, capture) {
            return Some(Aside::Filtered("browser.page"));
        }
        match raw.kind {
            RawKind::Key { code, modifiers } => self.key(raw, capture.key(code, modifiers), modifiers, sight, capture),
            RawKind::Button { button, pressed: true, x, y, .. } => self.press(raw, button, x, y, sight, capture),
            RawKind::Button { button, pressed: false, x, y, .. } => self.release(raw, button, x, y, sight, capture),
            RawKind::Wheel { direction, x, y, .. } => self.wheel(raw, direction, x, y, sight, capture),
            RawKind::Focus(_) => {
                self.end_stay();
                let slot = self.slot(raw, EventType::WindowActivated, sight);
                self.add_with_secret_check(slot, capture);
                None
            }
            RawKind::Title(window) => {
                let before = self.retitled.insert(window, (raw.at, sight.clone()));
                before.map(|_| Aside::Merged)
            }
            RawKind::Element(_) => {
                self.end_stay();
                let mut slot = self.slot(raw, EventType::ElementFocused, sight);
                self.ask_element(&mut slot, Query::Focused, capture);
                self.add(slot);
                None
            }
            RawKind::Clipboard => self.clipboard(raw, sight, capture),
            RawKind::Locked | RawKind::Unlocked | RawKind::Blind(..) => Some(Aside::Merged),
        }
    }

    /// Puts in an event about the recording itself, made of one raw event or of none.
    pub fn session(&mut self, event_type: EventType, at: Moment, attributes: &[(&str, String)], parts: u64) {
        self.end_stay();
        let mut event = self.event(event_type, at);
        event.attributes = attributes.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
        let formed = Formed::new(Captured::from(event), None, parts, at);
        self.add(Slot { formed, missing: Missing::default(), until_us: 0 });
    }

    /// Puts in a comment of the participant.
    pub fn comment(&mut self, at: Moment, text: &str) {
        self.session(EventType::UserComment, at, &[], 1);
        if let Some(slot) = self.queue.back_mut() {
            slot.formed.captured.event.comment = Some(text.to_owned());
        }
    }

    /// Ends what is being typed, clicked and scrolled: another window, a pause, the end.
    pub fn end_stay(&mut self) {
        if let Some(scroll) = self.scroll.take() {
            self.add_scroll(scroll);
        }
        if let Some(click) = self.click.take() {
            self.add(click.press.slot);
        }
        if let Some(mut press) = self.press.take() {
            // The release was not seen; a press is what a person did all the same.
            press.slot.formed.at = self.last.max(press.slot.formed.at);
            self.add(press.slot);
        }
        if let Some(typing) = self.typing.take() {
            self.add_typing(typing);
        }
    }

    /// Ends everything, answered or not.
    pub fn end_all(&mut self) {
        self.end_stay();
        for (action, _) in std::mem::take(&mut self.page_clicks) {
            self.add_page(action);
        }
        for (_, (at, sight)) in std::mem::take(&mut self.retitled) {
            let raw = RawEvent { at, injected: false, kind: RawKind::Title(sight.window()) };
            let slot = self.slot(&raw, EventType::WindowTitleChanged, &sight);
            self.add(slot);
        }
        for slot in &mut self.queue {
            slot.until_us = 0;
        }
    }

    /// Takes an answer to a question that was asked for an event.
    pub fn answer(&mut self, answer: Answer, hash: &dyn KeyedHash) {
        let name_chars_max = self.settings.name_chars_max;
        match answer {
            Answer::Element(ticket, element) => {
                if let Some(slot) = self.slots().find(|slot| slot.missing.element == Some(ticket)) {
                    slot.missing.element = None;
                    describe(&mut slot.formed.captured, element, name_chars_max);
                }
            }
            Answer::Clipboard(ticket, clipboard) => {
                if let Some(slot) = self.slots().find(|slot| slot.missing.clipboard == Some(ticket)) {
                    slot.missing.clipboard = None;
                    if let Reading::Known(clipboard) = clipboard {
                        fill_clipboard(&mut slot.formed.captured.event, &clipboard, hash);
                    }
                }
            }
        }
    }

    /// Lets time pass: what has rested long enough is finished.
    pub fn tick(&mut self, now: Moment) {
        if self.typing.as_ref().is_some_and(|typing| {
            now.since_us(typing.last) >= TYPING_SILENCE_US || now.since_us(typing.began) >= TYPING_US_MAX
        }) && let Some(typing) = self.typing.take()
        {
            self.add_typing(typing);
        }
        if self.click.as_ref().is_some_and(|click| now.since_us(click.released) >= DOUBLE_CLICK_US)
            && let Some(click) = self.click.take()
        {
            self.add(click.press.slot);
        }
        if self.scroll.as_ref().is_some_and(|scroll| now.since_us(scroll.last) >= SCROLL_REST_US)
            && let Some(scroll) = self.scroll.take()
        {
            self.add_scroll(scroll);
        }
        while self.page_clicks.front().is_some_and(|(_, until_us)| now.uptime_us >= *until_us) {
            if let Some((action, _)) = self.page_clicks.pop_front() {
                self.add_page(action);
            }
        }
    }

    /// Windows whose title has rested long enough; the caller looks at them again and gives what it sees to
    /// [`title`](Self::title).
    pub fn settled_titles(&mut self, now: Moment) -> Vec<(WindowId, Moment)> {
        let titled_us = &self.titled_us;
        let settled =
            self.retitled.iter().filter(|(window, (at, _))| now.uptime_us >= settles_us(titled_us, **window, *at));
        let settled: Vec<_> = settled.map(|(window, (at, _))| (*window, *at)).collect();
        for (window, _) in &settled {
            self.retitled.remove(window);
        }
        settled
    }

    /// The window has had this title since then, and it counts now.
    pub fn title(&mut self, since: Moment, now: Moment, sight: &Sight, capture: &dyn Capture) {
        if self.titled_us.len() >= QUEUE_MAX {
            self.titled_us.clear();
        }
        self.titled_us.insert(sight.window(), now.uptime_us);
        let raw = RawEvent { at: since, injected: false, kind: RawKind::Title(sight.window()) };
        let slot = self.slot(&raw, EventType::WindowTitleChanged, sight);
        self.add_with_secret_check(slot, capture);
    }

    /// The next event that is finished, oldest first.
    pub fn pop(&mut self, now: Moment) -> Option<Formed> {
        let slot = self.queue.front()?;
        let Missing { element, clipboard, unconfirmed, repeats, on_page } = &slot.missing;
        let is_told = on_page.is_none_or(|on_page| on_page.is_answered);
        let is_complete = element.is_none() && clipboard.is_none() && unconfirmed.is_none() && !repeats && is_told;
        if !is_complete && now.uptime_us < slot.until_us && self.queue.len() < QUEUE_MAX {
            return None;
        }
        let Slot { mut formed, missing, .. } = self.queue.pop_front()?;
        if let Some(on_page) = missing.on_page {
            if self.unanswered.len() >= UNANSWERED_MAX {
                self.unanswered.pop_front();
            }
            self.unanswered.push_back((on_page, formed.at.time_us));
        }
        if missing.element.is_some() && !planted::is("unanswered-is-plain") {
            formed.captured.unknown = formed.captured.unknown.with(ColumnId::ElementRole).with(ColumnId::ElementName);
        }
        formed.captured.event.snippet = Some(self.snippet_of(formed.at));
        Some(formed)
    }

    /// When something is finished by time alone; `None` while nothing waits.
    pub fn next_us(&self) -> Option<u64> {
        let times = [
            self.typing.as_ref().map(|typing| typing.last.uptime_us + TYPING_SILENCE_US),
            self.click.as_ref().map(|click| click.released.uptime_us + DOUBLE_CLICK_US),
            self.scroll.as_ref().map(|scroll| scroll.last.uptime_us + SCROLL_REST_US),
            self.queue.front().map(|slot| slot.until_us),
            self.page_clicks.front().map(|(_, until_us)| *until_us),
            self.retitled.iter().map(|(window, (at, _))| settles_us(&self.titled_us, *window, *at)).min(),
        ];
        times.into_iter().flatten().min()
    }

    fn key(
        &mut self,
        raw: &RawEvent,
        key: Key,
        modifiers: Modifiers,
        sight: &Sight,
        capture: &dyn Capture,
    ) -> Option<Aside> {
        let typed = match key {
            Key::Modifier => return Some(Aside::Merged),
            Key::Unknown => return Some(Aside::Filtered("key.unknown")),
            key => typed(key, modifiers),
        };
        match typed {
            Some(typed) => self.type_key(raw, typed, sight, capture),
            None => self.command(raw, key, modifiers, sight, capture),
        }
    }

    fn type_key(&mut self, raw: &RawEvent, typed: Typed, sight: &Sight, capture: &dyn Capture) -> Option<Aside> {
        if self.typing.as_ref().is_none_or(|typing| window_of(&typing.slot) != Some(sight.window())) {
            self.end_stay();
            let mut slot = self.slot(raw, EventType::TextEntered, sight);
            slot.formed.parts = 0;
            self.ask_element(&mut slot, Query::Focused, capture);
            let (text, began) = (Zeroizing::default(), raw.at);
            self.typing = Some(Typing { slot, length: 0, text, began, last: raw.at });
        }
        let keeps_text = self.settings.keeps_text;
        let typing = self.typing.as_mut()?;
        typing.slot.formed.parts += 1;
        typing.last = raw.at;
        match typed {
            Typed::Character(character) => {
                typing.length += 1;
                if keeps_text && typing.text.chars().count() < TYPED_CHARS_MAX {
                    typing.text.push(character);
                }
            }
            Typed::Backspace => {
                typing.length -= 1;
                typing.text.pop();
            }
            Typed::Edit => {}
        }
        None
    }

    fn command(
        &mut self,
        raw: &RawEvent,
        key: Key,
        modifiers: Modifiers,
        sight: &Sight,
        capture: &dyn Capture,
    ) -> Option<Aside> {
        self.end_stay();
        let command = command_name(key, modifiers);
        let clipboard = clipboard_command(&command).filter(|_| self.settings.clipboard);
        if let Some(last) = self.queue.back_mut().filter(|_| clipboard.is_none()) {
            let event = &mut last.formed.captured.event;
            let repeats = event.event_type == EventType::KeyCommand
                && event.key_command.as_deref() == Some(command.as_str())
                && last.missing.repeats;
            if repeats {
                let count = event.attributes.get("count").and_then(|count| count.parse().ok()).unwrap_or(1_u32);
                event.attributes.insert("count".into(), (count + 1).to_string());
                last.formed.parts += 1;
                last.until_us = last.until_us.max(raw.at.uptime_us + REPEAT_US);
                return None;
            }
        }
        let mut slot = self.slot(raw, EventType::KeyCommand, sight);
        slot.formed.captured.event.key_command = Some(command);
        match clipboard {
            Some(EventType::Paste) => {
                slot.formed.captured.event.event_type = EventType::Paste;
                self.ask_element(&mut slot, Query::Focused, capture);
                self.ask_clipboard(&mut slot, raw.at, capture);
                self.add(slot);
            }
            Some(event_type) => {
                self.ask_element(&mut slot, Query::Focused, capture);
                slot.missing.unconfirmed = Some(event_type);
                slot.until_us = raw.at.uptime_us + CLIPBOARD_US;
                self.add(slot);
            }
            None => {
                slot.missing.repeats = true;
                slot.until_us = raw.at.uptime_us + REPEAT_US;
                self.add_with_secret_check(slot, capture);
            }
        }
        None
    }

    /// The clipboard changed: that confirms a copy that was asked for by key or by a click on a menu.
    fn clipboard(&mut self, raw: &RawEvent, sight: &Sight, capture: &dyn Capture) -> Option<Aside> {
        if !self.settings.clipboard {
            return Some(Aside::Filtered("setting:clipboard"));
        }
        let waits = |slot: &Slot| {
            slot.missing.unconfirmed.is_some()
                && window_of(slot) == Some(sight.window())
                && raw.at.since_us(slot.formed.at) <= CLIPBOARD_US
        };
        if let Some(position) = self.queue.iter().rposition(waits)
            && let Some(mut slot) = self.queue.remove(position)
        {
            slot.formed.captured.event.event_type = slot.missing.unconfirmed.take().unwrap_or(EventType::Copy);
            slot.formed.parts += 1;
            self.ask_clipboard(&mut slot, raw.at, capture);
            self.queue.insert(position, slot);
            return None;
        }
        let was_clicked =
            self.last_click.is_some_and(|(window, at)| window == sight.window() && raw.at.since_us(at) <= CLIPBOARD_US);
        if !was_clicked {
            return Some(Aside::Filtered("clipboard.no_action"));
        }
        self.end_stay();
        let mut slot = self.slot(raw, EventType::Copy, sight);
        self.ask_element(&mut slot, Query::Focused, capture);
        self.ask_clipboard(&mut slot, raw.at, capture);
        self.add(slot);
        None
    }

    /// What a page tells better than the desktop: which text was entered where, and what was copied and pasted. What is typed
    /// into the browser itself, such as an address, is nobody's business.
    fn is_told_by_page(&self, raw: &RawEvent, capture: &dyn Capture) -> bool {
        match raw.kind {
            RawKind::Clipboard => true,
            RawKind::Key { code, modifiers } => match capture.key(code, modifiers) {
                Key::Modifier | Key::Unknown => false,
                key => typed(key, modifiers).is_some() || clipboard_command(&command_name(key, modifiers)).is_some(),
            },
            _ => false,
        }
    }

    /// Takes an event of a page. A click joins the desktop's; gives what became of it at once, if it makes no event.
    pub fn page(&mut self, action: PageAction, hash: &dyn KeyedHash) -> Option<Aside> {
        let mut action = action;
        if matches!(action.event.kind, Kind::Copy | Kind::Cut | Kind::Paste) && !self.settings.clipboard {
            return Some(Aside::Filtered("setting:clipboard"));
        }
        if action.event.pointer.is_none() {
            self.end_stay();
            self.add_page_with_value(action, hash);
            return None;
        }
        action.event.value = None;
        let distance_us = |slot: &Slot| slot.missing.on_page?.distance_us(slot.formed.at.time_us, &action);
        let near = self.slots().filter_map(|slot| Some((distance_us(slot)?, slot)));
        if let Some((_, slot)) = near.min_by_key(|(distance_us, _)| *distance_us) {
            join(slot, &action);
            return None;
        }
        if self.unanswered.iter().any(|(on_page, ended_us)| on_page.distance_us(*ended_us, &action).is_some()) {
            return Some(Aside::Merged);
        }
        let until_us = action.known_us + PAGE_US;
        self.page_clicks.push_back((action, until_us));
        None
    }

    /// Joins a click of a page that came before the desktop's.
    fn meet(&mut self, slot: &mut Slot) {
        let Some(on_page) = slot.missing.on_page else { return };
        let meant = |(action, _): &(PageAction, u64)| on_page.distance_us(slot.formed.at.time_us, action).is_some();
        if let Some(position) = self.page_clicks.iter().position(meant)
            && let Some((action, _)) = self.page_clicks.remove(position)
        {
            join(slot, &action);
        }
    }

    /// The event that was put in last has this event of a page in it.
    pub fn belongs_to_last(&mut self, page: PageId) {
        if let Some(slot) = self.queue.back_mut() {
            slot.formed.pages.push(page);
        }
    }

    fn add_page(&mut self, action: PageAction) {
        let PageAction { program, event, at, sight, window_title, .. } = action;
        let mut made = self.event(event.kind.event_type(), at);
        made.actor = Some(Actor::Human);
        made.process_name = Some(program.name);
        made.window_title = Some(window_title);
        let mut formed = Formed::new(Captured::from(made), sight, 1, at);
        formed.pages.push(event.id());
        describe_page(&mut formed.captured.event, event);
        self.add(Slot { formed, missing: Missing::default(), until_us: 0 });
    }

    fn add_page_with_value(&mut self, mut action: PageAction, hash: &dyn KeyedHash) {
        let value = action.event.value.take();
        self.add_page(action);
        let (Some(value), Some(slot)) = (value, self.queue.back_mut()) else { return };
        if self.settings.reads_content {
            let event = &mut slot.formed.captured.event;
            event.value_fingerprint = fingerprint(&value.0, hash);
            event.text = self.settings.keeps_text.then(|| value.0.chars().take(TYPED_CHARS_MAX).collect());
        }
    }

    fn press(
        &mut self,
        raw: &RawEvent,
        button: Button,
        x: i32,
        y: i32,
        sight: &Sight,
        capture: &dyn Capture,
    ) -> Option<Aside> {
        let bounces =
            self.bounced.is_some_and(|(last, us)| last == button && raw.at.uptime_us.saturating_sub(us) < BOUNCE_US);
        self.bounced = Some((button, raw.at.uptime_us));
        if bounces {
            return Some(Aside::Dropped("bounce"));
        }
        let waiting = self.click.take();
        self.end_stay();
        self.last_click = Some((sight.window(), raw.at));
        if let Some(mut click) = waiting {
            if raw.at.since_us(click.released) < DOUBLE_CLICK_US && near((click.press.x, click.press.y), (x, y)) {
                click.press.slot.formed.captured.event.event_type = EventType::DoubleClick;
                click.press.slot.formed.parts += 1;
                self.press = Some(click.press);
                return None;
            }
            self.add(click.press.slot);
        }
        let event_type = match button {
            Button::Left => EventType::LeftClick,
            Button::Middle => EventType::MiddleClick,
            Button::Right => EventType::RightClick,
        };
        let mut slot = self.slot(raw, event_type, sight);
        slot.formed.captured.event.mouse_x = Some(x);
        slot.formed.captured.event.mouse_y = Some(y);
        // Asked at once: after the release the control may be gone.
        self.ask_element(&mut slot, Query::At(x, y), capture);
        self.meet(&mut slot);
        self.press = Some(Press { slot, button, x, y });
        None
    }

    fn release(
        &mut self,
        raw: &RawEvent,
        button: Button,
        x: i32,
        y: i32,
        sight: &Sight,
        capture: &dyn Capture,
    ) -> Option<Aside> {
        let Some(mut press) = self.press.take_if(|press| press.button == button) else { return Some(Aside::Merged) };
        press.slot.formed.parts += 1;
        press.slot.formed.at = raw.at;
        press.slot.until_us = press.slot.until_us.max(raw.at.uptime_us + PAGE_US);
        if !near((press.x, press.y), (x, y)) {
            self.drop(raw, press, x, y, sight, capture);
        } else if press.slot.formed.captured.event.event_type == EventType::LeftClick {
            self.click = Some(Click { press, released: raw.at });
        } else {
            self.add(press.slot);
        }
        None
    }

    /// A drag ended: the element is the one under the pointer now, the first one goes into the attributes.
    fn drop(&mut self, raw: &RawEvent, press: Press, x: i32, y: i32, sight: &Sight, capture: &dyn Capture) {
        let mut slot = self.slot(raw, EventType::DragDrop, sight);
        slot.formed.parts = press.slot.formed.parts;
        slot.formed.pages = press.slot.formed.pages;
        let from = &press.slot.formed.captured.event;
        for (key, value) in [("from_element_role", &from.element_role), ("from_element_id", &from.element_id)] {
            if let Some(value) = value {
                slot.formed.captured.event.attributes.insert(key.into(), value.clone());
            }
        }
        slot.formed.captured.event.mouse_x = Some(x);
        slot.formed.captured.event.mouse_y = Some(y);
        self.ask_element(&mut slot, Query::At(x, y), capture);
        self.add(slot);
    }

    fn wheel(
        &mut self,
        raw: &RawEvent,
        direction: Direction,
        x: i32,
        y: i32,
        sight: &Sight,
        capture: &dyn Capture,
    ) -> Option<Aside> {
        if let Some(scroll) = &mut self.scroll
            && scroll.direction == direction
            && window_of(&scroll.slot) == Some(sight.window())
            && raw.at.since_us(scroll.last) < SCROLL_REST_US
        {
            scroll.notches += 1;
            scroll.last = raw.at;
            scroll.slot.formed.parts += 1;
            return None;
        }
        self.end_stay();
        let mut slot = self.slot(raw, EventType::Scroll, sight);
        slot.formed.captured.event.mouse_x = Some(x);
        slot.formed.captured.event.mouse_y = Some(y);
        self.ask_element(&mut slot, Query::At(x, y), capture);
        self.scroll = Some(Scroll { slot, direction, notches: 1, last: raw.at });
        None
    }

    fn add_scroll(&mut self, scroll: Scroll) {
        let Scroll { mut slot, direction, notches, last } = scroll;
        slot.formed.captured.event.wheel_units = Some(notches);
        slot.formed.captured.event.attributes.insert("direction".into(), direction.name().into());
        slot.formed.at = last;
        self.add(slot);
    }

    fn add_typing(&mut self, typing: Typing) {
        let Typing { mut slot, length, text, last, .. } = typing;
        let event = &mut slot.formed.captured.event;
        event.text_length = Some(u32::try_from(length.max(0)).unwrap_or(u32::MAX));
        if self.settings.keeps_text && !text.is_empty() {
            event.text = Some(text.as_str().to_owned());
        }
        slot.formed.at = last;
        self.add(slot);
    }

    /// Puts a finished event at the end; its time is not before that of the one in front of it.
    fn add(&mut self, mut slot: Slot) {
        if let Some(before) = self.queue.back_mut() {
            before.missing.repeats = false;
        }
        slot.formed.at = slot.formed.at.max(Moment { uptime_us: self.last.uptime_us, ..slot.formed.at });
        self.last = slot.formed.at;
        slot.formed.captured.event.time_us = slot.formed.at.time_us;
        slot.formed.captured.event.uptime_us = Some(slot.formed.at.uptime_us);
        self.queue.push_back(slot);
    }

    /// Where pictures may be taken, an event must know whether a secret field has the focus.
    fn add_with_secret_check(&mut self, mut slot: Slot, capture: &dyn Capture) {
        if self.settings.pictures {
            self.ask_element(&mut slot, Query::Focused, capture);
        }
        self.add(slot);
    }

    fn ask_element(&self, slot: &mut Slot, query: Query, capture: &dyn Capture) {
        let Some(sight) = &slot.formed.sight else { return };
        if sight.page.is_some() {
            // The page tells, or nobody: questions by accessibility slow a browser down.
            slot.formed.captured.unknown = slot.formed.captured.unknown.with(ColumnId::ElementRole);
            if let (Query::At(..), Some(pid), false) =
                (query, sight.admitted.pid(), slot.formed.captured.event.event_type == EventType::Scroll)
            {
                let from_us = slot.formed.at.time_us;
                slot.missing.on_page = Some(OnPage { pid, from_us, is_answered: false });
                slot.until_us = slot.until_us.max(slot.formed.at.uptime_us + PAGE_US);
            }
            return;
        }
        let process = sight.admitted.process_name();
        let is_never = process.is_some_and(|name| self.settings.elements_never.iter().any(|each| each == name));
        if !self.settings.elements || is_never {
            slot.formed.captured.unknown = slot.formed.captured.unknown.with(ColumnId::ElementRole);
            return;
        }
        slot.missing.element = Some(capture.element(&sight.admitted, query, self.settings.element_time_max));
        let wait_us = us(self.settings.element_time_max) + ANSWER_SLACK_US;
        slot.until_us = slot.until_us.max(slot.formed.at.uptime_us + wait_us);
    }

    fn ask_clipboard(&self, slot: &mut Slot, at: Moment, capture: &dyn Capture) {
        let Some(sight) = &slot.formed.sight else { return };
        slot.missing.clipboard = Some(capture.clipboard(&sight.admitted, self.settings.reads_content));
        slot.until_us = slot.until_us.max(at.uptime_us + CLIPBOARD_ANSWER_US);
    }

    fn slot(&self, raw: &RawEvent, event_type: EventType, sight: &Sight) -> Slot {
        let mut event = self.event(event_type, raw.at);
        event.actor = Some(if raw.injected { Actor::Bot } else { Actor::Human });
        event.process_name = sight.admitted.process_name().map(str::to_owned);
        let mut captured = Captured::from(event);
        match &sight.title {
            Reading::Known(title) => captured.event.window_title = Some(title.clone()),
            Reading::Absent => {}
            Reading::Unknown => captured.unknown = captured.unknown.with(ColumnId::WindowTitle),
        }
        let is_browser = sight.admitted.process_name().is_some_and(crate::gate::is_browser_name);
        if let Some(page) = &sight.page {
            captured.event.url = Some(page.url.clone());
            captured.event.page_title = Some(page.title.clone());
        } else if is_browser {
            let page = [ColumnId::Url, ColumnId::UrlHost, ColumnId::UrlTemplate, ColumnId::PageTitle];
            captured.unknown = page.into_iter().fold(captured.unknown, |unknown, column| unknown.with(column));
        }
        let formed = Formed::new(captured, Some(sight.clone()), 1, raw.at);
        Slot { formed, missing: Missing::default(), until_us: 0 }
    }

    fn event(&self, event_type: EventType, at: Moment) -> Event {
        let template = self.circumstances.template.clone();
        Event { event_type, time_us: at.time_us, uptime_us: Some(at.uptime_us), ..template }
    }

    /// Everything that an answer may belong to.
    fn slots(&mut self) -> impl Iterator<Item = &mut Slot> {
        let held = [
            self.typing.as_mut().map(|typing| &mut typing.slot),
            self.press.as_mut().map(|press| &mut press.slot),
            self.click.as_mut().map(|click| &mut click.press.slot),
            self.scroll.as_mut().map(|scroll| &mut scroll.slot),
        ];
        self.queue.iter_mut().chain(held.into_iter().flatten())
    }

    fn snippet_of(&mut self, at: Moment) -> u32 {
        let gap_us = self.snippet_last_us.map_or(0, |last_us| at.uptime_us.saturating_sub(last_us));
        if gap_us > self.settings.snippet_split_us {
            self.snippet += 1;
        }
        self.snippet_last_us = Some(at.uptime_us);
        self.snippet
    }
}

impl Formed {
    fn new(captured: Captured, sight: Option<Sight>, parts: u64, at: Moment) -> Self {
        Self { captured, sight, parts, at, pages: Vec::new(), masks: None }
    }
}

/// The desktop's click and the page's are one event: the page's element, the desktop's point.
fn join(slot: &mut Slot, action: &PageAction) {
    let Some(on_page) = &mut slot.missing.on_page else { return };
    on_page.is_answered = true;
    slot.formed.parts += 1;
    slot.formed.pages.push(action.event.id());
    let captured = &mut slot.formed.captured;
    let told = [ColumnId::ElementRole, ColumnId::ElementName].into_iter();
    captured.unknown = captured.unknown.without(told.fold(ColumnSet::EMPTY, |told, column| told.with(column)));
    let event = &mut captured.event;
    describe_page(event, action.event.clone());
    let (Some(x), Some(y), Some(pointer)) = (event.mouse_x, event.mouse_y, &action.event.pointer) else { return };
    let placed = |[dx, dy, width, height]: [i32; 4]| [x.saturating_add(dx), y.saturating_add(dy), width, height];
    event.element_box = pointer.bounds.map(placed);
    slot.formed.masks = pointer.masks.as_ref().map(|masks| masks.iter().copied().map(placed).collect());
}

/// Puts what a page says into an event.
fn describe_page(event: &mut Event, page: PageEvent) {
    event.document_id = Some(page.document.simple().to_string());
    event.tab_id = page.tab.map(|tab| tab.to_string());
    event.frame_id = page.frame.map(|frame| frame.to_string());
    event.url = Some(page.url);
    event.page_title = Some(page.title).filter(|title| !title.is_empty());
    event.text_length = page.length;
    event.attributes.extend(page.attributes);
    let Some(element) = page.element else { return };
    event.element_role = element.role;
    event.element_name = element.name;
    event.element_id = element.id;
    event.element_class = element.class;
    event.element_path = element.path;
    event.row_label = element.row;
    event.column_label = element.column;
}

/// When a title that a window got then counts: it has rested, and the one before is old enough.
fn settles_us(titled_us: &BTreeMap<WindowId, u64>, window: WindowId, at: Moment) -> u64 {
    let after_last_us = titled_us.get(&window).map_or(0, |last_us| last_us + TITLE_GAP_US);
    after_last_us.max(at.uptime_us + TITLE_SETTLE_US)
}

/// What a shortcut does with the clipboard, if it does something.
fn clipboard_command(command: &str) -> Option<EventType> {
    match command {
        "ctrl+c" | "ctrl+insert" | "meta+c" => Some(EventType::Copy),
        "ctrl+x" | "shift+delete" | "meta+x" => Some(EventType::Cut),
        "ctrl+v" | "shift+insert" | "meta+v" => Some(EventType::Paste),
        _ => None,
    }
}

fn us(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

fn window_of(slot: &Slot) -> Option<WindowId> {
    slot.formed.sight.as_ref().map(Sight::window)
}

fn near(one: (i32, i32), other: (i32, i32)) -> bool {
    (one.0 - other.0).abs() <= CLICK_PX_MAX && (one.1 - other.1).abs() <= CLICK_PX_MAX
}

/// A key that belongs to text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Typed {
    Character(char),
    Backspace,
    Edit,
}

/// Whether a key belongs to text: characters, with AltGr too, and keys that move and delete inside a field.
fn typed(key: Key, modifiers: Modifiers) -> Option<Typed> {
    let Modifiers { ctrl, alt, meta, alt_gr, .. } = modifiers;
    match key {
        // AltGr comes as ctrl+alt on some systems: what it makes is text, unless it is a plain letter or digit.
        Key::Character(character)
            if alt_gr || (ctrl && alt && !character.is_ascii_alphanumeric() && !planted::is("altgr-is-a-command")) =>
        {
            Some(Typed::Character(character))
        }
        Key::Character(character) if !ctrl && !alt && !meta => Some(Typed::Character(character)),
        Key::Named("space") if !ctrl && !alt && !meta => Some(Typed::Character(' ')),
        Key::Named("backspace") if !ctrl && !alt && !meta => Some(Typed::Backspace),
        Key::Named("delete") if !ctrl && !alt && !meta && !modifiers.shift => Some(Typed::Edit),
        Key::Named("left" | "right" | "up" | "down" | "home" | "end") if !ctrl && !alt && !meta => Some(Typed::Edit),
        _ => None,
    }
}

/// Modifiers in the order ctrl, alt, shift, meta, then the key. Shift with a character is part of the character.
fn command_name(key: Key, modifiers: Modifiers) -> String {
    let (name, is_character) = match key {
        Key::Character(character) => (character.to_lowercase().to_string(), true),
        Key::Named(name) => (name.to_owned(), false),
        Key::Modifier | Key::Unknown => (String::new(), false),
    };
    let shift = modifiers.shift && (!is_character || name.chars().all(char::is_alphanumeric));
    let held = [(modifiers.ctrl, "ctrl+"), (modifiers.alt, "alt+"), (shift, "shift+"), (modifiers.meta, "meta+")];
    let held: String = held.into_iter().filter(|(is_held, _)| *is_held).map(|(_, word)| word).collect();
    held + &name
}

/// Puts an element into an event. Names that are too long are left out, not cut.
fn describe(captured: &mut Captured, element: Reading<Element>, name_chars_max: usize) {
    let element = match element {
        Reading::Known(element) => element,
        Reading::Absent => return,
        Reading::Unknown => {
            captured.unknown = captured.unknown.with(ColumnId::ElementRole).with(ColumnId::ElementName);
            return;
        }
    };
    let event = &mut captured.event;
    match element.role {
        Reading::Known(role) => event.element_role = Some(role),
        Reading::Absent => {}
        Reading::Unknown => captured.unknown = captured.unknown.with(ColumnId::ElementRole),
    }
    event.element_name = element.name.filter(|name| name.chars().count() <= name_chars_max);
    event.element_id = element.id;
    event.element_class = element.class;
    event.element_path = element.path;
    event.element_box = element.bounds;
}

/// Puts into an event what the clipboard told. The text is there for the rules: they take it out unless one names `text`.
fn fill_clipboard(event: &mut Event, clipboard: &Clipboard, hash: &dyn KeyedHash) {
    if clipboard.concealed {
        return;
    }
    event.attributes.insert("format".into(), clipboard.format.into());
    let Some(text) = &clipboard.text else { return };
    event.text_length = Some(u32::try_from(text.chars().count()).unwrap_or(u32::MAX));
    event.value_fingerprint = fingerprint(text, hash);
    event.text = Some(text.chars().take(TYPED_CHARS_MAX).collect());
    let bytes = text.len().max(1) as u64;
    let bucket = (0..).map(|power| 4_u64.saturating_pow(power)).find(|bucket| *bucket >= bytes).unwrap_or(u64::MAX);
    event.attributes.insert("size_bucket".into(), bucket.to_string());
}

/// The keyed fingerprint of a value, with its white space folded; none for short values, which could be guessed.
fn fingerprint(value: &str, hash: &dyn KeyedHash) -> Option<Fingerprint> {
    let folded = Zeroizing::new(value.split_whitespace().collect::<Vec<_>>().join(" "));
    let is_long = folded.chars().count() >= FINGERPRINT_CHARS_MIN || planted::is("guessable-fingerprint");
    is_long.then(|| Fingerprint(hash.hash("value_fingerprint", &folded)))
}
