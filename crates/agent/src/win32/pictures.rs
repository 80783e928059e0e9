//! What the screen shows: which windows lie over which, and the pixels of a rectangle.

use super::handle;
use super::window::{collect, place};
use windows::Win32::Foundation::LPARAM;
use windows::Win32::Graphics::Dwm::{DWMWA_CLOAKED, DwmGetWindowAttribute};
use windows::Win32::Graphics::Gdi::{
    BI_RGB, BITMAPINFO, BITMAPINFOHEADER, BitBlt, CreateCompatibleBitmap, CreateCompatibleDC, DIB_RGB_COLORS, DeleteDC,
    DeleteObject, GetDC, GetDIBits, HBITMAP, HDC, ReleaseDC, SRCCOPY, SelectObject,
};
use windows::Win32::UI::WindowsAndMessaging::{
    EnumWindows, GetSystemMetrics, GetWindowDisplayAffinity, IsIconic, IsWindowVisible, SM_CXVIRTUALSCREEN,
    SM_CYVIRTUALSCREEN, SM_XVIRTUALSCREEN, SM_YVIRTUALSCREEN, WDA_NONE,
};

/// A window on the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Its number.
    pub window: u64,
    /// x, y, width, height.
    pub place: [i32; 4],
}

/// All windows on the screen, the topmost first.
pub fn stack() -> Vec<Shown> {
    let mut windows: Vec<u64> = Vec::new();
    // SAFETY: the list lives during the call, which alone uses the pointer. An early end leaves fewer windows in it.
    let _ = unsafe { EnumWindows(Some(collect), LPARAM((&raw mut windows) as isize)) };
    let shown = windows.into_iter().filter(|window| is_shown(*window));
    shown.filter_map(|window| Some(Shown { window, place: place(window)? })).collect()
}

/// Neither hidden nor minimised nor cloaked, as sleeping programs of the shell are.
fn is_shown(window: u64) -> bool {
    let mut cloaked = 0_u32;
    // SAFETY: a number that is no window is not visible; the place for the answer lives and has the size that is said.
    unsafe {
        let window = handle(window);
        let size = size_of::<u32>() as u32;
        let asked = DwmGetWindowAttribute(window, DWMWA_CLOAKED, (&raw mut cloaked).cast(), size);
        IsWindowVisible(window).as_bool() && !IsIconic(window).as_bool() && (asked.is_err() || cloaked == 0)
    }
}

/// Whether a window asks to be left out of pictures; unknown is `None`.
pub fn excludes_itself(window: u64) -> Option<bool> {
    let mut affinity = 0;
    // SAFETY: the number lives during the call.
    unsafe { GetWindowDisplayAffinity(handle(window), &mut affinity) }.ok()?;
    Some(affinity != WDA_NONE.0)
}

/// x, y, width, height of all monitors together.
pub fn screen() -> [i32; 4] {
    // SAFETY: constants go in.
    [SM_XVIRTUALSCREEN, SM_YVIRTUALSCREEN, SM_CXVIRTUALSCREEN, SM_CYVIRTUALSCREEN]
        .map(|which| unsafe { GetSystemMetrics(which) })
}

/// The pixels of a rectangle of the screen: red, green, blue, row by row.
pub fn copy([x, y, width, height]: [i32; 4]) -> Option<Vec<u8>> {
    let pixels = usize::try_from(width).ok()?.checked_mul(usize::try_from(height).ok()?)?;
    let mut bytes = vec![0_u8; pixels.checked_mul(4)?];
    let mut about = BITMAPINFO {
        bmiHeader: BITMAPINFOHEADER {
            biSize: size_of::<BITMAPINFOHEADER>() as u32,
            biWidth: width,
            // Negative: the topmost row first.
            biHeight: -height,
            biPlanes: 1,
            biBitCount: 32,
            biCompression: BI_RGB.0,
            ..Default::default()
        },
        ..Default::default()
    };
    let canvas = Canvas::new(width, height)?;
    // SAFETY: the bitmap has the size that is copied, the buffer has four bytes for each of its pixels.
    let rows = unsafe {
        BitBlt(canvas.own, 0, 0, width, height, Some(canvas.screen), x, y, SRCCOPY).ok()?;
        let to = Some(bytes.as_mut_ptr().cast());
        GetDIBits(canvas.own, canvas.bitmap, 0, height.unsigned_abs(), to, &mut about, DIB_RGB_COLORS)
    };
    (rows == height).then(|| bytes.chunks_exact(4).flat_map(|pixel| [pixel[2], pixel[1], pixel[0]]).collect())
}

/// A bitmap to copy to; everything is given back when dropped.
struct Canvas {
    screen: HDC,
    own: HDC,
    bitmap: HBITMAP,
}

impl Canvas {
    fn new(width: i32, height: i32) -> Option<Self> {
        // SAFETY: what is made is freed in `drop`, also if the next step fails.
        unsafe {
            let screen = GetDC(None);
            let canvas = Self {
                screen,
                own: CreateCompatibleDC(Some(screen)),
                bitmap: CreateCompatibleBitmap(screen, width, height),
            };
            if canvas.own.is_invalid() || canvas.bitmap.is_invalid() {
                return None;
            }
            SelectObject(canvas.own, canvas.bitmap.into());
            Some(canvas)
        }
    }
}

impl Drop for Canvas {
    fn drop(&mut self) {
        // SAFETY: made by `new`, freed once, the bitmap after the context that held it.
        unsafe {
            let _ = DeleteDC(self.own);
            let _ = DeleteObject(self.bitmap.into());
            ReleaseDC(None, self.screen);
        }
    }
}
