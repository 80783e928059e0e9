//! ActivityWatch as a candidate: its server and those of its watchers that the Python package index has.
//!
//! What cannot be had is named in the table, and nothing stands in for it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use super::desktop::{Children, Desktop, quiet, said, until};
use super::http;
use super::load::Done;
use super::watched::{Arrived, Part, Watcher};
use crate::command;

/// Where the server listens when it is told that this is a test.
const ADDRESS: &str = "127.0.0.1:5666";
/// Name in the index, and of the program.
const PROGRAMS: [&str; 4] = ["aw-server", "aw-watcher-window", "aw-watcher-afk", "aw-watcher-input"];

/// The server with its watchers, running.
pub struct ActivityWatch {
    parts: Vec<Part>,
    folder: PathBuf,
    _children: Children,
}

/// Installs into a virtual environment of its own what can be had.
///
/// Errors: there is no Python.
pub fn install() -> Result<()> {
    if !venv().join("bin/pip").exists() {
        command::run(command::program("python3").args(["-m", "venv"]).arg(venv()))?;
    }
    for name in PROGRAMS {
        let mut pip = command::program(venv().join("bin/pip"));
        if command::run(pip.args(["install", "--quiet", "--disable-pip-version-check", name])).is_err() {
            eprintln!("{name} cannot be had");
        }
    }
    Ok(())
}

/// The programs that are not there.
pub fn absent() -> Vec<String> {
    PROGRAMS.iter().filter(|name| !program(name).exists()).map(|name| (*name).to_owned()).collect()
}

impl ActivityWatch {
    /// Starts what is there; `None` where there is no server.
    ///
    /// Errors: the server does not answer within half a minute; what it says is in a log in the desktop's folder.
    pub fn start(desktop: &Desktop) -> Result<Option<Self>> {
        if !program("aw-server").exists() {
            return Ok(None);
        }
        let mut watch = Self { parts: Vec::new(), folder: desktop.folder.join("home"), _children: Children::default() };
        for name in PROGRAMS.into_iter().filter(|name| program(name).exists()) {
            let mut command: Command = quiet(desktop.bound(program(name))?);
            command.arg("--testing").stderr(said(&desktop.folder.join(format!("{name}.log")))?);
            let process = watch._children.start(&mut command)?;
            watch.parts.push(Part { name, process });
            until("aw-server answers", || buckets().ok())?;
        }
        Ok(Some(watch))
    }
}

impl Watcher for ActivityWatch {
    fn parts(&self) -> Vec<Part> {
        self.parts.clone()
    }

    fn version(&self) -> String {
        let ask = "import importlib.metadata as m; print(m.version('aw-server'))";
        command::ask(command::program(venv().join("bin/python")).args(["-c", ask])).unwrap_or_default()
    }

    fn folder(&self) -> PathBuf {
        self.folder.join("data/activitywatch")
    }

    /// Events in its buckets. It keeps no single inputs, so how many of them are missing cannot be told.
    fn arrived(&self, _done: Done) -> Result<Arrived> {
        let mut arrived = Arrived::default();
        for name in buckets()?.as_object().into_iter().flatten().map(|(name, _)| name) {
            let count = http::ask(ADDRESS, "GET", &format!("/api/0/buckets/{name}/events/count"), &Value::Null)?;
            let count = count.as_u64().with_context(|| format!("bucket {name} does not tell its size"))?;
            arrived.records += count;
            arrived.notes.push(format!("bucket {name}: {count} events"));
        }
        Ok(arrived)
    }
}

fn buckets() -> Result<Value> {
    http::ask(ADDRESS, "GET", "/api/0/buckets/", &Value::Null)
}

fn venv() -> PathBuf {
    command::cache().join("activitywatch")
}

fn program(name: &str) -> PathBuf {
    Path::new(&venv()).join("bin").join(name)
}
