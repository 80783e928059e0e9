//! What the service holds of one participant, as a file for that participant (promise D8).

use super::errors::{ApiError, ApiResult};
use super::export::{FileFormat, attachment, file};
use super::paging::time_text;
use super::path;
use super::state::AppState;
use crate::access::{Actor, Permission, ProjectAccess};
use crate::audit;
use crate::jobs::runner::now_us;
use crate::rows;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use store::columns::AGENT_KEY;
use store::engine::Question;
use store::operator::RowFunctions;
use utoipa::{IntoParams, ToSchema};

/// Events of one file; a desk gives about 10,000 a day.
const EVENTS_MAX: usize = 2_000_000;

/// In which form own data are wanted.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct OwnDataWanted {
    /// `json` unless asked otherwise.
    #[param(inline)]
    format: Option<OwnDataForm>,
}

/// Form of own data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OwnDataForm {
    /// What is known of the client, and its events.
    Json,
    /// The events as a table.
    Parquet,
}

/// Everything that a client sent and that is still there: for a lead, or whoever holds the grant `identities`.
#[utoipa::path(get, path = "/projects/{project}/people/{agent}/export", params(OwnDataWanted),
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream")),
    extensions(("x-lode-permission" = json!("oversight"))))]
pub async fn export(
    State(state): State<AppState>,
    actor: Actor,
    access: ProjectAccess,
    path::ItemId(agent): path::ItemId,
    Query(wanted): Query<OwnDataWanted>,
) -> ApiResult<Response> {
    let client = state.store.ingest().client(access.id(), &agent).await?;
    if access.require(Permission::Lead).is_err() {
        access.require(Permission::Identities)?;
    }
    let (control, subject) = (state.store.control(), Some(("agent", agent.as_str())));
    audit::record(control, &actor, "export.own_data", Some(access.id()), subject, json!({}), now_us()).await?;
    // What came a moment ago belongs to it.
    while state.store.fold(access.id(), now_us()).await?.more {}
    let keys = control.streams_of(access.id(), &agent).await?;
    let keys = keys.keys().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let fitting = if keys.is_empty() { "false".to_owned() } else { format!("{AGENT_KEY} IN ({keys})") };
    let snapshot = state.store.snapshot(access.id()).await?;
    let (schema, batches) = if snapshot.tables.contains_key(store::columns::EVENTS) {
        let question = Question::of_lode(format!("SELECT * FROM events WHERE {fitting} ORDER BY event_order"));
        let answer = state.store.engine().ask(&snapshot, question, &RowFunctions::default()).await?;
        let schema = answer.schema.clone();
        let (batches, cut, _) = answer.collect(EVENTS_MAX).await?;
        if cut {
            return Err(ApiError::conflict(format!("more than {EVENTS_MAX} events"), "ask the administrator for them"));
        }
        (schema, batches)
    } else {
        (store::columns::event_schema(), Vec::new())
    };
    if wanted.format == Some(OwnDataForm::Parquet) {
        return file(&format!("{agent}.parquet"), FileFormat::Parquet, &schema, &batches);
    }
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    let object = |row: Value| match row {
        Value::Array(cells) => Value::Object(
            names.iter().map(|name| (*name).to_owned()).zip(cells).filter(|(_, cell)| !cell.is_null()).collect(),
        ),
        other => other,
    };
    let events: Vec<Value> = rows::rows(&batches)?.into_iter().map(object).collect();
    let whole = json!({
        "client": {
            "agent_id": client.agent_id, "team": client.team, "version": client.version, "os": client.os,
            "enrolled_at": time_text(client.enrolled_at_us), "last_seen_at": client.last_seen_at_us.and_then(time_text),
        },
        "events": events,
    });
    Ok((attachment(&format!("{agent}.json"), "application/json"), whole.to_string()).into_response())
}
