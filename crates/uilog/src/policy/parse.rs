//! The text of a configuration or a floor to its typed model, or everything that is wrong with it.
//!
//! Three steps: [`xml`](super::xml) makes a tree, the tree is compared with the [vocabulary](super::vocabulary) (names,
//! order, what must be there), and the model is built, each value read as its kind says. Problems are gathered, never the
//! first one only; where a value is wrong, building goes on with the default. What needs more than one element to be seen
//! is in [`check`](super::check); what is an error there is asked for here too, so a parsed configuration has none.

use uuid::Uuid;

use crate::column::{self, ColumnId};
use crate::event::EventType;

use super::check;
use super::columns::Selection;
use super::model::*;
use super::problem::{At, Problem, Severity, did_you_mean};
use super::value::{self, Fault};
use super::vocabulary::{self, Attribute, Columns, Content, Element, FLOOR_ROOT, Kind, Need, Particle, ROOT};
use super::words::{
    BuiltinPattern, Case, ConsentKind, Expect, Input, LogLevel, MaskText, Mode, Scope, Startup, Update, ValueLength,
};
use super::xml::{self, Given, Node, Source};

/// The most rules of a configuration.
pub const RULES_MAX: usize = 500;

/// The most patterns of a redaction.
pub const PATTERNS_MAX: usize = 200;

/// The most `<app>` elements, and as many patterns of the never list.
pub const APPLICATIONS_MAX: usize = 500;

/// The most sites of all applications together.
pub const SITES_MAX: usize = 2_000;

/// The most tests of a configuration.
pub const TESTS_MAX: usize = 1_000;

/// The most problems that are told of one file; after so many nobody reads on.
const PROBLEMS_MAX: usize = 200;

/// Reads a configuration.
///
/// Errors: every problem that is an error, in the order of the file, at most 200. What is only doubtful is not told here but
/// by [`check`](super::check::check).
///
/// ```
/// let problems = uilog::policy::parse("<lodeConfig schema='1'/>").unwrap_err();
/// assert!(problems.iter().any(|problem| problem.code == "missing_attribute" && problem.message.contains("\"project\"")));
/// ```
pub fn parse(xml: &str) -> Result<Configuration, Vec<Problem>> {
    let source = Source::new(xml);
    let root = xml::read(&source)?;
    let mut builder = Builder::of(&source, &root, ROOT);
    let configuration = builder.configuration(&root);
    builder.add(check::errors(&configuration));
    builder.finish(configuration)
}

/// Reads a floor.
///
/// Errors: as [`parse`]. A floor that is there and cannot be read means that nothing may be captured.
pub fn parse_floor(xml: &str) -> Result<Floor, Vec<Problem>> {
    let source = Source::new(xml);
    let root = xml::read(&source)?;
    let mut builder = Builder::of(&source, &root, FLOOR_ROOT);
    let floor = builder.floor(&root);
    builder.add(check::floor_errors(&floor));
    builder.finish(floor)
}

/// Gives a configuration its project and revision in the text itself, so that comments and layout stay as they are.
///
/// Errors: what keeps the text from being a tree, or attributes of the root that are not there.
pub fn stamp(xml: &str, project: Uuid, revision: u32) -> Result<String, Vec<Problem>> {
    let source = Source::new(xml);
    let root = xml::read(&source)?;
    let mut text = xml.to_owned();
    let mut given: Vec<(&Given<'_>, String)> = Vec::new();
    for (name, value) in [("project", project.to_string()), ("revision", revision.to_string())] {
        match root.attributes.iter().find(|attribute| attribute.name == name) {
            Some(attribute) => given.push((attribute, value)),
            None => return Err(vec![missing_attribute(&root, name)]),
        }
    }
    given.sort_by_key(|(attribute, _)| std::cmp::Reverse(attribute.offset));
    for (attribute, value) in given {
        text.replace_range(attribute.offset..attribute.offset + attribute.raw.len(), &value);
    }
    Ok(text)
}

fn missing_attribute(node: &Node<'_>, name: &str) -> Problem {
    let message = format!("<{}> lacks the attribute \"{name}\"", node.name);
    node.at.problem(Severity::Error, "missing_attribute", message, None)
}

/// Builds a model and gathers what is wrong on the way.
struct Builder<'s, 'a> {
    source: &'s Source<'a>,
    problems: Vec<Problem>,
    /// What stands before messages: `rule "SAP": `.
    context: String,
}

impl<'s, 'a> Builder<'s, 'a> {
    /// A builder that has compared the whole tree with the vocabulary.
    fn of(source: &'s Source<'a>, root: &Node<'_>, name: &'static str) -> Self {
        let mut builder = Builder { source, problems: Vec::new(), context: String::new() };
        if root.name == name {
            builder.compare(root, vocabulary::element(name), true);
        } else {
            let message = format!("the root element is <{}>, not <{name}>", root.name);
            builder.error(root.at, "unknown_element", message, None);
        }
        builder
    }

    /// Adds problems that were found in the model. Those about what is in no place of the file are told already: it is missing.
    fn add(&mut self, problems: Vec<Problem>) {
        self.problems.extend(problems.into_iter().filter(|problem| problem.line > 0));
    }

    fn finish<T>(mut self, value: T) -> Result<T, Vec<Problem>> {
        if self.problems.is_empty() {
            return Ok(value);
        }
        self.problems.sort_by_key(|problem| (problem.line, problem.column));
        self.problems.dedup();
        self.problems.truncate(PROBLEMS_MAX);
        Err(self.problems)
    }

    fn error(&mut self, at: At, code: &'static str, message: String, hint: Option<String>) {
        let message = format!("{}{message}", self.context);
        self.problems.push(at.problem(Severity::Error, code, message, hint));
    }

    // Names, order, what must be there.

    fn compare(&mut self, node: &Node<'_>, element: &'static Element, is_root: bool) {
        let context = named(node, element).map(|named| std::mem::replace(&mut self.context, named));
        self.compare_attributes(node, element, is_root);
        match &element.content {
            Content::Empty => self.compare_children(node, &[]),
            Content::Text(characters_max) => {
                self.compare_children(node, &[]);
                self.compare_text(node, *characters_max);
            }
            Content::Elements(particles) => self.compare_children(node, particles),
        }
        if !matches!(element.content, Content::Text(_)) && !node.text.trim().is_empty() {
            self.error(node.text_at, "unexpected_text", format!("text stands inside <{}>", node.name), None);
        }
        if let Some(context) = context {
            self.context = context;
        }
    }

    fn compare_attributes(&mut self, node: &Node<'_>, element: &'static Element, is_root: bool) {
        for given in &node.attributes {
            let is_known = element.attribute(given.name).is_some()
                || (is_root && (given.name == "xmlns:xsi" || given.name.starts_with("xsi:")))
                || (element.has_columns()
                    && (given.name == EVENT_TYPE || column_of_test(element, given.name).is_some()));
            if !is_known {
                let known = element.attributes.iter().map(|attribute| attribute.name);
                let hint = if element.has_columns() {
                    did_you_mean(given.name, column::COLUMNS.iter().map(|column| column.name))
                } else {
                    did_you_mean(given.name, known)
                };
                let message = format!("<{}> has no attribute \"{}\"", node.name, given.name);
                self.error(given.at, "unknown_attribute", message, hint);
            }
        }
        let required = element.attributes.iter().filter(|attribute| attribute.need == Need::Required);
        let event_type = (element.id == "event").then_some(EVENT_TYPE);
        for name in required.map(|attribute| attribute.name).chain(event_type) {
            if !node.attributes.iter().any(|given| given.name == name) {
                let problem = missing_attribute(node, name);
                self.error(node.at, problem.code, problem.message, None);
            }
        }
    }

    fn compare_text(&mut self, node: &Node<'_>, characters_max: usize) {
        let characters = node.text.trim().chars().count();
        if characters == 0 || characters > characters_max {
            let message = format!("<{}> has {characters} characters; 1 to {characters_max} are possible", node.name);
            self.error(node.text_at, "out_of_range", message, None);
        }
    }

    /// Children must come in the order of the particles, each as often as it says.
    fn compare_children(&mut self, node: &Node<'_>, particles: &'static [Particle]) {
        let mut counts = vec![0usize; particles.len()];
        let mut place = 0;
        for child in &node.children {
            let fits = |particle: &Particle| particle.ids.iter().any(|id| vocabulary::element(id).name == child.name);
            let Some(found) = particles.iter().position(fits) else {
                let known = particles.iter().flat_map(|particle| particle.ids).map(|id| vocabulary::element(id).name);
                let hint = did_you_mean(child.name, known);
                self.error(
                    child.at,
                    "unknown_element",
                    format!("<{}> has no element <{}>", node.name, child.name),
                    hint,
                );
                continue;
            };
            counts[found] += 1;
            if found < place || counts[found] == particles[found].max.saturating_add(1) {
                self.misplaced(child, particles, found, place);
            }
            place = place.max(found);
            let id = particles[found].ids.iter().find(|id| vocabulary::element(id).name == child.name);
            self.compare(child, vocabulary::element(id.copied().unwrap_or_default()), false);
        }
        for (particle, count) in particles.iter().zip(counts) {
            if count < particle.min {
                let names: Vec<String> =
                    particle.ids.iter().map(|id| format!("<{}>", vocabulary::element(id).name)).collect();
                self.error(node.at, "missing_element", format!("<{}> lacks {}", node.name, names.join(" or ")), None);
            }
        }
    }

    fn misplaced(&mut self, child: &Node<'_>, particles: &'static [Particle], found: usize, place: usize) {
        let message = if found < place {
            let before = vocabulary::element(particles[place].ids[0]).name;
            format!("<{}> must stand before <{before}>", child.name)
        } else {
            match particles[found].max {
                1 => format!("<{}> may stand here only once", child.name),
                max => format!("<{}> may stand here only {max} times", child.name),
            }
        };
        self.error(child.at, "misplaced_element", message, None);
    }

    // Values.

    /// The value of an attribute, given or default, as `read` makes it; `fallback` where it cannot be read, after the
    /// problem was noted.
    fn value<T>(
        &mut self,
        node: &Node<'_>,
        element: &'static Element,
        name: &str,
        fallback: T,
        read: impl Fn(Kind, &str) -> Result<T, Fault>,
    ) -> T {
        self.optional(node, element, name, read).unwrap_or(fallback)
    }

    /// As [`value`](Self::value); nothing where neither value nor default is there, or the value cannot be read.
    fn optional<T>(
        &mut self,
        node: &Node<'_>,
        element: &'static Element,
        name: &str,
        read: impl Fn(Kind, &str) -> Result<T, Fault>,
    ) -> Option<T> {
        let attribute: &Attribute = element.attribute(name)?;
        let given = node.attributes.iter().find(|given| given.name == name);
        let default = if let Need::Default(default) = attribute.need { Some(default) } else { None };
        let or_default = || default.and_then(|default| read(attribute.kind, default).ok());
        match given {
            None => or_default(),
            Some(given) => {
                read(attribute.kind, &given.value).map_err(|fault| self.fault(given, fault)).ok().or_else(or_default)
            }
        }
    }

    fn fault(&mut self, given: &Given<'_>, fault: Fault) {
        let within = if given.raw == given.value { fault.offset } else { 0 };
        let at = self.source.at(given.offset + within);
        let names_itself = matches!(fault.code, "unknown_column" | "unknown_event_type");
        let message = if names_itself { fault.message } else { format!("{}: {}", given.name, fault.message) };
        self.error(at, fault.code, message, fault.hint);
    }

    fn too_many(&mut self, node: Option<&Node<'_>>, what: &str, count: usize, max: usize) {
        if let Some(node) = node.filter(|_| count > max) {
            self.error(node.at, "too_large", format!("{count} {what}; at most {max} are possible"), None);
        }
    }
}

/// The attribute of a test's event that names its type.
const EVENT_TYPE: &str = "event_type";

/// A reader of the values of one element: `read.int("revision")`.
struct Values<'b, 's, 'a, 'n> {
    builder: &'b mut Builder<'s, 'a>,
    node: &'n Node<'n>,
    element: &'static Element,
}

impl Values<'_, '_, '_, '_> {
    fn get<T: Default>(&mut self, name: &str, read: impl Fn(Kind, &str) -> Result<T, Fault>) -> T {
        self.builder.value(self.node, self.element, name, T::default(), read)
    }

    fn maybe<T>(&mut self, name: &str, read: impl Fn(Kind, &str) -> Result<T, Fault>) -> Option<T> {
        self.builder.optional(self.node, self.element, name, read)
    }

    /// A number; the ranges of the vocabulary fit the types of the model.
    fn int<T: TryFrom<u64> + Default>(&mut self, name: &str) -> T {
        self.get(name, |kind, text| {
            T::try_from(value::int(kind, text)?).map_err(|_| Fault::new("out_of_range", format!("{text} is too large")))
        })
    }

    fn bool(&mut self, name: &str) -> bool {
        self.get(name, |_, text| value::boolean(text))
    }

    fn duration(&mut self, name: &str) -> std::time::Duration {
        self.get(name, value::duration)
    }

    fn size(&mut self, name: &str) -> u64 {
        self.get(name, value::size)
    }

    fn text(&mut self, name: &str) -> String {
        self.get(name, value::text)
    }

    fn names(&mut self, name: &str) -> Vec<String> {
        self.get(name, value::names)
    }

    fn selection(&mut self, name: &str) -> Selection {
        self.maybe_selection(name).unwrap_or_default()
    }

    fn maybe_selection(&mut self, name: &str) -> Option<Selection> {
        self.maybe(name, |kind, text| match kind {
            Kind::Columns(which) => value::selection(which, text),
            _ => Ok(Selection::default()),
        })
    }

    fn column(&mut self, name: &str) -> Option<ColumnId> {
        self.maybe(name, |kind, text| match kind {
            Kind::Column(which) => value::column(which, text),
            _ => value::column(Columns::Comparable, text),
        })
    }
}

/// Reads a word of a closed list.
macro_rules! word {
    ($values:expr, $name:literal, $list:ident) => {
        $values.get($name, |_, text| value::word(text, $list::from_word, $list::WORDS))
    };
}

/// What stands before the messages about an element that has a name: `rule "SAP": `.
fn named(node: &Node<'_>, element: &'static Element) -> Option<String> {
    let has_name = matches!(element.id, "rule" | "pattern" | "test");
    let name = node.attributes.iter().find(|given| given.name == "name");
    name.filter(|_| has_name).map(|name| format!("{} \"{}\": ", element.name, name.value))
}

fn child<'n>(node: &'n Node<'n>, name: &str) -> Option<&'n Node<'n>> {
    node.children.iter().find(|child| child.name == name)
}

fn children<'n>(node: Option<&'n Node<'n>>, name: &'n str) -> impl Iterator<Item = &'n Node<'n>> {
    node.into_iter().flat_map(|node| &node.children).filter(move |child| child.name == name)
}

/// What an element that is not there is read as: all its attributes have their defaults.
static NOTHING: Node<'static> = Node {
    name: "",
    at: At { line: 0, column: 0 },
    attributes: Vec::new(),
    children: Vec::new(),
    text: String::new(),
    text_at: At { line: 0, column: 0 },
};

/// The column that an attribute of `<event>` or `<result>` stands for.
pub(super) fn column_of_test(element: &Element, name: &str) -> Option<ColumnId> {
    use column::ColumnType::{Box4, Fingerprint, TextMap, TimestampUs, Uuid};
    let column = column::find(name)?;
    let has_text = !matches!(column.column_type, Box4 | TextMap | TimestampUs | Uuid);
    let is_given = column.column_type != Fingerprint
        && !column.mandatory
        && !matches!(column.id, ColumnId::Rule | ColumnId::ConfigRevision);
    match element.id {
        "event" => is_given.then_some(column.id),
        _ => Some(column.id),
    }
    .filter(|_| has_text)
}

impl<'s, 'a> Builder<'s, 'a> {
    fn values<'b, 'n>(&'b mut self, node: &'n Node<'n>, id: &'static str) -> Values<'b, 's, 'a, 'n> {
        Values { builder: self, node, element: vocabulary::element(id) }
    }

    fn within<T>(&mut self, node: &Node<'_>, id: &'static str, build: impl FnOnce(&mut Self) -> T) -> T {
        let context = named(node, vocabulary::element(id)).unwrap_or_default();
        let outer = std::mem::replace(&mut self.context, context);
        let built = build(self);
        self.context = outer;
        built
    }

    fn configuration(&mut self, root: &Node<'_>) -> Configuration {
        let section = |name: &'static str| child(root, name).unwrap_or(&NOTHING);
        let mut values = self.values(root, ROOT);
        let _: u32 = values.int("schema");
        let (project, revision) = (values.get("project", |_, text| value::uuid(text)), values.int("revision"));
        let valid_until_s = values.get("validUntil", |_, text| value::moment(text));
        let rules = child(root, "rules");
        Configuration {
            project,
            revision,
            valid_until_s,
            client: self.client(section("client")),
            consent: self.consent(section("consent")),
            user_attributes: children(child(root, "userAttributes"), "attribute")
                .map(|node| self.user_attribute(node))
                .collect(),
            schedules: self.schedules(root),
            pause: self.pause(section("pause")),
            allow: child(root, "allow").map(|node| self.allow(node)).unwrap_or_default(),
            capture: self.capture(section("capture")),
            screenshots: self.screenshots(section("screenshots")),
            extension: self.extension(section("extension")),
            rules: self.rules(rules),
            otherwise: children(rules, "otherwise").next().map_or(Action::Drop, |node| self.action(node)),
            redaction: self.redaction(child(root, "redaction")),
            storage: self.storage(section("storage")),
            upload: self.upload(section("upload")),
            tests: self.tests(child(root, "tests")),
        }
    }

    fn floor(&mut self, root: &Node<'_>) -> Floor {
        let section = |name: &'static str| child(root, name).unwrap_or(&NOTHING);
        let _: u32 = self.values(root, FLOOR_ROOT).int("schema");
        Floor {
            schedule: child(root, "schedule").map(|node| self.schedule(node)),
            allow: child(root, "allow").map(|node| self.allow(node)),
            never: children(Some(root), "never").filter_map(|node| self.never(node)).collect(),
            hash: self.values(section("hash"), "hash").selection("columns"),
            forbid: self.values(section("forbid"), "forbid").selection("columns"),
            forbid_screenshots: self.values(section("forbid"), "forbid").bool("screenshots"),
            redaction: self.redaction(child(root, "redaction")),
            min_hold: self.values(section("upload"), "floor.upload").duration("minHold"),
        }
    }

    fn client(&mut self, node: &Node<'_>) -> Client {
        let mut values = self.values(node, "client");
        Client {
            startup: word!(values, "startup", Startup),
            comments: values.bool("comments"),
            update: word!(values, "update", Update),
            log: word!(values, "log", LogLevel),
            log_keep: values.duration("logKeep"),
        }
    }

    fn consent(&mut self, node: &Node<'_>) -> Consent {
        let version = self.values(node, "consent").int("version");
        let mut texts = Vec::new();
        for child in &node.children {
            if let Some(kind) = ConsentKind::from_word(child.name) {
                let lang = self.values(child, "text").get("lang", |_, text| value::lang(text));
                texts.push(ConsentText { kind, lang, text: child.text.trim().to_owned(), at: child.at });
            }
        }
        Consent { version, texts, at: node.at }
    }

    fn user_attribute(&mut self, node: &Node<'_>) -> UserAttribute {
        let mut values = self.values(node, "attribute");
        let column = values.column("column").unwrap_or(ColumnId::Custom1);
        let required = values.bool("required");
        let choices = values.maybe("choices", |_, text| value::choices(text)).unwrap_or_default();
        let labels = children(Some(node), "label")
            .map(|node| Label {
                lang: self.values(node, "label").get("lang", |_, text| value::lang(text)),
                text: node.text.trim().to_owned(),
            })
            .collect();
        UserAttribute { column, required, choices, labels, at: node.at }
    }

    /// The schedules of the file; without one, the window that the vocabulary gives as default.
    fn schedules(&mut self, root: &Node<'_>) -> Vec<Schedule> {
        let schedules: Vec<Schedule> = children(Some(root), "schedule").map(|node| self.schedule(node)).collect();
        if schedules.is_empty() { vec![self.default_schedule()] } else { schedules }
    }

    fn default_schedule(&mut self) -> Schedule {
        let zone = self.values(&NOTHING, "schedule").get("zone", |_, text| value::zone(text));
        Schedule { zone, windows: vec![self.window(&NOTHING)], at: At::default() }
    }

    fn schedule(&mut self, node: &Node<'_>) -> Schedule {
        let zone = self.values(node, "schedule").get("zone", |_, text| value::zone(text));
        Schedule { zone, windows: children(Some(node), "window").map(|node| self.window(node)).collect(), at: node.at }
    }

    fn window(&mut self, node: &Node<'_>) -> Window {
        let mut values = self.values(node, "window");
        Window {
            days: values.get("days", |_, text| value::days(text)),
            from_min: values.get("from", |_, text| value::clock(text)),
            to_min: values.get("to", |_, text| value::clock(text)),
            at: node.at,
        }
    }

    fn pause(&mut self, node: &Node<'_>) -> Pause {
        let mut values = self.values(node, "pause");
        Pause {
            choices: values.get("choices", value::durations),
            until_resume: values.bool("untilResume"),
            hotkey: values.get("hotkey", |_, text| value::keys(text)),
            remind: values.duration("remind"),
        }
    }

    fn allow(&mut self, node: &Node<'_>) -> Allow {
        let apps: Vec<App> = children(Some(node), "app").map(|node| self.app(node)).collect();
        let never: Vec<Never> = children(Some(node), "never").filter_map(|node| self.never(node)).collect();
        self.too_many(Some(node), "applications", apps.len(), APPLICATIONS_MAX);
        self.too_many(Some(node), "patterns of the never list", never.len(), APPLICATIONS_MAX);
        self.too_many(Some(node), "sites", apps.iter().map(|app| app.sites.len()).sum(), SITES_MAX);
        Allow { apps, never }
    }

    fn app(&mut self, node: &Node<'_>) -> App {
        let mut values = self.values(node, "app");
        let (processes, app_ids) = (values.names("process"), values.names("appId"));
        let path = values.maybe("path", |_, text| value::glob(text));
        let names_something =
            |name: &str| node.attributes.iter().any(|given| given.name == name && !given.value.trim().is_empty());
        if !names_something("process") && !names_something("appId") {
            self.error(node.at, "conflict", "<app> needs a name in \"process\" or \"appId\"".into(), None);
        }
        let sites = children(Some(node), "site").map(|node| self.site(node)).collect();
        App { processes, app_ids, path, sites, at: node.at }
    }

    fn site(&mut self, node: &Node<'_>) -> Site {
        let mut values = self.values(node, "site");
        Site {
            host: values.get("host", |_, text| value::host(text)),
            path: values.get("path", |_, text| value::path_glob(text)),
            at: node.at,
        }
    }

    fn never(&mut self, node: &Node<'_>) -> Option<Never> {
        let mut values = self.values(node, "never");
        let column = values.column("column");
        let glob = values.maybe("glob", |_, text| value::glob(text));
        let regex = values.maybe("regex", |_, text| value::regex(text));
        let given = |name: &str| node.attributes.iter().any(|given| given.name == name);
        if given("glob") == given("regex") {
            self.error(node.at, "conflict", "<never> needs either \"glob\" or \"regex\"".into(), None);
        }
        let pattern = glob.map(NeverPattern::Glob).or(regex.map(NeverPattern::Regex))?;
        Some(Never { column: column?, pattern, at: node.at })
    }

    fn capture(&mut self, node: &Node<'_>) -> Capture {
        let mut values = self.values(node, "capture");
        Capture {
            snippet_split: values.duration("snippetSplit"),
            idle_after: values.duration("idleAfter"),
            alive: values.duration("alive"),
            input: word!(values, "input", Input),
            injected: values.bool("injected"),
            elements: values.bool("elements"),
            element_timeout: values.duration("elementTimeout"),
            elements_never: values.names("elementsNever"),
            hover_lookup: values.bool("hoverLookup"),
            native_url: values.bool("nativeUrl"),
            clipboard: values.bool("clipboard"),
            name_max: values.int("nameMax"),
        }
    }

    fn screenshots(&mut self, node: &Node<'_>) -> Screenshots {
        let mut values = self.values(node, "screenshots");
        Screenshots {
            enabled: values.bool("enabled"),
            min_gap: values.duration("minGap"),
            settle: values.duration("settle"),
            max_per_hour: values.int("maxPerHour"),
            max_side: values.int("maxSide"),
            mask_text: word!(values, "maskText", MaskText),
        }
    }

    fn extension(&mut self, node: &Node<'_>) -> Extension {
        let mut values = self.values(node, "extension");
        Extension {
            enabled: values.bool("enabled"),
            required: values.bool("required"),
            value_length: word!(values, "valueLength", ValueLength),
            row_labels: values.bool("rowLabels"),
            test_ids: values.names("testIds"),
        }
    }

    fn rules(&mut self, node: Option<&Node<'_>>) -> Vec<Rule> {
        let rules: Vec<Rule> =
            children(node, "rule").map(|node| self.within(node, "rule", |builder| builder.rule(node))).collect();
        self.too_many(node, "rules", rules.len(), RULES_MAX);
        rules
    }

    fn rule(&mut self, node: &Node<'_>) -> Rule {
        let mut values = self.values(node, "rule");
        let (name, description) = (values.text("name"), values.text("description"));
        let mut values = self.values(child(node, "on").unwrap_or(&NOTHING), "on");
        let on = On {
            events: values.get("events", |_, text| value::events(text)),
            except: values.get("except", |_, text| value::events(text)),
        };
        let when = child(node, "when").and_then(|node| node.children.first()).and_then(|node| self.condition(node));
        Rule { name, description, on, when, action: self.action(node), at: node.at }
    }

    /// A condition; nothing if it is no known one, which was told before.
    fn condition(&mut self, node: &Node<'_>) -> Option<Condition> {
        let below =
            |builder: &mut Self| node.children.iter().filter_map(|node| builder.condition(node)).collect::<Vec<_>>();
        match node.name {
            "all" => Some(Condition::All(below(self))),
            "any" => Some(Condition::Any(below(self))),
            "not" => below(self).pop().map(|condition| Condition::Not(Box::new(condition))),
            "present" => Some(Condition::Present(self.values(node, "present").column("column")?, node.at)),
            "regex" => {
                let mut values = self.values(node, "regex");
                let column = values.column("column");
                let regex = values.get("value", |_, text| value::regex(text));
                Some(Condition::Compare(Comparison {
                    column: column?,
                    comparator: Comparator::Regex,
                    values: vec![regex],
                    exact_case: true,
                    at: node.at,
                }))
            }
            name => {
                let (comparator, id) = Comparator::ALL.into_iter().find(|(_, element)| *element == name)?;
                self.comparison(node, comparator, id).map(Condition::Compare)
            }
        }
    }

    fn comparison(&mut self, node: &Node<'_>, comparator: Comparator, id: &'static str) -> Option<Comparison> {
        let mut values = self.values(node, id);
        let column = values.column("column");
        let is_glob = comparator == Comparator::Glob;
        let one = values.maybe("value", |kind, text| if is_glob { value::glob(text) } else { value::text(kind, text) });
        let many = values.maybe("values", |_, text| {
            let values = value::values(text)?;
            if is_glob { values.iter().map(|each| value::glob(each)).collect() } else { Ok(values) }
        });
        let case = word!(values, "case", Case);
        let given = |name: &str| node.attributes.iter().any(|given| given.name == name);
        if given("value") == given("values") {
            self.error(node.at, "conflict", format!("<{id}> needs either \"value\" or \"values\""), None);
        }
        let values = many.or(one.map(|one| vec![one]))?;
        Some(Comparison { column: column?, comparator, values, exact_case: case == Case::Exact, at: node.at })
    }

    fn action(&mut self, node: &Node<'_>) -> Action {
        let Some(node) = child(node, "log") else { return Action::Drop };
        let mut values = self.values(node, "log");
        let (columns, omit, hash) = (values.selection("columns"), values.selection("omit"), values.selection("hash"));
        let screenshot = word!(values, "screenshot", Scope);
        let replace = children(Some(node), "replace")
            .map(|node| {
                let mut values = self.values(node, "replace");
                Replace { columns: values.selection("columns"), with: values.text("with") }
            })
            .collect();
        Action::Log(Log { columns, omit, hash, screenshot, replace, at: node.at })
    }

    fn redaction(&mut self, node: Option<&Node<'_>>) -> Redaction {
        let builtins = children(node, "builtin")
            .map(|node| {
                let mut values = self.values(node, "builtin");
                let patterns = values.get("patterns", |_, text| {
                    value::word_list(text, BuiltinPattern::from_word, BuiltinPattern::WORDS)
                });
                Builtin { patterns, columns: values.maybe_selection("columns") }
            })
            .collect();
        let patterns: Vec<Pattern> = children(node, "pattern")
            .map(|node| self.within(node, "pattern", |builder| builder.pattern(node)))
            .collect();
        self.too_many(node, "patterns", patterns.len(), PATTERNS_MAX);
        Redaction { builtins, patterns }
    }

    fn pattern(&mut self, node: &Node<'_>) -> Pattern {
        let mut values = self.values(node, "pattern");
        Pattern {
            name: values.text("name"),
            mode: word!(values, "mode", Mode),
            columns: values.maybe_selection("columns"),
            regex: values.get("regex", |_, text| value::regex(text)),
            description: values.text("description"),
            at: node.at,
        }
    }

    fn storage(&mut self, node: &Node<'_>) -> Storage {
        let mut values = self.values(node, "storage");
        Storage {
            events_bytes: values.size("events"),
            screenshots_bytes: values.size("screenshots"),
            keep_free_bytes: values.size("keepFree"),
            keep_free_percent: values.int("keepFreePercent"),
            keep_sent: values.duration("keepSent"),
        }
    }

    fn upload(&mut self, node: &Node<'_>) -> Upload {
        let mut values = self.values(node, "upload");
        Upload {
            enabled: values.bool("enabled"),
            every: values.duration("every"),
            hold: values.duration("hold"),
            batch_events: values.int("batchEvents"),
            max_rate_kib_s: values.int("maxRate"),
            heartbeat: values.duration("heartbeat"),
        }
    }

    fn tests(&mut self, node: Option<&Node<'_>>) -> Vec<Test> {
        let tests: Vec<Test> =
            children(node, "test").map(|node| self.within(node, "test", |builder| builder.test(node))).collect();
        self.too_many(node, "tests", tests.len(), TESTS_MAX);
        tests
    }

    fn test(&mut self, node: &Node<'_>) -> Test {
        let mut values = self.values(node, "test");
        let name = values.text("name");
        let expect = word!(values, "expect", Expect);
        let rule = values.maybe("rule", value::text);
        let screenshot = values.maybe("screenshot", |_, text| value::word(text, Scope::from_word, Scope::WORDS));
        let event = child(node, "event").unwrap_or(&NOTHING);
        Test {
            name,
            expect,
            rule,
            screenshot,
            event_type: self.event_type(event),
            columns: self.cells(event),
            result: self.lefts(child(node, "result").unwrap_or(&NOTHING)),
            at: node.at,
        }
    }

    fn event_type(&mut self, event: &Node<'_>) -> EventType {
        let Some(given) = event.attributes.iter().find(|given| given.name == EVENT_TYPE) else {
            return EventType::default();
        };
        EventType::from_name(&given.value).unwrap_or_else(|| {
            self.fault(given, value::unknown_event(&given.value));
            EventType::default()
        })
    }

    fn cells(&mut self, event: &Node<'_>) -> Vec<(ColumnId, Cell)> {
        let mut cells = Vec::new();
        for given in &event.attributes {
            let Some(column) = column_of_test(vocabulary::element("event"), given.name) else { continue };
            let cell = if given.value == "?" { Cell::Unknown } else { Cell::Value(given.value.clone()) };
            if let Cell::Value(text) = &cell
                && !super::cell::fits(column, text)
            {
                self.fault(given, Fault::invalid(format!("\"{text}\" is no value of this column")));
            }
            cells.push((column, cell));
        }
        cells
    }

    fn lefts(&mut self, result: &Node<'_>) -> Vec<(ColumnId, Left)> {
        let column = |given: &Given<'_>| column_of_test(vocabulary::element("result"), given.name);
        let left = |text: &str| match text {
            "#null" => Left::Nothing,
            "#hash" => Left::Hash,
            _ => Left::Value(text.to_owned()),
        };
        result.attributes.iter().filter_map(|given| Some((column(given)?, left(&given.value)))).collect()
    }
}
