//! A network between clients and service that mistreats what passes: one connection in three, by a fault of one kind.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What happens to a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The request is cut after some bytes.
    CutRequest,
    /// The service answers, and the answer is cut after some bytes: the client does not know what was stored.
    CutAnswer,
    /// The service answers, and the client hears nothing but the end.
    SwallowAnswer,
    /// The request arrives twice, one after the other; the client hears the second answer.
    Replay,
    /// Request and answer come byte by byte for a while.
    Drip,
    /// The client hears 503, and the service nothing.
    Unavailable,
    /// The service stores it, and the client hears 503.
    UnavailableAfterwards,
    /// The client hears 200 with a page of somebody else.
    CaptivePortal,
    /// The service stores it, and the client hears 200 with bytes that mean nothing.
    Garbage,
}

impl Fault {
    pub const ALL: &[Self] = &[
        Self::CutRequest,
        Self::CutAnswer,
        Self::SwallowAnswer,
        Self::Replay,
        Self::Drip,
        Self::Unavailable,
        Self::UnavailableAfterwards,
        Self::CaptivePortal,
        Self::Garbage,
    ];
}

/// Every how many-th exchange is mistreated.
const EVERY: u64 = 3;

/// Bytes that drip one by one.
const DRIPPING_BYTES: usize = 200;

const UNAVAILABLE: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 0\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
const PORTAL: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 20\r\nconnection: close\r\n\r\n<html>Log in!</html>";
const GARBAGE: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 4\r\nconnection: close\r\n\r\n\xff\x00{}";

/// One that runs until it is dropped.
pub struct ChaosProxy {
    address: SocketAddr,
    faults: Arc<AtomicU64>,
    _threads: tokio::runtime::Runtime,
}

impl ChaosProxy {
    /// A proxy before `service`.
    pub fn start(service: SocketAddr, fault: Fault) -> Self {
        let threads = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = threads.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let faults = Arc::new(AtomicU64::new(0));
        let counted = faults.clone();
        threads.spawn(async move {
            let mut number = 0;
            while let Ok((client, _)) = listener.accept().await {
                number += 1;
                tokio::spawn(serve(client, service, fault, number, counted.clone()));
            }
        });
        Self { address, faults, _threads: threads }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How often the fault happened.
    pub fn faults(&self) -> u64 {
        self.faults.load(Ordering::Relaxed)
    }
}

/// Serves the requests of one connection. Only envelopes are mistreated: enrolment has stories of its own.
async fn serve(
    mut client: TcpStream,
    service: SocketAddr,
    fault: Fault,
    number: u64,
    faults: Arc<AtomicU64>,
) -> io::Result<()> {
    let mut turn = number;
    loop {
        let Some(request) = message(&mut client).await? else { return Ok(()) };
        turn += 1;
        let is_envelope = request.starts_with(b"POST /client/v1/events");
        if !is_envelope || !turn.is_multiple_of(EVERY) {
            client.write_all(&exchange(service, &request).await?).await?;
            continue;
        }
        faults.fetch_add(1, Ordering::Relaxed);
        let place = |length: usize| (number as usize * 97 + turn as usize * 31) % length.max(1);
        match fault {
            Fault::CutRequest => {
                let mut upstream = TcpStream::connect(service).await?;
                upstream.write_all(&request[..place(request.len())]).await?;
                return Ok(());
            }
            Fault::CutAnswer => {
                let answer = exchange(service, &request).await?;
                client.write_all(&answer[..place(answer.len())]).await?;
                return Ok(());
            }
            Fault::SwallowAnswer => {
                exchange(service, &request).await?;
                return Ok(());
            }
            Fault::Replay => {
                exchange(service, &request).await?;
                client.write_all(&exchange(service, &request).await?).await?;
            }
            Fault::Drip => {
                let mut upstream = TcpStream::connect(service).await?;
                drip(&mut upstream, &request).await?;
                let answer = message(&mut upstream).await?.unwrap_or_default();
                drip(&mut client, &answer).await?;
            }
            Fault::Unavailable => {
                client.write_all(UNAVAILABLE).await?;
                return Ok(());
            }
            Fault::UnavailableAfterwards => {
                exchange(service, &request).await?;
                client.write_all(UNAVAILABLE).await?;
                return Ok(());
            }
            Fault::CaptivePortal => {
                client.write_all(PORTAL).await?;
                return Ok(());
            }
            Fault::Garbage => {
                exchange(service, &request).await?;
                client.write_all(GARBAGE).await?;
                return Ok(());
            }
        }
    }
}

async fn drip(to: &mut TcpStream, bytes: &[u8]) -> io::Result<()> {
    let (slow, rest) = bytes.split_at(DRIPPING_BYTES.min(bytes.len()));
    for byte in slow {
        to.write_all(&[*byte]).await?;
        tokio::time::sleep(Duration::from_micros(200)).await;
    }
    to.write_all(rest).await
}

async fn exchange(service: SocketAddr, request: &[u8]) -> io::Result<Vec<u8>> {
    let mut upstream = TcpStream::connect(service).await?;
    upstream.write_all(request).await?;
    Ok(message(&mut upstream).await?.unwrap_or_default())
}

/// Head and body of one message, by its length; `None` at the end of the connection.
async fn message(from: &mut TcpStream) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 16 << 10];
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
            let length: Option<usize> =
                head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
            let whole = match length {
                Some(length) => bytes.len() >= end + 4 + length,
                None if head.contains("transfer-encoding: chunked") => bytes.ends_with(b"0\r\n\r\n"),
                None => true,
            };
            if whole {
                return Ok(Some(bytes));
            }
        }
        let read = from.read(&mut chunk).await?;
        if read == 0 {
            return Ok((!bytes.is_empty()).then_some(bytes));
        }
        bytes.extend_from_slice(&chunk[..read]);
    }
}
