//! Files: answers and event logs to take away.

use super::errors::{ApiError, ApiResult};
use super::state::AppState;
use crate::access::{Actor, ProjectAccess};
use crate::audit;
use crate::exporting::{self, LogFormat};
use crate::jobs::runner::now_us;
use crate::rows::CsvRows;
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use parquet::arrow::ArrowWriter;
use serde::Deserialize;
use serde_json::json;
use tokio_util::io::ReaderStream;
use utoipa::{IntoParams, ToSchema};

/// Form of a table as a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FileFormat {
    /// Text with commas.
    Csv,
    /// Apache Parquet.
    Parquet,
}

impl FileFormat {
    /// Reads `csv` or `parquet`.
    pub fn parse(text: &str) -> ApiResult<Self> {
        match text {
            "csv" => Ok(Self::Csv),
            "parquet" => Ok(Self::Parquet),
            _ => Err(ApiError::unknown_word("format", text, &["csv", "parquet"])),
        }
    }

    /// Ending of the file's name.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Parquet => "parquet",
        }
    }

    fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Parquet => "application/vnd.apache.parquet",
        }
    }
}

/// A table as a file in an answer.
pub fn file(name: &str, format: FileFormat, schema: &SchemaRef, batches: &[RecordBatch]) -> ApiResult<Response> {
    let bytes = match format {
        FileFormat::Csv => {
            let mut csv = CsvRows::new(Vec::new());
            csv.header(schema)?;
            for batch in batches {
                csv.write(batch)?;
            }
            csv.finish()?
        }
        FileFormat::Parquet => {
            let mut writer = ArrowWriter::try_new(Vec::new(), schema.clone(), None).map_err(store::StoreError::from)?;
            for batch in batches {
                writer.write(batch).map_err(store::StoreError::from)?;
            }
            writer.into_inner().map_err(store::StoreError::from)?
        }
    };
    Ok((attachment(name, format.content_type()), bytes).into_response())
}

/// The headers of an answer that a browser saves as a file.
pub fn attachment(name: &str, content_type: &str) -> [(header::HeaderName, String); 2] {
    let name: String =
        name.chars().filter(|character| character.is_alphanumeric() || "._-".contains(*character)).collect();
    [
        (header::CONTENT_TYPE, content_type.to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ]
}

/// In which form a log is wanted.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LogExport {
    #[param(inline)]
    format: LogFormat,
}

/// The event log of a project as one file.
#[utoipa::path(get, path = "/projects/{project}/export", params(LogExport),
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream")),
    extensions(("x-lode-permission" = json!("raw"))))]
pub async fn events(
    State(state): State<AppState>,
    actor: Actor,
    access: ProjectAccess,
    Query(wanted): Query<LogExport>,
) -> ApiResult<Response> {
    let (control, project) = (state.store.control(), &access.project);
    audit::record(control, &actor, "export.events", Some(&project.id), None, json!({}), now_us()).await?;
    let path = state.store.settings().folder.join("staging").join(format!("export-{}", uuid::Uuid::now_v7()));
    exporting::export_log(&state.store, &project.id, wanted.format, &path).await?;
    let file = tokio::fs::File::open(&path)
        .await
        .map_err(|error| ApiError::internal(format!("cannot read the export: {error}")))?;
    // The open file stays readable; its name is not needed any more.
    let _ = tokio::fs::remove_file(&path).await;
    let name = format!("{}.{}", project.slug, wanted.format.extension());
    Ok((attachment(&name, "application/octet-stream"), Body::from_stream(ReaderStream::new(file))).into_response())
}
