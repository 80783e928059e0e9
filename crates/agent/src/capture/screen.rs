//! A picture of one window out of what the whole screen shows: everything that lies over it is painted over.
//!
//! The system copies what is visible, so another window's pixels are in the copy. Where they are is known before it and asked again
//! after it: if anything moved meanwhile there is no picture (promise D3). Backends say what is on their screen; nothing here asks
//! a system.

use super::{MaskReason, NoPicture, Picture};
use uilog::planted;

/// A window on the screen, as a backend numbers those.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Its number.
    pub window: u64,
    /// x, y, width, height in physical pixels.
    pub place: [i32; 4],
}

/// What decides about a picture of a window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// All windows, lowest first.
    pub stack: Vec<Shown>,
    /// The part of the screen on which the window is.
    pub place: [i32; 4],
    /// Fields of the window whose content is a secret.
    pub secrets: Vec<[i32; 4]>,
}

/// Looks, copies, looks again, and paints over what is not of the window; `own` finds it, or its frame, among the others.
///
/// Errors: what the looks and the copy say; the window is not there; something moved.
pub fn picture(
    look: impl Fn() -> Result<View, NoPicture>,
    own: impl Fn(&Shown) -> bool,
    copy: impl FnOnce([i32; 4]) -> Result<Picture, NoPicture>,
    masks: &[[i32; 4]],
) -> Result<Picture, NoPicture> {
    let view = look()?;
    let position = view.stack.iter().position(own).ok_or(NoPicture::Hidden)?;
    let mut picture = copy(view.place)?;
    // Whatever moved meanwhile may have been copied where nobody paints over it.
    if look()? != view && !planted::is("moved-while-taken") {
        return Err(NoPicture::Moved);
    }
    for above in &view.stack[position + 1..] {
        picture.paint_over(view.place, above.place, MaskReason::Window);
    }
    for secret in view.secrets.iter().chain(masks) {
        picture.paint_over(view.place, *secret, MaskReason::Password);
    }
    Ok(picture)
}
