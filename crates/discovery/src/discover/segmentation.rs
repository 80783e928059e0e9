//! Segments and task types together: guess, type, decode, count again, until nothing changes.

use std::collections::{BTreeMap, BTreeSet};

use super::chain::Shares;
use super::decode::{Decoder, NoiseRates, Segment};
use super::instances::{is_beside, links};
use super::pauses::{CLASSES, Evidence};
use super::starts;
use super::typing::{Typing, type_segments};

/// Rounds of refining one guess, at most.
const ROUNDS_MAX: usize = 12;

/// Rounds after which the guesses are compared, and how many of them are refined to the end.
const SCREENING_ROUNDS: usize = 3;
const GUESSES_KEPT: usize = 4;

/// How often all changes to the best segmentation are tried, at most, and the rounds for each of them.
const CHANGE_PASSES_MAX: usize = 4;
const CHANGE_FROM: usize = 3;
const CHANGE_ROUNDS: usize = 3;

/// How often types beside each other are joined in a pass, and how many pairs are tried for one that saves nats, at most.
const JOINS_MAX: usize = 20;
const NEIGHBOURS_TRIED_MAX: usize = 8;

/// Share of the segments of one of two types that must be beside the other for them to be tried as one.
const NEIGHBOUR_MIN: f64 = 0.3;

/// So many steps in a row that were done before are another round, if a round has so many.
const RETURNS_MIN: usize = 4;
const ROUND_STEPS_MIN: usize = 8;

/// Symbols at boundaries that are tried on the other side, at most, and the share of boundaries that they must be at.
const EDGES_TRIED_MAX: usize = 8;
const EDGE_MIN: f64 = 0.05;

/// Nats that a round must save to count as a gain.
const GAIN_MIN: f64 = 1e-6;

/// Noise before any has been seen.
const FIRST_RATES: NoiseRates = NoiseRates { foreign: 0.02, background: 0.02 };

/// Noise that is allowed for in the first round at least; half of it in the next, and so on, so that foreign events can
/// be told from steps before the types have learned them as steps.
const FIRST_ALLOWANCE: NoiseRates = NoiseRates { foreign: 0.2, background: 0.1 };

/// Rounds that bring no gain before a guess is given up.
const PATIENCE: usize = 3;

/// Nats for a step that a segment has done before: a task seldom returns to a step. Without it nothing but the first
/// event of a stream would tell a task repeated a hundred times from one task of a hundred rounds.
pub(crate) const RETURN_COST: f64 = 0.3;

/// So many rare symbols in a row are taken for noise at first.
const NOISE_RUN_MIN: usize = 4;

/// Share of noise among what begins between segments from which a single event is noise, and never a task.
const NOISY_MIN: f64 = 0.3;

/// Nats that moving a step over all boundaries must save. Less is chance: where one task is done again and again, it can be
/// cut before any of its steps for nearly the same nats.
const SHIFT_GAIN_MIN: f64 = 10.0;

/// Events of a prior sample without noise, which keep the rates from 0 and 1.
const RATE_PRIOR: f64 = 20.0;

/// The actions of one user as symbols, in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stream {
    pub symbols: Vec<u32>,
    /// Class of the pause before each action.
    pub classes: Vec<u8>,
    /// Whether the action's own symbol is too rare to be a step of anything that recurs.
    pub is_rare: Vec<bool>,
}

impl Stream {
    /// The first actions of a stream.
    pub(crate) fn head(&self, actions: usize) -> Stream {
        let actions = actions.min(self.symbols.len());
        Stream {
            symbols: self.symbols[..actions].to_vec(),
            classes: self.classes[..actions].to_vec(),
            is_rare: self.is_rare[..actions].to_vec(),
        }
    }
}

/// What was learned about the tasks of a log.
#[derive(Debug, Clone)]
pub(crate) struct Learned {
    pub typing: Typing,
    pub rates: NoiseRates,
    pub evidence: Evidence,
    /// Nats to code the log this way.
    pub cost: f64,
    segments: Vec<Vec<Segment>>,
}

impl Learned {
    /// What is learned from no action at all.
    fn nothing() -> Learned {
        Learned {
            typing: Typing::default(),
            rates: FIRST_RATES,
            evidence: Evidence::none(),
            cost: 0.0,
            segments: Vec::new(),
        }
    }

    /// What finds the segments of any stream of the log.
    pub(crate) fn decoder(&self, shares: &Shares) -> Decoder {
        Decoder::new(&self.typing, shares, self.rates, self.evidence.clone())
    }
}

/// Learns the types of segments of a log from several first guesses; the one that ends in the fewest nats is kept.
///
/// Shape: `streams` are a sample of the log or all of it. Without actions there is one type that holds nothing.
pub(crate) fn learn(streams: &[Stream], shares: &Shares, use_pauses: bool) -> Learned {
    let mut guesses = guesses(streams, shares, use_pauses);
    if streams.iter().any(|stream| stream.is_rare.contains(&true)) {
        guesses.extend(guesses_without_rare(streams, shares, use_pauses));
    }
    let mut tried: Vec<Learned> = guesses
        .into_iter()
        .map(|segments| refine(streams, segments, None, shares, use_pauses, 0..SCREENING_ROUNDS))
        .collect();
    tried.sort_by(|left, right| left.cost.total_cmp(&right.cost));
    tried.truncate(GUESSES_KEPT);
    let again = |segments, types, rounds| refine(streams, segments, Some(types), shares, use_pauses, rounds);
    let mut refined: Vec<Learned> = tried
        .into_iter()
        .map(|learned| again(learned.segments, learned.typing.types, SCREENING_ROUNDS..ROUNDS_MAX))
        .collect();
    refined.sort_by(|left, right| left.cost.total_cmp(&right.cost));
    let Some(mut best) = refined.first().cloned() else { return Learned::nothing() };
    let offer = |best: &mut Learned, segments: Vec<Vec<Segment>>, types: Vec<u32>, gain_min: f64| {
        if segments != best.segments {
            let changed = again(segments, types, CHANGE_FROM..CHANGE_FROM + CHANGE_ROUNDS);
            if changed.cost < best.cost - gain_min {
                *best = changed;
            }
        }
    };
    for _ in 0..CHANGE_PASSES_MAX {
        let before = best.cost;
        for other in &refined[1..] {
            let (segments, types) = pool(streams, shares, &best, other);
            offer(&mut best, segments, types, GAIN_MIN);
        }
        for _ in 0..JOINS_MAX {
            let before = best.cost;
            for (from, to) in neighbours(&best) {
                let (segments, types) = join(&best, from, to);
                let joined = learn_from(streams, segments, Some(&types), shares, use_pauses);
                if joined.cost < best.cost - GAIN_MIN {
                    let types = joined.typing.types.clone();
                    offer(&mut best, joined.segments, types, GAIN_MIN);
                    break;
                }
            }
            if best.cost >= before {
                break;
            }
        }
        let (segments, types) = cut_rounds(streams, &best);
        offer(&mut best, segments, types, GAIN_MIN);
        let (segments, types) = (widen(streams, &best), best.typing.types.clone());
        offer(&mut best, segments, types, GAIN_MIN);
        for edge in [(Side::Before, None), (Side::After, None)].into_iter().chain(edges(streams, &best)) {
            let (segments, types) = (shift(streams, &best, edge), best.typing.types.clone());
            offer(&mut best, segments, types, SHIFT_GAIN_MIN);
        }
        if best.cost >= before - GAIN_MIN {
            break;
        }
    }
    best
}

/// First segmentations, one of each guess.
fn guesses(streams: &[Stream], shares: &Shares, use_pauses: bool) -> Vec<Vec<Vec<Segment>>> {
    let guesses = starts::guesses(streams, shares, use_pauses);
    guesses.iter().map(|guess| streams.iter().zip(guess).map(|(stream, guess)| cut(stream, guess)).collect()).collect()
}

/// First segmentations in which nothing rare is in any segment, because foreign events hide what recurs around them.
fn guesses_without_rare(streams: &[Stream], shares: &Shares, use_pauses: bool) -> Vec<Vec<Vec<Segment>>> {
    let (kept, places): (Vec<Stream>, Vec<Vec<u32>>) = streams.iter().map(without_rare).unzip();
    let mut guesses = guesses(&kept, shares, use_pauses);
    for (segments, places) in guesses.iter_mut().flat_map(|guess| guess.iter_mut().zip(&places)) {
        for at in segments.iter_mut().flat_map(|segment| &mut segment.members) {
            *at = places[*at as usize];
        }
    }
    guesses
}

/// A stream without its rare actions, and where in it the others were.
fn without_rare(stream: &Stream) -> (Stream, Vec<u32>) {
    let places: Vec<u32> = (0..stream.symbols.len()).filter(|&at| !stream.is_rare[at]).map(|at| at as u32).collect();
    let kept = Stream {
        symbols: places.iter().map(|&at| stream.symbols[at as usize]).collect(),
        classes: places.iter().map(|&at| stream.classes[at as usize]).collect(),
        is_rare: vec![false; places.len()],
    };
    (kept, places)
}

/// The segments that the types of two segmentations find together, each where it is the cheaper, with their types.
fn pool(streams: &[Stream], shares: &Shares, best: &Learned, other: &Learned) -> (Vec<Vec<Segment>>, Vec<u32>) {
    let chains = [best, other].into_iter().flat_map(|learned| learned.typing.chains.iter().cloned()).collect();
    let typing = Typing { types: Vec::new(), chains };
    let decoder = Decoder::new(&typing, shares, allow(best.rates, SCREENING_ROUNDS), best.evidence.clone());
    let segments = find(streams, &decoder, best.rates);
    let types = segments.iter().flatten().map(|segment| segment.task_type).collect();
    (segments, types)
}

/// Segments cut where they begin to be done again: where [`RETURNS_MIN`] steps in a row were done before, at least half a
/// round ago. What is done again may be another task than what it was first done in, so it is a new type.
fn cut_rounds(streams: &[Stream], learned: &Learned) -> (Vec<Vec<Segment>>, Vec<u32>) {
    let new = learned.typing.chains.len() as u32;
    let mut cut: Vec<Vec<Segment>> = Vec::with_capacity(streams.len());
    for (stream, segments) in streams.iter().zip(&learned.segments) {
        let mut rounds: Vec<Segment> = Vec::with_capacity(segments.len());
        for segment in segments {
            let mut done = BTreeMap::<u32, usize>::new();
            let (mut from, mut returned) = (0, 0);
            let round = |from: usize, to: usize| Segment {
                task_type: if from == 0 { segment.task_type } else { new },
                members: segment.members[from..to].to_vec(),
            };
            for (at, &member) in segment.members.iter().enumerate() {
                let steps = done.len();
                let before = done.insert(stream.symbols[member as usize], at);
                let is_return =
                    before.is_some_and(|before| before >= from && 2 * (at - before) >= steps.max(ROUND_STEPS_MIN));
                returned = if is_return { returned + 1 } else { 0 };
                if returned == RETURNS_MIN {
                    let begin = at + 1 - RETURNS_MIN;
                    rounds.push(round(from, begin));
                    done.retain(|_, place| *place >= begin);
                    (from, returned) = (begin, 0);
                }
            }
            rounds.push(round(from, segment.members.len()));
        }
        cut.push(rounds);
    }
    let types = cut.iter().flatten().map(|segment| segment.task_type).collect();
    (cut, types)
}

/// The types that are most often beside each other, the first before the second, among those of which one mostly is.
fn neighbours(learned: &Learned) -> Vec<(u32, u32)> {
    let mut counts = BTreeMap::<(u32, u32), u32>::new();
    for segments in &learned.segments {
        for pair in segments.windows(2).filter(|pair| is_beside(&pair[0], &pair[1])) {
            *counts.entry((pair[0].task_type, pair[1].task_type)).or_insert(0) += 1;
        }
    }
    let of = |task_type: u32| learned.typing.chains[task_type as usize].segments;
    let mut pairs: Vec<((u32, u32), u32)> = counts.into_iter().collect();
    pairs.retain(|&((from, to), count)| f64::from(count) > NEIGHBOUR_MIN * f64::from(of(from).min(of(to))));
    pairs.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
    pairs.truncate(NEIGHBOURS_TRIED_MAX);
    pairs.into_iter().map(|(pair, _)| pair).collect()
}

/// Segments where each of a type is one with the next if that is beside it and of another type; those are a new type.
fn join(learned: &Learned, from: u32, to: u32) -> (Vec<Vec<Segment>>, Vec<u32>) {
    let new = learned.typing.chains.len() as u32;
    let mut joined: Vec<Vec<Segment>> = Vec::with_capacity(learned.segments.len());
    for segments in &learned.segments {
        let mut kept: Vec<Segment> = Vec::with_capacity(segments.len());
        for segment in segments {
            match kept.last_mut() {
                Some(last) if last.task_type == from && segment.task_type == to && is_beside(last, segment) => {
                    last.task_type = new;
                    last.members.extend(&segment.members);
                }
                _ => kept.push(segment.clone()),
            }
        }
        joined.push(kept);
    }
    let types = joined.iter().flatten().map(|segment| segment.task_type).collect();
    (joined, types)
}

/// The symbols that are most often the first of a segment directly after another, or the last of one directly before.
fn edges(streams: &[Stream], learned: &Learned) -> Vec<(Side, Option<u32>)> {
    let links = links(&learned.segments, learned.typing.chains.len());
    let mut counts = BTreeMap::<(Side, u32), usize>::new();
    let mut boundaries = 0;
    for (stream, segments) in streams.iter().zip(&learned.segments) {
        for (last, first) in segments.windows(2).filter_map(|pair| boundary(pair, &links)) {
            boundaries += 1;
            *counts.entry((Side::Before, stream.symbols[last as usize])).or_insert(0) += 1;
            *counts.entry((Side::After, stream.symbols[first as usize])).or_insert(0) += 1;
        }
    }
    let mut edges: Vec<((Side, u32), usize)> = counts.into_iter().collect();
    edges.retain(|&(_, count)| count as f64 >= EDGE_MIN * f64::from(boundaries));
    edges.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
    edges.truncate(EDGES_TRIED_MAX);
    edges.into_iter().map(|((side, symbol), _)| (side, Some(symbol))).collect()
}

/// The last member of a segment and the first of the next, if nothing lies between and they are not parts of one task.
fn boundary(pair: &[Segment], links: &BTreeSet<(u32, u32)>) -> Option<(u32, u32)> {
    let (last, first) = (*pair[0].members.last()?, pair[1].members[0]);
    let is_part = links.contains(&(pair[0].task_type, pair[1].task_type));
    (last + 1 == first && !is_part).then_some((last, first))
}

/// Segments where a symbol, or whatever is there, before each boundary begins the next segment instead, or after it ends
/// the one before.
fn shift(streams: &[Stream], learned: &Learned, (side, symbol): (Side, Option<u32>)) -> Vec<Vec<Segment>> {
    let links = links(&learned.segments, learned.typing.chains.len());
    let mut segments = learned.segments.clone();
    for (stream, segments) in streams.iter().zip(&mut segments) {
        for at in 1..segments.len() {
            let Some((last, first)) = boundary(&segments[at - 1..=at], &links) else { continue };
            let [before, after] = &mut segments[at - 1..=at] else { continue };
            let is_edge = |at: u32, of: &Segment| {
                symbol.is_none_or(|symbol| stream.symbols[at as usize] == symbol) && of.members.len() > 1
            };
            if side == Side::Before && is_edge(last, before) {
                before.members.pop();
                after.members.insert(0, last);
            } else if side == Side::After && is_edge(first, after) {
                after.members.remove(0);
                before.members.push(first);
            }
        }
    }
    segments
}

/// Segments with the steps at their edges that were taken for noise: a symbol that is passed over directly before, or
/// directly after, most segments of a type.
///
/// Types know the symbols they have, so finding segments again never adds one that is in no segment yet.
fn widen(streams: &[Stream], learned: &Learned) -> Vec<Vec<Segment>> {
    let mut segments = learned.segments.clone();
    let types = &learned.typing.types;
    for side in [Side::Before, Side::After] {
        let mut edges = BTreeMap::<(u32, u32), usize>::new();
        let mut next = types.iter();
        for (stream, segments) in streams.iter().zip(&segments) {
            for (at, task_type) in (0..segments.len()).zip(&mut next) {
                if let Some(edge) = edge(stream, segments, at, side) {
                    *edges.entry((*task_type, stream.symbols[edge as usize])).or_insert(0) += 1;
                }
            }
        }
        let is_usual = |task_type: u32, symbol: u32| {
            let of_type = learned.typing.chains[task_type as usize].segments as usize;
            edges.get(&(task_type, symbol)).is_some_and(|&count| 2 * count > of_type)
        };
        let mut next = types.iter();
        for (stream, segments) in streams.iter().zip(&mut segments) {
            for (at, task_type) in (0..segments.len()).zip(&mut next) {
                match edge(stream, segments, at, side) {
                    Some(edge) if is_usual(*task_type, stream.symbols[edge as usize]) => {
                        let members = &mut segments[at].members;
                        members.insert(if side == Side::Before { 0 } else { members.len() }, edge);
                    }
                    _ => {}
                }
            }
        }
    }
    segments
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Before,
    After,
}

/// The event directly beside a segment; none where another segment or the end of the stream is.
fn edge(stream: &Stream, segments: &[Segment], at: usize, side: Side) -> Option<u32> {
    let members = &segments[at].members;
    match side {
        Side::Before => {
            let edge = members[0].checked_sub(1)?;
            let before = at.checked_sub(1).and_then(|before| segments[before].members.last());
            before.is_none_or(|&before| before < edge).then_some(edge)
        }
        Side::After => {
            let edge = members.last()? + 1;
            let after = segments.get(at + 1).map_or(stream.symbols.len() as u32, |after| after.members[0]);
            (edge < after).then_some(edge)
        }
    }
}

/// Types segments, counts, and finds them again, as long as that saves nats.
fn refine(
    streams: &[Stream],
    mut segments: Vec<Vec<Segment>>,
    mut known: Option<Vec<u32>>,
    shares: &Shares,
    use_pauses: bool,
    rounds: std::ops::Range<usize>,
) -> Learned {
    let mut best: Option<Learned> = None;
    let mut since_gain = 0;
    // What was found last and what was learned from it: what is found again teaches nothing new.
    let mut last: Option<(Vec<Vec<Segment>>, Learned)> = None;
    for round in rounds {
        let learned = match last.take() {
            Some((found, learned)) if found == segments => learned,
            _ => learn_from(streams, segments.clone(), known.as_deref(), shares, use_pauses),
        };
        if best.as_ref().is_none_or(|best| learned.cost < best.cost - GAIN_MIN) {
            best = Some(learned.clone());
            since_gain = 0;
        } else {
            since_gain += 1;
            if since_gain == PATIENCE {
                break;
            }
        }
        let decoder = Decoder::new(&learned.typing, shares, allow(learned.rates, round), learned.evidence.clone());
        let found = find(streams, &decoder, learned.rates);
        last = known.is_some().then_some((segments, learned));
        known = Some(found.iter().flatten().map(|segment| segment.task_type).collect());
        segments = found;
    }
    best.expect("the range of rounds is not empty")
}

/// What segments teach, and the nats to code the log so; `known` are types to start from, by segment.
fn learn_from(
    streams: &[Stream],
    mut segments: Vec<Vec<Segment>>,
    known: Option<&[u32]>,
    shares: &Shares,
    use_pauses: bool,
) -> Learned {
    let texts: Vec<Vec<u32>> = streams
        .iter()
        .zip(&segments)
        .flat_map(|(stream, segments)| segments.iter().map(|segment| symbols(stream, segment)))
        .collect();
    let typing = type_segments(&texts, known, shares);
    let (rates, evidence, cost) = count(streams, &segments, shares, use_pauses);
    let returns: f64 = texts.iter().map(|text| returns(text)).sum();
    let cost = cost + typing.cost(shares) + RETURN_COST * returns;
    segments.iter_mut().flatten().zip(&typing.types).for_each(|(segment, &of)| segment.task_type = of);
    Learned { typing, rates, evidence, cost, segments }
}

/// Rates of noise with room for more, the less the later the round.
fn allow(rates: NoiseRates, round: usize) -> NoiseRates {
    let room = 0.5f64.powi(round as i32);
    NoiseRates {
        foreign: rates.foreign.max(FIRST_ALLOWANCE.foreign * room),
        background: rates.background.max(FIRST_ALLOWANCE.background * room),
    }
}

fn find(streams: &[Stream], decoder: &Decoder, rates: NoiseRates) -> Vec<Vec<Segment>> {
    let mut segments: Vec<Vec<Segment>> =
        streams.iter().map(|stream| decoder.decode(&stream.symbols, &stream.classes)).collect();
    if rates.background > NOISY_MIN {
        segments.iter_mut().for_each(|segments| segments.retain(|segment| segment.members.len() > 1));
    }
    segments
}

/// How often a segment returns to a step it has done, where a return counts in full only after as many actions as there
/// are distinct steps in it: to do a few steps again and again is a loop of the task, to be through with all and begin
/// again is its next round.
pub(crate) fn returns(symbols: &[u32]) -> f64 {
    let mut places: Vec<(u32, usize)> = symbols.iter().copied().zip(0..).collect();
    places.sort_unstable();
    let runs = places.chunk_by(|left, right| left.0 == right.0);
    let steps = runs.clone().count() as f64;
    runs.flat_map(|run| run.windows(2)).map(|pair| ((pair[1].1 - pair[0].1) as f64 / steps).min(1.0)).sum()
}

fn symbols(stream: &Stream, segment: &Segment) -> Vec<u32> {
    segment.members.iter().map(|&at| stream.symbols[at as usize]).collect()
}

/// Segments between guessed boundaries; long runs of rare symbols are noise between them.
fn cut(stream: &Stream, guess: &[bool]) -> Vec<Segment> {
    let mut segments: Vec<Segment> = Vec::new();
    let mut at = 0;
    let mut is_open = false;
    for run in stream.is_rare.chunk_by(|left, right| left == right) {
        let is_noise = run[0] && run.len() >= NOISE_RUN_MIN;
        for (position, begins) in (at as u32..).zip(&guess[at..at + run.len()]) {
            match segments.last_mut() {
                _ if is_noise => {}
                Some(segment) if is_open && !begins => segment.members.push(position),
                _ => segments.push(Segment { task_type: 0, members: vec![position] }),
            }
            is_open = !is_noise;
        }
        at += run.len();
    }
    segments
}

/// Noise and pauses of a segmentation, and the nats to code them.
fn count(
    streams: &[Stream],
    segments: &[Vec<Segment>],
    shares: &Shares,
    use_pauses: bool,
) -> (NoiseRates, Evidence, f64) {
    let mut counts = Counts::default();
    for (stream, segments) in streams.iter().zip(segments) {
        counts.add(stream, segments, shares);
    }
    let rates = counts.rates();
    let evidence = if use_pauses { Evidence::learn(&counts.inside, &counts.boundary) } else { Evidence::none() };
    let cost = counts.noise_cost + counts.rate_cost(rates) + counts.pause_cost(&evidence);
    (rates, evidence, cost)
}

/// What a segmentation consists of, besides what is in its segments.
#[derive(Default)]
struct Counts {
    /// Pauses by class: inside segments, directly between two, and between two with noise beside.
    inside: [f64; CLASSES],
    boundary: [f64; CLASSES],
    apart: [f64; CLASSES],
    segments: usize,
    /// Steps inside segments, foreign events inside, background noise between.
    steps: usize,
    foreign: usize,
    background: usize,
    /// Nats for which symbols the noise has.
    noise_cost: f64,
}

impl Counts {
    fn add(&mut self, stream: &Stream, segments: &[Segment], shares: &Shares) {
        let mut next = 0;
        let mut members = segments.iter().flat_map(|segment| &segment.members).peekable();
        for (at, &symbol) in (0..).zip(&stream.symbols) {
            if members.next_if_eq(&&at).is_none() {
                self.noise_cost -= shares.of(symbol).ln();
            }
        }
        for segment in segments {
            let (first, last) = (segment.members[0] as usize, segment.members[segment.members.len() - 1] as usize);
            self.segments += 1;
            self.steps += segment.members.len() - 1;
            self.foreign += last - first + 1 - segment.members.len();
            self.background += first - next;
            if first > 0 {
                let between = if first == next { &mut self.boundary } else { &mut self.apart };
                between[stream.classes[first] as usize] += 1.0;
            }
            stream.classes[first + 1..=last].iter().for_each(|&class| self.inside[class as usize] += 1.0);
            next = last + 1;
        }
        self.background += stream.symbols.len() - next;
    }

    fn rates(&self) -> NoiseRates {
        let rate = |count: usize, of: usize, first: f64| (count as f64 + first * RATE_PRIOR) / (of as f64 + RATE_PRIOR);
        NoiseRates {
            foreign: rate(self.foreign, self.steps + self.foreign, FIRST_RATES.foreign),
            background: rate(self.background, self.background + self.segments, FIRST_RATES.background),
        }
    }

    fn rate_cost(&self, rates: NoiseRates) -> f64 {
        let cost = |count: usize, rate: f64| -(count as f64) * rate.ln();
        cost(self.foreign, rates.foreign)
            + cost(self.steps, 1.0 - rates.foreign)
            + cost(self.background, rates.background)
            + cost(self.segments, 1.0 - rates.background)
    }

    fn pause_cost(&self, evidence: &Evidence) -> f64 {
        let cost = |class: usize| {
            let all = self.inside[class] + self.boundary[class] + self.apart[class];
            self.boundary[class] * f64::from(evidence.boundary[class])
                + self.apart[class] * f64::from(evidence.apart[class])
                + all * f64::from(evidence.inside[class])
        };
        (0..CLASSES).map(cost).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::super::chain::{Chain, Transitions};
    use super::*;

    /// One stream of letters, and its segments drawn below: a capital begins one, small letters go on, dots are in none.
    fn drawn(letters: &str, drawn: &str) -> (Stream, Learned) {
        let stream = Stream { symbols: letters.bytes().map(u32::from).collect(), ..Stream::default() };
        let mut segments: Vec<Segment> = Vec::new();
        for (at, letter) in (0..).zip(drawn.bytes()) {
            match segments.last_mut() {
                _ if letter == b'.' => {}
                Some(segment) if letter.is_ascii_lowercase() => segment.members.push(at),
                _ => segments.push(Segment { task_type: 0, members: vec![at] }),
            }
        }
        let texts: Vec<Vec<u32>> = segments.iter().map(|segment| symbols(&stream, segment)).collect();
        let typing = type_segments(&texts, None, &Shares::new(&[1; 128]));
        segments.iter_mut().zip(&typing.types).for_each(|(segment, &of)| segment.task_type = of);
        let segments = vec![segments];
        (stream, Learned { typing, rates: FIRST_RATES, evidence: Evidence::none(), cost: 0.0, segments })
    }

    fn redrawn(letters: &str, segments: &[Segment]) -> String {
        let mut drawn = vec![b'.'; letters.len()];
        for segment in segments {
            segment.members.iter().for_each(|&at| drawn[at as usize] = letters.as_bytes()[at as usize]);
            drawn[segment.members[0] as usize].make_ascii_uppercase();
        }
        String::from_utf8(drawn).unwrap()
    }

    fn widened(letters: &str, segments: &str) -> String {
        let (stream, learned) = drawn(letters, segments);
        redrawn(letters, &widen(&[stream], &learned)[0])
    }

    fn shifted(letters: &str, segments: &str, edge: (Side, u8)) -> String {
        let (stream, learned) = drawn(letters, segments);
        redrawn(letters, &shift(&[stream], &learned, (edge.0, Some(edge.1.into())))[0])
    }

    #[test]
    fn a_step_that_is_passed_over_beside_most_segments_of_a_type_is_taken_in() {
        assert_eq!(widened("zlabcsyxlabcsvabcuwlabcst", "..Abc....Abc..Abc...Abc.."), ".Labcs..Labcs.Abc..Labcs.");
    }

    #[test]
    fn what_is_beside_few_segments_and_what_another_segment_has_stays_where_it_is() {
        assert_eq!(widened("xabcabcyabcz", ".AbcAbc.Abc."), ".AbcAbc.Abc.");
    }

    #[test]
    fn a_step_is_moved_over_the_boundaries_that_it_is_beside_and_over_no_gap() {
        assert_eq!(shifted("abocdoaboycd", "AboCdoAbo.Cd", (Side::Before, b'o')), "AbOcdOabo.Cd");
        assert_eq!(shifted("aobcoduoab", "AObcOd.Oab", (Side::After, b'o')), "AoBcoD.Oab");
    }

    #[test]
    fn the_steps_beside_most_boundaries_are_tried_first() {
        let (stream, learned) = drawn("abodcoabodcoef", "AboDcoAboDcoEf");
        assert_eq!(edges(&[stream], &learned)[0], (Side::Before, Some(u32::from(b'o'))));
    }

    #[test]
    fn parts_of_one_task_are_not_boundaries() {
        let (stream, learned) = drawn(&"abxcd".repeat(8), &"AbxCd".repeat(8));
        let before_x =
            edges(&[stream], &learned).into_iter().find(|edge| *edge == (Side::Before, Some(u32::from(b'x'))));
        assert_eq!(before_x, None);
    }

    #[test]
    fn types_that_are_mostly_beside_each_other_are_tried_as_one() {
        let letters = "abcdxyabcdvwcd".repeat(4);
        let (_, mut learned) = drawn(&letters, &"AbCdXyAbCdVwCd".repeat(4));
        for segment in &mut learned.segments[0] {
            let first = letters.as_bytes()[segment.members[0] as usize];
            segment.task_type = b"acxv".iter().position(|&of| of == first).unwrap() as u32;
        }
        let chain = |segments| {
            let mut chain = Chain::default();
            chain.add(&Transitions::new(&[0], 127), segments);
            chain
        };
        learned.typing.chains = [8, 12, 4, 4].map(chain).into();
        assert!(neighbours(&learned).contains(&(0, 1)));
        let (segments, types) = join(&learned, 0, 1);
        assert_eq!(redrawn(&letters, &segments[0]), "AbcdXyAbcdVwCd".repeat(4));
        assert_eq!(types[..5], [4, 2, 4, 3, 1]);
    }

    #[test]
    fn a_segment_is_cut_where_it_begins_to_be_done_again_and_not_in_its_loops() {
        let (stream, learned) = drawn("abcdefghijabcdefghij", "Abcdefghijabcdefghij");
        assert_eq!(redrawn("abcdefghijabcdefghij", &cut_rounds(&[stream], &learned).0[0]), "AbcdefghijAbcdefghij");
        let (stream, learned) = drawn("abcdefghcdecdecdeij", "Abcdefghcdecdecdeij");
        assert_eq!(cut_rounds(&[stream], &learned).0, learned.segments);
    }

    #[test]
    fn foreign_events_that_are_rare_are_in_no_guess_without_them() {
        let text = "abcdxabcdabycdabcdabcdzabcdabcd";
        let symbols: Vec<u32> = text.bytes().map(u32::from).collect();
        let is_rare = symbols.iter().map(|&symbol| symbol >= u32::from(b'x')).collect();
        let stream = Stream { classes: vec![0; symbols.len()], symbols, is_rare };
        for guess in guesses_without_rare(std::slice::from_ref(&stream), &Shares::new(&[1; 128]), false) {
            let members: Vec<u32> = guess[0].iter().flat_map(|segment| segment.members.clone()).collect();
            let expected: Vec<u32> =
                (0..stream.symbols.len() as u32).filter(|&at| !stream.is_rare[at as usize]).collect();
            assert_eq!(members, expected);
        }
    }

    #[test]
    fn a_loop_of_a_few_steps_counts_little_and_the_next_round_of_all_in_full() {
        let of = |letters: &str| returns(&letters.bytes().map(u32::from).collect::<Vec<_>>());
        assert_eq!((of("abcd"), of("abcdabcd"), of("abcbcd")), (0.0, 4.0, 1.0));
    }
}
