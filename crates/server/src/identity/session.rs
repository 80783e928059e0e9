//! Login sessions: the cookie, how long it holds, and how it is made and unmade.
//!
//! The cookie is 256 random bits and means nothing by itself; the control database keeps its hash. `__Host-` makes browsers
//! refuse it without Secure, with a domain, or for a part of the service.

use super::secret_text::{hash, random_secret};
use axum::http::{HeaderMap, HeaderValue, header};
use secrecy::{ExposeSecret, SecretString};
use std::net::IpAddr;
use store::StoreError;
use store::control::Control;
use store::control::login_sessions::{Ended, LoginSession};

/// Name of the cookie.
pub const COOKIE: &str = "__Host-lode";

/// How long a session holds without a request, in microseconds: 60 min.
const IDLE_US: i64 = 60 * 60 * 1_000_000;

/// How long it holds at all, in microseconds: 12 h.
const LIFE_US: i64 = 12 * 60 * 60 * 1_000_000;

/// How stale `seen_at` may be, in microseconds: 1 min. It spares a write per request.
const SEEN_STALE_US: i64 = 60 * 1_000_000;

/// Characters kept of what a browser calls itself.
const USER_AGENT_CHARS_MAX: usize = 200;

/// What makes a session end by itself, at a moment.
pub fn ended(now_us: i64) -> Ended {
    Ended { created_before_us: now_us - LIFE_US, seen_before_us: now_us - IDLE_US }
}

/// Begins a session for an account that has just shown who it is; gives the cookie to set.
pub async fn begin(
    control: &Control,
    account: &str,
    address: IpAddr,
    headers: &HeaderMap,
    now_us: i64,
) -> Result<HeaderValue, StoreError> {
    let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or("");
    let secret = random_secret();
    let session = LoginSession {
        id: uuid::Uuid::new_v4().to_string(),
        account: account.to_owned(),
        created_at_us: now_us,
        seen_at_us: now_us,
        address: address.to_string(),
        user_agent: agent.chars().take(USER_AGENT_CHARS_MAX).collect(),
    };
    // Whatever session the browser had before ends: nobody can prepare one for somebody else.
    if let Some(old) = shown(headers)
        && let Some((_, old)) = control.login_session(&hash(old), ended(now_us)).await?
    {
        control.end_login_session(&old.account, &old.id).await?;
    }
    control.put_login_session(&session, &hash(secret.expose_secret()), ended(now_us)).await?;
    control.note_login(account, now_us).await?;
    cookie(&secret)
}

/// Whether a session's last sight is old enough to be written again.
pub fn is_stale(session: &LoginSession, now_us: i64) -> bool {
    now_us - session.seen_at_us > SEEN_STALE_US
}

/// The secret that a request's cookie shows.
pub fn shown(headers: &HeaderMap) -> Option<&str> {
    cookie_named(headers, COOKIE)
}

/// The value of a cookie.
pub fn cookie_named<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let lines = headers.get_all(header::COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(found, _)| *found == name).map(|(_, value)| value)
}

/// The line that takes the cookie away.
pub fn gone() -> HeaderValue {
    HeaderValue::from_static("__Host-lode=; Secure; HttpOnly; SameSite=Lax; Path=/; Max-Age=0")
}

fn cookie(secret: &SecretString) -> Result<HeaderValue, StoreError> {
    let line = format!("{COOKIE}={}; Secure; HttpOnly; SameSite=Lax; Path=/", secret.expose_secret());
    let mut value = HeaderValue::from_str(&line).map_err(|error| StoreError::Invalid(error.to_string()))?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=b; __Host-lodex=no"));
        assert_eq!(shown(&headers), None);
        headers.append(header::COOKIE, HeaderValue::from_static("c=d; __Host-lode=yes; e=f"));
        assert_eq!(shown(&headers), Some("yes"));
    }
}
