//! A desktop of our own: X server, window manager, session bus, an editor in front and a calculator beside it.
//!
//! Everything started here ends with its guard, and with this process however that ends. No other desktop is seen or touched.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::command;

/// How long anything may take to be there.
const READY: Duration = Duration::from_secs(30);
/// How often it is looked whether something is there.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Where the editor's window is put: x, y, width, height.
const EDITOR: [i32; 4] = [20, 60, 600, 480];

/// Processes that end with the guard, the last one first.
#[derive(Default)]
pub struct Children(Vec<Child>);

impl Children {
    /// Starts one; gives its process id.
    ///
    /// Errors: it cannot be started.
    pub fn start(&mut self, command: &mut Command) -> Result<u32> {
        let child = command.spawn().with_context(|| format!("cannot start {command:?}"))?;
        self.0.push(child);
        Ok(self.0.last().map_or(0, Child::id))
    }
}

impl Drop for Children {
    fn drop(&mut self) {
        for child in self.0.iter_mut().rev() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The desktop while it stands.
pub struct Desktop {
    /// A new folder for whoever runs on it.
    pub folder: PathBuf,
    /// The window in which work is recorded.
    pub editor: String,
    /// The window in which it is not.
    pub calculator: String,
    /// The X server, the two applications, and the accessibility bus: what a watcher can put work on.
    pub others: Vec<(&'static str, u32)>,
    display: String,
    bus: String,
    _children: Children,
}

impl Desktop {
    /// Starts everything and waits until both windows are there.
    ///
    /// Errors: a program is missing or shows no window within half a minute.
    pub fn start(folder: &Path) -> Result<Self> {
        let runtime = folder.join("runtime");
        std::fs::create_dir_all(&runtime).with_context(|| format!("cannot make '{}'", runtime.display()))?;
        command::run(command::program("chmod").arg("700").arg(&runtime))?;
        let mut children = Children::default();
        let mut server = quiet(command::bound("Xvfb"));
        server.args(["-displayfd", "1", "-screen", "0", "1280x800x24"]).stdout(Stdio::piped());
        let (server, number) = first_line(&mut children, &mut server)?;
        let mut bus = quiet(command::bound("dbus-daemon"));
        bus.args(["--session", "--nofork", "--print-address=1"]).stdout(Stdio::piped());
        bus.env("XDG_RUNTIME_DIR", &runtime).env("DISPLAY", format!(":{number}"));
        let (_, bus) = first_line(&mut children, &mut bus)?;
        let mut desktop = Self {
            folder: folder.to_owned(),
            editor: String::new(),
            calculator: String::new(),
            others: vec![("X server", server)],
            display: format!(":{number}"),
            bus,
            _children: children,
        };
        let started = desktop.bound("openbox")?;
        desktop._children.start(&mut quiet(started))?;
        let mut bell = desktop.program("dbus-send");
        bell.args(["--session", "--print-reply", "--dest=org.a11y.Bus", "/org/a11y/bus", "org.a11y.Bus.GetAddress"]);
        command::run(bell.stdout(Stdio::null()))?;
        let mut calculator = quiet(desktop.bound("galculator")?);
        let calculator = desktop._children.start(&mut calculator)?;
        desktop.calculator = desktop.window("galculator")?;
        let mut editor = quiet(desktop.bound("mousepad")?);
        let editor = desktop._children.start(editor.arg("--disable-server"))?;
        desktop.editor = desktop.window("Mousepad")?;
        desktop.others.extend([("editor", editor), ("calculator", calculator)]);
        let [x, y, width, height] = EDITOR.map(|pixels| pixels.to_string());
        desktop.xdotool(&["windowsize", "--sync", &desktop.editor, &width, &height])?;
        desktop.xdotool(&["windowmove", "--sync", &desktop.editor, &x, &y])?;
        desktop.xdotool(&["windowmove", "--sync", &desktop.calculator, "760", "60"])?;
        desktop.xdotool(&["windowactivate", "--sync", &desktop.editor])?;
        Ok(desktop)
    }

    /// A program on this desktop, which ends with us.
    ///
    /// Errors: there is no folder for its settings.
    pub fn bound(&self, name: impl AsRef<std::ffi::OsStr>) -> Result<Command> {
        let home = self.folder.join("home");
        std::fs::create_dir_all(&home).with_context(|| format!("cannot make '{}'", home.display()))?;
        Ok(self.on_it(command::bound(name)))
    }

    fn program(&self, name: &str) -> Command {
        self.on_it(command::program(name))
    }

    /// Settings of the person who runs this are not read: the home is empty.
    fn on_it(&self, mut command: Command) -> Command {
        let home = self.folder.join("home");
        command.env("DISPLAY", &self.display).env("DBUS_SESSION_BUS_ADDRESS", &self.bus);
        command.env("XDG_RUNTIME_DIR", self.folder.join("runtime")).env("GTK_MODULES", "gail:atk-bridge");
        command.env_remove("WAYLAND_DISPLAY").env("HOME", &home).env("XDG_CONFIG_HOME", home.join("config"));
        command.env("XDG_DATA_HOME", home.join("data")).env("XDG_CACHE_HOME", home.join("cache"));
        command
    }

    /// A hand that does what is written to it, line by line.
    pub fn hand(&self) -> Command {
        let mut hand = self.on_it(command::bound("xdotool"));
        // It says so aloud when for a moment no window is in front.
        hand.arg("-").stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        hand
    }

    /// A point in the editor's text, some way to the right of its left edge.
    pub fn point_in_text(&self, right: i32) -> (i32, i32) {
        (EDITOR[0] + right, EDITOR[1] + EDITOR[3] / 2)
    }

    fn xdotool(&self, arguments: &[&str]) -> Result<String> {
        let mut xdotool = self.program("xdotool");
        command::ask(xdotool.args(arguments)).with_context(|| format!("xdotool {arguments:?} failed"))
    }

    fn window(&self, title: &str) -> Result<String> {
        let search = || {
            let windows = self.xdotool(&["search", "--onlyvisible", "--name", title]).ok()?;
            windows.lines().last().filter(|window| !window.is_empty()).map(str::to_owned)
        };
        until(&format!("a window called {title}"), search)
    }
}

/// Asks again and again until there is an answer.
///
/// Errors: there is none within half a minute.
pub fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> Result<T> {
    let start = Instant::now();
    while start.elapsed() < READY {
        if let Some(answer) = ask() {
            return Ok(answer);
        }
        std::thread::sleep(LOOK_EVERY);
    }
    bail!("not within {} s: {what}", READY.as_secs())
}

/// The same command, heard by nobody.
pub fn quiet(mut command: Command) -> Command {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Starts a program that tells in its first line how it is reached.
fn first_line(children: &mut Children, command: &mut Command) -> Result<(u32, String)> {
    let id = children.start(command)?;
    let output = children.0.last_mut().and_then(|child| child.stdout.take()).context("its output is not piped")?;
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line)?;
    match line.trim() {
        "" => bail!("{command:?} ended at once"),
        line => Ok((id, line.to_owned())),
    }
}

/// A file for what a program says.
///
/// Errors: it cannot be written.
pub fn said(path: &Path) -> Result<File> {
    File::create(path).with_context(|| format!("cannot write '{}'", path.display()))
}
