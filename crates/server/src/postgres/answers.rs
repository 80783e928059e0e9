//! The engine's columns as PostgreSQL's rows.
//!
//! Rows are sent as they come and never all at once in memory; at the end, the record of the question is closed.

use super::errors::{CANCELLED, PROTOCOL, TOO_MUCH, error, in_statement};
use crate::api::query::{Ended, ROWS_MAX, WrittenQuestion};
use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;
use arrow_pg::datatypes::arrow_schema_to_pg_fields;
use arrow_pg::row_encoder::RowEncoder;
use futures::stream;
use pgwire::api::portal::Format;
use pgwire::api::results::{FieldInfo, QueryResponse};
use pgwire::error::{PgWireError, PgWireResult};
use pgwire::messages::data::DataRow;
use std::sync::Arc;
use store::StoreError;
use store::engine::Answer;
use tokio_util::sync::CancellationToken;

/// The columns of an answer as a client is told them.
///
/// Errors: a client that asks for forms of more or fewer columns than there are.
pub(super) fn fields(schema: &SchemaRef, format: &Format) -> PgWireResult<Vec<FieldInfo>> {
    let columns = schema.fields().len();
    if let Format::Individual(formats) = format
        && formats.len() != columns
    {
        return Err(error(PROTOCOL, format!("{} formats for {columns} columns", formats.len()), ""));
    }
    arrow_schema_to_pg_fields(schema, format, None)
}

/// The columns as they travel: what PostgreSQL has no type for becomes what it has one for.
pub(super) fn travelling(schema: &SchemaRef) -> SchemaRef {
    // What was told of an answer before it was asked may be surer that a value is there than the answer is.
    let field = |field: &Arc<Field>| {
        let travelling = travelling_type(field.data_type());
        field.as_ref().clone().with_data_type(travelling).with_nullable(true)
    };
    Arc::new(Schema::new(schema.fields().iter().map(field).collect::<Vec<_>>()))
}

fn travelling_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Dictionary(_, value) => travelling_type(value),
        DataType::Timestamp(_, Some(_)) => DataType::Timestamp(TimeUnit::Microsecond, Some("+00:00".into())),
        DataType::Timestamp(_, None) => DataType::Timestamp(TimeUnit::Microsecond, None),
        DataType::Null | DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8,
        DataType::LargeList(item) | DataType::FixedSizeList(item, _) | DataType::List(item) => {
            let item = item.as_ref().clone().with_data_type(travelling_type(item.data_type()));
            DataType::List(Arc::new(item))
        }
        DataType::Struct(fields) => {
            let field = |field: &Arc<Field>| field.as_ref().clone().with_data_type(travelling_type(field.data_type()));
            DataType::Struct(fields.iter().map(field).collect())
        }
        DataType::Decimal256(..) | DataType::Map(..) | DataType::Union(..) => DataType::Utf8,
        other => other.clone(),
    }
}

/// A batch with the columns of `schema`, which were promised to the client.
fn fitted(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let columns = batch.columns().iter().zip(schema.fields()).map(|(column, field)| {
        if column.data_type() == field.data_type() { Ok(column.clone()) } else { cast(column, field.data_type()) }
    });
    RecordBatch::try_new(schema.clone(), columns.collect::<Result<Vec<ArrayRef>, _>>()?)
}

/// Rows that are all there already.
pub(super) fn of_batches(
    schema: &SchemaRef,
    batches: Vec<RecordBatch>,
    format: &Format,
    tag: &str,
) -> PgWireResult<QueryResponse> {
    let promised = travelling(schema);
    let fields = Arc::new(fields(&promised, format)?);
    let mut rows = Vec::new();
    for batch in batches {
        let batch = fitted(&batch, &promised).map_err(|error| PgWireError::ApiError(Box::new(error)))?;
        let mut encoder = RowEncoder::new(batch, fields.clone());
        while let Some(row) = encoder.next_row() {
            rows.push(row);
        }
    }
    let mut response = QueryResponse::new(fields, stream::iter(rows));
    response.set_command_tag(tag);
    Ok(response)
}

/// A question that runs.
pub(super) struct Running {
    /// Its rows.
    pub answer: Answer,
    /// Its record, which is closed at the end.
    pub written: WrittenQuestion,
    /// With which the client stops it.
    pub cancel: CancellationToken,
    /// Its text, and where it began in what the client sent: for errors.
    pub text: String,
    /// See above.
    pub offset_chars: usize,
}

/// Rows as they come; `promised` are the columns that the client was told before, if it was.
pub(super) fn of_question(
    running: Running,
    promised: Option<&SchemaRef>,
    format: &Format,
    tag: &str,
) -> PgWireResult<QueryResponse> {
    let promised = travelling(promised.unwrap_or(&running.answer.schema));
    let fields = Arc::new(fields(&promised, format)?);
    let rows = Rows { running, fields: fields.clone(), promised, batch: None, sent: 0 };
    let mut response = QueryResponse::new(fields, stream::unfold(Some(rows), next_row));
    response.set_command_tag(tag);
    Ok(response)
}

struct Rows {
    running: Running,
    fields: Arc<Vec<FieldInfo>>,
    promised: SchemaRef,
    batch: Option<RowEncoder>,
    sent: usize,
}

type Step = Option<(PgWireResult<DataRow>, Option<Rows>)>;

async fn next_row(rows: Option<Rows>) -> Step {
    let mut rows = rows?;
    loop {
        if let Some(row) = rows.batch.as_mut().and_then(RowEncoder::next_row) {
            rows.sent += 1;
            if rows.sent > ROWS_MAX {
                return rows.too_many().await;
            }
            return Some((row, Some(rows)));
        }
        rows.batch = None;
        let batch = tokio::select! {
            biased;
            () = rows.running.cancel.cancelled() => return rows.stopped().await,
            batch = rows.running.answer.next() => batch,
        };
        let fitting = match batch {
            None => return rows.done().await,
            Some(batch) => batch.and_then(|batch| Ok(fitted(&batch, &rows.promised)?)),
        };
        match fitting {
            Ok(batch) => rows.batch = Some(RowEncoder::new(batch, rows.fields.clone())),
            Err(error) => return rows.failed(error).await,
        }
    }
}

impl Rows {
    async fn done(self) -> Step {
        match self.running.written.end(Ended::Done(self.sent)).await {
            Ok(()) => None,
            Err(error) => Some((Err(in_statement(&error, "", 0)), None)),
        }
    }

    async fn stopped(self) -> Step {
        let _ = self.running.written.end(Ended::Cancelled).await;
        Some((Err(error(CANCELLED, "canceling statement due to user request", "")), None))
    }

    async fn failed(self, failure: StoreError) -> Step {
        let refused = failure.into();
        let told = in_statement(&refused, &self.running.text, self.running.offset_chars);
        let _ = self.running.written.end(Ended::Failed(refused.message())).await;
        Some((Err(told), None))
    }

    async fn too_many(self) -> Step {
        let message = format!("the answer has more than {ROWS_MAX} rows");
        let _ = self.running.written.end(Ended::Failed(message.clone())).await;
        Some((Err(error(TOO_MUCH, message, "add a LIMIT, or export the log")), None))
    }
}
