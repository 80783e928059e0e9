//! A typed configuration back to XML: in the order of the vocabulary, without what is default anyway.
//!
//! What comes out is read again as an equal configuration. Comments and layout of a file that was read are not kept: who
//! edits a file that people wrote changes its text in place, as [`stamp`](super::stamp) does.

use std::fmt::Write;

use super::model::*;
use super::value::{write_clock, write_days, write_duration, write_moment, write_size};
use super::vocabulary::{self, Need, ROOT};
use super::words::Case;

/// Spaces for each level.
const INDENT: &str = "  ";

/// Lines longer than this have each attribute on a line of its own.
const LINE_CHARACTERS_MAX: usize = 140;

/// Writes a configuration as XML.
///
/// ```
/// use uilog::policy::{parse, write};
/// let xml = "<lodeConfig schema='1' project='0b6f2d0e-5c1f-4c53-9b1e-6f6f2f3a7c11' revision='1' \
///            validUntil='2027-02-28T23:59:59Z'><consent version='1'><text lang='en'>Nothing.</text></consent></lodeConfig>";
/// let configuration = parse(xml).unwrap();
/// assert_eq!(parse(&write(&configuration)), Ok(configuration));
/// ```
pub fn write(configuration: &Configuration) -> String {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    root(configuration).write_to(&mut text, 0);
    text
}

/// An element to be written.
struct Tag {
    id: &'static str,
    attributes: Vec<(&'static str, String)>,
    children: Vec<Tag>,
    text: Option<String>,
}

impl Tag {
    fn new(id: &'static str) -> Self {
        Tag { id, attributes: Vec::new(), children: Vec::new(), text: None }
    }

    /// With that attribute, unless it says what holds anyway.
    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        let value = value.into();
        let need = vocabulary::element(self.id).attribute(name).map(|attribute| attribute.need);
        let is_default = matches!(need, Some(Need::Default(default)) if default == value);
        if !is_default {
            self.attributes.push((name, value));
        }
        self
    }

    fn with_some(self, name: &'static str, value: Option<impl Into<String>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    fn with_child(mut self, child: Tag) -> Self {
        self.children.push(child);
        self
    }

    fn with_children(mut self, children: impl IntoIterator<Item = Tag>) -> Self {
        self.children.extend(children);
        self
    }

    fn with_text(mut self, text: &str) -> Self {
        self.text = Some(text.to_owned());
        self
    }

    /// Whether the element says nothing.
    fn is_bare(&self) -> bool {
        self.attributes.is_empty() && self.children.is_empty() && self.text.is_none()
    }

    fn write_to(&self, text: &mut String, depth: usize) {
        let name = vocabulary::element(self.id).name;
        let indent = INDENT.repeat(depth);
        let attributes: Vec<String> =
            self.attributes.iter().map(|(name, value)| format!("{name}=\"{}\"", escape(value, true))).collect();
        let is_long =
            attributes.iter().map(|attribute| attribute.chars().count() + 1).sum::<usize>() > LINE_CHARACTERS_MAX;
        let separator = if is_long { format!("\n{indent}{INDENT}{INDENT}") } else { " ".to_owned() };
        let _ = write!(text, "{indent}<{name}");
        for attribute in attributes {
            let _ = write!(text, "{separator}{attribute}");
        }
        match &self.text {
            Some(content) => {
                let _ = writeln!(text, ">{}</{name}>", escape(content, false));
            }
            None if self.children.is_empty() => text.push_str("/>\n"),
            None => {
                text.push_str(">\n");
                self.children.iter().for_each(|child| child.write_to(text, depth + 1));
                let _ = writeln!(text, "{indent}</{name}>");
            }
        }
    }
}

/// Text as XML holds it. In attributes line breaks and tabs are numbers, or reading would make spaces of them.
fn escape(text: &str, is_attribute: bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' if is_attribute => escaped.push_str("&quot;"),
            '\n' | '\t' | '\r' if is_attribute => {
                let _ = write!(escaped, "&#{};", character as u32);
            }
            '\r' => escaped.push_str("&#13;"),
            _ => escaped.push(character),
        }
    }
    escaped
}

fn yes(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

fn root(configuration: &Configuration) -> Tag {
    let optional = [
        client(&configuration.client),
        consent(&configuration.consent),
        Tag::new("userAttributes").with_children(configuration.user_attributes.iter().map(user_attribute)),
    ];
    let after_schedules = [
        pause(&configuration.pause),
        allow(&configuration.allow),
        capture(&configuration.capture),
        screenshots(&configuration.screenshots),
        extension(&configuration.extension),
        rules(configuration),
        redaction(&configuration.redaction),
        storage(&configuration.storage),
        upload(&configuration.upload),
        Tag::new("tests").with_children(configuration.tests.iter().map(test)),
    ];
    Tag::new(ROOT)
        .with("schema", "1")
        .with("project", configuration.project.to_string())
        .with("revision", configuration.revision.to_string())
        .with("validUntil", write_moment(configuration.valid_until_s))
        .with_children(optional.into_iter().filter(|tag| !tag.is_bare()))
        .with_children(schedules(&configuration.schedules))
        .with_children(after_schedules.into_iter().filter(|tag| !tag.is_bare()))
}

fn client(client: &Client) -> Tag {
    Tag::new("client")
        .with("startup", client.startup.word())
        .with("comments", yes(client.comments))
        .with("update", client.update.word())
        .with("log", client.log.word())
        .with("logKeep", write_duration(client.log_keep))
}

fn consent(consent: &Consent) -> Tag {
    let text = |text: &ConsentText| Tag::new(text.kind.word()).with("lang", &text.lang).with_text(&text.text);
    Tag::new("consent").with("version", consent.version.to_string()).with_children(consent.texts.iter().map(text))
}

fn user_attribute(attribute: &UserAttribute) -> Tag {
    let label = |label: &Label| Tag::new("label").with("lang", &label.lang).with_text(&label.text);
    Tag::new("attribute")
        .with("column", attribute.column.column().name)
        .with("required", yes(attribute.required))
        .with_some("choices", (!attribute.choices.is_empty()).then(|| attribute.choices.join("|")))
        .with_children(attribute.labels.iter().map(label))
}

/// The schedules; none if there is one only, with nothing but defaults: that holds anyway.
fn schedules(schedules: &[Schedule]) -> Vec<Tag> {
    let tags: Vec<Tag> = schedules.iter().map(schedule).collect();
    let says_nothing =
        |tag: &Tag| tag.attributes.is_empty() && matches!(tag.children.as_slice(), [window] if window.is_bare());
    match tags.as_slice() {
        [only] if says_nothing(only) => Vec::new(),
        _ => tags,
    }
}

fn schedule(schedule: &Schedule) -> Tag {
    let window = |window: &Window| {
        Tag::new("window")
            .with("days", write_days(window.days))
            .with("from", write_clock(window.from_min))
            .with("to", write_clock(window.to_min))
    };
    Tag::new("schedule").with("zone", &schedule.zone).with_children(schedule.windows.iter().map(window))
}

fn pause(pause: &Pause) -> Tag {
    let choices: Vec<String> = pause.choices.iter().map(|choice| write_duration(*choice)).collect();
    Tag::new("pause")
        .with("choices", choices.join(" "))
        .with("untilResume", yes(pause.until_resume))
        .with("hotkey", &pause.hotkey)
        .with("remind", write_duration(pause.remind))
}

fn allow(allow: &Allow) -> Tag {
    Tag::new("allow").with_children(allow.apps.iter().map(app)).with_children(allow.never.iter().map(never))
}

fn app(app: &App) -> Tag {
    let site = |site: &Site| Tag::new("site").with("host", &site.host).with("path", &site.path);
    let names = |names: &[String]| (!names.is_empty()).then(|| names.join(" "));
    Tag::new("app")
        .with_some("process", names(&app.processes))
        .with_some("appId", names(&app.app_ids))
        .with_some("path", app.path.as_ref())
        .with_children(app.sites.iter().map(site))
}

fn never(never: &Never) -> Tag {
    let tag = Tag::new("never").with("column", never.column.column().name);
    match &never.pattern {
        NeverPattern::Glob(glob) => tag.with("glob", glob),
        NeverPattern::Regex(regex) => tag.with("regex", regex),
    }
}

fn capture(capture: &Capture) -> Tag {
    Tag::new("capture")
        .with("snippetSplit", write_duration(capture.snippet_split))
        .with("idleAfter", write_duration(capture.idle_after))
        .with("alive", write_duration(capture.alive))
        .with("input", capture.input.word())
        .with("injected", yes(capture.injected))
        .with("elements", yes(capture.elements))
        .with("elementTimeout", write_duration(capture.element_timeout))
        .with("elementsNever", capture.elements_never.join(" "))
        .with("hoverLookup", yes(capture.hover_lookup))
        .with("nativeUrl", yes(capture.native_url))
        .with("clipboard", yes(capture.clipboard))
        .with("nameMax", capture.name_max.to_string())
}

fn screenshots(screenshots: &Screenshots) -> Tag {
    Tag::new("screenshots")
        .with("enabled", yes(screenshots.enabled))
        .with("minGap", write_duration(screenshots.min_gap))
        .with("settle", write_duration(screenshots.settle))
        .with("maxPerHour", screenshots.max_per_hour.to_string())
        .with("maxSide", screenshots.max_side.to_string())
        .with("maskText", screenshots.mask_text.word())
}

fn extension(extension: &Extension) -> Tag {
    Tag::new("extension")
        .with("enabled", yes(extension.enabled))
        .with("required", yes(extension.required))
        .with("valueLength", extension.value_length.word())
        .with("rowLabels", yes(extension.row_labels))
        .with("testIds", extension.test_ids.join(" "))
}

fn rules(configuration: &Configuration) -> Tag {
    let otherwise =
        configuration.otherwise.log().map(|_| Tag::new("otherwise").with_child(action(&configuration.otherwise)));
    Tag::new("rules").with_children(configuration.rules.iter().map(rule)).with_children(otherwise)
}

fn rule(rule: &Rule) -> Tag {
    let events = |words: &[EventWord]| words.iter().map(|word| word.word()).collect::<Vec<_>>().join(" ");
    let on = Tag::new("on").with("events", events(&rule.on.events)).with("except", events(&rule.on.except));
    Tag::new("rule")
        .with("name", &rule.name)
        .with("description", &rule.description)
        .with_child(on)
        .with_children(rule.when.as_ref().map(|when| Tag::new("when").with_child(condition(when))))
        .with_child(action(&rule.action))
}

fn condition(condition: &Condition) -> Tag {
    match condition {
        Condition::All(conditions) => Tag::new("all").with_children(conditions.iter().map(self::condition)),
        Condition::Any(conditions) => Tag::new("any").with_children(conditions.iter().map(self::condition)),
        Condition::Not(condition) => Tag::new("not").with_child(self::condition(condition)),
        Condition::Present(column, _) => Tag::new("present").with("column", column.column().name),
        Condition::Compare(comparison) => self::comparison(comparison),
    }
}

fn comparison(comparison: &Comparison) -> Tag {
    let name = Comparator::ALL.into_iter().find(|(comparator, _)| *comparator == comparison.comparator);
    let tag = Tag::new(name.map_or("equals", |(_, name)| name)).with("column", comparison.column.column().name);
    let tag = match comparison.values.as_slice() {
        [value] => tag.with("value", value),
        values => tag.with("values", values.join("|")),
    };
    match comparison.comparator {
        Comparator::Regex => tag,
        _ => tag.with("case", if comparison.exact_case { Case::Exact.word() } else { Case::Ignore.word() }),
    }
}

fn action(action: &Action) -> Tag {
    let Some(log) = action.log() else { return Tag::new("drop") };
    let replace = |replace: &Replace| {
        Tag::new("replace").with("columns", selection(&replace.columns)).with("with", &replace.with)
    };
    Tag::new("log")
        .with("columns", selection(&log.columns))
        .with("omit", selection(&log.omit))
        .with("hash", selection(&log.hash))
        .with("screenshot", log.screenshot.word())
        .with_children(log.replace.iter().map(replace))
}

fn selection(selection: &super::columns::Selection) -> String {
    selection.0.iter().map(|word| word.word()).collect::<Vec<_>>().join(" ")
}

fn redaction(redaction: &Redaction) -> Tag {
    let builtin = |builtin: &Builtin| {
        let patterns: Vec<&str> = builtin.patterns.iter().map(|pattern| pattern.word()).collect();
        Tag::new("builtin")
            .with("patterns", patterns.join(" "))
            .with_some("columns", builtin.columns.as_ref().map(selection))
    };
    let pattern = |pattern: &Pattern| {
        Tag::new("pattern")
            .with("name", &pattern.name)
            .with("mode", pattern.mode.word())
            .with_some("columns", pattern.columns.as_ref().map(selection))
            .with("regex", &pattern.regex)
            .with("description", &pattern.description)
    };
    Tag::new("redaction")
        .with_children(redaction.builtins.iter().map(builtin))
        .with_children(redaction.patterns.iter().map(pattern))
}

fn storage(storage: &Storage) -> Tag {
    Tag::new("storage")
        .with("events", write_size(storage.events_bytes))
        .with("screenshots", write_size(storage.screenshots_bytes))
        .with("keepFree", write_size(storage.keep_free_bytes))
        .with("keepFreePercent", storage.keep_free_percent.to_string())
        .with("keepSent", write_duration(storage.keep_sent))
}

fn upload(upload: &Upload) -> Tag {
    Tag::new("upload")
        .with("enabled", yes(upload.enabled))
        .with("every", write_duration(upload.every))
        .with("hold", write_duration(upload.hold))
        .with("batchEvents", upload.batch_events.to_string())
        .with("maxRate", upload.max_rate_kib_s.to_string())
        .with("heartbeat", write_duration(upload.heartbeat))
}

fn test(test: &Test) -> Tag {
    let mut event = Tag::new("event").with("event_type", test.event_type.name());
    for (column, cell) in &test.columns {
        let text = if let Cell::Value(text) = cell { text.as_str() } else { "?" };
        event = event.with(column.column().name, text);
    }
    let mut result = Tag::new("result");
    for (column, left) in &test.result {
        let text = match left {
            Left::Nothing => "#null",
            Left::Hash => "#hash",
            Left::Value(text) => text,
        };
        result = result.with(column.column().name, text);
    }
    Tag::new("test")
        .with("name", &test.name)
        .with("expect", test.expect.word())
        .with_some("rule", test.rule.as_ref())
        .with_some("screenshot", test.screenshot.map(Scope::word))
        .with_child(event)
        .with_children((!result.is_bare()).then_some(result))
}
