//! The best segmentation of a stream under known task types: Viterbi over position × type.
//!
//! ```text
//! event      a   b   x   c   d   y   y   a   b   c
//! segment   [A   A   ·   A   A]          [B  B   B]      · a single foreign event inside a task
//! between                        ░   ░                   ░ background noise that belongs to no task
//! ```
//! A segment walks through its type's chain; up to [`FOREIGN_RUN_MAX`] events in a row may be passed over inside it, and
//! any number between segments. Only types that know a symbol are looked at, so the work grows with the events and with
//! how many types share a symbol, not with how many types there are.

use std::collections::HashMap;

use super::chain::Shares;
use super::pauses::Evidence;
use super::typing::Typing;
use crate::pairs::{BuildMix, pair, unpair};

/// Events in a row that may be passed over inside a segment.
pub(crate) const FOREIGN_RUN_MAX: usize = 4;

/// How often events are passed over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NoiseRates {
    /// Share of events inside segments that are foreign.
    pub foreign: f64,
    /// Share of background noise among what begins between segments.
    pub background: f64,
}

/// A stretch of a stream that is one execution of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Segment {
    pub task_type: u32,
    /// Positions in the stream, in order; what is passed over is left out.
    pub members: Vec<u32>,
}

/// Costs of everything the decoder may do, in nats, laid out for looking up.
#[derive(Debug)]
pub(crate) struct Decoder {
    /// Where the types of each symbol begin in `knows`.
    offsets: Vec<u32>,
    knows: Vec<Known>,
    /// Where the types of a transition begin in `steps`, and how many there are.
    transitions: HashMap<u64, (u32, u32), BuildMix>,
    steps: Vec<(u32, f64)>,
    /// Passing over each symbol inside a segment, and between segments.
    foreign: Vec<f64>,
    background: Vec<f64>,
    stay: f64,
    begin: f64,
    evidence: Evidence,
}

/// What a type knows of a symbol.
#[derive(Debug, Clone, Copy)]
struct Known {
    task_type: u32,
    /// Beginning a segment of the type with the symbol, ending it after the symbol.
    begin: f64,
    end: f64,
    /// A step to the symbol that was never seen, and one from it; together they are one such step.
    leap_to: f64,
    leap_from: f64,
}

impl Decoder {
    pub(crate) fn new(typing: &Typing, shares: &Shares, rates: NoiseRates, evidence: Evidence) -> Decoder {
        let border = shares.border();
        let segments: f64 = typing.chains.iter().map(|chain| f64::from(chain.segments)).sum();
        let mut by_symbol: Vec<Vec<Known>> = vec![Vec::new(); border as usize];
        let mut by_transition: HashMap<u64, Vec<(u32, f64)>, BuildMix> = HashMap::default();
        for (task_type, chain) in (0..).zip(&typing.chains) {
            let share = -(f64::from(chain.segments) / segments).ln();
            for (key, _) in chain.transitions() {
                let (from, to) = unpair(key);
                by_transition.entry(key).or_default().push((task_type, chain.transition_cost(from, to, shares)));
                if to != border && by_symbol[to as usize].last().is_none_or(|last| last.task_type != task_type) {
                    by_symbol[to as usize].push(Known {
                        task_type,
                        begin: share + chain.transition_cost(border, to, shares),
                        end: chain.transition_cost(to, border, shares),
                        leap_to: -chain.share(to, shares).ln(),
                        leap_from: chain.leap_cost(to),
                    });
                }
            }
        }
        let mut decoder = Decoder {
            offsets: vec![0],
            knows: Vec::new(),
            transitions: HashMap::default(),
            steps: Vec::new(),
            foreign: (0..border).map(|symbol| -(rates.foreign * shares.of(symbol)).ln()).collect(),
            background: (0..border).map(|symbol| -(rates.background * shares.of(symbol)).ln()).collect(),
            stay: -(1.0 - rates.foreign).ln(),
            begin: -(1.0 - rates.background).ln(),
            evidence,
        };
        for known in by_symbol {
            decoder.knows.extend(known);
            decoder.offsets.push(decoder.knows.len() as u32);
        }
        for (key, steps) in by_transition {
            decoder.transitions.insert(key, (decoder.steps.len() as u32, steps.len() as u32));
            decoder.steps.extend(steps);
        }
        decoder
    }

    /// Splits a stream of symbols; `classes` are those of the pauses before them.
    ///
    /// Shape: segments in the order of the stream, without overlap.
    pub(crate) fn decode(&self, symbols: &[u32], classes: &[u8]) -> Vec<Segment> {
        let mut walk = Walk::new(symbols.len());
        for (at, (&symbol, &class)) in symbols.iter().zip(classes).enumerate() {
            self.step(&mut walk, symbols, at, symbol, class);
        }
        self.trace_back(symbols, &walk)
    }

    fn known(&self, symbol: u32) -> &[Known] {
        let at = symbol as usize;
        &self.knows[self.offsets[at] as usize..self.offsets[at + 1] as usize]
    }

    fn steps(&self, from: u32, to: u32) -> &[(u32, f64)] {
        match self.transitions.get(&pair(from, to)) {
            Some(&(at, count)) => &self.steps[at as usize..(at + count) as usize],
            None => &[],
        }
    }

    /// Takes one event.
    fn step(&self, walk: &mut Walk, symbols: &[u32], at: usize, symbol: u32, class: u8) {
        let known = self.known(symbol);
        let (after_segment, after_idle) = (
            walk.closed + f64::from(self.evidence.boundary[class as usize]),
            walk.idle + f64::from(self.evidence.apart[class as usize]),
        );
        let (from_idle, opened) = if after_segment <= after_idle { (false, after_segment) } else { (true, after_idle) };
        let mut costs = std::mem::take(&mut walk.open[at % WINDOW]);
        costs.clear();
        let back_at = walk.backs.len();
        walk.offsets.push(back_at as u32);
        for known in known {
            costs.push(opened + self.begin + known.begin);
            walk.backs.push(0);
        }
        let mut passed = 0.0;
        for distance in 1..=(FOREIGN_RUN_MAX + 1).min(at) {
            let before = symbols[at - distance];
            let mut steps = self.steps(before, symbol).iter().peekable();
            let mut to = 0;
            for (from, known_before) in self.known(before).iter().enumerate() {
                while to < known.len() && known[to].task_type < known_before.task_type {
                    to += 1;
                }
                if to == known.len() || known[to].task_type != known_before.task_type {
                    continue;
                }
                while steps.next_if(|step| step.0 < known_before.task_type).is_some() {}
                let step = match steps.peek() {
                    Some(&&(task_type, cost)) if task_type == known_before.task_type => cost,
                    _ => known_before.leap_from + known[to].leap_to,
                };
                let cost = walk.open[(at - distance) % WINDOW][from] + passed + step + self.stay;
                if cost < costs[to] {
                    costs[to] = cost;
                    walk.backs[back_at + to] = distance as u8;
                }
            }
            passed += self.foreign[before as usize];
        }
        let idle_from_idle = walk.idle <= walk.closed + f64::from(self.evidence.apart[class as usize]);
        let idle = walk.idle.min(walk.closed + f64::from(self.evidence.apart[class as usize]))
            + self.background[symbol as usize];
        let (mut closed, mut closed_by) = (f64::INFINITY, 0);
        for (place, known) in known.iter().enumerate() {
            if costs[place] + known.end < closed {
                (closed, closed_by) = (costs[place] + known.end, place as u8);
            }
        }
        walk.ends.push(closed_by);
        walk.flags.push(u8::from(from_idle) | u8::from(idle_from_idle) << 1);
        (walk.closed, walk.idle) = (closed, idle);
        walk.open[at % WINDOW] = costs;
    }

    fn trace_back(&self, symbols: &[u32], walk: &Walk) -> Vec<Segment> {
        let (mut segments, mut members) = (Vec::new(), Vec::new());
        let mut is_idle = walk.idle < walk.closed;
        let mut at = symbols.len() as i64 - 1;
        while at >= 0 {
            let position = at as usize;
            if is_idle {
                is_idle = walk.flags[position] & 2 != 0;
                at -= 1;
                continue;
            }
            let task_type = self.known(symbols[position])[walk.ends[position] as usize].task_type;
            let first = self.members(symbols, walk, position, task_type, &mut members);
            segments.push(Segment { task_type, members: members.iter().rev().copied().collect() });
            is_idle = walk.flags[first] & 1 != 0;
            at = first as i64 - 1;
        }
        segments.reverse();
        segments
    }

    /// The first position of the segment that ends here; its members, the last first, take the place of what was there.
    fn members(&self, symbols: &[u32], walk: &Walk, last: usize, task_type: u32, members: &mut Vec<u32>) -> usize {
        members.clear();
        let mut at = last;
        loop {
            members.push(at as u32);
            let place = self.known(symbols[at]).partition_point(|known| known.task_type < task_type);
            let back = walk.backs[walk.offsets[at] as usize + place] as usize;
            if back == 0 {
                return at;
            }
            at -= back;
        }
    }
}

const WINDOW: usize = FOREIGN_RUN_MAX + 2;

/// What is remembered on the way through a stream: costs of a few events, ways back of all.
struct Walk {
    /// Cost of being inside a segment of each type that knows the symbol, for the last events.
    open: [Vec<f64>; WINDOW],
    /// Cost of having just ended a segment, and of being between segments.
    closed: f64,
    idle: f64,
    /// How far back the member before lies, 0 for none; for the types of each event.
    backs: Vec<u8>,
    offsets: Vec<u32>,
    /// Which of its types ends a segment best at each event.
    ends: Vec<u8>,
    /// Bit 0: a segment that begins here comes after noise; bit 1: noise here comes after noise.
    flags: Vec<u8>,
}

impl Walk {
    fn new(events: usize) -> Walk {
        Walk {
            open: Default::default(),
            closed: 0.0,
            idle: 0.0,
            backs: Vec::with_capacity(events),
            offsets: Vec::with_capacity(events),
            ends: Vec::with_capacity(events),
            flags: Vec::with_capacity(events),
        }
    }
}
