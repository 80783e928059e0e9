//! Questions about the desktop, answered at once: whose window, which title, what it looks like.

use super::keymap;
use crate::capture::screen::{self, Shown, View};
use crate::capture::{Ability, Identity, Key, Modifiers, NoPicture, Picture, Reading, Request, WindowId};
use std::path::Path;
use x11rb::connection::Connection;
use x11rb::cookie::Cookie;
use x11rb::protocol::res::{ClientIdMask, ClientIdSpec, ConnectionExt as _};
use x11rb::protocol::screensaver::ConnectionExt as _;
use x11rb::protocol::xinput::{ConnectionExt as _, Device};
use x11rb::protocol::xproto::{AtomEnum, ConnectionExt as _, GetPropertyReply, ImageFormat, MapState};
use x11rb::rust_connection::RustConnection;

x11rb::atom_manager! {
    /// Names that the desktop's properties have.
    pub Atoms: AtomsCookie {
        _NET_ACTIVE_WINDOW,
        _NET_WM_NAME,
        _NET_WM_PID,
        UTF8_STRING,
        WM_STATE,
        CLIPBOARD,
        TARGETS,
        INCR,
        LODE_CLIPBOARD,
        x_kde: b"x-kde-passwordManagerHint",
        text_html: b"text/html",
        uri_list: b"text/uri-list",
        image_png: b"image/png",
    }
}

/// Characters of a title that are read.
const TITLE_WORDS_MAX: u32 = 1_024;

/// Frames of window managers are nested no deeper.
const FRAME_DEPTH_MAX: usize = 4;

/// Windows above another that are looked at for a picture.
const WINDOWS_MAX: usize = 256;

/// The largest picture in pixels: 80 million.
const PIXELS_MAX: u64 = 80_000_000;

/// What an X server shows that is itself a guest on a Wayland desktop.
pub const XWAYLAND: &str =
    "only programs that still speak X11: this X server is Xwayland, and sees nothing of the others";

/// A connection for questions.
pub struct Desk {
    connection: RustConnection,
    atoms: Atoms,
    root: u32,
    symbols: Vec<u32>,
    symbols_per_key: usize,
    first_key: u32,
    tells_clients: bool,
    has_input: bool,
    has_idle: bool,
    is_xwayland: bool,
}

type Failed = Box<dyn std::error::Error>;

impl Desk {
    /// Connects to `$DISPLAY`.
    pub fn open() -> Result<Self, Failed> {
        let (connection, screen) = x11rb::connect(None)?;
        let atoms = Atoms::new(&connection)?.reply()?;
        let setup = connection.setup();
        let (root, first) = (setup.roots[screen].root, setup.min_keycode);
        let mapping = connection.get_keyboard_mapping(first, setup.max_keycode - first + 1)?.reply()?;
        let tells_clients = connection.res_query_version(1, 2)?.reply().is_ok();
        let has_input = connection.xinput_xi_query_version(2, 2)?.reply().is_ok_and(|reply| reply.major_version >= 2);
        let has_idle = connection.screensaver_query_version(1, 0)?.reply().is_ok();
        let (first_key, symbols_per_key) = (u32::from(first), usize::from(mapping.keysyms_per_keycode));
        let symbols = mapping.keysyms;
        let is_xwayland = has_input && is_xwayland(&connection)?;
        Ok(Self {
            connection,
            atoms,
            root,
            symbols,
            symbols_per_key,
            first_key,
            tells_clients,
            has_input,
            has_idle,
            is_xwayland,
        })
    }

    /// Whether input can be seen.
    pub fn input(&self) -> Ability {
        match (self.has_input, self.tells_clients) {
            (true, true) if self.is_xwayland => Ability::Partial(XWAYLAND.into()),
            (true, true) => Ability::Yes,
            (false, _) => Ability::No("the X server has no XInput 2".into()),
            (_, false) => Ability::No("the X server does not tell whose windows are whose (X-Resource 1.2)".into()),
        }
    }

    /// Whether the X server is a guest on a Wayland desktop.
    pub fn is_xwayland(&self) -> bool {
        self.is_xwayland
    }

    /// Whether a window manager tells which window is in front.
    pub fn has_window_manager(&self) -> bool {
        self.front_window().is_ok()
    }

    /// The window in front.
    pub fn front(&self) -> Reading<WindowId> {
        self.front_window().map_or(Reading::Unknown, |window| Reading::Known(WindowId(window.into())))
    }

    fn front_window(&self) -> Result<u32, Failed> {
        let property =
            self.connection.get_property(false, self.root, self.atoms._NET_ACTIVE_WINDOW, AtomEnum::WINDOW, 0, 1)?;
        Ok(property.reply()?.value32().and_then(|mut values| values.next()).ok_or("no active window")?)
    }

    /// Whose window it is; for a menu or tooltip, the window that it belongs to.
    pub fn identify(&self, window: WindowId) -> Reading<Identity> {
        let Ok(window) = u32::try_from(window.0) else { return Reading::Unknown };
        self.identify_window(window).map_or(Reading::Unknown, Reading::Known)
    }

    fn identify_window(&self, window: u32) -> Option<Identity> {
        let window = self.client_of(window).or_else(|| self.owner_of(window))?;
        let class = self.connection.get_property(false, window, AtomEnum::WM_CLASS, AtomEnum::STRING, 0, 64).ok()?;
        let pid = self.pid_of(window)?;
        let path = std::fs::read_link(format!("/proc/{pid}/exe")).ok()?;
        let path = path.to_string_lossy().trim_end_matches(" (deleted)").to_owned();
        let name = Path::new(&path).file_name()?.to_string_lossy().to_lowercase();
        let class = class.reply().ok()?;
        let class = class.value.split(|byte| *byte == 0).nth(1).map(|word| String::from_utf8_lossy(word).into_owned());
        let private = if crate::gate::is_browser_name(&name) {
            match self.title_of(window) {
                Some(title) => Reading::Known(crate::gate::is_private_title(&title)),
                None => Reading::Unknown,
            }
        } else {
            Reading::Absent
        };
        Some(Identity {
            window: WindowId(window.into()),
            pid: Some(pid),
            process_name: Reading::Known(name),
            app_id: class.filter(|class| !class.is_empty()).map_or(Reading::Absent, Reading::Known),
            path: Reading::Known(path),
            private,
        })
    }

    /// The process of a window.
    pub fn pid(&self, window: WindowId) -> Option<u32> {
        self.pid_of(u32::try_from(window.0).ok()?)
    }

    /// The process, as the server knows it; what a window says of itself is not believed.
    fn pid_of(&self, window: u32) -> Option<u32> {
        if window == 0 || !self.tells_clients {
            return None;
        }
        let wanted = ClientIdSpec { client: window, mask: ClientIdMask::LOCAL_CLIENT_PID };
        let reply = self.connection.res_query_client_ids(&[wanted]).ok()?.reply().ok()?;
        let pid = reply.ids.iter().find_map(|id| id.value.first()).copied();
        pid.filter(|pid| *pid != 0)
    }

    /// The window that a program opened, inside the frame that the window manager put around it.
    ///
    /// All windows of a level are asked at once: a frame has dozens of parts, and a round trip for each would be most of what a
    /// click costs.
    fn client_of(&self, window: u32) -> Option<u32> {
        let mut level = vec![window];
        for _ in 0..FRAME_DEPTH_MAX {
            let state =
                |window: &u32| self.connection.get_property(false, *window, self.atoms.WM_STATE, AtomEnum::ANY, 0, 1);
            let states = level.iter().map(state).collect::<Result<Vec<_>, _>>().ok()?;
            let is_client =
                |state: Cookie<'_, RustConnection, GetPropertyReply>| state.reply().is_ok_and(|state| state.type_ != 0);
            let client = level.iter().zip(states).find_map(|(window, state)| is_client(state).then_some(*window));
            if client.is_some() {
                return client;
            }
            let trees = level.iter().map(|window| self.connection.query_tree(*window));
            let trees = trees.collect::<Result<Vec<_>, _>>().ok()?;
            let mut below = Vec::new();
            for tree in trees {
                below.extend(tree.reply().ok()?.children);
                below.truncate(WINDOWS_MAX);
            }
            level = below;
        }
        None
    }

    /// The window that a menu, list or tooltip belongs to: the one it names, else the active one of the same process.
    fn owner_of(&self, window: u32) -> Option<u32> {
        let named =
            self.connection.get_property(false, window, AtomEnum::WM_TRANSIENT_FOR, AtomEnum::WINDOW, 0, 1).ok()?;
        let named = named.reply().ok().and_then(|property| property.value32()?.next()).filter(|owner| *owner != 0);
        let pid = self.pid_of(window)?;
        let is_same = |owner: &u32| self.pid_of(*owner) == Some(pid);
        named.filter(is_same).or_else(|| self.front_window().ok().filter(is_same))
    }

    /// The title of a window.
    pub fn title(&self, window: WindowId) -> Reading<String> {
        let title = u32::try_from(window.0).ok().and_then(|window| self.title_of(window));
        title.map_or(Reading::Unknown, Reading::Known)
    }

    fn title_of(&self, window: u32) -> Option<String> {
        let names =
            [(self.atoms._NET_WM_NAME, self.atoms.UTF8_STRING), (AtomEnum::WM_NAME.into(), AtomEnum::ANY.into())];
        names.into_iter().find_map(|(name, kind)| {
            let property =
                self.connection.get_property(false, window, name, kind, 0, TITLE_WORDS_MAX).ok()?.reply().ok()?;
            (property.type_ != 0).then(|| String::from_utf8_lossy(&property.value).into_owned())
        })
    }

    /// What a key makes.
    pub fn key(&self, code: u32, modifiers: Modifiers) -> Key {
        let Some(place) = code.checked_sub(self.first_key).map(|place| place as usize * self.symbols_per_key) else {
            return Key::Unknown;
        };
        let symbol = |column: usize| {
            let within = (column < self.symbols_per_key).then(|| self.symbols.get(place + column).copied()).flatten();
            within.filter(|symbol| *symbol != 0)
        };
        // Columns of the core keymap: plain, shift, then the second group, then AltGr with and without shift.
        let wanted = match (modifiers.alt_gr, modifiers.shift) {
            (true, true) => symbol(5).or_else(|| symbol(4)),
            (true, false) => symbol(4),
            (false, true) => symbol(1).or_else(|| symbol(0)),
            (false, false) => symbol(0),
        };
        wanted.or_else(|| symbol(0)).map_or(Key::Unknown, keymap::key_of)
    }

    /// Microseconds since the last input.
    pub fn idle_us(&self) -> Reading<u64> {
        if !self.has_idle {
            return Reading::Absent;
        }
        let asked = self.connection.screensaver_query_info(self.root).ok().and_then(|cookie| cookie.reply().ok());
        asked.map_or(Reading::Unknown, |info| Reading::Known(u64::from(info.ms_since_user_input) * 1_000))
    }

    /// The picture of a window, everything that is not of it painted over.
    pub fn picture(&self, window: WindowId, request: &Request) -> Result<Picture, NoPicture> {
        let window = u32::try_from(window.0).map_err(|_| NoPicture::Hidden)?;
        let look = || -> Result<View, NoPicture> {
            let stack = self.stack().map_err(|_| NoPicture::Failed)?;
            let place = self.place(window).map_err(|_| NoPicture::Hidden)?;
            Ok(View { stack, place, secrets: Vec::new() })
        };
        let copy = |place| self.copy(place).map_err(|_| NoPicture::Failed);
        screen::picture(look, |shown| self.holds(shown, window), copy, &request.masks)
    }

    /// All windows on the screen, lowest first.
    fn stack(&self) -> Result<Vec<Shown>, Failed> {
        let children = self.connection.query_tree(self.root)?.reply()?.children;
        if children.len() > WINDOWS_MAX * 4 {
            return Err("too many windows".into());
        }
        let asked: Vec<_> = children
            .iter()
            .map(|window| Ok((self.connection.get_window_attributes(*window)?, self.connection.get_geometry(*window)?)))
            .collect::<Result<Vec<_>, Failed>>()?;
        let mut shown = Vec::new();
        for (window, (attributes, geometry)) in children.into_iter().zip(asked) {
            let (Ok(attributes), Ok(geometry)) = (attributes.reply(), geometry.reply()) else { continue };
            if attributes.map_state == MapState::VIEWABLE {
                let border = i32::from(geometry.border_width) * 2;
                let (width, height) = (i32::from(geometry.width) + border, i32::from(geometry.height) + border);
                let window = u64::from(window);
                shown.push(Shown { window, place: [geometry.x.into(), geometry.y.into(), width, height] });
            }
        }
        Ok(shown)
    }

    /// Whether it is that window, or the frame around it.
    fn holds(&self, shown: &Shown, window: u32) -> bool {
        u32::try_from(shown.window).is_ok_and(|shown| shown == window || self.client_of(shown) == Some(window))
    }

    /// x, y, width, height of a window on the screen, as far as it is on it.
    fn place(&self, window: u32) -> Result<[i32; 4], Failed> {
        let geometry = self.connection.get_geometry(window)?.reply()?;
        let screen = self.connection.get_geometry(self.root)?.reply()?;
        let corner = self.connection.translate_coordinates(window, self.root, 0, 0)?.reply()?;
        let (left, top) = (i32::from(corner.dst_x).max(0), i32::from(corner.dst_y).max(0));
        let right = (i32::from(corner.dst_x) + i32::from(geometry.width)).min(screen.width.into());
        let bottom = (i32::from(corner.dst_y) + i32::from(geometry.height)).min(screen.height.into());
        if right <= left || bottom <= top {
            return Err("off the screen".into());
        }
        Ok([left, top, right - left, bottom - top])
    }

    fn copy(&self, place: [i32; 4]) -> Result<Picture, Failed> {
        let [x, y, width, height] = place;
        let (width, height) = (u16::try_from(width)?, u16::try_from(height)?);
        if u64::from(width) * u64::from(height) > PIXELS_MAX {
            return Err("too large".into());
        }
        let image =
            self.connection.get_image(ImageFormat::Z_PIXMAP, self.root, x as i16, y as i16, width, height, u32::MAX)?;
        let data = image.reply()?.data;
        let pixels = usize::from(width) * usize::from(height);
        if data.len() != pixels * 4 {
            return Err("only screens with four bytes a pixel are read".into());
        }
        let rgb = data.chunks_exact(4).flat_map(|pixel| [pixel[2], pixel[1], pixel[0]]).collect();
        Ok(Picture { width: width.into(), height: height.into(), rgb, place, masks: Vec::new() })
    }
}

/// Xwayland calls its keyboard and its pointer by its own name, in all its versions.
fn is_xwayland(connection: &RustConnection) -> Result<bool, Failed> {
    let devices = connection.xinput_xi_query_device(Device::ALL)?.reply()?.infos;
    Ok(devices.iter().any(|device| device.name.starts_with(b"xwayland-")))
}
