//! The title of the window in front, asked for anew each time: nobody keeps titles until somebody may read them.
//!
//! A new connection is told of all windows, title first. Each title lives until the window's last message; then it is dropped,
//! unless the window is active and of the program that was asked about.

use super::watch::is_active;
use std::collections::HashMap;
use wayland_client::backend::ObjectId;
use wayland_client::globals::{GlobalListContents, registry_queue_init};
use wayland_client::protocol::wl_registry::{self, WlRegistry};
use wayland_client::{Connection, Dispatch, Proxy, QueueHandle, event_created_child};
use wayland_protocols_wlr::foreign_toplevel::v1::client::zwlr_foreign_toplevel_handle_v1::{
    self, ZwlrForeignToplevelHandleV1,
};
use wayland_protocols_wlr::foreign_toplevel::v1::client::zwlr_foreign_toplevel_manager_v1::{
    self, EVT_TOPLEVEL_OPCODE, ZwlrForeignToplevelManagerV1,
};

/// The title of the window in front, if it is of this program; a window without one has the empty title.
pub fn in_front(app_id: &str) -> Option<String> {
    let connection = Connection::connect_to_env().ok()?;
    let (globals, mut queue) = registry_queue_init::<Reader>(&connection).ok()?;
    let _manager: ZwlrForeignToplevelManagerV1 = globals.bind(&queue.handle(), 1..=3, ()).ok()?;
    let mut reader = Reader { app_id: app_id.to_owned(), told: HashMap::new(), found: None };
    queue.roundtrip(&mut reader).ok()?;
    reader.found
}

struct Reader {
    app_id: String,
    /// Windows of which not all was told yet.
    told: HashMap<ObjectId, Told>,
    found: Option<String>,
}

#[derive(Default)]
struct Told {
    title: String,
    app_id: String,
    is_active: bool,
}

impl Dispatch<ZwlrForeignToplevelHandleV1, ()> for Reader {
    fn event(
        reader: &mut Self,
        handle: &ZwlrForeignToplevelHandleV1,
        event: zwlr_foreign_toplevel_handle_v1::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        use zwlr_foreign_toplevel_handle_v1::Event;
        let told = reader.told.entry(handle.id()).or_default();
        match event {
            Event::Title { title } => told.title = title,
            Event::AppId { app_id } => told.app_id = app_id,
            Event::State { state } => told.is_active = is_active(&state),
            Event::Done => {
                let told = reader.told.remove(&handle.id());
                let is_meant = |told: &Told| told.is_active && told.app_id == reader.app_id;
                reader.found = reader.found.take().or(told.filter(is_meant).map(|told| told.title));
            }
            _ => {}
        }
    }
}

impl Dispatch<ZwlrForeignToplevelManagerV1, ()> for Reader {
    fn event(
        _: &mut Self,
        _: &ZwlrForeignToplevelManagerV1,
        _: zwlr_foreign_toplevel_manager_v1::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
    }

    event_created_child!(Self, ZwlrForeignToplevelManagerV1, [
        EVT_TOPLEVEL_OPCODE => (ZwlrForeignToplevelHandleV1, ()),
    ]);
}

impl Dispatch<WlRegistry, GlobalListContents> for Reader {
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
