//! The questions behind the pages: named, with the same filters, each answered from `jobs/pages`.
//!
//! The minimum group size of the project is applied here, once, to every answer but those of single instances, which need a
//! grant of their own: a row about fewer people is left out and counted, and so is every row where those who are left without
//! the chosen people would be fewer ([`complements`]).
//!
//! Without filters a question is about all events, which the jobs have answered already: it is then read from their tables
//! (`jobs/pages/unfiltered`), if these are fresh.

use crate::complements;
use crate::jobs::catalog::{page_questions, unfiltered_questions};
use crate::jobs::head;
use crate::jobs::runner::{Freshness, Workshop};
use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch};
use arrow::compute::{cast, filter_record_batch};
use arrow::datatypes::{DataType, FieldRef, Int64Type, SchemaRef};
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};
use store::engine::{Author, Parameter, Question};
use store::snapshot::{Snapshot, View};
use store::{Store, StoreError};
use uilog::planted;

/// The view that every question stands on.
const FILTERED: &str = "filtered";

/// The view that questions about tasks stand on.
const CHOSEN_TASKS: &str = "chosen_tasks";

/// What stands among the questions and is none.
const VIEWS: [&str; 2] = [FILTERED, CHOSEN_TASKS];

/// Questions that answer with single instances: they need the grant `raw`, and are written down. The minimum group size,
/// which counts people, has nothing to count in them.
const OF_SINGLE_INSTANCES: [&str; 5] = ["cases", "screenshots", "sessions", "task_instances", "time_line"];

/// Rows one answer may have before paging; the rest is to be had as a file.
pub const ROWS_MAX: usize = 1_000_000;

/// One question.
#[derive(Debug)]
pub struct Analysis {
    /// Name in the address.
    pub name: String,
    /// Title for people.
    pub title: String,
    /// How its figures come about, in words.
    pub formula: String,
    sql: String,
    /// Tables it reads, and [`VIEWS`].
    reads: Vec<String>,
    unfiltered: Option<Unfiltered>,
}

/// The same question, asked of ready tables.
#[derive(Debug)]
struct Unfiltered {
    reads: Vec<String>,
    sql: String,
}

/// What a page lets through. Empty lists and `None` let everything through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filters {
    /// First moment, microseconds since 1970, UTC.
    pub from_us: Option<i64>,
    /// First moment after.
    pub to_us: Option<i64>,
    /// Any of these applications.
    pub applications: Vec<String>,
    /// Cases with any of these activities.
    pub activities: Vec<String>,
    /// Any of these event types.
    pub event_types: Vec<String>,
    /// One case.
    pub case: Option<i64>,
    /// One session.
    pub session: Option<i64>,
    /// Cases of one variant.
    pub variant: Option<String>,
    /// Cases with this step.
    pub edge_from: Option<String>,
    /// Its other end.
    pub edge_to: Option<String>,
    /// One type of task.
    pub task: Option<String>,
    /// Tasks done in one order of steps.
    pub task_variant: Option<String>,
    /// People who answered so about themselves, by the number of the attribute.
    pub custom: [Option<String>; 5],
}

impl Filters {
    /// What the questions call them.
    pub fn parameters(&self) -> HashMap<String, Parameter> {
        let texts = |texts: &[String]| Parameter::Texts((!texts.is_empty()).then(|| texts.to_vec()));
        let text = |text: &Option<String>| Parameter::Text(text.clone());
        [
            ("from", Parameter::TimeUs(self.from_us)),
            ("to", Parameter::TimeUs(self.to_us)),
            ("applications", texts(&self.applications)),
            ("activities", texts(&self.activities)),
            ("event_types", texts(&self.event_types)),
            ("case", Parameter::Integer(self.case)),
            ("session", Parameter::Integer(self.session)),
            ("variant", text(&self.variant)),
            ("edge_from", text(&self.edge_from)),
            ("edge_to", text(&self.edge_to)),
            ("task", text(&self.task)),
            ("task_variant", text(&self.task_variant)),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .chain((1..).zip(&self.custom).map(|(number, answer)| (format!("custom{number}"), text(answer))))
        .collect()
    }
}

/// The view of the events that filters let through.
pub fn filtered() -> View {
    view(FILTERED)
}

fn view(name: &str) -> View {
    let sql = page_questions().remove(name).unwrap_or_default();
    View { name: name.into(), author: Author::Lode, sql }
}

/// Every question, by name.
pub fn all() -> &'static [Analysis] {
    static ALL: LazyLock<Vec<Analysis>> = LazyLock::new(|| {
        let mut ready = unfiltered_questions();
        let questions = page_questions().into_iter().filter(|(name, _)| !VIEWS.contains(&name.as_str()));
        questions
            .map(|(name, sql)| {
                // A head that cannot be read shows as an empty title; a test reads them all.
                let head = head::parse(&sql).unwrap_or_default();
                let unfiltered = ready.remove(&name).map(|sql| {
                    let reads = head::parse(&sql).unwrap_or_default().reads;
                    Unfiltered { reads, sql }
                });
                Analysis { name, title: head.description, formula: head.formula, sql, reads: head.reads, unfiltered }
            })
            .collect()
    });
    &ALL
}

/// An answer that is complete.
#[derive(Debug)]
pub struct Answered {
    /// Columns.
    pub schema: SchemaRef,
    /// Rows.
    pub batches: Vec<RecordBatch>,
    /// Rows left out because they are about fewer people than the project allows.
    pub suppressed: usize,
    /// Whether there were more than [`ROWS_MAX`].
    pub truncated: bool,
}

impl Answered {
    /// Takes a column out, if there is one of this name.
    ///
    /// Errors: none in practice; the engine's batches have the columns of their schema.
    pub fn leave_out(&mut self, column: &str) -> Result<(), StoreError> {
        let kept = |(_, field): &(usize, &FieldRef)| field.name() != column;
        let kept: Vec<usize> = self.schema.fields().iter().enumerate().filter(kept).map(|(at, _)| at).collect();
        self.schema = Arc::new(self.schema.project(&kept)?);
        self.batches = self.batches.iter().map(|batch| batch.project(&kept)).collect::<Result<_, _>>()?;
        Ok(())
    }
}

impl Analysis {
    /// The question of this name.
    ///
    /// Errors: [`StoreError::Missing`] if there is none.
    pub fn named(name: &str) -> Result<&'static Self, StoreError> {
        all()
            .iter()
            .find(|analysis| analysis.name == name)
            .ok_or_else(|| StoreError::Missing { kind: "analysis", name: name.into() })
    }

    /// Whether it answers with single instances: then it needs the grant `raw`, and every time it is asked is written down.
    pub fn is_of_single_instances(&self) -> bool {
        OF_SINGLE_INSTANCES.contains(&self.name.as_str())
    }

    /// Whether it can be asked about one task.
    pub fn is_of_tasks(&self) -> bool {
        self.sql.contains("$task") || self.stands_on(CHOSEN_TASKS)
    }

    fn stands_on(&self, view: &str) -> bool {
        self.reads.iter().any(|read| read == view)
    }

    /// A table that it needs and that no job has made yet.
    pub fn missing_table(&self, snapshot: &Snapshot) -> Option<&str> {
        const GROUND: &str = "int_labeled_events";
        let mut needed = self.reads.iter().map(String::as_str).filter(|read| !VIEWS.contains(read)).chain([GROUND]);
        let is_there =
            |table: &str| snapshot.tables.contains_key(table) || snapshot.views.iter().any(|view| view.name == table);
        needed.find(|table| !is_there(table))
    }

    /// Answers over a snapshot.
    pub async fn answer(
        &self,
        store: &Store,
        workshop: &Workshop,
        snapshot: &Snapshot,
        filters: &Filters,
    ) -> Result<Answered, StoreError> {
        let ready = if *filters == Filters::default() { self.ready(store, workshop, snapshot).await? } else { None };
        let mut snapshot = snapshot.clone();
        if ready.is_none() {
            snapshot.views.extend(VIEWS.into_iter().filter(|name| self.stands_on(name)).map(view));
        }
        let question =
            Question { parameters: filters.parameters(), ..Question::of_lode(ready.unwrap_or(self.sql.as_str())) };
        let answer = store.engine().ask(&snapshot, question, workshop.functions()).await?;
        let schema = answer.schema.clone();
        let (batches, truncated, _) = answer.collect(ROWS_MAX).await?;
        let mut suppressed = 0;
        let mut least = if self.is_of_single_instances() { 1 } else { snapshot.project.min_group_size };
        if least > 1 && !complements::may_be_asked(store, workshop, &snapshot, filters, least as usize).await? {
            least = i64::MAX;
        }
        let batches =
            batches.into_iter().map(|batch| enough_people(batch, least, &mut suppressed)).collect::<Result<_, _>>()?;
        Ok(Answered { schema, batches, suppressed, truncated })
    }
}

impl Analysis {
    /// The question to ask of ready tables, if there is one and all of them are fresh.
    async fn ready(&self, store: &Store, workshop: &Workshop, snapshot: &Snapshot) -> Result<Option<&str>, StoreError> {
        let Some(unfiltered) = &self.unfiltered else { return Ok(None) };
        let freshness = workshop.freshness(store, snapshot).await?;
        let fresh = |name: &String| freshness.get(name) == Some(&Freshness::Fresh);
        Ok(unfiltered.reads.iter().all(fresh).then_some(unfiltered.sql.as_str()))
    }
}

/// Leaves out rows about fewer than `people` people; an answer that does not count them shows that of nobody.
fn enough_people(batch: RecordBatch, people: i64, suppressed: &mut usize) -> Result<RecordBatch, StoreError> {
    if people <= 1 || planted::is("k-check-off") {
        return Ok(batch);
    }
    let Some(users) = batch.column_by_name("users") else {
        *suppressed += batch.num_rows();
        return Ok(batch.slice(0, 0));
    };
    let users: ArrayRef = cast(users, &DataType::Int64)?;
    let users = users.as_primitive::<Int64Type>();
    let keep: BooleanArray =
        (0..users.len()).map(|row| Some(users.is_valid(row) && users.value(row) >= people)).collect();
    *suppressed += keep.false_count();
    Ok(filter_record_batch(&batch, &keep)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::Int64Array;
    use arrow::datatypes::{Field, Schema};

    #[test]
    fn every_question_has_a_title_and_says_how_its_figures_come_about() {
        assert!(all().len() >= 16);
        for analysis in all() {
            assert!(!analysis.title.is_empty() && !analysis.formula.is_empty(), "{}", analysis.name);
        }
    }

    #[test]
    fn every_question_of_ready_tables_is_a_question_of_a_page_and_says_what_it_reads() {
        let names: Vec<&String> = all().iter().map(|analysis| &analysis.name).collect();
        assert!(unfiltered_questions().keys().all(|name| names.contains(&name)));
        assert!(all().iter().filter_map(|analysis| analysis.unfiltered.as_ref()).all(|ready| !ready.reads.is_empty()));
    }

    #[test]
    fn d6_rows_about_too_few_people_are_left_out_and_counted() {
        let schema = Arc::new(Schema::new(vec![Field::new("users", DataType::Int64, true)]));
        let batch =
            RecordBatch::try_new(schema, vec![Arc::new(Int64Array::from(vec![Some(4), Some(5), None, Some(6)]))])
                .unwrap();
        let mut suppressed = 0;
        assert_eq!(enough_people(batch.clone(), 5, &mut suppressed).unwrap().num_rows(), 2);
        assert_eq!(suppressed, 2);
        assert_eq!(enough_people(batch, 1, &mut suppressed).unwrap().num_rows(), 4);
    }
}
