//! App keys of a project: with one, desktops enrol. And the lines that install a client with it.

use super::errors::{ApiError, ApiResult};
use super::paging::time_text;
use super::path::ItemId;
use super::state::AppState;
use crate::access::{Actor, ProjectAccess};
use crate::audit;
use crate::client_address::AddressRange;
use crate::identity::secret_text::KeyKind;
use crate::jobs::runner::now_us;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::control::app_keys::AppKey;
use store::ingest::clients::Standing;
use utoipa::ToSchema;

/// Days that a key is good unless asked otherwise.
pub const DAYS_DEFAULT: u32 = 90;

/// Days that a key is good at most.
const DAYS_MAX: u32 = 366;

/// Microseconds of a day.
pub const DAY_US: i64 = 86_400 * 1_000_000;

/// Characters of a name.
const NAME_CHARS_MAX: usize = 100;

/// The app keys of a project.
#[derive(Serialize, ToSchema)]
pub struct AppKeyList {
    app_keys: Vec<AppKeyShown>,
}

/// An app key; its secret was shown once and is not kept.
#[derive(Serialize, ToSchema)]
pub struct AppKeyShown {
    id: String,
    name: String,
    created_at: Option<String>,
    expires_at: Option<String>,
    uses: i64,
    /// Absent: any number.
    uses_max: Option<i64>,
    approval: Approval,
    /// Addresses it works from; absent: any.
    address_range: Option<String>,
    revoked_at: Option<String>,
    /// Clients it enrolled that are still there.
    enrolled: i64,
    /// Of those, the ones that wait for approval.
    held: i64,
}

/// What a new key may do.
#[derive(Deserialize, ToSchema)]
pub struct NewAppKey {
    name: String,
    days: Option<u32>,
    uses_max: Option<i64>,
    #[serde(default)]
    approval: Approval,
    address_range: Option<String>,
}

/// What happens to a client that enrols.
#[derive(Debug, Serialize, Deserialize, ToSchema, Default, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Approval {
    /// It may send at once.
    #[default]
    Auto,
    /// A lead approves it first.
    Hold,
}

/// A new key, with its secret, and how to use it.
#[derive(Serialize, ToSchema)]
pub struct AppKeyMade {
    app_key: AppKeyShown,
    /// Shown this once.
    key: String,
    install: Vec<InstallLines>,
}

/// How to install a client on one kind of system.
#[derive(Serialize, ToSchema)]
pub struct InstallLines {
    system: InstallSystem,
    title: &'static str,
    lines: String,
}

/// A kind of system with its own way to install a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InstallSystem {
    /// Any Linux, without administrator rights.
    Linux,
    /// Debian and Ubuntu, by an administrator.
    Debian,
    /// Windows, without administrator rights.
    Windows,
    /// Windows, for software distribution.
    WindowsMsi,
}

/// How many clients were purged.
#[derive(Serialize, ToSchema)]
pub struct Purged {
    purged: usize,
}

/// The app keys of the project; those of personal invitations are not among them.
#[utoipa::path(get, path = "/projects/{project}/app-keys", responses((status = 200, body = AppKeyList)),
    extensions(("x-lode-permission" = json!("lead"))))]
pub async fn list(State(state): State<AppState>, access: ProjectAccess) -> ApiResult<Json<AppKeyList>> {
    let mut app_keys = Vec::new();
    for key in state.store.control().app_keys(access.id()).await? {
        app_keys.push(shown(&state, key).await?);
    }
    Ok(Json(AppKeyList { app_keys }))
}

/// Makes an app key.
#[utoipa::path(post, path = "/projects/{project}/app-keys", request_body = NewAppKey,
    responses((status = 201, body = AppKeyMade)), extensions(("x-lode-permission" = json!("lead"))))]
pub async fn create(
    State(state): State<AppState>,
    actor: Actor,
    access: ProjectAccess,
    Json(new): Json<NewAppKey>,
) -> ApiResult<(StatusCode, Json<AppKeyMade>)> {
    let days = new.days.unwrap_or(DAYS_DEFAULT);
    if !(1..=DAYS_MAX).contains(&days) {
        return Err(ApiError::bad_request(
            format!("a key is good for 1 to {DAYS_MAX} days, not {days}"),
            "choose fewer",
        ));
    }
    let name = new.name.trim();
    if name.is_empty() || name.chars().count() > NAME_CHARS_MAX {
        let message = format!("a key needs a name of 1 to {NAME_CHARS_MAX} characters");
        return Err(ApiError::bad_request(message, "name the place where it is used, such as a department"));
    }
    if new.uses_max.is_some_and(|uses| uses < 1) {
        return Err(ApiError::bad_request("a key that may be used less than once is of no use", "leave uses_max out"));
    }
    if let Some(range) = &new.address_range {
        range.parse::<AddressRange>().map_err(|error| ApiError::bad_request(error, "or leave address_range out"))?;
    }
    let (issued, now_us) = (KeyKind::AppKey.issue(), now_us());
    let key = AppKey {
        id: issued.id.clone(),
        project: access.id().to_owned(),
        name: name.to_owned(),
        hash: issued.hash.clone(),
        created_at_us: now_us,
        expires_at_us: now_us + i64::from(days) * DAY_US,
        uses: 0,
        uses_max: new.uses_max,
        hold: new.approval == Approval::Hold,
        address_range: new.address_range,
        invitation: None,
        revoked_at_us: None,
    };
    let control = state.store.control();
    let detail = json!({ "days": days, "uses_max": key.uses_max, "hold": key.hold });
    audit::record(control, &actor, "app_key.create", Some(access.id()), Some(("app_key", &key.id)), detail, now_us)
        .await?;
    control.put_app_key(&key).await?;
    let text = issued.text.expose_secret().to_owned();
    let install = install_lines(&state.url(), &text);
    Ok((StatusCode::CREATED, Json(AppKeyMade { app_key: shown(&state, key).await?, key: text, install })))
}

/// Revokes an app key: it enrols nobody any more. The clients it enrolled go on.
#[utoipa::path(delete, path = "/projects/{project}/app-keys/{key}", responses((status = 204)),
    extensions(("x-lode-permission" = json!("lead"))))]
pub async fn revoke(
    State(state): State<AppState>,
    actor: Actor,
    access: ProjectAccess,
    ItemId(key): ItemId,
) -> ApiResult<StatusCode> {
    let (control, now_us) = (state.store.control(), now_us());
    if !control.revoke_app_key(access.id(), &key, now_us).await? {
        return Err(ApiError::not_found(format!("there is no app key '{key}'"), "look at the list of keys"));
    }
    audit::record(control, &actor, "app_key.revoke", Some(access.id()), Some(("app_key", &key)), json!({}), now_us)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Revokes an app key, and forgets every client that it enrolled and that is still held, with what they sent.
#[utoipa::path(post, path = "/projects/{project}/app-keys/{key}/purge", responses((status = 200, body = Purged)),
    extensions(("x-lode-permission" = json!("lead"))))]
pub async fn purge(
    State(state): State<AppState>,
    actor: Actor,
    access: ProjectAccess,
    ItemId(key): ItemId,
) -> ApiResult<Json<Purged>> {
    let (control, ingest, now_us) = (state.store.control(), state.store.ingest(), now_us());
    if !control.revoke_app_key(access.id(), &key, now_us).await? {
        return Err(ApiError::not_found(format!("there is no app key '{key}'"), "look at the list of keys"));
    }
    let mut purged = 0;
    for agent in ingest.agents_of_key(access.id(), &key).await? {
        if ingest.client(access.id(), &agent).await?.standing == Standing::Held {
            ingest.forget_client(access.id(), &agent).await?;
            purged += 1;
        }
    }
    let detail = json!({ "clients": purged });
    audit::record(control, &actor, "app_key.purge", Some(access.id()), Some(("app_key", &key)), detail, now_us).await?;
    Ok(Json(Purged { purged }))
}

async fn shown(state: &AppState, key: AppKey) -> ApiResult<AppKeyShown> {
    let (enrolled, held) = state.store.ingest().enrolled_by(&key.project, &key.id).await?;
    Ok(AppKeyShown {
        id: key.id,
        name: key.name,
        created_at: time_text(key.created_at_us),
        expires_at: time_text(key.expires_at_us),
        uses: key.uses,
        uses_max: key.uses_max,
        approval: if key.hold { Approval::Hold } else { Approval::Auto },
        address_range: key.address_range,
        revoked_at: key.revoked_at_us.and_then(time_text),
        enrolled,
        held,
    })
}

/// The lines with which a client is installed and enrolled, per system; none of them needs an administrator but Debian's.
pub fn install_lines(url: &str, key: &str) -> Vec<InstallLines> {
    vec![
        InstallLines {
            system: InstallSystem::Linux,
            title: "Linux, without administrator rights",
            lines: format!(
                "tar -xzf lode-agent-linux-x86_64.tar.gz\numask 077; printf '%s' '{key}' > lode.key\n./lode-agent/install.sh --server {url} --key-file lode.key"
            ),
        },
        InstallLines {
            system: InstallSystem::Debian,
            title: "Debian and Ubuntu, by an administrator",
            lines: format!(
                "sudo apt-get install ./lode-agent_amd64.deb\numask 077; printf '%s' '{key}' > lode.key\nlode-agent enroll --server {url} --key-file lode.key"
            ),
        },
        InstallLines {
            system: InstallSystem::Windows,
            title: "Windows, portable, without administrator rights",
            lines: format!("lode-agent.exe enroll --server {url} --key {key}\r\nlode-agent.exe run --portable"),
        },
        InstallLines {
            system: InstallSystem::WindowsMsi,
            title: "Windows, for software distribution",
            lines: format!("msiexec /i lode-agent.msi /qn SERVER={url} KEY={key}"),
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_install_names_the_server_and_the_key() {
        for way in install_lines("https://lode.example.org", "lodek_x") {
            assert!(
                way.lines.contains("https://lode.example.org") && way.lines.contains("lodek_x"),
                "{:?}",
                way.system
            );
        }
    }
}
