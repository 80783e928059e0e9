//! What a script of a task would have done in the recorded instances: where it would have differed from the person.
//!
//! ```text
//! the script    copy A ─ enter name ─ click OK               the steps of the usual order; name = A in capitals
//! instance 1    copy A ─ enter name ─ click OK               exactly so
//! instance 2    copy A ─ copy A ─ enter name ─ click OK      missing: copy A, which was done once more
//! instance 3    click OK ─ copy A ─ enter name               other order: click OK
//! ```
//! The script is given what a robot is given: the values that were read in the instance, and those that nothing explains,
//! which somebody would have to bring. With these it writes what its rules say, in its own order; what it writes is
//! compared with what the person wrote. Of a field that is written several times in an instance only the last time counts,
//! for the script and for the person: what was written before is gone.
//!
//! Steps are compared as activities. On which element they are done is not: whether that is known is told by
//! [`RoutineStep::target`]. The rules were learned from half of these instances, so that a hit here says less than the hit
//! rate of a rule, which counts the other half only.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::dataflow::{Program, reads};
use crate::discover::Discovery;
use crate::log::{Field, UiLog};
use crate::routines::{RoutineStep, instances_by_type, written};

/// Instances of a task that are replayed, at most; they are spread evenly.
pub const REPLAY_INSTANCES_MAX: usize = 1_000;

/// Steps of one instance that are followed, at most: what comes after is not compared.
const STEPS_MAX: usize = 300;

/// A task type's script, and how it would have fared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    /// The task type.
    pub task_type: u32,
    /// The activities of the script, in its order: the most frequent order of steps, of several the longest.
    pub way: Vec<u32>,
    /// Instances that were replayed.
    pub instances: usize,
    /// Of these, those in which the script does the same steps in the same order.
    pub in_order: usize,
    /// Of these, those in which it also writes the same values and needs none brought.
    pub exact: usize,
    /// What differed, by activity: those of the script and all that the instances have.
    pub steps: BTreeMap<u32, Differences>,
}

/// In how many instances a step would have differed, by what. One instance may count for several.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Differences {
    /// Nothing differed: done at its place, with the same value if it writes one.
    pub same: usize,
    /// The person did it, or did it once more, and the script does not.
    pub missing: usize,
    /// The script does it and the person did not.
    pub added: usize,
    /// Both do it, at another place among the other steps.
    pub other_order: usize,
    /// The rule gives another value than the person wrote.
    pub other_value: usize,
    /// No rule gives the value, or what the rule reads is not there: it would have to be brought.
    pub unknown_value: usize,
}

/// Replays the script of every task type against its instances.
///
/// Shape: task types in the order of their numbers. `steps` are those of [`crate::routines::routines`] of the same log.
///
/// ```
/// # use discovery::{Discovery, Field, LogRow, UiLogBuilder, score::Label, routines::routines, replay::replay};
/// let mut builder = UiLogBuilder::default();
/// for step in ["open", "save", "open", "save", "open"] {
///     builder.push(LogRow { user: "u1", time_us: None, fields: &[(Field::EventType, step)] });
/// }
/// let log = builder.finish();
/// let labels = [0, 0, 1, 1, 2].map(|instance| Some(Label { instance, task_type: 0 }));
/// let found = Discovery::known(&labels, vec![0, 1, 0, 1, 0]);
/// let replays = replay(&log, &found, &routines(&log, &found));
/// assert_eq!((replays[0].instances, replays[0].exact, replays[0].steps[&1].added), (3, 2, 1));
/// ```
pub fn replay(log: &UiLog, discovery: &Discovery, steps: &[RoutineStep]) -> Vec<Replay> {
    let types = instances_by_type(log, discovery);
    let of_type = |(&task_type, instances): (&u32, &BTreeMap<u32, Vec<usize>>)| {
        let own = steps.iter().filter(|step| step.task_type == task_type);
        let rules = own.filter_map(|step| Some((step.activity, &step.transfer.as_ref()?.program))).collect();
        let instances: Vec<Vec<usize>> = instances.values().map(|rows| that_count(log, discovery, rows)).collect();
        let script = Script { way: usual_way(discovery, &instances), rules };
        let every = instances.len().div_ceil(REPLAY_INSTANCES_MAX).max(1);
        let mut replay =
            Replay { task_type, way: script.way.clone(), instances: 0, in_order: 0, exact: 0, steps: BTreeMap::new() };
        for rows in instances.iter().step_by(every) {
            replay.count(&script.differences(log, discovery, rows));
        }
        replay
    };
    types.iter().map(of_type).collect()
}

/// The rows of an instance without those that write into a field that is written again.
fn that_count(log: &UiLog, discovery: &Discovery, rows: &[usize]) -> Vec<usize> {
    let mut written_later = BTreeSet::new();
    let counts = |row: &usize| written(log, *row).is_none() || written_later.insert(discovery.activity(*row));
    let mut rows: Vec<usize> = rows.iter().rev().copied().filter(counts).collect();
    rows.reverse();
    rows.truncate(STEPS_MAX);
    rows
}

/// The most frequent order of activities, of several the longest.
fn usual_way(discovery: &Discovery, instances: &[Vec<usize>]) -> Vec<u32> {
    let mut orders = BTreeMap::<Vec<u32>, usize>::new();
    for rows in instances {
        *orders.entry(rows.iter().map(|&row| discovery.activity(row)).collect()).or_insert(0) += 1;
    }
    let usual = orders.into_iter().rev().max_by_key(|(order, count)| (*count, order.len()));
    usual.map(|(order, _)| order).unwrap_or_default()
}

/// What the exported script does.
struct Script<'a> {
    way: Vec<u32>,
    rules: BTreeMap<u32, &'a Program>,
}

/// How a step differed in one instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Difference {
    Missing,
    Added,
    OtherOrder,
    OtherValue,
    UnknownValue,
}

impl Script<'_> {
    /// What differed in an instance, by activity; the activities without a difference too.
    fn differences(&self, log: &UiLog, discovery: &Discovery, rows: &[usize]) -> BTreeMap<u32, BTreeSet<Difference>> {
        let recorded: Vec<u32> = rows.iter().map(|&row| discovery.activity(row)).collect();
        let mut found: BTreeMap<u32, BTreeSet<Difference>> =
            recorded.iter().chain(&self.way).map(|&activity| (activity, BTreeSet::new())).collect();
        let mut differs = |activity: u32, difference| found.entry(activity).or_default().insert(difference);
        let in_order: BTreeMap<usize, usize> = common_order(&self.way, &recorded).into_iter().collect();
        let followed: BTreeSet<usize> = in_order.values().copied().collect();
        // What the person did at another place, by activity, in order.
        let mut rest = BTreeMap::<u32, VecDeque<usize>>::new();
        for (at, &activity) in recorded.iter().enumerate().filter(|(at, _)| !followed.contains(at)) {
            rest.entry(activity).or_default().push_back(at);
        }
        let mut values = BTreeMap::<u32, String>::new();
        for (place, &activity) in self.way.iter().enumerate() {
            let at = match in_order.get(&place) {
                Some(&at) => Some(at),
                None => {
                    let elsewhere = rest.get_mut(&activity).and_then(VecDeque::pop_front);
                    differs(activity, if elsewhere.is_some() { Difference::OtherOrder } else { Difference::Added });
                    elsewhere
                }
            };
            if let Some(difference) = at.and_then(|at| self.act(log, rows[at], activity, &mut values)) {
                differs(activity, difference);
            }
        }
        for (activity, _) in rest.into_iter().filter(|(_, places)| !places.is_empty()) {
            differs(activity, Difference::Missing);
        }
        found
    }

    /// Does a step as the script does it, where the person did it in `row`; gives what is other about its value.
    fn act(&self, log: &UiLog, row: usize, activity: u32, values: &mut BTreeMap<u32, String>) -> Option<Difference> {
        let Some(value) = written(log, row) else {
            if reads(log.text(row, Field::EventType)) {
                values.insert(activity, log.text(row, Field::Value).to_owned());
            }
            return None;
        };
        let before: BTreeMap<u32, &str> = values.iter().map(|(&activity, value)| (activity, value.as_str())).collect();
        let made = self.rules.get(&activity).and_then(|rule| rule.run(&before));
        let difference = match &made {
            None => Some(Difference::UnknownValue),
            Some(made) => (made != value).then_some(Difference::OtherValue),
        };
        values.insert(activity, made.unwrap_or_else(|| value.to_owned()));
        difference
    }
}

impl Replay {
    fn count(&mut self, found: &BTreeMap<u32, BTreeSet<Difference>>) {
        let is_of_order = |difference: &Difference| *difference <= Difference::OtherOrder;
        self.instances += 1;
        self.in_order += usize::from(!found.values().flatten().any(is_of_order));
        self.exact += usize::from(found.values().all(BTreeSet::is_empty));
        for (&activity, differences) in found {
            let step = self.steps.entry(activity).or_default();
            step.same += usize::from(differences.is_empty());
            for difference in differences {
                *match difference {
                    Difference::Missing => &mut step.missing,
                    Difference::Added => &mut step.added,
                    Difference::OtherOrder => &mut step.other_order,
                    Difference::OtherValue => &mut step.other_value,
                    Difference::UnknownValue => &mut step.unknown_value,
                } += 1;
            }
        }
    }
}

/// The places in both of as many steps as can be that are in both in one order.
///
/// ```text
/// A B A C   and   B A A C   ─▶   A A C
/// ```
/// Source: the longest common subsequence, by the table of Wagner and Fischer, J. ACM 21 (1974).
fn common_order(one: &[u32], other: &[u32]) -> Vec<(usize, usize)> {
    // How many steps the ends from here have in common.
    let width = other.len() + 1;
    let mut common = vec![0_u32; (one.len() + 1) * width];
    for at in (0..one.len()).rev() {
        for beside in (0..other.len()).rev() {
            let (here, below) = (at * width + beside, (at + 1) * width + beside);
            common[here] =
                if one[at] == other[beside] { common[below + 1] + 1 } else { common[below].max(common[here + 1]) };
        }
    }
    let (mut at, mut beside, mut places) = (0, 0, Vec::new());
    while at < one.len() && beside < other.len() {
        let (here, below) = (at * width + beside, (at + 1) * width + beside);
        if one[at] == other[beside] {
            places.push((at, beside));
            (at, beside) = (at + 1, beside + 1);
        } else if common[here + 1] >= common[below] {
            beside += 1;
        } else {
            at += 1;
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::{LogRow, UiLogBuilder};
    use crate::routines::routines;
    use crate::score::Label;

    /// Replays instances of one task: `word element=value` per step; the activity is word and element.
    fn replayed(instances: &[&str]) -> (Replay, Vec<String>) {
        let (mut builder, mut labels, mut activities) = (UiLogBuilder::default(), Vec::new(), Vec::new());
        let mut known = Vec::<String>::new();
        for (instance, steps) in (0..).zip(instances) {
            for step in steps.split(", ") {
                let (name, value) = step.split_once('=').unwrap_or((step, ""));
                let (word, element) = name.split_once(' ').unwrap();
                let fields = [(Field::EventType, word), (Field::Element, element), (Field::Value, value)];
                builder.push(LogRow { user: "u1", time_us: None, fields: &fields });
                labels.push(Some(Label { instance, task_type: 0 }));
                let number = known.iter().position(|one| one == name).unwrap_or(known.len());
                if number == known.len() {
                    known.push(name.to_owned());
                }
                activities.push(number as u32);
            }
        }
        let (log, found) = (builder.finish(), Discovery::known(&labels, activities));
        (replay(&log, &found, &routines(&log, &found)).remove(0), known)
    }

    /// What differed, as `step: what in how many`; steps that were the same everywhere are left out.
    fn told(instances: &[&str]) -> String {
        let (replay, names) = replayed(instances);
        let mut lines = vec![format!("{} of {} exact, {} in order", replay.exact, replay.instances, replay.in_order)];
        for (activity, found) in &replay.steps {
            let counts = [
                ("missing", found.missing),
                ("added", found.added),
                ("other order", found.other_order),
                ("other value", found.other_value),
                ("unknown value", found.unknown_value),
            ];
            let counts = counts.iter().filter(|(_, count)| *count > 0).map(|(what, count)| format!("{what} {count}"));
            let counts: Vec<String> = counts.collect();
            if !counts.is_empty() {
                lines.push(format!("{}: {}", names[*activity as usize], counts.join(", ")));
            }
        }
        lines.join("; ")
    }

    /// Eight instances of the usual way, and then another one.
    fn after_eight(usual: impl Fn(usize) -> String, other: &str) -> String {
        let usual: Vec<String> = (0..8).map(usual).collect();
        told(&usual.iter().map(String::as_str).chain([other]).collect::<Vec<_>>())
    }

    fn entered(record: usize) -> String {
        format!("copy A=ann {record}, edit name=ANN {record}, click OK")
    }

    #[test]
    fn a_script_with_a_rule_for_every_value_does_all_instances_exactly() {
        assert_eq!(after_eight(entered, "copy A=eve, edit name=EVE, click OK"), "9 of 9 exact, 9 in order");
    }

    #[test]
    fn a_value_that_the_rule_gives_otherwise_is_told() {
        let other = "copy A=eve, edit name=Eva, click OK";
        assert_eq!(after_eight(entered, other), "8 of 9 exact, 9 in order; edit name: other value 1");
    }

    #[test]
    fn a_value_that_nothing_explains_would_have_to_be_brought() {
        let noted = |record: usize| format!("edit note=n{}, click OK", record * 7919 % 31);
        assert_eq!(after_eight(noted, "edit note=x, click OK"), "0 of 9 exact, 9 in order; edit note: unknown value 9");
    }

    #[test]
    fn steps_that_the_person_did_besides_are_missing_and_those_left_out_are_added() {
        let other = "copy A=eve, copy A=eve, edit name=EVE, click Help";
        assert_eq!(
            after_eight(entered, other),
            "8 of 9 exact, 8 in order; copy A: missing 1; click OK: added 1; click Help: missing 1"
        );
    }

    #[test]
    fn a_script_does_a_step_as_often_as_the_usual_order_has_it() {
        let twice = |record: usize| format!("copy A=a{record}, edit x=a{record}, copy A=b{record}, edit y=b{record}");
        let other = "copy A=c, edit x=c, edit y=c";
        assert_eq!(after_eight(twice, other), "8 of 9 exact, 8 in order; copy A: added 1");
    }

    #[test]
    fn of_a_field_that_is_written_twice_the_last_time_counts() {
        let both =
            |record: usize| format!("copy A=a{record}, edit x=a{record}, copy B=b{record}, edit x=a{record} b{record}");
        assert_eq!(after_eight(both, "copy A=c, copy B=d, edit x=c d"), "9 of 9 exact, 9 in order");
    }

    #[test]
    fn a_step_done_at_another_place_is_of_another_order() {
        let other = "click OK, copy A=eve, edit name=EVE";
        assert_eq!(after_eight(entered, other), "8 of 9 exact, 8 in order; click OK: other order 1");
    }

    #[test]
    fn a_rule_whose_source_was_not_read_gives_no_value() {
        let other = "edit name=EVE, click OK";
        assert_eq!(
            after_eight(entered, other),
            "8 of 9 exact, 8 in order; copy A: added 1; edit name: unknown value 1"
        );
    }

    #[test]
    fn what_the_script_wrote_is_what_later_rules_look_up() {
        let towns = [("1011", "Amsterdam"), ("3511", "Utrecht"), ("2511", "Den Haag")];
        let entered = |record: usize| {
            let (code, town) = towns[record / 2 % 3];
            format!("edit code={code}, edit town={town}")
        };
        let usual: Vec<String> = (0..24).map(entered).collect();
        let usual: Vec<&str> = usual.iter().map(String::as_str).collect();
        assert_eq!(told(&usual), "0 of 24 exact, 24 in order; edit code: unknown value 24");
    }

    #[test]
    fn of_orders_that_are_equally_usual_the_longest_is_the_way_whatever_comes_first() {
        let (one, other) = ("click A, click B", "click A, click C, click B, click A");
        let way = |instances: &[&str]| {
            let (replay, names) = replayed(instances);
            replay.way.iter().map(|&activity| names[activity as usize].clone()).collect::<Vec<_>>()
        };
        assert_eq!(way(&[one, other]), ["click A", "click C", "click B", "click A"]);
        assert_eq!(way(&[other, one]), ["click A", "click C", "click B", "click A"]);
        assert_eq!(way(&[other, one, one]), ["click A", "click B"]);
    }

    #[test]
    fn every_instance_counts_once_for_a_step_that_is_the_same() {
        let (replay, _) = replayed(&["click A, click B", "click A, click B", "click A"]);
        assert_eq!((replay.steps[&0].same, replay.steps[&1].same, replay.steps[&1].added), (3, 2, 1));
    }

    #[test]
    fn as_many_steps_as_can_be_are_taken_to_be_in_order() {
        let common = |one: &str, other: &str| {
            let letters = |text: &str| text.bytes().map(u32::from).collect::<Vec<_>>();
            let places = common_order(&letters(one), &letters(other));
            places.into_iter().map(|(at, _)| &one[at..=at]).collect::<String>()
        };
        assert_eq!(common("ABAC", "BAAC"), "AAC");
        assert_eq!(common("DABC", "ABCD"), "ABC");
        assert_eq!(common("ABCD", "XBD"), "BD");
        assert_eq!(common("ABC", "CXAB"), "AB");
        assert_eq!(common("AB", ""), "");
    }
}
