//! Whether figures about some people give away those of a few others, once they are taken from the figures about everybody
//! (promise D6).
//!
//! ```text
//! department    people    smallest group 5
//! purchasing       7      shown
//! sales            6      not shown: everybody without these two departments would be the two of the workshop
//! workshop         2      not shown: too few
//! ```
//! People are chosen by what they said about themselves, so for each such attribute the answers are sorted out once, by
//! nothing but who gave them: those of enough people may be asked about, as long as whoever is left over is nobody or
//! enough people too; else the smallest of them may not. It is the same for everybody at every time, whatever was asked
//! before. Where two attributes choose together, those whom either one shuts out have to be enough as well.

use crate::analyses::Filters;
use crate::jobs::runner::Workshop;
use arrow::array::AsArray;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use std::collections::{BTreeMap, BTreeSet};
use store::engine::Question;
use store::snapshot::Snapshot;
use store::{Store, StoreError};
use uilog::planted;

type People = BTreeSet<i64>;

/// Whether an answer may be about the people whom `filters` choose, where a group has `least` people.
///
/// Errors: the engine's.
pub async fn may_be_asked(
    store: &Store,
    workshop: &Workshop,
    snapshot: &Snapshot,
    filters: &Filters,
    least: usize,
) -> Result<bool, StoreError> {
    let mut chosen = Vec::new();
    for (number, answer) in (1..).zip(&filters.custom) {
        let Some(answer) = answer else { continue };
        let given = answers(store, workshop, snapshot, number).await?;
        if !showable(&given, least).contains(answer.as_str()) {
            return Ok(planted::is("subtraction-tells"));
        }
        chosen.push(given.get(answer).cloned().unwrap_or_default());
    }
    Ok(chosen.len() < 2 || none_shuts_out_a_few(&chosen, least) || planted::is("subtraction-tells"))
}

/// Who gave which answer about the attribute of this number; those who said nothing have the empty one.
async fn answers(
    store: &Store,
    workshop: &Workshop,
    snapshot: &Snapshot,
    number: usize,
) -> Result<BTreeMap<String, People>, StoreError> {
    let sql =
        format!("SELECT DISTINCT coalesce(CAST(custom{number} AS VARCHAR), '') AS answer, user_key FROM stg_events");
    let answer = store.engine().ask(snapshot, Question::of_lode(sql.as_str()), workshop.functions()).await?;
    let mut given: BTreeMap<String, People> = BTreeMap::new();
    for batch in answer.collect(usize::MAX).await?.0 {
        let (words, people) = (cast(batch.column(0), &DataType::Utf8)?, cast(batch.column(1), &DataType::Int64)?);
        let rows = words.as_string::<i32>().iter().zip(people.as_primitive::<Int64Type>());
        for (word, person) in rows.filter_map(|(word, person)| word.zip(person)) {
            given.entry(word.to_owned()).or_default().insert(person);
        }
    }
    Ok(given)
}

/// The answers about which one may ask.
fn showable(given: &BTreeMap<String, People>, least: usize) -> BTreeSet<&str> {
    let mut shown: Vec<(&str, &People)> = given
        .iter()
        .filter(|(word, people)| !word.is_empty() && people.len() >= least)
        .map(|(word, people)| (word.as_str(), people))
        .collect();
    // The smallest goes first, and of several that are as small the one that is last by its name.
    shown.sort_by(|(a, of_a), (b, of_b)| of_b.len().cmp(&of_a.len()).then(a.cmp(b)));
    let everybody: People = given.values().flatten().copied().collect();
    while !shown.is_empty() {
        let seen: People = shown.iter().flat_map(|(_, people)| people.iter().copied()).collect();
        let left_over = everybody.difference(&seen).count();
        if left_over == 0 || left_over >= least {
            break;
        }
        shown.pop();
    }
    shown.into_iter().map(|(word, _)| word).collect()
}

/// Whether each of the groups that choose together shuts out nobody or enough people.
fn none_shuts_out_a_few(chosen: &[People], least: usize) -> bool {
    let common = |without: Option<usize>| {
        let mut groups = chosen.iter().enumerate().filter(|(at, _)| Some(*at) != without).map(|(_, people)| people);
        let first = groups.next().cloned().unwrap_or_default();
        groups.fold(first, |common, people| &common & people)
    };
    let all = common(None);
    (0..chosen.len()).map(|at| common(Some(at)).difference(&all).count()).all(|few| few == 0 || few >= least)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `sales 1-6, workshop 7-8`: who gave which answer.
    fn given(text: &str) -> BTreeMap<String, People> {
        let groups = text.split(", ").map(|group| group.rsplit_once(' ').unwrap());
        groups.map(|(word, people)| (word.to_owned(), range(people))).collect()
    }

    fn range(text: &str) -> People {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        (first.parse().unwrap()..=last.parse().unwrap()).collect()
    }

    fn shown(text: &str) -> Vec<String> {
        showable(&given(text), 5).into_iter().map(str::to_owned).collect()
    }

    #[test]
    fn d6_tq8_whoever_is_left_over_is_nobody_or_a_group() {
        assert_eq!(shown("sales 1-6, purchasing 7-13"), ["purchasing", "sales"]);
        assert_eq!(shown("sales 1-6, purchasing 7-13, workshop 14-15"), ["purchasing"]);
        assert_eq!(shown("sales 1-6, workshop 7-8"), Vec::<String>::new());
        assert_eq!(shown("sales 1-6, workshop 7-8, yard 9-11"), ["sales"]);
        assert_eq!(shown("sales 1-6,  7-8"), Vec::<String>::new(), "two have said nothing");
        assert_eq!(shown("sales 1-6,  7-12"), ["sales"], "to have said nothing is no group that one asks about");
        // Two who moved from the workshop to sales are among those in sales.
        assert_eq!(shown("sales 1-8, workshop 7-8"), ["sales"]);
    }

    #[test]
    fn d6_tq8_two_attributes_together_shut_out_nobody_or_a_group() {
        let fit =
            |groups: &[&str]| none_shuts_out_a_few(&groups.iter().map(|group| range(group)).collect::<Vec<_>>(), 5);
        assert!(fit(&["1-10", "1-10"]));
        assert!(fit(&["1-20", "11-30"]));
        assert!(!fit(&["1-20", "3-30"]), "two of the first are shut out");
        assert!(!fit(&["3-30", "1-20"]), "and so they are in the other order");
        assert!(!fit(&["1-30", "1-20", "1-18"]));
    }
}
