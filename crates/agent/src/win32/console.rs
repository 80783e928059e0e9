//! The console of a program that was started without one of its own.

use windows::Win32::System::Console::{FreeConsole, GetConsoleProcessList};

/// Closes the console window that Windows opened for this program alone; one that a person or a script opened stays.
pub fn leave_own() {
    let mut others = [0; 2];
    // SAFETY: the list is as long as the slice says.
    unsafe {
        if GetConsoleProcessList(&mut others) == 1 {
            // Where it fails, the window stays.
            let _ = FreeConsole();
        }
    }
}
