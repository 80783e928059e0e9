//! The questions behind the pages, with filters, paging, and as files.

use super::errors::{ApiError, ApiResult};
use super::paging::{LIMIT_MAX, Page, time_text};
use super::path::ItemId;
use super::state::AppState;
use crate::access::{Actor, Permission, ProjectAccess};
use crate::analyses::{self, Analysis, Filters};
use crate::api::export::{FileFormat, file};
use crate::audit;
use crate::jobs::runner::{Workshop, now_us};
use crate::rows::{self, ColumnShown};
use crate::subtraction::Other;
use arrow::array::RecordBatch;
use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::{Days, NaiveDate};
use serde::Serialize;
use serde_json::{Value, json};
use std::time::Instant;
use utoipa::{IntoParams, ToSchema};

/// The one that is about pictures alone: it needs the grant `pictures` as well.
const SCREENSHOTS: &str = "screenshots";

/// The column that says that there is a picture; those who may see none are not told that there are any.
pub const SCREENSHOT_COLUMN: &str = "screenshot_id";

/// The questions of the pages.
#[derive(Serialize, ToSchema)]
pub struct AnalysisList {
    analyses: Vec<AnalysisShown>,
}

/// One question.
#[derive(Serialize, ToSchema)]
pub struct AnalysisShown {
    name: String,
    title: String,
    formula: String,
}

/// The answer to a question.
#[derive(Serialize, ToSchema)]
pub struct AnalysisAnswer {
    name: String,
    title: String,
    /// How the figures come about, in words.
    formula: String,
    columns: Vec<ColumnShown>,
    /// Rows as arrays, in the order of the columns.
    #[schema(value_type = Vec<Vec<rows::Cell>>)]
    rows: Vec<Value>,
    total: usize,
    truncated: bool,
    built_at: Option<String>,
    elapsed_ms: u64,
    min_group_size: i64,
    /// Groups that were too small to be shown.
    suppressed: usize,
}

/// What an answer can be narrowed to.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "it describes what `Wanted::parse` reads")]
struct Narrowing {
    /// The first day, such as 2026-03-01.
    from: Option<String>,
    /// The last day.
    to: Option<String>,
    /// Any of these applications.
    application: Option<Vec<String>>,
    /// Any of these activities.
    activity: Option<Vec<String>>,
    /// Any of these types of event.
    event_type: Option<Vec<String>>,
    /// Key of a case, from an answer.
    case: Option<String>,
    /// Key of a session, from an answer.
    session: Option<String>,
    /// A variant, from an answer.
    variant: Option<String>,
    /// An activity that `edge_to` follows directly.
    edge_from: Option<String>,
    /// The activity that follows.
    edge_to: Option<String>,
    /// A task, from an answer.
    task: Option<String>,
    /// A variant of a task, from an answer.
    task_variant: Option<String>,
    /// The first custom column has this value.
    custom1: Option<String>,
    /// Likewise.
    custom2: Option<String>,
    /// Likewise.
    custom3: Option<String>,
    /// Likewise.
    custom4: Option<String>,
    /// Likewise.
    custom5: Option<String>,
    /// For a file.
    #[param(inline)]
    format: Option<FileFormat>,
}

/// The questions that can be asked.
#[utoipa::path(get, path = "/projects/{project}/analyses", responses((status = 200, body = AnalysisList)),
    extensions(("x-lode-permission" = json!("pages"))))]
pub async fn list() -> Json<AnalysisList> {
    let shown = |analysis: &Analysis| AnalysisShown {
        name: analysis.name.clone(),
        title: analysis.title.clone(),
        formula: analysis.formula.clone(),
    };
    Json(AnalysisList { analyses: analyses::all().iter().map(shown).collect() })
}

/// One answer. `cases`, `sessions`, `task_instances`, `time_line` and `screenshots` show single instances and need the grant `raw`;
/// `screenshots` needs the grant `pictures` as well, and so does the column `screenshot_id` of others.
#[utoipa::path(get, path = "/projects/{project}/analyses/{name}", params(Narrowing, Page),
    responses((status = 200, body = AnalysisAnswer)), extensions(("x-lode-permission" = json!("pages"))))]
pub async fn answer(
    State(state): State<AppState>,
    actor: Actor,
    access: ProjectAccess,
    ItemId(name): ItemId,
    RawQuery(query): RawQuery,
) -> ApiResult<Response> {
    let started = Instant::now();
    let analysis = Analysis::named(&name)?;
    let single = analysis.is_of_single_instances();
    if single {
        access.require(Permission::Raw)?;
    }
    if name == SCREENSHOTS {
        access.require(Permission::Pictures)?;
    }
    let wanted = Wanted::parse(query.as_deref().unwrap_or(""))?;
    if (wanted.filters.task.is_some() || wanted.filters.task_variant.is_some()) && !analysis.is_of_tasks() {
        return Err(ApiError::bad_request(
            format!("'{name}' cannot be asked about one task"),
            "leave task and task_variant out",
        ));
    }
    let control = state.store.control();
    if single {
        let subject = Some(("analysis", name.as_str()));
        audit::record(control, &actor, "analysis.instances", Some(access.id()), subject, json!({}), now_us()).await?;
    }
    let workshop = Workshop::open(&state.store, access.id()).await?;
    let snapshot = workshop.snapshot(&state.store).await?;
    if analysis.missing_table(&snapshot).is_some() {
        return Err(ApiError::not_found("there are no tables to look at yet", "import a log, then run the jobs"));
    }
    if !single && snapshot.project.min_group_size > 1 {
        let (account, filters) = (&actor.account.id, &wanted.filters);
        let seen = state.seen.differs_by_one(account, &state.store, &workshop, &snapshot, filters, now_us()).await?;
        if let Some(other) = seen {
            return Err(one_person(other));
        }
    }
    let mut answered = analysis.answer(&state.store, &workshop, &snapshot, &wanted.filters).await?;
    if access.require(Permission::Pictures).is_err() {
        answered.leave_out(SCREENSHOT_COLUMN)?;
    }
    if let Some(format) = wanted.format {
        let subject = Some(("analysis", name.as_str()));
        audit::record(control, &actor, "export.analysis", Some(access.id()), subject, json!({}), now_us()).await?;
        return file(&format!("{name}.{}", format.extension()), format, &answered.schema, &answered.batches);
    }
    let total: usize = answered.batches.iter().map(RecordBatch::num_rows).sum();
    let page = slice(&answered.batches, wanted.page.offset() as usize, wanted.limit());
    let built_at = control.tables(&snapshot.project.id).await?;
    let built_at = built_at.iter().find(|table| table.name == "int_labeled_events").map(|table| table.built_at_us);
    Ok(Json(AnalysisAnswer {
        name: analysis.name.clone(),
        title: analysis.title.clone(),
        formula: analysis.formula.clone(),
        columns: rows::columns(&answered.schema),
        rows: rows::rows(&page)?,
        total,
        truncated: answered.truncated,
        built_at: built_at.and_then(time_text),
        elapsed_ms: started.elapsed().as_millis() as u64,
        min_group_size: snapshot.project.min_group_size,
        suppressed: answered.suppressed,
    })
    .into_response())
}

/// The answer to a selection that would tell of one person, together with one that the account knows.
fn one_person(other: Other) -> ApiError {
    let other = match other {
        Other::Everything => "everything".to_owned(),
        Other::Shown(at_us) => format!("what you were shown at {}", time_text(at_us).unwrap_or_default()),
    };
    let message = format!("this selection differs from {other} by one person, of whom the two together would tell");
    ApiError::new(StatusCode::CONFLICT, "one_person", message, "choose more, or less; what was shown counts for a day")
}

/// The rows from `offset` on, at most `limit`.
fn slice(batches: &[RecordBatch], mut offset: usize, mut limit: usize) -> Vec<RecordBatch> {
    let mut page = Vec::new();
    for batch in batches {
        let skipped = offset.min(batch.num_rows());
        offset -= skipped;
        let taken = (batch.num_rows() - skipped).min(limit);
        limit -= taken;
        if taken > 0 {
            page.push(batch.slice(skipped, taken));
        }
    }
    page
}

/// What the address asks for.
#[derive(Debug, Default)]
struct Wanted {
    filters: Filters,
    page: Page,
    limit: Option<usize>,
    format: Option<FileFormat>,
}

impl Wanted {
    /// Reads the query by hand: a name may come several times.
    fn parse(query: &str) -> ApiResult<Self> {
        let mut wanted = Self::default();
        let paging = axum::extract::Query::<Page>::try_from_uri(
            &format!("/?{}", paging_part(query)).parse().unwrap_or_default(),
        );
        wanted.page = paging.map(|page| page.0).unwrap_or_default();
        for (name, value) in url_pairs(query) {
            let filters = &mut wanted.filters;
            match name.as_str() {
                _ if value.is_empty() => {}
                "from" => filters.from_us = Some(day_us(&value, 0)?),
                "to" => filters.to_us = Some(day_us(&value, 1)?),
                "application" => filters.applications.push(value),
                "activity" => filters.activities.push(value),
                "event_type" => filters.event_types.push(value),
                "case" => filters.case = Some(key(&name, &value)?),
                "session" => filters.session = Some(key(&name, &value)?),
                "variant" => filters.variant = Some(value),
                "edge_from" => filters.edge_from = Some(value),
                "edge_to" => filters.edge_to = Some(value),
                "task" => filters.task = Some(value),
                "task_variant" => filters.task_variant = Some(value),
                "custom1" | "custom2" | "custom3" | "custom4" | "custom5" => {
                    let place =
                        filters.custom.iter_mut().zip(1..).find(|(_, number)| name.ends_with(&number.to_string()));
                    place.into_iter().for_each(|(answer, _)| *answer = Some(value.clone()));
                }
                "format" if value == "json" => {}
                "format" => wanted.format = Some(FileFormat::parse(&value)?),
                "limit" => wanted.limit = value.parse().ok(),
                "offset" => {}
                _ => {
                    return Err(ApiError::bad_request(
                        format!("'{name}' is no filter"),
                        "see docs/guide/api.md, Analyses",
                    ));
                }
            }
        }
        Ok(wanted)
    }

    fn limit(&self) -> usize {
        self.limit.map_or(self.page.limit() as usize, |limit| limit.min(LIMIT_MAX as usize))
    }
}

fn paging_part(query: &str) -> String {
    let parts = query.split('&').filter(|pair| pair.starts_with("limit=") || pair.starts_with("offset="));
    parts.collect::<Vec<_>>().join("&")
}

/// Pairs of a query string, decoded.
fn url_pairs(query: &str) -> Vec<(String, String)> {
    let decode = |text: &str| percent_decode(&text.replace('+', " "));
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = after
            .get(..2)
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (first, code) {
            (b'%', Some(code)) => {
                bytes.push(code);
                rest = &after[2..];
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn day_us(text: &str, days_later: u64) -> ApiResult<i64> {
    let date = text.get(..10).unwrap_or(text).parse::<NaiveDate>().ok();
    let midnight =
        date.and_then(|date| date.checked_add_days(Days::new(days_later))).and_then(|date| date.and_hms_opt(0, 0, 0));
    let midnight = midnight.ok_or_else(|| ApiError::bad_request(format!("'{text}' is no date"), "write 2026-03-31"))?;
    Ok(midnight.and_utc().timestamp_micros())
}

fn key(name: &str, text: &str) -> ApiResult<i64> {
    text.parse().map_err(|_| ApiError::bad_request(format!("'{text}' is no {name} key"), "take it from an answer"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_may_repeat_and_days_are_inclusive() {
        let wanted =
            Wanted::parse("application=Excel&application=A%26B+C&from=2026-03-01&to=2026-03-01&limit=5&offset=10")
                .unwrap();
        assert_eq!(wanted.filters.applications, ["Excel", "A&B C"]);
        assert_eq!(wanted.filters.to_us.unwrap() - wanted.filters.from_us.unwrap(), 86_400_000_000);
        assert_eq!((wanted.limit(), wanted.page.offset()), (5, 10));
    }

    #[test]
    fn an_unknown_filter_is_refused_and_not_ignored() {
        assert!(Wanted::parse("aplication=Excel").is_err());
        assert!(Wanted::parse("from=yesterday").is_err());
    }
}
