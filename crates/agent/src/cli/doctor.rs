//! `lode-agent doctor`: looks at everything that can be wrong on this machine, and says what to do about it, within seconds.
//!
//! What a kind of desktop never shows is said as a limit, and is nothing wrong: nobody can do anything about it.

use super::Place;
use crate::browser::host;
use crate::capture::{Ability, Capabilities};
use crate::clock::{Clock, SystemClock};
use crate::control::Call;
use crate::home::Identity;
use crate::indicator;
use crate::wire::{Body, Http, Request, Wire, WireError};
use anyhow::Result;
use serde::Serialize;
use serde_json::json;
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

/// How long the service is waited for: the doctor has five seconds for everything (promise U4).
const ANSWER_TIME_MAX: Duration = Duration::from_secs(3);

/// How long a proxy is waited for that was asked in vain.
const PROXY_TIME_MAX: Duration = Duration::from_secs(1);

/// A clock that differs from the service's by more than this is wrong.
const CLOCK_US_MAX: i64 = 120_000_000;

/// One thing that was looked at.
#[derive(Serialize)]
struct Finding {
    what: &'static str,
    ok: bool,
    /// It is as well as it can be here, and not all of it is there.
    limit: bool,
    said: String,
    /// What to do; empty if nothing.
    advice: &'static str,
}

fn good(what: &'static str, said: impl Into<String>) -> Finding {
    Finding { what, ok: true, limit: false, said: said.into(), advice: "" }
}

fn limit(what: &'static str, said: impl Into<String>) -> Finding {
    Finding { limit: true, ..good(what, said) }
}

fn bad(what: &'static str, said: impl Into<String>, advice: &'static str) -> Finding {
    Finding { what, ok: false, limit: false, said: said.into(), advice }
}

/// Looks, and prints; exit 1 if something is wrong.
pub(super) fn run(place: &Place, as_json: bool) -> Result<u8> {
    let mut findings = vec![client(place), disk(place)];
    findings.extend(configuration(place));
    findings.push(floor());
    match place.home.identity() {
        Some(identity) => findings.extend(service(place, &identity)),
        None => findings.push(bad("enrolment", "not enrolled", "lode-agent enroll --server URL --key-file FILE")),
    }
    let seen = super::desktop(super::Backend::Auto, Arc::new(SystemClock::default())).capabilities();
    findings.push(session(&seen));
    findings.extend(capture(seen));
    findings.push(browsers(place));
    findings.push(match indicator::describe_tray() {
        Ok(said) => good("tray", said),
        Err(said) => bad("tray", said, "start a panel that has a tray"),
    });
    if as_json {
        println!("{}", serde_json::to_string_pretty(&findings)?);
    } else {
        for Finding { what, ok, limit, said, advice } in &findings {
            let mark = match (ok, limit) {
                (false, _) => "BAD",
                (true, true) => "-- ",
                (true, false) => "ok ",
            };
            println!("{mark} {what:<14} {said}");
            if !advice.is_empty() {
                println!("    {:<14} → {advice}", "");
            }
        }
    }
    Ok(exit_code(&findings))
}

/// 1 if something is wrong.
fn exit_code(findings: &[Finding]) -> u8 {
    u8::from(findings.iter().any(|finding| !finding.ok))
}

fn client(place: &Place) -> Finding {
    match place.send(&Call::Status) {
        Ok(status) => good("client", format!("runs: {}", status["state"].as_str().unwrap_or("unknown"))),
        Err(_) => bad("client", "does not run", "lode-agent run"),
    }
}

fn disk(place: &Place) -> Finding {
    if crate::paths::make_private_folder(&place.data).is_err() || !crate::paths::is_writable(&place.data) {
        let said = format!("'{}' cannot be written", place.data.display());
        return bad("disk", said, "make the folder writable for this user, or choose another with --data");
    }
    match crate::paths::free_bytes(&place.data) {
        Some((free, _)) if free < 1 << 30 => bad(
            "disk",
            format!("{} MiB free", free >> 20),
            "free some space: the client keeps 1 GiB free by leaving events out",
        ),
        Some((free, _)) => good("disk", format!("{} MiB free; keys: {}", free >> 20, crate::secrets::PROTECTION)),
        None => good("disk", "writable"),
    }
}

fn configuration(place: &Place) -> Vec<Finding> {
    if place.home.identity().is_none() {
        return Vec::new();
    }
    let configuration = match place.configuration() {
        Ok(configuration) => configuration,
        Err(error) => {
            return vec![bad(
                "configuration",
                format!("{error:#}"),
                "publish one in the project; the client fetches it within a minute",
            )];
        }
    };
    let consent = match place.home.said(configuration.consent.version) {
        crate::standing::Said::Yes => good("consent", format!("accepted version {}", configuration.consent.version)),
        crate::standing::Said::No => good("consent", "declined: nothing is recorded"),
        crate::standing::Said::Nothing => bad("consent", "not asked yet", "lode-agent consent"),
    };
    vec![good("configuration", format!("revision {}", configuration.revision)), consent]
}

fn floor() -> Finding {
    let path = crate::paths::floor_file();
    match std::fs::read_to_string(&path) {
        Ok(text) => match uilog::policy::parse_floor(&text) {
            Ok(_) => good("floor", "there and readable"),
            Err(problems) => bad(
                "floor",
                problems.first().map_or_else(String::new, |problem| problem.in_file("floor.xml")),
                "the administrator corrects it; until then nothing is captured",
            ),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => good("floor", "none"),
        Err(error) => {
            bad("floor", error.to_string(), "the administrator makes it readable; until then nothing is captured")
        }
    }
}

/// Address, proxy, TLS, clock.
fn service(place: &Place, identity: &Identity) -> Vec<Finding> {
    let network = place.settings.network();
    let asked = Http::within(&identity.server, &network, ANSWER_TIME_MAX).and_then(|mut wire| {
        let empty = json!({});
        wire.call(&Request { call: "nonce", token: None, body: Some(Body::Json(&empty)) })
    });
    let reply = match asked {
        Ok(reply) if reply.status == 200 => reply,
        Ok(reply) => {
            let said = format!("{} answers {}", identity.server, reply.sentence());
            return vec![bad(
                "service",
                said,
                "something between here and the service answers in its place: a proxy, a log-in page",
            )];
        }
        Err(error) => {
            if let (WireError::Network(_), Ok(Some(proxy))) = (&error, network.proxy_to(&identity.server)) {
                return vec![behind(&proxy, &error)];
            }
            let advice = match &error {
                WireError::Certificate(_) => {
                    "set the date of this machine right, or name the company's CA in extra_ca of agent.toml"
                }
                WireError::Address(_) => "enrol again with an https:// address",
                WireError::Settings(_) => "correct agent.toml",
                WireError::Network(_) => {
                    "check the network, the address, and proxy in agent.toml (system, none or an address)"
                }
            };
            return vec![bad("service", error.to_string(), advice)];
        }
    };
    let said: serde_json::Value = reply.json().unwrap_or_default();
    let time = said["server_time"].as_str().and_then(|text| chrono::DateTime::parse_from_rfc3339(text).ok());
    let clock = time.map(|time| SystemClock::default().now().time_us - time.timestamp_micros());
    let clock = match clock {
        Some(difference) if difference.abs() > CLOCK_US_MAX => bad(
            "clock",
            format!("differs from the service's by {} s", difference / 1_000_000),
            "set the date right; nothing is lost meanwhile, but times in the record are wrong",
        ),
        Some(difference) => good("clock", format!("within {} s of the service's", difference.abs() / 1_000_000 + 1)),
        None => bad("clock", "the service told no time", "something answers in its place"),
    };
    vec![good("service", format!("{} answers; proxy: {}", identity.server, network.proxy)), clock]
}

/// Nothing came back by way of a proxy: whether it is there at all tells whose turn it is.
fn behind(proxy: &ureq::Proxy, error: &WireError) -> Finding {
    let place = format!("{}:{}", proxy.host(), proxy.port());
    let connected = place.to_socket_addrs().and_then(|mut addresses| {
        let address = addresses.next().ok_or(std::io::ErrorKind::AddrNotAvailable)?;
        TcpStream::connect_timeout(&address, PROXY_TIME_MAX)
    });
    match connected {
        Err(why) => bad(
            "proxy",
            format!("the proxy {place} cannot be reached: {why}"),
            "start it, or correct proxy in agent.toml (system, none or an address)",
        ),
        Ok(_) => bad(
            "proxy",
            format!("the proxy {place} is there, but lets nothing through: {error}"),
            "ask who runs it to let the service's address through, or correct proxy in agent.toml",
        ),
    }
}

#[cfg(windows)]
fn session(_seen: &Capabilities) -> Finding {
    // Session 0 is that of services, which have no desktop.
    match crate::win32::process::session() {
        0 => bad("session", "a session of services, without a desktop", "run it as the person who is logged in"),
        session => good("session", format!("Windows, log-in session {session}")),
    }
}

#[cfg(not(windows))]
fn session(seen: &Capabilities) -> Finding {
    let is = |name: &str| std::env::var_os(name).is_some();
    match (is("WAYLAND_DISPLAY"), is("DISPLAY")) {
        (true, _) => match seen.get("windows") {
            Some(Ability::No(why) | Ability::Never(why)) => bad(
                "session",
                format!("Wayland, and {why}: nothing is recorded"),
                "log in to an X11 session, or to a desktop such as sway or Hyprland",
            ),
            _ => limit("session", "Wayland: windows and titles are seen, neither clicks nor keys; X11 shows more"),
        },
        (false, true) => good("session", "X11"),
        (false, false) => {
            bad("session", "no desktop: neither DISPLAY nor WAYLAND_DISPLAY is set", "run it in the desktop session")
        }
    }
}

/// Whether browsers find the client, and which of them speak to it now. A machine may have none.
fn browsers(place: &Place) -> Finding {
    const INSTALL: &str = "lode-agent install-browser-host; then the extension, see docs/guide/extension.md";
    let used: Vec<_> = host::places().into_iter().filter(|place| place.is_used).collect();
    let missing: Vec<_> =
        used.iter().filter(|place| host::registered(&place.folder).is_none()).map(|place| place.browser).collect();
    let status = place.send(&Call::Status).unwrap_or_default();
    let connected = status["extension"].as_array().cloned().unwrap_or_default();
    let connected: Vec<_> = connected.iter().filter_map(|each| each["browser"].as_str()).collect();
    let connected = if connected.is_empty() { "none".to_owned() } else { connected.join(", ") };
    match (used.is_empty(), missing.is_empty()) {
        (true, _) => good("browsers", format!("none was found that can have the extension; connected: {connected}")),
        (false, true) => good("browsers", format!("all find the client; connected: {connected}")),
        (false, false) => {
            let said = format!("{} cannot find the client; connected: {connected}", missing.join(", "));
            Finding { advice: INSTALL, ..good("browsers", said) }
        }
    }
}

/// What can be seen, signal by signal.
fn capture(seen: Capabilities) -> Vec<Finding> {
    let ability = |(signal, ability): (&'static str, Ability)| match ability {
        Ability::Yes => good(signal, "yes"),
        Ability::Partial(why) => limit(signal, format!("partly: {why}")),
        Ability::Never(why) => limit(signal, format!("no: {why}")),
        Ability::No(why) => bad(signal, why, "see docs/platforms.md for what this desktop can show"),
    };
    seen.into_iter().map(ability).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_desktop_never_shows_is_said_and_is_nothing_wrong_and_what_is_missing_is() {
        let windows = ("windows", Ability::Partial("programs by application id".into()));
        let told = |keys: Ability| {
            let findings = capture([("keys", keys), windows.clone()].into());
            let said = findings.iter().map(|finding| finding.said.clone()).collect::<Vec<_>>().join(" | ");
            (exit_code(&findings), findings[0].ok, findings[0].limit, said)
        };
        let said = |keys: &str| format!("{keys} | partly: programs by application id");
        let why = || "Wayland shows no keys".to_owned();
        assert_eq!(told(Ability::Never(why())), (0, true, true, said("no: Wayland shows no keys")));
        assert_eq!(told(Ability::No(why())), (1, false, false, said("Wayland shows no keys")));
        assert_eq!(told(Ability::Yes), (0, true, false, said("yes")));
    }
}
