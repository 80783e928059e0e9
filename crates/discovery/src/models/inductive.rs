//! The inductive miner: splits a log at the clearest cut of its directly-follows graph, and each part again.
//!
//! Leemans, Fahland, van der Aalst: "Discovering block-structured process models from event logs containing infrequent
//! behaviour" (BPM Workshops 2013), IMf: cuts are looked for in the whole graph first, then without its infrequent edges.
//! What no cut divides falls through: an activity that is once in every trace, an activity without which there is a cut,
//! a loop around everything, and at last the flower, which allows all. Deviation: activities are visited in the order of their numbers, so that one log has
//! one tree.

use std::collections::{BTreeMap, BTreeSet};

use super::tree::ProcessTree;

/// The activities of one variant, and how many instances have it.
pub type Trace = (Vec<u32>, usize);

/// Depth at which splitting ends with a flower; a tree is never deeper than it has activities, so this is for safety.
const DEPTH_MAX: usize = 200;

/// Mines a process tree.
///
/// `noise` is the share of an activity's most frequent outgoing edge below which an edge is infrequent; 0 keeps all.
///
/// ```
/// # use discovery::models::mine;
/// let traces = [(vec![0, 1, 2], 7), (vec![0, 2, 1], 3)];
/// assert_eq!(mine(&traces, 0.0).to_string(), "->(0, +(1, 2))");
/// ```
pub fn mine(traces: &[Trace], noise: f64) -> ProcessTree {
    mine_part(traces.to_vec(), noise, 0).folded()
}

fn mine_part(mut traces: Vec<Trace>, noise: f64, depth: usize) -> ProcessTree {
    let total: usize = traces.iter().map(|trace| trace.1).sum();
    let empty: usize = traces.iter().filter(|trace| trace.0.is_empty()).map(|trace| trace.1).sum();
    traces.retain(|trace| !trace.0.is_empty());
    if traces.is_empty() {
        return ProcessTree::Silent;
    }
    if empty as f64 > noise * total as f64 {
        return ProcessTree::Exclusive(vec![ProcessTree::Silent, mine_part(traces, noise, depth + 1)]);
    }
    let graph = Graph::new(&traces);
    if let [only] = graph.activities[..]
        && traces.iter().all(|trace| trace.0.len() == 1)
    {
        return ProcessTree::Activity(only);
    }
    if depth >= DEPTH_MAX {
        return flower(&graph);
    }
    let cut = graph.cut().or_else(|| graph.without_infrequent(noise).cut());
    match cut {
        Some(cut) => cut.apply(&traces, noise, depth),
        None => fall_through(traces, &graph, noise, depth),
    }
}

/// A division of activities, and what it means.
enum Cut {
    Exclusive(Vec<BTreeSet<u32>>),
    Sequence(Vec<BTreeSet<u32>>),
    Parallel(Vec<BTreeSet<u32>>),
    Loop(Vec<BTreeSet<u32>>),
}

impl Cut {
    fn apply(&self, traces: &[Trace], noise: f64, depth: usize) -> ProcessTree {
        let mine_all =
            |parts: Vec<Vec<Trace>>| parts.into_iter().map(|part| mine_part(part, noise, depth + 1)).collect();
        match self {
            Cut::Exclusive(parts) => ProcessTree::Exclusive(mine_all(split_exclusive(traces, parts))),
            Cut::Sequence(parts) => ProcessTree::Sequence(mine_all(split_sequence(traces, parts))),
            Cut::Parallel(parts) => ProcessTree::Parallel(mine_all(split_parallel(traces, parts))),
            Cut::Loop(parts) => {
                let mut parts: Vec<ProcessTree> = mine_all(split_loop(traces, parts));
                let back = parts.split_off(1);
                parts.push(ProcessTree::Exclusive(back));
                ProcessTree::Loop(parts)
            }
        }
    }
}

/// Each trace goes to the part that most of its events are in; the others are left out.
fn split_exclusive(traces: &[Trace], parts: &[BTreeSet<u32>]) -> Vec<Vec<Trace>> {
    let mut split = vec![Vec::new(); parts.len()];
    for (trace, count) in traces {
        let inside = |part: &BTreeSet<u32>| trace.iter().filter(|activity| part.contains(activity)).count();
        let best = (0..parts.len()).rev().max_by_key(|&at| inside(&parts[at])).unwrap_or(0);
        split[best].push((restricted(trace, &parts[best]), *count));
    }
    split
}

fn split_parallel(traces: &[Trace], parts: &[BTreeSet<u32>]) -> Vec<Vec<Trace>> {
    let of_part = |part| traces.iter().map(|(trace, count)| (restricted(trace, part), *count)).collect();
    parts.iter().map(of_part).collect()
}

/// Each trace is divided where that leaves fewest events on the wrong side, part by part.
fn split_sequence(traces: &[Trace], parts: &[BTreeSet<u32>]) -> Vec<Vec<Trace>> {
    let mut split = vec![Vec::new(); parts.len()];
    for (trace, count) in traces {
        let mut from = 0;
        for (at, part) in parts.iter().enumerate() {
            let to = if at + 1 == parts.len() { trace.len() } else { end_of_part(trace, from, part, &parts[..at]) };
            split[at].push((restricted(&trace[from..to], part), *count));
            from = to;
        }
    }
    split
}

/// Where a part of a sequence ends best: events of it before count for it, events of later parts against it.
fn end_of_part(trace: &[u32], from: usize, part: &BTreeSet<u32>, earlier: &[BTreeSet<u32>]) -> usize {
    let (mut cost, mut best) = (0, (0, from));
    for (at, activity) in trace.iter().enumerate().skip(from) {
        if part.contains(activity) {
            cost -= 1;
        } else if !earlier.iter().any(|part| part.contains(activity)) {
            cost += 1;
        }
        if cost < best.0 {
            best = (cost, at + 1);
        }
    }
    best.1
}

/// Traces are cut wherever they change between the body and the ways back.
fn split_loop(traces: &[Trace], parts: &[BTreeSet<u32>]) -> Vec<Vec<Trace>> {
    let mut split: Vec<BTreeMap<Vec<u32>, usize>> = vec![BTreeMap::new(); parts.len()];
    let part_of = |activity: &u32| parts.iter().position(|part| part.contains(activity)).unwrap_or(0);
    for (trace, count) in traces {
        let mut last = None;
        for stretch in trace.chunk_by(|left, right| part_of(left) == part_of(right)) {
            let part = part_of(&stretch[0]);
            // Two ways back without a body between, or a way back at an end of the trace: the body was empty.
            if part != 0 && last != Some(0) {
                *split[0].entry(Vec::new()).or_insert(0) += count;
            }
            *split[part].entry(stretch.to_vec()).or_insert(0) += count;
            last = Some(part);
        }
        if last.is_some_and(|last| last != 0) {
            *split[0].entry(Vec::new()).or_insert(0) += count;
        }
    }
    split.into_iter().map(|part| part.into_iter().collect()).collect()
}

fn restricted(trace: &[u32], part: &BTreeSet<u32>) -> Vec<u32> {
    trace.iter().copied().filter(|activity| part.contains(activity)).collect()
}

fn fall_through(traces: Vec<Trace>, graph: &Graph, noise: f64, depth: usize) -> ProcessTree {
    let is_once =
        |activity: &u32| traces.iter().all(|(trace, _)| trace.iter().filter(|at| *at == activity).count() == 1);
    if let Some(&once) = graph.activities.iter().find(|activity| is_once(activity))
        && graph.activities.len() > 1
    {
        let rest =
            traces.into_iter().map(|(trace, count)| (trace.into_iter().filter(|&at| at != once).collect(), count));
        let rest = mine_part(rest.collect(), noise, depth + 1);
        return ProcessTree::Parallel(vec![ProcessTree::Activity(once), rest]);
    }
    if let Some(tree) = activity_apart(&traces, graph, noise, depth) {
        return tree;
    }
    let cut = |strict: bool| -> Vec<Trace> {
        traces
            .iter()
            .flat_map(|(trace, count)| {
                let is_end = |&left: &u32| graph.ends.contains_key(&left) || !strict;
                trace
                    .chunk_by(move |left, right| !(is_end(left) && graph.starts.contains_key(right)))
                    .map(|part| (part.to_vec(), *count))
                    .collect::<Vec<_>>()
            })
            .collect()
    };
    let longer = |parts: &Vec<Trace>| parts.iter().map(|part| part.1).sum::<usize>() > graph.traces;
    match [cut(true), cut(false)].into_iter().find(longer) {
        Some(parts) => ProcessTree::Loop(vec![mine_part(parts, noise, depth + 1), ProcessTree::Silent]),
        None => flower(graph),
    }
}

/// One activity beside all others, if these have a cut without it.
fn activity_apart(traces: &[Trace], graph: &Graph, noise: f64, depth: usize) -> Option<ProcessTree> {
    graph.activities.iter().filter(|_| graph.activities.len() > 1).find_map(|&apart| {
        let without = |&(ref trace, count): &Trace| (trace.iter().copied().filter(|&at| at != apart).collect(), count);
        let rest: Vec<Trace> = traces.iter().map(without).collect();
        Graph::new(&rest).cut()?;
        let own = split_parallel(traces, &[BTreeSet::from([apart])]).swap_remove(0);
        Some(ProcessTree::Parallel(vec![mine_part(own, noise, depth + 1), mine_part(rest, noise, depth + 1)]))
    })
}

/// Any activities in any order, any number of times.
fn flower(graph: &Graph) -> ProcessTree {
    let activities = graph.activities.iter().map(|&activity| ProcessTree::Activity(activity)).collect();
    ProcessTree::Loop(vec![ProcessTree::Silent, ProcessTree::Exclusive(activities)])
}

/// The directly-follows graph of some traces.
#[derive(Debug, Clone)]
struct Graph {
    activities: Vec<u32>,
    edges: BTreeMap<(u32, u32), usize>,
    starts: BTreeMap<u32, usize>,
    ends: BTreeMap<u32, usize>,
    traces: usize,
}

impl Graph {
    fn new(traces: &[Trace]) -> Graph {
        let activities: BTreeSet<u32> = traces.iter().flat_map(|trace| trace.0.iter().copied()).collect();
        let mut graph = Graph {
            activities: activities.into_iter().collect(),
            edges: BTreeMap::new(),
            starts: BTreeMap::new(),
            ends: BTreeMap::new(),
            traces: 0,
        };
        for (trace, count) in traces {
            graph.traces += count;
            if let (Some(&first), Some(&last)) = (trace.first(), trace.last()) {
                *graph.starts.entry(first).or_insert(0) += count;
                *graph.ends.entry(last).or_insert(0) += count;
            }
            for pair in trace.windows(2) {
                *graph.edges.entry((pair[0], pair[1])).or_insert(0) += count;
            }
        }
        graph
    }

    /// Without the edges that are infrequent among those that leave their activity.
    fn without_infrequent(&self, noise: f64) -> Graph {
        let mut most = self.ends.clone();
        for (&(from, _), &count) in &self.edges {
            let entry = most.entry(from).or_insert(0);
            *entry = count.max(*entry);
        }
        let mut graph = self.clone();
        graph.edges.retain(|edge, count| *count as f64 >= noise * most[&edge.0] as f64);
        graph
    }

    fn cut(&self) -> Option<Cut> {
        if self.activities.len() < 2 {
            return None;
        }
        self.exclusive_cut().or_else(|| self.sequence_cut()).or_else(|| self.parallel_cut()).or_else(|| self.loop_cut())
    }

    fn has_edge(&self, from: u32, to: u32) -> bool {
        self.edges.contains_key(&(from, to))
    }

    /// Activities in groups, joined wherever `are_joined` says so of two.
    fn groups(&self, activities: &[u32], are_joined: impl Fn(u32, u32) -> bool) -> Vec<BTreeSet<u32>> {
        let mut groups: Vec<BTreeSet<u32>> = Vec::new();
        for &activity in activities {
            let (mut joined, apart): (Vec<_>, Vec<_>) = groups.into_iter().partition(|group: &BTreeSet<u32>| {
                group.iter().any(|&other| are_joined(activity, other) || are_joined(other, activity))
            });
            let mut group: BTreeSet<u32> = joined.drain(..).flatten().collect();
            group.insert(activity);
            groups = apart;
            groups.push(group);
        }
        groups.sort();
        groups
    }

    fn exclusive_cut(&self) -> Option<Cut> {
        let groups = self.groups(&self.activities, |left, right| self.has_edge(left, right));
        (groups.len() > 1).then_some(Cut::Exclusive(groups))
    }

    /// What can be reached from each activity by one edge or more.
    fn reachable(&self) -> BTreeMap<u32, BTreeSet<u32>> {
        let reach = |&from: &u32| {
            let (mut found, mut open) = (BTreeSet::new(), vec![from]);
            while let Some(at) = open.pop() {
                for (&(_, to), _) in self.edges.range((at, 0)..=(at, u32::MAX)) {
                    if found.insert(to) {
                        open.push(to);
                    }
                }
            }
            (from, found)
        };
        self.activities.iter().map(reach).collect()
    }

    /// Groups of activities that reach each other both ways or neither way, in the order in which they reach the next;
    /// groups that may be passed over together are then one (the strict cut of Leemans, thesis 2017, section 6.2.2).
    fn sequence_cut(&self) -> Option<Cut> {
        let reach = self.reachable();
        let reaches = |from: u32, to: u32| reach[&from].contains(&to);
        let mut groups = self.groups(&self.activities, |left, right| reaches(left, right) == reaches(right, left));
        groups.sort_by_key(|group| {
            let first = group.first().copied().unwrap_or(0);
            std::cmp::Reverse(self.activities.iter().filter(|&&to| !group.contains(&to) && reaches(first, to)).count())
        });
        (groups.len() > 1).then(|| Cut::Sequence(self.strict(groups)))
    }

    /// Joins neighbours between which traces may begin, end or jump over a whole group.
    fn strict(&self, groups: Vec<BTreeSet<u32>>) -> Vec<BTreeSet<u32>> {
        let position: BTreeMap<u32, usize> =
            groups.iter().enumerate().flat_map(|(at, group)| group.iter().map(move |&of| (of, at))).collect();
        // The first group that each group may be followed by beyond the next, and so on: jumps over a pivot.
        let mut forward: Vec<usize> = (0..groups.len()).collect();
        let mut backward: Vec<usize> = (0..groups.len()).collect();
        for &(from, to) in self.edges.keys() {
            let (from, to) = (position[&from], position[&to]);
            forward[from] = forward[from].max(to);
            backward[to] = backward[to].min(from);
        }
        self.starts.keys().for_each(|start| {
            let at = position[start];
            backward[at] = 0;
        });
        let is_start_of_all = |at: usize| self.starts.keys().any(|start| position[start] == at);
        let is_end_of_all = |at: usize| self.ends.keys().any(|end| position[end] == at);
        let mut joined: Vec<BTreeSet<u32>> = Vec::new();
        let mut at = 0;
        while at < groups.len() {
            // A pivot is a group that no trace jumps over; the groups up to it that only it makes optional join it.
            let jumped = |middle: usize| {
                (0..middle).any(|from| forward[from] > middle)
                    || (middle + 1..groups.len()).any(is_start_of_all)
                    || (0..middle).any(is_end_of_all)
            };
            let mut group = groups[at].clone();
            let mut next = at + 1;
            if jumped(at) {
                while next < groups.len() && jumped(next) && self.is_jumped_together(&groups, &position, at, next) {
                    group.extend(&groups[next]);
                    next += 1;
                }
            }
            joined.push(group);
            at = next;
        }
        if joined.len() > 1 { joined } else { groups }
    }

    /// Whether every jump over one group is one over the other too, so that both are there or neither.
    fn is_jumped_together(
        &self,
        groups: &[BTreeSet<u32>],
        position: &BTreeMap<u32, usize>,
        left: usize,
        right: usize,
    ) -> bool {
        let jumps = |middle: usize| -> BTreeSet<(usize, usize)> {
            let edges = self.edges.keys().map(|(from, to)| (position[from] + 1, position[to] + 1));
            let starts = self.starts.keys().map(|start| (0, position[start] + 1));
            let ends = self.ends.keys().map(|end| (position[end] + 1, groups.len() + 1));
            edges.chain(starts).chain(ends).filter(|&(from, to)| from < middle + 1 && middle + 1 < to).collect()
        };
        jumps(left) == jumps(right)
    }

    /// Groups between which every activity follows every other directly, each with a start and an end.
    fn parallel_cut(&self) -> Option<Cut> {
        let groups =
            self.groups(&self.activities, |left, right| !self.has_edge(left, right) || !self.has_edge(right, left));
        let has =
            |group: &BTreeSet<u32>, of: &BTreeMap<u32, usize>| group.iter().any(|activity| of.contains_key(activity));
        let (mut whole, mut parts): (Vec<_>, Vec<_>) =
            groups.into_iter().partition(|group| has(group, &self.starts) && has(group, &self.ends));
        match whole.first_mut() {
            Some(first) => parts.drain(..).for_each(|part| first.extend(part)),
            None => return None,
        }
        (whole.len() > 1).then_some(Cut::Parallel(whole))
    }

    /// The body, with all starts and ends, and the ways from its ends back to its starts.
    fn loop_cut(&self) -> Option<Cut> {
        let mut body: BTreeSet<u32> = self.starts.keys().chain(self.ends.keys()).copied().collect();
        let outside: Vec<u32> = self.activities.iter().copied().filter(|activity| !body.contains(activity)).collect();
        let mut back = Vec::new();
        for group in self.groups(&outside, |left, right| self.has_edge(left, right)) {
            if self.is_way_back(&group) {
                back.push(group);
            } else {
                body.extend(group);
            }
        }
        if back.is_empty() {
            return None;
        }
        let mut parts = vec![body];
        parts.extend(back);
        Some(Cut::Loop(parts))
    }

    /// Whether a group is entered only from ends and left only to starts; and, where it is, from all and to all.
    fn is_way_back(&self, group: &BTreeSet<u32>) -> bool {
        let enters = |(from, to): (u32, u32)| !group.contains(&from) && group.contains(&to);
        let leaves = |(from, to): (u32, u32)| group.contains(&from) && !group.contains(&to);
        let is_clean = self.edges.keys().all(|&edge| {
            (!enters(edge) || self.ends.contains_key(&edge.0)) && (!leaves(edge) || self.starts.contains_key(&edge.1))
        });
        let entered: Vec<u32> = self.edges.keys().filter(|&&edge| enters(edge)).map(|edge| edge.1).collect();
        let left: Vec<u32> = self.edges.keys().filter(|&&edge| leaves(edge)).map(|edge| edge.0).collect();
        let from_all = entered.iter().all(|&to| self.ends.keys().all(|&end| self.has_edge(end, to)));
        let to_all = left.iter().all(|&from| self.starts.keys().all(|&start| self.has_edge(from, start)));
        is_clean && from_all && to_all && !entered.is_empty() && !left.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mines traces of letters, `abc*3 acb`, without noise.
    fn mined(log: &str, noise: f64) -> String {
        let traces: Vec<Trace> = log
            .split_whitespace()
            .map(|text| {
                let (letters, count) = text.split_once('*').unwrap_or((text, "1"));
                (letters.bytes().map(|letter| u32::from(letter - b'a')).collect(), count.parse().unwrap())
            })
            .collect();
        mine(&traces, noise).to_string()
    }

    #[test]
    fn steps_that_always_follow_each_other_are_a_sequence() {
        assert_eq!(mined("abc*3", 0.0), "->(0, 1, 2)");
    }

    #[test]
    fn steps_that_never_meet_exclude_each_other() {
        assert_eq!(mined("abd*3 acd", 0.0), "->(0, X(1, 2), 3)");
    }

    #[test]
    fn steps_in_either_order_are_parallel() {
        assert_eq!(mined("abcd acbd", 0.0), "->(0, +(1, 2), 3)");
    }

    #[test]
    fn a_step_that_leads_back_makes_a_loop() {
        assert_eq!(mined("abc abcdabc", 0.0), "*(->(0, 1, 2), 3)");
    }

    #[test]
    fn steps_that_are_passed_over_together_are_optional_together() {
        assert_eq!(mined("abcd*2 ad", 0.0), "->(0, X(tau, ->(1, 2)), 3)");
    }

    #[test]
    fn a_task_done_twice_in_one_trace_is_a_loop() {
        assert_eq!(mined("abcabc abc*50", 0.0), "*(->(0, 1, 2), tau)");
    }

    #[test]
    fn an_infrequent_way_back_is_left_out_if_noise_is_allowed() {
        let log = "abcd*50 abcbd";
        assert_ne!(mined(log, 0.0), "->(0, 1, 2, 3)");
        assert_eq!(mined(log, 0.2), "->(0, 1, 2, 3)");
    }
}
