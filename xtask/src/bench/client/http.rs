//! Requests to a service on this machine that answers in JSON.

use std::io::{Read, Write};
use std::net::TcpStream;

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// Asks an address such as `127.0.0.1:4711`; gives the JSON of the answer, null if it is none.
///
/// Errors: it cannot be reached, or does not answer with a success.
pub fn ask(address: &str, method: &str, path: &str, body: &Value) -> Result<Value> {
    let body = if method == "GET" { String::new() } else { body.to_string() };
    let mut stream = TcpStream::connect(address).with_context(|| format!("cannot reach {address}"))?;
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.0\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("the answer has no head")?;
    if !head.split(' ').nth(1).is_some_and(|status| status.starts_with('2')) {
        bail!("{method} {path}: {} {body}", head.lines().next().unwrap_or_default());
    }
    Ok(serde_json::from_str(body).unwrap_or_default())
}
