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
const OPTIONAL_LINK_MIN: f64 = 0.9;

/// Segments that must show a link.
const LINK_EVIDENCE_MIN: usize = 5;

/// A symbol that begins, or ends, fewer of a task's instances than this is not where the task begins, or ends.
const USUAL_MIN: f64 = 0.05;

/// A type with fewer instances than this share of the one before is a fragment of it, if it is found where that is
/// broken off.
const FRAGMENT_MAX: f64 = 0.1;

/// A pause that argues for a boundary with more nats than this is never glued over.
const PAUSE_NATS_MAX: f32 = 1.0;

/// Share of a fragment's steps that its circle must have.
const SHARED_MIN: f64 = 0.8;

/// Rounds of a run, in the mean, from which on a task is done again and again.
const ROUNDS_MIN: usize = 2;

/// Share of entries into a circle that must be at one symbol for it to be the first.
const ENTRY_MIN: f64 = 0.5;

/// Share of a fragment's instances that must be where runs begin or end, if they are not few.
const EDGES_MIN: f64 = 0.8;

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

    /// Whether no more lies between than may be foreign inside a task.
    fn is_near(&self, next: &Instance) -> bool {
        self.stream == next.stream && is_close(&self.members, &next.members)
    }

    fn is_beside(&self, next: &Instance) -> bool {
        self.stream == next.stream && self.last() + 1 == next.first()
    }
}

/// Makes instances of the segments of all streams, whose task types are those of a chain or the kinds that people see.
///
/// Shape: in the order of the streams and in each of time; members of different instances are different.
pub(crate) fn instances(
    streams: &[Stream],
    segments: Vec<Vec<Segment>>,
    types: usize,
    evidence: &Evidence,
) -> Vec<Instance> {
    let linked = link(segments, types);
    let glued = glue(linked, streams, evidence);
    drop_noise(cut_circles(glued, streams), streams)
}

/// Joins segments that are parts of one task.
fn link(segments: Vec<Vec<Segment>>, types: usize) -> Vec<Instance> {
    let links = links(&segments, types);
    let heads = heads(&links, types);
    let mut instances: Vec<Instance> = Vec::with_capacity(segments.iter().map(Vec::len).sum());
    for (stream, segments) in (0..).zip(segments) {
        let mut before = None;
        for Segment { task_type, members } in segments {
            match instances.last_mut() {
                Some(instance)
                    if before.is_some_and(|before| links.contains(&(before, task_type)))
                        && is_close(&instance.members, &members) =>
                {
                    instance.members.extend(members);
                }
                _ => instances.push(Instance { head: heads[task_type as usize], stream, members }),
            }
            before = Some(task_type);
        }
    }
    instances
}

/// Pairs of types of which the second is a further part of the task that the first begins: each nearly always has the
/// other beside it, or one of them always has, which is then an optional part of the other. A type that is beside half of
/// all segments is beside everything, so that says nothing. The strongest links come first and none closes a circle.
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
    let (mut befores, mut afters) = (vec![0; types], vec![0; types]);
    for (&(from, to), &count) in &follows {
        befores[from as usize] += count;
        afters[to as usize] += count;
    }
    let is_everywhere = |beside: &[usize], at: u32| 2 * beside[at as usize] > all;
    let mut strong: Vec<(f64, u32, u32)> = Vec::new();
    for ((from, to), count) in
        follows.into_iter().filter(|&((from, to), count)| from != to && count >= LINK_EVIDENCE_MIN)
    {
        let (of_from, of_to) = (count as f64 / counts[from as usize] as f64, count as f64 / counts[to as usize] as f64);
        let is_optional = of_from >= OPTIONAL_LINK_MIN && !is_everywhere(&afters, to)
            || of_to >= OPTIONAL_LINK_MIN && !is_everywhere(&befores, from);
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
pub(crate) fn is_beside(left: &Segment, right: &Segment) -> bool {
    is_close(&left.members, &right.members)
}

/// Whether no more lies between than may be foreign inside a task.
fn is_close(left: &[u32], right: &[u32]) -> bool {
    left.last().is_some_and(|last| right[0] - last <= FOREIGN_RUN_MAX as u32 + 1)
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
    let ways = ways(&instances, streams);
    let of = |instance: &Instance| ways[&instance.head].circle;
    let runs: Vec<&[Instance]> =
        instances.chunk_by(|left, right| of(left) == of(right) && left.is_near(right)).collect();
    let mut circles = BTreeMap::<u32, Circle>::new();
    for run in &runs {
        circles.entry(of(&run[0])).or_default().add(run, streams);
    }
    let firsts: BTreeMap<u32, u32> = circles
        .iter()
        .filter_map(|(&name, circle)| {
            let is_whole = |instance: &Instance| !ways[&instance.head].is_fragment;
            Some((name, circle.first(&|instance, at| symbol(instance, at), &is_whole)?))
        })
        .collect();
    if firsts.is_empty() {
        return instances;
    }
    let mut cut = Vec::with_capacity(instances.len());
    for run in runs {
        let name = of(&run[0]);
        match firsts.get(&name) {
            Some(&first) => cut.extend(cut_run(run, streams, first, &circles[&name])),
            None => cut.extend(run.iter().cloned()),
        }
    }
    cut
}

/// What is done again and again, in runs without anything but a few foreign events between the rounds.
#[derive(Debug, Default)]
struct Circle<'a> {
    runs: Vec<&'a [Instance]>,
    /// How many rounds have each symbol.
    having: BTreeMap<u32, usize>,
    rounds: usize,
}

impl<'a> Circle<'a> {
    fn add(&mut self, run: &'a [Instance], streams: &[Stream]) {
        for instance in run {
            let symbols = &streams[instance.stream as usize].symbols;
            let steps: BTreeSet<u32> = instance.members.iter().map(|&at| symbols[at as usize]).collect();
            steps.into_iter().for_each(|step| *self.having.entry(step).or_insert(0) += 1);
        }
        self.rounds += run.len();
        self.runs.push(run);
    }

    /// Whether more than one round has a symbol. What leads to the circle is in the first round alone.
    fn recurs(&self, symbol: u32) -> bool {
        self.having.get(&symbol).is_some_and(|&rounds| rounds > 1)
    }

    /// The symbol at which the circle is entered, if there are rounds, they were cut elsewhere, and it is there once in each.
    fn first(&self, symbol: &dyn Fn(&Instance, u32) -> u32, is_whole: &dyn Fn(&Instance) -> bool) -> Option<u32> {
        let mut entries = BTreeMap::<u32, usize>::new();
        for run in &self.runs {
            let steps = run.iter().flat_map(|round| round.members.iter().map(|&at| symbol(round, at)));
            let entry = { steps }.find(|&of| self.recurs(of));
            *entries.entry(entry.unwrap_or_else(|| symbol(&run[0], run[0].first()))).or_insert(0) += 1;
        }
        let (&first, &count) = entries.iter().max_by_key(|entry| entry.1)?;
        let later = self.runs.iter().flat_map(|run| &run[1..]);
        let begin_there = later.filter(|instance| symbol(instance, instance.first()) == first).count();
        let (mut rounds, mut occurs) = (0, 0);
        for round in self.runs.iter().flat_map(|run| run.iter()).filter(|round| is_whole(round)) {
            rounds += 1;
            occurs += round.members.iter().filter(|&&at| symbol(round, at) == first).count();
        }
        let is_once_a_round = (occurs as f64 - rounds as f64).abs() <= ROUNDS_OFF_MAX * rounds as f64;
        let is_elsewhere = 2 * begin_there < self.rounds - self.runs.len();
        let is_again = self.rounds >= ROUNDS_MIN * self.runs.len();
        let is_entry = count as f64 >= ENTRY_MIN * self.runs.len() as f64;
        (is_again && is_entry && is_elsewhere && is_once_a_round).then_some(first)
    }
}

/// What a task is to the circle that it is a way through.
#[derive(Debug, Clone, Copy)]
struct Way {
    /// The circle, called after a symbol.
    circle: u32,
    /// Whether it is no whole way.
    is_fragment: bool,
}

/// The way that each task is: tasks that mostly begin with one symbol are ways through one circle. So is a fragment that has
/// hardly a step of its own: what is seldom, or is nearly always where a run begins or ends, because the rounds between were
/// cut elsewhere.
fn ways(instances: &[Instance], streams: &[Stream]) -> BTreeMap<u32, Way> {
    let symbol = |instance: &Instance, at: u32| streams[instance.stream as usize].symbols[at as usize];
    let mut begins = BTreeMap::<u32, BTreeMap<u32, usize>>::new();
    let mut steps = BTreeMap::<u32, BTreeSet<u32>>::new();
    let mut edges = BTreeMap::<u32, usize>::new();
    for (at, instance) in instances.iter().enumerate() {
        *begins.entry(instance.head).or_default().entry(symbol(instance, instance.first())).or_insert(0) += 1;
        steps.entry(instance.head).or_default().extend(instance.members.iter().map(|&at| symbol(instance, at)));
        let before = at.checked_sub(1).is_some_and(|before| instances[before].is_near(instance));
        let after = instances.get(at + 1).is_some_and(|after| instance.is_near(after));
        *edges.entry(instance.head).or_insert(0) += usize::from(!before || !after);
    }
    let usual = |begins: &BTreeMap<u32, usize>| begins.iter().max_by_key(|begin| begin.1).map_or(0, |begin| *begin.0);
    let whole = |begins| Way { circle: usual(begins), is_fragment: false };
    let mut ways: BTreeMap<u32, Way> = begins.iter().map(|(&head, begins)| (head, whole(begins))).collect();
    let mut circles = BTreeMap::<u32, (usize, BTreeSet<u32>)>::new();
    for (head, way) in &ways {
        let circle = circles.entry(way.circle).or_default();
        circle.0 += begins[head].values().sum::<usize>();
        circle.1.extend(&steps[head]);
    }
    for (head, way) in &mut ways {
        let count: usize = begins[head].values().sum();
        let is_at_edges = edges[head] as f64 >= EDGES_MIN * count as f64;
        let is_fragment_of = |(_, (of, has)): &(&u32, &(usize, BTreeSet<u32>))| {
            let shared = steps[head].intersection(has).count();
            let is_few = count as f64 <= FRAGMENT_MAX * *of as f64 || is_at_edges && count < *of;
            is_few && shared as f64 >= SHARED_MIN * steps[head].len() as f64
        };
        if let Some((larger, _)) = circles.iter().filter(is_fragment_of).max_by_key(|(_, (of, _))| *of) {
            *way = Way { circle: *larger, is_fragment: true };
        }
    }
    ways
}

/// The members of a run, cut before each occurrence of a symbol; what leads to the circle stays with its first round.
fn cut_run(run: &[Instance], streams: &[Stream], first: u32, circle: &Circle) -> Vec<Instance> {
    let symbols = &streams[run[0].stream as usize].symbols;
    let mut cut: Vec<Instance> = Vec::new();
    let mut is_led = true;
    for &at in run.iter().flat_map(|instance| &instance.members) {
        let symbol = symbols[at as usize];
        match cut.last_mut() {
            Some(instance) if symbol != first || is_led => instance.members.push(at),
            _ => cut.push(Instance { members: vec![at], ..run[0].clone() }),
        }
        is_led &= !circle.recurs(symbol);
    }
    cut
}

/// Leaves out instances beside noise that are a single event, or half of them events whose like is nowhere else:
/// they are noise that resembles a task.
fn drop_noise(mut instances: Vec<Instance>, streams: &[Stream]) -> Vec<Instance> {
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
    let mut noise = (0..instances.len()).map(is_noise).collect::<Vec<bool>>().into_iter();
    instances.retain(|_| noise.next() == Some(false));
    instances
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Segments from letters: `0:abc 1:de`, one after the other in one stream; `-` is a few events that are in none.
    fn drawn(segments: &str) -> String {
        let (mut stream, mut found) = (Stream::default(), Vec::new());
        for text in segments.split_whitespace() {
            if text == "-" {
                stream.symbols.extend([u32::from(b'-'); FOREIGN_RUN_MAX + 1]);
                continue;
            }
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
        let instances = instances(&streams, vec![found], 4, &Evidence::none());
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
    fn two_ways_through_a_circle_are_cut_where_it_is_entered_though_the_first_round_is_a_task_of_its_own() {
        let story = format!("2:abcd {}", "0:efabcd 0:efabcd 1:egabcd 1:egabcd ".repeat(6));
        assert_eq!(drawn(&story), format!("{}abcd", "abcdef abcdef abcdeg abcdeg ".repeat(6)));
    }

    #[test]
    fn what_leads_to_a_circle_stays_with_its_first_round() {
        let story = format!("2:zabcd {}", "0:efabcd ".repeat(12));
        assert_eq!(drawn(&story), format!("zabcdef {}abcd", "abcdef ".repeat(11)));
    }

    #[test]
    fn what_leads_to_a_circle_may_be_an_instance_of_its_own() {
        let story = format!("0:z 2:abcd {}", "0:efabcd ".repeat(12));
        assert_eq!(drawn(&story), format!("zabcdef {}abcd", "abcdef ".repeat(11)));
    }

    #[test]
    fn tasks_that_begin_in_many_ways_and_end_alike_are_no_circle() {
        let story = "2:ab 0:cb 0:db 0:eb 1:fb 1:gb 1:ab 0:cb 1:fb 0:db ".repeat(4);
        assert_eq!(drawn(&story), "ab cb db eb fb gb ab cb fb db ".repeat(4).trim_end());
    }

    #[test]
    fn a_part_that_is_always_after_another_is_a_part_of_it_though_most_of_the_log_is_of_that_one() {
        assert_eq!(drawn(&"0:ab 1:cd - 0:ab - 0:ab - ".repeat(6)), "abcd ab ab ".repeat(6).trim_end());
    }

    #[test]
    fn a_circle_is_cut_where_it_is_entered() {
        assert_eq!(drawn("1:xy 0:ab 0:cab 0:cab 0:cab 0:cabc"), "xy abc abc abc abc abc");
    }
}
