//! What a worker gives away before it looks at a person's text.
//!
//! Landlock takes the files and the network, seccomp the system calls that lead anywhere else, resource limits the memory,
//! the disk and the core dump. All of them hold for the process and whatever it starts, and none can be taken back.

use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Bytes of one scratch file.
const SCRATCH_FILE_BYTES_MAX: u64 = store::engine::SCRATCH_BYTES_MAX;

/// Open files.
const FILES_OPEN_MAX: u64 = 4_096;

/// What a process may still do.
#[derive(Debug, Serialize, Deserialize)]
pub struct Leave {
    /// Files that it may read.
    pub files: Vec<PathBuf>,
    /// The folder that it may write to, if there is one.
    pub scratch: Option<PathBuf>,
    /// Memory it may hold, in bytes, as the operating system counts.
    pub memory_bytes: u64,
    /// Folders of a program that the process becomes: it reads what is in them and may be what is in them, once and for
    /// ever, as one process. None: it stays what it is.
    pub programs: Vec<PathBuf>,
}

/// Gives everything else away, for good.
///
/// Errors: a sentence that says what this machine cannot do; then nothing may run here.
#[cfg(target_os = "linux")]
pub fn raise(leave: &Leave) -> Result<(), String> {
    if uilog::planted::is("job-sees-files") {
        return Ok(());
    }
    linux::limit(leave)?;
    linux::close_files_and_network(leave)?;
    linux::close_system_calls(!leave.programs.is_empty())
}

/// There are walls for Linux only.
#[cfg(not(target_os = "linux"))]
pub fn raise(_: &Leave) -> Result<(), String> {
    Err("SQL of people can be confined on Linux only".into())
}

#[cfg(target_os = "linux")]
mod linux {
    use super::{FILES_OPEN_MAX, Leave, Path, SCRATCH_FILE_BYTES_MAX};
    use landlock::{
        ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
        RulesetCreatedAttr, RulesetStatus, Scope,
    };
    use rustix::process::{Resource, Rlimit, setrlimit};
    use seccompiler::{
        BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
        TargetArch,
    };
    use std::collections::BTreeMap;

    /// What a rule may allow on a file, as far as this program knows Landlock.
    const KNOWN: ABI = ABI::V5;

    pub fn limit(leave: &Leave) -> Result<(), String> {
        let limits = [
            (Resource::Data, leave.memory_bytes),
            // Address space is reserved well before it is used; this bounds only the absurd.
            (Resource::As, leave.memory_bytes.saturating_mul(4)),
            (Resource::Fsize, SCRATCH_FILE_BYTES_MAX),
            (Resource::Nofile, FILES_OPEN_MAX),
            (Resource::Core, 0),
        ];
        for (resource, most) in limits {
            let limit = Rlimit { current: Some(most), maximum: Some(most) };
            // A limit that is tighter already cannot be raised, and need not be.
            let now = rustix::process::getrlimit(resource);
            if now.maximum.is_none_or(|maximum| maximum > most) {
                setrlimit(resource, limit)
                    .map_err(|error| format!("the limits of a process cannot be set: {error}"))?;
            }
        }
        Ok(())
    }

    pub fn close_files_and_network(leave: &Leave) -> Result<(), String> {
        let refused = |error: &dyn std::fmt::Display| format!("Landlock refuses: {error}");
        let open =
            |path: &Path| PathFd::new(path).map_err(|error| format!("cannot open '{}': {error}", path.display()));
        let in_scratch = AccessFs::ReadFile
            | AccessFs::WriteFile
            | AccessFs::ReadDir
            | AccessFs::MakeReg
            | AccessFs::MakeDir
            | AccessFs::RemoveFile
            | AccessFs::RemoveDir
            | AccessFs::Truncate;
        let mut rules = Ruleset::default()
            .set_compatibility(CompatLevel::BestEffort)
            .handle_access(AccessFs::from_all(KNOWN))
            .and_then(|rules| rules.handle_access(AccessNet::BindTcp | AccessNet::ConnectTcp))
            .and_then(|rules| rules.scope(Scope::AbstractUnixSocket | Scope::Signal))
            .and_then(|rules| rules.create())
            .map(|rules| rules.no_new_privs(true))
            .map_err(|error| refused(&error))?;
        let becoming =
            |access: AccessFs| if leave.programs.is_empty() { access.into() } else { access | AccessFs::Execute };
        for file in &leave.files {
            let access = becoming(AccessFs::ReadFile);
            rules = rules.add_rule(PathBeneath::new(open(file)?, access)).map_err(|error| refused(&error))?;
        }
        for folder in &leave.programs {
            let access = becoming(AccessFs::ReadFile) | AccessFs::ReadDir;
            rules = rules.add_rule(PathBeneath::new(open(folder)?, access)).map_err(|error| refused(&error))?;
        }
        if let Some(scratch) = &leave.scratch {
            rules = rules.add_rule(PathBeneath::new(open(scratch)?, in_scratch)).map_err(|error| refused(&error))?;
        }
        let raised = rules.restrict_self().map_err(|error| refused(&error))?;
        if raised.ruleset == RulesetStatus::NotEnforced {
            return Err(
                "this kernel has no Landlock (Linux 5.13 or newer, switched on), which keeps SQL from files".into()
            );
        }
        Ok(())
    }

    pub fn close_system_calls(becoming: bool) -> Result<(), String> {
        let filter = filter(becoming).map_err(|error| format!("the filter of system calls cannot be made: {error}"))?;
        seccompiler::apply_filter(&filter)
            .map_err(|error| format!("this kernel takes no filter of system calls: {error}"))
    }

    /// Allows what reading files, computing and writing to open pipes need; every other call does not exist. Who becomes
    /// another program needs a few more.
    fn filter(becoming: bool) -> Result<BpfProgram, seccompiler::BackendError> {
        let more = if becoming { CALLS_OF_AN_INTERPRETER } else { &[] };
        let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
            CALLS.iter().chain(more).map(|call| (*call, Vec::new())).collect();
        // A new thread, never a new process.
        let thread = libc::CLONE_THREAD as u64;
        let is_thread = SeccompCondition::new(0, SeccompCmpArgLen::Qword, SeccompCmpOp::MaskedEq(thread), thread)?;
        rules.insert(libc::SYS_clone, vec![SeccompRule::new(vec![is_thread])?]);
        let itself = |own: u64| SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, own);
        rules.insert(libc::SYS_prlimit64, vec![SeccompRule::new(vec![itself(0)?])?]);
        rules.insert(libc::SYS_tgkill, vec![SeccompRule::new(vec![itself(u64::from(std::process::id()))?])?]);
        let missing = SeccompAction::Errno(libc::ENOSYS as u32);
        let architecture = TargetArch::try_from(std::env::consts::ARCH)?;
        SeccompFilter::new(rules, missing, SeccompAction::Allow, architecture)?.try_into()
    }

    const CALLS_OF_AN_INTERPRETER: &[i64] = &[
        libc::SYS_execve,
        libc::SYS_getuid,
        libc::SYS_geteuid,
        libc::SYS_getgid,
        libc::SYS_getegid,
        libc::SYS_getppid,
        libc::SYS_dup3,
        libc::SYS_renameat2,
        libc::SYS_pselect6,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_dup2,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_rename,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_select,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_pipe,
    ];

    const CALLS: &[i64] = &[
        // bytes of what is open
        libc::SYS_read,
        libc::SYS_readv,
        libc::SYS_pread64,
        libc::SYS_preadv,
        libc::SYS_write,
        libc::SYS_writev,
        libc::SYS_pwrite64,
        libc::SYS_pwritev,
        libc::SYS_lseek,
        libc::SYS_close,
        libc::SYS_dup,
        libc::SYS_fcntl,
        libc::SYS_fsync,
        libc::SYS_fdatasync,
        libc::SYS_ftruncate,
        libc::SYS_fallocate,
        libc::SYS_fadvise64,
        libc::SYS_ioctl,
        // files, as far as Landlock lets them through
        libc::SYS_openat,
        libc::SYS_fstat,
        libc::SYS_newfstatat,
        libc::SYS_statx,
        libc::SYS_statfs,
        libc::SYS_fstatfs,
        libc::SYS_faccessat,
        libc::SYS_faccessat2,
        libc::SYS_readlinkat,
        libc::SYS_getdents64,
        libc::SYS_mkdirat,
        libc::SYS_unlinkat,
        libc::SYS_getcwd,
        libc::SYS_umask,
        libc::SYS_fchmod,
        // memory
        libc::SYS_brk,
        libc::SYS_mmap,
        libc::SYS_munmap,
        libc::SYS_mremap,
        libc::SYS_mprotect,
        libc::SYS_madvise,
        libc::SYS_mincore,
        // threads and time
        libc::SYS_futex,
        libc::SYS_set_robust_list,
        libc::SYS_rseq,
        libc::SYS_set_tid_address,
        libc::SYS_sched_yield,
        libc::SYS_sched_getaffinity,
        libc::SYS_membarrier,
        libc::SYS_gettid,
        libc::SYS_getpid,
        libc::SYS_prctl,
        libc::SYS_clock_gettime,
        libc::SYS_clock_getres,
        libc::SYS_clock_nanosleep,
        libc::SYS_nanosleep,
        libc::SYS_gettimeofday,
        libc::SYS_getrandom,
        libc::SYS_sysinfo,
        libc::SYS_getrusage,
        libc::SYS_uname,
        libc::SYS_epoll_create1,
        libc::SYS_epoll_ctl,
        libc::SYS_epoll_pwait,
        libc::SYS_eventfd2,
        libc::SYS_pipe2,
        libc::SYS_ppoll,
        // signals to itself, and the end
        libc::SYS_rt_sigaction,
        libc::SYS_rt_sigprocmask,
        libc::SYS_rt_sigreturn,
        libc::SYS_sigaltstack,
        libc::SYS_restart_syscall,
        libc::SYS_exit,
        libc::SYS_exit_group,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_open,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_stat,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_lstat,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_access,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_readlink,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_mkdir,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_rmdir,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_unlink,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_poll,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_epoll_wait,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_arch_prctl,
    ];
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::io::Write;
    use std::net::{TcpListener, TcpStream, UdpSocket};
    use std::os::unix::net::{UnixListener, UnixStream};
    use std::process::Command;

    const INSIDE: &str = "LODE_TEST_BEHIND_WALLS";

    /// What is tried behind the walls, and whether it must be possible.
    const TRIED: &[(&str, bool)] = &[
        ("read a file of the order", true),
        ("write into the scratch folder", true),
        ("start a thread", true),
        ("read another file of the same folder", false),
        ("read /etc/passwd", false),
        ("read its own environment", false),
        ("list the folder of the files", false),
        ("write beside the files", false),
        ("write to a file of the order", false),
        ("link a file into the scratch folder", false),
        ("connect to an address", false),
        ("connect to a socket in the file system", false),
        ("make a datagram socket", false),
        ("start a program", false),
        ("signal the process that started it", false),
        ("raise its limits", false),
    ];

    fn attempt(what: &str, folder: &Path, address: &str) -> bool {
        let (ours, scratch) = (folder.join("ours"), folder.join("scratch"));
        match what {
            "read a file of the order" => std::fs::read(ours).is_ok_and(|bytes| bytes == b"rows"),
            "write into the scratch folder" => std::fs::write(scratch.join("spilled"), "x").is_ok(),
            "start a thread" => std::thread::Builder::new().spawn(|| {}).is_ok_and(|thread| thread.join().is_ok()),
            "read another file of the same folder" => std::fs::read(folder.join("theirs")).is_ok(),
            "read /etc/passwd" => std::fs::read("/etc/passwd").is_ok(),
            "read its own environment" => std::fs::read("/proc/self/environ").is_ok(),
            "list the folder of the files" => std::fs::read_dir(folder).is_ok(),
            "write beside the files" => std::fs::write(folder.join("new"), "x").is_ok(),
            "write to a file of the order" => {
                std::fs::OpenOptions::new().append(true).open(ours).is_ok_and(|mut file| file.write_all(b"x").is_ok())
            }
            "link a file into the scratch folder" => {
                std::fs::hard_link(folder.join("theirs"), scratch.join("t")).is_ok()
            }
            "connect to an address" => TcpStream::connect(address).is_ok(),
            "connect to a socket in the file system" => UnixStream::connect(folder.join("socket")).is_ok(),
            "make a datagram socket" => UdpSocket::bind("127.0.0.1:0").is_ok(),
            "start a program" => Command::new("/bin/true").status().is_ok(),
            "signal the process that started it" => {
                let parent = rustix::process::getppid();
                parent.is_some_and(|parent| rustix::process::test_kill_process(parent).is_ok())
            }
            "raise its limits" => {
                let unlimited = rustix::process::Rlimit { current: None, maximum: None };
                rustix::process::setrlimit(rustix::process::Resource::Data, unlimited).is_ok()
            }
            _ => panic!("nobody knows how to {what}"),
        }
    }

    #[test]
    #[ignore = "runs behind walls, in a process of its own, started by the test below"]
    fn inside() {
        let told = std::env::var(INSIDE).unwrap();
        let (folder, address) = told.split_once(' ').unwrap();
        let folder = Path::new(folder);
        let leave = Leave {
            files: vec![folder.join("ours")],
            scratch: Some(folder.join("scratch")),
            memory_bytes: 512 << 20,
            programs: Vec::new(),
        };
        raise(&leave).unwrap();
        for (what, _) in TRIED {
            println!("{what}: {}", attempt(what, folder, address));
        }
    }

    #[test]
    fn s8_behind_the_walls_there_is_no_file_no_network_and_no_new_program() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("scratch")).unwrap();
        for (name, text) in [("ours", "rows"), ("theirs", "canary")] {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let (tcp, _unix) =
            (TcpListener::bind("127.0.0.1:0").unwrap(), UnixListener::bind(folder.path().join("socket")).unwrap());
        let told = format!("{} {}", folder.path().display(), tcp.local_addr().unwrap());
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "confined::walls::tests::inside", "--include-ignored", "--nocapture", "--test-threads=1"])
            .env(INSIDE, told)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        for (what, possible) in TRIED {
            assert!(said.contains(&format!("{what}: {possible}")), "{what} must be {possible}:\n{said}");
        }
    }
}
