//! A PostgreSQL of one's own, to be restarted while it is used. PostgreSQL refuses to run as root; then it is `postgres`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

pub struct Postgres {
    folder: TempDir,
    programs: PathBuf,
}

impl Postgres {
    /// Starts one; `None` where it is not installed or the tests are to do without.
    pub fn start() -> Option<Self> {
        std::env::var_os("LODE_TEST_POSTGRES")?;
        let mut versions: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
            .ok()?
            .flatten()
            .map(|version| version.path().join("bin"))
            .collect();
        versions.sort();
        let server = Self { folder: tempfile::tempdir().unwrap(), programs: versions.pop()? };
        if as_root() {
            let folder = server.folder.path();
            assert!(Command::new("chown").args(["-R", "postgres"]).arg(folder).status().unwrap().success());
        }
        server.command("initdb", &["-A", "trust", "-U", "lode", "--no-sync"]);
        server.control("start");
        Some(server)
    }

    pub fn url(&self) -> String {
        format!("postgres://lode@localhost/postgres?host={}", self.folder.path().display())
    }

    /// Ends it without mercy and starts it again.
    pub fn restart(&self) {
        self.command("pg_ctl", &["-m", "immediate", "-s", "-w", "stop"]);
        self.control("start");
    }

    fn control(&self, what: &str) {
        let folder = self.folder.path().display();
        let options = format!("-c listen_addresses='' -c unix_socket_directories='{folder}'");
        let log = self.folder.path().join("log");
        self.command("pg_ctl", &["-w", "-s", "-l", log.to_str().unwrap(), "-o", &options, what]);
    }

    fn command(&self, name: &str, arguments: &[&str]) {
        let program = self.programs.join(name);
        let mut command = if as_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        let data = self.folder.path().join("data");
        let command = command.args(arguments).arg("-D").arg(data).current_dir(Path::new("/")).stdout(Stdio::null());
        let status = command.status().unwrap();
        assert!(status.success() || arguments.contains(&"stop"), "{name} {arguments:?}: {status}");
    }
}

fn as_root() -> bool {
    rustix::process::geteuid().is_root()
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.command("pg_ctl", &["-m", "immediate", "-s", "stop"]);
    }
}
