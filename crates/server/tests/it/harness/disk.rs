//! A disk that is watched, that fails, and that loses power: every change which the service makes is written down, and from
//! any prefix of them the folder is made as it may look when the power goes at that moment.
//!
//! What was synced is there. What was not may be there, or not, or half of it: a sector of 512 bytes at a time, and the
//! beginning of the changes of names. A file's first name is kept with its content, as on every usual file system.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use uilog::random::Random;

/// Bytes that a disk writes at once.
const SECTOR: usize = 512;

/// What is preloaded into a program so that its disk is ours. It takes the C compiler that building the program took.
pub fn preload() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../server/tests/disk/disk.c");
        let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join("disk.so");
        let partial = library.with_extension(std::process::id().to_string());
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&partial).arg(source).arg("-ldl");
        let status = compiler.status().unwrap();
        assert!(status.success(), "tests/disk/disk.c could not be compiled");
        std::fs::rename(&partial, &library).unwrap();
        library
    })
}

/// One change, or a word that the test wrote between them.
#[derive(Debug)]
pub enum Change {
    Created { file: u64, path: PathBuf },
    Written { file: u64, offset: usize, data: Vec<u8> },
    Cut { file: u64, length: usize },
    Synced { file: u64 },
    FolderSynced { path: PathBuf },
    Renamed { from: PathBuf, to: PathBuf },
    Removed { path: PathBuf },
    FolderMade { path: PathBuf },
    FolderRemoved { path: PathBuf },
    Linked { from: PathBuf, to: PathBuf },
    Word(String),
}

/// The record of a word, for the test to append to the log.
pub fn word(text: &str) -> Vec<u8> {
    let mut record = vec![b'!'];
    record.extend_from_slice(&[0; 16]);
    record.extend_from_slice(&(text.len() as u32).to_le_bytes());
    record.extend_from_slice(&[0; 4]);
    record.extend_from_slice(text.as_bytes());
    record
}

/// Reads the log; a record that is torn at the end is left out.
pub fn changes(mut log: &[u8]) -> Vec<Change> {
    let mut changes = Vec::new();
    while log.len() >= 25 {
        let long = |at: usize| u64::from_le_bytes(log[at..at + 8].try_into().unwrap());
        let length = |at: usize| u32::from_le_bytes(log[at..at + 4].try_into().unwrap()) as usize;
        let (kind, file, offset, first, second) = (log[0], long(1), long(9) as usize, length(17), length(21));
        let Some(data) = log.get(25..25 + first) else { break };
        let Some(rest) = log.get(25 + first..25 + first + second) else { break };
        let path = |bytes: &[u8]| PathBuf::from(OsStr::from_bytes(bytes));
        changes.push(match kind {
            b'O' => Change::Created { file, path: path(data) },
            b'W' => Change::Written { file, offset, data: data.to_vec() },
            b'T' => Change::Cut { file, length: offset },
            b'S' => Change::Synced { file },
            b'D' => Change::FolderSynced { path: path(data) },
            b'R' => Change::Renamed { from: path(data), to: path(rest) },
            b'U' => Change::Removed { path: path(data) },
            b'M' => Change::FolderMade { path: path(data) },
            b'X' => Change::FolderRemoved { path: path(data) },
            b'L' => Change::Linked { from: path(data), to: path(rest) },
            b'!' => Change::Word(String::from_utf8(data.to_vec()).unwrap()),
            other => panic!("the log of the disk holds a record of the kind {other}"),
        });
        log = &log[25 + first + second..];
    }
    changes
}

/// What becomes of what was not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// All of it is there.
    Nothing,
    /// None of it is there.
    Everything,
    /// Some sectors and some names are there.
    Torn,
}

/// A change of bytes.
#[derive(Debug, Clone)]
enum Bytes {
    Written(usize, Vec<u8>),
    Cut(usize),
}

/// A file's synced bytes, and what was done to it since.
#[derive(Debug, Default)]
struct File {
    synced: Vec<u8>,
    since: Vec<Bytes>,
}

/// What a name stands for: a folder, or a file by its number.
type Names = BTreeMap<PathBuf, Option<usize>>;

/// A change of names.
#[derive(Debug, Clone)]
enum Naming {
    File(PathBuf, usize),
    Folder(PathBuf),
    Renamed(PathBuf, PathBuf),
    Removed(PathBuf),
}

/// A disk after some changes.
#[derive(Debug, Default)]
pub struct Disk {
    files: Vec<File>,
    /// By the number that the system gives; it gives numbers of removed files again.
    by_inode: HashMap<u64, usize>,
    synced_names: Names,
    names: Names,
    since: Vec<Naming>,
}

impl Disk {
    /// Makes one more change.
    pub fn apply(&mut self, change: &Change) {
        match change {
            Change::Created { file, path } => {
                self.files.push(File::default());
                self.by_inode.insert(*file, self.files.len() - 1);
                self.name(Naming::File(path.clone(), self.files.len() - 1));
            }
            Change::Written { file, offset, data } => self.bytes(*file, Bytes::Written(*offset, data.clone())),
            Change::Cut { file, length } => self.bytes(*file, Bytes::Cut(*length)),
            Change::Synced { file } => {
                let Some(number) = self.by_inode.get(file).copied() else { return };
                let file = &mut self.files[number];
                for change in std::mem::take(&mut file.since) {
                    change.apply(&mut file.synced);
                }
                let path = self.since.iter().find_map(|naming| match naming {
                    Naming::File(path, named) if *named == number => Some(path.clone()),
                    _ => None,
                });
                if let Some(path) = path {
                    let above = |naming: &Naming| matches!(naming, Naming::Folder(folder) if path.starts_with(folder));
                    self.settle(|naming| above(naming) || matches!(naming, Naming::File(_, named) if *named == number));
                }
            }
            Change::FolderSynced { path } => self.settle(|naming| naming.is_in(path)),
            Change::Renamed { from, to } => self.name(Naming::Renamed(from.clone(), to.clone())),
            Change::Removed { path } | Change::FolderRemoved { path } => self.name(Naming::Removed(path.clone())),
            Change::FolderMade { path } => self.name(Naming::Folder(path.clone())),
            Change::Linked { from, to } => {
                if let Some(Some(file)) = self.names.get(from) {
                    self.name(Naming::File(to.clone(), *file));
                }
            }
            Change::Word(_) => {}
        }
    }

    fn bytes(&mut self, inode: u64, change: Bytes) {
        if let Some(number) = self.by_inode.get(&inode) {
            self.files[*number].since.push(change);
        }
    }

    fn name(&mut self, naming: Naming) {
        naming.apply(&mut self.names);
        self.since.push(naming);
    }

    /// What fits is kept for good.
    fn settle(&mut self, fits: impl Fn(&Naming) -> bool) {
        let (settled, since) = std::mem::take(&mut self.since).into_iter().partition(fits);
        self.since = since;
        let settled: Vec<Naming> = settled;
        settled.iter().for_each(|naming| naming.apply(&mut self.synced_names));
    }

    /// Puts what is there after a power cut below `to`, what was below `from`.
    pub fn after_a_power_cut(&self, loss: Loss, random: &mut Random, from: &Path, to: &Path) {
        let mut names = self.synced_names.clone();
        let kept = match loss {
            Loss::Nothing => self.since.len(),
            Loss::Everything => 0,
            Loss::Torn => random.below(self.since.len() as u64 + 1) as usize,
        };
        self.since[..kept].iter().for_each(|naming| naming.apply(&mut names));
        // In the order of paths a folder comes before what is in it.
        for (path, file) in names {
            let Ok(rest) = path.strip_prefix(from) else { continue };
            let path = to.join(rest);
            match file {
                None => std::fs::create_dir_all(path).unwrap(),
                Some(number) => {
                    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                    std::fs::write(path, self.files[number].after(loss, random)).unwrap();
                }
            }
        }
    }
}

impl File {
    fn after(&self, loss: Loss, random: &mut Random) -> Vec<u8> {
        let mut bytes = self.synced.clone();
        for change in &self.since {
            match (loss, change) {
                (Loss::Everything, _) => {}
                (Loss::Nothing, change) => change.apply(&mut bytes),
                (Loss::Torn, Bytes::Cut(_)) => {
                    if random.below(2) == 0 {
                        change.apply(&mut bytes);
                    }
                }
                (Loss::Torn, Bytes::Written(offset, data)) => {
                    let mut at = 0;
                    while at < data.len() {
                        let end = data.len().min(at + SECTOR - (offset + at) % SECTOR);
                        if random.below(2) == 0 {
                            Bytes::Written(offset + at, data[at..end].to_vec()).apply(&mut bytes);
                        }
                        at = end;
                    }
                }
            }
        }
        bytes
    }
}

impl Bytes {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Written(offset, data) => {
                let end = offset + data.len();
                bytes.resize(bytes.len().max(end), 0);
                bytes[*offset..end].copy_from_slice(data);
            }
            Self::Cut(length) => bytes.resize(*length, 0),
        }
    }
}

impl Naming {
    fn is_in(&self, folder: &Path) -> bool {
        let inside = |path: &Path| path.parent() == Some(folder);
        match self {
            Self::File(path, _) | Self::Folder(path) | Self::Removed(path) => inside(path),
            Self::Renamed(from, to) => inside(from) || inside(to),
        }
    }

    fn apply(&self, names: &mut Names) {
        match self {
            Self::File(path, file) => drop(names.insert(path.clone(), Some(*file))),
            Self::Folder(path) => drop(names.insert(path.clone(), None)),
            Self::Removed(path) => drop(names.remove(path)),
            Self::Renamed(from, to) => {
                // A folder takes along what is in it.
                let moved: Vec<PathBuf> = names.keys().filter(|path| path.starts_with(from)).cloned().collect();
                for path in moved {
                    if let (Some(what), Ok(rest)) = (names.remove(&path), path.strip_prefix(from)) {
                        let to = if rest.as_os_str().is_empty() { to.clone() } else { to.join(rest) };
                        names.insert(to, what);
                    }
                }
            }
        }
    }
}

/// The model of a disk, in its own notation.
#[test]
fn what_was_synced_is_there_after_a_power_cut_and_the_rest_may_be() {
    let at = |path: &str| PathBuf::from(format!("/d/{path}"));
    let disk_after = |count: usize, loss: Loss| {
        let changes = [
            Change::Created { file: 7, path: at("new") },
            Change::Written { file: 7, offset: 0, data: b"old".to_vec() },
            Change::Synced { file: 7 },
            Change::Renamed { from: at("new"), to: at("table") },
            Change::FolderSynced { path: "/d".into() },
            Change::Written { file: 7, offset: 0, data: b"new".to_vec() },
            Change::Removed { path: at("table") },
        ];
        let mut disk = Disk::default();
        changes[..count].iter().for_each(|change| disk.apply(change));
        let folder = tempfile::tempdir().unwrap();
        disk.after_a_power_cut(loss, &mut Random::new(1), Path::new("/d"), folder.path());
        let read = |entry: std::fs::DirEntry| {
            let content = std::fs::read_to_string(entry.path()).unwrap();
            format!("{}={content}", entry.file_name().display())
        };
        std::fs::read_dir(folder.path()).unwrap().map(|entry| read(entry.unwrap())).collect::<Vec<_>>().join(" ")
    };
    let expected = [
        (1, "", "new="),
        (2, "", "new=old"),
        (3, "new=old", "new=old"),
        (4, "new=old", "table=old"),
        (5, "table=old", "table=old"),
        (6, "table=old", "table=new"),
        (7, "table=old", ""),
    ];
    for (count, everything_lost, nothing_lost) in expected {
        assert_eq!(disk_after(count, Loss::Everything), everything_lost, "after {count} changes");
        assert_eq!(disk_after(count, Loss::Nothing), nothing_lost, "after {count} changes");
    }
}
