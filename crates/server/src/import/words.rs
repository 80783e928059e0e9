//! Translates what other tools call an action into our event types.
//!
//! Words are compared in lower case without `_`, `-` and spaces: `form_submit` is `formSubmit`. A word that no table
//! knows becomes the type that its parts suggest, and at last a click, which is the least specific action on an
//! element; the source's own word is always kept beside it.

use uilog::EventType::{self, *};

/// How many different words are remembered, each with its application; further ones are translated each time. A log
/// has few, so that looking through them takes less time than a hash.
const REMEMBERED_MAX: usize = 64;

/// Words of Action Logger (Leno), SmartRPA, the logs simulated with CPN Tools, and the miniwob demonstrations.
const WORDS: &[(&str, EventType)] = &[
    // clipboard
    ("copy", Copy),
    ("copycell", Copy),
    ("copyrange", Copy),
    ("cut", Cut),
    ("cutcell", Cut),
    ("cutrange", Cut),
    ("paste", Paste),
    ("pasteintocell", Paste),
    ("pasteintorange", Paste),
    // text
    ("editcell", TextEntered),
    ("editcellsheet", TextEntered),
    ("editfield", TextEntered),
    ("editrange", TextEntered),
    ("insertvalue", TextEntered),
    ("changefield", TextEntered),
    ("selectoptions", ElementChanged),
    // pointer
    ("click", LeftClick),
    ("mouseclick", LeftClick),
    ("clickbutton", LeftClick),
    ("clickcheckbox", LeftClick),
    ("clicklink", LeftClick),
    ("clickradiobutton", LeftClick),
    ("clicktextfield", LeftClick),
    ("dblclick", DoubleClick),
    ("doubleclick", DoubleClick),
    ("doubleclickcellwithvalue", DoubleClick),
    ("doubleclickemptycell", DoubleClick),
    ("contextmenu", RightClick),
    ("rightclickcellwithvalue", RightClick),
    ("rightclickemptycell", RightClick),
    ("dragelement", DragDrop),
    // focus and selection
    ("findvalue", ElementFocused),
    ("getcell", ElementFocused),
    ("getrange", ElementFocused),
    ("selectcell", ElementFocused),
    ("selectrange", ElementFocused),
    ("selectedfile", ElementFocused),
    ("selectedfolder", ElementFocused),
    ("selecttext", TextSelected),
    // pages: words of the recorder, and of the browser for how a page was reached
    ("autobookmark", PageLoaded),
    ("autosubframe", PageLoaded),
    ("generated", PageLoaded),
    ("gotourl", PageLoaded),
    ("keyword", PageLoaded),
    ("link", PageLoaded),
    ("manualsubframe", PageLoaded),
    ("navigateto", PageLoaded),
    ("reload", PageLoaded),
    ("startpage", PageLoaded),
    ("typed", PageLoaded),
    ("urlhashchange", PageLoaded),
    ("waitresponse", PageLoaded),
    ("formsubmit", FormSubmitted),
    ("submit", FormSubmitted),
    // tabs
    ("closetab", TabClosed),
    ("createnewtab", TabActivated),
    ("newtab", TabActivated),
    ("selecttab", TabActivated),
    // windows, documents, sheets
    ("activateworkbook", WindowActivated),
    ("addworksheet", WindowActivated),
    ("openfile", WindowActivated),
    ("openworkbook", WindowActivated),
    ("newworkbook", WindowActivated),
    ("selectworksheet", WindowActivated),
    // keys and commands
    ("hotkey", KeyCommand),
    ("keydown", KeyCommand),
    ("keypress", KeyCommand),
    ("saveworkbook", KeyCommand),
];

/// Parts of unknown words, the more telling ones first.
const PARTS: &[(&str, EventType)] = &[
    ("doubleclick", DoubleClick),
    ("rightclick", RightClick),
    ("middleclick", MiddleClick),
    ("click", LeftClick),
    ("copy", Copy),
    ("paste", Paste),
    ("drag", DragDrop),
    ("scroll", Scroll),
    ("print", PrintRequested),
    ("download", DownloadStarted),
    ("submit", FormSubmitted),
    ("closetab", TabClosed),
    ("tab", TabActivated),
    ("navigat", PageLoaded),
    ("url", PageLoaded),
    ("window", WindowActivated),
    ("workbook", WindowActivated),
    ("worksheet", WindowActivated),
    ("document", WindowActivated),
    ("presentation", WindowActivated),
    ("open", WindowActivated),
    ("key", KeyCommand),
    ("save", KeyCommand),
    ("edit", TextEntered),
    ("insert", TextEntered),
    ("type", TextEntered),
    ("input", TextEntered),
    ("change", TextEntered),
    ("select", ElementFocused),
    ("focus", ElementFocused),
    ("file", ElementFocused),
    ("folder", ElementFocused),
];

/// Translated words, remembered.
#[derive(Default)]
pub(super) struct Words {
    types: Vec<(String, EventType)>,
    browsers: Vec<(String, bool)>,
}

impl Words {
    /// The event type that a source's word means; in a browser the type of the browser family.
    pub(super) fn event_type(&mut self, word: &str, in_browser: bool) -> EventType {
        match remember(&mut self.types, word, translate) {
            LeftClick if in_browser => ElementClicked,
            TextEntered if in_browser => ElementChanged,
            other => other,
        }
    }

    /// Whether an application, by the name a recorder gave it, is a browser.
    pub(super) fn is_browser(&mut self, application: &str) -> bool {
        remember(&mut self.browsers, application, is_browser)
    }
}

fn remember<T: std::marker::Copy>(known: &mut Vec<(String, T)>, word: &str, find: impl Fn(&str) -> T) -> T {
    if let Some((_, found)) = known.iter().find(|(known, _)| known == word) {
        return *found;
    }
    let found = find(word);
    if known.len() < REMEMBERED_MAX {
        known.push((word.to_owned(), found));
    }
    found
}

fn translate(word: &str) -> EventType {
    if let Some(ours) = EventType::from_name(word) {
        return ours;
    }
    let folded = word.to_lowercase().replace(['_', '-', ' '], "");
    let exact = WORDS.iter().find(|(known, _)| *known == folded);
    let nearest = || PARTS.iter().find(|(part, _)| folded.contains(part));
    exact.or_else(nearest).map_or(LeftClick, |(_, event_type)| *event_type)
}

fn is_browser(application: &str) -> bool {
    const BROWSERS: &[&str] = &[
        "chrome",
        "chromium",
        "firefox",
        "edge",
        "opera",
        "safari",
        "brave",
        "vivaldi",
        "internet explorer",
        "browser",
    ];
    application.eq_ignore_ascii_case("web")
        || BROWSERS.iter().any(|browser| {
            application.as_bytes().windows(browser.len()).any(|part| part.eq_ignore_ascii_case(browser.as_bytes()))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(words: &str, in_browser: bool, expected: &str) {
        let mut known = Words::default();
        let translated: Vec<_> = words.split(' ').map(|word| known.event_type(word, in_browser).name()).collect();
        assert_eq!(translated.join(" "), expected);
    }

    #[test]
    fn words_of_the_recorders() {
        check("copyCell pasteIntoRange editCell", false, "copy paste text_entered");
        check("clickButton editField form_submit", true, "element_clicked element_changed form_submitted");
        check("navigate_to createNewTab closeTab", true, "page_loaded tab_activated tab_closed");
        check("getCell selectWorksheet dblclick", false, "element_focused window_activated double_click");
    }

    #[test]
    fn unknown_words_become_what_is_nearest() {
        check("resizeWindow moveTab printWorkbook", false, "window_activated tab_activated print_requested");
        check("Approve", false, "left_click");
        check("Approve", true, "element_clicked");
    }

    #[test]
    fn our_own_names_mean_themselves() {
        check("idle_started user_comment", false, "idle_started user_comment");
    }

    #[test]
    fn every_word_is_written_as_it_is_compared() {
        for (word, _) in WORDS.iter().chain(PARTS) {
            assert!(word.bytes().all(|byte| byte.is_ascii_lowercase()), "{word}");
        }
    }

    #[test]
    fn browsers_are_known_by_name() {
        let is_browser = |application: &str| Words::default().is_browser(application);
        assert!(is_browser("Google Chrome") && is_browser("Web") && is_browser("msedge.exe"));
        assert!(!is_browser("Excel") && !is_browser("Webex") && !is_browser(""));
    }
}
