//! The company's login: OpenID Connect with the authorization code and PKCE.
//!
//! The service asks the provider itself and follows no redirect. What comes back is who somebody is there (issuer and
//! subject); which account that is, the caller decides. A login under way belongs to one browser: the answer counts only
//! together with a cookie that was set at its start.

use super::secret_text::{hash, hash_of, random_secret, same_hash};
use anyhow::{Context, Result, bail};
use openidconnect::core::{CoreAuthenticationFlow, CoreClient, CoreProviderMetadata};
use openidconnect::{
    AuthorizationCode, ClientId, ClientSecret, CsrfToken, IssuerUrl, Nonce, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, Scope, TokenResponse,
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;
use utoipa::ToSchema;

/// Logins under way at once; the oldest is forgotten when one more begins.
const WAITING_MAX: usize = 1_000;

/// How long somebody may take at the provider, in microseconds: 10 min.
const WAITING_US: i64 = 10 * 60 * 1_000_000;

/// How long the provider may take to answer.
const PROVIDER_TIME_MAX: Duration = Duration::from_secs(10);

/// Where the company's people log in.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CompanyLogin {
    /// Address of the provider.
    pub issuer: String,
    /// How the provider knows Lode.
    pub client_id: String,
    /// What the button says.
    pub name: String,
}

/// Who somebody is at the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The provider.
    pub issuer: String,
    /// The person, as the provider numbers people; with the issuer it is the key.
    pub subject: String,
    /// The address, if the provider says that it has checked it.
    pub verified_email: Option<String>,
}

/// A login that begins.
pub struct Started {
    /// Where to send the browser.
    pub url: String,
    /// For the cookie that ties the login to this browser.
    pub browser: SecretString,
}

/// What the browser brings back from the provider.
#[derive(Debug, Clone, Copy)]
pub struct Returned<'r> {
    /// Names the login that was begun.
    pub state: &'r str,
    /// What the provider gives the person's data for.
    pub code: &'r str,
    /// From the cookie.
    pub browser: &'r str,
}

/// Logins under way, by state.
#[derive(Default)]
pub struct CompanyLogins(Mutex<HashMap<String, Waiting>>);

struct Waiting {
    verifier: PkceCodeVerifier,
    nonce: Nonce,
    browser_hash: String,
    started_at_us: i64,
}

impl CompanyLogins {
    /// Begins a login; the provider sends the browser back to `redirect`.
    ///
    /// Errors: the provider does not answer, or not as the standard says.
    pub async fn start(
        &self,
        login: &CompanyLogin,
        secret: Option<&SecretString>,
        redirect: &str,
        now_us: i64,
    ) -> Result<Started> {
        let provider = provider(login, &http()?).await?;
        let client = CoreClient::from_provider_metadata(provider, ClientId::new(login.client_id.clone()), key(secret))
            .set_redirect_uri(RedirectUrl::new(redirect.to_owned())?);
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let (url, state, nonce) = client
            .authorize_url(CoreAuthenticationFlow::AuthorizationCode, CsrfToken::new_random, Nonce::new_random)
            .add_scope(Scope::new("email".into()))
            .add_scope(Scope::new("profile".into()))
            .set_pkce_challenge(challenge)
            .url();
        let browser = random_secret();
        let waiting = Waiting { verifier, nonce, browser_hash: hash_of(&browser), started_at_us: now_us };
        self.keep(state.secret().clone(), waiting, now_us);
        Ok(Started { url: url.into(), browser })
    }

    /// Ends a login: asks the provider for the token and checks signature, issuer, audience, time and nonce.
    ///
    /// Errors: this browser began no such login, or the provider's answer does not hold.
    pub async fn finish(
        &self,
        login: &CompanyLogin,
        secret: Option<&SecretString>,
        redirect: &str,
        returned: Returned<'_>,
        now_us: i64,
    ) -> Result<Subject> {
        let waiting = self.take(returned.state, now_us).context("no login with this state was begun")?;
        if !same_hash(&waiting.browser_hash, &hash(returned.browser)) {
            bail!("the login was begun in another browser");
        }
        let http = http()?;
        let provider = provider(login, &http).await?;
        let client = CoreClient::from_provider_metadata(provider, ClientId::new(login.client_id.clone()), key(secret))
            .set_redirect_uri(RedirectUrl::new(redirect.to_owned())?);
        let answer = client
            .exchange_code(AuthorizationCode::new(returned.code.to_owned()))?
            .set_pkce_verifier(waiting.verifier)
            .request_async(&http)
            .await
            .context("the provider did not give a token")?;
        let token = answer.id_token().context("the provider's answer holds no id token")?;
        let claims = token.claims(&client.id_token_verifier(), &waiting.nonce).context("the id token does not hold")?;
        let email = claims.email().filter(|_| claims.email_verified() == Some(true));
        Ok(Subject {
            issuer: claims.issuer().as_str().to_owned(),
            subject: claims.subject().as_str().to_owned(),
            verified_email: email.map(|email| email.as_str().to_owned()),
        })
    }

    fn keep(&self, state: String, waiting: Waiting, now_us: i64) {
        let Ok(mut logins) = self.0.lock() else { return };
        logins.retain(|_, waiting| now_us - waiting.started_at_us < WAITING_US);
        if logins.len() >= WAITING_MAX {
            let oldest = logins.iter().min_by_key(|(_, waiting)| waiting.started_at_us).map(|(state, _)| state.clone());
            oldest.and_then(|oldest| logins.remove(&oldest));
        }
        logins.insert(state, waiting);
    }

    /// Each login ends once, well or not.
    fn take(&self, state: &str, now_us: i64) -> Option<Waiting> {
        let waiting = self.0.lock().ok()?.remove(state)?;
        (now_us - waiting.started_at_us < WAITING_US).then_some(waiting)
    }
}

fn key(secret: Option<&SecretString>) -> Option<ClientSecret> {
    secret.map(|secret| ClientSecret::new(secret.expose_secret().to_owned()))
}

/// Asks for no redirect: one would let the provider's answer point into our network.
fn http() -> Result<reqwest::Client> {
    Ok(reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(PROVIDER_TIME_MAX).build()?)
}

async fn provider(login: &CompanyLogin, http: &reqwest::Client) -> Result<CoreProviderMetadata> {
    let issuer = IssuerUrl::new(login.issuer.clone()).context("the company login's issuer is no address")?;
    let found = CoreProviderMetadata::discover_async(issuer, http).await;
    found.with_context(|| format!("the company login '{}' does not answer as the standard says", login.issuer))
}
