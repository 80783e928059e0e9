//! What a person says about found tasks, and how it holds when tasks are found anew.
//!
//! ```text
//! found today      open user password OK      profile: user, password, OK        "open, user, password"
//! said             rename to "Reset a password", kept with the profile
//! found tomorrow   open user password mail OK profile is 3/4 alike  ─▶  the name holds
//! ```
//! Types have no identity of their own between two runs: what is found first today may be found second tomorrow. What a
//! person said is therefore kept with the steps that the type had, and goes to the type that is most alike. One that is
//! like no type any more is not applied and not lost: it is reported.

use std::collections::{BTreeMap, BTreeSet};

/// A step belongs to the profile of a type if this share of its instances has it.
pub const PROFILE_SHARE_MIN: f64 = 0.2;

/// Share of all steps of two profiles that both must have for a correction to hold.
pub const LIKENESS_MIN: f64 = 0.5;

/// One execution of a task, as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundInstance {
    /// Number of the type that was found, from 0.
    pub task_type: u32,
    /// The steps in it, by the words that stay the same from run to run.
    pub steps: BTreeSet<String>,
}

/// What is said of a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It is a task.
    Confirm,
    /// It is called so.
    Rename(String),
    /// It is the same task as another one, given by its profile.
    Merge(Vec<String>),
    /// Instances with a step are a task of their own, called so.
    Split(String, String),
    /// It is no task.
    Reject,
}

/// A change with the profile of the type that it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correction {
    /// Steps of the type when the change was made.
    pub profile: Vec<String>,
    /// What is said of it.
    pub change: Change,
}

/// What is known of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It was found.
    Found,
    /// A person said it is a task.
    Confirmed,
    /// A person said it is none.
    Rejected,
}

/// A type after all corrections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskType {
    /// Made of its profile: the same in every run that finds the same steps.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// What is known of it.
    pub standing: Standing,
    /// Steps that at least [`PROFILE_SHARE_MIN`] of its instances have, sorted.
    pub profile: Vec<String>,
}

/// Where a correction went.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hold {
    /// The type that it holds for, as a place in [`Corrected::types`]; none if no type is alike enough.
    pub task_type: Option<usize>,
    /// How alike the most alike type was, from 0 to 1.
    pub likeness: f64,
}

/// The types that people see.
#[derive(Debug, Clone, PartialEq)]
pub struct Corrected {
    /// All types that have instances.
    pub types: Vec<TaskType>,
    /// Place of each instance's type in `types`.
    pub of_instances: Vec<usize>,
    /// What became of each correction.
    pub holds: Vec<Hold>,
}

/// Share of the steps of two sorted profiles that both have (Jaccard); 0 if both are empty.
pub fn likeness(one: &[String], other: &[String]) -> f64 {
    let (one, other): (BTreeSet<&String>, BTreeSet<&String>) = (one.iter().collect(), other.iter().collect());
    let both = one.intersection(&other).count();
    let all = one.len() + other.len() - both;
    if all == 0 { 0.0 } else { both as f64 / all as f64 }
}

/// Applies corrections in the order in which they were made.
///
/// Shape: `names` has one name per found type; one type per instance and one hold per correction come out. Of types that
/// are equally alike, the one found first is meant.
///
/// ```
/// # use discovery::corrections::{Change, Correction, FoundInstance, correct};
/// let instance = |steps: &str| FoundInstance { task_type: 0, steps: steps.split(' ').map(str::to_owned).collect() };
/// let steps = |steps: &str| steps.split(' ').map(str::to_owned).collect();
/// let said = Correction { profile: steps("user password"), change: Change::Rename("Reset".into()) };
/// let corrected = correct(&[instance("user password OK")], &["user, password".into()], &[said]);
/// assert_eq!(corrected.types[0].name, "Reset");
/// ```
pub fn correct(instances: &[FoundInstance], names: &[String], corrections: &[Correction]) -> Corrected {
    let mut working = Working::new(instances, names);
    let mut holds: Vec<Hold> = corrections.iter().map(|correction| working.apply(correction)).collect();
    let (types, places) = working.named();
    let of_instances = working.of_instances.iter().map(|&at| places[&at]).collect();
    for hold in &mut holds {
        hold.task_type = hold.task_type.and_then(|at| places.get(&working.survivor(at)).copied());
    }
    Corrected { types, of_instances, holds }
}

/// Types while corrections are applied; one that was merged away keeps its place without instances.
struct Working<'a> {
    instances: &'a [FoundInstance],
    of_instances: Vec<usize>,
    types: Vec<TaskType>,
    /// Which type a type was merged into.
    merged: BTreeMap<usize, usize>,
}

impl<'a> Working<'a> {
    fn new(instances: &'a [FoundInstance], names: &[String]) -> Working<'a> {
        let of_instances = instances.iter().map(|instance| instance.task_type as usize).collect();
        let found = |name: &String| TaskType {
            id: String::new(),
            name: name.clone(),
            standing: Standing::Found,
            profile: Vec::new(),
        };
        let mut working =
            Working { instances, of_instances, types: names.iter().map(found).collect(), merged: BTreeMap::new() };
        (0..working.types.len()).for_each(|at| working.types[at].profile = working.profile(at));
        working
    }

    fn profile(&self, at: usize) -> Vec<String> {
        let mut counts = BTreeMap::<&String, usize>::new();
        let mut total = 0;
        for (instance, _) in self.instances.iter().zip(&self.of_instances).filter(|(_, of)| **of == at) {
            total += 1;
            instance.steps.iter().for_each(|step| *counts.entry(step).or_insert(0) += 1);
        }
        let is_usual = |count: usize| count as f64 >= PROFILE_SHARE_MIN * total as f64;
        counts.into_iter().filter(|(_, count)| is_usual(*count)).map(|(step, _)| step.clone()).collect()
    }

    fn most_alike(&self, profile: &[String]) -> Hold {
        let mut best = Hold { task_type: None, likeness: 0.0 };
        for (at, task_type) in self.types.iter().enumerate() {
            let alike = likeness(profile, &task_type.profile);
            if alike > best.likeness {
                best = Hold { task_type: Some(at), likeness: alike };
            }
        }
        best.task_type = best.task_type.filter(|_| best.likeness >= LIKENESS_MIN);
        best
    }

    fn apply(&mut self, correction: &Correction) -> Hold {
        let hold = self.most_alike(&correction.profile);
        let Some(at) = hold.task_type else { return hold };
        match &correction.change {
            Change::Confirm => self.types[at].standing = Standing::Confirmed,
            Change::Reject => self.types[at].standing = Standing::Rejected,
            Change::Rename(name) => self.types[at].name.clone_from(name),
            Change::Merge(into) => return self.merge(at, into, hold),
            Change::Split(step, name) => return self.split(at, step, name, hold),
        }
        hold
    }

    /// Both profiles must be found again; if they are one type already, there is nothing left to do.
    fn merge(&mut self, at: usize, into: &[String], hold: Hold) -> Hold {
        let other = self.most_alike(into);
        let likeness = hold.likeness.min(other.likeness);
        let Some(into) = other.task_type else { return Hold { task_type: None, likeness } };
        if at != into {
            self.merged.insert(at, into);
        }
        self.of_instances.iter_mut().filter(|of| **of == at).for_each(|of| *of = into);
        (self.types[at].profile, self.types[into].profile) = (self.profile(at), self.profile(into));
        Hold { task_type: Some(into), likeness }
    }

    /// If no instance has the step any more, the new type has no instances, and nothing holds.
    fn split(&mut self, at: usize, step: &str, name: &str, hold: Hold) -> Hold {
        let new = self.types.len();
        for (instance, of) in self.instances.iter().zip(&mut self.of_instances) {
            if *of == at && instance.steps.contains(step) {
                *of = new;
            }
        }
        let standing = self.types[at].standing;
        self.types.push(TaskType { id: String::new(), name: name.to_owned(), standing, profile: Vec::new() });
        (self.types[at].profile, self.types[new].profile) = (self.profile(at), self.profile(new));
        Hold { task_type: Some(new), ..hold }
    }

    /// The type that the instances of a type belong to after merges; one that was merged away has no profile and is never merged into.
    fn survivor(&self, mut at: usize) -> usize {
        while let Some(into) = self.merged.get(&at) {
            at = *into;
        }
        at
    }

    /// The types that have instances, with ids, and where each of the working ones went.
    fn named(&self) -> (Vec<TaskType>, BTreeMap<usize, usize>) {
        let used: BTreeSet<usize> = self.of_instances.iter().copied().collect();
        let (mut types, mut places, mut ids) = (Vec::new(), BTreeMap::new(), BTreeMap::<String, u32>::new());
        for at in used {
            let mut task_type = self.types[at].clone();
            let id = id_of(&task_type.profile);
            let seen = ids.entry(id.clone()).or_insert(0);
            *seen += 1;
            task_type.id = if *seen == 1 { id } else { format!("{id}-{seen}") };
            places.insert(at, types.len());
            types.push(task_type);
        }
        (types, places)
    }
}

/// Eight hexadecimal digits of a profile (FNV-1a over its steps).
fn id_of(profile: &[String]) -> String {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in profile.iter().flat_map(|step| step.bytes().chain([0])) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    format!("{:08x}", hash >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    /// `0: a b c | 1: d e` are two instances of two types.
    fn found(log: &str) -> Vec<FoundInstance> {
        let one = |text: &str| {
            let (task_type, words) = text.split_once(':').unwrap();
            let task_type = task_type.trim().parse().unwrap();
            FoundInstance { task_type, steps: steps(words).into_iter().collect() }
        };
        log.split('|').map(one).collect()
    }

    fn said(profile: &str, change: Change) -> Correction {
        Correction { profile: steps(profile), change }
    }

    fn corrected(log: &str, corrections: &[Correction]) -> Corrected {
        let instances = found(log);
        let types = instances.iter().map(|instance| instance.task_type + 1).max().unwrap_or(0);
        let names: Vec<String> = (0..types).map(|at| format!("type {at}")).collect();
        correct(&instances, &names, corrections)
    }

    fn names(corrected: &Corrected) -> Vec<&str> {
        corrected.of_instances.iter().map(|&at| corrected.types[at].name.as_str()).collect()
    }

    #[test]
    fn a_name_goes_to_the_type_that_is_most_alike_whatever_its_number() {
        let rename = [said("d e f", Change::Rename("Order".into()))];
        assert_eq!(names(&corrected("0: a b c | 1: d e f", &rename)), ["type 0", "Order"]);
        assert_eq!(names(&corrected("1: a b c | 0: d e g f", &rename)), ["type 1", "Order"]);
    }

    #[test]
    fn a_correction_for_a_type_that_is_gone_is_reported_and_changes_nothing() {
        let gone = corrected("0: a b c d", &[said("a b x y", Change::Reject)]);
        assert_eq!((gone.holds[0].task_type, gone.types[0].standing), (None, Standing::Found));
        assert!(gone.holds[0].likeness > 0.3 && gone.holds[0].likeness < LIKENESS_MIN);
        let half = corrected("0: a b c", &[said("a b x", Change::Reject)]);
        assert_eq!((half.holds[0].likeness, half.types[0].standing), (0.5, Standing::Rejected));
    }

    #[test]
    fn merged_types_are_one_with_the_name_of_the_second_also_in_the_next_run() {
        let merge = [said("a b", Change::Merge(steps("c d")))];
        let merged = corrected("0: a b | 1: c d | 1: c d", &merge);
        assert_eq!((names(&merged), merged.types.len()), (vec!["type 1"; 3], 1));
        assert_eq!(merged.holds[0].task_type, Some(0));
        // One that is gone keeps the other from being merged into nothing.
        assert_eq!(corrected("0: a b | 1: x y", &merge).types.len(), 2);
        // A name that was given to both afterwards finds both.
        let both = [merge[0].clone(), said("a b c d", Change::Rename("All".into()))];
        assert_eq!(names(&corrected("0: a b | 1: c d | 1: c d", &both)), ["All"; 3]);
    }

    #[test]
    fn split_instances_with_the_step_are_a_type_of_their_own() {
        let split = [said("a b c", Change::Split("c".into(), "With c".into()))];
        let two = corrected("0: a b | 0: a b c | 0: a b", &split);
        assert_eq!(names(&two), ["type 0", "With c", "type 0"]);
        assert_ne!(two.types[0].id, two.types[1].id);
        assert_eq!(corrected("0: a b | 0: a b", &split).holds[0].task_type, None);
        // What was split and merged again was not said in vain: it holds where its instances are.
        let again = [split[0].clone(), said("a b c", Change::Merge(steps("a b")))];
        let one = corrected("0: a b | 0: a b c | 0: a b", &again);
        assert_eq!((one.types.len(), one.holds[0].task_type, one.holds[1].task_type), (1, Some(0), Some(0)));
    }

    #[test]
    fn ids_follow_the_steps_and_not_the_order_in_which_types_are_found() {
        let (one, other) = (corrected("0: a b | 1: c d", &[]), corrected("1: a b | 0: c d", &[]));
        assert_eq!(one.types[0].id, other.types[1].id);
        assert_ne!(one.types[0].id, one.types[1].id);
        let same = corrected("0: a b | 1: a b", &[]);
        assert_ne!(same.types[0].id, same.types[1].id);
    }
}
