//! Tells people when clients fall silent: by the service's webhook and by mail, at most once a day and project.
//!
//! An alert names the project and a number, no client and no person. Nothing is sent to anybody but the addresses that an
//! admin and the project's leads gave (promise D11).

use crate::api::{AppState, settings};
use anyhow::{Context, Result, anyhow};
use lettre::message::Mailbox;
use lettre::transport::smtp::authentication::Credentials;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use secrecy::ExposeSecret;
use serde_json::json;
use std::time::Duration;
use store::control::project_settings::Alerts;
use store::control::projects::Project;

/// An hour, in microseconds.
const HOUR_US: i64 = 3_600 * 1_000_000;

/// How soon a project's next alert may follow.
const AGAIN_US: i64 = 24 * HOUR_US;

/// How long a webhook or a mail server may take.
const SEND_TIME_MAX: Duration = Duration::from_secs(10);

/// The port of a mail server that speaks TLS from the start.
const SMTPS_PORT: u16 = 465;

/// Looks at every project, and tells whom it should.
///
/// Errors: of the last project whose alert reached nobody; it is tried again with the next round.
pub async fn round(state: &AppState, now_us: i64) -> Result<()> {
    let mut result = Ok(());
    for project in state.store.control().projects().await? {
        if let Err(error) = look(state, &project, now_us).await {
            result = Err(error.context(format!("project {}", project.slug)));
        }
    }
    result
}

async fn look(state: &AppState, project: &Project, now_us: i64) -> Result<()> {
    let control = state.store.control();
    let alerts = control.project_settings(&project.id).await?.alerts;
    if alerts.silence_hours == 0 || (alerts.email.is_empty() && !alerts.webhook) {
        return Ok(());
    }
    let silent_before_us = now_us - i64::from(alerts.silence_hours) * HOUR_US;
    let silent = state.store.ingest().silent_clients(&project.id, silent_before_us).await?;
    if silent == 0 || !control.claim_alert(&project.id, now_us - AGAIN_US, now_us).await? {
        return Ok(());
    }
    let (mut told, mut failed) = (0, None);
    let webhook = if alerts.webhook { call(state, project, &alerts, silent).await } else { Ok(0) };
    for sent in [webhook, write(state, project, &alerts, silent).await] {
        match sent {
            Ok(number) => told += number,
            Err(error) => failed = Some(error),
        }
    }
    if told == 0 {
        control.release_alert(&project.id).await?;
    }
    failed.map_or(Ok(()), Err)
}

/// Calls the webhook; returns how many were told.
async fn call(state: &AppState, project: &Project, alerts: &Alerts, silent: i64) -> Result<usize> {
    let url = settings::webhook_url(state.store.control()).await.map_err(|error| anyhow!(error.message()))?;
    let Some(url) = url else { return Ok(0) };
    // A redirect could lead to a machine that nobody chose.
    let http = reqwest::Client::builder().timeout(SEND_TIME_MAX).redirect(reqwest::redirect::Policy::none()).build()?;
    let body = json!({
        "kind": "silence", "project": project.slug, "clients": silent, "silence_hours": alerts.silence_hours,
        "text": sentence(project, alerts, silent), "url": state.url(),
    });
    let answer = http.post(url).json(&body).send().await.context("the webhook cannot be reached")?;
    answer.error_for_status().context("the webhook refused")?;
    Ok(1)
}

/// Writes to the addresses; returns how many were told.
async fn write(state: &AppState, project: &Project, alerts: &Alerts, silent: i64) -> Result<usize> {
    let control = state.store.control();
    let server = settings::mail_server(control).await.map_err(|error| anyhow!(error.message()))?;
    let Some(server) = server.filter(|_| !alerts.email.is_empty()) else { return Ok(0) };
    let mut transport = if server.port == SMTPS_PORT {
        AsyncSmtpTransport::<Tokio1Executor>::relay(&server.host)?
    } else {
        AsyncSmtpTransport::<Tokio1Executor>::starttls_relay(&server.host)?
    }
    .port(server.port)
    .timeout(Some(SEND_TIME_MAX));
    let password = settings::mail_password(control, &state.identity.sealer).await;
    if let Some(password) = password.map_err(|error| anyhow!(error.message()))? {
        transport = transport.credentials(Credentials::new(server.user, password.expose_secret().to_owned()));
    }
    let transport = transport.build();
    let from: Mailbox = server.from.parse().context("the address that mails come from")?;
    let text = sentence(project, alerts, silent);
    let mut told = 0;
    for address in &alerts.email {
        let to: Mailbox = address.parse().with_context(|| format!("'{address}' is no address"))?;
        let letter = Message::builder().from(from.clone()).to(to).subject("Lode: silent clients");
        let letter = letter.body(format!("{text}\n\n{}\n", state.url()))?;
        transport.send(letter).await.with_context(|| format!("the mail server {} refused", server.host))?;
        told += 1;
    }
    Ok(told)
}

fn sentence(project: &Project, alerts: &Alerts, silent: i64) -> String {
    let clients = if silent == 1 { "client has" } else { "clients have" };
    format!("{silent} {clients} been silent for more than {} h in the project {}.", alerts.silence_hours, project.name)
}
