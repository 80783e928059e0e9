//! A service elsewhere: `--server https://lode.example.org`, with an API token from `LODE_TOKEN`.
//!
//! Commands that can be given to a service as well as to a data folder ask here. Nothing follows a redirect, and a token
//! travels by https, or to a service on this machine.

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Body, Method, RequestBuilder, Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;
use tokio::io::AsyncWriteExt;

/// How long an answer may take: a question may run 300 s.
const TIME_MAX: Duration = Duration::from_secs(330);
/// How long a file may travel: 64 GiB, the largest upload, at 1.5 MiB/s.
const FILE_TIME_MAX: Duration = Duration::from_hours(12);

/// What a service answered instead of what it was asked for.
#[derive(Debug, thiserror::Error)]
#[error("{message}{}", if hint.is_empty() { String::new() } else { format!("; {hint}") })]
pub struct Refused {
    /// The HTTP status.
    pub status: StatusCode,
    message: String,
    hint: String,
}

/// A service, and the token with which it is asked.
pub struct Remote {
    http: reqwest::Client,
    base: String,
    token: SecretString,
}

impl Remote {
    /// A service at `server`.
    ///
    /// Errors: an address that is none, or that would send the token in the clear; no token.
    pub fn new(server: &str, token: Option<&str>) -> Result<Self> {
        let Ok(url) = reqwest::Url::parse(server) else {
            bail!("'{server}' is no address of a service; write it as https://lode.example.org");
        };
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let here = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        if url.scheme() != "https" && !(url.scheme() == "http" && here) {
            bail!("a token does not travel to '{server}' unencrypted; use https, or a service on this machine");
        }
        let Some(token) = token.filter(|token| !token.is_empty()) else {
            bail!("a service asks who calls: make a token under Account → API tokens and put it into LODE_TOKEN");
        };
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(TIME_MAX).build()?;
        let base = format!("{}/api/v1", server.trim_end_matches('/'));
        Ok(Self { http, base, token: token.to_owned().into() })
    }

    /// Asks for JSON; null where there is none.
    ///
    /// Errors: [`Refused`], with the service's sentence; the network's.
    pub async fn json(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value> {
        let answer = self.bytes(method, path, body).await?;
        Ok(if answer.is_empty() { Value::Null } else { serde_json::from_slice(&answer)? })
    }

    /// Asks for a file.
    ///
    /// Errors: like [`Self::json`].
    pub async fn bytes(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Bytes> {
        let mut request = self.request(method, path);
        if let Some(body) = body {
            request = request.json(body);
        }
        Ok(answered(request).await?.bytes().await?)
    }

    /// Sends a file, and what is said about it in the query; answers with the service's JSON.
    ///
    /// Errors: like [`Self::json`].
    pub async fn send_file(&self, path: &str, query: &[(&str, &str)], file: Body) -> Result<Value> {
        let request = self.request(Method::POST, path).query(query).header(CONTENT_TYPE, "application/octet-stream");
        let request = request.body(file).timeout(FILE_TIME_MAX);
        Ok(serde_json::from_slice(&answered(request).await?.bytes().await?)?)
    }

    /// Writes what the service answers into `file` as it comes; answers with the number of bytes. Nothing is left of one that broke
    /// off.
    ///
    /// Errors: like [`Self::json`]; the disk's.
    pub async fn save(&self, path: &str, file: &Path) -> Result<u64> {
        let answer = answered(self.request(Method::GET, path).timeout(FILE_TIME_MAX)).await?;
        let saved = saved(answer, file).await;
        if saved.is_err() {
            let _ = tokio::fs::remove_file(file).await;
        }
        saved.with_context(|| format!("cannot write '{}'", file.display()))
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base)).bearer_auth(self.token.expose_secret())
    }
}

async fn saved(mut answer: Response, file: &Path) -> Result<u64> {
    let mut out = tokio::fs::File::create(file).await?;
    let mut bytes = 0;
    while let Some(chunk) = answer.chunk().await? {
        out.write_all(&chunk).await?;
        bytes += chunk.len() as u64;
    }
    out.sync_all().await?;
    Ok(bytes)
}

/// The answer, if it is what was asked for.
async fn answered(request: RequestBuilder) -> Result<Response> {
    let answer = request.send().await?;
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    let told = serde_json::from_slice::<Value>(&answer.bytes().await?).unwrap_or_default();
    let text = |member: &str| told["error"][member].as_str().unwrap_or_default().to_owned();
    let message = match (text("message"), told["error"]["line"].as_u64()) {
        (message, _) if message.is_empty() => format!("the service answered {status}"),
        (message, Some(line)) => format!("{message} (line {line})"),
        (message, None) => message,
    };
    Err(Refused { status, message, hint: text("hint") }.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(server: &str, token: Option<&str>) -> String {
        Remote::new(server, token).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn s12_a_token_travels_encrypted_or_not_at_all() {
        for clear in ["http://lode.example.org", "http://10.0.0.1:7700", "ftp://localhost"] {
            assert!(refusal(clear, Some("lodet_x")).contains("does not travel"), "{clear}");
        }
        for well in ["https://lode.example.org", "http://127.0.0.1:7700", "http://[::1]:7700", "http://localhost:7700/"]
        {
            assert_eq!(refusal(well, Some("lodet_x")), "", "{well}");
        }
    }

    #[test]
    fn what_is_missing_is_said() {
        assert!(refusal("lode.example.org", Some("lodet_x")).contains("no address"));
        assert!(refusal("https://lode.example.org", None).contains("LODE_TOKEN"));
        assert!(refusal("https://lode.example.org", Some("")).contains("LODE_TOKEN"));
    }
}
