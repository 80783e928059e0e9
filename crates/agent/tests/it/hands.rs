//! A person's hands on an X server: programs that are started, windows that are brought to the front, keys and buttons.

use crate::support::until;
use std::process::{Child, Command, Stdio};

/// Programs that end with the test.
#[derive(Default)]
pub struct Children(pub Vec<Child>);

impl Children {
    pub fn start(&mut self, program: &str, arguments: &[&str]) {
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.0.push(command.spawn().unwrap_or_else(|error| panic!("{program}: {error}")));
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

pub fn xdotool(arguments: &[&str]) -> String {
    let output = Command::new("xdotool").args(arguments).output().unwrap();
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// The window of that title, when it is there and in front.
pub fn in_front(title: &str) -> String {
    until(title, || {
        let windows = xdotool(&["search", "--onlyvisible", "--name", title]);
        let window = windows.lines().last().filter(|window| !window.is_empty())?.to_owned();
        xdotool(&["windowactivate", "--sync", &window]);
        (xdotool(&["getactivewindow"]) == window).then_some(window)
    })
}

/// x and y of a window on the screen, without the frame; `xdotool` counts the frame twice.
pub fn corner(window: &str) -> (i32, i32) {
    let output = Command::new("xwininfo").args(["-id", window]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let number =
        |name: &str| text.lines().find_map(|line| line.trim().strip_prefix(name)?.trim().parse().ok()).unwrap();
    (number("Absolute upper-left X:"), number("Absolute upper-left Y:"))
}

pub fn click(x: i32, y: i32) {
    xdotool(&["mousemove", "--sync", &x.to_string(), &y.to_string(), "click", "1"]);
}
