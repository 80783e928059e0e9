//! The body of a client's call, read whole within bounds of size, time and room (promises P9, S5, S7).
//!
//! Who announces too much is told so after what it sends was read and thrown away, within bounds: a connection that is
//! closed under a client that still writes looks like a broken network to it, and the same bytes would come again for ever
//! (promise P7).

use super::admission::{Admission, Room};
use axum::body::BodyDataStream;
use axum::extract::Request;
use axum::http::header;
use futures::StreamExt;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// How long a body may take to arrive; whoever is slower gives its room back.
pub(super) const TIME_MAX: Duration = Duration::from_secs(60);

/// From when on it must have come at [`BYTES_PER_S_MIN`] or faster.
const PATIENCE: Duration = Duration::from_secs(10);

const BYTES_PER_S_MIN: f64 = 1024.0;

/// Bytes of room that a body takes at once: as it comes, so that who only announces much holds little.
const ROOM_BYTES: usize = 64 << 10;

/// How often a body that does not come is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Bytes of a body that is too large that are read and thrown away.
const DRAINED_BYTES_MAX: usize = 16 << 20;

/// How long that may take.
const DRAIN_TIME_MAX: Duration = Duration::from_secs(5);

/// Why there is no body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyError {
    /// It is, or says it is, larger than it may be.
    TooLarge,
    /// It came too slowly, or not to its end.
    TooSlow,
    /// Too much is on its way already.
    NoRoom,
}

/// Reads the body of an agent's call, with the room that it takes for as long as it is held.
pub(super) async fn read(
    admission: &Admission,
    agent: Uuid,
    request: Request,
    bytes_max: usize,
) -> Result<(Vec<u8>, Room), BodyError> {
    let announced = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    let announced: usize = announced.unwrap_or(0);
    let mut parts = request.into_body().into_data_stream();
    let refused = match admission.body(agent, announced.min(ROOM_BYTES)) {
        _ if announced > bytes_max => BodyError::TooLarge,
        None => BodyError::NoRoom,
        Some(mut room) => match collect(&mut parts, &mut room, bytes_max).await {
            Ok(body) => return Ok((body, room)),
            Err(refused) => refused,
        },
    };
    if refused != BodyError::TooSlow {
        let _ = tokio::time::timeout(DRAIN_TIME_MAX, drain(&mut parts)).await;
    }
    Err(refused)
}

/// Room is taken before the bytes are kept.
async fn collect(parts: &mut BodyDataStream, room: &mut Room, bytes_max: usize) -> Result<Vec<u8>, BodyError> {
    let (mut body, began) = (Vec::new(), Instant::now());
    loop {
        match tokio::time::timeout(LOOK_EVERY, parts.next()).await {
            Ok(None) => return Ok(body),
            Ok(Some(Ok(part))) => {
                let bytes = body.len() + part.len();
                if bytes > bytes_max {
                    return Err(BodyError::TooLarge);
                }
                if !room.grow_to(bytes.next_multiple_of(ROOM_BYTES).min(bytes_max)) {
                    return Err(BodyError::NoRoom);
                }
                body.extend_from_slice(&part);
            }
            Ok(Some(Err(_))) => return Err(BodyError::TooSlow),
            Err(_) => {}
        }
        if is_slow(body.len(), began.elapsed()) {
            return Err(BodyError::TooSlow);
        }
    }
}

/// Whether a body of which so much has come after so long is given up.
fn is_slow(bytes: usize, elapsed: Duration) -> bool {
    elapsed > TIME_MAX || (elapsed > PATIENCE && (bytes as f64) < elapsed.as_secs_f64() * BYTES_PER_S_MIN)
}

async fn drain(parts: &mut BodyDataStream) {
    let mut drained = 0;
    while let Some(Ok(part)) = parts.next().await {
        drained += part.len();
        if drained > DRAINED_BYTES_MAX {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s7_a_body_that_drips_is_given_up_and_a_slow_line_is_not() {
        let after = |seconds: u64, bytes: usize| is_slow(bytes, Duration::from_secs(seconds));
        assert!(!after(10, 1), "nobody is given up within ten seconds");
        assert!(after(11, 11 * 1_000) && !after(11, 11 * 1_024));
        assert!(!after(60, 4 << 20) && after(61, 4 << 20), "nobody takes longer than a minute");
    }
}
