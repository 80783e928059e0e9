//! Symbols, learned: which words of an action are its identity, and which are only this record's.
//!
//! ```text
//! copy  Sheet1  A35      copy  Sheet1  A#        the row of a cell says which record, not which step
//! copy  Sheet1  A36  ─▶  copy  Sheet1  A#
//! click         B1       click         B1        what follows B1 differs from what follows B2: kept
//! click         B2       click         B2
//! ```
//! For each field, in each context that its siblings make, three readings compete: the text itself, the text with every
//! run of digits masked, and nothing. The one under which the neighbouring actions are coded in the fewest bits wins
//! (Dirichlet-multinomial marginal likelihood, both sides). So a token is masked only if that does not make the next
//! symbol harder to tell, and a reading with more values must pay for them.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher};

use super::actions::Actions;
use super::chain::ln_rising;
use crate::log::{Field, UiLog};
use crate::pairs::BuildMix;

/// Fields that tell one action from another. The value is none of them: it is what the record holds.
const IDENTITY: [Field; 10] = [
    Field::Application,
    Field::EventType,
    Field::Screen,
    Field::Area,
    Field::Role,
    Field::Element,
    Field::Label,
    Field::Address,
    Field::Row,
    Field::Column,
];

/// Fields whose texts may be masked: all but the application and the event type.
const FIRST_MASKED: usize = 2;

/// Actions from which the readings are learned, at most; a larger log is sampled from the beginning of each stream.
const LEARN_ACTIONS_MAX: usize = 50_000;

/// A context with fewer actions than this gives no evidence; its texts are kept as they are.
const EVIDENCE_MIN: usize = 6;

/// A symbol that occurs less often is no step of anything that recurs.
pub(crate) const STEP_OCCURRENCES_MIN: usize = 3;

/// Strength of the prior in the coding of neighbours.
const PRIOR: f64 = 1.0;

/// How a field is read in a context.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    Exact,
    DigitsMasked,
    Nothing,
}

type Map<K, V> = HashMap<K, V, BuildMix>;

/// The learned symbols of a log.
#[derive(Debug)]
pub(crate) struct Alphabet {
    /// Template number of each text, per identity field.
    templates: Vec<Vec<u32>>,
    readings: Map<u64, Reading>,
    symbols: Map<u64, u32>,
    /// Symbol by the raw codes, so that most rows cost one look-up.
    seen: Map<u64, u32>,
    /// A row that has each symbol.
    pub examples: Vec<u32>,
}

impl Alphabet {
    /// Learns how to read the fields of a log.
    pub(crate) fn learn(log: &UiLog, streams: &[Actions]) -> Alphabet {
        let templates: Vec<Vec<u32>> = IDENTITY.iter().map(|&field| templates(log, field)).collect();
        let mut alphabet = Alphabet {
            templates,
            readings: Map::default(),
            symbols: Map::default(),
            seen: Map::default(),
            examples: Vec::new(),
        };
        let per_stream = LEARN_ACTIONS_MAX / streams.len().max(1) + 1;
        let sample: Vec<&[u32]> =
            streams.iter().map(|actions| &actions.first_rows[..actions.first_rows.len().min(per_stream)]).collect();
        let neighbours = Neighbours::new(&alphabet, log, &sample);
        for (at, field) in IDENTITY.iter().enumerate().skip(FIRST_MASKED) {
            if !log.field(*field).is_absent() {
                alphabet.learn_field(log, &sample, &neighbours, at);
            }
        }
        alphabet
    }

    /// How many symbols there are.
    pub(crate) fn len(&self) -> usize {
        self.examples.len()
    }

    /// The symbol of a row.
    pub(crate) fn symbol(&mut self, log: &UiLog, row: usize) -> u32 {
        let raw = hash(IDENTITY.iter().map(|&field| log.field(field).code(row)));
        if let Some(&symbol) = self.seen.get(&raw) {
            return symbol;
        }
        let key = hash((0..IDENTITY.len()).flat_map(|at| self.read(log, row, at)));
        let symbol = *self.symbols.entry(key).or_insert_with(|| {
            self.examples.push(row as u32);
            self.examples.len() as u32 - 1
        });
        self.seen.insert(raw, symbol);
        symbol
    }

    /// Which symbol stands for each symbol, given how often each occurs: a rare one is read without the one field that
    /// it differs in from the most other rare ones.
    ///
    /// Shape: one entry per symbol. Symbols that are frequent, or rare without likeness, stand for themselves.
    pub(crate) fn likenesses(&self, log: &UiLog, counts: &[usize]) -> Vec<u32> {
        let mut classes: Map<u64, (usize, u32)> = Map::default();
        let rare: Vec<u32> =
            (0..self.len() as u32).filter(|&symbol| counts[symbol as usize] < STEP_OCCURRENCES_MIN).collect();
        let classes_of = |symbol: u32| {
            let row = self.examples[symbol as usize] as usize;
            let has_text =
                move |at: &usize| !log.field(IDENTITY[*at]).is_absent() && log.field(IDENTITY[*at]).code(row) != 0;
            (FIRST_MASKED..IDENTITY.len()).filter(has_text).map(move |at| self.context(log, row, at))
        };
        for &symbol in &rare {
            for class in classes_of(symbol) {
                classes.entry(class).or_insert((0, symbol)).0 += counts[symbol as usize];
            }
        }
        let mut stands_for: Vec<u32> = (0..self.len() as u32).collect();
        for &symbol in &rare {
            let best = classes_of(symbol).filter_map(|class| classes.get(&class)).max_by_key(|class| class.0);
            if let Some(&(count, first)) = best
                && count >= STEP_OCCURRENCES_MIN
            {
                stands_for[symbol as usize] = stands_for[first as usize];
            }
        }
        stands_for
    }

    /// A field as it is read: the reading and the number under it.
    fn read(&self, log: &UiLog, row: usize, at: usize) -> [u32; 2] {
        let code = log.field(IDENTITY[at]).code(row);
        let template = self.templates[at][code as usize];
        if at < FIRST_MASKED {
            return [0, code];
        }
        let context = self.context(log, row, at);
        let masked = self.readings.get(&mix(context, u64::from(template)));
        match masked.or_else(|| self.readings.get(&context)).copied().unwrap_or(Reading::Exact) {
            Reading::Exact => [0, code],
            Reading::DigitsMasked => [1, template],
            Reading::Nothing => [2, 0],
        }
    }

    /// The siblings of a field: the templates of all others.
    fn context(&self, log: &UiLog, row: usize, without: usize) -> u64 {
        hash((0..IDENTITY.len()).map(|at| {
            if at == without {
                u32::MAX - at as u32
            } else {
                self.templates[at][log.field(IDENTITY[at]).code(row) as usize]
            }
        }))
    }

    fn learn_field(&mut self, log: &UiLog, sample: &[&[u32]], neighbours: &Neighbours, at: usize) {
        let mut contexts: Map<u64, Vec<(u32, u32)>> = Map::default();
        let mut position = 0;
        for rows in sample {
            for &row in *rows {
                let code = log.field(IDENTITY[at]).code(row as usize);
                if code != 0 {
                    contexts.entry(self.context(log, row as usize, at)).or_default().push((code, position));
                }
                position += 1;
            }
        }
        for (context, actions) in contexts {
            self.learn_context(neighbours, at, context, &actions);
        }
    }

    /// Chooses the reading of one context; templates with a reading of their own are entered beside it.
    fn learn_context(&mut self, neighbours: &Neighbours, at: usize, context: u64, actions: &[(u32, u32)]) {
        if actions.len() < EVIDENCE_MIN {
            return;
        }
        let mut by_template: Map<u32, Vec<(u32, u32)>> = Map::default();
        for &(code, position) in actions {
            by_template.entry(self.templates[at][code as usize]).or_default().push((code, position));
        }
        let mut best = 0.0;
        for (&template, members) in &by_template {
            let exact = neighbours.cost(members.iter().copied());
            let masked = neighbours.cost(members.iter().map(|&(_, position)| (template, position)));
            let is_masked = masked < exact;
            best += exact.min(masked);
            let reading = if is_masked { Reading::DigitsMasked } else { Reading::Exact };
            self.readings.insert(mix(context, u64::from(template)), reading);
        }
        // A few texts that come again and again are names, not contents: as many as the root of the actions is many.
        let mut values: Vec<u32> = actions.iter().map(|&(code, _)| code).collect();
        values.sort_unstable();
        values.dedup();
        if actions.len() > values.len() * values.len() {
            return;
        }
        let nothing = neighbours.cost(actions.iter().map(|&(_, position)| (0, position)));
        if by_template.len() > 1 && nothing < best {
            by_template.keys().for_each(|&template| {
                self.readings.remove(&mix(context, u64::from(template)));
            });
            self.readings.insert(context, Reading::Nothing);
        }
    }
}

/// The symbols around each action of the sample, with digits masked everywhere.
struct Neighbours {
    /// Symbol before and after each action; `u32::MAX` at the ends of streams.
    around: Vec<[u32; 2]>,
    share: Vec<f64>,
}

impl Neighbours {
    fn new(alphabet: &Alphabet, log: &UiLog, sample: &[&[u32]]) -> Neighbours {
        let (mut known, mut counts): (Map<u64, u32>, Vec<f64>) = (Map::default(), Vec::new());
        let mut around = Vec::new();
        for rows in sample {
            let symbols: Vec<u32> = rows
                .iter()
                .map(|&row| {
                    let code = |at: usize| log.field(IDENTITY[at]).code(row as usize) as usize;
                    let key = hash((0..IDENTITY.len()).map(|at| alphabet.templates[at][code(at)]));
                    let symbol = *known.entry(key).or_insert(counts.len() as u32);
                    if symbol as usize == counts.len() {
                        counts.push(0.0);
                    }
                    counts[symbol as usize] += 1.0;
                    symbol
                })
                .collect();
            let at = |place: Option<usize>| place.and_then(|at| symbols.get(at)).copied().unwrap_or(u32::MAX);
            around.extend((0..symbols.len()).map(|place| [at(place.checked_sub(1)), at(Some(place + 1))]));
        }
        let total: f64 = counts.iter().sum();
        Neighbours { around, share: counts.into_iter().map(|count| count / total).collect() }
    }

    /// Nats to code the neighbours of actions, given the value of each.
    fn cost(&self, actions: impl Iterator<Item = (u32, u32)>) -> f64 {
        let mut pairs: Map<u64, (u32, usize)> = Map::default();
        let mut totals: Map<u32, [usize; 2]> = Map::default();
        for (value, position) in actions {
            for (side, &symbol) in self.around[position as usize].iter().enumerate() {
                if symbol != u32::MAX {
                    let key = mix(u64::from(value) << 1 | side as u64, u64::from(symbol));
                    pairs.entry(key).or_insert((symbol, 0)).1 += 1;
                    totals.entry(value).or_default()[side] += 1;
                }
            }
        }
        let sides: f64 = totals.values().flatten().map(|&count| ln_rising(PRIOR, count)).sum();
        let symbols: f64 =
            pairs.values().map(|&(symbol, count)| ln_rising(PRIOR * self.share[symbol as usize], count)).sum();
        sides - symbols
    }
}

/// Numbers the texts of a field so that texts equal up to runs of digits have one number.
fn templates(log: &UiLog, field: Field) -> Vec<u32> {
    let mut known = HashMap::new();
    let texts = log.field(field).texts().iter();
    texts
        .map(|text| {
            let next = known.len() as u32;
            *known.entry(mask_digits(text)).or_insert(next)
        })
        .collect()
}

/// A text with every run of digits as `#`.
pub(crate) fn mask_digits(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    for letter in text.chars() {
        if !letter.is_ascii_digit() {
            masked.push(letter);
        } else if !masked.ends_with('#') {
            masked.push('#');
        }
    }
    masked
}

fn hash(numbers: impl Iterator<Item = u32>) -> u64 {
    numbers.fold(0, |state, number| mix(state, u64::from(number)))
}

fn mix(state: u64, number: u64) -> u64 {
    let mut hasher = BuildMix::default().build_hasher();
    hasher.write_u64(state.rotate_left(23) ^ number.wrapping_add(0x9E37_79B9_7F4A_7C15));
    hasher.finish()
}
