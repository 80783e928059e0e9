//! One connection: messages in, answers out, until one side has enough.
//!
//! Nothing that a client sends is believed before it is bounded: how long the start may take, how many bytes a message may
//! have, how long a connection may do nothing, how long an answer may take to be fetched.

use super::handlers::Handlers;
use super::session::{Prepared, Session};
use futures::{SinkExt, StreamExt};
use pgwire::api::{ClientInfo, NoopHandler, PgWireConnectionState};
use pgwire::messages::{PgWireBackendMessage, PgWireFrontendMessage};
use pgwire::tokio::TlsAcceptor;
use pgwire::tokio::server::{MaybeTls, PgWireMessageServerCodec, negotiate_tls, process_error, process_message};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use store::engine::QUESTION_SECONDS_MAX;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::codec::{Framed, FramedParts};

/// From the first byte to the end of the login.
const START_TIME_MAX: Duration = Duration::from_secs(10);

/// Between two messages; pools of BI tools keep connections open.
const IDLE_TIME_MAX: Duration = Duration::from_secs(60 * 60);

/// For one message, until its answer is fetched: as long as a question may run, and a minute for the rest.
const MESSAGE_TIME_MAX: Duration = Duration::from_secs(QUESTION_SECONDS_MAX + 60);

/// Bytes of one message: the longest statement, with room for its parameters.
const MESSAGE_BYTES_MAX: usize = 2 << 20;

type Socket = Framed<Bounded, PgWireMessageServerCodec<Arc<Prepared>>>;

/// Serves a connection to its end.
///
/// Errors: the network's, and a message that is too long.
pub(super) async fn serve(socket: TcpStream, tls: Option<TlsAcceptor>, session: Arc<Session>) -> io::Result<()> {
    let start_end = Instant::now() + START_TIME_MAX;
    let Ok(negotiated) = timeout_at(start_end, negotiate_tls(socket, tls)).await else { return Ok(()) };
    // Who speaks TLS to a service without a certificate is not answered.
    let Some(framed) = negotiated? else { return Ok(()) };
    let mut socket = bounded(framed);
    let handlers = Arc::new(Handlers(session));
    while let Some(message) = next(&mut socket, start_end).await? {
        if matches!(message, PgWireFrontendMessage::Terminate(_)) {
            break;
        }
        let extended = message.is_extended_query();
        let answered = process_message(
            message,
            &mut socket,
            handlers.clone(),
            handlers.clone(),
            handlers.clone(),
            Arc::new(NoopHandler),
            handlers.clone(),
        );
        match timeout(MESSAGE_TIME_MAX, answered).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => process_error(&mut socket, error, extended).await?,
            Err(_) => break,
        }
    }
    Ok(())
}

/// The next message; `None` when the client is gone, says nothing for too long, or nothing that can be understood.
async fn next(socket: &mut Socket, start_end: Instant) -> io::Result<Option<PgWireFrontendMessage>> {
    let starting = matches!(
        socket.state(),
        PgWireConnectionState::AwaitingStartup | PgWireConnectionState::AuthenticationInProgress
    );
    let end = if starting { start_end } else { Instant::now() + IDLE_TIME_MAX };
    let message = match timeout_at(end, socket.next()).await {
        Ok(Some(message)) => message,
        Ok(None) | Err(_) => return Ok(None),
    };
    socket.get_mut().unread_bytes = 0;
    match message {
        Ok(message) => Ok(Some(message)),
        Err(error) => {
            let told = pgwire::error::ErrorInfo::from(error);
            socket.send(PgWireBackendMessage::ErrorResponse(told.into())).await?;
            Ok(None)
        }
    }
}

fn bounded(framed: Framed<MaybeTls, PgWireMessageServerCodec<Arc<Prepared>>>) -> Socket {
    let parts = framed.into_parts();
    let unread_bytes = parts.read_buf.len();
    let mut bounded = FramedParts::new(Bounded { inner: parts.io, unread_bytes }, parts.codec);
    (bounded.read_buf, bounded.write_buf) = (parts.read_buf, parts.write_buf);
    Framed::from_parts(bounded)
}

/// Counts the bytes that came since the last whole message, and ends the connection when they are too many: the protocol
/// itself would let a message have a gigabyte, also before the login.
struct Bounded {
    inner: MaybeTls,
    unread_bytes: usize,
}

impl AsyncRead for Bounded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.unread_bytes > MESSAGE_BYTES_MAX {
            let message = format!("a message has more than {MESSAGE_BYTES_MAX} bytes");
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, message)));
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.inner).poll_read(context, buffer);
        self.unread_bytes += buffer.filled().len() - before;
        read
    }
}

impl AsyncWrite for Bounded {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}
