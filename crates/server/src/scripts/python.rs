//! The interpreter that an admin chose for scripts: what it is, and which folders it needs to run.

use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use store::StoreError;
use tokio::process::Command;

/// The script, in the folder of its run.
pub const SCRIPT_FILE: &str = "job.py";

/// What the interpreter is asked about itself.
const ABOUT: &str = "
import importlib.util, json, os, sys, sysconfig
wide = {'/', '/usr', '/usr/local'}
prefixes = {sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix} - wide
paths = sysconfig.get_paths()
modules = {paths[name] for name in ('stdlib', 'platstdlib', 'purelib', 'platlib')} | set(filter(os.path.isdir, sys.path))
print(json.dumps({
    'version': sys.version.split()[0],
    'recent': sys.version_info >= (3, 11),
    'has_arrow': importlib.util.find_spec('pyarrow') is not None,
    'program': sys.executable,
    'binary': os.path.realpath(sys.executable),
    'folders': sorted(map(os.path.realpath, prefixes | modules)),
}))
";

/// What runs a script: the folder of its run comes first where modules are looked for.
const BEGIN: &str = "import os, sys; sys.path.insert(0, os.getcwd()); from lode import _job; _job.run(sys.argv[1:])";

/// Folders and files of the system that an interpreter needs: shared libraries, time zones, what the machine has.
const SYSTEM_FOLDERS: [&str; 6] =
    ["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/share/zoneinfo", "/sys/devices/system/cpu"];

const SYSTEM_FILES: [&str; 5] = ["/etc/ld.so.cache", "/etc/localtime", "/dev/null", "/dev/urandom", "/proc/cpuinfo"];

/// An interpreter that scripts can be run with.
#[derive(Debug, Clone)]
pub struct Python {
    /// What is started.
    pub program: PathBuf,
    /// Its version: `3.11.7`.
    pub version: String,
    /// Folders that it reads and whose programs it may be.
    pub folders: Vec<PathBuf>,
    /// Single files that it reads.
    pub files: Vec<PathBuf>,
}

#[derive(Deserialize)]
struct About {
    version: String,
    recent: bool,
    has_arrow: bool,
    program: PathBuf,
    binary: PathBuf,
    folders: Vec<PathBuf>,
}

impl Python {
    /// Asks the interpreter at `path` what it is; `data` is the folder that must not lie among its own.
    ///
    /// Errors: [`StoreError::Invalid`] with what to do.
    pub async fn about(path: &Path, data: &Path) -> Result<Self, StoreError> {
        let shown = path.display();
        let refused = |why: String| StoreError::Invalid(format!("the Python at '{shown}' cannot run jobs: {why}"));
        let asked = Command::new(path).args(["-I", "-c", ABOUT]).stdin(Stdio::null()).kill_on_drop(true).output();
        let output = asked.await.map_err(|error| refused(error.to_string()))?;
        let about: About = serde_json::from_slice(&output.stdout)
            .map_err(|_| refused(format!("it does not say what it is: {}", String::from_utf8_lossy(&output.stderr))))?;
        if !about.recent {
            return Err(refused(format!("it is Python {}; 3.11 or newer is needed", about.version)));
        }
        if !about.has_arrow {
            return Err(refused(format!("it has no pyarrow; install it with: {shown} -m pip install pyarrow")));
        }
        let system = SYSTEM_FOLDERS.map(PathBuf::from).into_iter().filter(|folder| folder.is_dir());
        let folders: Vec<PathBuf> = system.chain(about.folders).filter(|folder| folder.exists()).collect();
        let data = data.canonicalize().unwrap_or_else(|_| data.to_owned());
        if let Some(around) = folders.iter().find(|folder| data.starts_with(folder) || folder.starts_with(&data)) {
            return Err(refused(format!(
                "its folder '{}' and the data folder '{}' lie in each other, so a script could read what it must not; \
                 make a virtual environment elsewhere",
                around.display(),
                data.display()
            )));
        }
        let files = SYSTEM_FILES.map(PathBuf::from).into_iter().filter(|file| file.exists());
        let files = files.chain([about.binary, about.program.clone()]).collect();
        Ok(Self { program: about.program, version: about.version, folders, files })
    }
}

/// The interpreter's arguments: nothing of the environment or of the person's own modules, no files beside the modules.
pub fn arguments(own: &[&str]) -> Vec<String> {
    ["-I", "-B", "-X", "utf8", "-c", BEGIN].iter().chain(own).map(|argument| (*argument).to_owned()).collect()
}
