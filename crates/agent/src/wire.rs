//! The wire to the service: one request, one answer, nothing followed and nothing believed.
//!
//! TLS with the roots of the system and, where the machine settings name one, another; no redirects; answers are bounded. Plain
//! http is refused except to the machine itself, where tests and demonstrations run (promise S12). Who retries when is decided
//! in [`upload`](crate::upload).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::io::Read;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use uilog::planted;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::unversioned::transport::DefaultConnector;

/// The longest answer that is read, 4 MiB: a configuration has at most 1 MiB.
const ANSWER_BYTES_MAX: u64 = 4 << 20;

/// How long a connection may take to come about.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(10);

/// How long a whole exchange may take.
const EXCHANGE_TIME_MAX: Duration = Duration::from_secs(90);

/// The header with a picture's note: base64url of a JSON object.
const NOTE_HEADER: &str = "lode-picture";

/// A request, below `/client/v1/`.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// `events`, `heartbeat` …
    pub call: &'a str,
    /// Who speaks, if that is known.
    pub token: Option<&'a str>,
    /// What is sent; nothing: it is asked only.
    pub body: Option<Body<'a>>,
}

/// What is sent.
#[derive(Clone, Debug)]
pub enum Body<'a> {
    /// JSON.
    Json(&'a serde_json::Value),
    /// An envelope.
    Envelope(&'a [u8]),
    /// A picture, which is put, not posted.
    Picture {
        /// The picture.
        png: &'a [u8],
        /// Its note: a JSON object.
        note: &'a [u8],
    },
}

/// An answer, whatever it says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The header `Retry-After`, as it came.
    pub retry_after: Option<String>,
    /// The body, cut at the bound.
    pub body: Vec<u8>,
}

impl Reply {
    /// Members of a JSON body; nothing if it is something else.
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&self.body).ok()
    }

    /// The service's own words about an error, for people.
    pub fn sentence(&self) -> String {
        let said: serde_json::Value = self.json().unwrap_or_default();
        let member = |name: &str| said["error"][name].as_str().unwrap_or_default().to_owned();
        let (message, hint) = (member("message"), member("hint"));
        if message.is_empty() { format!("status {}", self.status) } else { format!("{message}; {hint}") }
    }

    /// The code of an error, such as `revoked`.
    pub fn code(&self) -> String {
        let said: serde_json::Value = self.json().unwrap_or_default();
        said["error"]["code"].as_str().unwrap_or_default().to_owned()
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The address is none, or not encrypted.
    #[error("'{0}' is no address of a service: it begins with https://, or with http:// on this machine alone")]
    Address(String),
    /// The certificate is not good, now or ever.
    #[error(
        "the service's certificate is not trusted ({0}); if the date of this machine is wrong, set it right; else ask for the company's CA file"
    )]
    Certificate(String),
    /// Nothing came back.
    #[error("cannot reach the service: {0}")]
    Network(String),
    /// A file of the machine settings cannot be used.
    #[error("cannot use '{0}'")]
    Settings(String),
}

/// What sends requests.
pub trait Wire: Send {
    /// Sends one request and reads the answer.
    ///
    /// Errors: nothing came back. Every status is an answer.
    fn call(&mut self, request: &Request<'_>) -> Result<Reply, WireError>;
}

/// How the machine reaches the network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    /// `system`, `none` or an address.
    pub proxy: String,
    /// A certificate authority besides the system's, in PEM.
    pub extra_ca: Option<std::path::PathBuf>,
}

impl Network {
    /// The proxy on the way to the service of that address; none to this machine itself.
    ///
    /// Errors: settings that name none.
    pub fn proxy_to(&self, base: &str) -> Result<Option<ureq::Proxy>, WireError> {
        let proxy = match self.proxy.as_str() {
            "none" => None,
            "system" | "" => ureq::Proxy::try_from_env(),
            url => Some(ureq::Proxy::new(url).map_err(|_| WireError::Settings(url.to_owned()))?),
        };
        Ok(proxy.filter(|_| !is_loopback(base)))
    }
}

/// The wire over HTTP.
pub struct Http {
    agent: ureq::Agent,
    base: String,
}

impl Http {
    /// A wire to the service of that address.
    ///
    /// Errors: an address without encryption that is not this machine, settings that cannot be used.
    pub fn new(server: &str, network: &Network) -> Result<Self, WireError> {
        Self::within(server, network, EXCHANGE_TIME_MAX)
    }

    /// The same for somebody who waits for no exchange longer than that.
    ///
    /// Errors: as [`new`](Self::new).
    pub fn within(server: &str, network: &Network, time_max: Duration) -> Result<Self, WireError> {
        let base = server.trim_end_matches('/');
        check_address(base)?;
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::Specific(Arc::new(roots(network.extra_ca.as_deref())?)))
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        let config = ureq::Agent::config_builder()
            .tls_config(tls)
            .proxy(network.proxy_to(base)?)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .timeout_connect(Some(CONNECT_TIME_MAX.min(time_max)))
            .timeout_global(Some(time_max))
            .user_agent(concat!("lode-agent/", env!("CARGO_PKG_VERSION")))
            .build();
        let agent = ureq::Agent::with_parts(
            config,
            DefaultConnector::default(),
            ureq::unversioned::resolver::DefaultResolver::default(),
        );
        Ok(Self { agent, base: format!("{base}/client/v1/") })
    }
}

impl Wire for Http {
    fn call(&mut self, request: &Request<'_>) -> Result<Reply, WireError> {
        let url = format!("{}{}", self.base, request.call);
        let bearer = request.token.map(|token| format!("Bearer {token}"));
        let answer = match &request.body {
            None => {
                let mut get = self.agent.get(&url);
                if let Some(bearer) = &bearer {
                    get = get.header("authorization", bearer);
                }
                get.call()
            }
            Some(body) => {
                let text;
                let (mut send, bytes) = match body {
                    Body::Json(value) => {
                        text = value.to_string();
                        (self.agent.post(&url).header("content-type", "application/json"), text.as_bytes())
                    }
                    Body::Envelope(bytes) => {
                        (self.agent.post(&url).header("content-type", "application/x-lode-envelope"), *bytes)
                    }
                    Body::Picture { png, note } => {
                        let put = self.agent.put(&url).header("content-type", "image/png");
                        (put.header(NOTE_HEADER, URL_SAFE_NO_PAD.encode(note)), *png)
                    }
                };
                if let Some(bearer) = &bearer {
                    send = send.header("authorization", bearer);
                }
                send.send(bytes)
            }
        };
        let mut answer = answer.map_err(|error| failed(&error))?;
        let retry_after = answer.headers().get("retry-after").and_then(|value| value.to_str().ok()).map(str::to_owned);
        let mut body = Vec::new();
        let read = answer.body_mut().as_reader().take(ANSWER_BYTES_MAX).read_to_end(&mut body);
        read.map_err(|error| WireError::Network(error.kind().to_string()))?;
        Ok(Reply { status: answer.status().as_u16(), retry_after, body })
    }
}

fn failed(error: &ureq::Error) -> WireError {
    match error {
        ureq::Error::Rustls(error) => WireError::Certificate(error.to_string()),
        error => {
            let text = error.to_string();
            if text.contains("certificate") { WireError::Certificate(text) } else { WireError::Network(text) }
        }
    }
}

/// The roots of the system, and one more.
fn roots(extra: Option<&Path>) -> Result<Vec<Certificate<'static>>, WireError> {
    let found = rustls_native_certs::load_native_certs().certs;
    let mut roots: Vec<_> = found.iter().map(|der| Certificate::from_der(der).to_owned()).collect();
    if let Some(path) = extra {
        let unusable = || WireError::Settings(path.display().to_string());
        let pem = std::fs::read(path).map_err(|_| unusable())?;
        for item in ureq::tls::parse_pem(&pem) {
            if let ureq::tls::PemItem::Certificate(certificate) = item.map_err(|_| unusable())? {
                roots.push(certificate);
            }
        }
    }
    Ok(roots)
}

/// Encrypted, or this machine.
///
/// Errors: the address, if it is neither.
pub fn check_address(base: &str) -> Result<(), WireError> {
    let is_fine = host_of(base, "https://").is_some() || is_loopback(base) || planted::is("plain-http");
    if is_fine { Ok(()) } else { Err(WireError::Address(base.to_owned())) }
}

fn is_loopback(base: &str) -> bool {
    let host = host_of(base, "http://").or_else(|| host_of(base, "https://"));
    host.is_some_and(|host| host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback()))
}

fn host_of<'a>(base: &'a str, scheme: &str) -> Option<&'a str> {
    let authority = base.strip_prefix(scheme)?.split('/').next()?;
    if authority.contains('@') {
        return None;
    }
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next()?,
        None => authority.split(':').next()?,
    };
    (!host.is_empty()).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s12_plain_http_goes_to_this_machine_alone() {
        for good in [
            "https://lode.example",
            "https://lode.example:8443/x",
            "http://127.0.0.1:7700",
            "http://[::1]:1",
            "http://localhost",
        ] {
            assert_eq!(check_address(good), Ok(()), "{good}");
        }
        for bad in [
            "http://lode.example",
            "http://127.0.0.1.example",
            "http://localhost@evil.example",
            "http://127.0.0.1@evil.example/",
            "ftp://127.0.0.1",
            "https://",
            "lode.example",
            "http://10.0.0.1",
        ] {
            assert!(check_address(bad).is_err(), "{bad}");
        }
    }
}
