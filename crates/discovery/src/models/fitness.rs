//! How well a process tree explains traces.
//!
//! The measure is that of an optimal alignment: the fewest steps that must be left out of the trace, or done without
//! being seen, for the model to follow it, against the cost of doing all of both apart (Adriansyah et al., EDOC 2011).
//! It is exact for block-structured trees without parallel blocks; a parallel block is taken as any order of its
//! activities' counts, which is the optimum if each of its children is a step, and a bound otherwise.

use super::inductive::Trace;
use super::tree::ProcessTree;

/// The share of steps that the model can follow, weighted by instances: 1 if it explains all, 0 if nothing.
///
/// ```
/// # use discovery::models::{fitness, mine};
/// let traces = [(vec![0, 1, 2], 9)];
/// assert_eq!(fitness(&mine(&traces, 0.0), &traces), 1.0);
/// assert!(fitness(&mine(&traces, 0.0), &[(vec![0, 2, 2], 1)]) < 1.0);
/// ```
pub fn fitness(tree: &ProcessTree, traces: &[Trace]) -> f64 {
    let shortest = alignment(tree, &[])[0];
    let (mut cost, mut worst) = (0, 0);
    for (trace, count) in traces {
        cost += alignment(tree, trace)[trace.len()] * count;
        worst += (shortest + trace.len()) * count;
    }
    if worst == 0 { 1.0 } else { 1.0 - cost as f64 / worst as f64 }
}

/// For every prefix of a trace, the fewest moves that only the trace or only the model makes.
fn alignment(tree: &ProcessTree, trace: &[u32]) -> Vec<usize> {
    let begin: Vec<usize> = (0..=trace.len()).collect();
    advance(tree, trace, &begin)
}

/// The cost of having gone through a tree by each position, given the cost of having begun at each.
fn advance(tree: &ProcessTree, trace: &[u32], begin: &[usize]) -> Vec<usize> {
    let mut costs = match tree {
        ProcessTree::Silent => begin.to_vec(),
        ProcessTree::Activity(activity) => (0..begin.len())
            .map(|at| {
                let followed = at > 0 && trace[at - 1] == *activity;
                if followed { begin[at - 1].min(begin[at] + 1) } else { begin[at] + 1 }
            })
            .collect(),
        ProcessTree::Sequence(children) => {
            children.iter().fold(begin.to_vec(), |costs, child| advance(child, trace, &costs))
        }
        ProcessTree::Exclusive(children) => {
            let all = children.iter().map(|child| advance(child, trace, begin));
            all.reduce(cheaper).unwrap_or_else(|| begin.to_vec())
        }
        ProcessTree::Loop(children) => loop_costs(children, trace, begin),
        ProcessTree::Parallel(children) => parallel_costs(children, trace, begin),
    };
    skip(&mut costs);
    costs
}

/// A step of the trace may be left out anywhere.
fn skip(costs: &mut [usize]) {
    for at in 1..costs.len() {
        costs[at] = costs[at].min(costs[at - 1] + 1);
    }
}

fn cheaper(left: Vec<usize>, right: Vec<usize>) -> Vec<usize> {
    left.into_iter().zip(right).map(|(left, right)| left.min(right)).collect()
}

fn loop_costs(children: &[ProcessTree], trace: &[u32], begin: &[usize]) -> Vec<usize> {
    let Some((body, back)) = children.split_first() else { return begin.to_vec() };
    let mut done = advance(body, trace, begin);
    // Every round that helps follows a step of the trace, so there are no more of them than steps.
    for _ in 0..trace.len() {
        let returned = back.iter().map(|child| advance(child, trace, &done)).reduce(cheaper);
        let again = advance(body, trace, &returned.unwrap_or_else(|| done.clone()));
        let better = cheaper(done.clone(), again);
        if better == done {
            break;
        }
        done = better;
    }
    done
}

/// Parallel children of which each is aligned with its own activities in every stretch of the trace.
fn parallel_costs(children: &[ProcessTree], trace: &[u32], begin: &[usize]) -> Vec<usize> {
    let mut costs = vec![usize::MAX / 2; begin.len()];
    for from in 0..begin.len() {
        if from > 0 && begin[from] > begin[from - 1] {
            continue;
        }
        let stretch = &trace[from..];
        let mut foreign = vec![0; stretch.len() + 1];
        let mut total = vec![begin[from]; stretch.len() + 1];
        for (at, activity) in stretch.iter().enumerate() {
            foreign[at + 1] = foreign[at] + usize::from(!children.iter().any(|child| has(child, *activity)));
        }
        for child in children {
            let own: Vec<usize> = (0..stretch.len()).filter(|&at| has(child, stretch[at])).collect();
            let restricted: Vec<u32> = own.iter().map(|&at| stretch[at]).collect();
            let aligned = alignment(child, &restricted);
            for (length, total) in total.iter_mut().enumerate() {
                *total += aligned[own.partition_point(|&at| at < length)];
            }
        }
        for (length, total) in total.into_iter().enumerate() {
            costs[from + length] = costs[from + length].min(total + foreign[length]);
        }
    }
    costs
}

fn has(tree: &ProcessTree, activity: u32) -> bool {
    *tree == ProcessTree::Activity(activity) || tree.children().iter().any(|child| has(child, activity))
}

#[cfg(test)]
mod tests {
    use super::super::inductive::mine;
    use super::*;

    #[test]
    fn a_model_explains_the_log_it_was_mined_from() {
        let traces = [(vec![0, 1, 2, 3], 4), (vec![0, 2, 1, 3], 3), (vec![0, 1, 2, 4, 1, 2, 3], 2), (vec![0, 3], 1)];
        assert_eq!(fitness(&mine(&traces, 0.0), &traces), 1.0);
    }

    #[test]
    fn each_step_that_is_missing_or_too_much_counts_once() {
        let tree = ProcessTree::Sequence(vec![ProcessTree::Activity(0), ProcessTree::Activity(1)]);
        assert_eq!(fitness(&tree, &[(vec![0], 1)]), 1.0 - 1.0 / 3.0);
        assert_eq!(fitness(&tree, &[(vec![0, 7, 1], 1)]), 1.0 - 1.0 / 5.0);
    }
}
