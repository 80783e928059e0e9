//! First guesses at where tasks begin, from which the segmentation is then refined.

use std::collections::HashMap;
use std::ops::Range;

use super::chain::{Shares, row_cost, tables_cost, transition_cost};
use super::pauses::class_from_rank;
use super::segmentation::{Stream, returns};
use super::typing::{type_cost, types_cost};
use crate::pairs::BuildMix;

/// Ranks from which a pause is taken for a boundary, one guess each.
const PAUSE_RANKS: [f64; 4] = [0.8, 0.9, 0.95, 0.98];

/// Nats for a step done before in a segment, one search for each: what suits a log is not known before it is understood.
const RETURN_COSTS: [f64; 2] = [0.3, 0.6];

/// Symbols that are tried as the begin of a task, the most frequent ones: so many at least, further ones as long as they
/// are not much rarer than these, and so many at most.
const ANCHORS_TRIED_MIN: usize = 60;
const ANCHOR_SHARE_MIN: f64 = 0.25;
const ANCHORS_TRIED_MAX: usize = 200;

/// A symbol must occur so often to be tried.
const ANCHOR_OCCURRENCES_MIN: usize = 3;

/// Several guesses: for each stream, whether a segment begins at each action.
pub(crate) fn guesses(streams: &[Stream], shares: &Shares, use_pauses: bool) -> Vec<Vec<Vec<bool>>> {
    let symbols: Vec<&[u32]> = streams.iter().map(|stream| stream.symbols.as_slice()).collect();
    let mut guesses = vec![by_words(&symbols)];
    for return_cost in RETURN_COSTS {
        for begin_with_first in [false, true] {
            let guess = by_anchor(&symbols, shares, begin_with_first, return_cost);
            if !guesses.contains(&guess) {
                guesses.push(guess);
            }
        }
    }
    if use_pauses {
        guesses.extend(PAUSE_RANKS.iter().map(|&rank| by_pause(streams, rank)));
    }
    guesses
}

/// Boundaries where the pause is among the longest of all.
fn by_pause(streams: &[Stream], rank: f64) -> Vec<Vec<bool>> {
    let class = class_from_rank(rank);
    streams.iter().map(|stream| stream.classes.iter().map(|&of| of >= class).collect()).collect()
}

/// Boundaries before every occurrence of a few symbols, chosen so that the symbol that begins a segment tells most about
/// what follows: each chosen symbol is a type of its own, and one is added or dropped as long as that saves nats.
///
/// The search begins with the symbols that begin streams, or with none.
fn by_anchor(streams: &[&[u32]], shares: &Shares, begin_with_first: bool, return_cost: f64) -> Vec<Vec<bool>> {
    let mut counts: HashMap<u32, usize, BuildMix> = HashMap::default();
    streams.iter().flat_map(|symbols| symbols.iter()).for_each(|&symbol| *counts.entry(symbol).or_insert(0) += 1);
    let mut tried: Vec<(usize, u32)> = counts
        .into_iter()
        .filter(|&(_, count)| count >= ANCHOR_OCCURRENCES_MIN)
        .map(|(symbol, count)| (count, symbol))
        .collect();
    tried.sort_unstable_by(|left, right| right.cmp(left));
    tried.truncate(ANCHORS_TRIED_MAX);
    let seldom = tried.get(ANCHORS_TRIED_MIN).map_or(0.0, |&(count, _)| ANCHOR_SHARE_MIN * count as f64);
    tried.retain(|&(count, _)| count as f64 >= seldom);
    let mut anchors = vec![false; shares.border() as usize];
    if begin_with_first {
        streams.iter().filter_map(|symbols| symbols.first()).for_each(|&symbol| anchors[symbol as usize] = true);
    }
    let mut anchored = Anchored::new(streams, anchors, shares, return_cost);
    loop {
        let changes = tried.iter().map(|&(_, symbol)| (anchored.change_if_toggled(symbol), symbol));
        match changes.min_by(|left, right| left.0.total_cmp(&right.0)) {
            Some((change, symbol)) if change < -GAIN_MIN => anchored.toggle(symbol),
            _ => break,
        }
    }
    let anchors = anchored.anchors;
    streams.iter().map(|symbols| symbols.iter().map(|&symbol| anchors[symbol as usize]).collect()).collect()
}

/// Nats that one more symbol, or one less, must save.
const GAIN_MIN: f64 = 1e-9;

/// A transition of a type: type, from, to.
type Place = (u32, u32, u32);

type Map<K, V> = HashMap<K, V, BuildMix>;

/// Streams cut before each anchor, where the first symbol of a segment is its type, and what that takes to code.
///
/// Another anchor changes the segments that have it and nothing else, so only their transitions are counted again.
struct Anchored<'a> {
    streams: &'a [&'a [u32]],
    shares: &'a Shares,
    return_cost: f64,
    anchors: Vec<bool>,
    /// The streams with what lies between their anchors, as ranges.
    segments: Vec<(&'a [u32], Vec<Range<usize>>)>,
    transitions: Map<Place, u32>,
    rows: Map<(u32, u32), u32>,
    tables: Map<(u32, u32), u32>,
    tables_of_type: Map<u32, u32>,
}

impl<'a> Anchored<'a> {
    fn new(streams: &'a [&'a [u32]], anchors: Vec<bool>, shares: &'a Shares, return_cost: f64) -> Anchored<'a> {
        let mut anchored = Anchored {
            streams,
            shares,
            return_cost,
            anchors,
            segments: Vec::new(),
            transitions: Map::default(),
            rows: Map::default(),
            tables: Map::default(),
            tables_of_type: Map::default(),
        };
        anchored.count();
        anchored
    }

    fn toggle(&mut self, symbol: u32) {
        self.anchors[symbol as usize] ^= true;
        self.count();
    }

    /// Cuts the streams and counts what their segments hold.
    fn count(&mut self) {
        let cut = |symbols: &'a [u32]| {
            let begins = (1..symbols.len()).filter(|&at| self.anchors[symbols[at] as usize]);
            let mut begins: Vec<usize> = std::iter::once(0).chain(begins).collect();
            begins.push(symbols.len());
            (symbols, begins.windows(2).map(|pair| pair[0]..pair[1]).filter(|range| !range.is_empty()).collect())
        };
        self.segments = self.streams.iter().map(|&symbols| cut(symbols)).collect();
        let mut places: Vec<(Place, i32)> = Vec::new();
        for (symbols, segments) in &self.segments {
            for range in segments {
                self.push_segment(&mut places, &symbols[range.clone()], 1);
            }
        }
        self.transitions.clear();
        self.rows.clear();
        self.tables.clear();
        self.tables_of_type.clear();
        for (place, count) in summed(places) {
            let (of, from, to) = place;
            self.transitions.insert(place, count as u32);
            *self.rows.entry((of, from)).or_insert(0) += count as u32;
            *self.tables.entry((of, to)).or_insert(0) += 1;
            *self.tables_of_type.entry(of).or_insert(0) += 1;
        }
    }

    fn push_segment(&self, places: &mut Vec<(Place, i32)>, segment: &[u32], count: i32) {
        let border = self.shares.border();
        places.push(((segment[0], border, segment[0]), count));
        places.extend(segment.windows(2).map(|pair| ((segment[0], pair[0], pair[1]), count)));
        places.push(((segment[0], segment[segment.len() - 1], border), count));
    }

    /// Nats that all streams take more if segments begin at a symbol where they do not, or no more where they do.
    fn change_if_toggled(&self, symbol: u32) -> f64 {
        let is_anchor = self.anchors[symbol as usize];
        let (mut places, mut returned) = (Vec::new(), 0.0);
        for (symbols, segments) in &self.segments {
            // As long as the symbol is an anchor, a segment that it would be in is the one before and all that it begins.
            let is_later = |range: &Range<usize>| range.start > 0 && symbols[range.start] == symbol;
            for run in segments.chunk_by(|_, next| is_later(next)) {
                let whole = &symbols[run[0].start..run[run.len() - 1].end];
                if !whole[1..].contains(&symbol) {
                    continue;
                }
                self.push_segment(&mut places, whole, -1);
                returned -= returns(whole);
                let mut from = 0;
                for to in 1..=whole.len() {
                    if to == whole.len() || whole[to] == symbol {
                        self.push_segment(&mut places, &whole[from..to], 1);
                        returned += returns(&whole[from..to]);
                        from = to;
                    }
                }
            }
        }
        let (sign, unit) = if is_anchor { (-1.0, -1) } else { (1.0, 1) };
        places.iter_mut().for_each(|place| place.1 *= unit);
        self.change(&summed(places)) + sign * self.return_cost * returned
    }

    /// Nats for counts that change, after the closed form of [`Chain::cost`] and [`Typing::cost`].
    ///
    /// Shape: `changes` are in the order of their places, none of them 0.
    ///
    /// [`Chain::cost`]: super::chain::Chain::cost
    /// [`Typing::cost`]: super::typing::Typing::cost
    fn change(&self, changes: &[(Place, i32)]) -> f64 {
        let border = self.shares.border();
        let mut cost = 0.0;
        let mut segments_change = 0;
        for of_type in changes.chunk_by(|left, right| left.0.0 == right.0.0) {
            let of = of_type[0].0.0;
            let mut tables: Vec<(u32, i32)> = Vec::new();
            for row in of_type.chunk_by(|left, right| left.0.1 == right.0.1) {
                let from = row[0].0.1;
                for &(place, change) in row {
                    let before = self.transitions.get(&place).copied().unwrap_or(0);
                    let after = before.wrapping_add_signed(change);
                    cost += transition_cost(after) - transition_cost(before);
                    match (before, after) {
                        (0, _) => tables.push((place.2, 1)),
                        (_, 0) => tables.push((place.2, -1)),
                        _ => {}
                    }
                }
                let before = self.rows.get(&(of, from)).copied().unwrap_or(0);
                let change: i32 = row.iter().map(|change| change.1).sum();
                let after = before.wrapping_add_signed(change);
                cost += row_cost(after) - row_cost(before);
                if from == border {
                    cost += type_cost(after) - type_cost(before);
                    segments_change += change;
                }
            }
            let mut tables_change = 0;
            for (to, change) in summed(tables) {
                let before = self.tables.get(&(of, to)).copied().unwrap_or(0);
                let share = self.shares.of(to);
                cost += tables_cost(before, share) - tables_cost(before.wrapping_add_signed(change), share);
                tables_change += change;
            }
            let before = self.tables_of_type.get(&of).copied().unwrap_or(0);
            cost += tables_cost(before.wrapping_add_signed(tables_change), 1.0) - tables_cost(before, 1.0);
        }
        let segments: usize = self.segments.iter().map(|(_, segments)| segments.len()).sum();
        cost + types_cost(segments.wrapping_add_signed(segments_change as isize)) - types_cost(segments)
    }
}

/// Counts of equal places added up, in the order of the places; what comes to nothing is left out.
fn summed<K: Ord + Copy>(mut places: Vec<(K, i32)>) -> Vec<(K, i32)> {
    places.sort_unstable_by_key(|place| place.0);
    places.dedup_by(|next, kept| {
        let is_same = next.0 == kept.0;
        kept.1 += if is_same { next.1 } else { 0 };
        is_same
    });
    places.retain(|place| place.1 != 0);
    places
}

/// Longest word that is looked for.
const WORD_ACTIONS_MAX: usize = 12;

/// How often the stream is split into words and the words are counted again.
const WORD_ROUNDS: usize = 8;

/// A longer word must occur so often to be kept.
const WORD_OCCURRENCES_MIN: f64 = 3.0;

/// Boundaries between words: the stream is split into the sequence of recurring strings that is most probable, as speech
/// is into words (hidden multigrams, Deligne & Bimbot, ICASSP 1995, with Viterbi training).
fn by_words(streams: &[&[u32]]) -> Vec<Vec<bool>> {
    let mut counts: HashMap<&[u32], f64, BuildMix> = HashMap::default();
    for symbols in streams {
        for from in 0..symbols.len() {
            for length in 1..=WORD_ACTIONS_MAX.min(symbols.len() - from) {
                *counts.entry(&symbols[from..from + length]).or_insert(0.0) += 1.0;
            }
        }
    }
    let mut splits = Vec::new();
    for _ in 0..WORD_ROUNDS {
        counts.retain(|word, count| word.len() == 1 || *count >= WORD_OCCURRENCES_MIN);
        let total: f64 = counts.values().sum();
        let costs: HashMap<&[u32], f64, BuildMix> =
            counts.iter().map(|(&word, count)| (word, (total / count.max(0.1)).ln())).collect();
        counts.values_mut().for_each(|count| *count = 0.0);
        splits = streams.iter().map(|symbols| split_into_words(symbols, &costs)).collect();
        for (symbols, split) in streams.iter().zip(&splits) {
            let mut from = 0;
            for at in 1..=symbols.len() {
                if at == symbols.len() || split[at] {
                    *counts.entry(&symbols[from..at]).or_insert(0.0) += 1.0;
                    from = at;
                }
            }
        }
    }
    splits
}

/// The cheapest split of a stream: whether a word begins at each action.
fn split_into_words(symbols: &[u32], costs: &HashMap<&[u32], f64, BuildMix>) -> Vec<bool> {
    let mut best = vec![(0.0, 0); symbols.len() + 1];
    for to in 1..=symbols.len() {
        let words = (1..=WORD_ACTIONS_MAX.min(to)).filter_map(|length| {
            let cost = costs.get(&symbols[to - length..to])?;
            Some((best[to - length].0 + cost, length))
        });
        best[to] = words.min_by(|left, right| left.0.total_cmp(&right.0)).unwrap_or((f64::INFINITY, 1));
    }
    let mut begins = vec![false; symbols.len()];
    let mut at = symbols.len();
    while at > 0 {
        at -= best[at].1;
        begins[at] = true;
    }
    begins
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discover::chain::{Chain, Transitions};
    use crate::discover::typing::Typing;

    /// What streams take to code, counted from the beginning.
    fn whole_cost(anchored: &Anchored) -> f64 {
        let mut chains = std::collections::BTreeMap::<u32, Chain>::new();
        let mut returned = 0.0;
        for segment in
            anchored.segments.iter().flat_map(|(symbols, ranges)| ranges.iter().map(|of| &symbols[of.clone()]))
        {
            let transitions = Transitions::new(segment, anchored.shares.border());
            chains.entry(segment[0]).or_default().add(&transitions, 1);
            returned += returns(segment);
        }
        let typing = Typing { types: Vec::new(), chains: chains.into_values().collect() };
        typing.cost(anchored.shares) + anchored.return_cost * returned
    }

    #[test]
    fn one_more_anchor_or_one_less_changes_the_nats_by_what_it_was_told_to() {
        let streams: Vec<Vec<u32>> = ["abcabcabxdedeabcde", "deabcdexab", "a"]
            .map(|text| text.bytes().map(|of| u32::from(of - b'a')).collect())
            .into();
        let streams: Vec<&[u32]> = streams.iter().map(Vec::as_slice).collect();
        let shares = Shares::new(&[3; 26]);
        for toggled in [0, 3, 1, 0, 23, 3] {
            for anchors in [vec![false; 26], (0..26).map(|symbol| symbol % 3 == 0).collect()] {
                let mut anchored = Anchored::new(&streams, anchors, &shares, 0.3);
                let (before, told) = (whole_cost(&anchored), anchored.change_if_toggled(toggled));
                anchored.toggle(toggled);
                assert!((whole_cost(&anchored) - before - told).abs() < 1e-9, "{toggled}");
            }
        }
    }
}
