//! How many connections are open at once, and how long an answer waits for whoever does not take it (promise S7).
//!
//! Every connection is a descriptor, and so is every file of the store: connections leave a fifth of them free, or a crowd that
//! only holds the door would keep the service from storing anything. Who comes when all places are taken is closed at once,
//! and counted; places come free soon, because heads, bodies and answers have their time.

use axum_server::accept::Accept;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_io_timeout::TimeoutStream;
use uilog::planted;

/// How long a connection may take nothing of its answer.
const DEAF_TIME_MAX: Duration = Duration::from_secs(30);

/// The share of the descriptors that connections may hold, in percent.
const SHARE_PERCENT: u64 = 80;

/// Places where the system does not say how many descriptors there are.
const PLACES_DEFAULT: u64 = 800;

/// Lets in as many connections as there are places.
#[derive(Debug, Clone)]
pub struct Places {
    free: Arc<Semaphore>,
    /// Connections that found no place.
    closed: Arc<AtomicU64>,
}

impl Places {
    /// Places for the descriptors that this process may have; asks for as many as the system allows.
    pub fn of_this_process() -> Self {
        Self::with_places(descriptors().map_or(PLACES_DEFAULT, |all| all.saturating_mul(SHARE_PERCENT) / 100))
    }

    fn with_places(places: u64) -> Self {
        let places = if planted::is("places-without-end") { u64::MAX } else { places };
        let places = usize::try_from(places).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
        Self { free: Arc::new(Semaphore::new(places)), closed: Arc::default() }
    }
}

impl<S> Accept<TcpStream, S> for Places {
    type Stream = Connection;
    type Service = S;
    type Future = std::future::Ready<io::Result<(Connection, S)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let Ok(place) = self.free.clone().try_acquire_owned() else {
            let closed = self.closed.fetch_add(1, Ordering::Relaxed) + 1;
            if closed.is_power_of_two() {
                tracing::warn!(closed, "all connections are taken; whoever comes is closed");
            }
            return std::future::ready(Err(io::Error::from(io::ErrorKind::ConnectionRefused)));
        };
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(DEAF_TIME_MAX));
        std::future::ready(Ok((Connection { stream: Box::pin(stream), _place: place }, service)))
    }
}

/// How many descriptors this process may have, once it has asked for all that the system allows it.
#[cfg(unix)]
fn descriptors() -> Option<u64> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    if raised.is_ok() { limit.maximum } else { limit.current }
}

#[cfg(not(unix))]
fn descriptors() -> Option<u64> {
    None
}

/// A connection that holds its place.
#[derive(Debug)]
pub struct Connection {
    stream: Pin<Box<TimeoutStream<TcpStream>>>,
    _place: OwnedSemaphorePermit,
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_read(context, into)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.stream.as_mut().poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stream.as_mut().poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn s7_who_finds_no_place_is_closed_until_somebody_leaves() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let places = Places::with_places(2);
        let come = async || {
            let (_theirs, ours) = tokio::join!(TcpStream::connect(address), listener.accept());
            places.accept(ours.unwrap().0, ()).await.map(|(connection, ())| connection)
        };
        let first = come().await.unwrap();
        let _second = come().await.unwrap();
        assert_eq!(come().await.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
        assert_eq!(places.closed.load(Ordering::Relaxed), 1);
        drop(first);
        assert!(come().await.is_ok());
    }
}
