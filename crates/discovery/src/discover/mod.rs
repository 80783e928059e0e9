//! Finds the tasks in a UI log: which events belong together as one execution of something that recurs.
//!
//! ```text
//! UiLog ─▶ actions ─▶ alphabet ─▶ states ─▶ starts ─▶ ┌ typing ◀─┐ ─▶ ┌ instances ┐ ─▶ Discovery
//!          rows fold   rows become  rounds of  first   └▶ decode ─┘    └▶ kinds ───┘
//!          into steps  symbols      loops told guesses   until stable    twice: parts linked by
//!                                   apart                                type, then by kind
//! ```
//! One setting serves all logs; everything else is learned from the log itself, by one measure: the nats it takes to
//! code the log. A segmentation, the types of its segments, its noise and its pauses all pay for themselves in it, so
//! that first guesses from quite different evidence can be compared. Nothing here is random: one log gives one answer.
//!
//! Learning looks at a bounded sample of actions; finding the segments is then one pass over each user's events.
//! Users are independent: their streams are never joined, and what is learned from one serves all.

mod actions;
mod alphabet;
mod chain;
mod decode;
mod instances;
mod kinds;
mod pauses;
mod segmentation;
mod starts;
mod states;
mod typing;

pub use actions::Folded;

use self::actions::{Actions, actions};
use self::alphabet::{Alphabet, STEP_OCCURRENCES_MIN};
use self::chain::Shares;
use self::decode::Segment;
use self::instances::{Instance, instances};
use self::kinds::{Kinds, coins};
use self::pauses::{Evidence, Pauses};
use self::segmentation::Stream;
use self::states::States;
use crate::log::UiLog;
use crate::score::Label;

/// What the caller may choose. The defaults are the one setting that all published figures are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Actions from which the tasks are learned, at most. More of them take longer and find rarer tasks.
    pub learn_actions_max: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { learn_actions_max: 10_000 }
    }
}

/// Actions of one user that are learned from, at least, if the user has so many.
const LEARN_ACTIONS_OF_USER_MIN: usize = 2_000;

/// Actions within which a symbol that comes again is not done again, but several times in one execution.
const BURST_ACTIONS: usize = 8;

/// Instances from which the task types are learned, at most.
const LEARN_INSTANCES_MAX: usize = 3_000;

/// The instance of a row that belongs to no task.
const NO_INSTANCE: u32 = u32::MAX;

/// The tasks of a log.
#[derive(Debug, Clone)]
pub struct Discovery {
    /// Instance by row.
    of_rows: Vec<u32>,
    /// Task type by instance.
    types: Vec<u32>,
    /// Symbol of the action that each row belongs to.
    symbols: Vec<u32>,
    /// A row that has each symbol.
    examples: Vec<u32>,
    /// What cleaning folded together.
    pub folded: Folded,
}

impl Discovery {
    /// What was found before, such as in another run, or by a person: labels and activities of all rows.
    ///
    /// Shape: one label and one activity per row; instances are numbered from 0 without a gap, activities too.
    pub fn known(labels: &[Option<Label>], activities: Vec<u32>) -> Discovery {
        let instances = labels.iter().flatten().map(|label| label.instance as usize + 1).max().unwrap_or(0);
        let mut types = vec![0; instances];
        labels.iter().flatten().for_each(|label| types[label.instance as usize] = label.task_type);
        let of_rows = labels.iter().map(|label| label.map_or(NO_INSTANCE, |label| label.instance)).collect();
        let mut examples = vec![0; activities.iter().max().map_or(0, |&last| last as usize + 1)];
        (0..activities.len()).rev().for_each(|row| examples[activities[row] as usize] = row as u32);
        Discovery { of_rows, types, symbols: activities, examples, folded: Folded::default() }
    }

    /// The instance and the task type of a row; none if it belongs to no task.
    pub fn label(&self, row: usize) -> Option<Label> {
        let instance = self.of_rows[row];
        (instance != NO_INSTANCE).then(|| Label { instance, task_type: self.types[instance as usize] })
    }

    /// The labels of all rows, in the order of the log.
    pub fn labels(&self) -> Vec<Option<Label>> {
        (0..self.of_rows.len()).map(|row| self.label(row)).collect()
    }

    /// The task type of each instance. Types are numbered from 0, those with most instances among the learned first.
    pub fn types(&self) -> &[u32] {
        &self.types
    }

    /// The activity of a row: rows with one number are the same step, whatever record they were done on.
    pub fn activity(&self, row: usize) -> u32 {
        self.symbols[row]
    }

    /// A row of the log that shows what an activity is.
    pub fn example(&self, activity: u32) -> usize {
        self.examples[activity as usize] as usize
    }

    /// How many activities there are.
    pub fn activities(&self) -> usize {
        self.examples.len()
    }
}

/// Finds the tasks in a log.
///
/// Shape: a label for every row, in the order of the log, whatever order users are mixed in.
/// Source: the mixture of Markov chains with boundary states goes back to Cadez et al., Data Mining and Knowledge
/// Discovery 7 (2003), and to hidden semi-Markov segmentation; each stage names what it is made after.
///
/// ```
/// # use discovery::{Field, LogRow, Settings, UiLogBuilder, discover};
/// let mut builder = UiLogBuilder::default();
/// for step in ["open", "copy", "paste", "save"].repeat(20) {
///     builder.push(LogRow { user: "u1", time_us: None, fields: &[(Field::EventType, step)] });
/// }
/// let discovery = discover(&builder.finish(), &Settings::default());
/// assert_eq!(discovery.types().len(), 20);
/// ```
pub fn discover(log: &UiLog, settings: &Settings) -> Discovery {
    let rows = log.streams();
    let mut folded = Folded::default();
    let actions: Vec<Actions> = rows.iter().map(|rows| actions(log, rows, &mut folded)).collect();
    let mut alphabet = Alphabet::learn(log, &actions);
    let (mut streams, first_rows, use_pauses) = streams(log, &mut alphabet, actions);
    let states = States::learn(&sample(&streams, settings), alphabet.len());
    streams.iter_mut().for_each(|stream| states.tell_apart(&mut stream.symbols));
    let shares = Shares::new(&counts(&streams, states.len()));
    let learned = segmentation::learn(&sample(&streams, settings), &shares, use_pauses);
    let decoder = learned.decoder(&shares);
    let segments: Vec<_> = streams.iter().map(|stream| decoder.decode(&stream.symbols, &stream.classes)).collect();
    streams.iter_mut().for_each(|stream| states.forget(&mut stream.symbols));
    let found = instances(&streams, segments, learned.typing.chains.len(), &learned.evidence);
    let kinds = types(&streams, &found, alphabet.len());
    let found = linked_by_kind(&streams, found, &kinds, &learned.evidence);
    let types = types(&streams, &found, alphabet.len());
    let mut discovery = Discovery {
        of_rows: vec![NO_INSTANCE; log.rows()],
        types,
        symbols: vec![0; log.rows()],
        examples: alphabet.examples,
        folded,
    };
    discovery.fill(&rows, &first_rows, &streams, &found);
    discovery
}

/// Links, glues and cuts once more, by the kinds of what was found.
///
/// Where there are few instances, a task that has ways is cut in the middle, because its halves need fewer types than all
/// pairs of them; no type is then always beside another one, but a kind is.
fn linked_by_kind(streams: &[Stream], found: Vec<Instance>, kinds: &[u32], evidence: &Evidence) -> Vec<Instance> {
    let mut segments = vec![Vec::new(); streams.len()];
    for (Instance { stream, members, .. }, &kind) in found.into_iter().zip(kinds) {
        segments[stream as usize].push(Segment { task_type: kind, members });
    }
    let count = kinds.iter().max().map_or(0, |&last| last as usize + 1);
    instances(streams, segments, count, evidence)
}

/// The actions of each user as symbols, with the first row of each; whether pauses are of use.
fn streams(log: &UiLog, alphabet: &mut Alphabet, actions: Vec<Actions>) -> (Vec<Stream>, Vec<Vec<u32>>, bool) {
    let pauses = Pauses::learn(actions.iter().map(|actions| actions.pauses.as_slice()));
    let (mut streams, mut first_rows) = (Vec::with_capacity(actions.len()), Vec::with_capacity(actions.len()));
    for actions in actions {
        streams.push(Stream {
            symbols: actions.first_rows.iter().map(|&row| alphabet.symbol(log, row as usize)).collect(),
            classes: actions.pauses.iter().map(|&pause| pauses.class(pause)).collect(),
            is_rare: Vec::new(),
        });
        first_rows.push(actions.first_rows);
    }
    let counts = recurrences(&streams, alphabet.len());
    let stands_for = alphabet.likenesses(log, &counts);
    for stream in &mut streams {
        stream.is_rare = stream.symbols.iter().map(|&symbol| counts[symbol as usize] < STEP_OCCURRENCES_MIN).collect();
        stream.symbols.iter_mut().for_each(|symbol| *symbol = stands_for[*symbol as usize]);
    }
    (streams, first_rows, pauses.are_usable())
}

/// How often each of so many symbols comes again; what comes several times within [`BURST_ACTIONS`] and then not for so
/// long is a step of one execution and counts once.
fn recurrences(streams: &[Stream], symbols: usize) -> Vec<usize> {
    let mut counts = vec![0; symbols];
    // Of each symbol the last burst: its first place, its last, and how often the symbol is in it.
    let mut bursts = vec![(0, 0, 0); symbols];
    let counted =
        |(first, last, times): (usize, usize, usize)| if last - first <= BURST_ACTIONS { times.min(1) } else { times };
    let mut from = 0;
    for stream in streams {
        for (at, &symbol) in (from..).zip(&stream.symbols) {
            let burst = &mut bursts[symbol as usize];
            if burst.2 > 0 && at - burst.1 <= BURST_ACTIONS {
                (burst.1, burst.2) = (at, burst.2 + 1);
            } else {
                counts[symbol as usize] += counted(*burst);
                *burst = (at, at, 1);
            }
        }
        from += stream.symbols.len() + BURST_ACTIONS;
    }
    counts.iter_mut().zip(bursts).for_each(|(count, burst)| *count += counted(burst));
    counts
}

/// How often each of so many symbols occurs.
fn counts(streams: &[Stream], symbols: usize) -> Vec<usize> {
    let mut counts = vec![0; symbols];
    streams.iter().flat_map(|stream| &stream.symbols).for_each(|&symbol| counts[symbol as usize] += 1);
    counts
}

/// Heads of streams, of users spread evenly over the log, of so many actions together as are learned from.
fn sample(streams: &[Stream], settings: &Settings) -> Vec<Stream> {
    let total: usize = streams.iter().map(|stream| stream.symbols.len()).sum();
    if total <= settings.learn_actions_max {
        return streams.to_vec();
    }
    let users = (settings.learn_actions_max / LEARN_ACTIONS_OF_USER_MIN).clamp(1, streams.len());
    let per_user = settings.learn_actions_max / users;
    (0..users).map(|at| streams[at * streams.len() / users].head(per_user)).collect()
}

/// The task type of each instance.
fn types(streams: &[Stream], instances: &[Instance], symbols: usize) -> Vec<u32> {
    let set = |instance: &Instance| {
        let stream = &streams[instance.stream as usize].symbols;
        coins(instance.members.iter().map(|&at| stream[at as usize]).collect(), symbols)
    };
    let every = instances.len().div_ceil(LEARN_INSTANCES_MAX).max(1);
    let learned: Vec<Vec<u32>> = instances.iter().step_by(every).map(set).collect();
    let kinds = Kinds::learn(&learned, symbols);
    let mut remembered = std::collections::HashMap::new();
    let of_set = |set: Vec<u32>| *remembered.entry(set).or_insert_with_key(|set| kinds.of(set));
    instances.iter().map(set).map(of_set).collect()
}

impl Discovery {
    /// Gives every row the instance and the symbol of its action.
    fn fill(&mut self, rows: &[Vec<u32>], first_rows: &[Vec<u32>], streams: &[Stream], found: &[Instance]) {
        for (instance, of) in (0..).zip(found) {
            let first_rows = &first_rows[of.stream as usize];
            of.members.iter().for_each(|&at| self.of_rows[first_rows[at as usize] as usize] = instance);
        }
        for ((rows, first_rows), stream) in rows.iter().zip(first_rows).zip(streams) {
            let mut actions = first_rows.iter().zip(&stream.symbols).peekable();
            let (mut instance, mut symbol) = (NO_INSTANCE, 0);
            for &row in rows {
                if let Some((_, &of)) = actions.next_if(|action| *action.0 == row) {
                    (instance, symbol) = (self.of_rows[row as usize], of);
                }
                (self.of_rows[row as usize], self.symbols[row as usize]) = (instance, symbol);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_several_times_in_one_execution_counts_once_and_what_is_done_again_and_again_each_time() {
        let stream = |text: &str| Stream { symbols: text.bytes().map(u32::from).collect(), ..Stream::default() };
        let of = |texts: &[&str]| -> Vec<usize> {
            let counts = recurrences(&texts.iter().map(|text| stream(text)).collect::<Vec<_>>(), 128);
            "abx".bytes().map(|letter| counts[usize::from(letter)]).collect()
        };
        assert_eq!(of(&["abababab------------ab", "ab"]), [3, 3, 0]);
        assert_eq!(of(&["axbx".repeat(4).as_str(), "ax"]), [5, 4, 9]);
    }
}
