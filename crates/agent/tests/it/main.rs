//! The client as a whole: with a scripted desktop and a real service, with real applications under X11, and with everything that
//! can go wrong between disk and network.

mod service;
mod stories;
mod support;
#[cfg(target_os = "linux")]
mod x11;
