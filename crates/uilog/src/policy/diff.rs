//! What changes from one configuration to the next, in sentences; and whether more is captured.
//!
//! `widens` errs on the side of "more": where it cannot be seen that a change captures less, as with another condition or
//! another order of rules, it is said to capture more, and the consent version must rise. A property test holds it to that:
//! with no change that widens, no event is recorded with more than before.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::columns::{ColumnSet, redacted_by_default};
use super::model::*;
use super::redact::ALWAYS;
use super::rules::Types;
use super::scrub::Work;
use super::value::{write_duration, write_moment};

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Its kind; never changes its meaning.
    pub code: &'static str,
    /// What changes, in one sentence.
    pub text: String,
    /// Whether more may be captured, kept or shown than before.
    pub widens: bool,
}

/// Every change from one configuration to another, in the order of the file. The revision is none.
pub fn diff(old: &Configuration, new: &Configuration) -> Vec<Change> {
    let mut changes = Changes(Vec::new());
    changes.validity(old, new);
    changes.consent(&old.consent, &new.consent);
    changes.user_attributes(&old.user_attributes, &new.user_attributes);
    changes.schedules(&old.schedules, &new.schedules);
    changes.allow(&old.allow, &new.allow);
    changes.capture(&old.capture, &new.capture);
    changes.screenshots(&old.screenshots, &new.screenshots);
    changes.extension(&old.extension, &new.extension);
    changes.rules(old, new);
    changes.redaction(&old.redaction, &new.redaction);
    changes.client(old, new);
    changes.upload(&old.upload, &new.upload);
    changes.say(old.tests != new.tests, "tests_changed", false, "rule tests changed".to_owned());
    changes.0
}

struct Changes(Vec<Change>);

impl Changes {
    fn say(&mut self, is_so: bool, code: &'static str, widens: bool, text: String) {
        if is_so {
            self.0.push(Change { code, text, widens });
        }
    }

    /// A setting with a value that can be written.
    fn setting<T: PartialEq>(&mut self, name: &str, old: T, new: T, widens: bool, write: impl Fn(&T) -> String) {
        let text = format!("{name}: {} instead of {}", write(&new), write(&old));
        self.say(old != new, "setting_changed", widens, text);
    }

    /// A switch; switching on captures more.
    fn switch(&mut self, name: &str, old: bool, new: bool) {
        let text = format!("{name} is now {}", if new { "on" } else { "off" });
        self.say(old != new, "setting_changed", new, text);
    }

    /// What is in one list and not in the other.
    fn lists(
        &mut self,
        old: &BTreeSet<String>,
        new: &BTreeSet<String>,
        what: &str,
        codes: [&'static str; 2],
        widens: [bool; 2],
    ) {
        for added in new.difference(old) {
            self.say(true, codes[0], widens[0], format!("{what} added: {added}"));
        }
        for removed in old.difference(new) {
            self.say(true, codes[1], widens[1], format!("{what} removed: {removed}"));
        }
    }

    fn validity(&mut self, old: &Configuration, new: &Configuration) {
        let text = format!(
            "recording ends {} instead of {}",
            write_moment(new.valid_until_s),
            write_moment(old.valid_until_s)
        );
        let is_longer = new.valid_until_s > old.valid_until_s;
        self.say(new.valid_until_s != old.valid_until_s, "validity_changed", is_longer, text);
    }

    fn consent(&mut self, old: &Consent, new: &Consent) {
        let text =
            format!("consent version {} instead of {}: every participant is asked again", new.version, old.version);
        self.say(new.version != old.version, "consent_version", false, text);
        self.say(old.texts != new.texts, "consent_text", false, "consent texts changed".to_owned());
    }

    fn user_attributes(&mut self, old: &[UserAttribute], new: &[UserAttribute]) {
        let names =
            |attributes: &[UserAttribute]| attributes.iter().map(|each| each.column.column().name.to_owned()).collect();
        let codes = ["user_attribute_added", "user_attribute_removed"];
        self.lists(&names(old), &names(new), "question to participants", codes, [true, false]);
        for (before, now) in new.iter().filter_map(|now| Some((old.iter().find(|old| old.column == now.column)?, now)))
        {
            let text = format!("question to participants changed: {}", now.column.column().name);
            self.say(before != now, "user_attribute_changed", before.choices != now.choices, text);
        }
    }

    /// By the minutes of a week; another zone shifts all of them.
    fn schedules(&mut self, old: &[Schedule], new: &[Schedule]) {
        let zones = |schedules: &[Schedule]| schedules.iter().map(|schedule| schedule.zone.clone()).collect::<Vec<_>>();
        let same_zones = zones(old) == zones(new);
        let open = |schedules: &[Schedule], day: usize, minute: u16| {
            schedules.iter().all(|schedule| schedule.contains(day, minute))
        };
        let minutes = || (0..7).flat_map(|day| (0..24 * 60).map(move |minute| (day, minute)));
        let is_longer = minutes().any(|(day, minute)| open(new, day, minute) && !open(old, day, minute));
        let is_shorter = minutes().any(|(day, minute)| open(old, day, minute) && !open(new, day, minute));
        let how = match (same_zones, is_longer, is_shorter) {
            (false, ..) => "in another time zone",
            (_, true, true) => "at other times",
            (_, true, false) => "at more times",
            _ => "at fewer times",
        };
        let is_changed = !same_zones || is_longer || is_shorter;
        self.say(is_changed, "schedule_changed", !same_zones || is_longer, format!("recording runs {how}"));
    }

    fn allow(&mut self, old: &Allow, new: &Allow) {
        let (before, now) = (programs(old), programs(new));
        let names = |programs: &BTreeMap<String, Pages>| programs.keys().cloned().collect();
        self.lists(
            &names(&before),
            &names(&now),
            "application",
            ["application_added", "application_removed"],
            [true, false],
        );
        for (program, pages) in &now {
            match (before.get(program), pages) {
                (Some(Pages::Every), Pages::Some(_)) => {
                    self.say(
                        true,
                        "sites_limited",
                        false,
                        format!("{program}: only some pages instead of every window"),
                    );
                }
                (Some(Pages::Some(_)), Pages::Every) => {
                    self.say(true, "sites_unlimited", true, format!("{program}: every window instead of some pages"));
                }
                (Some(Pages::Some(old)), Pages::Some(new)) => {
                    self.lists(old, new, &format!("{program}: page"), ["site_added", "site_removed"], [true, false]);
                }
                _ => {}
            }
        }
        let never = |allow: &Allow| allow.never.iter().map(never_text).collect();
        self.lists(&never(old), &never(new), "never list: entry", ["never_added", "never_removed"], [false, true]);
    }

    fn capture(&mut self, old: &Capture, new: &Capture) {
        let seconds = |duration: &std::time::Duration| write_duration(*duration);
        let is_more_often =
            |old: std::time::Duration, new: std::time::Duration| !new.is_zero() && (old.is_zero() || new < old);
        self.setting("snippet split", old.snippet_split, new.snippet_split, false, seconds);
        self.setting(
            "idle after",
            old.idle_after,
            new.idle_after,
            is_more_often(old.idle_after, new.idle_after),
            seconds,
        );
        self.setting("sign of life", old.alive, new.alive, is_more_often(old.alive, new.alive), seconds);
        self.setting("input", old.input, new.input, false, |input| input.word().to_owned());
        self.switch("injected input", old.injected, new.injected);
        self.switch("looking up elements", old.elements, new.elements);
        self.setting("time for an element", old.element_timeout, new.element_timeout, false, seconds);
        let names = |names: &[String]| names.iter().cloned().collect();
        let codes = ["setting_changed", "setting_changed"];
        self.lists(
            &names(&old.elements_never),
            &names(&new.elements_never),
            "application without elements",
            codes,
            [false, true],
        );
        self.switch("looking up at rest", old.hover_lookup, new.hover_lookup);
        self.switch("URLs without extension", old.native_url, new.native_url);
        self.switch("clipboard", old.clipboard, new.clipboard);
        self.setting("longest name", old.name_max, new.name_max, new.name_max > old.name_max, u32::to_string);
    }

    fn screenshots(&mut self, old: &Screenshots, new: &Screenshots) {
        let seconds = |duration: &std::time::Duration| write_duration(*duration);
        self.switch("screenshots", old.enabled, new.enabled);
        self.setting("time between pictures", old.min_gap, new.min_gap, new.min_gap < old.min_gap, seconds);
        self.setting("wait before a picture", old.settle, new.settle, false, seconds);
        self.setting(
            "pictures an hour",
            old.max_per_hour,
            new.max_per_hour,
            new.max_per_hour > old.max_per_hour,
            u32::to_string,
        );
        self.setting("size of pictures", old.max_side, new.max_side, new.max_side > old.max_side, u32::to_string);
        let is_less_masked = new.mask_text == MaskText::Page;
        self.setting("masks in pictures", old.mask_text, new.mask_text, is_less_masked, |mask| mask.word().to_owned());
    }

    fn extension(&mut self, old: &Extension, new: &Extension) {
        self.switch("browser extension", old.enabled, new.enabled);
        let text = "browsers without the extension are recorded too".to_owned();
        self.say(old.required && !new.required, "setting_changed", true, text);
        let text = "browsers without the extension are refused".to_owned();
        self.say(!old.required && new.required, "setting_changed", false, text);
        let detail = |length: ValueLength| {
            [ValueLength::Off, ValueLength::Bucket, ValueLength::Exact].iter().position(|each| *each == length)
        };
        let is_finer = detail(new.value_length) > detail(old.value_length);
        self.setting("length of values", old.value_length, new.value_length, is_finer, |length| {
            length.word().to_owned()
        });
        self.switch("labels of table cells", old.row_labels, new.row_labels);
        let names = |names: &[String]| names.iter().cloned().collect();
        let codes = ["setting_changed", "setting_changed"];
        self.lists(&names(&old.test_ids), &names(&new.test_ids), "attribute read as element id", codes, [true, false]);
    }

    fn rules(&mut self, old: &Configuration, new: &Configuration) {
        for rule in &new.rules {
            match old.rule(&rule.name) {
                Some(before) => self.rule(before, rule, new),
                None => {
                    let logs = rule.action.log().is_some();
                    let does = if logs { "logs" } else { "drops" };
                    self.say(true, "rule_added", logs, format!("rule added: \"{}\", which {does}", rule.name));
                }
            }
        }
        for rule in old.rules.iter().filter(|rule| new.rule(&rule.name).is_none()) {
            let widens = others_record_more(&rule.action, new);
            self.say(true, "rule_removed", widens, format!("rule removed: \"{}\"", rule.name));
        }
        let common = |of: &Configuration, other: &Configuration| -> Vec<String> {
            of.rules.iter().filter(|rule| other.rule(&rule.name).is_some()).map(|rule| rule.name.clone()).collect()
        };
        let text = "rules stand in another order, so other rules may decide".to_owned();
        self.say(common(old, new) != common(new, old), "rules_reordered", true, text);
        self.action("otherwise", &old.otherwise, &new.otherwise);
    }

    fn rule(&mut self, old: &Rule, new: &Rule, now: &Configuration) {
        let name = format!("rule \"{}\"", new.name);
        let (had, has) = (Types::of(&old.on), Types::of(&new.on));
        let logs = new.action.log().is_some();
        let less_left_to_later = !has.is_within(had) && logs;
        let more_left_to_later = !had.is_within(has) && others_record_more(&old.action, now);
        let is_changed = !(has.is_within(had) && had.is_within(has));
        self.say(
            is_changed,
            "rule_events",
            less_left_to_later || more_left_to_later,
            format!("{name} looks at other events"),
        );
        self.say(old.when != new.when, "rule_condition", true, format!("{name} has another condition"));
        self.say(
            old.description != new.description,
            "rule_description",
            false,
            format!("{name} has another description"),
        );
        self.action(&name, &old.action, &new.action);
    }

    fn action(&mut self, name: &str, old: &Action, new: &Action) {
        let (had, has) = match (old.log(), new.log()) {
            (None, None) => return,
            (None, Some(_)) => return self.say(true, "rule_logs", true, format!("{name} now logs")),
            (Some(_), None) => return self.say(true, "rule_drops", false, format!("{name} now drops")),
            (Some(old), Some(new)) => (Work::of(old, true), Work::of(new, true)),
        };
        let names =
            |columns: ColumnSet| columns.iter().map(|column| column.column().name).collect::<Vec<_>>().join(", ");
        let clear = |work: &Work| work.kept.without(work.hashed).without(work.replaced);
        let mut columns = |code, widens, what: &str, columns: ColumnSet| {
            self.say(!columns.is_empty(), code, widens, format!("{name} {what}: {}", names(columns)));
        };
        columns("columns_added", true, "now logs", clear(&has).without(had.kept));
        columns("columns_added", true, "now logs hashed", has.hashed.without(had.kept));
        columns("columns_added", true, "now logs a replacement of", has.replaced.without(had.kept));
        columns("columns_removed", false, "no longer logs", had.kept.without(has.kept));
        columns(
            "columns_in_clear",
            true,
            "no longer hashes or replaces",
            clear(&has).and(had.kept).without(clear(&had)),
        );
        columns("columns_hashed", true, "now hashes in place of replacing", has.hashed.and(had.replaced));
        columns("columns_hashed", false, "now hashes", has.hashed.and(clear(&had)));
        columns("columns_replaced", false, "now replaces", has.replaced.and(had.kept).without(had.replaced));
        let text = format!("{name} puts other texts in place of values");
        self.say(has.replace != had.replace && has.replaced == had.replaced, "replacement_changed", false, text);
        let text = format!("{name} takes pictures: {} instead of {}", has.screenshot.word(), had.screenshot.word());
        self.say(has.screenshot != had.screenshot, "rule_pictures", has.screenshot > had.screenshot, text);
    }

    fn redaction(&mut self, old: &Redaction, new: &Redaction) {
        let codes = ["redaction_added", "redaction_removed"];
        self.lists(&builtins(old), &builtins(new), "redaction", codes, [false, true]);
        // What stands before another pattern may take away a part of what that one would have found.
        let last_known =
            new.patterns.iter().rposition(|pattern| old.patterns.iter().any(|each| each.name == pattern.name));
        for (position, pattern) in new.patterns.iter().enumerate() {
            match old.patterns.iter().find(|before| before.name == pattern.name) {
                None => self.say(
                    true,
                    codes[0],
                    Some(position) < last_known,
                    format!("redaction added: \"{}\"", pattern.name),
                ),
                Some(before) => {
                    let is_same = (before.mode, &before.columns, &before.regex)
                        == (pattern.mode, &pattern.columns, &pattern.regex);
                    self.say(!is_same, "redaction_changed", true, format!("redaction changed: \"{}\"", pattern.name));
                }
            }
        }
        for pattern in old.patterns.iter().filter(|pattern| !new.patterns.iter().any(|now| now.name == pattern.name)) {
            self.say(true, codes[1], true, format!("redaction removed: \"{}\"", pattern.name));
        }
        let common = |of: &Redaction, other: &Redaction| -> Vec<String> {
            let in_both = |pattern: &&Pattern| other.patterns.iter().any(|each| each.name == pattern.name);
            of.patterns.iter().filter(in_both).map(|pattern| pattern.name.clone()).collect()
        };
        self.say(
            common(old, new) != common(new, old),
            "redaction_changed",
            true,
            "patterns stand in another order".to_owned(),
        );
    }

    fn client(&mut self, old: &Configuration, new: &Configuration) {
        let text = |what: &str| format!("{what} changed");
        self.switch("comments of participants", old.client.comments, new.client.comments);
        let others = |client: &Client| (client.startup, client.update, client.log, client.log_keep);
        self.say(
            others(&old.client) != others(&new.client),
            "setting_changed",
            false,
            text("the client's own settings"),
        );
        self.say(old.pause != new.pause, "setting_changed", false, text("how participants pause"));
        self.say(old.storage != new.storage, "setting_changed", false, text("room on the client's disk"));
    }

    fn upload(&mut self, old: &Upload, new: &Upload) {
        self.switch("sending", old.enabled, new.enabled);
        let seconds = |duration: &std::time::Duration| write_duration(*duration);
        self.setting("time to delete before sending", old.hold, new.hold, false, seconds);
        let others = |upload: &Upload| (upload.every, upload.batch_events, upload.max_rate_kib_s, upload.heartbeat);
        self.say(
            others(old) != others(new),
            "setting_changed",
            false,
            "how often and how much is sent changed".to_owned(),
        );
    }
}

/// Whether an event that a rule no longer decides about may be recorded with more by another one.
fn others_record_more(action: &Action, new: &Configuration) -> bool {
    let work = action.log().map(|log| Work::of(log, true));
    let others = new.rules.iter().map(|rule| &rule.action).chain([&new.otherwise]);
    others.filter_map(Action::log).any(|other| match &work {
        Some(work) => records_more(&Work::of(other, true), work),
        None => true,
    })
}

/// Whether one rule records something that the other does not, or in clear what the other hides.
fn records_more(one: &Work, other: &Work) -> bool {
    let clear = |work: &Work| work.kept.without(work.hashed).without(work.replaced);
    !one.kept.without(other.kept).is_empty()
        || !clear(one).without(clear(other)).is_empty()
        || !one.hashed.and(other.replaced).is_empty()
        || one.screenshot > other.screenshot
}

/// The pages of a program.
enum Pages {
    /// Every window, page or not.
    Every,
    /// These.
    Some(BTreeSet<String>),
}

/// Each program with its pages; a program that stands in two places has the pages of both.
fn programs(allow: &Allow) -> BTreeMap<String, Pages> {
    let mut programs = BTreeMap::new();
    for app in &allow.apps {
        let path = app.path.as_ref().map_or(String::new(), |path| format!(" at {path}"));
        for name in app.processes.iter().chain(&app.app_ids) {
            let sites: BTreeSet<String> = app.sites.iter().map(|site| format!("{}{}", site.host, site.path)).collect();
            let pages = programs.entry(format!("{name}{path}")).or_insert_with(|| Pages::Some(BTreeSet::new()));
            match pages {
                _ if sites.is_empty() => *pages = Pages::Every,
                Pages::Some(known) => known.extend(sites),
                Pages::Every => {}
            }
        }
    }
    programs
}

fn never_text(never: &Never) -> String {
    let pattern = match &never.pattern {
        NeverPattern::Glob(glob) => format!("like {glob}"),
        NeverPattern::Regex(regex) => format!("matching {regex}"),
    };
    format!("{} {pattern}", never.column.column().name)
}

/// Each built-in pattern with each column it looks at.
fn builtins(redaction: &Redaction) -> BTreeSet<String> {
    let by_default = [Builtin { patterns: ALWAYS.to_vec(), columns: None }];
    let builtins = if redaction.builtins.is_empty() { &by_default } else { redaction.builtins.as_slice() };
    let mut all = BTreeSet::new();
    for builtin in builtins {
        let columns = builtin.columns.as_ref().map_or_else(redacted_by_default, |columns| columns.redacted());
        for pattern in &builtin.patterns {
            all.extend(columns.iter().map(|column| format!("{} in {}", pattern.word(), column.column().name)));
        }
    }
    all
}
