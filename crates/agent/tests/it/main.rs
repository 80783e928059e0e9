//! The client as a whole: with a scripted desktop and a real service, with real applications under X11, Wayland and Wine, and with
//! everything that can go wrong between disk and network.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod alone;
#[cfg(target_os = "linux")]
mod contacts;
#[cfg(target_os = "linux")]
mod desk;
#[cfg(target_os = "linux")]
mod hands;
#[cfg(target_os = "linux")]
mod power;
#[cfg(target_os = "linux")]
mod proxy;
mod service;
mod stories;
mod support;
#[cfg(target_os = "linux")]
mod wayland;
#[cfg(target_os = "linux")]
mod wine;
#[cfg(target_os = "linux")]
mod x11;
