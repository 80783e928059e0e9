//! The marker of Wayland desktops without a tray: a small surface on the topmost layer, by wlr-layer-shell. It takes no clicks.
//!
//! No window can cover that layer, and no person can close it. The compositor takes it away with the screen that it was on; then
//! it is not visible, and is put up again as soon as there is a screen.

use super::{Indicator, LOOKS, Look};
use std::io::Write;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use wayland_client::globals::{GlobalListContents, registry_queue_init};
use wayland_client::protocol::wl_buffer::WlBuffer;
use wayland_client::protocol::wl_callback::{self, WlCallback};
use wayland_client::protocol::wl_compositor::WlCompositor;
use wayland_client::protocol::wl_region::WlRegion;
use wayland_client::protocol::wl_registry::{self, WlRegistry};
use wayland_client::protocol::wl_shm::{Format, WlShm};
use wayland_client::protocol::wl_shm_pool::WlShmPool;
use wayland_client::protocol::wl_surface::WlSurface;
use wayland_client::{Connection, Dispatch, EventQueue, Proxy, QueueHandle, delegate_noop};
use wayland_protocols_wlr::layer_shell::v1::client::zwlr_layer_shell_v1::{self, ZwlrLayerShellV1};
use wayland_protocols_wlr::layer_shell::v1::client::zwlr_layer_surface_v1::{self, Anchor, ZwlrLayerSurfaceV1};

/// Pixels of the marker's sides.
const SIZE: i32 = 24;

/// Pixels between the marker and the edges of the screen.
const MARGIN: i32 = 4;

/// Bytes of a picture: four a pixel.
const PICTURE_BYTES: i32 = SIZE * SIZE * 4;

/// How often the compositor is waited for until it says that the marker may be drawn.
const ROUNDS_MAX: usize = 3;

type Failed = Box<dyn std::error::Error>;

/// The marker.
pub struct Layer {
    shown: Option<Shown>,
    drawn: Option<Look>,
}

/// Whether this desktop can show one.
pub fn is_offered() -> bool {
    let asked = || -> Result<bool, Failed> {
        let connection = Connection::connect_to_env()?;
        let (globals, _queue) = registry_queue_init::<Face>(&connection)?;
        let name = ZwlrLayerShellV1::interface().name;
        Ok(globals.contents().with_list(|globals| globals.iter().any(|global| global.interface == name)))
    };
    asked().unwrap_or(false)
}

impl Layer {
    /// Shows it; `None` if this desktop cannot.
    pub fn show() -> Option<Self> {
        is_offered().then(|| Self { shown: Shown::open().ok(), drawn: None })
    }
}

impl Indicator for Layer {
    fn show(&mut self, look: Look) {
        if !self.is_visible() {
            self.close();
            self.shown = Shown::open().ok();
        }
        if let Some(shown) = &self.shown
            && self.drawn != Some(look)
        {
            shown.draw(look);
            self.drawn = Some(look);
        }
    }

    fn is_visible(&self) -> bool {
        self.shown.as_ref().is_some_and(|shown| shown.is_visible.load(Ordering::SeqCst))
    }

    fn describe(&self) -> String {
        "marker on the topmost layer (no tray on this desktop)".into()
    }

    fn close(&mut self) {
        self.drawn = None;
        if let Some(shown) = self.shown.take() {
            shown.close();
        }
    }
}

/// A surface that is on the screen, or was.
struct Shown {
    connection: Connection,
    bell: QueueHandle<Face>,
    surface: WlSurface,
    layer: ZwlrLayerSurfaceV1,
    /// Its pictures, one for each look; they never change.
    pictures: Vec<WlBuffer>,
    is_visible: Arc<AtomicBool>,
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Shown {
    fn open() -> Result<Self, Failed> {
        let connection = Connection::connect_to_env()?;
        let (globals, mut queue) = registry_queue_init::<Face>(&connection)?;
        let bell = queue.handle();
        let compositor: WlCompositor = globals.bind(&bell, 1..=1, ())?;
        let shell: ZwlrLayerShellV1 = globals.bind(&bell, 1..=1, ())?;
        let pictures = pictures(&globals.bind(&bell, 1..=1, ())?, &bell)?;
        let surface = compositor.create_surface(&bell, ());
        let topmost = zwlr_layer_shell_v1::Layer::Overlay;
        let layer = shell.get_layer_surface(&surface, None, topmost, "lode-marker".into(), &bell, ());
        layer.set_size(SIZE as u32, SIZE as u32);
        layer.set_anchor(Anchor::Top | Anchor::Right);
        layer.set_margin(MARGIN, MARGIN, 0, 0);
        // Clicks go to what lies below.
        let nowhere = compositor.create_region(&bell, ());
        surface.set_input_region(Some(&nowhere));
        nowhere.destroy();
        surface.commit();
        let mut face = Face::default();
        for _ in 0..ROUNDS_MAX {
            if !face.is_visible.load(Ordering::SeqCst) {
                queue.roundtrip(&mut face)?;
            }
        }
        let (is_visible, ends) = (face.is_visible.clone(), face.ends.clone());
        let thread = std::thread::Builder::new().name("lode-marker".into()).spawn(move || live(&mut face, &mut queue));
        Ok(Self { connection, bell, surface, layer, pictures, is_visible, ends, thread: Some(thread?) })
    }

    fn draw(&self, look: Look) {
        self.surface.attach(self.pictures.get(look as usize), 0, 0);
        self.surface.damage(0, 0, SIZE, SIZE);
        self.surface.commit();
        let _ = self.connection.flush();
    }

    fn close(mut self) {
        self.ends.store(true, Ordering::SeqCst);
        self.layer.destroy();
        self.surface.destroy();
        self.connection.display().sync(&self.bell, ());
        let _ = self.connection.flush();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Hears what the compositor says until it takes the surface away, or is not there any more.
fn live(face: &mut Face, queue: &mut EventQueue<Face>) {
    while !face.ends.load(Ordering::SeqCst) && queue.blocking_dispatch(face).is_ok() {}
    face.is_visible.store(false, Ordering::SeqCst);
}

/// A buffer for each look, all in one piece of memory that the compositor reads.
fn pictures(shm: &WlShm, handle: &QueueHandle<Face>) -> Result<Vec<WlBuffer>, Failed> {
    let memory = rustix::fs::memfd_create("lode-marker", rustix::fs::MemfdFlags::CLOEXEC)?;
    let places = || (0..SIZE).flat_map(|y| (0..SIZE).map(move |x| (x, y)));
    let pixels = LOOKS.into_iter().flat_map(|look| {
        places().flat_map(move |(x, y)| {
            let [red, green, blue] = look.pixel(x, y, SIZE).unwrap_or([255; 3]);
            u32::from_be_bytes([255, red, green, blue]).to_ne_bytes()
        })
    });
    let mut file = std::fs::File::from(memory);
    file.write_all(&pixels.collect::<Vec<u8>>())?;
    let pool = shm.create_pool(file.as_fd(), PICTURE_BYTES * LOOKS.len() as i32, handle, ());
    let buffer =
        |place: i32| pool.create_buffer(place * PICTURE_BYTES, SIZE, SIZE, SIZE * 4, Format::Argb8888, handle, ());
    let buffers = (0..LOOKS.len() as i32).map(buffer).collect();
    pool.destroy();
    Ok(buffers)
}

/// What the compositor said.
#[derive(Default)]
struct Face {
    is_visible: Arc<AtomicBool>,
    ends: Arc<AtomicBool>,
}

impl Dispatch<ZwlrLayerSurfaceV1, ()> for Face {
    fn event(
        face: &mut Self,
        layer: &ZwlrLayerSurfaceV1,
        event: zwlr_layer_surface_v1::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        match event {
            zwlr_layer_surface_v1::Event::Configure { serial, .. } => {
                layer.ack_configure(serial);
                face.is_visible.store(true, Ordering::SeqCst);
            }
            zwlr_layer_surface_v1::Event::Closed => {
                face.is_visible.store(false, Ordering::SeqCst);
                face.ends.store(true, Ordering::SeqCst);
            }
            _ => {}
        }
    }
}

impl Dispatch<WlRegistry, GlobalListContents> for Face {
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

/// The bell: that it rang is enough.
impl Dispatch<WlCallback, ()> for Face {
    fn event(_: &mut Self, _: &WlCallback, _: wl_callback::Event, (): &(), _: &Connection, _: &QueueHandle<Self>) {}
}

delegate_noop!(Face: ignore WlSurface);
delegate_noop!(Face: ignore WlShm);
delegate_noop!(Face: ignore WlBuffer);
delegate_noop!(Face: WlCompositor);
delegate_noop!(Face: WlRegion);
delegate_noop!(Face: WlShmPool);
delegate_noop!(Face: ZwlrLayerShellV1);
