//! What a task type is called until a person gives it a name: the words that it has and other types have not.
//!
//! Words come from labels, screens, elements and applications of the steps; each type is a document, each instance counts
//! a word once (tf-idf, Spärck Jones, J. Documentation 28, 1972). There is no model and no dictionary behind it, so a name
//! is a hint: it says what is touched, not what for.

use std::collections::{BTreeMap, BTreeSet};

use crate::discover::Discovery;
use crate::log::{Field, UiLog};

/// Words in a name.
const WORDS: usize = 3;

/// Shortest word that says something, in letters.
const WORD_LETTERS_MIN: usize = 3;

/// Fields whose words are looked at; those that people read come first and count more.
const FIELDS: [(Field, f64); 5] =
    [(Field::Label, 1.0), (Field::Screen, 0.8), (Field::Area, 0.6), (Field::Element, 0.5), (Field::Application, 0.2)];

/// Names of all task types, by their numbers; types without words are called after their number.
pub fn type_names(log: &UiLog, discovery: &Discovery) -> Vec<String> {
    let types = discovery.types().iter().max().map_or(0, |&last| last as usize + 1);
    let mut counts: Vec<BTreeMap<String, f64>> = vec![BTreeMap::new(); types];
    let mut seen = BTreeSet::new();
    for row in 0..log.rows() {
        let Some(label) = discovery.label(row) else { continue };
        if seen.insert((label.task_type, discovery.activity(row))) {
            for (field, weight) in FIELDS {
                words(log.text(row, field)).for_each(|word| {
                    let entry = counts[label.task_type as usize].entry(word).or_insert(0.0);
                    *entry = weight.max(*entry);
                });
            }
        }
    }
    let mut documents = BTreeMap::<&str, usize>::new();
    counts.iter().flat_map(BTreeMap::keys).for_each(|word| *documents.entry(word).or_insert(0) += 1);
    let rarity = |word: &str| (1.0 + types as f64 / documents[word] as f64).ln();
    let name = |(task_type, counts): (usize, &BTreeMap<String, f64>)| {
        let mut ranked: Vec<(f64, &str)> =
            counts.iter().map(|(word, weight)| (weight * rarity(word), word.as_str())).collect();
        ranked.sort_by(|left, right| right.0.total_cmp(&left.0));
        let best: Vec<&str> = ranked.iter().take(WORDS).map(|ranked| ranked.1).collect();
        if best.is_empty() { format!("Task {}", task_type + 1) } else { best.join(", ") }
    };
    counts.iter().enumerate().map(name).collect()
}

/// The words of a text in lower case: runs of letters, cut where small letters turn into large ones.
fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    let mut spaced = String::with_capacity(text.len());
    let mut was_small = false;
    for letter in text.chars() {
        if was_small && letter.is_uppercase() {
            spaced.push(' ');
        }
        was_small = letter.is_lowercase();
        spaced.extend(if letter.is_alphabetic() { letter.to_lowercase().collect::<Vec<_>>() } else { vec![' '] });
    }
    let words: Vec<String> = spaced.split_whitespace().map(str::to_owned).collect();
    words.into_iter().filter(|word| word.chars().count() >= WORD_LETTERS_MIN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discover::{Settings, discover};
    use crate::log::{LogRow, UiLogBuilder};

    #[test]
    fn a_task_is_called_after_what_only_it_has() {
        let mut builder = UiLogBuilder::default();
        for at in 0..40 {
            let steps =
                if at % 3 == 0 { ["Invoice number", "Amount", "Save"] } else { ["Customer", "birthDate", "Save"] };
            for step in steps {
                builder.push(LogRow { user: "u1", time_us: None, fields: &[(Field::Label, step)] });
            }
        }
        let log = builder.finish();
        let discovery = discover(&log, &Settings::default());
        let names = type_names(&log, &discovery);
        let of_row = |row| &names[discovery.label(row).unwrap().task_type as usize];
        assert_eq!(of_row(0), "amount, invoice, number");
        assert_eq!(of_row(3), "birth, customer, date");
    }
}
