//! What a robot could do of a task: its steps, how surely each is followed by the next, and which need no person.
//!
//! ```text
//! step            done on             writes                                a robot can
//! Copy column C   C2, C3, C4 …  +1    –                                     yes: a progression
//! Enter date      field "date"        C with - for /     50 of 50 right     yes: the value is explained
//! Enter remark    field "remark"      nothing explains it                   no
//! ```
//! A step can be automated if it is always done on the same element, or on elements whose numbers go up by the same
//! amount from instance to instance, and if the value it writes is explained by values read before or is always the same.
//!
//! Source: RAI, the routine automatability index, after Leno et al., "Identifying candidate routines for robotic process
//! automation from unsegmented UI logs" (ICPM 2020). Deviations: a value is explained by a program that is right in most
//! of the instances held back, not in all; so is a functional dependency, which Leno et al. look for between all values and
//! want without exception.

use std::collections::{BTreeMap, BTreeSet};

use crate::dataflow::{self, Transfer};
use crate::discover::Discovery;
use crate::log::{Field, UiLog};

/// Share of instances in which a rule must hold.
pub const RULE_SHARE_MIN: f64 = 0.9;

/// A step must be seen on so many elements before their numbers are a progression.
const PROGRESSION_MIN: usize = 3;

/// Where a step is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// On the same element each time.
    Same,
    /// On elements whose number goes up, or down, by the same amount.
    Progression(i64),
    /// On one that no rule gives.
    Varies,
}

/// Whether a robot can do a step, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The element is known and nothing is written.
    Known,
    /// What is written is explained.
    Explained,
    /// What is written is not explained.
    ValueUnknown,
    /// It is not known where to do it.
    TargetUnknown,
}

impl Verdict {
    /// Whether a robot can do it.
    pub fn is_automatable(self) -> bool {
        matches!(self, Verdict::Known | Verdict::Explained)
    }
}

/// A step of a task, over all its instances.
#[derive(Debug, Clone, PartialEq)]
pub struct RoutineStep {
    /// The task type.
    pub task_type: u32,
    /// The activity.
    pub activity: u32,
    /// A row in which it is done.
    pub example: usize,
    /// Instances that have it.
    pub instances: usize,
    /// How often it is done.
    pub events: usize,
    /// How many people do it.
    pub users: usize,
    /// Where it stands in an instance on average: 0 first, 1 last.
    pub position: f64,
    /// What most often comes next; none is the end.
    pub next: Option<u32>,
    /// Share of its events after which that comes next: the determinism of the step.
    pub next_share: f64,
    /// Where it is done.
    pub target: Target,
    /// How its value is made, if it writes one that is explained.
    pub transfer: Option<Transfer>,
    /// Whether a robot can do it.
    pub verdict: Verdict,
}

/// The steps of every task type.
///
/// Shape: types in the order of their numbers; steps of a type by position.
///
/// ```
/// # use discovery::{Discovery, Field, LogRow, UiLogBuilder, score::Label};
/// # use discovery::routines::{Target, routines};
/// let mut builder = UiLogBuilder::default();
/// for record in 2..8 {
///     let cell = format!("C{record}");
///     let fields = [(Field::EventType, "copy"), (Field::Element, cell.as_str())];
///     builder.push(LogRow { user: "u1", time_us: None, fields: &fields });
/// }
/// let labels: Vec<_> = (0..6).map(|instance| Some(Label { instance, task_type: 0 })).collect();
/// let steps = routines(&builder.finish(), &Discovery::known(&labels, vec![0; 6]));
/// assert_eq!(steps[0].target, Target::Progression(1));
/// ```
pub fn routines(log: &UiLog, discovery: &Discovery) -> Vec<RoutineStep> {
    let types = instances_by_type(log, discovery);
    types.iter().flat_map(|(task_type, instances)| of_type(log, discovery, *task_type, instances)).collect()
}

/// The rows of each instance of each task type, in order.
pub(crate) fn instances_by_type(log: &UiLog, discovery: &Discovery) -> BTreeMap<u32, BTreeMap<u32, Vec<usize>>> {
    let mut types = BTreeMap::<u32, BTreeMap<u32, Vec<usize>>>::new();
    for row in 0..log.rows() {
        if let Some(label) = discovery.label(row) {
            types.entry(label.task_type).or_default().entry(label.instance).or_default().push(row);
        }
    }
    types
}

/// What is gathered of a step while its instances are gone through.
#[derive(Debug, Default)]
struct Gathered {
    rows: Vec<usize>,
    instances: usize,
    positions: f64,
    next: BTreeMap<Option<u32>, usize>,
    users: BTreeSet<u32>,
    /// The first row in each instance, by user.
    firsts: BTreeMap<u32, Vec<usize>>,
}

fn of_type(
    log: &UiLog,
    discovery: &Discovery,
    task_type: u32,
    instances: &BTreeMap<u32, Vec<usize>>,
) -> Vec<RoutineStep> {
    let mut steps = BTreeMap::<u32, Gathered>::new();
    for rows in instances.values() {
        gather(log, discovery, rows, &mut steps);
    }
    let rows = instances.values().flatten().copied();
    let transfers = dataflow::transfers_in(log, discovery, rows);
    let mut explained: BTreeMap<u32, Transfer> =
        transfers.into_iter().map(|transfer| (transfer.to, transfer)).collect();
    let mut steps: Vec<RoutineStep> = steps
        .iter()
        .map(|(activity, gathered)| step(log, task_type, *activity, gathered, explained.remove(activity)))
        .collect();
    steps.sort_by(|one, other| one.position.total_cmp(&other.position).then(one.activity.cmp(&other.activity)));
    steps
}

fn gather(log: &UiLog, discovery: &Discovery, rows: &[usize], steps: &mut BTreeMap<u32, Gathered>) {
    let last = rows.len().saturating_sub(1).max(1) as f64;
    let mut seen = BTreeSet::new();
    for (at, &row) in rows.iter().enumerate() {
        let activity = discovery.activity(row);
        let gathered = steps.entry(activity).or_default();
        gathered.rows.push(row);
        gathered.positions += at as f64 / last;
        *gathered.next.entry(rows.get(at + 1).map(|&next| discovery.activity(next))).or_insert(0) += 1;
        let user = log.users().code(row);
        gathered.users.insert(user);
        if seen.insert(activity) {
            gathered.instances += 1;
            gathered.firsts.entry(user).or_default().push(row);
        }
    }
}

fn step(log: &UiLog, task_type: u32, activity: u32, gathered: &Gathered, transfer: Option<Transfer>) -> RoutineStep {
    let target = target(log, gathered);
    let writes = gathered.rows.iter().filter(|&&row| written(log, row).is_some()).count();
    let writes = 2 * writes > gathered.rows.len();
    let transfer = transfer.filter(|_| writes);
    let verdict = match (target, &transfer) {
        (Target::Varies, _) => Verdict::TargetUnknown,
        (_, Some(transfer)) if transfer.hit_rate >= RULE_SHARE_MIN => Verdict::Explained,
        _ if writes => Verdict::ValueUnknown,
        _ => Verdict::Known,
    };
    // Of steps that come next equally often the first by number is named, and an end before any.
    let next = gathered.next.iter().rev().max_by_key(|(_, count)| **count);
    RoutineStep {
        task_type,
        activity,
        example: gathered.rows[0],
        instances: gathered.instances,
        events: gathered.rows.len(),
        users: gathered.users.len(),
        position: gathered.positions / gathered.rows.len() as f64,
        next: next.and_then(|(next, _)| *next),
        next_share: next.map_or(0.0, |(_, count)| *count as f64 / gathered.rows.len() as f64),
        target,
        transfer,
        verdict,
    }
}

/// The value that an event writes, if it writes one.
pub(crate) fn written(log: &UiLog, row: usize) -> Option<&str> {
    let value = log.text(row, Field::Value);
    (!value.is_empty() && can_write(log.text(row, Field::EventType))).then_some(value)
}

/// Whether an event of this type may write a value; a button that is pressed has one of its own.
fn can_write(event_type: &str) -> bool {
    !dataflow::reads(event_type) && !event_type.to_ascii_lowercase().contains("click")
}

/// Where a step is done: elements of the first time in each instance, one user after the other.
fn target(log: &UiLog, gathered: &Gathered) -> Target {
    let element = |row: usize| {
        let id = log.text(row, Field::Element);
        if id.is_empty() { log.text(row, Field::Label) } else { id }
    };
    let mut counts = BTreeMap::<&str, usize>::new();
    gathered.firsts.values().flatten().for_each(|&row| *counts.entry(element(row)).or_insert(0) += 1);
    let enough = |count: usize, of: usize| count as f64 >= RULE_SHARE_MIN * of as f64;
    if counts.values().any(|&count| enough(count, gathered.instances)) {
        return Target::Same;
    }
    let mut differences = BTreeMap::<Option<i64>, usize>::new();
    for rows in gathered.firsts.values() {
        for pair in rows.windows(2) {
            *differences.entry(difference(element(pair[0]), element(pair[1]))).or_insert(0) += 1;
        }
    }
    let pairs: usize = differences.values().sum();
    let usual = differences.into_iter().find(|(by, count)| by.is_some_and(|by| by != 0) && enough(*count, pairs));
    match usual {
        Some((Some(by), _)) if pairs + 1 >= PROGRESSION_MIN => Target::Progression(by),
        _ => Target::Varies,
    }
}

/// By how much the numbers in a name go up, those that change all alike, if the rest of both is the same.
///
/// ```text
/// C2:F2 ─▶ C3:F3   1         Sheet1!B9 ─▶ Sheet1!B10   1         A2 ─▶ B3   none
/// ```
fn difference(before: &str, after: &str) -> Option<i64> {
    let (before, after) = (numbers(before), numbers(after));
    if before.0 != after.0 {
        return None;
    }
    let mut differences: Vec<i64> = before.1.iter().zip(&after.1).map(|(one, other)| other - one).collect();
    differences.retain(|difference| *difference != 0);
    differences.dedup();
    match differences[..] {
        [by] => Some(by),
        [] => Some(0),
        _ => None,
    }
}

/// A text with `#` for its numbers, and the numbers. Ones too large to count with stay text.
fn numbers(text: &str) -> (String, Vec<i64>) {
    let (mut rest, mut found, mut digits) = (String::new(), Vec::new(), String::new());
    for letter in text.chars().chain(['\0']) {
        if letter.is_ascii_digit() {
            digits.push(letter);
            continue;
        }
        match digits.parse() {
            Ok(number) => {
                found.push(number);
                rest.push('#');
            }
            Err(_) => rest.push_str(&digits),
        }
        digits.clear();
        rest.push(letter);
    }
    (rest, found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::{LogRow, UiLogBuilder};
    use crate::score::Label;

    /// Steps `word element value` of instances of one task; the activity is word and element without digits.
    fn steps_of(instances: impl Iterator<Item = Vec<(&'static str, String, String)>>) -> Vec<RoutineStep> {
        let (mut builder, mut labels, mut activities) = (UiLogBuilder::default(), Vec::new(), Vec::new());
        let mut known = BTreeMap::new();
        for (instance, steps) in (0..).zip(instances) {
            for (word, element, value) in steps {
                let fields = [(Field::EventType, word), (Field::Element, &element), (Field::Value, &value)];
                builder.push(LogRow { user: "u1", time_us: None, fields: &fields });
                labels.push(Some(Label { instance, task_type: 0 }));
                let name = format!("{word} {}", element.trim_end_matches(|letter: char| letter.is_ascii_digit()));
                let number = known.len() as u32;
                activities.push(*known.entry(name).or_insert(number));
            }
        }
        routines(&builder.finish(), &Discovery::known(&labels, activities))
    }

    #[test]
    fn copying_down_a_column_into_a_form_needs_no_person() {
        let steps = steps_of((2..22).map(|row| {
            let name = format!("Ann {row}");
            vec![
                ("copy", format!("A{row}"), name.clone()),
                ("edit", "name".into(), name.to_uppercase()),
                ("edit", "remark".into(), format!("{}", row * 7919 % 31)),
                ("click", "send".into(), String::new()),
            ]
        }));
        let verdicts: Vec<Verdict> = steps.iter().map(|step| step.verdict).collect();
        assert_eq!(verdicts, [Verdict::Known, Verdict::Explained, Verdict::ValueUnknown, Verdict::Known]);
        assert_eq!(steps[0].target, Target::Progression(1));
        assert_eq!((steps[1].next, steps[1].next_share, steps[3].next), (Some(2), 1.0, None));
        assert_eq!((steps[2].instances, steps[2].events, steps[2].users), (20, 20, 1));
    }

    #[test]
    fn a_rule_that_is_often_wrong_explains_nothing() {
        let steps = steps_of((2..22).map(|row| {
            let name = format!("Ann {row}");
            let written = if row % 4 == 1 { format!("by hand {row}") } else { name.clone() };
            vec![("copy", format!("A{row}"), name), ("edit", "name".into(), written)]
        }));
        let hit_rate = steps[1].transfer.as_ref().map(|transfer| transfer.hit_rate);
        assert_eq!((hit_rate, steps[1].verdict), (Some(0.5), Verdict::ValueUnknown));
    }

    #[test]
    fn a_step_on_changing_elements_needs_a_person() {
        let steps = steps_of((0..20_i64).map(|at| vec![("click", format!("row{}", at * at), String::new())]));
        assert_eq!((steps[0].target, steps[0].verdict), (Target::Varies, Verdict::TargetUnknown));
    }

    #[test]
    fn numbers_in_names_must_go_up_by_the_same_amount() {
        assert_eq!(difference("A2", "A4"), Some(2));
        assert_eq!(difference("Sheet1!B9", "Sheet1!B10"), Some(1));
        assert_eq!(difference("C2:F2", "C3:F3"), Some(1));
        assert_eq!(difference("C2:F2", "C3:F4"), None);
        assert_eq!(difference("A2", "B3"), None);
        assert_eq!(difference("name", "name"), Some(0));
        assert_eq!(difference("99999999999999999999", "99999999999999999998"), None);
    }
}
