//! What an installer left for the first start: which service, and with which app key.
//!
//! A Windows package runs no program of ours while it installs; it writes both into the user's part of the registry, and the
//! client takes them away when it is enrolled. Elsewhere the installer enrols by itself.

use zeroize::Zeroizing;

/// The key of the registry.
#[cfg(windows)]
const KEY: &str = r"Software\Lode\Enrol";

/// A service and an app key.
pub struct Order {
    /// The service: https://…
    pub server: String,
    /// The app key.
    pub key: Zeroizing<String>,
}

/// What was left, if anything was.
#[cfg(windows)]
pub fn order() -> Option<Order> {
    use crate::win32::registry::own_text;
    Some(Order { server: own_text(KEY, "Server")?, key: Zeroizing::new(own_text(KEY, "Key")?) })
}

/// What was left, if anything was.
#[cfg(not(windows))]
pub fn order() -> Option<Order> {
    None
}

/// It was done, so the app key need not lie there any more.
pub fn forget() {
    #[cfg(windows)]
    crate::win32::registry::forget_own(KEY);
}
