//! More than the service can do: connections that only hold the door, and more envelopes than there is room for.

use super::killed::Killed;
use super::{STUCK, captured, clients, threads};
use crate::support::Client;
use server::simulation::client::{Sent, SimulatedClient};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Instant;

/// Memory of the whole service at any time, in kilobytes: 512 MiB.
const MEMORY_KB_MAX: u64 = 512 << 10;

/// Connections, each of which began like this and goes on with nothing.
fn hold(service: Client, count: usize, begin: &[u8]) -> Vec<TcpStream> {
    let hold = |_| {
        let mut stream = TcpStream::connect(service.0).unwrap();
        // A service that has closed it already does not mind.
        let _ = stream.write_all(begin);
        stream
    };
    (0..count).map(hold).collect()
}

/// TS10, a twentieth of it: whoever does nothing, speaks slowly or does not listen keeps no client out.
#[test]
fn s7_connections_that_only_hold_the_door_keep_no_client_out() {
    let folder = tempfile::tempdir().unwrap();
    let service = Killed::start(folder.path(), &[]);
    let (reached, threads) = (service.client(), threads());
    let (_, mut clients) = clients(reached, &threads, 10);
    let body = b"POST /client/v1/events HTTP/1.1\r\nhost: localhost\r\ncontent-length: 50000\r\n\r\nslow";
    let page = b"GET /assets/index.js HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(40);
    let _held = [
        hold(reached, 1_000, b""),
        hold(reached, 250, b"GET /api/v1/me HTTP/1.1\r\nhost: localhost\r\nx-slow: "),
        hold(reached, 100, body),
        hold(reached, 100, &page),
    ];
    for client in &mut clients {
        for _ in 0..5 {
            let packed = captured(client, 20);
            let sent = threads.block_on(client.send(packed)).unwrap();
            assert!(matches!(sent, Sent::Acknowledged(_)), "{sent:?}");
        }
    }
    reached.get("/projects").expect(200);
}

/// With all connections taken the files are not: who is connected goes on, and places come free by themselves.
#[test]
fn s7_a_crowd_at_the_door_leaves_descriptors_for_files() {
    let folder = tempfile::tempdir().unwrap();
    let service = Killed::start_with_descriptors(folder.path(), 400);
    let (reached, threads) = (service.client(), threads());
    let (slug, mut clients) = clients(reached, &threads, 1);
    let client = &mut clients[0];
    let mut crowd = hold(reached, 500, b"");
    // At most 320 find a place; the others are closed at once.
    let (mut closed, limit) = (0, Instant::now() + STUCK);
    while closed < 150 {
        assert!(Instant::now() < limit, "only {closed} of 500 found no place where 320 are");
        crowd.retain_mut(is_waiting);
        closed = 500 - crowd.len();
    }
    let mut sent = 0;
    for _ in 0..5 {
        let packed = captured(client, 20);
        let answer = threads.block_on(client.send(packed)).unwrap();
        assert!(matches!(answer, Sent::Acknowledged(_)), "{answer:?}");
        sent += 20;
    }
    let limit = Instant::now() + STUCK;
    loop {
        assert!(Instant::now() < limit, "no place came free");
        // Who comes from outside finds a place once the crowd's time is over.
        let Ok(mut stream) = TcpStream::connect(reached.0) else { continue };
        let ask = b"GET /api/v1/status HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
        let mut answer = Vec::new();
        if stream.write_all(ask).is_ok() && stream.read_to_end(&mut answer).is_ok() && !answer.is_empty() {
            break;
        }
    }
    reached.until(&format!("/projects/{slug}/balance"), |balance| balance["stored"] == sent);
}

/// TS11: envelopes come while others hold all the room. Each is acknowledged or told when to come back; memory stays within
/// its bound; and who comes back is taken.
#[test]
fn p9_a_flood_is_told_when_to_come_back_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let service = Killed::start(folder.path(), &[]);
    let (reached, threads) = (service.client(), threads());
    let (slug, mut clients) = clients(reached, &threads, 41);
    let rogues = clients.split_off(39);
    let mut scout = clients.pop().unwrap();
    let mut packed: Vec<Vec<u8>> = Vec::new();
    for client in &mut clients {
        packed.push(captured(client, 2_000));
    }
    // Bodies that lack their last byte take up all the room there is, once the service has read so much. One that comes when
    // somebody else has a part of it is refused, and begun again. Who asks too often hears that first.
    let almost = vec![0; (4 << 20) - 1];
    let mut holding: Vec<(usize, TcpStream)> = Vec::new();
    let limit = Instant::now() + STUCK;
    let one = captured(&mut scout, 1);
    loop {
        holding.retain_mut(|(_, stream)| is_waiting(stream));
        for (number, rogue) in rogues.iter().enumerate() {
            while holding.iter().filter(|(whose, _)| *whose == number).count() < 4 {
                let mut stream = begin(reached, rogue);
                // It may be refused, and closed, before it has come.
                let _ = stream.write_all(&almost);
                holding.push((number, stream));
            }
        }
        let sent = threads.block_on(scout.send(one.clone())).unwrap();
        if matches!(sent, Sent::Refused(status, _) if status == 503) {
            break;
        }
        assert!(Instant::now() < limit, "there is room for all of it");
    }
    let mut told: BTreeMap<u16, usize> = BTreeMap::new();
    let mut waits_s = BTreeSet::new();
    let limit = Instant::now() + STUCK;
    let mut acknowledged = 0;
    while acknowledged < clients.len() {
        assert!(Instant::now() < limit, "{acknowledged} envelopes were taken; {told:?}");
        let sending = clients.iter_mut().zip(&packed).map(|(client, packed)| client.send(packed.clone()));
        acknowledged = 0;
        for answer in threads.block_on(futures::future::join_all(sending)) {
            match answer.unwrap() {
                Sent::Acknowledged(_) => acknowledged += 1,
                Sent::Refused(status, wait_s) => {
                    *told.entry(status.as_u16()).or_default() += 1;
                    waits_s.insert(wait_s.expect("a time to come back"));
                }
            }
        }
        // Once everybody was sent away the room is given back.
        if told.contains_key(&503) {
            holding.clear();
        }
    }
    assert_eq!(told.keys().copied().collect::<Vec<_>>(), [503], "{told:?}");
    assert!(waits_s.len() > 10, "all are to come back at once: {waits_s:?}");
    let peak_kb = service.peak_memory_kb();
    println!("{told:?}, {} MiB at most", peak_kb >> 10);
    assert!(peak_kb < MEMORY_KB_MAX, "{peak_kb} kB");
    let balance = reached.get(&format!("/projects/{slug}/balance")).expect(200);
    let scouted = scout.acknowledged.count();
    assert_eq!(balance["stored"], 38 * 2_000 + scouted, "{balance}");
}

/// Whether a connection is neither answered nor closed.
fn is_waiting(stream: &mut TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let waits = stream.read(&mut [0; 1]).is_err_and(|error| error.kind() == ErrorKind::WouldBlock);
    stream.set_nonblocking(false).unwrap();
    waits
}

/// Announces an envelope of a client, as large as one may be.
fn begin(service: Client, client: &SimulatedClient) -> TcpStream {
    let head = format!(
        "POST /client/v1/events HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\ncontent-length: {}\r\n\r\n",
        service.0,
        client.token(),
        4 << 20
    );
    let mut stream = TcpStream::connect(service.0).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    stream
}
