//! Whether two selections that one account looks at within a day differ by a single person, who would be known by
//! subtraction (promise D6).
//!
//! ```text
//! 14:00   everything              37 people    always counts as seen
//! 14:05   from 2 March            30           shown
//! 14:06   from 3 March            29 of them   refused: what is between the two is one person's work
//! 14:07   from 3 March, in Excel  22 of them   shown
//! ```
//! Selections are compared by who is in them, among those who were there both times, so that nobody's arrival makes a
//! selection differ from itself. What people said about themselves is the matter of [`crate::complements`]; here only
//! selections with the same such answers are compared. What is absent: SQL, in which anything can be counted; two
//! accounts that put together what they see; what was shown before a restart, or before the last [`SELECTIONS_MAX`] selections.

use crate::analyses::{Filters, filtered};
use crate::jobs::runner::Workshop;
use arrow::array::AsArray;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use store::engine::Question;
use store::snapshot::Snapshot;
use store::{Store, StoreError};
use uilog::planted;

/// How long a selection counts as seen: a day, in microseconds.
const SEEN_US: i64 = 24 * 3_600 * 1_000_000;

/// Selections of one account in one project that count, the latest ones.
const SELECTIONS_MAX: usize = 100;

/// How long it is believed who is in a selection, in microseconds: the questions of one page ask about the same one.
const BELIEVED_US: i64 = 60 * 1_000_000;

/// Selections of all projects whose people are kept meanwhile.
const KEPT_MAX: usize = 1_000;

type People = BTreeSet<i64>;

/// What a selection differs from by one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Other {
    /// Everything.
    Everything,
    /// A selection that was shown at this moment, in microseconds since 1970, UTC.
    Shown(i64),
}

/// Somebody was shown figures about these people.
#[derive(Debug, Clone)]
struct Selection {
    filters: Filters,
    people: Arc<People>,
    /// Who was in the project at all.
    everybody: Arc<People>,
    at_us: i64,
}

/// Who is in a selection of a project, as the engine said at a moment.
#[derive(Debug)]
struct Known {
    project: String,
    filters: Filters,
    people: Arc<People>,
    at_us: i64,
}

/// What accounts were shown of projects, and who is in it.
#[derive(Debug, Default)]
pub struct Seen {
    shown: Mutex<HashMap<(String, String), VecDeque<Selection>>>,
    known: Mutex<VecDeque<Known>>,
}

impl Seen {
    /// What the selection differs from by one person among what the account was shown; if there is nothing, the selection
    /// counts as shown from now on.
    ///
    /// Errors: the engine's.
    pub async fn differs_by_one(
        &self,
        account: &str,
        store: &Store,
        workshop: &Workshop,
        snapshot: &Snapshot,
        filters: &Filters,
        now_us: i64,
    ) -> Result<Option<Other>, StoreError> {
        let all = Filters { custom: filters.custom.clone(), ..Filters::default() };
        if *filters == all {
            return Ok(None);
        }
        let everybody = self.people(store, workshop, snapshot, &all, now_us).await?;
        let people = self.people(store, workshop, snapshot, filters, now_us).await?;
        let asker = (snapshot.project.id.clone(), account.to_owned());
        let selection = Selection { filters: filters.clone(), people, everybody, at_us: now_us };
        Ok(self.look(asker, selection).filter(|_| !planted::is("one-person-tells")))
    }

    fn look(&self, asker: (String, String), new: Selection) -> Option<Other> {
        if differ_by_one(&new, &Selection { people: new.everybody.clone(), ..new.clone() }) {
            return Some(Other::Everything);
        }
        let mut shown = self.shown.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let shown = shown.entry(asker).or_default();
        shown.retain(|old| new.at_us - old.at_us < SEEN_US);
        let comparable = |old: &&Selection| old.filters != new.filters && old.filters.custom == new.filters.custom;
        if let Some(old) = shown.iter().filter(comparable).find(|old| differ_by_one(&new, old)) {
            return Some(Other::Shown(old.at_us));
        }
        shown.retain(|old| old.filters != new.filters);
        shown.truncate(SELECTIONS_MAX - 1);
        shown.push_front(new);
        None
    }

    /// Who is in a selection.
    async fn people(
        &self,
        store: &Store,
        workshop: &Workshop,
        snapshot: &Snapshot,
        filters: &Filters,
        now_us: i64,
    ) -> Result<Arc<People>, StoreError> {
        let known = || self.known.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let project = &snapshot.project.id;
        let is_this = |known: &Known| known.project == *project && known.filters == *filters;
        let is_fresh = |known: &Known| now_us - known.at_us < BELIEVED_US;
        let found = known().iter().find(|known| is_this(known) && is_fresh(known)).map(|known| known.people.clone());
        if let Some(people) = found {
            return Ok(people);
        }
        let mut snapshot = snapshot.clone();
        snapshot.views.push(filtered());
        let question = Question {
            parameters: filters.parameters(),
            ..Question::of_lode("SELECT DISTINCT user_key FROM filtered")
        };
        let answer = store.engine().ask(&snapshot, question, workshop.functions()).await?;
        let mut people = People::new();
        for batch in answer.collect(usize::MAX).await?.0 {
            people.extend(cast(batch.column(0), &DataType::Int64)?.as_primitive::<Int64Type>().iter().flatten());
        }
        let people = Arc::new(people);
        let mut known = known();
        known.retain(|known| is_fresh(known) && !is_this(known));
        known.truncate(KEPT_MAX - 1);
        known.push_front(Known {
            project: project.clone(),
            filters: filters.clone(),
            people: people.clone(),
            at_us: now_us,
        });
        Ok(people)
    }
}

/// Whether one person, who was there both times, is in one of two selections and not in the other, and nobody else is.
fn differ_by_one(one: &Selection, other: &Selection) -> bool {
    let is_old = |person: &&i64| one.everybody.contains(person) && other.everybody.contains(person);
    one.people.symmetric_difference(&other.people).filter(is_old).take(2).count() == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE_US: i64 = 60 * 1_000_000;

    /// What somebody hears who asks about these selections, a minute apart: `Excel 1-6 of 8`, people 1 to 6 of 8.
    fn told(selections: &[&str]) -> Vec<Option<Other>> {
        let seen = Seen::default();
        (0..).zip(selections).map(|(minute, text)| look(&seen, text, minute * MINUTE_US)).collect()
    }

    fn look(seen: &Seen, text: &str, at_us: i64) -> Option<Other> {
        let words: Vec<&str> = text.split(' ').collect();
        let &[application, people, _, all] = &words[..] else { panic!("'{text}'") };
        let (first, last) = people.split_once('-').unwrap();
        let filters = Filters { applications: vec![application.to_owned()], ..Filters::default() };
        let people = Arc::new((first.parse().unwrap()..=last.parse().unwrap()).collect());
        let everybody = Arc::new((1..=all.parse().unwrap()).collect());
        seen.look(("p".into(), "ann".into()), Selection { filters, people, everybody, at_us })
    }

    #[test]
    fn d6_tq8_two_selections_that_differ_by_one_person_are_not_shown_to_one_account() {
        assert_eq!(told(&["Excel 1-20 of 30", "Word 1-18 of 30"]), [None, None]);
        assert_eq!(told(&["Excel 1-20 of 30", "Word 1-19 of 30"]), [None, Some(Other::Shown(0))]);
        assert_eq!(told(&["Excel 1-20 of 30", "Word 2-21 of 30"]), [None, None], "two differ");
        assert_eq!(told(&["Excel 1-20 of 30", "Word 1-20 of 30"]), [None, None], "nobody differs");
        assert_eq!(told(&["Excel 1-29 of 30"]), [Some(Other::Everything)]);
        // What was refused was not shown.
        assert_eq!(
            told(&["Excel 1-20 of 30", "Word 1-19 of 30", "Chrome 1-18 of 30"]),
            [None, Some(Other::Shown(0)), None]
        );
    }

    #[test]
    fn d6_who_came_later_makes_no_selection_differ() {
        assert_eq!(told(&["Excel 1-20 of 20", "Word 1-21 of 21"]), [None, None]);
        assert_eq!(told(&["Excel 1-20 of 30", "Excel 1-21 of 30"]), [None, None], "the same one, later");
    }

    #[test]
    fn a_selection_counts_for_a_day_and_for_the_account_that_saw_it() {
        let seen = Seen::default();
        assert_eq!(look(&seen, "Excel 1-20 of 30", 0), None);
        assert_eq!(look(&seen, "Word 1-19 of 30", SEEN_US - 1), Some(Other::Shown(0)));
        assert_eq!(look(&seen, "Word 1-19 of 30", SEEN_US), None);
        let filters = Filters { applications: vec!["Chrome".into()], ..Filters::default() };
        let (people, everybody) = (Arc::new((1..=18).collect()), Arc::new((1..=30).collect()));
        let of_bob = Selection { filters, people, everybody, at_us: SEEN_US };
        assert_eq!(seen.look(("p".into(), "bob".into()), of_bob), None);
    }
}
