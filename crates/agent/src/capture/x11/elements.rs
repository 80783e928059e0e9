//! Elements by AT-SPI, the accessibility interface of Linux desktops: one element at a time, never a tree, never a value.
//!
//! The element under a point is found from the application downwards; the one with the focus is remembered from the signal that
//! tells only that a focus moved. Signals that carry typed text are not subscribed to. Chromium builds its tree at the first
//! question and answers the second: [`Elements::warm`] asks once when a window comes to the front.

use crate::capture::questions::Questions;
use crate::capture::{Answer, Element, Query, RawSink, Reading, Ticket};
use crossbeam_channel::Receiver;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use zbus::blocking::connection::Builder;
use zbus::blocking::{Connection, MessageIterator};
use zbus::zvariant::OwnedObjectPath;

/// The longest that one call of the accessibility bus may take.
const CALL_TIME_MAX: Duration = Duration::from_millis(400);

/// Steps from a window down to an element.
const DEPTH_MAX: usize = 24;

/// Children of a container that are looked through.
const CHILDREN_MAX: usize = 128;

/// Applications whose bus name is remembered.
const APPLICATIONS_MAX: usize = 64;

const ACCESSIBLE: &str = "org.a11y.atspi.Accessible";
const COMPONENT: &str = "org.a11y.atspi.Component";

/// Coordinates of the screen, in AT-SPI's numbers.
const ON_SCREEN: u32 = 0;

/// An object on the accessibility bus.
type Object = (String, OwnedObjectPath);

/// What is asked.
enum Question {
    Element { ticket: Ticket, pid: u32, at: Query, until: Instant },
    Warm(u32),
}

/// The thread, and the one that follows the focus.
pub struct Elements {
    questions: Questions<Question>,
    sink: RawSink,
}

impl Elements {
    /// Whether there is an accessibility bus.
    pub fn probe() -> Result<(), String> {
        connect().map(drop).map_err(|error| format!("no accessibility bus: {error}; install at-spi2-core"))
    }

    /// Connects, and starts to follow the focus.
    pub fn start(sink: RawSink) -> zbus::Result<Self> {
        let bus = connect()?;
        switch_on();
        let questions = Questions::default();
        let focused = Arc::new(Mutex::new(None));
        let eye = Eye { bus: bus.clone(), focused: focused.clone(), names: HashMap::new() };
        let (queue, answers) = (questions.waiting(), sink.clone());
        let _ =
            std::thread::Builder::new().name("lode-elements".into()).spawn(move || answer_all(eye, &queue, &answers));
        let _ = std::thread::Builder::new().name("lode-focus".into()).spawn(move || follow_focus(&bus, &focused));
        Ok(Self { questions, sink })
    }

    /// Asks for an element.
    pub fn ask(&self, ticket: Ticket, pid: u32, at: Query, time_max: Duration) {
        self.put(Question::Element { ticket, pid, at, until: Instant::now() + time_max });
    }

    /// Wakes the accessibility of an application.
    pub fn warm(&self, pid: u32) {
        self.put(Question::Warm(pid));
    }

    fn put(&self, question: Question) {
        if let Some(Question::Element { ticket, .. }) = self.questions.put(question) {
            self.sink.answer(Answer::Element(ticket, Reading::Unknown));
        }
    }
}

/// Tells applications that somebody uses the accessibility interface: Chromium and others stay silent otherwise. Those that
/// run already may not hear of it. A desktop that does not know the switch needs none.
fn switch_on() {
    let switch = || -> zbus::Result<()> {
        let session = Connection::session()?;
        let bus = zbus::blocking::Proxy::new(&session, "org.a11y.Bus", "/org/a11y/bus", "org.a11y.Status")?;
        Ok(bus.set_property("IsEnabled", true)?)
    };
    let _ = switch();
}

fn connect() -> zbus::Result<Connection> {
    let session = Connection::session()?;
    let reply = session.call_method(Some("org.a11y.Bus"), "/org/a11y/bus", Some("org.a11y.Bus"), "GetAddress", &())?;
    let address: String = reply.body().deserialize()?;
    Builder::address(address.as_str())?.method_timeout(CALL_TIME_MAX).build()
}

fn answer_all(mut eye: Eye, questions: &Receiver<Question>, sink: &RawSink) {
    for question in questions {
        match question {
            Question::Warm(pid) => eye.warm(pid),
            Question::Element { ticket, pid, at, until } => {
                let element = if Instant::now() >= until { None } else { eye.find(pid, at, until) };
                sink.answer(Answer::Element(ticket, element.map_or(Reading::Unknown, Reading::Known)));
            }
        }
    }
}

/// Remembers which object said last that it has the focus. The signal tells nothing else.
fn follow_focus(bus: &Connection, focused: &Mutex<Option<Object>>) -> Option<()> {
    let event = ("object:state-changed:focused", Vec::<String>::new(), "");
    let registry = "org.a11y.atspi.Registry";
    let _ = bus.call_method(Some(registry), "/org/a11y/atspi/registry", Some(registry), "RegisterEvent", &event);
    let rule = "type='signal',interface='org.a11y.atspi.Event.Object',member='StateChanged',arg0='focused'";
    for message in MessageIterator::for_match_rule(rule, bus, Some(64)).ok()? {
        let Ok(message) = message else { continue };
        let header = message.header();
        let (Some(sender), Some(path)) = (header.sender(), header.path()) else { continue };
        // The second member says whether it got the focus or lost it.
        let body = message.body();
        let got = body
            .deserialize::<zbus::zvariant::Structure<'_>>()
            .ok()
            .and_then(|body| body.fields().get(1).and_then(|field| i32::try_from(field).ok()));
        if got == Some(1) {
            *focused.lock().unwrap_or_else(PoisonError::into_inner) =
                Some((sender.to_string(), path.to_owned().into()));
        }
    }
    Some(())
}

struct Eye {
    bus: Connection,
    focused: Arc<Mutex<Option<Object>>>,
    /// Bus names by process.
    names: HashMap<u32, String>,
}

impl Eye {
    fn warm(&mut self, pid: u32) {
        if let Some(application) = self.application(pid) {
            for window in self.children(&application).into_iter().take(4) {
                let _ = self.children(&window);
            }
        }
    }

    fn find(&mut self, pid: u32, at: Query, until: Instant) -> Option<Element> {
        let application = self.application(pid)?;
        match at {
            Query::Focused => {
                let focused = self.focused.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
                (focused.0 == application.0).then(|| self.describe(&focused, None)).flatten()
            }
            Query::At(x, y) => {
                let windows = self.children(&application);
                // The newest window is the topmost: menus and dialogs come last.
                let window = windows.into_iter().rev().take(CHILDREN_MAX).find(|window| {
                    self.extents(window).is_some_and(|bounds| holds(bounds, x, y)) && self.is_showing(window)
                })?;
                self.descend(window, x, y, until)
            }
        }
    }

    /// From a window to the element under a point.
    fn descend(&self, window: Object, x: i32, y: i32, until: Instant) -> Option<Element> {
        let mut here = window;
        let mut path = Vec::new();
        for _ in 0..DEPTH_MAX {
            if Instant::now() >= until {
                return None;
            }
            path.push(self.role(&here)?);
            let next = self.at_point(&here, x, y).filter(|next| *next != here).or_else(|| self.smallest(&here, x, y));
            match next {
                Some(next) => here = next,
                None => break,
            }
        }
        self.describe(&here, Some(path.join("/")))
    }

    fn at_point(&self, object: &Object, x: i32, y: i32) -> Option<Object> {
        let found: Object = self.call(object, COMPONENT, "GetAccessibleAtPoint", &(x, y, ON_SCREEN))?;
        (found.1.as_str() != "/org/a11y/atspi/null").then_some(found)
    }

    /// The smallest child that holds a point: some containers do not tell which one is there.
    fn smallest(&self, object: &Object, x: i32, y: i32) -> Option<Object> {
        let children = self.children(object).into_iter().take(CHILDREN_MAX);
        let holding =
            children.filter_map(|child| Some((self.extents(&child).filter(|bounds| holds(*bounds, x, y))?, child)));
        let holding = holding.filter(|(_, child)| self.is_showing(child));
        holding.min_by_key(|([_, _, width, height], _)| i64::from(*width) * i64::from(*height)).map(|(_, child)| child)
    }

    fn describe(&self, object: &Object, path: Option<String>) -> Option<Element> {
        let role = self.role(object)?;
        let attributes: HashMap<String, String> =
            self.call(object, ACCESSIBLE, "GetAttributes", &()).unwrap_or_default();
        let attribute = |name: &str| attributes.get(name).filter(|value| !value.is_empty()).cloned();
        let name = self.property(object, "Name").filter(|name| !name.is_empty());
        let id = attribute("id").or_else(|| self.property(object, "AccessibleId").filter(|id| !id.is_empty()));
        Some(Element {
            role: Reading::Known(role),
            name,
            id,
            class: attribute("class"),
            path,
            bounds: self.extents(object),
            url: None,
        })
    }

    fn role(&self, object: &Object) -> Option<String> {
        let name: String = self.call(object, ACCESSIBLE, "GetRoleName", &())?;
        Some(aria(&name).into_owned())
    }

    fn is_showing(&self, object: &Object) -> bool {
        /// The bit of the state "showing".
        const SHOWING: u32 = 25;
        let states: Option<Vec<u32>> = self.call(object, ACCESSIBLE, "GetState", &());
        states.and_then(|words| words.first().copied()).is_some_and(|word| word & (1 << SHOWING) != 0)
    }

    fn extents(&self, object: &Object) -> Option<[i32; 4]> {
        let (x, y, width, height): (i32, i32, i32, i32) = self.call(object, COMPONENT, "GetExtents", &(ON_SCREEN,))?;
        (width > 0 && height > 0).then_some([x, y, width, height])
    }

    fn children(&self, object: &Object) -> Vec<Object> {
        self.call(object, ACCESSIBLE, "GetChildren", &()).unwrap_or_default()
    }

    fn property(&self, (name, path): &Object, property: &str) -> Option<String> {
        let properties = "org.freedesktop.DBus.Properties";
        let reply = self
            .bus
            .call_method(Some(name.as_str()), path.as_str(), Some(properties), "Get", &(ACCESSIBLE, property))
            .ok()?;
        let value: zbus::zvariant::OwnedValue = reply.body().deserialize().ok()?;
        String::try_from(value).ok()
    }

    fn call<T>(
        &self,
        (name, path): &Object,
        interface: &str,
        method: &str,
        body: &(impl serde::Serialize + zbus::zvariant::DynamicType),
    ) -> Option<T>
    where
        T: for<'d> serde::Deserialize<'d> + zbus::zvariant::Type,
    {
        let reply = self.bus.call_method(Some(name.as_str()), path.as_str(), Some(interface), method, body).ok()?;
        reply.body().deserialize().ok()
    }

    /// The application of a process.
    fn application(&mut self, pid: u32) -> Option<Object> {
        let root = OwnedObjectPath::try_from("/org/a11y/atspi/accessible/root").ok()?;
        if let Some(name) = self.names.get(&pid) {
            let known = (name.clone(), root.clone());
            if self.pid(&known.0) == Some(pid) {
                return Some(known);
            }
            self.names.remove(&pid);
        }
        let registry = ("org.a11y.atspi.Registry".to_owned(), root);
        let found = self.children(&registry).into_iter().find(|application| self.pid(&application.0) == Some(pid))?;
        if self.names.len() >= APPLICATIONS_MAX {
            self.names.clear();
        }
        self.names.insert(pid, found.0.clone());
        Some(found)
    }

    fn pid(&self, name: &str) -> Option<u32> {
        let bus = "org.freedesktop.DBus";
        let reply = self
            .bus
            .call_method(Some(bus), "/org/freedesktop/DBus", Some(bus), "GetConnectionUnixProcessID", &name)
            .ok()?;
        reply.body().deserialize().ok()
    }
}

fn holds([left, top, width, height]: [i32; 4], x: i32, y: i32) -> bool {
    (left..left + width).contains(&x) && (top..top + height).contains(&y)
}

/// AT-SPI's role in ARIA's words. A role without such a word keeps its name with underscores.
fn aria(role: &str) -> std::borrow::Cow<'_, str> {
    let word = match role {
        "push button" | "button" => "button",
        "toggle button" => "togglebutton",
        "password text" => "password",
        "entry" | "text" | "terminal" => "textbox",
        "check box" => "checkbox",
        "radio button" => "radio",
        "combo box" => "combobox",
        "menu item" => "menuitem",
        "check menu item" => "menuitemcheckbox",
        "radio menu item" => "menuitemradio",
        "menu bar" => "menubar",
        "page tab" => "tab",
        "page tab list" => "tablist",
        "list item" => "listitem",
        "list box" => "listbox",
        "table cell" => "cell",
        "table row" => "row",
        "column header" | "table column header" => "columnheader",
        "row header" | "table row header" => "rowheader",
        "tree item" => "treeitem",
        "tree table" => "treegrid",
        "tool bar" => "toolbar",
        "tool tip" => "tooltip",
        "status bar" => "status",
        "scroll bar" => "scrollbar",
        "spin button" => "spinbutton",
        "progress bar" => "progressbar",
        "image" | "icon" => "img",
        "heading" => "heading",
        "document web" | "document frame" | "document text" => "document",
        "static" => "statictext",
        "panel" | "filler" | "section" => "group",
        "frame" => "window",
        _ => return std::borrow::Cow::Owned(role.replace(' ', "_")),
    };
    std::borrow::Cow::Borrowed(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d2_a_password_field_keeps_a_role_that_everybody_knows_as_secret() {
        let mut event = uilog::Event {
            event_type: uilog::EventType::TextEntered,
            process_name: Some("a.exe".into()),
            element_role: Some(aria("password text").into_owned()),
            text_length: Some(8),
            ..Default::default()
        };
        let xml = crate::configuration::tests::xml(1, "a.exe", "");
        let effective = crate::configuration::effective(
            &uilog::policy::parse(&xml).unwrap(),
            None,
            &uilog::policy::Variables::none(),
        )
        .unwrap();
        let mut length = |role: &str| {
            event.element_role = Some(aria(role).into_owned());
            match effective.policy.scrub(event.clone(), &uilog::policy::StandInHash) {
                uilog::policy::Outcome::Logged(event, _) => event.text_length,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(length("password text"), None);
        assert_eq!(length("entry"), Some(8));
    }
}
