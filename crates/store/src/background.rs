//! Work that can wait: it gives way to whoever sends or asks, on machines where there is not a processor for everybody.
//!
//! Folding and the engine's questions are long and want all the processor they can get; taking an envelope in is short, and a
//! client waits for it. So the threads of the former are of lower priority. Priority cannot be taken back without rights, so
//! such threads do nothing else. What the work is, nobody here knows.

use crate::StoreError;
use tokio::sync::oneshot;

/// How much lower (the "nice" value): these threads get about a tenth where others want the processor too.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// Makes the calling thread one that gives way. Where the system has no such thing for a thread, nothing happens.
pub(crate) fn give_way() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::debug!(%error, "a thread keeps its priority");
    }
}

/// Does some work on a thread of its own that gives way.
///
/// Errors: those of the work; no thread could be started, or it ended without an answer.
pub(crate) async fn background<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let (reply, answer) = oneshot::channel();
    let thread = std::thread::Builder::new().name("lode-background".into());
    thread
        .spawn(move || {
            give_way();
            let _ = reply.send(work());
        })
        .map_err(|error| StoreError::Unavailable(format!("no thread for work in the background: {error}")))?;
    answer.await.map_err(|_| StoreError::Unavailable("work in the background did not end".into()))?
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_in_the_background_gives_way_and_whoever_asks_does_not() {
        let niceness = || Ok(rustix::process::getpriority_process(None).unwrap());
        let own = niceness().unwrap();
        assert_eq!(background(niceness).await.unwrap(), (own + NICENESS).min(19));
        assert_eq!(niceness().unwrap(), own);
    }
}
