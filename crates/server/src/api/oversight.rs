//! What a works council and a data protection officer need, and no content (promise D10): the history of rules, the balance,
//! the smallest group; and documents that are filled from what is really in force (promise D11).

use super::clients::{self, ProjectBalance};
use super::configuration::{RevisionShown, with_text};
use super::errors::{ApiError, ApiResult};
use super::paging::time_text;
use super::path::ItemId;
use super::privacy::RetentionShown;
use super::state::AppState;
use super::words;
use crate::access::ProjectAccess;
use crate::configuring::{self, Facts};
use crate::jobs::runner::now_us;
use crate::plain_words::plain_words;
use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use store::control::project_settings::{Preset, ProjectSettings};
use utoipa::ToSchema;

/// Revisions that the page of the council shows.
const REVISIONS_MAX: i64 = 20;

/// What a works council sees.
#[derive(Serialize, ToSchema)]
pub struct CouncilShown {
    /// The last revisions, newest first, each with what it changed.
    configuration: Vec<RevisionShown>,
    balance: ProjectBalance,
    /// Pages show only groups of at least this many people.
    k: i64,
    retention: RetentionShown,
    #[schema(value_type = words::Preset)]
    preset: Preset,
    /// The newest entry of the audit log.
    audit_head: AuditTip,
    /// Whether any rule in force takes pictures.
    screenshots: bool,
    /// Whether any rule in force keeps what is typed.
    text: bool,
}

/// The newest entry of the audit log; `GET /audit/head` has its signature.
#[derive(Serialize, ToSchema)]
pub struct AuditTip {
    n: i64,
    hash: String,
}

/// What is recorded, under which rules, and whether anything was lost; no content.
#[utoipa::path(get, path = "/projects/{project}/council", responses((status = 200, body = CouncilShown)),
    extensions(("x-lode-permission" = json!("oversight"))))]
pub async fn council(State(state): State<AppState>, access: ProjectAccess) -> ApiResult<Json<CouncilShown>> {
    let control = state.store.control();
    let (revisions, _) = control.revisions(access.id(), REVISIONS_MAX, 0).await?;
    let mut configuration = Vec::with_capacity(revisions.len());
    for revision in revisions {
        configuration.push(with_text(&state, access.id(), revision.revision).await?);
    }
    let settings = control.project_settings(access.id()).await?;
    let facts = configuring::published(&state.store, access.id()).await?;
    let facts = facts.as_ref().map(Facts::of).unwrap_or_default();
    let (n, hash) = control.audit_tip().await?;
    Ok(Json(CouncilShown {
        configuration,
        balance: clients::of_project(&state, access.id()).await?,
        k: access.project.min_group_size,
        retention: settings.retention.into(),
        preset: settings.preset,
        audit_head: AuditTip { n, hash },
        screenshots: facts.screenshots,
        text: facts.text,
    }))
}

/// Documents with places to fill, by name.
const DOCUMENTS: [(&str, &str); 3] = [
    ("dpia", include_str!("../documents/dpia.md")),
    ("works-agreement", include_str!("../documents/works-agreement.md")),
    ("art30", include_str!("../documents/art30.md")),
];

/// A document filled from what is in force: `dpia`, `works-agreement` or `art30`. Drafts to work on, no legal advice.
#[utoipa::path(get, path = "/projects/{project}/documents/{document}",
    responses((status = 200, body = String, content_type = "text/markdown")),
    extensions(("x-lode-permission" = json!("oversight"))))]
pub async fn document(
    State(state): State<AppState>,
    access: ProjectAccess,
    ItemId(name): ItemId,
) -> ApiResult<Response> {
    let template = DOCUMENTS.iter().find(|(known, _)| *known == name).map(|(_, template)| template);
    let template = template.ok_or_else(|| {
        ApiError::not_found(format!("there is no document '{name}'"), "dpia, works-agreement or art30")
    })?;
    let control = state.store.control();
    let settings = control.project_settings(access.id()).await?;
    let (active, rolling) = control.current_revisions(access.id()).await?;
    let revision = active.or(rolling).map_or("none is published".to_owned(), |revision| revision.revision.to_string());
    let configuration = configuring::published(&state.store, access.id()).await?;
    let words = configuration.as_ref().map(plain_words).unwrap_or_else(|| vec!["Nothing is recorded yet.".into()]);
    let people = state.store.ingest().people(access.id()).await?;
    let values = [
        ("project", access.project.name.clone()),
        ("date", time_text(now_us()).unwrap_or_default().chars().take(10).collect()),
        ("revision", revision),
        ("purposes", list(&settings.purposes, "(no purpose has been named)")),
        ("what", list(&words, "")),
        ("k", access.project.min_group_size.to_string()),
        ("people", people.to_string()),
        ("raw_days", settings.retention.raw_days.to_string()),
        ("picture_days", settings.retention.picture_days.to_string()),
        ("aggregate_months", settings.retention.aggregate_months.to_string()),
        ("reason", reason(&settings)),
    ];
    let text = filled(template, &values);
    let name = format!("attachment; filename=\"{name}.md\"");
    let headers =
        [(header::CONTENT_TYPE, "text/markdown; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, text).into_response())
}

fn list(sentences: &[String], otherwise: &str) -> String {
    if sentences.is_empty() {
        return format!("- {otherwise}");
    }
    sentences.iter().map(|sentence| format!("- {sentence}")).collect::<Vec<_>>().join("\n")
}

fn reason(settings: &ProjectSettings) -> String {
    settings.retention.reason.clone().unwrap_or_else(|| "not needed: nothing is kept longer than by default".into())
}

/// Puts values in the places `{{name}}`. One pass over the template: a value that looks like a place stays as it is.
fn filled(template: &str, values: &[(&str, String)]) -> String {
    let mut parts = template.split("{{");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once("}}").unwrap_or((part, ""));
        text.push_str(values.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value));
        text.push_str(rest);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d11_a_document_has_no_place_that_nothing_fills() {
        const NAMES: [&str; 11] = [
            "project",
            "date",
            "revision",
            "purposes",
            "what",
            "k",
            "people",
            "raw_days",
            "picture_days",
            "aggregate_months",
            "reason",
        ];
        for (document, template) in DOCUMENTS {
            let places: Vec<&str> =
                template.split("{{").skip(1).filter_map(|part| Some(part.split_once("}}")?.0)).collect();
            assert!(places.len() > 5, "{document}");
            assert!(places.iter().all(|place| NAMES.contains(place)), "{document}: {places:?}");
        }
    }

    #[test]
    fn a_value_that_looks_like_a_place_is_not_filled_again() {
        let values = [("a", "{{b}}".to_owned()), ("b", "no".to_owned())];
        assert_eq!(filled("x {{a}} y {{b}}", &values), "x {{b}} y no");
    }
}
