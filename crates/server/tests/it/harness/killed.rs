//! A service as a child process, to be killed and started again at the same address.

use crate::support::{Client, lode, master_key};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

pub struct Killed {
    child: Child,
    port: u16,
}

impl Killed {
    /// Starts a service on a free port over a data folder, with more words on its command line.
    pub fn start(folder: &Path, more: &[&str]) -> Self {
        let port = free_port();
        Self { child: spawn(folder, port, more), port }
    }

    /// The same on a free port, writing everything that it can into a log.
    pub fn start_logging(folder: &Path, log: &Path) -> Self {
        let port = free_port();
        let log = std::fs::File::create(log).unwrap();
        let mut command = command(folder, port, &[]);
        command.env("LODE_LOG", "trace,sqlx=warn").stderr(log);
        Self { child: ready(command), port }
    }

    /// The same on a free port, with variables of its own.
    pub fn start_with(folder: &Path, variables: &[(&str, &Path)]) -> Self {
        let port = free_port();
        let mut command = command(folder, port, &[]);
        command.envs(variables.iter().copied()).stderr(Stdio::null());
        Self { child: ready(command), port }
    }

    /// The same on a free port, in a process that may have so many descriptors.
    pub fn start_with_descriptors(folder: &Path, descriptors: u32) -> Self {
        let port = free_port();
        let program = command(folder, port, &[]);
        let mut limited = Command::new("sh");
        limited.args(["-c", &format!("ulimit -n {descriptors}; exec \"$0\" \"$@\"")]).arg(program.get_program());
        limited.args(program.get_args()).stdout(Stdio::piped()).stderr(Stdio::null());
        for (name, value) in program.get_envs() {
            match value {
                Some(value) => limited.env(name, value),
                None => limited.env_remove(name),
            };
        }
        Self { child: ready(limited), port }
    }

    /// The most memory that it has had, in kilobytes.
    pub fn peak_memory_kb(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        peak.trim().trim_end_matches(" kB").parse().unwrap()
    }

    pub fn client(&self) -> Client {
        Client(([127, 0, 0, 1], self.port).into())
    }

    /// As `kill -9` does.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it over the same folder, at the same port.
    pub fn start_again(&mut self, folder: &Path, more: &[&str]) {
        self.child = spawn(folder, self.port, more);
    }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn spawn(folder: &Path, port: u16, more: &[&str]) -> Child {
    let mut command = command(folder, port, more);
    command.stderr(Stdio::null());
    ready(command)
}

fn command(folder: &Path, port: u16, more: &[&str]) -> Command {
    let (listen, key) = (format!("127.0.0.1:{port}"), master_key());
    let mut arguments = vec!["--master-key", key.to_str().unwrap()];
    arguments.extend(more);
    arguments.extend(["demo", "--listen", &listen]);
    let mut command = lode(folder, &arguments);
    command.stdout(Stdio::piped());
    command
}

fn ready(mut command: Command) -> Child {
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.contains("ready"), "{line}");
    child
}

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
