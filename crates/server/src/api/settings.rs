//! Settings of the whole service, as admins change them: its public address, mail, the company's login, a webhook.
//!
//! Secrets are written and never read back: the answer only tells whether there is one.

use super::errors::{ApiError, ApiResult};
use super::state::AppState;
use crate::access::Actor;
use crate::audit;
use crate::identity::master_key::Sealer;
use crate::identity::oidc::CompanyLogin;
use crate::identity::secret_text::typed_if_any;
use crate::jobs::runner::now_us;
use axum::Json;
use axum::extract::State;
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::control::Control;
use utoipa::ToSchema;

/// The setting with the address that people know.
const PUBLIC_URL: &str = "public_url";
/// The setting with [`MailServer`].
const SMTP: &str = "smtp";
/// The setting with the sealed password of the mail server.
const SMTP_PASSWORD: &str = "smtp_password";
/// The setting with [`CompanyLogin`].
const OIDC: &str = "oidc";
/// The setting with the sealed secret of the company's login.
const OIDC_SECRET: &str = "oidc_secret";
/// The setting with the address that is told about alerts.
const WEBHOOK: &str = "webhook_url";

/// Characters of one setting.
const SETTING_CHARS_MAX: usize = 2_000;

/// The mail server that Lode sends through.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct MailServer {
    /// Its name.
    pub host: String,
    /// Its port; 465 speaks TLS from the start, others after STARTTLS.
    pub port: u16,
    /// Empty: no login.
    #[serde(default)]
    pub user: String,
    /// The address that mails come from.
    pub from: String,
}

/// The settings.
#[derive(Serialize, ToSchema)]
pub struct SettingsShown {
    public_url: Option<String>,
    smtp: Option<MailServerShown>,
    oidc: Option<CompanyLoginSettings>,
    webhook_url: Option<String>,
}

/// The mail server, without its password.
#[derive(Serialize, ToSchema)]
pub struct MailServerShown {
    #[serde(flatten)]
    server: MailServer,
    password_set: bool,
}

/// The company's login, without its secret.
#[derive(Serialize, ToSchema)]
pub struct CompanyLoginSettings {
    issuer: String,
    client_id: String,
    secret_set: bool,
    name: String,
}

/// What a change sets; what is absent or null is switched off, but secrets that are absent stay.
#[derive(Deserialize, ToSchema)]
pub struct SettingsChange {
    public_url: Option<String>,
    smtp: Option<MailServerChange>,
    oidc: Option<CompanyLoginChange>,
    webhook_url: Option<String>,
}

/// A mail server.
#[derive(Deserialize, ToSchema)]
pub struct MailServerChange {
    #[serde(flatten)]
    server: MailServer,
    #[serde(default, deserialize_with = "typed_if_any")]
    #[schema(value_type = Option<String>)]
    password: Option<SecretString>,
}

/// A company's login.
#[derive(Deserialize, ToSchema)]
pub struct CompanyLoginChange {
    #[serde(flatten)]
    login: CompanyLogin,
    #[serde(default, deserialize_with = "typed_if_any")]
    #[schema(value_type = Option<String>)]
    secret: Option<SecretString>,
}

/// The settings.
#[utoipa::path(get, path = "/service/settings", responses((status = 200, body = SettingsShown)),
    extensions(("x-lode-permission" = json!("admin"))))]
pub async fn show(State(state): State<AppState>) -> ApiResult<Json<SettingsShown>> {
    Ok(Json(shown(state.store.control()).await?))
}

/// Changes the settings.
#[utoipa::path(put, path = "/service/settings", request_body = SettingsChange,
    responses((status = 200, body = SettingsShown)), extensions(("x-lode-permission" = json!("admin"))))]
pub async fn change(
    State(state): State<AppState>,
    actor: Actor,
    Json(change): Json<SettingsChange>,
) -> ApiResult<Json<SettingsShown>> {
    let (control, sealer) = (state.store.control(), &state.identity.sealer);
    let public_url = change.public_url.as_deref().map(web_address).transpose()?;
    let webhook = change.webhook_url.as_deref().map(web_address).transpose()?;
    if let Some(oidc) = &change.oidc {
        web_address(&oidc.login.issuer)?;
    }
    control.put_setting(PUBLIC_URL, public_url.as_deref()).await?;
    control.put_setting(WEBHOOK, webhook.as_deref()).await?;
    put(control, SMTP, change.smtp.as_ref().map(|smtp| &smtp.server)).await?;
    put(control, OIDC, change.oidc.as_ref().map(|oidc| &oidc.login)).await?;
    let password = change.smtp.map(|smtp| smtp.password);
    put_secret(control, sealer, SMTP_PASSWORD, password).await?;
    put_secret(control, sealer, OIDC_SECRET, change.oidc.map(|oidc| oidc.secret)).await?;
    if let Ok(mut url) = state.front.public_url.write()
        && public_url.is_some()
    {
        *url = public_url;
    }
    audit::record(control, &actor, "settings.change", None, None, json!({}), now_us()).await?;
    Ok(Json(shown(control).await?))
}

async fn shown(control: &Control) -> ApiResult<SettingsShown> {
    let smtp = mail_server(control).await?;
    let oidc = company_login(control).await?;
    Ok(SettingsShown {
        public_url: control.setting(PUBLIC_URL).await?,
        smtp: match smtp {
            Some(server) => {
                Some(MailServerShown { server, password_set: control.setting(SMTP_PASSWORD).await?.is_some() })
            }
            None => None,
        },
        oidc: match oidc {
            Some(login) => Some(CompanyLoginSettings {
                issuer: login.issuer,
                client_id: login.client_id,
                secret_set: control.setting(OIDC_SECRET).await?.is_some(),
                name: login.name,
            }),
            None => None,
        },
        webhook_url: control.setting(WEBHOOK).await?,
    })
}

/// The address that people know, if an admin gave one.
pub async fn public_url(control: &Control) -> ApiResult<Option<String>> {
    Ok(control.setting(PUBLIC_URL).await?)
}

/// The address that is told about alerts.
pub async fn webhook_url(control: &Control) -> ApiResult<Option<String>> {
    Ok(control.setting(WEBHOOK).await?)
}

/// The mail server.
pub async fn mail_server(control: &Control) -> ApiResult<Option<MailServer>> {
    get(control, SMTP).await
}

/// Its password.
pub async fn mail_password(control: &Control, sealer: &Sealer) -> ApiResult<Option<SecretString>> {
    secret(control, sealer, SMTP_PASSWORD).await
}

/// The company's login.
pub async fn company_login(control: &Control) -> ApiResult<Option<CompanyLogin>> {
    get(control, OIDC).await
}

/// Its secret.
pub async fn company_login_secret(control: &Control, sealer: &Sealer) -> ApiResult<Option<SecretString>> {
    secret(control, sealer, OIDC_SECRET).await
}

async fn get<T: DeserializeOwned>(control: &Control, name: &str) -> ApiResult<Option<T>> {
    let Some(text) = control.setting(name).await? else { return Ok(None) };
    let read = serde_json::from_str(&text);
    read.map(Some).map_err(|error| ApiError::internal(format!("the setting '{name}' cannot be read: {error}")))
}

async fn put<T: Serialize>(control: &Control, name: &str, value: Option<&T>) -> ApiResult<()> {
    let text = value.map(serde_json::to_string).transpose();
    let text = text.map_err(|error| ApiError::internal(format!("the setting '{name}' cannot be kept: {error}")))?;
    if text.as_ref().is_some_and(|text| text.chars().count() > SETTING_CHARS_MAX) {
        return Err(ApiError::bad_request(format!("'{name}' is too long"), "shorten it"));
    }
    Ok(control.put_setting(name, text.as_deref()).await?)
}

async fn secret(control: &Control, sealer: &Sealer, name: &str) -> ApiResult<Option<SecretString>> {
    let Some(sealed) = control.setting(name).await? else { return Ok(None) };
    Ok(Some(sealer.unseal(name, &sealed)?.as_str().into()))
}

/// Outer `None`: what it belongs to is switched off, so it goes; inner `None`: it stays.
async fn put_secret(
    control: &Control,
    sealer: &Sealer,
    name: &str,
    secret: Option<Option<SecretString>>,
) -> ApiResult<()> {
    match secret {
        None => Ok(control.put_setting(name, None).await?),
        Some(None) => Ok(()),
        Some(Some(secret)) => {
            let sealed = sealer.seal(name, secret.expose_secret())?;
            Ok(control.put_setting(name, Some(&sealed)).await?)
        }
    }
}

/// An address of the web: https, or http on this machine; without what comes after a final slash.
pub fn web_address(text: &str) -> ApiResult<String> {
    let text = text.trim().trim_end_matches('/');
    let wrong =
        || ApiError::bad_request(format!("'{text}' is no address of the web"), "write https://lode.example.org");
    let url = reqwest::Url::parse(text).map_err(|_| wrong())?;
    let here = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    if url.scheme() != "https" && !(url.scheme() == "http" && here) {
        return Err(ApiError::bad_request(format!("'{text}' would travel in the clear"), "use https"));
    }
    if text.len() > SETTING_CHARS_MAX || !url.username().is_empty() || url.password().is_some() {
        return Err(wrong());
    }
    Ok(text.to_owned())
}
