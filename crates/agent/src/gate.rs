//! The gate: before anything of a window is read, it must be allowed; what is not leaves nothing but a counter.
//!
//! [`look`] asks in the order that privacy needs: whose window is it (no title yet), is the program allowed, only then
//! its title, and then the whole gate of the policy with title and page. Only here an [`Admitted`] can be made, and a backend
//! tells titles, elements, clipboard and pictures to nobody who shows none (promise D1).
//!
//! Whether capture may run at all (consent, schedule, pause) is asked before, see [`standing`](crate::standing).

use crate::browser::{Browsers, Front, FrontPage};
use crate::capture::{Capture, Identity, Reading, WindowId};
use crate::configuration::Effective;
use std::sync::Arc;
use uilog::planted;
use uilog::policy::{GateDecision, Refusal, Seen};

/// Programs that show pages: what is allowed in them may depend on the page. Executables, and the application ids of Wayland.
const BROWSERS: [&str; 28] = [
    "brave",
    "brave-browser",
    "brave.exe",
    "chrome",
    "chrome.exe",
    "chromium",
    "chromium-browser",
    "com.brave.browser",
    "com.google.chrome",
    "com.microsoft.edge",
    "com.opera.opera",
    "com.vivaldi.vivaldi",
    "firefox",
    "firefox-bin",
    "firefox-esr",
    "firefox.exe",
    "google-chrome",
    "microsoft-edge",
    "msedge",
    "msedge.exe",
    "opera",
    "opera.exe",
    "org.chromium.chromium",
    "org.mozilla.firefox",
    "vivaldi",
    "vivaldi-bin",
    "vivaldi-stable",
    "vivaldi.exe",
];

/// What browsers write behind the title of a private window, in the languages that are common.
const PRIVATE_MARKS: [&str; 12] = [
    "(Incognito)",
    "(Inkognito)",
    "InPrivate",
    "Private Browsing",
    "Privater Modus",
    "Navigation privée",
    "(Navegación de incógnito)",
    "Navegación privada",
    "(Navigazione in incognito)",
    "Navigazione anonima",
    "(Anônima)",
    "Privénavigatie",
];

/// Proof that the gate let a window through. Whoever holds one may ask a backend about this window and no other.
#[derive(Debug, PartialEq, Eq)]
pub struct Admitted {
    window: WindowId,
    pid: Option<u32>,
    process_name: Option<String>,
}

impl Admitted {
    /// The window.
    pub fn window(&self) -> WindowId {
        self.window
    }

    /// Its process, where the system tells.
    pub fn pid(&self) -> Option<u32> {
        self.pid
    }

    /// Its executable, or where the system does not tell it its application id, in lower case.
    pub fn process_name(&self) -> Option<&str> {
        self.process_name.as_deref()
    }
}

/// An admitted window with what an event tells of it.
#[derive(Clone, Debug)]
pub struct Sight {
    /// The proof.
    pub admitted: Arc<Admitted>,
    /// Its title.
    pub title: Reading<String>,
    /// The page in front, where the extension tells it: then the page speaks for its elements, keys and clipboard.
    pub page: Option<FrontPage>,
}

impl Sight {
    /// The window.
    pub fn window(&self) -> WindowId {
        self.admitted.window
    }
}

/// Looks at a window, as far as it may be looked at. Nothing is remembered between two looks: numbers of windows are used again.
///
/// Errors: why it may not be looked at; that is the name of a counter, and nothing else of the window may be kept.
pub fn look(
    window: WindowId,
    capture: &dyn Capture,
    browsers: &Browsers,
    effective: &Effective,
) -> Result<Sight, Refusal> {
    let Reading::Known(identity) = capture.identify(window) else { return Err(Refusal::Identity) };
    let mut seen = seen(&identity);
    if planted::is("title-before-program") {
        capture.title(&Admitted { window, pid: None, process_name: None });
    }
    refused(effective.policy.gate_program(&seen))?;
    let is_browser = is_browser(&identity);
    let extension = &effective.configuration.extension;
    let pages = match is_browser.then(|| browsers.front_of(identity.pid)) {
        Some(Front::Pages(pages)) if extension.enabled => pages,
        Some(Front::Hidden) if extension.enabled => return Err(Refusal::Site),
        Some(_) if extension.enabled && extension.required => return Err(Refusal::Site),
        _ => Vec::new(),
    };
    let process_name = name(&identity);
    let admitted = Admitted { window: identity.window, pid: identity.pid, process_name };
    let title = capture.title(&admitted);
    seen.window_title = borrowed(&title);
    // What the extension said may be older than what the window shows: the window's title must begin with the page's.
    let page = pages.iter().find(|page| {
        known(&title).is_some_and(|title| title.starts_with(&page.title) || planted::is("page-not-compared"))
    });
    if let Some(page) = page {
        seen.url = Reading::Known(&page.url);
        seen.page_title = Reading::Known(&page.title);
    } else if !pages.is_empty() {
        return Err(Refusal::Site);
    } else if is_browser {
        // The page is unknown: it cannot be told without the extension.
        seen.url = Reading::Unknown;
        seen.page_title = Reading::Unknown;
    }
    if !planted::is("never-list-off") {
        refused(effective.policy.gate(&seen))?;
    }
    let page = page.cloned();
    Ok(Sight { admitted: Arc::new(admitted), title, page })
}

fn refused(decision: GateDecision) -> Result<(), Refusal> {
    match decision {
        GateDecision::Admitted => Ok(()),
        GateDecision::Refused(refusal) => Err(refusal),
    }
}

/// What a program is called in events: as the allow-list names it.
fn name(identity: &Identity) -> Option<String> {
    let process_name = known(&identity.process_name).map(str::to_owned);
    process_name.or_else(|| known(&identity.app_id).map(str::to_lowercase))
}

fn is_browser(identity: &Identity) -> bool {
    name(identity).is_some_and(|name| is_browser_name(&name))
}

/// Whether an executable or application id of that name shows pages.
pub fn is_browser_name(process_name: &str) -> bool {
    BROWSERS.contains(&process_name)
}

/// Whether a browser's window of that title is a private one.
pub fn is_private_title(title: &str) -> bool {
    PRIVATE_MARKS.iter().any(|mark| title.contains(mark))
}

fn seen(identity: &Identity) -> Seen<'_> {
    Seen {
        process_name: borrowed(&identity.process_name),
        app_id: borrowed(&identity.app_id),
        path: borrowed(&identity.path),
        private: if planted::is("private-window-seen") { Reading::Known(false) } else { identity.private },
        ..Seen::default()
    }
}

/// A reading of text, borrowed.
pub fn borrowed(reading: &Reading<String>) -> Reading<&str> {
    match reading {
        Reading::Known(text) => Reading::Known(text),
        Reading::Absent => Reading::Absent,
        Reading::Unknown => Reading::Unknown,
    }
}

/// The text of a reading, if it is known.
pub fn known(reading: &Reading<String>) -> Option<&str> {
    if let Reading::Known(text) = reading { Some(text) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d1_a_browser_is_known_by_its_application_id_where_its_executable_is_not_told() {
        let window = |app_id: &str| Identity {
            process_name: Reading::Unknown,
            app_id: Reading::Known(app_id.into()),
            ..Identity::default()
        };
        assert!(["firefox", "org.mozilla.firefox", "Google-chrome"].iter().all(|app_id| is_browser(&window(app_id))));
        assert!(!is_browser(&window("orders")));
        let x11 = Identity { process_name: Reading::Known("orders".into()), ..window("Firefox") };
        assert_eq!(name(&x11).as_deref(), Some("orders"), "the executable is believed before the class");
    }
}
