//! How values travel inside a task: which step's value is made of which earlier ones, and by what rule.
//!
//! ```text
//! copy C2  11/03/1986  ──replace / by -──▶  date field  11-03-1986     50 of 50 held-back instances
//! copy A2  John    ┐
//! copy B2  Doe     ┴──join with " "────▶  name field  John Doe
//! copy D2  1011       ──look up─────────▶  town field  Amsterdam       what was written before wherever 1011 was read
//! ```
//! For each step that writes a value, small programs over the values of earlier steps are tried on every other instance;
//! the one that explains most of these is kept, and its hit rate is counted on the instances it has not seen. The search
//! is by enumeration in the order of size (after FlashFill, Gulwani, POPL 2011; the language here is much smaller, so that
//! what it says can be read).
//!
//! Where no program is always right, a functional dependency is looked for: an earlier value of the instance, read or
//! written, that always goes with the same written value. It becomes a table, a [`Program::Lookup`].

use std::collections::{BTreeMap, BTreeSet};

use crate::discover::Discovery;
use crate::log::{Field, UiLog};

/// Instances of a task that are looked at, at most; they are spread evenly.
const INSTANCES_MAX: usize = 200;

/// Steps with values in one instance that are looked at, at most.
const STEPS_MAX: usize = 100;

/// A step must have a value in so many instances to be explained, and to be a source.
const INSTANCES_MIN: usize = 6;

/// Share of the instances learned from that a program must explain.
const HITS_MIN: f64 = 0.5;

/// A value longer than this is not looked into, in bytes.
const VALUE_BYTES_MAX: usize = 500;

/// A value longer than this is a text rather than something to look up or to be looked up, in bytes.
const LOOKUP_BYTES_MAX: usize = 100;

/// Share of the times that a value was seen in which the same value must be written for it to be in a table.
const LOOKUP_AGREEMENT_MIN: f64 = 0.9;

/// How likely it may be at most that a table agrees so often although what is written does not depend on what was before.
const LOOKUP_CHANCE_MAX: f64 = 0.01;

/// What a person did to a value between reading and writing it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// White space around it taken off.
    Trim,
    /// All letters large.
    UpperCase,
    /// All letters small.
    LowerCase,
    /// The part with this number, from 0, between separators.
    Part(&'static str, usize),
    /// The last part but so many.
    PartFromEnd(&'static str, usize),
    /// Everything after the first separator.
    AfterFirst(&'static str),
    /// Every occurrence of one text replaced by another.
    Replace(&'static str, &'static str),
    /// Digits alone.
    Digits,
}

impl Operation {
    /// The value after the operation; none if it does not apply.
    pub fn apply(&self, value: &str) -> Option<String> {
        let text = match self {
            Operation::Trim => value.trim().to_owned(),
            Operation::UpperCase => value.to_uppercase(),
            Operation::LowerCase => value.to_lowercase(),
            Operation::Part(separator, at) => value.split(separator).nth(*at)?.to_owned(),
            Operation::PartFromEnd(separator, at) => value.rsplit(separator).nth(*at)?.to_owned(),
            Operation::AfterFirst(separator) => value.split_once(separator)?.1.to_owned(),
            Operation::Replace(from, to) => value.replace(from, to),
            Operation::Digits => value.chars().filter(char::is_ascii_digit).collect(),
        };
        (text != value && !text.is_empty()).then_some(text)
    }

    /// What is done to a value, in words that follow it.
    fn told(&self) -> String {
        match self {
            Operation::Trim => "without the spaces around it".to_owned(),
            Operation::UpperCase => "in capital letters".to_owned(),
            Operation::LowerCase => "in small letters".to_owned(),
            Operation::Part(separator, at) => format!("part {} between {separator:?}", at + 1),
            Operation::PartFromEnd(separator, 0) => format!("the last part between {separator:?}"),
            Operation::PartFromEnd(separator, at) => format!("part {} from the end between {separator:?}", at + 1),
            Operation::AfterFirst(separator) => format!("what follows the first {separator:?}"),
            Operation::Replace(from, "") => format!("without {from:?}"),
            Operation::Replace(from, to) => format!("with {to:?} for {from:?}"),
            Operation::Digits => "its digits".to_owned(),
        }
    }

    /// The same as a JavaScript method on a string.
    fn script(&self) -> String {
        match self {
            Operation::Trim => ".trim()".to_owned(),
            Operation::UpperCase => ".toUpperCase()".to_owned(),
            Operation::LowerCase => ".toLowerCase()".to_owned(),
            Operation::Part(separator, at) => format!(".split({separator:?})[{at}]"),
            Operation::PartFromEnd(separator, at) => format!(".split({separator:?}).at(-{})", at + 1),
            Operation::AfterFirst(separator) => format!(".split({separator:?}).slice(1).join({separator:?})"),
            Operation::Replace(from, to) => format!(".replaceAll({from:?}, {to:?})"),
            Operation::Digits => ".replace(/[^0-9]/g, \"\")".to_owned(),
        }
    }

    fn all() -> Vec<Operation> {
        const SEPARATORS: [&str; 9] = [" ", ", ", ",", "-", "/", "@", ".", "\t", ":"];
        const REPLACED: [&str; 6] = [" ", "-", "/", ".", ",", "\t"];
        const REPLACING: [&str; 7] = ["", " ", "-", "/", ".", ",", ", "];
        let mut all = vec![Operation::Trim, Operation::UpperCase, Operation::LowerCase, Operation::Digits];
        for separator in SEPARATORS {
            all.push(Operation::AfterFirst(separator));
            all.extend((0..4).map(|at| Operation::Part(separator, at)));
            all.extend((0..3).map(|at| Operation::PartFromEnd(separator, at)));
        }
        for from in REPLACED {
            all.extend(REPLACING.iter().filter(|to| **to != from).map(|to| Operation::Replace(from, to)));
        }
        all
    }
}

/// How a value is made of earlier ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Program {
    /// The same value whatever the record.
    Constant(String),
    /// The value of a step, after some operations.
    Transform(u32, Vec<Operation>),
    /// The values of two steps with a text between.
    Join(u32, &'static str, u32),
    /// What goes with the value of a step, by a table.
    Lookup(u32, BTreeMap<String, Entry>),
}

/// What a table says of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What is written.
    pub value: String,
    /// How many people wrote it so, among the instances learned from.
    pub people: usize,
}

impl Program {
    /// The activities whose values it reads.
    pub fn sources(&self) -> Vec<u32> {
        match self {
            Program::Constant(_) => Vec::new(),
            Program::Transform(from, _) | Program::Lookup(from, _) => vec![*from],
            Program::Join(left, _, right) => vec![*left, *right],
        }
    }

    /// The program as it may be shown where nothing is said of fewer people than so many: a table without their lines.
    pub fn of_people(mut self, people_min: usize) -> Program {
        if let Program::Lookup(_, table) = &mut self {
            table.retain(|_, entry| entry.people >= people_min);
        }
        self
    }

    /// What it does, in words; `name` names an activity. A table is told without its lines.
    ///
    /// ```
    /// # use discovery::dataflow::{Operation, Program};
    /// let program = Program::Transform(0, vec![Operation::Replace("/", "-")]);
    /// assert_eq!(program.told(&|_| "Copy column C".into()), "the value of “Copy column C”, with \"-\" for \"/\"");
    /// ```
    pub fn told(&self, name: &dyn Fn(u32) -> String) -> String {
        match self {
            Program::Constant(value) => format!("always {value:?}"),
            Program::Transform(from, operations) => {
                let words: String = operations.iter().map(|operation| format!(", {}", operation.told())).collect();
                format!("the value of “{}”{words}", name(*from))
            }
            Program::Join(left, between, right) => {
                format!("the values of “{}” and “{}” with {between:?} between them", name(*left), name(*right))
            }
            Program::Lookup(from, _) => {
                format!("looked up by the value of “{}”, with which it always goes", name(*from))
            }
        }
    }

    /// The same as a JavaScript expression over strings; `variable` names the value of an activity. What is not in a table
    /// gives `undefined`.
    pub fn script(&self, variable: &dyn Fn(u32) -> String) -> String {
        match self {
            Program::Constant(value) => format!("{value:?}"),
            Program::Transform(from, operations) => {
                variable(*from) + &operations.iter().map(Operation::script).collect::<String>()
            }
            Program::Join(left, between, right) => {
                format!("{} + {between:?} + {}", variable(*left), variable(*right))
            }
            Program::Lookup(from, table) => {
                let lines: Vec<String> =
                    table.iter().map(|(value, entry)| format!("[{value:?}, {:?}]", entry.value)).collect();
                format!("new Map([{}]).get({})", lines.join(", "), variable(*from))
            }
        }
    }

    /// The value it gives, from the last value of each activity before; none if one that it reads is not there.
    pub fn run(&self, values: &BTreeMap<u32, &str>) -> Option<String> {
        match self {
            Program::Constant(value) => Some(value.clone()),
            Program::Transform(from, operations) => {
                operations.iter().try_fold((*values.get(from)?).to_owned(), |value, operation| operation.apply(&value))
            }
            Program::Join(left, between, right) => {
                Some(format!("{}{between}{}", values.get(left)?, values.get(right)?))
            }
            Program::Lookup(from, table) => Some(table.get(*values.get(from)?)?.value.clone()),
        }
    }
}

/// A step whose value is explained.
#[derive(Debug, Clone, PartialEq)]
pub struct Transfer {
    /// The activity that writes the value.
    pub to: u32,
    /// How it is made.
    pub program: Program,
    /// Instances that the program was not learned from and in which the activity has a value.
    pub held_back: usize,
    /// Share of these in which the program gives the value.
    pub hit_rate: f64,
}

/// Explains the values that a task type writes.
///
/// Shape: at most one transfer per activity, in the order of activities. A step that copies explains others and is not
/// explained itself; one that writes explains others by a table only. Fingerprints instead of texts are explained only as
/// far as they are equal.
pub fn transfers(log: &UiLog, discovery: &Discovery, task_type: u32) -> Vec<Transfer> {
    let is_of_type = |row: &usize| discovery.label(*row).is_some_and(|label| label.task_type == task_type);
    transfers_in(log, discovery, (0..log.rows()).filter(is_of_type))
}

/// The same for a type whose rows are known.
pub(crate) fn transfers_in(log: &UiLog, discovery: &Discovery, rows: impl Iterator<Item = usize>) -> Vec<Transfer> {
    let instances = written(log, discovery, rows);
    let (learned, held_back) = (examples(instances.iter().step_by(2)), examples(instances.iter().skip(1).step_by(2)));
    let explain = |(&to, examples): (&u32, &Vec<Example>)| {
        let held_back = held_back.get(&to)?;
        (examples.len() + held_back.len() >= INSTANCES_MIN).then_some(())?;
        let program = best_program(examples);
        let sure = program.as_ref().map_or(0, |program| hits(program, examples));
        let program = dependency(examples, sure).or(program)?;
        let hit_rate = hits(&program, held_back) as f64 / held_back.len() as f64;
        Some(Transfer { to, program, held_back: held_back.len(), hit_rate })
    };
    learned.iter().filter_map(explain).collect()
}

/// A step with a value: its activity, the value, and whether it only reads.
type Step<'a> = (u32, &'a str, bool);

/// The steps with values of one instance, and who did them.
struct Written<'a> {
    user: u32,
    steps: Vec<Step<'a>>,
}

/// A value that was written, by whom, and the last value of each other activity before it in the instance.
struct Example<'a> {
    value: &'a str,
    user: u32,
    before: BTreeMap<u32, &'a str>,
    /// Those of the activities before that only read.
    read: BTreeSet<u32>,
}

/// The steps with values of a sample of a task's instances, in order.
fn written<'a>(log: &'a UiLog, discovery: &Discovery, rows: impl Iterator<Item = usize>) -> Vec<Written<'a>> {
    let mut instances = BTreeMap::<u32, Written>::new();
    for row in rows {
        let Some(label) = discovery.label(row) else { continue };
        let value = log.text(row, Field::Value);
        let user = log.users().code(row);
        let steps = &mut instances.entry(label.instance).or_insert(Written { user, steps: Vec::new() }).steps;
        if !value.is_empty() && value.len() <= VALUE_BYTES_MAX && steps.len() < STEPS_MAX {
            steps.push((discovery.activity(row), value, reads(log.text(row, Field::EventType))));
        }
    }
    let every = instances.len().div_ceil(INSTANCES_MAX).max(1);
    instances.into_values().step_by(every).collect()
}

/// Whether an event of this type takes a value and writes none.
pub(crate) fn reads(event_type: &str) -> bool {
    let word = event_type.to_ascii_lowercase();
    word.starts_with("copy") || word.starts_with("cut")
}

/// What was written in some instances, by activity.
fn examples<'a, 'b>(instances: impl Iterator<Item = &'b Written<'a>>) -> BTreeMap<u32, Vec<Example<'a>>>
where
    'a: 'b,
{
    let mut examples = BTreeMap::new();
    instances.for_each(|instance| collect(instance, &mut examples));
    examples
}

/// The last value of each activity in an instance, with what was there before it.
fn collect<'a>(instance: &Written<'a>, examples: &mut BTreeMap<u32, Vec<Example<'a>>>) {
    let steps = &instance.steps;
    let last: BTreeMap<u32, usize> = steps.iter().enumerate().map(|(at, step)| (step.0, at)).collect();
    let (mut before, mut read) = (BTreeMap::new(), BTreeSet::new());
    for (at, &(activity, value, is_read)) in steps.iter().enumerate() {
        if is_read {
            read.insert(activity);
        } else if last[&activity] == at {
            let mut before = before.clone();
            before.remove(&activity);
            let example = Example { value, user: instance.user, before, read: read.clone() };
            examples.entry(activity).or_default().push(example);
        }
        before.insert(activity, value);
    }
}

fn hits(program: &Program, examples: &[Example]) -> usize {
    examples.iter().filter(|example| program.run(&example.before).as_deref() == Some(example.value)).count()
}

/// The smallest program that explains most examples; none if even the best explains few.
fn best_program(examples: &[Example]) -> Option<Program> {
    let enough = |program: &Program| hits(program, examples) as f64 >= HITS_MIN * examples.len() as f64;
    let sources: Vec<u32> = examples.first()?.read.iter().copied().collect();
    let sizes: [&dyn Fn() -> Vec<Program>; 4] = [
        &|| sources.iter().map(|&from| Program::Transform(from, Vec::new())).collect(),
        &|| vec![Program::Constant(examples[0].value.to_owned())],
        &|| single(&sources),
        &|| joins(&sources).into_iter().chain(double(&sources, examples)).collect(),
    ];
    sizes.iter().find_map(|programs| {
        let counted = programs().into_iter().filter(enough).map(|program| (hits(&program, examples), program));
        counted.reduce(|best, next| if next.0 > best.0 { next } else { best }).map(|best| best.1)
    })
}

/// The table that explains more examples than `sure`, and most of them; none if there is none, or if what it says may well
/// be chance.
///
/// A table knows every example that it is made of. What counts is therefore how often another example with the same value
/// says the same. If what is written did not depend on what was before, two examples would agree with the chance that two
/// written values are equal; as many agreements as there are must be less likely than [`LOOKUP_CHANCE_MAX`], over all
/// activities tried.
fn dependency(examples: &[Example], sure: usize) -> Option<Program> {
    if sure == examples.len() {
        return None;
    }
    let sources: BTreeSet<u32> = examples.iter().flat_map(|example| example.before.keys().copied()).collect();
    let chance_max = LOOKUP_CHANCE_MAX / sources.len().max(1) as f64;
    let enough = (HITS_MIN * examples.len() as f64).max(sure as f64 + 1.0);
    let tables = sources.into_iter().map(|from| (from, Table::of(examples, from)));
    let good = tables.filter(|(_, table)| table.agreeing as f64 >= enough && table.is_no_chance(examples, chance_max));
    let (from, table) = good.reduce(|best, next| if next.1.agreeing > best.1.agreeing { next } else { best })?;
    Some(Program::Lookup(from, table.entries))
}

/// What is written by the value of one activity.
#[derive(Debug, Default)]
struct Table {
    entries: BTreeMap<String, Entry>,
    /// Examples of which another one with the same value before says the same.
    agreeing: usize,
    /// Examples of which others with the same value before say something else.
    contradicted: usize,
    /// Examples that agree with one before them.
    repeats: usize,
}

impl Table {
    fn of(examples: &[Example], from: u32) -> Table {
        let mut groups = BTreeMap::<&str, BTreeMap<&str, Vec<u32>>>::new();
        for example in examples {
            let Some(&before) = example.before.get(&from) else { continue };
            if [before, example.value].iter().all(|value| value.len() <= LOOKUP_BYTES_MAX && !is_fingerprint(value)) {
                groups.entry(before).or_default().entry(example.value).or_default().push(example.user);
            }
        }
        let mut table = Table::default();
        groups.iter().for_each(|(before, written)| table.add(before, written));
        table
    }

    /// Takes up what was written, and by whom, where a value was before.
    fn add(&mut self, before: &str, written: &BTreeMap<&str, Vec<u32>>) {
        let seen: usize = written.values().map(Vec::len).sum();
        let Some((value, users)) = written.iter().rev().max_by_key(|(_, users)| users.len()) else { return };
        if (users.len() as f64) < LOOKUP_AGREEMENT_MIN * seen as f64 {
            self.contradicted += seen;
            return;
        }
        self.contradicted += seen - users.len();
        self.repeats += users.len() - 1;
        self.agreeing += if users.len() > 1 { users.len() } else { 0 };
        let people = users.iter().collect::<BTreeSet<_>>().len();
        self.entries.insert(before.to_owned(), Entry { value: (*value).to_owned(), people });
    }

    fn is_no_chance(&self, examples: &[Example], chance_max: f64) -> bool {
        let mut counts = BTreeMap::<&str, usize>::new();
        examples.iter().for_each(|example| *counts.entry(example.value).or_insert(0) += 1);
        let equal: f64 = counts.values().map(|&count| (count as f64 / examples.len() as f64).powi(2)).sum();
        let agree = self.agreeing as f64 >= LOOKUP_AGREEMENT_MIN * (self.agreeing + self.contradicted) as f64;
        agree && equal.powf(self.repeats as f64) <= chance_max
    }
}

/// Whether a value is a fingerprint in place of a text: a table of these would say nothing.
fn is_fingerprint(value: &str) -> bool {
    value.len() == 32 && value.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn single(sources: &[u32]) -> Vec<Program> {
    let of = |&from: &u32| Operation::all().into_iter().map(move |operation| Program::Transform(from, vec![operation]));
    sources.iter().flat_map(of).collect()
}

/// Two operations, of which those are kept that explain one of the first examples: trying all on all is slow.
fn double(sources: &[u32], examples: &[Example]) -> Vec<Program> {
    const FIRST: usize = 3;
    let mut programs = Vec::new();
    for &from in sources {
        for example in examples.iter().take(FIRST) {
            let Some(&value) = example.before.get(&from) else { continue };
            for first in Operation::all() {
                let Some(middle) = first.apply(value) else { continue };
                let second =
                    Operation::all().into_iter().filter(|then| then.apply(&middle).as_deref() == Some(example.value));
                programs.extend(second.map(|then| Program::Transform(from, vec![first.clone(), then])));
            }
        }
    }
    programs
}

fn joins(sources: &[u32]) -> Vec<Program> {
    const BETWEEN: [&str; 6] = [" ", "", ", ", "-", "/", "_"];
    let pairs = sources.iter().flat_map(|&left| sources.iter().map(move |&right| (left, right)));
    let apart = pairs.filter(|(left, right)| left != right);
    apart.flat_map(|(left, right)| BETWEEN.map(|between| Program::Join(left, between, right))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discover::{Settings, discover};
    use crate::log::{LogRow, UiLogBuilder};

    /// Transfers of a task done twenty times: the steps of each instance come from a record's number.
    fn explained(steps: impl Fn(usize) -> Vec<(&'static str, String)>) -> Vec<Transfer> {
        explained_in(20, steps)
    }

    fn explained_in(records: usize, steps: impl Fn(usize) -> Vec<(&'static str, String)>) -> Vec<Transfer> {
        let mut builder = UiLogBuilder::default();
        for record in 0..records {
            for (step, value) in steps(record) {
                let (word, element) = step.split_once(' ').unwrap();
                let fields = [(Field::EventType, word), (Field::Element, element), (Field::Value, value.as_str())];
                builder.push(LogRow { user: "u1", time_us: None, fields: &fields });
            }
        }
        let log = builder.finish();
        let discovery = discover(&log, &Settings::default());
        transfers(&log, &discovery, 0)
    }

    #[test]
    fn a_date_written_another_way_is_a_replacement() {
        let transfers = explained(|record| {
            vec![("copy cell", format!("{record}/03/1986")), ("edit date", format!("{record}-03-1986"))]
        });
        assert_eq!(transfers.len(), 1);
        assert_eq!(transfers[0].program, Program::Transform(0, vec![Operation::Replace("/", "-")]));
        assert_eq!((transfers[0].held_back, transfers[0].hit_rate), (10, 1.0));
    }

    #[test]
    fn a_program_is_told_in_words_and_as_a_script() {
        let program = Program::Transform(3, vec![Operation::Part(" ", 1), Operation::UpperCase]);
        assert_eq!(
            program.told(&|of| format!("Copy {of}")),
            "the value of “Copy 3”, part 2 between \" \", in capital letters"
        );
        assert_eq!(program.script(&|of| format!("value{of}")), "value3.split(\" \")[1].toUpperCase()");
        assert_eq!(Program::Join(1, " ", 2).script(&|of| format!("value{of}")), "value1 + \" \" + value2");
        assert_eq!(Program::Constant("a\"b".into()).script(&|_| String::new()), "\"a\\\"b\"");
    }

    #[test]
    fn two_values_in_one_field_are_joined() {
        let transfers = explained(|record| {
            vec![
                ("copy first", format!("Ann{record}")),
                ("copy last", format!("Lee{record}")),
                ("edit name", format!("Ann{record} Lee{record}")),
            ]
        });
        assert_eq!(transfers[0].program, Program::Join(0, " ", 1));
    }

    #[test]
    fn a_rule_with_exceptions_says_how_often_it_holds() {
        let transfers = explained(|record| {
            let copied = format!("value{record}");
            let written = if record % 5 == 3 { "by hand".into() } else { copied.clone() };
            vec![("copy cell", copied), ("edit field", written)]
        });
        assert_eq!(transfers[0].program, Program::Transform(0, Vec::new()));
        assert_eq!(transfers[0].hit_rate, 0.8);
    }

    /// Postcodes in the order of records, each in both halves of the instances.
    const TOWNS: [(&str, &str); 3] = [("1011", "Amsterdam"), ("3511", "Utrecht"), ("2511", "Den Haag")];

    fn town_of(record: usize) -> (&'static str, &'static str) {
        TOWNS[record / 2 % TOWNS.len()]
    }

    fn table() -> Program {
        let line = |(code, town): (&str, &str)| (code.to_owned(), Entry { value: town.to_owned(), people: 1 });
        Program::Lookup(0, TOWNS.map(line).into())
    }

    #[test]
    fn what_always_goes_with_a_value_is_looked_up_by_it() {
        let transfers = explained(|record| {
            let (code, town) = town_of(record);
            vec![("copy code", code.into()), ("copy name", format!("Ann{record}")), ("edit town", town.into())]
        });
        assert_eq!(transfers.len(), 1);
        assert_eq!((&transfers[0].program, transfers[0].hit_rate), (&table(), 1.0));
    }

    #[test]
    fn a_value_that_was_typed_before_can_be_looked_up_too() {
        let transfers = explained(|record| {
            let (code, town) = town_of(record);
            vec![("edit code", code.into()), ("edit town", town.into())]
        });
        assert_eq!(transfers.iter().map(|transfer| &transfer.program).collect::<Vec<_>>(), [&table()]);
    }

    #[test]
    fn a_table_stands_the_instances_that_were_held_back_or_says_so() {
        let transfers = explained(|record| {
            let (code, town) = town_of(record);
            vec![("copy code", code.into()), ("edit town", if record % 2 == 0 { town } else { "Leiden" }.into())]
        });
        assert_eq!((&transfers[0].program, transfers[0].hit_rate), (&table(), 0.0));
    }

    #[test]
    fn what_agrees_by_chance_is_no_table() {
        let states = |code_of: fn(usize) -> usize, state_of: fn(usize) -> usize| {
            let transfers = explained(|record| {
                let state = ["open", "shut"][state_of(record) % 2];
                vec![("copy code", format!("c{}", code_of(record))), ("edit state", state.into())]
            });
            transfers.iter().any(|transfer| matches!(transfer.program, Program::Lookup(..)))
        };
        // Each code comes twice and always with the same state; five agreements of two states may be luck, eight are not.
        assert!(!states(|record| record / 4, |record| record / 4));
        assert!(states(|record| record / 2 % 2, |record| record / 2));
        // The same code goes with one state as often as with the other.
        assert!(!states(|record| record / 2 % 3, |record| record / 6));
    }

    #[test]
    fn a_value_that_goes_with_two_others_is_not_in_the_table() {
        let transfers = explained_in(60, |record| {
            let code = record / 2 % 10;
            let town = if code == 0 { record / 20 % 2 } else { 2 + code % 5 };
            vec![("copy code", format!("c{code}")), ("edit town", format!("town {town}"))]
        });
        let Program::Lookup(_, table) = &transfers[0].program else { panic!("{transfers:?}") };
        assert_eq!(table.keys().collect::<Vec<_>>(), ["c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8", "c9"]);
        assert_eq!(transfers[0].hit_rate, 0.9);
    }

    #[test]
    fn a_rule_is_preferred_to_a_table_that_knows_no_more() {
        let transfers = explained(|record| {
            let (_, town) = town_of(record);
            vec![("copy town", town.into()), ("edit town", town.to_uppercase())]
        });
        assert_eq!(transfers[0].program, Program::Transform(0, vec![Operation::UpperCase]));
        let with_an_exception = explained(|record| {
            let (copied, written) = if record == 0 {
                ("Leiden", "by hand".into())
            } else {
                (town_of(record).1, town_of(record).1.to_uppercase())
            };
            vec![("copy town", copied.into()), ("edit town", written)]
        });
        assert_eq!(with_an_exception[0].program, Program::Transform(0, vec![Operation::UpperCase]));
    }

    #[test]
    fn what_was_typed_before_explains_by_a_table_alone_and_never_itself() {
        let same = explained(|record| vec![("edit one", format!("n{record}")), ("edit other", format!("n{record}"))]);
        assert!(same.is_empty(), "{same:?}");
        let again = explained(|record| {
            let (code, town) = town_of(record);
            vec![("copy name", format!("Ann{record}")), ("edit town", code.into()), ("edit town", town.into())]
        });
        assert!(again.is_empty(), "{again:?}");
    }

    #[test]
    fn fingerprints_make_no_table() {
        let fingerprint = |text: &str| format!("{:032x}", text.bytes().map(u128::from).sum::<u128>());
        let transfers = explained(|record| {
            let (code, town) = town_of(record);
            vec![("copy code", fingerprint(code)), ("edit town", fingerprint(town))]
        });
        assert!(transfers.is_empty(), "{transfers:?}");
    }

    #[test]
    fn a_table_is_told_without_its_lines_and_shows_none_of_too_few_people() {
        assert_eq!(
            table().told(&|_| "Copy code".into()),
            "looked up by the value of “Copy code”, with which it always goes"
        );
        let script = table().script(&|_| "code".into());
        assert_eq!(script, r#"new Map([["1011", "Amsterdam"], ["2511", "Den Haag"], ["3511", "Utrecht"]]).get(code)"#);
        assert_eq!(table().of_people(2).script(&|_| "code".into()), "new Map([]).get(code)");
    }

    #[test]
    fn what_nothing_explains_is_not_explained() {
        assert!(
            explained(|record| vec![
                ("copy cell", record.to_string()),
                ("edit field", format!("x{}", record * 7919 % 31))
            ])
            .is_empty()
        );
    }
}
