//! How good a segmentation is, measured against a known truth.
//!
//! The definitions are those under which published figures can be compared; each measure alone can be fooled, so all are
//! given. Nothing of discovery looks at a truth: this is for benchmarks and tests.
//!
//! ```text
//! truth   [---- 0 ----][-- 1 --] . . [---- 2 ----]       . noise
//! found   [---- a ----][---- b ----] [---- c ----]       starts hit 3 of 3; b holds 1 at 8/12 of their union: missed
//! ```

use std::collections::HashMap;

/// Instances longer than this are compared by overlap, not by edit distance, which is quadratic.
pub const EDIT_EVENTS_MAX: usize = 4_000;

/// Intersection over union from which an instance counts as found.
pub const INSTANCE_OVERLAP_MIN: f64 = 0.8;

/// How many overlapping true instances are compared with a found one by edit distance.
const NEAREST_MAX: usize = 3;

/// An instance and a task type per row; row `None` belongs to no task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Label {
    /// Number of the instance.
    pub instance: u32,
    /// Number of its task type.
    pub task_type: u32,
}

/// What was measured. All are fractions; for `led` less is better, for the others more.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scores {
    /// Mean over found instances of the edit distance to the nearest overlapping true one, over the longer length.
    pub led: f64,
    /// F1 of exact first rows of instances.
    pub boundary_f1: f64,
    /// F1 of first rows of instances within two rows.
    pub near_boundary_f1: f64,
    /// F1 of instances matched at [`INSTANCE_OVERLAP_MIN`].
    pub instance_f1: f64,
    /// Event-weighted F1 of task types, each found type standing for the true type it mostly holds.
    pub type_f1: f64,
    /// Adjusted Rand index of task types over rows of true instances.
    pub rand_index: f64,
    /// Precision and recall of rows left out as noise; absent if the log has no noise.
    pub noise: Option<(f64, f64)>,
    /// Number of found instances.
    pub instances: usize,
    /// Number of found types.
    pub types: usize,
}

/// Scores a segmentation.
///
/// Shape: `classes` tells events apart for the edit distance; all three have one entry per row.
///
/// ```
/// # use discovery::score::{Label, score};
/// let label = |instance| Some(Label { instance, task_type: 0 });
/// let truth = [label(0), label(0), label(1), label(1)];
/// let found = [label(0), label(0), label(0), label(0)];
/// assert_eq!(score(&[1, 2, 1, 2], &truth, &truth).led, 0.0);
/// assert_eq!(score(&[1, 2, 1, 2], &truth, &found).led, 0.5);
/// ```
pub fn score(classes: &[u32], truth: &[Option<Label>], found: &[Option<Label>]) -> Scores {
    let (true_groups, found_groups) = (groups(truth), groups(found));
    let (led, hits) = instances(classes, &true_groups, &found_groups);
    let starts = |groups: &[Vec<usize>]| groups.iter().map(|group| group[0]).collect::<Vec<_>>();
    let near = |rows| starts_f1(&starts(&found_groups), &starts(&true_groups), rows);
    let table = Contingency::new(truth, found);
    let mut types: Vec<u32> = found.iter().flatten().map(|label| label.task_type).collect();
    types.sort_unstable();
    types.dedup();
    Scores {
        led,
        boundary_f1: near(0),
        near_boundary_f1: near(2),
        instance_f1: f1(hits, found_groups.len(), true_groups.len()),
        type_f1: table.type_f1(),
        rand_index: table.rand_index(),
        noise: noise(truth, found),
        instances: found_groups.len(),
        types: types.len(),
    }
}

/// The rows of each instance, instances in the order in which they begin.
fn groups(labels: &[Option<Label>]) -> Vec<Vec<usize>> {
    let (mut groups, mut known) = (Vec::<Vec<usize>>::new(), HashMap::new());
    for (row, label) in labels.iter().enumerate() {
        let Some(label) = label else { continue };
        let at = *known.entry(label.instance).or_insert(groups.len());
        if at == groups.len() {
            groups.push(Vec::new());
        }
        groups[at].push(row);
    }
    groups
}

/// The mean edit distance, and how many true instances were found.
fn instances(classes: &[u32], truth: &[Vec<usize>], found: &[Vec<usize>]) -> (f64, usize) {
    let mut owner = vec![usize::MAX; classes.len()];
    for (at, group) in truth.iter().enumerate() {
        group.iter().for_each(|&row| owner[row] = at);
    }
    let mut is_found = vec![false; truth.len()];
    let mut distances = 0.0;
    for group in found {
        let overlaps = overlaps(group, &owner);
        for &(at, common) in &overlaps {
            let union = group.len() + truth[at].len() - common;
            is_found[at] |= common as f64 / union as f64 >= INSTANCE_OVERLAP_MIN;
        }
        let nearest = overlaps.iter().take(NEAREST_MAX);
        distances += nearest.map(|&(at, common)| distance(classes, group, &truth[at], common)).fold(1.0, f64::min);
    }
    let mean = if found.is_empty() { 1.0 } else { distances / found.len() as f64 };
    (mean, is_found.iter().filter(|&&is_found| is_found).count())
}

/// The true instances that share rows with a group, most rows first, then in the order met.
fn overlaps(group: &[usize], owner: &[usize]) -> Vec<(usize, usize)> {
    let mut overlaps = Vec::<(usize, usize)>::new();
    let mut positions = HashMap::new();
    for &row in group.iter().filter(|&&row| owner[row] != usize::MAX) {
        let at = *positions.entry(owner[row]).or_insert(overlaps.len());
        if at == overlaps.len() {
            overlaps.push((owner[row], 0));
        }
        overlaps[at].1 += 1;
    }
    overlaps.sort_by_key(|&(_, common)| std::cmp::Reverse(common));
    overlaps
}

fn distance(classes: &[u32], found: &[usize], truth: &[usize], common: usize) -> f64 {
    let longer = found.len().max(truth.len());
    let edits = if longer > EDIT_EVENTS_MAX { longer - common } else { edit_distance(classes, found, truth) };
    edits as f64 / longer as f64
}

fn edit_distance(classes: &[u32], left: &[usize], right: &[usize]) -> usize {
    let mut previous: Vec<usize> = (0..=left.len()).collect();
    let mut current = previous.clone();
    for (below, &y) in right.iter().enumerate() {
        current[0] = below + 1;
        for (at, &x) in left.iter().enumerate() {
            let replaced = previous[at] + usize::from(classes[x] != classes[y]);
            current[at + 1] = replaced.min(previous[at + 1] + 1).min(current[at] + 1);
        }
        std::mem::swap(&mut previous, &mut current);
    }
    previous[left.len()]
}

/// F1 of starts; each true start serves one found start within the tolerance, the earliest first.
fn starts_f1(found: &[usize], truth: &[usize], tolerance: usize) -> f64 {
    let (mut found, mut free) = (found.to_vec(), truth.to_vec());
    found.sort_unstable();
    free.sort_unstable();
    let (mut hits, mut next) = (0, 0);
    for start in &found {
        while next < free.len() && free[next] + tolerance < *start {
            next += 1;
        }
        if next < free.len() && free[next] <= start + tolerance {
            next += 1;
            hits += 1;
        }
    }
    f1(hits, found.len(), truth.len())
}

fn f1(hits: usize, found: usize, truth: usize) -> f64 {
    if hits == 0 {
        return 0.0;
    }
    let (precision, recall) = (hits as f64 / found as f64, hits as f64 / truth as f64);
    2.0 * precision * recall / (precision + recall)
}

fn noise(truth: &[Option<Label>], found: &[Option<Label>]) -> Option<(f64, f64)> {
    let noise = truth.iter().filter(|label| label.is_none()).count();
    let left_out = found.iter().filter(|label| label.is_none()).count();
    let right = truth.iter().zip(found).filter(|(truth, found)| truth.is_none() && found.is_none()).count();
    let precision = if left_out == 0 { 0.0 } else { right as f64 / left_out as f64 };
    (noise > 0).then(|| (precision, right as f64 / noise as f64))
}

/// How many rows of true instances have each pair of found and true type.
struct Contingency {
    /// By (found type or none, true type), in the order met.
    cells: Vec<((Option<u32>, u32), usize)>,
    rows: usize,
}

impl Contingency {
    fn new(truth: &[Option<Label>], found: &[Option<Label>]) -> Contingency {
        let (mut cells, mut known, mut rows) = (Vec::new(), HashMap::new(), 0);
        for (truth, found) in truth.iter().zip(found) {
            let Some(truth) = truth else { continue };
            let key = (found.map(|label| label.task_type), truth.task_type);
            let at = *known.entry(key).or_insert_with(|| {
                cells.push((key, 0));
                cells.len() - 1
            });
            cells[at].1 += 1;
            rows += 1;
        }
        Contingency { cells, rows }
    }

    /// The true type that most rows of each found type have; of equals the one met first.
    fn mapping(&self) -> HashMap<u32, u32> {
        let mut best = HashMap::<u32, (u32, usize)>::new();
        for &((found, truth), rows) in &self.cells {
            let Some(found) = found else { continue };
            let entry = best.entry(found).or_insert((truth, rows));
            if rows > entry.1 {
                *entry = (truth, rows);
            }
        }
        best.into_iter().map(|(found, (truth, _))| (found, truth)).collect()
    }

    fn type_f1(&self) -> f64 {
        let mapping = self.mapping();
        let (mut totals, mut claimed, mut right) = (Vec::new(), HashMap::new(), HashMap::new());
        for &((found, truth), rows) in &self.cells {
            add(&mut totals, truth, rows);
            let Some(stands_for) = found.and_then(|found| mapping.get(&found)).copied() else { continue };
            *claimed.entry(stands_for).or_insert(0) += rows;
            if stands_for == truth {
                *right.entry(truth).or_insert(0) += rows;
            }
        }
        let of = |counts: &HashMap<u32, usize>, key| counts.get(&key).copied().unwrap_or(0);
        let weighted = |&(truth, total): &(u32, usize)| {
            total as f64 * f1(of(&right, truth), of(&claimed, truth), total) / self.rows as f64
        };
        totals.iter().map(weighted).sum()
    }

    fn rand_index(&self) -> f64 {
        let pairs = |count: usize| count as f64 * (count as f64 - 1.0) / 2.0;
        let (mut by_found, mut by_truth) = (Vec::new(), Vec::new());
        for &((found, truth), rows) in &self.cells {
            add(&mut by_found, found, rows);
            add(&mut by_truth, truth, rows);
        }
        let both: f64 = self.cells.iter().map(|cell| pairs(cell.1)).sum();
        let found: f64 = by_found.iter().map(|cell| pairs(cell.1)).sum();
        let truth: f64 = by_truth.iter().map(|cell| pairs(cell.1)).sum();
        let expected = if self.rows > 1 { found * truth / pairs(self.rows) } else { 0.0 };
        let mean = (found + truth) / 2.0;
        if mean == expected { 1.0 } else { (both - expected) / (mean - expected) }
    }
}

fn add<K: PartialEq>(counts: &mut Vec<(K, usize)>, key: K, rows: usize) {
    match counts.iter_mut().find(|cell| cell.0 == key) {
        Some(cell) => cell.1 += rows,
        None => counts.push((key, rows)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Labels from letters: a letter is an instance, lower and upper case its type, a dot noise.
    fn labels(text: &str) -> Vec<Option<Label>> {
        let label = |letter: char| Label {
            instance: u32::from(letter.to_ascii_lowercase()),
            task_type: u32::from(letter.is_ascii_uppercase()),
        };
        text.chars().map(|letter| (letter != '.').then(|| label(letter))).collect()
    }

    fn scores(truth: &str, found: &str) -> Scores {
        let classes: Vec<u32> = (0..truth.len() as u32).map(|row| row % 3).collect();
        score(&classes, &labels(truth), &labels(found))
    }

    #[test]
    fn the_truth_itself_scores_best() {
        let scores = scores("aaaBBB..ccc", "aaaBBB..ccc");
        assert_eq!((scores.led, scores.boundary_f1, scores.instance_f1), (0.0, 1.0, 1.0));
        assert_eq!((scores.type_f1, scores.rand_index, scores.noise), (1.0, 1.0, Some((1.0, 1.0))));
    }

    #[test]
    fn two_instances_taken_for_one_cost_a_start_and_an_instance() {
        let scores = scores("aaabbb", "cccccc");
        assert_eq!((scores.led, scores.instance_f1), (0.5, 0.0));
        assert!((scores.boundary_f1 - 2.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn a_start_two_rows_off_is_near_but_not_exact() {
        let scores = scores("aaaabbbb", "aaaaaabb");
        assert_eq!((scores.boundary_f1, scores.near_boundary_f1), (0.5, 1.0));
    }

    #[test]
    fn noise_that_is_kept_lowers_recall_and_rows_left_out_lower_precision() {
        assert_eq!(scores("aaaa..", "aaa.b.").noise, Some((0.5, 0.5)));
    }

    #[test]
    fn one_type_for_two_earns_the_larger_half_and_no_agreement() {
        let scores = scores("aaaaBB", "aaaabb");
        assert!((scores.type_f1 - 4.0 / 6.0 * 0.8).abs() < 1e-12);
        assert_eq!(scores.rand_index, 0.0);
    }
}
