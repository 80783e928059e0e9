//! Finds the tasks in a UI log.

pub(crate) mod actions;
pub(crate) mod alphabet;
pub(crate) mod chain;
pub(crate) mod decode;
pub(crate) mod instances;
pub(crate) mod kinds;
pub(crate) mod pauses;
pub(crate) mod segmentation;
pub(crate) mod starts;
pub(crate) mod typing;

use crate::log::UiLog;
use crate::score::Label;
pub use actions::Folded;
use alphabet::Alphabet;
use chain::Shares;
use pauses::Pauses;
use segmentation::Stream;

/// What was found.
#[derive(Debug)]
pub struct Discovery {
    /// Instance and task type of every row.
    pub labels: Vec<Option<Label>>,
    /// What cleaning folded.
    pub folded: Folded,
}

/// Finds the tasks in a log.
pub fn discover(log: &UiLog) -> Discovery {
    let rows = log.streams();
    let mut folded = Folded::default();
    let actions: Vec<_> = rows.iter().map(|rows| actions::actions(log, rows, &mut folded)).collect();
    let mut alphabet = Alphabet::learn(log, &actions);
    let pauses = Pauses::learn(actions.iter().map(|actions| actions.pauses.as_slice()));
    let mut streams: Vec<Stream> = actions
        .iter()
        .map(|actions| Stream {
            symbols: actions.first_rows.iter().map(|&row| alphabet.symbol(log, row as usize)).collect(),
            classes: actions.pauses.iter().map(|&pause| pauses.class(pause)).collect(),
            pauses: actions.pauses.clone(),
            rows: actions.first_rows.clone(),
            is_rare: Vec::new(),
        })
        .collect();
    let mut counts = vec![0; alphabet.len()];
    streams.iter().flat_map(|stream| &stream.symbols).for_each(|&symbol| counts[symbol as usize] += 1);
    let stands_for = alphabet.likenesses(log, &counts);
    for stream in &mut streams {
        stream.is_rare =
            stream.symbols.iter().map(|&symbol| counts[symbol as usize] < alphabet::STEP_OCCURRENCES_MIN).collect();
    }
    for symbol in streams.iter_mut().flat_map(|stream| &mut stream.symbols) {
        counts[*symbol as usize] -= 1;
        *symbol = stands_for[*symbol as usize];
        counts[*symbol as usize] += 1;
    }
    let shares = Shares::new(&counts);
    let learned = segmentation::learn(&streams, &shares, pauses.are_usable());
    if std::env::var("LODE_TRACE").is_ok() {
        eprintln!("  symbols {} pauses {} won {}", alphabet.len(), pauses.are_usable(), learned.name);
    }
    let decoder = decode::Decoder::new(&learned.typing, &shares, learned.rates, learned.evidence.clone());
    let mut labels = vec![None; log.rows()];
    let decoded: Vec<_> =
        streams.iter().map(|stream| decoder.decode(&stream.symbols, &stream.classes).0).collect();
    let instances = instances::instances(&streams, &decoded, learned.typing.chains.len(), &learned.evidence);
    let sets: Vec<Vec<u32>> = instances
        .iter()
        .map(|instance| {
            let symbols = &streams[instance.stream as usize].symbols;
            let mut set: Vec<u32> = instance.members.iter().map(|&at| symbols[at as usize]).collect();
            set.sort_unstable();
            set.dedup();
            set
        })
        .collect();
    let kinds = kinds::Kinds::learn(&sets, alphabet.len());
    let mut of: Vec<Vec<Option<Label>>> = streams.iter().map(|stream| vec![None; stream.symbols.len()]).collect();
    for ((number, instance), set) in (0..).zip(&instances).zip(&sets) {
        let label = Label { instance: number, task_type: kinds.of(set) };
        let of = &mut of[instance.stream as usize];
        instance.members.iter().for_each(|&at| of[at as usize] = Some(label));
    }
    for ((rows, actions), of) in rows.iter().zip(&actions).zip(&of) {
        let mut action = 0;
        for &row in rows {
            while action + 1 < actions.first_rows.len() && actions.first_rows[action + 1] <= row {
                action += 1;
            }
            labels[row as usize] = of[action];
        }
    }
    Discovery { labels, folded }
}
