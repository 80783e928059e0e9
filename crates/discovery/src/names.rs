//! What a task type is called until a person gives it a name: from where to where it carries values, or the words that it
//! has and other types have not.
//!
//! ```text
//! copies in reimbursement.xlsx, writes at form.jotform.com      Reimbursement → Jotform
//! two such types                                                Reimbursement → Jotform: account, bank, number
//! copies nothing                                                Jotform: account, bank, number
//! ```
//! A place is the host of a page, or a document that most of a program's events are in, or the program. Words come from
//! labels, screens, elements and applications of the steps; each type is a document, each instance counts a word once
//! (tf-idf, Spärck Jones, J. Documentation 28, 1972). There is no model and no dictionary behind it, so a name is a hint:
//! it says what is touched, not what for.

use std::collections::{BTreeMap, BTreeSet};

use crate::dataflow;
use crate::discover::Discovery;
use crate::log::{Field, UiLog};

/// Words in a name.
const WORDS: usize = 3;

/// Shortest word that says something, in letters.
const WORD_LETTERS_MIN: usize = 3;

/// Fields whose words are looked at; those that people read come first and count more.
const FIELDS: [(Field, f64); 5] =
    [(Field::Label, 1.0), (Field::Screen, 0.8), (Field::Area, 0.6), (Field::Element, 0.5), (Field::Application, 0.2)];

/// Share of a type's events in one program that must be in one document for it to be named after it.
const DOCUMENT_SHARE_MIN: f64 = 0.5;

/// Longest ending of a document's name that is left out, in letters.
const ENDING_LETTERS_MAX: usize = 5;

/// Names of all task types, by their numbers; types of which nothing is known are called after their number.
pub fn type_names(log: &UiLog, discovery: &Discovery) -> Vec<String> {
    let (places, words) = (type_places(log, discovery), type_words(log, discovery));
    let is_shared = |place: &str| places.iter().filter(|other| *other == place).count() > 1;
    let name = |(task_type, (place, words)): (usize, (&String, &String))| match (place.is_empty(), words.is_empty()) {
        (true, true) => format!("Task {}", task_type + 1),
        (true, false) => words.clone(),
        (false, true) => place.clone(),
        (false, false) if place.contains(ARROW) && !is_shared(place) => place.clone(),
        (false, false) => format!("{place}: {words}"),
    };
    places.iter().zip(&words).enumerate().map(name).collect()
}

/// Between the place where a task reads and the place where it writes.
const ARROW: &str = " → ";

/// For each type, from where to where it carries values, or where it is done; empty if there is nothing to tell.
fn type_places(log: &UiLog, discovery: &Discovery) -> Vec<String> {
    let mut rows: Vec<Vec<usize>> = vec![Vec::new(); types(discovery)];
    for row in 0..log.rows() {
        if let Some(label) = discovery.label(row) {
            rows[label.task_type as usize].push(row);
        }
    }
    let of_type = |rows: &Vec<usize>| {
        let (read, acted): (Vec<usize>, Vec<usize>) =
            rows.iter().partition(|row| dataflow::reads(log.text(**row, Field::EventType)));
        let (from, to) = (main_place(log, &read, ""), main_place(log, &acted, ""));
        let to = if to == from { main_place(log, &acted, &from) } else { to };
        match (from.is_empty(), to.is_empty()) {
            (false, false) => format!("{from}{ARROW}{to}"),
            (true, _) => to,
            (false, true) => from,
        }
    };
    rows.iter().map(of_type).collect()
}

/// The place that most rows are in, except one.
fn main_place(log: &UiLog, rows: &[usize], except: &str) -> String {
    let (mut places, mut programs) = (BTreeMap::<String, usize>::new(), BTreeMap::<&str, Vec<usize>>::new());
    for &row in rows {
        match host(log.text(row, Field::Address)) {
            "" => programs.entry(log.text(row, Field::Application)).or_default().push(row),
            host => *places.entry(capital(site(host))).or_insert(0) += 1,
        }
    }
    for (program, rows) in programs {
        *places.entry(place(log, program, &rows)).or_insert(0) += rows.len();
    }
    let told = places.into_iter().filter(|(place, _)| !place.is_empty() && place != except);
    told.rev().max_by_key(|(_, count)| *count).map(|(place, _)| place).unwrap_or_default()
}

/// What a program is called, given the rows that are in it.
fn place(log: &UiLog, program: &str, rows: &[usize]) -> String {
    let mut screens = BTreeMap::<&str, usize>::new();
    rows.iter().for_each(|&row| *screens.entry(log.text(row, Field::Screen)).or_insert(0) += 1);
    let most = screens.into_iter().rev().max_by_key(|(_, count)| *count);
    match most {
        Some((screen, count)) if !screen.is_empty() && count as f64 >= DOCUMENT_SHARE_MIN * rows.len() as f64 => {
            capital(without_ending(document(screen)))
        }
        _ => capital(without_ending(program)),
    }
}

/// The host of an address, or the empty text.
fn host(address: &str) -> &str {
    let Some((_, rest)) = address.split_once("://") else { return "" };
    rest.split(['/', '?', '#', ':']).next().unwrap_or("")
}

/// The part of a host that names its owner: of `form.jotform.com` it is `jotform`.
fn site(host: &str) -> &str {
    const SHORT: usize = 3;
    match host.split('.').collect::<Vec<_>>()[..] {
        // An address of numbers has no owner in it.
        [.., last] if last.parse::<u8>().is_ok() => host,
        [.., third, second, _] if second.len() <= SHORT && third != "www" => third,
        [.., second, _] => second,
        _ => host,
    }
}

/// The document that a title begins with, without its folders: of `/home/ann/prices.txt - Mousepad` it is `prices.txt`.
fn document(title: &str) -> &str {
    let first = [" - ", " – ", " — "].iter().filter_map(|between| title.split_once(between)).map(|(first, _)| first);
    let first = first.min_by_key(|first| first.len()).unwrap_or(title);
    first.rsplit(['/', '\\']).next().filter(|name| !name.trim().is_empty()).unwrap_or(first)
}

fn without_ending(document: &str) -> &str {
    match document.rsplit_once('.') {
        Some((name, ending)) if !name.is_empty() && (1..=ENDING_LETTERS_MAX).contains(&ending.len()) => name,
        _ => document,
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.trim().chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn types(discovery: &Discovery) -> usize {
    discovery.types().iter().max().map_or(0, |&last| last as usize + 1)
}

/// For each type the words that it has and others have not; empty if it has no words.
fn type_words(log: &UiLog, discovery: &Discovery) -> Vec<String> {
    let types = types(discovery);
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
    let name = |counts: &BTreeMap<String, f64>| {
        let mut ranked: Vec<(f64, &str)> =
            counts.iter().map(|(word, weight)| (weight * rarity(word), word.as_str())).collect();
        ranked.sort_by(|left, right| right.0.total_cmp(&left.0));
        ranked.iter().take(WORDS).map(|ranked| ranked.1).collect::<Vec<_>>().join(", ")
    };
    counts.iter().map(name).collect()
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
    /// Names of types that copy in one place and write in another, given as `application|screen|address`.
    fn named(from: &str, to: &str) -> String {
        let mut builder = UiLogBuilder::default();
        for _ in 0..30 {
            for (word, place, label) in [("copy", from, "Surname"), ("paste", to, "Name"), ("click", to, "Send")] {
                let parts: Vec<&str> = place.split('|').collect();
                let fields = [
                    (Field::EventType, word),
                    (Field::Application, parts[0]),
                    (Field::Screen, parts[1]),
                    (Field::Address, parts[2]),
                    (Field::Label, label),
                ];
                builder.push(LogRow { user: "u1", time_us: None, fields: &fields });
            }
        }
        let log = builder.finish();
        type_names(&log, &discover(&log, &Settings::default())).swap_remove(0)
    }

    #[test]
    fn a_task_that_carries_values_is_called_after_both_places() {
        let form = "Chrome|Order 17|https://form.jotform.com/2004";
        assert_eq!(named("Excel|reimbursement.xlsx|", form), "Reimbursement → Jotform");
        assert_eq!(named("excel.exe||", "sap.exe||"), "Excel → Sap");
        assert_eq!(named("mousepad|/home/ann/prices.txt - Mousepad|", form), "Prices → Jotform");
        assert_eq!(named(r"excel.exe|C:\lists\May.xlsx – Excel|", "word.exe|Letter - Word|"), "May → Letter");
        assert_eq!(named("Chrome||https://www.bank.co.uk/a", "Chrome||http://10.0.0.7/x"), "Bank → 10.0.0.7");
        assert_eq!(named(form, form), "Jotform: name, send, surname");
    }
}
