//! Named pipes that only the same user can open, read and written with a time limit.

use super::{Access, failed, io_error, process};
use std::io::{self, Read, Write};
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::time::{Duration, Instant};
use windows::Win32::Foundation::{
    ERROR_BROKEN_PIPE, ERROR_IO_PENDING, ERROR_PIPE_BUSY, ERROR_PIPE_CONNECTED, GENERIC_READ, GENERIC_WRITE, HANDLE,
    WAIT_OBJECT_0,
};
use windows::Win32::Storage::FileSystem::{
    CreateFileW, FILE_FLAG_FIRST_PIPE_INSTANCE, FILE_FLAG_OVERLAPPED, FILE_FLAGS_AND_ATTRIBUTES, FILE_SHARE_NONE,
    OPEN_EXISTING, PIPE_ACCESS_DUPLEX, ReadFile, SECURITY_IDENTIFICATION, SECURITY_SQOS_PRESENT, WriteFile,
};
use windows::Win32::System::IO::{CancelIoEx, GetOverlappedResult, OVERLAPPED};
use windows::Win32::System::Pipes::{
    ConnectNamedPipe, CreateNamedPipeW, DisconnectNamedPipe, GetNamedPipeClientProcessId, GetNamedPipeServerProcessId,
    PIPE_READMODE_BYTE, PIPE_REJECT_REMOTE_CLIENTS, PIPE_TYPE_BYTE, PIPE_WAIT, WaitNamedPipeW,
};
use windows::Win32::System::Threading::{CreateEventW, INFINITE, WaitForSingleObject};
use windows::core::{HSTRING, PCWSTR};

/// Bytes that the system keeps for each direction.
const BUFFER_BYTES: u32 = 64 << 10;

/// Ends of one pipe at a time: the one that answers calls, and browsers that speak.
const ENDS_MAX: u32 = 32;

/// How long a pipe that serves somebody else is waited for, at a time.
const BUSY_MS: u32 = 200;

/// One end of a pipe.
pub struct Pipe {
    pipe: OwnedHandle,
    /// Set by the system when a transfer is done.
    done: OwnedHandle,
    time_max: Option<Duration>,
}

impl Pipe {
    /// Makes a pipe and serves it alone: no other program can make one of this name while it lives.
    ///
    /// Errors: another program serves it.
    pub fn serve(name: &str) -> io::Result<Self> {
        Self::make(name, PIPE_ACCESS_DUPLEX | FILE_FLAG_FIRST_PIPE_INSTANCE | FILE_FLAG_OVERLAPPED)
    }

    /// Another end of a pipe that this program serves already, for the next who comes.
    ///
    /// Errors: too many are open.
    pub fn serve_another(name: &str) -> io::Result<Self> {
        Self::make(name, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED)
    }

    /// The same end once more, so that one thread reads while another writes.
    ///
    /// Errors: the system is out of handles.
    pub fn try_clone(&self) -> io::Result<Self> {
        Self::owned(self.pipe.try_clone()?)
    }

    fn make(name: &str, open: FILE_FLAGS_AND_ATTRIBUTES) -> io::Result<Self> {
        let access = Access::own(false)?;
        let mode = PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS;
        // SAFETY: name and attributes live during the call; the handle is checked before it is owned.
        let handle = unsafe {
            CreateNamedPipeW(
                &HSTRING::from(name),
                open,
                mode,
                ENDS_MAX,
                BUFFER_BYTES,
                BUFFER_BYTES,
                0,
                Some(&access.attributes()),
            )
        };
        if handle.is_invalid() {
            return Err(failed("cannot make the control pipe", windows::core::Error::from_thread()));
        }
        Self::of(handle)
    }

    /// Opens a pipe that somebody serves; waits while it serves others.
    ///
    /// Errors: nobody serves it, another user does, or it stays busy.
    pub fn open(name: &str, time_max: Duration) -> io::Result<Self> {
        let (name, until) = (HSTRING::from(name), Instant::now() + time_max);
        // The server learns who asks, and can do nothing in that name.
        let flags = FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION;
        loop {
            let access = (GENERIC_READ | GENERIC_WRITE).0;
            // SAFETY: the name lives during the call.
            match unsafe { CreateFileW(&name, access, FILE_SHARE_NONE, None, OPEN_EXISTING, flags, None) } {
                Ok(handle) => {
                    let pipe = Self::of(handle)?.within(time_max);
                    let mut server = 0;
                    // SAFETY: the handle is open and the number lives.
                    unsafe { GetNamedPipeServerProcessId(pipe.raw(), &mut server) }
                        .map_err(|error| failed("the control pipe does not tell who serves it", error))?;
                    return if process::is_own(server) {
                        Ok(pipe)
                    } else {
                        Err(io::ErrorKind::PermissionDenied.into())
                    };
                }
                Err(error) if error.code() == ERROR_PIPE_BUSY.to_hresult() && Instant::now() < until => {
                    // SAFETY: the name lives during the call. Whether it is free then, the next turn finds out.
                    let _ = unsafe { WaitNamedPipeW(&name, BUSY_MS) };
                }
                Err(error) => return Err(failed("cannot open the control pipe", error)),
            }
        }
    }

    /// From now on, a transfer that takes longer is given up.
    pub fn within(mut self, time_max: Duration) -> Self {
        self.time_max = Some(time_max);
        self
    }

    /// Waits until somebody opens the pipe.
    ///
    /// Errors: the pipe is broken, or it is another user.
    pub fn accept(&mut self) -> io::Result<()> {
        let time_max = self.time_max.take();
        // SAFETY: `transfer` keeps the structure alive until the system is done with it.
        let accepted = self.transfer(|pipe, overlapped| unsafe { ConnectNamedPipe(pipe, Some(overlapped)) });
        self.time_max = time_max;
        match accepted {
            Ok(_) => {}
            Err(error) if error.raw_os_error() == Some(ERROR_PIPE_CONNECTED.0 as i32) => {}
            Err(error) => return Err(error),
        }
        let is_own = self.client().is_some_and(process::is_own);
        if is_own { Ok(()) } else { Err(io::ErrorKind::PermissionDenied.into()) }
    }

    /// The process on the other end; unknown if the system does not tell.
    pub fn client(&self) -> Option<u32> {
        let mut client = 0;
        // SAFETY: the handle is open and the number lives.
        unsafe { GetNamedPipeClientProcessId(self.raw(), &mut client) }.ok()?;
        Some(client)
    }

    /// Lets the one who opened it go, so that the next may come.
    pub fn let_go(&mut self) {
        // SAFETY: the handle is open. If nobody is there, nobody needs to be let go.
        let _ = unsafe { DisconnectNamedPipe(self.raw()) };
    }

    /// From now on, a transfer may take as long as it wants.
    pub fn without_limit(mut self) -> Self {
        self.time_max = None;
        self
    }

    fn of(handle: HANDLE) -> io::Result<Self> {
        // SAFETY: the handle is open and owned by nobody else.
        Self::owned(unsafe { OwnedHandle::from_raw_handle(handle.0) })
    }

    fn owned(pipe: OwnedHandle) -> io::Result<Self> {
        // SAFETY: the event is open and owned by nobody else.
        unsafe {
            let done = CreateEventW(None, true, false, PCWSTR::null())
                .map_err(|error| failed("cannot make an event for the control pipe", error))?;
            Ok(Self { pipe, done: OwnedHandle::from_raw_handle(done.0), time_max: None })
        }
    }

    fn raw(&self) -> HANDLE {
        HANDLE(self.pipe.as_raw_handle())
    }

    /// Starts a transfer and waits for its end, or cancels it; in both cases the system is done with all memory afterwards.
    fn transfer(&self, start: impl FnOnce(HANDLE, *mut OVERLAPPED) -> windows::core::Result<()>) -> io::Result<usize> {
        let done = HANDLE(self.done.as_raw_handle());
        let mut overlapped = OVERLAPPED { hEvent: done, ..Default::default() };
        if let Err(error) = start(self.raw(), &mut overlapped)
            && error.code() != ERROR_IO_PENDING.to_hresult()
        {
            return Err(io_error(&error));
        }
        let wait_ms = self.time_max.map_or(INFINITE, |time| u32::try_from(time.as_millis()).unwrap_or(INFINITE - 1));
        let mut count = 0;
        // SAFETY: `overlapped` is not moved between start and result; after a time-out the transfer is cancelled and waited for.
        unsafe {
            let is_late = WaitForSingleObject(done, wait_ms) != WAIT_OBJECT_0;
            if is_late {
                let _ = CancelIoEx(self.raw(), Some(&overlapped));
            }
            match GetOverlappedResult(self.raw(), &overlapped, &mut count, true) {
                Ok(()) => Ok(count as usize),
                Err(_) if is_late => Err(io::ErrorKind::TimedOut.into()),
                Err(error) => Err(io_error(&error)),
            }
        }
    }
}

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // SAFETY: the buffer outlives `transfer`, which waits until the system is done.
        let read = self.transfer(|pipe, overlapped| unsafe { ReadFile(pipe, Some(buffer), None, Some(overlapped)) });
        match read {
            Err(error) if error.raw_os_error() == Some(ERROR_BROKEN_PIPE.0 as i32) => Ok(0),
            read => read,
        }
    }
}

impl Write for Pipe {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        // SAFETY: as in `read`.
        self.transfer(|pipe, overlapped| unsafe { WriteFile(pipe, Some(buffer), None, Some(overlapped)) })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
