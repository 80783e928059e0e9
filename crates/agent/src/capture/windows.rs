//! Windows: input by low-level hooks, windows by WinEvents and a poll, the clipboard by its listener, elements by UI Automation, MSAA or the
//! window itself.
//!
//! | thread | does |
//! | --- | --- |
//! | `input` | the hooks: copies a fixed record into a queue, and nothing else |
//! | `watch` | takes the records and what Windows tells of its own accord; pushes and returns |
//! | `elements` | one element at a time, within the time that the caller gives; one more if a program hangs it |
//! | `clipboard` | reads the clipboard when asked |
//! | the caller's | whose window, title, picture, idle time |
//!
//! A window stands for itself if it has a title bar; menus, lists and tooltips stand for the window that they belong to. Windows
//! asks nobody whether a program may see input; what the client does not look at is decided by its gate. Programs with higher
//! rights than the client's show it neither input nor elements.

mod elements;
mod keys;
mod roles;
mod watch;

use super::clipboard::Reader;
use super::{
    Ability, Admitted, Capabilities, Capture, CaptureError, Clipboard, Drained, Identity, Key, MaskReason, Modifiers,
    NoPicture, Picture, Query, RawSink, Reading, Request, Ticket, Want, WindowId,
};
use crate::clock::Clock;
use crate::gate;
use crate::win32::{clipboard, keyboard, pictures, process, window};
use keys::Keys;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The frame that the shell puts around programs from its shop.
const SHELL_FRAME: &str = "applicationframehost.exe";

/// The class of menus.
const MENU_CLASS: &str = "#32768";

/// The largest picture in pixels: 80 million.
const PIXELS_MAX: i64 = 80_000_000;

/// See the module.
pub struct Windows {
    clock: Arc<dyn Clock>,
    running: Option<Running>,
    tickets: AtomicU64,
    keys: Keys,
}

struct Running {
    sink: RawSink,
    watch: watch::Watch,
    elements: elements::Elements,
    clipboard: Reader,
}

impl Windows {
    /// The desktop of this log-in session; nothing is looked at yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        window::see_physical_pixels();
        Self { clock, running: None, tickets: AtomicU64::new(1), keys: Keys::default() }
    }

    fn ticket(&self) -> Ticket {
        Ticket(self.tickets.fetch_add(1, Ordering::Relaxed))
    }
}

/// The window that stands for a part of it, a menu or a list.
fn stands_for(part: u64) -> Option<u64> {
    let root = window::root(part)?;
    if window::has_caption(root) {
        return Some(root);
    }
    if window::class(root).as_deref() == Some(MENU_CLASS) {
        // A menu has no owner that could be asked; it belongs to the thread that shows it.
        let thread = |window| window::process_and_thread(window);
        return window::front().and_then(window::root).filter(|front| thread(*front) == thread(root)).or(Some(root));
    }
    let owner = window::root_owner(root)?;
    let pid = |window| window::process_and_thread(window).map(|(pid, _)| pid);
    Some(if pid(owner) == pid(root) { owner } else { root })
}

fn identify(part: u64) -> Option<Identity> {
    let window = stands_for(part)?;
    let (mut pid, _) = window::process_and_thread(window)?;
    let name_of = |path: &std::path::Path| Some(path.file_name()?.to_string_lossy().to_lowercase());
    let mut path = process::program(pid)?;
    if name_of(&path)? == SHELL_FRAME {
        pid = window::guest(window)?;
        path = process::program(pid)?;
    }
    let name = name_of(&path)?;
    let private = if gate::is_browser_name(&name) {
        window::title(window).map_or(Reading::Unknown, |title| Reading::Known(gate::is_private_title(&title)))
    } else {
        Reading::Absent
    };
    Some(Identity {
        window: WindowId(window),
        pid: Some(pid),
        process_name: Reading::Known(name),
        app_id: Reading::Absent,
        path: Reading::Known(path.to_string_lossy().into_owned()),
        private,
    })
}

impl Capture for Windows {
    fn capabilities(&self) -> Capabilities {
        let elements = if elements::has_automation() {
            Ability::Yes
        } else {
            Ability::Partial("no UI Automation; MSAA and the system's own controls".into())
        };
        let input = || Ability::Partial("not in windows of programs with higher rights".into());
        let pictures = Ability::Partial("windows; text inside is not masked, so only with maskText=\"page\"".into());
        [
            ("keys", input()),
            ("pointer", input()),
            ("windows", Ability::Yes),
            ("titles", Ability::Yes),
            ("elements", elements),
            ("clipboard", Ability::Yes),
            ("pictures", pictures),
        ]
        .into()
    }

    fn os(&self) -> &'static str {
        "windows"
    }

    fn start(&mut self, sink: RawSink) -> Result<(), CaptureError> {
        let watch = watch::Watch::start(sink.clone(), self.clock.clone())?;
        let elements = elements::Elements::start(sink.clone())?;
        let clipboard = Reader::start(sink.clone(), || Some(read_clipboard))?;
        self.running = Some(Running { sink, watch, elements, clipboard });
        Ok(())
    }

    fn arm(&mut self, want: Want) {
        if let Some(running) = &self.running {
            running.watch.arm(want);
        }
    }

    fn identify(&self, window: WindowId) -> Reading<Identity> {
        identify(window.0).map_or(Reading::Unknown, Reading::Known)
    }

    fn title(&self, ok: &Admitted) -> Reading<String> {
        window::title(ok.window().0).map_or(Reading::Unknown, Reading::Known)
    }

    fn element(&self, ok: &Admitted, at: Query, time_max: Duration) -> Ticket {
        let ticket = self.ticket();
        if let Some(running) = &self.running {
            running.elements.ask(ticket, ok.window().0, at, time_max);
        }
        ticket
    }

    fn clipboard(&self, _ok: &Admitted, with_text: bool) -> Ticket {
        let ticket = self.ticket();
        if let Some(running) = &self.running {
            running.clipboard.ask(ticket, with_text);
        }
        ticket
    }

    fn key(&self, code: u32, modifiers: Modifiers) -> Key {
        self.keys.key(code, modifiers)
    }

    fn picture(&self, ok: &Admitted, request: &Request) -> Result<Picture, NoPicture> {
        picture(ok.window().0, request)
    }

    fn idle_us(&self) -> Reading<u64> {
        let idle = keyboard::last_input_ms().map(|(last, now)| u64::from(now.wrapping_sub(last)) * 1_000);
        idle.map_or(Reading::Unknown, Reading::Known)
    }

    fn front(&self) -> Reading<WindowId> {
        window::front().and_then(stands_for).map_or(Reading::Unknown, |front| Reading::Known(WindowId(front)))
    }

    fn stop(&mut self) -> Drained {
        let Some(running) = self.running.take() else { return Drained::default() };
        running.watch.stop();
        running.sink.drained()
    }
}

/// What kind of thing lies in the clipboard; its text only if it was asked for and its program does not mind.
fn read_clipboard(with_text: bool) -> Option<Clipboard> {
    let content = clipboard::read(with_text).ok()?;
    let format = match () {
        () if content.has_files => "files",
        () if content.has_image => "image",
        () if content.has_html => "html",
        () => "text",
    };
    Some(Clipboard { format, concealed: content.concealed, text: content.text })
}

/// The picture of a window, everything that lies over it and its password fields painted over.
fn picture(window: u64, request: &Request) -> Result<Picture, NoPicture> {
    if pictures::excludes_itself(window).ok_or(NoPicture::Unmasked)? {
        return Err(NoPicture::Hidden);
    }
    let before = pictures::stack();
    let position = before.iter().position(|shown| shown.window == window).ok_or(NoPicture::Hidden)?;
    let place = within(before[position].place, pictures::screen()).ok_or(NoPicture::Hidden)?;
    let secrets = window::password_fields(window);
    let rgb = pictures::copy(place).ok_or(NoPicture::Failed)?;
    // Whatever moved meanwhile may have been copied where nobody paints over it.
    if pictures::stack() != before || window::password_fields(window) != secrets {
        return Err(NoPicture::Moved);
    }
    let [width, height] = [place[2], place[3]].map(|pixels| pixels as u32);
    let mut picture = Picture { width, height, rgb, place, masks: Vec::new() };
    for above in &before[..position] {
        picture.paint_over(place, above.place, MaskReason::Window);
    }
    for secret in secrets.iter().chain(&request.masks) {
        picture.paint_over(place, *secret, MaskReason::Password);
    }
    Ok(picture)
}

/// The part of a rectangle that is on the screen; nothing if none is, or if it is too large.
fn within([x, y, width, height]: [i32; 4], [left, top, columns, rows]: [i32; 4]) -> Option<[i32; 4]> {
    let (from_x, from_y) = (x.max(left), y.max(top));
    let (to_x, to_y) = ((x + width).min(left + columns), (y + height).min(top + rows));
    let (width, height) = (to_x - from_x, to_y - from_y);
    let is_fine = width > 0 && height > 0 && i64::from(width) * i64::from(height) <= PIXELS_MAX;
    is_fine.then_some([from_x, from_y, width, height])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_on_a_monitor_is_copied_and_monitors_may_lie_left_of_the_first() {
        let screens = [-1_920, 0, 3_840, 1_080];
        assert_eq!(within([-2_000, -8, 500, 500], screens), Some([-1_920, 0, 420, 492]));
        assert_eq!(within([1_900, 1_000, 500, 500], screens), Some([1_900, 1_000, 20, 80]));
        assert_eq!(within([2_000, 0, 10, 10], screens), None);
        assert_eq!(within([0, 0, 10, 10], [0, 0, 0, 0]), None);
    }
}
