//! Segments and task types together: guess, type, decode, count again, until nothing changes.

use super::chain::Shares;
use super::decode::{Decoder, NoiseRates, Segment};
use super::pauses::{CLASSES, Evidence};
use super::starts;
use super::typing::{Typing, type_segments};

/// Rounds of refining one guess, at most.
const ROUNDS_MAX: usize = 10;

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

/// Events of a prior sample without noise, which keep the rates from 0 and 1.
const RATE_PRIOR: f64 = 20.0;

/// A stream of one user: symbols and pauses.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stream {
    pub symbols: Vec<u32>,
    pub classes: Vec<u8>,
    pub pauses: Vec<i64>,
    pub rows: Vec<u32>,
    /// Whether the action's own symbol is too rare to be a step of anything that recurs.
    pub is_rare: Vec<bool>,
}

/// What was learned about the tasks of a log.
#[derive(Debug, Clone)]
pub(crate) struct Learned {
    pub typing: Typing,
    pub rates: NoiseRates,
    pub evidence: Evidence,
    pub cost: f64,
    pub name: String,
}

pub(crate) fn learn(streams: &[Stream], shares: &Shares, use_pauses: bool) -> Learned {
    let symbols: Vec<&[u32]> = streams.iter().map(|stream| stream.symbols.as_slice()).collect();
    let pauses: Vec<&[i64]> = streams.iter().map(|stream| stream.pauses.as_slice()).collect();
    let mut guesses = vec![
        ("anchor".to_string(), starts::by_anchor(&symbols, shares, false)),
        ("first anchor".to_string(), starts::by_anchor(&symbols, shares, true)),
        ("words".to_string(), starts::by_words(&symbols)),
    ];
    if use_pauses {
        for share in starts::PAUSE_SHARES {
            guesses.push((format!("pause {share}"), starts::by_pause(&pauses, share)));
        }
    }
    if let Ok(path) = std::env::var("LODE_GUESS") {
        let starts: std::collections::HashSet<u32> = std::fs::read_to_string(path).unwrap().lines().map(|l| l.parse().unwrap()).collect();
        guesses.push(("TRUTH".into(), streams.iter().map(|s| s.rows.iter().map(|r| starts.contains(r)).collect()).collect()));
    }
    let refined = guesses.into_iter().map(|(name, guess)| refine(streams, &guess, shares, use_pauses, name));
    let mut best: Option<Learned> = None;
    for learned in refined {
        if std::env::var("LODE_TRACE").is_ok() {
            eprintln!("   {} {:.1} types {} segs {} rates {:?}", learned.name, learned.cost, learned.typing.chains.len(), learned.typing.types.len(), learned.rates);
        }
        if best.as_ref().is_none_or(|best| learned.cost < best.cost) {
            best = Some(learned);
        }
    }
    best.expect("one guess")
}

fn refine(streams: &[Stream], guess: &[Vec<bool>], shares: &Shares, use_pauses: bool, name: String) -> Learned {
    let mut segments: Vec<Vec<Segment>> =
        streams.iter().zip(guess).map(|(stream, guess)| cut(stream, guess)).collect();
    let mut known: Option<Vec<u32>> = None;
    let mut best: Option<Learned> = None;
    let mut since_gain = 0;
    for round in 0..ROUNDS_MAX {
        let texts: Vec<Vec<u32>> = streams
            .iter()
            .zip(&segments)
            .flat_map(|(stream, segments)| segments.iter().map(|segment| symbols(stream, segment)))
            .collect();
        let typing = type_segments(&texts, known.as_deref(), shares);
        let (rates, evidence, cost) = count(streams, &segments, shares, use_pauses);
        let returns: usize = texts.iter().map(|text| returns(text)).sum();
        let cost = cost + typing.cost(shares) + RETURN_COST * returns as f64;
        if std::env::var("LODE_TRACE").is_ok_and(|v| v == "2") {
            eprintln!("      {name} {cost:.1} types {} segs {} rates {rates:?}", typing.chains.len(), texts.len());
        }
        let is_better = best.as_ref().is_none_or(|best| cost < best.cost - 1e-6);
        let learned = Learned { typing, rates, evidence, cost, name: name.clone() };
        let allowance = 0.5f64.powi(round as i32);
        let allowed = NoiseRates {
            foreign: rates.foreign.max(FIRST_ALLOWANCE.foreign * allowance),
            background: rates.background.max(FIRST_ALLOWANCE.background * allowance),
        };
        let decoder = Decoder::new(&learned.typing, shares, allowed, learned.evidence.clone());
        if is_better {
            best = Some(learned);
            since_gain = 0;
        } else {
            since_gain += 1;
            if since_gain == PATIENCE { break; }
        }
        segments = streams.iter().map(|stream| decoder.decode(&stream.symbols, &stream.classes).0).collect();
        if rates.background > NOISY_MIN {
            segments.iter_mut().for_each(|segments| segments.retain(|segment| segment.members.len() > 1));
        }
        known = Some(segments.iter().flatten().map(|segment| segment.task_type).collect());
    }
    best.expect("at least one round")
}

/// How many actions of a segment repeat an earlier one of it.
pub(crate) fn returns(symbols: &[u32]) -> usize {
    let mut seen = symbols.to_vec();
    seen.sort_unstable();
    seen.dedup();
    symbols.len() - seen.len()
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
        for position in at..at + run.len() {
            match segments.last_mut() {
                _ if is_noise => {}
                Some(segment) if is_open && !guess[position] => segment.members.push(position as u32),
                _ => segments.push(Segment { task_type: 0, members: vec![position as u32] }),
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
    let (mut inside, mut boundary) = ([0.0; CLASSES], [0.0; CLASSES]);
    let mut apart = [0.0; CLASSES];
    let (mut members, mut foreign, mut background, mut total) = (0usize, 0usize, 0usize, 0usize);
    let mut noise = 0.0;
    for (stream, segments) in streams.iter().zip(segments) {
        let mut next = 0;
        let mut covered = vec![false; stream.symbols.len()];
        for segment in segments {
            let (first, last) = (segment.members[0] as usize, segment.members[segment.members.len() - 1] as usize);
            segment.members.iter().for_each(|&at| covered[at as usize] = true);
            members += segment.members.len() - 1;
            foreign += last - first + 1 - segment.members.len();
            background += first - next;
            if first > 0 {
                if first == next { boundary[stream.classes[first] as usize] += 1.0; } else { apart[stream.classes[first] as usize] += 1.0; }
            }
            for at in first + 1..=last {
                inside[stream.classes[at] as usize] += 1.0;
            }
            next = last + 1;
            total += 1;
        }
        background += stream.symbols.len() - next;
        noise += covered
            .iter()
            .zip(&stream.symbols)
            .filter(|(covered, _)| !**covered)
            .map(|(_, &symbol)| -shares.of(symbol).ln())
            .sum::<f64>();
    }
    let rates = NoiseRates {
        foreign: (foreign as f64 + FIRST_RATES.foreign * RATE_PRIOR) / ((members + foreign) as f64 + RATE_PRIOR),
        background: (background as f64 + FIRST_RATES.background * RATE_PRIOR)
            / ((background + total) as f64 + RATE_PRIOR),
    };
    let evidence = if use_pauses { Evidence::learn(&inside, &boundary) } else { Evidence::none() };
    let weigh = |count: usize, rate: f64| -(count as f64) * rate.ln();
    let pauses: f64 = (0..CLASSES).map(|class| boundary[class] * f64::from(evidence.boundary[class]) + apart[class] * f64::from(evidence.apart[class]) + (inside[class]+boundary[class]+apart[class]) * f64::from(evidence.inside[class])).sum();
    let cost = noise
        + weigh(foreign, rates.foreign)
        + weigh(members, 1.0 - rates.foreign)
        + weigh(background, rates.background)
        + weigh(total, 1.0 - rates.background)
        + pauses;
    (rates, evidence, cost)
}
