//! Task instances out of decoded segments: parts are linked, fragments glued, circles cut where people enter them.
//!
//! ```text
//! segments   A  B  A  B  C  A │ A' B        A is nearly always followed by B: parts of one task
//! linked    [A  B][A  B][C][A │ A' B]       A' does not begin as the task does, nor did A end so: one instance
//! ```
//! Where one task is done again and again, nothing in the order of its steps tells which of them is the first. The first
//! step is where the stream, or whoever comes from another task, enters the circle (as the header of a loop in Leno et
//! al., ICPM 2020, is the node that dominates it); if the circles were cut elsewhere, they are cut there instead.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::decode::{FOREIGN_RUN_MAX, Segment};
use super::pauses::Evidence;
use super::segmentation::Stream;
use crate::pairs::BuildMix;

/// Share of a type's segments that must be followed, and of the other's that must be preceded, by the other type.
const LINK_MIN: f64 = 0.8;

/// The same where it is enough that one of the two types is always beside the other.
const OPTIONAL_LINK_MIN: f64 = 0.95;

/// Segments that must show a link.
const LINK_EVIDENCE_MIN: usize = 5;

/// A symbol that begins, or ends, fewer of a task's instances than this is not where the task begins, or ends.
const USUAL_MIN: f64 = 0.05;

/// A type with fewer instances than this share of the one before is a fragment of it, if it is found where that is
/// broken off.
const FRAGMENT_MAX: f64 = 0.1;

/// A pause that argues for a boundary with more nats than this is never glued over.
const PAUSE_NATS_MAX: f32 = 1.0;

/// Share of entries into a circle that must be at one symbol for it to be the first.
const ENTRY_MIN: f64 = 0.5;

/// How far the number of times that symbol occurs may be from the number of instances.
const ROUNDS_OFF_MAX: f64 = 0.2;

/// One execution of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Instance {
    /// The type of its first segment, after which the task is called for now.
    pub head: u32,
    /// Which stream it is in.
    pub stream: u32,
    /// Positions in the stream, in order.
    pub members: Vec<u32>,
}

impl Instance {
    fn first(&self) -> u32 {
        self.members[0]
    }

    fn last(&self) -> u32 {
        self.members[self.members.len() - 1]
    }

    /// Whether another instance of the same task follows without anything between.
    fn is_followed_by(&self, next: &Instance) -> bool {
        self.head == next.head && self.is_beside(next)
    }

    /// Whether no more lies between than may be foreign inside a task.
    fn is_near(&self, next: &Instance) -> bool {
        self.stream == next.stream && next.first() - self.last() <= FOREIGN_RUN_MAX as u32 + 1
    }

    fn is_beside(&self, next: &Instance) -> bool {
        self.stream == next.stream && self.last() + 1 == next.first()
    }
}

/// Makes instances of the segments of all streams.
///
/// Shape: in the order of the streams and in each of time; members of different instances are different.
pub(crate) fn instances(
    streams: &[Stream],
    segments: &[Vec<Segment>],
    types: usize,
    evidence: &Evidence,
) -> Vec<Instance> {
    let linked = link(segments, types);
    let glued = glue(linked, streams, evidence);
    drop_noise(cut_circles(glued, streams), streams)
}

/// Joins segments that are parts of one task.
fn link(segments: &[Vec<Segment>], types: usize) -> Vec<Instance> {
    let links = links(segments, types);
    let heads = heads(&links, types);
    let mut instances: Vec<Instance> = Vec::new();
    for (stream, segments) in (0..).zip(segments) {
        let mut before: Option<&Segment> = None;
        for segment in segments {
            let is_part = before.is_some_and(|before| {
                links.contains(&(before.task_type, segment.task_type)) && is_beside(before, segment)
            });
            match instances.last_mut() {
                Some(instance) if is_part => instance.members.extend(&segment.members),
                _ => {
                    let head = heads[segment.task_type as usize];
                    instances.push(Instance { head, stream, members: segment.members.clone() });
                }
            }
            before = Some(segment);
        }
    }
    instances
}

/// Pairs of types of which the second is a further part of the task that the first begins: each nearly always has the
/// other beside it, or one of them always has, which is then an optional part of the other. A type that half of the log
/// belongs to is beside everything, so that says nothing. The strongest links come first and none closes a circle.
pub(crate) fn links(segments: &[Vec<Segment>], types: usize) -> BTreeSet<(u32, u32)> {
    let mut follows = BTreeMap::<(u32, u32), usize>::new();
    let mut counts = vec![0; types];
    for segments in segments {
        segments.iter().for_each(|segment| counts[segment.task_type as usize] += 1);
        for pair in segments.windows(2).filter(|pair| is_beside(&pair[0], &pair[1])) {
            *follows.entry((pair[0].task_type, pair[1].task_type)).or_insert(0) += 1;
        }
    }
    let all: usize = counts.iter().sum();
    let is_everywhere = |at: u32| 2 * counts[at as usize] > all;
    let mut strong: Vec<(f64, u32, u32)> = Vec::new();
    for ((from, to), count) in
        follows.into_iter().filter(|&((from, to), count)| from != to && count >= LINK_EVIDENCE_MIN)
    {
        let (of_from, of_to) = (count as f64 / counts[from as usize] as f64, count as f64 / counts[to as usize] as f64);
        let is_optional =
            of_from >= OPTIONAL_LINK_MIN && !is_everywhere(to) || of_to >= OPTIONAL_LINK_MIN && !is_everywhere(from);
        if of_from.min(of_to) >= LINK_MIN || is_optional {
            strong.push((of_from.min(of_to), from, to));
        }
    }
    strong.sort_by(|left, right| right.0.total_cmp(&left.0));
    let mut links = BTreeSet::new();
    for (_, from, to) in strong {
        if !reaches(&links, to, from) {
            links.insert((from, to));
        }
    }
    links
}

/// Whether one segment follows another with no more between than may be foreign inside a task.
fn is_beside(left: &Segment, right: &Segment) -> bool {
    left.members.last().is_some_and(|last| right.members[0] - last <= FOREIGN_RUN_MAX as u32 + 1)
}

fn reaches(links: &BTreeSet<(u32, u32)>, from: u32, to: u32) -> bool {
    from == to || links.range((from, 0)..=(from, u32::MAX)).any(|&(_, next)| reaches(links, next, to))
}

/// The first part of the task that each type belongs to.
fn heads(links: &BTreeSet<(u32, u32)>, types: usize) -> Vec<u32> {
    let before = |at: u32| links.iter().find(|link| link.1 == at).map(|link| link.0);
    let head = |mut at: u32| {
        while let Some(earlier) = before(at) {
            at = earlier;
        }
        at
    };
    (0..types as u32).map(head).collect()
}

/// Counts of symbols by task, and how many instances the task has.
type Usual = HashMap<(u32, u32), usize, BuildMix>;

/// Joins neighbours of one task where the first does not end as the task does, nor the second begin so.
fn glue(instances: Vec<Instance>, streams: &[Stream], evidence: &Evidence) -> Vec<Instance> {
    let symbol = |instance: &Instance, at: u32| streams[instance.stream as usize].symbols[at as usize];
    let (mut begins, mut ends, mut totals) =
        (Usual::default(), Usual::default(), HashMap::<u32, usize, BuildMix>::default());
    for instance in &instances {
        *begins.entry((instance.head, symbol(instance, instance.first()))).or_insert(0) += 1;
        *ends.entry((instance.head, symbol(instance, instance.last()))).or_insert(0) += 1;
        *totals.entry(instance.head).or_insert(0) += 1;
    }
    let is_unusual = |counts: &Usual, instance: &Instance, at: u32| {
        let count = counts.get(&(instance.head, symbol(instance, at))).copied().unwrap_or(0);
        (count as f64) < USUAL_MIN * totals[&instance.head] as f64
    };
    let is_fragment = |before: &Instance, instance: &Instance| {
        totals[&instance.head] as f64 <= FRAGMENT_MAX * totals[&before.head] as f64
    };
    let mut glued: Vec<Instance> = Vec::new();
    for instance in instances {
        let class = streams[instance.stream as usize].classes[instance.first() as usize];
        match glued.last_mut() {
            Some(before)
                if before.is_near(&instance)
                    && (before.head == instance.head || is_fragment(before, &instance))
                    && is_unusual(&begins, before, instance.first())
                    && is_unusual(&ends, before, before.last())
                    && evidence.boundary[class as usize] > -PAUSE_NATS_MAX =>
            {
                before.members.extend(&instance.members);
            }
            _ => glued.push(instance),
        }
    }
    glued
}

/// Cuts tasks that are done again and again where they are entered.
fn cut_circles(instances: Vec<Instance>, streams: &[Stream]) -> Vec<Instance> {
    let symbol = |instance: &Instance, at: u32| streams[instance.stream as usize].symbols[at as usize];
    let runs: Vec<&[Instance]> = instances.chunk_by(Instance::is_followed_by).collect();
    let mut entries = BTreeMap::<u32, BTreeMap<u32, usize>>::new();
    for run in &runs {
        *entries.entry(run[0].head).or_default().entry(symbol(&run[0], run[0].first())).or_insert(0) += 1;
    }
    let mut firsts = BTreeMap::<u32, u32>::new();
    for (head, entries) in entries {
        let total: usize = entries.values().sum();
        let Some((&first, &count)) = entries.iter().max_by_key(|entry| entry.1) else { continue };
        let of_head: Vec<&[Instance]> = runs.iter().copied().filter(|run| run[0].head == head).collect();
        let later: Vec<&Instance> = of_head.iter().flat_map(|run| &run[1..]).collect();
        let begin_there = later.iter().filter(|instance| symbol(instance, instance.first()) == first).count();
        let rounds: usize = of_head.iter().map(|run| run.len()).sum();
        let members = of_head.iter().flat_map(|run| run.iter());
        let occurs: usize =
            members.map(|instance| instance.members.iter().filter(|&&at| symbol(instance, at) == first).count()).sum();
        let is_once_a_round = (occurs as f64 - rounds as f64).abs() <= ROUNDS_OFF_MAX * rounds as f64;
        if count as f64 >= ENTRY_MIN * total as f64 && 2 * begin_there < later.len() && is_once_a_round {
            firsts.insert(head, first);
        }
    }
    let mut cut = Vec::with_capacity(instances.len());
    for run in runs {
        match firsts.get(&run[0].head) {
            Some(&first) => cut.extend(cut_run(run, streams, first)),
            None => cut.extend(run.iter().cloned()),
        }
    }
    cut
}

/// The members of a run, cut before each occurrence of a symbol.
fn cut_run(run: &[Instance], streams: &[Stream], first: u32) -> Vec<Instance> {
    let symbols = &streams[run[0].stream as usize].symbols;
    let mut cut: Vec<Instance> = Vec::new();
    for &at in run.iter().flat_map(|instance| &instance.members) {
        match cut.last_mut() {
            Some(instance) if symbols[at as usize] != first => instance.members.push(at),
            _ => cut.push(Instance { members: vec![at], ..run[0].clone() }),
        }
    }
    cut
}

/// Leaves out instances beside noise that are a single event, or half of them events whose like is nowhere else:
/// they are noise that resembles a task.
fn drop_noise(instances: Vec<Instance>, streams: &[Stream]) -> Vec<Instance> {
    let is_noise = |at: usize| {
        let instance: &Instance = &instances[at];
        let after_noise = match at.checked_sub(1).map(|before| &instances[before]) {
            Some(before) if before.stream == instance.stream => !before.is_beside(instance),
            _ => instance.first() > 0,
        };
        let before_noise = match instances.get(at + 1) {
            Some(after) if after.stream == instance.stream => !instance.is_beside(after),
            _ => (instance.last() as usize) + 1 < streams[instance.stream as usize].symbols.len(),
        };
        let stream = &streams[instance.stream as usize];
        let rare = instance.members.iter().filter(|&&at| stream.is_rare[at as usize]).count();
        let is_poor = instance.members.len() == 1 || 2 * rare >= instance.members.len();
        is_poor && (after_noise || before_noise)
    };
    let noise: Vec<bool> = (0..instances.len()).map(is_noise).collect();
    instances.into_iter().zip(noise).filter(|(_, is_noise)| !is_noise).map(|(instance, _)| instance).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Segments from letters: `0:abc 1:de`, one after the other in one stream.
    fn drawn(segments: &str) -> String {
        let (mut stream, mut found) = (Stream::default(), Vec::new());
        for text in segments.split_whitespace() {
            let (task_type, letters) = text.split_once(':').unwrap();
            let from = stream.symbols.len() as u32;
            stream.symbols.extend(letters.bytes().map(u32::from));
            let members = (from..stream.symbols.len() as u32).collect();
            found.push(Segment { task_type: task_type.parse().unwrap(), members });
        }
        stream.classes = vec![0; stream.symbols.len()];
        stream.is_rare = vec![false; stream.symbols.len()];
        let streams = [stream];
        let letters = |instance: &Instance| -> String {
            instance.members.iter().map(|&at| streams[0].symbols[at as usize] as u8 as char).collect()
        };
        let instances = instances(&streams, &[found], 4, &Evidence::none());
        instances.iter().map(letters).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn parts_that_are_always_together_are_one_instance_and_the_circle_stays_open() {
        assert_eq!(drawn(&"0:ab 1:cd ".repeat(6)), ["abcd"; 6].join(" "));
    }

    #[test]
    fn a_part_that_only_comes_after_another_is_an_optional_part_of_it() {
        let story = "0:ab 1:cd 2:ef 2:ef 0:ab 2:ef 2:ef 2:ef ".repeat(6);
        assert_eq!(drawn(&story), "abcd ef ef ab ef ef ef ".repeat(6).trim_end());
    }

    #[test]
    fn a_task_that_breaks_off_and_goes_on_is_one_instance() {
        let story = format!("{}0:ab 0:cd {}", "0:abcd ".repeat(30), "0:abcd ".repeat(30));
        assert_eq!(drawn(&story), ["abcd"; 61].join(" "));
    }

    #[test]
    fn a_circle_is_cut_where_it_is_entered() {
        assert_eq!(drawn("1:xy 0:ab 0:cab 0:cab 0:cab 0:cabc"), "xy abc abc abc abc abc");
    }
}
