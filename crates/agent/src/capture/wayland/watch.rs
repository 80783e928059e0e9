//! The thread that watches: which window is in front, whether its title changed, whether anybody is there.
//!
//! The compositor sends the titles of all windows unasked. They are dropped where they arrive: that one came is all that is kept.

use super::NO_WINDOWS;
use crate::capture::{BlindReason, CaptureError, RawEvent, RawKind, RawSink, Reading, Want, WindowId};
use crate::clock::{Clock, Moment};
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use wayland_client::backend::ObjectId;
use wayland_client::globals::{GlobalList, GlobalListContents, registry_queue_init};
use wayland_client::protocol::wl_callback::{self, WlCallback};
use wayland_client::protocol::wl_registry::{self, WlRegistry};
use wayland_client::protocol::wl_seat::WlSeat;
use wayland_client::{Connection, Dispatch, EventQueue, Proxy, QueueHandle, delegate_noop, event_created_child};
use wayland_protocols::ext::idle_notify::v1::client::ext_idle_notification_v1::{self, ExtIdleNotificationV1};
use wayland_protocols::ext::idle_notify::v1::client::ext_idle_notifier_v1::ExtIdleNotifierV1;
use wayland_protocols_plasma::idle::client::org_kde_kwin_idle::OrgKdeKwinIdle;
use wayland_protocols_plasma::idle::client::org_kde_kwin_idle_timeout::{self, OrgKdeKwinIdleTimeout};
use wayland_protocols_wlr::foreign_toplevel::v1::client::zwlr_foreign_toplevel_handle_v1::{
    self, State, ZwlrForeignToplevelHandleV1,
};
use wayland_protocols_wlr::foreign_toplevel::v1::client::zwlr_foreign_toplevel_manager_v1::{
    self, EVT_TOPLEVEL_OPCODE, ZwlrForeignToplevelManagerV1,
};

/// Windows that are followed; what is opened beyond them is not seen.
const WINDOWS_MAX: usize = 1_024;

/// Stillness after which the compositor is asked to say so; less counts as none.
const IDLE: Duration = Duration::from_secs(5);

type Failed = Box<dyn std::error::Error>;

/// What a compositor can tell.
pub struct Offer {
    /// Which windows there are, and which is in front.
    pub windows: bool,
    /// Whether anybody is there.
    pub idle: bool,
}

impl Offer {
    /// Asks the compositor of `$WAYLAND_DISPLAY`.
    pub fn of_desktop() -> Result<Self, Failed> {
        let connection = Connection::connect_to_env()?;
        let (globals, _queue) = registry_queue_init::<Eye>(&connection)?;
        let has =
            |name: &str| globals.contents().with_list(|globals| globals.iter().any(|global| global.interface == name));
        let idle = has(ExtIdleNotifierV1::interface().name) || has(OrgKdeKwinIdle::interface().name);
        Ok(Self { windows: has(ZwlrForeignToplevelManagerV1::interface().name), idle: idle && has("wl_seat") })
    }
}

/// A watch that runs.
pub struct Watch {
    world: Arc<Mutex<World>>,
    ends: Arc<AtomicBool>,
    connection: Connection,
    bell: QueueHandle<Eye>,
    thread: Option<JoinHandle<()>>,
}

/// What the watch knows, for questions. No titles.
#[derive(Default)]
struct World {
    /// Application ids of all windows.
    app_ids: BTreeMap<WindowId, String>,
    /// The window in front; the number that stands for none, if none is; nothing when the desktop is not seen any more.
    front: Option<WindowId>,
    /// The window whose title is followed.
    titles_of: Option<WindowId>,
    /// Whether the compositor tells of idle times.
    tells_idle: bool,
    /// When the last input was, if that is a while ago.
    idle_since_us: Option<u64>,
}

impl Watch {
    /// Starts to watch; windows that are open are known when it returns.
    pub fn start(sink: RawSink, clock: Arc<dyn Clock>) -> Result<Self, CaptureError> {
        let none = |error: Failed| CaptureError::NoDesktop(error.to_string());
        let (mut eye, mut queue, connection) = Eye::open(sink, clock).map_err(none)?;
        let (world, ends, bell) = (eye.world.clone(), eye.ends.clone(), queue.handle());
        let thread = std::thread::Builder::new().name("lode-watch".into()).spawn(move || {
            if eye.watch(&mut queue).is_err() && !eye.ends.load(Ordering::SeqCst) {
                *lock(&eye.world) = World::default();
                eye.push(RawKind::Blind(BlindReason::DisplayLost, Duration::ZERO));
            }
        });
        Ok(Self { world, ends, connection, bell, thread: Some(thread.map_err(CaptureError::Thread)?) })
    }

    /// Follows the title of this window from now on.
    pub fn arm(&self, want: Want) {
        let before = std::mem::replace(&mut lock(&self.world).titles_of, want.titles_of);
        if before != want.titles_of {
            // Its title may have changed since it was read.
            self.ring();
        }
    }

    /// Which program a window belongs to, as it says itself.
    pub fn app_id(&self, window: WindowId) -> Option<String> {
        lock(&self.world).app_ids.get(&window).cloned()
    }

    /// The same, if the window is in front.
    pub fn app_id_in_front(&self, window: WindowId) -> Option<String> {
        let world = lock(&self.world);
        if world.front == Some(window) { world.app_ids.get(&window).cloned() } else { None }
    }

    /// The window in front.
    pub fn front(&self) -> Reading<WindowId> {
        lock(&self.world).front.map_or(Reading::Unknown, Reading::Known)
    }

    /// Microseconds since the last input; 0 if it was just now.
    pub fn idle_us(&self, now: Moment) -> Reading<u64> {
        let world = lock(&self.world);
        if !world.tells_idle {
            return Reading::Absent;
        }
        Reading::Known(world.idle_since_us.map_or(0, |since_us| now.uptime_us.saturating_sub(since_us)))
    }

    /// Ends.
    pub fn stop(mut self) {
        self.ends.store(true, Ordering::SeqCst);
        self.ring();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }

    /// Wakes the thread: the compositor answers at once.
    fn ring(&self) {
        self.connection.display().sync(&self.bell, ());
        let _ = self.connection.flush();
    }
}

fn lock(world: &Mutex<World>) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A window, as far as the compositor has told of it.
#[derive(Default)]
struct Toplevel {
    window: WindowId,
    app_id: String,
    is_active: bool,
    /// A title came that nobody has read.
    is_retitled: bool,
    /// All of it was told.
    is_settled: bool,
}

struct Eye {
    sink: RawSink,
    clock: Arc<dyn Clock>,
    world: Arc<Mutex<World>>,
    ends: Arc<AtomicBool>,
    toplevels: HashMap<ObjectId, Toplevel>,
    /// Windows that were seen so far: their numbers are not used again.
    seen: u64,
}

impl Eye {
    fn open(sink: RawSink, clock: Arc<dyn Clock>) -> Result<(Self, EventQueue<Self>, Connection), Failed> {
        let connection = Connection::connect_to_env()?;
        let (globals, mut queue) = registry_queue_init::<Self>(&connection)?;
        let handle = queue.handle();
        if globals.bind::<ZwlrForeignToplevelManagerV1, _, _>(&handle, 1..=3, ()).is_err() {
            return Err(format!("{NO_WINDOWS}; lode-agent doctor says what helps").into());
        }
        let (world, ends) = (Arc::<Mutex<World>>::default(), Arc::default());
        lock(&world).tells_idle = follow_idle(&globals, &handle);
        let mut eye = Self { sink, clock, world, ends, toplevels: HashMap::new(), seen: 0 };
        queue.roundtrip(&mut eye)?;
        let front = eye.front(WindowId(0));
        lock(&eye.world).front = Some(front);
        Ok((eye, queue, connection))
    }

    fn watch(&mut self, queue: &mut EventQueue<Self>) -> Result<(), Failed> {
        while !self.ends.load(Ordering::SeqCst) {
            queue.blocking_dispatch(self)?;
            self.tell();
        }
        Ok(())
    }

    /// Pushes what is new. A window leaves the front and another comes there in two messages: only both together are a change.
    fn tell(&mut self) {
        let (known, titles_of) = {
            let world = lock(&self.world);
            (world.front.unwrap_or_default(), world.titles_of)
        };
        let front = self.front(known);
        if front != known {
            lock(&self.world).front = Some(front);
            // Who hears of it reads the title that the window has then.
            self.toplevel(front).into_iter().for_each(|toplevel| toplevel.is_retitled = false);
            self.push(RawKind::Focus(front));
        }
        let retitled = titles_of
            .filter(|window| self.toplevel(*window).is_some_and(|toplevel| std::mem::take(&mut toplevel.is_retitled)));
        if let Some(window) = retitled {
            self.push(RawKind::Title(window));
        }
    }

    /// The window that is active; the one that was, while it still is.
    fn front(&self, known: WindowId) -> WindowId {
        let active = || self.toplevels.values().filter(|toplevel| toplevel.is_settled && toplevel.is_active);
        let same = active().find(|toplevel| toplevel.window == known);
        same.or_else(|| active().next()).map_or(WindowId(0), |toplevel| toplevel.window)
    }

    fn toplevel(&mut self, window: WindowId) -> Option<&mut Toplevel> {
        self.toplevels.values_mut().find(|toplevel| toplevel.window == window)
    }

    fn push(&self, kind: RawKind) {
        self.sink.push(RawEvent { at: self.clock.now(), injected: false, kind });
    }

    fn set_idle(&self, is_idle: bool) {
        let began_us = || self.clock.now().uptime_us.saturating_sub(IDLE.as_micros() as u64);
        lock(&self.world).idle_since_us = is_idle.then(began_us);
    }
}

/// Asks the compositor to say when nobody is there; whether it will. Which input ends it, it does not tell.
fn follow_idle(globals: &GlobalList, handle: &QueueHandle<Eye>) -> bool {
    let idle_ms = IDLE.as_millis() as u32;
    let Ok(seat) = globals.bind::<WlSeat, _, _>(handle, 1..=1, ()) else { return false };
    if let Ok(notifier) = globals.bind::<ExtIdleNotifierV1, _, _>(handle, 1..=1, ()) {
        notifier.get_idle_notification(idle_ms, &seat, handle, ());
        return true;
    }
    // What older compositors have instead, sway 1.7 among them.
    let older = globals.bind::<OrgKdeKwinIdle, _, _>(handle, 1..=1, ());
    older.is_ok_and(|idle| {
        idle.get_idle_timeout(&seat, idle_ms, handle, ());
        true
    })
}

impl Dispatch<ZwlrForeignToplevelManagerV1, ()> for Eye {
    fn event(
        eye: &mut Self,
        _: &ZwlrForeignToplevelManagerV1,
        event: zwlr_foreign_toplevel_manager_v1::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        if let zwlr_foreign_toplevel_manager_v1::Event::Toplevel { toplevel } = event {
            if eye.toplevels.len() >= WINDOWS_MAX {
                return toplevel.destroy();
            }
            eye.seen += 1;
            let window = WindowId(eye.seen);
            eye.toplevels.insert(toplevel.id(), Toplevel { window, ..Toplevel::default() });
        }
    }

    event_created_child!(Self, ZwlrForeignToplevelManagerV1, [
        EVT_TOPLEVEL_OPCODE => (ZwlrForeignToplevelHandleV1, ()),
    ]);
}

impl Dispatch<ZwlrForeignToplevelHandleV1, ()> for Eye {
    fn event(
        eye: &mut Self,
        handle: &ZwlrForeignToplevelHandleV1,
        event: zwlr_foreign_toplevel_handle_v1::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        use zwlr_foreign_toplevel_handle_v1::Event;
        let Some(toplevel) = eye.toplevels.get_mut(&handle.id()) else { return };
        match event {
            // The title itself is not looked at.
            Event::Title { .. } => toplevel.is_retitled = true,
            Event::AppId { app_id } => toplevel.app_id = app_id,
            Event::State { state } => toplevel.is_active = is_active(&state),
            Event::Done => {
                toplevel.is_settled = true;
                lock(&eye.world).app_ids.insert(toplevel.window, toplevel.app_id.clone());
            }
            Event::Closed => {
                lock(&eye.world).app_ids.remove(&toplevel.window);
                eye.toplevels.remove(&handle.id());
                handle.destroy();
            }
            _ => {}
        }
    }
}

/// Whether the state of a window, an array of numbers, says that it is active.
pub fn is_active(state: &[u8]) -> bool {
    state.chunks_exact(4).any(|word| *word == (State::Activated as u32).to_ne_bytes())
}

impl Dispatch<ExtIdleNotificationV1, ()> for Eye {
    fn event(
        eye: &mut Self,
        _: &ExtIdleNotificationV1,
        event: ext_idle_notification_v1::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        eye.set_idle(matches!(event, ext_idle_notification_v1::Event::Idled));
    }
}

impl Dispatch<OrgKdeKwinIdleTimeout, ()> for Eye {
    fn event(
        eye: &mut Self,
        _: &OrgKdeKwinIdleTimeout,
        event: org_kde_kwin_idle_timeout::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        eye.set_idle(matches!(event, org_kde_kwin_idle_timeout::Event::Idle));
    }
}

/// The bell: that it rang is enough.
impl Dispatch<WlCallback, ()> for Eye {
    fn event(_: &mut Self, _: &WlCallback, _: wl_callback::Event, (): &(), _: &Connection, _: &QueueHandle<Self>) {}
}

/// Seats and protocols that come later are not waited for.
impl Dispatch<WlRegistry, GlobalListContents> for Eye {
    fn event(
        _: &mut Self,
        _: &WlRegistry,
        _: wl_registry::Event,
        _: &GlobalListContents,
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
    }
}

delegate_noop!(Eye: ignore WlSeat);
delegate_noop!(Eye: ExtIdleNotifierV1);
delegate_noop!(Eye: OrgKdeKwinIdle);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_active_if_one_of_its_states_says_so() {
        let state = |words: &[u32]| words.iter().flat_map(|word| word.to_ne_bytes()).collect::<Vec<_>>();
        assert!(is_active(&state(&[0, 2])));
        assert!(!is_active(&state(&[0, 1, 3])));
        assert!(!is_active(&[]));
    }
}
