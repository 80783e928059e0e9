//! Bodies that are too large for memory: written to a file as they come.

use super::errors::{ApiError, ApiResult};
use axum::body::Body;
use futures::StreamExt;
use std::path::Path;
use tokio::io::AsyncWriteExt;

/// Writes a body to a file; nothing is left of one that broke off or is longer than `bytes_max`.
///
/// Errors: `too_large` for a longer one.
pub async fn receive(body: Body, path: &Path, bytes_max: u64, too_large: impl Fn() -> ApiError) -> ApiResult<()> {
    let broken = |error: std::io::Error| ApiError::internal(format!("cannot keep the upload: {error}"));
    let mut file = tokio::fs::File::create(path).await.map_err(broken)?;
    let (mut stream, mut bytes) = (body.into_data_stream(), 0);
    while let Some(chunk) = stream.next().await {
        let chunk = match chunk {
            Ok(chunk) => chunk,
            Err(error) => {
                let _ = tokio::fs::remove_file(path).await;
                return Err(ApiError::bad_request(format!("the upload broke off: {error}"), "send the file again"));
            }
        };
        bytes += chunk.len() as u64;
        if bytes > bytes_max {
            let _ = tokio::fs::remove_file(path).await;
            return Err(too_large());
        }
        file.write_all(&chunk).await.map_err(broken)?;
    }
    file.flush().await.map_err(broken)
}
