//! The register of agents: who enrolled, who may speak, when they were last heard, and in what state they say they are.
//!
//! An agent's row is made at enrolment and kept when it is revoked, so that a resend is still recognised. Tokens are kept as
//! hashes. What a heartbeat says is stored as it came, bounded, next to the few members that lists sort and count by.

use super::Ingest;
use super::landing::ranges;
use super::rows::Bound;
use crate::StoreError;
use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::any::AnyRow;
use std::collections::{BTreeMap, HashMap};
use uilog::SeqRanges;
use uuid::Uuid;

/// Bytes of a heartbeat's status that are kept.
pub const STATUS_BYTES_MAX: usize = 16 << 10;

/// Agents named in one question at most.
const AGENTS_ASKED_MAX: usize = 500;

/// Changes of state kept per agent.
const HISTORY_ROWS_MAX: i64 = 50;

/// What the service allows an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It may send.
    Active,
    /// It waits for a person's approval and may not send.
    Held,
    /// It may not send any more.
    Revoked,
}

impl Standing {
    fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Held => "held",
            Self::Revoked => "revoked",
        }
    }

    fn parse(text: &str) -> Self {
        match text {
            "active" => Self::Active,
            "held" => Self::Held,
            _ => Self::Revoked,
        }
    }
}

/// An agent as it enrols.
#[derive(Debug, Clone)]
pub struct Enrolment {
    /// Random, made by the service.
    pub agent_id: Uuid,
    /// The project of the app key.
    pub project: String,
    /// Id of the app key.
    pub app_key: String,
    /// The invitation behind the app key, if it was a personal one.
    pub invitation: Option<String>,
    /// Its Ed25519 key, base64url.
    pub public_key: String,
    /// Active or held, as the app key says.
    pub standing: Standing,
    /// Its team, if the invitation named one.
    pub team: Option<String>,
    /// Version of the program.
    pub version: String,
    /// Operating system.
    pub os: String,
    /// Microseconds since 1970, UTC.
    pub at_us: i64,
}

/// Who speaks with a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Speaker {
    /// The agent.
    pub agent_id: Uuid,
    /// Its project.
    pub project: String,
    /// What it may do.
    pub standing: Standing,
    /// When the token ends, microseconds since 1970, UTC.
    pub expires_at_us: i64,
}

/// What an agent says of itself, once a minute.
#[derive(Debug, Clone)]
pub struct Heartbeat {
    /// The agent, from the credential.
    pub agent_id: Uuid,
    /// Its project, from the credential.
    pub project: String,
    /// The service's clock, microseconds since 1970, UTC.
    pub at_us: i64,
    /// Its state, such as `recording`.
    pub state: String,
    /// Why, if it says so.
    pub why: Option<String>,
    /// Version of the program.
    pub version: String,
    /// Operating system.
    pub os: String,
    /// The configuration it obeys.
    pub config_revision: Option<i64>,
    /// Events that wait in its spool.
    pub waiting: i64,
    /// How far its clock is ahead of the service's.
    pub clock_offset_us: i64,
    /// The whole status as JSON.
    pub status: String,
    /// Its last error: code and message.
    pub error: Option<(String, String)>,
}

/// One agent as lists show it.
#[derive(Debug, Clone)]
pub struct Client {
    /// The agent.
    pub agent_id: String,
    /// Its project.
    pub project: String,
    /// A short name for people, such as `7K2P-9QXM`.
    pub code: String,
    /// Id of the app key that enrolled it.
    pub app_key: String,
    /// The invitation, if there was one.
    pub invitation: Option<String>,
    /// Its public key.
    pub public_key: String,
    /// What it may do.
    pub standing: Standing,
    /// Its team.
    pub team: Option<String>,
    /// Microseconds since 1970, UTC.
    pub enrolled_at_us: i64,
    /// When it was last heard.
    pub last_seen_at_us: Option<i64>,
    /// The state it says it is in.
    pub reported_state: Option<String>,
    /// Why.
    pub why: Option<String>,
    /// Since when.
    pub state_since_us: Option<i64>,
    /// Version of the program.
    pub version: String,
    /// Operating system.
    pub os: String,
    /// The configuration it obeys.
    pub config_revision: Option<i64>,
    /// Events that wait in its spool.
    pub waiting: i64,
    /// How far its clock is ahead.
    pub clock_offset_us: i64,
    /// The status as it came.
    pub status: Option<String>,
    /// Last error: code, message, when.
    pub error: Option<(String, String, i64)>,
}

impl Client {
    /// The one word for the state: what the service decided, else what the agent says, else `offline`.
    pub fn state(&self, offline_before_us: i64) -> &str {
        match self.standing {
            Standing::Revoked => "revoked",
            Standing::Held => "held",
            Standing::Active if self.last_seen_at_us.is_none_or(|seen_us| seen_us < offline_before_us) => "offline",
            Standing::Active => self.reported_state.as_deref().unwrap_or("needs_consent"),
        }
    }
}

/// The same as [`Client::state`], for the database; OFFLINE is the moment before which an agent counts as offline.
const STATE: &str = "CASE WHEN state = 'revoked' THEN 'revoked' WHEN state = 'held' THEN 'held'
    WHEN last_seen_at IS NULL OR last_seen_at < OFFLINE THEN 'offline' ELSE coalesce(reported_state, 'needs_consent') END";

/// What a list of agents can be sorted by.
pub const SORTS: [&str; 5] = ["last_seen", "version", "waiting", "state", "enrolled"];

/// What a list of agents shows.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Part of the short name, version, system, team or id.
    pub search: Option<String>,
    /// One state.
    pub state: Option<String>,
    /// One team.
    pub team: Option<String>,
    /// One of [`SORTS`].
    pub sort: String,
    /// From the end.
    pub descending: bool,
    /// Rows at most.
    pub limit: i64,
    /// Rows before.
    pub offset: i64,
    /// Agents not heard since then count as offline.
    pub offline_before_us: i64,
}

/// The condition of a list, with what is bound to it. Only what was asked is in it, so that an index can answer.
struct Fitting {
    condition: String,
    texts: Vec<String>,
}

impl Fitting {
    fn of(project: &str, wanted: &Wanted) -> Self {
        let mut fitting = Self { condition: "project = $1".into(), texts: vec![project.to_owned()] };
        if let Some(team) = &wanted.team {
            fitting.and("team = ?", team.clone());
        }
        if let Some(state) = &wanted.state {
            let shown = STATE.replace("OFFLINE", &wanted.offline_before_us.to_string());
            fitting.and(&format!("({shown}) = ?"), state.clone());
        }
        if let Some(search) = wanted.search.as_deref().map(str::trim).filter(|search| !search.is_empty()) {
            let pattern = format!("%{}%", search.to_lowercase().replace(['%', '_'], ""));
            fitting.and(
                "lower(code || ' ' || version || ' ' || os || ' ' || coalesce(team, '') || ' ' || agent_id) LIKE ?",
                pattern,
            );
        }
        fitting
    }

    fn and(&mut self, condition: &str, text: String) {
        self.texts.push(text);
        let place = format!("${}", self.texts.len());
        self.condition.push_str(&format!(" AND {}", condition.replace('?', &place)));
    }

    /// The whole list has an index for each order. What is left of it by a filter is found in the one index that holds all
    /// that filters look at, and sorted then: an order that is computed keeps the database from looking at row after row.
    fn order(&self, wanted: &Wanted) -> String {
        let (order, nothing) = match wanted.sort.as_str() {
            "version" => ("version", "|| ''"),
            "waiting" => ("waiting", "+ 0"),
            "state" => ("coalesce(reported_state, '')", "|| ''"),
            "enrolled" => ("enrolled_at", "+ 0"),
            _ => ("coalesce(last_seen_at, 0)", "+ 0"),
        };
        let nothing = if self.texts.len() > 1 { nothing } else { "" };
        let direction = if wanted.descending { "DESC" } else { "ASC" };
        format!("ORDER BY {order} {nothing} {direction}, agent_id {direction}")
    }

    fn ask<'a>(&self, text: &str) -> sqlx::query::Query<'a, sqlx::Any, sqlx::any::AnyArguments> {
        let query = sqlx::query(sqlx::AssertSqlSafe(text.to_owned()));
        self.texts.iter().fold(query, |query, text| query.bind(text.clone()))
    }
}

/// What the service has of an agent's events, over all its epochs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Received {
    /// Events stored, whether they are still there or not.
    pub stored: u64,
    /// Events that the agent said it removed.
    pub removed: u64,
    /// Numbers below the highest that neither came nor were explained.
    pub missing: u64,
    /// Of the stored ones, those a person had erased.
    pub erased: i64,
    /// Of the stored ones, those whose time was over.
    pub expired: i64,
}

impl Received {
    /// Adds one (agent, epoch): ranges, removed, erased, expired, from the given column on.
    fn add(&mut self, row: &AnyRow, first: usize) -> Result<(), StoreError> {
        let came: SeqRanges = ranges(row.try_get(first)?)?;
        let removed: SeqRanges = ranges(row.try_get(first + 1)?)?;
        self.stored += came.count();
        self.removed += removed.count();
        self.missing += came.missing(&removed, came.last().unwrap_or(0));
        self.erased += row.try_get::<i64, _>(first + 2)?;
        self.expired += row.try_get::<i64, _>(first + 3)?;
        Ok(())
    }
}

/// Errors of agents with the same code.
#[derive(Debug, Clone, Serialize)]
pub struct ErrorGroup {
    /// The code.
    pub code: String,
    /// What the last one said.
    pub message: String,
    /// How many there were.
    pub count: i64,
    /// On how many agents.
    pub clients: i64,
    /// Microseconds since 1970, UTC.
    pub first_seen_us: i64,
    /// Likewise.
    pub last_seen_us: i64,
}

const COLUMNS: &str =
    "agent_id, project, code, app_key, invitation, public_key, state, team, enrolled_at, last_seen_at,
    reported_state, why, state_since, version, os, config_revision, waiting, clock_offset_us, status, error_code,
    error_message, error_at";

impl Ingest {
    /// Enters an agent.
    pub async fn enrol(&self, enrolment: Enrolment) -> Result<(), StoreError> {
        let insert =
            "INSERT INTO clients (agent_id, project, code, app_key, invitation, public_key, state, team, enrolled_at,
            version, os, waiting, clock_offset_us) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0, 0)";
        let values: Vec<Bound> = vec![
            enrolment.agent_id.to_string().into(),
            enrolment.project.into(),
            code(enrolment.agent_id).into(),
            enrolment.app_key.into(),
            enrolment.invitation.into(),
            enrolment.public_key.into(),
            enrolment.standing.as_str().into(),
            enrolment.team.into(),
            enrolment.at_us.into(),
            enrolment.version.into(),
            enrolment.os.into(),
        ];
        self.writer.execute(insert.into(), values).await?;
        Ok(())
    }

    /// Keeps the hash of a new token of an agent; tokens of the agent that are over are forgotten.
    pub async fn put_token(
        &self,
        agent_id: Uuid,
        project: &str,
        hash: &str,
        expires_at_us: i64,
        now_us: i64,
    ) -> Result<(), StoreError> {
        let agent = agent_id.to_string();
        self.writer
            .execute_all(vec![
                (
                    "DELETE FROM client_tokens WHERE agent_id = $1 AND expires_at < $2".into(),
                    vec![agent.clone().into(), now_us.into()],
                ),
                (
                    "INSERT INTO client_tokens (hash, agent_id, project, expires_at) VALUES ($1, $2, $3, $4)".into(),
                    vec![hash.into(), agent.into(), project.into(), expires_at_us.into()],
                ),
            ])
            .await?;
        Ok(())
    }

    /// Who speaks with the token of this hash; the standing is that of now.
    pub async fn speaker(&self, hash: &str) -> Result<Option<Speaker>, StoreError> {
        let row = sqlx::query(
            "SELECT c.agent_id, c.project, c.state, t.expires_at FROM client_tokens t JOIN clients c ON c.agent_id = t.agent_id
             WHERE t.hash = $1",
        )
        .bind(hash)
        .fetch_optional(&self.pool)
        .await?;
        row.map(|row| {
            Ok(Speaker {
                agent_id: identifier(row.try_get(0)?)?,
                project: row.try_get(1)?,
                standing: Standing::parse(row.try_get(2)?),
                expires_at_us: row.try_get(3)?,
            })
        })
        .transpose()
    }

    /// Notes a heartbeat: the agent's row, its history if the state changed, its error if there is a new one.
    pub async fn beat(&self, heartbeat: Heartbeat) -> Result<(), StoreError> {
        let agent = heartbeat.agent_id.to_string();
        let mut statements = vec![
            (
                "INSERT INTO client_history (agent_id, project, at, state, why)
                 SELECT agent_id, project, $2, $3, $4 FROM clients
                 WHERE agent_id = $1 AND (reported_state IS NULL OR reported_state <> $3)"
                    .to_owned(),
                vec![
                    agent.clone().into(),
                    heartbeat.at_us.into(),
                    heartbeat.state.clone().into(),
                    heartbeat.why.clone().into(),
                ],
            ),
            (
                "UPDATE clients SET last_seen_at = $2, state_since = CASE WHEN reported_state = $3 THEN state_since ELSE $2 END,
                     reported_state = $3, why = $4, version = $5, os = $6, config_revision = $7, waiting = $8,
                     clock_offset_us = $9, status = $10 WHERE agent_id = $1"
                    .to_owned(),
                vec![
                    agent.clone().into(),
                    heartbeat.at_us.into(),
                    heartbeat.state.into(),
                    heartbeat.why.into(),
                    heartbeat.version.into(),
                    heartbeat.os.into(),
                    heartbeat.config_revision.into(),
                    heartbeat.waiting.into(),
                    heartbeat.clock_offset_us.into(),
                    heartbeat.status.into(),
                ],
            ),
        ];
        if let Some((code, message)) = heartbeat.error {
            statements.push((
                "INSERT INTO client_errors (project, code, agent_id, message, count, first_seen, last_seen)
                 VALUES ($1, $2, $3, $4, 1, $5, $5) ON CONFLICT (project, code, agent_id) DO UPDATE SET
                     message = excluded.message, count = client_errors.count + 1, last_seen = excluded.last_seen"
                    .to_owned(),
                vec![
                    heartbeat.project.into(),
                    code.clone().into(),
                    agent.clone().into(),
                    message.clone().into(),
                    heartbeat.at_us.into(),
                ],
            ));
            statements.push((
                "UPDATE clients SET error_code = $2, error_message = $3, error_at = $4 WHERE agent_id = $1".to_owned(),
                vec![agent.into(), code.into(), message.into(), heartbeat.at_us.into()],
            ));
        }
        self.writer.execute_all(statements).await?;
        Ok(())
    }

    /// Sets what agents may do; `false` if there is no such agent in the project. Revoking ends its tokens.
    pub async fn set_standing(&self, project: &str, agent_id: &str, standing: Standing) -> Result<bool, StoreError> {
        let mut statements = vec![(
            "UPDATE clients SET state = $3 WHERE project = $1 AND agent_id = $2".to_owned(),
            vec![project.into(), agent_id.into(), standing.as_str().into()],
        )];
        if standing == Standing::Revoked {
            statements.push((
                "DELETE FROM client_tokens WHERE project = $1 AND agent_id = $2".to_owned(),
                vec![project.into(), agent_id.into()],
            ));
        }
        Ok(self.writer.execute_all(statements).await?.first().is_some_and(|rows| *rows > 0))
    }

    /// Approves every agent that is held, of one app key or of all; returns how many.
    pub async fn approve_held(&self, project: &str, app_key: Option<&str>) -> Result<u64, StoreError> {
        let statement =
            "UPDATE clients SET state = 'active' WHERE project = $1 AND state = 'held' AND (app_key = $2 OR $2 = '')";
        self.writer.execute(statement.into(), vec![project.into(), app_key.unwrap_or("").into()]).await
    }

    /// Gives an agent its team.
    pub async fn set_team(&self, project: &str, agent_id: &str, team: Option<String>) -> Result<bool, StoreError> {
        let statement = "UPDATE clients SET team = $3 WHERE project = $1 AND agent_id = $2";
        Ok(self.writer.execute(statement.into(), vec![project.into(), agent_id.into(), team.into()]).await? > 0)
    }

    /// Forgets an agent with everything that has not become a file; its received ranges go too.
    pub async fn forget_client(&self, project: &str, agent_id: &str) -> Result<(), StoreError> {
        let tables = super::tables::OF_PROJECT.iter();
        let statements = tables
            .map(|table| {
                (
                    format!("DELETE FROM {table} WHERE project = $1 AND agent_id = $2"),
                    vec![project.into(), agent_id.into()],
                )
            })
            .collect();
        self.writer.execute_all(statements).await?;
        Ok(())
    }

    /// One agent of a project.
    ///
    /// Errors: [`StoreError::Missing`] if it is not there, or in another project.
    pub async fn client(&self, project: &str, agent_id: &str) -> Result<Client, StoreError> {
        let text = format!("SELECT {COLUMNS} FROM clients WHERE project = $1 AND agent_id = $2");
        let row =
            sqlx::query(sqlx::AssertSqlSafe(text)).bind(project).bind(agent_id).fetch_optional(&self.pool).await?;
        row.as_ref()
            .map(client)
            .transpose()?
            .ok_or_else(|| StoreError::Missing { kind: "client", name: agent_id.into() })
    }

    /// The agent of this id, whatever its project; for the agent's own calls.
    pub async fn client_by_id(&self, agent_id: Uuid) -> Result<Option<Client>, StoreError> {
        let text = format!("SELECT {COLUMNS} FROM clients WHERE agent_id = $1");
        let row = sqlx::query(sqlx::AssertSqlSafe(text)).bind(agent_id.to_string()).fetch_optional(&self.pool).await?;
        row.as_ref().map(client).transpose()
    }

    /// Agents of a project, and how many fit.
    pub async fn clients(&self, project: &str, wanted: &Wanted) -> Result<(Vec<Client>, i64), StoreError> {
        let fitting = Fitting::of(project, wanted);
        let order = fitting.order(wanted);
        // Which ones is decided in an index; the wide rows are read of the page alone.
        let page = format!(
            "SELECT {COLUMNS} FROM clients JOIN (SELECT agent_id AS listed FROM clients WHERE {} {order} LIMIT {} OFFSET {})
             AS page ON agent_id = listed {order}",
            fitting.condition, wanted.limit, wanted.offset
        );
        let rows = fitting.ask(&page).fetch_all(&self.pool).await?;
        let count = format!("SELECT count(*) FROM clients WHERE {}", fitting.condition);
        let count = fitting.ask(&count).fetch_one(&self.pool).await?;
        Ok((rows.iter().map(client).collect::<Result<_, _>>()?, count.try_get(0)?))
    }

    /// How many agents of a project are in which state.
    pub async fn client_counts(
        &self,
        project: &str,
        offline_before_us: i64,
    ) -> Result<BTreeMap<String, i64>, StoreError> {
        let state = STATE.replace("OFFLINE", "$2");
        let text = format!("SELECT {state} AS shown, count(*) FROM clients WHERE project = $1 GROUP BY shown");
        let rows =
            sqlx::query(sqlx::AssertSqlSafe(text)).bind(project).bind(offline_before_us).fetch_all(&self.pool).await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
    }

    /// How many agents an app key enrolled, and how many of them are held.
    pub async fn enrolled_by(&self, project: &str, app_key: &str) -> Result<(i64, i64), StoreError> {
        let row = sqlx::query(
            "SELECT count(*), CAST(coalesce(sum(CASE WHEN state = 'held' THEN 1 ELSE 0 END), 0) AS BIGINT) FROM clients
             WHERE project = $1 AND app_key = $2",
        )
        .bind(project)
        .bind(app_key)
        .fetch_one(&self.pool)
        .await?;
        Ok((row.try_get(0)?, row.try_get(1)?))
    }

    /// Agents that an app key enrolled.
    pub async fn agents_of_key(&self, project: &str, app_key: &str) -> Result<Vec<String>, StoreError> {
        let rows = sqlx::query("SELECT agent_id FROM clients WHERE project = $1 AND app_key = $2")
            .bind(project)
            .bind(app_key)
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
    }

    /// Agents that the key of an invitation enrolled.
    pub async fn clients_of_invitation(
        &self,
        project: &str,
        invitation: &str,
    ) -> Result<Vec<(String, Standing)>, StoreError> {
        let rows = sqlx::query("SELECT agent_id, state FROM clients WHERE project = $1 AND invitation = $2")
            .bind(project)
            .bind(invitation)
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, Standing::parse(row.try_get(1)?)))).collect()
    }

    /// The last changes of an agent's state: when, which, why; newest first.
    pub async fn client_history(
        &self,
        project: &str,
        agent_id: &str,
    ) -> Result<Vec<(i64, String, Option<String>)>, StoreError> {
        let rows = sqlx::query(
            "SELECT at, state, why FROM client_history WHERE project = $1 AND agent_id = $2 ORDER BY at DESC LIMIT $3",
        )
        .bind(project)
        .bind(agent_id)
        .bind(HISTORY_ROWS_MAX)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?))).collect()
    }

    /// Errors of a project's agents by code, most recent first.
    pub async fn client_errors(&self, project: &str) -> Result<Vec<ErrorGroup>, StoreError> {
        let rows = sqlx::query(
            "SELECT code, max(message), CAST(sum(count) AS BIGINT), count(*), min(first_seen), max(last_seen) FROM client_errors
             WHERE project = $1 GROUP BY code ORDER BY max(last_seen) DESC",
        )
        .bind(project)
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(ErrorGroup {
                    code: row.try_get(0)?,
                    message: row.try_get(1)?,
                    count: row.try_get(2)?,
                    clients: row.try_get(3)?,
                    first_seen_us: row.try_get(4)?,
                    last_seen_us: row.try_get(5)?,
                })
            })
            .collect()
    }

    /// What the service has of the events of all agents of a project.
    pub async fn received(&self, project: &str) -> Result<Received, StoreError> {
        let rows = sqlx::query("SELECT ranges, removed, erased, expired FROM streams WHERE project = $1")
            .bind(project)
            .fetch_all(&self.pool)
            .await?;
        let mut received = Received::default();
        for row in rows {
            received.add(&row, 0)?;
        }
        Ok(received)
    }

    /// What the service has of the events of some agents of a project; an agent of which nothing came is left out.
    pub async fn received_of(&self, project: &str, agents: &[&str]) -> Result<HashMap<String, Received>, StoreError> {
        let mut received: HashMap<String, Received> = HashMap::new();
        for agents in agents.chunks(AGENTS_ASKED_MAX) {
            let places: Vec<String> = (2..agents.len() + 2).map(|place| format!("${place}")).collect();
            let text = format!(
                "SELECT agent_id, ranges, removed, erased, expired FROM streams WHERE project = $1 AND agent_id IN ({})",
                places.join(", ")
            );
            let mut query = sqlx::query(sqlx::AssertSqlSafe(text)).bind(project);
            for agent in agents {
                query = query.bind(*agent);
            }
            for row in query.fetch_all(&self.pool).await? {
                received.entry(row.try_get(0)?).or_default().add(&row, 1)?;
            }
        }
        Ok(received)
    }

    /// How many active agents say they obey a revision, and how many there are.
    pub async fn clients_on(&self, project: &str, revision: i64) -> Result<(i64, i64), StoreError> {
        let row = sqlx::query(
            "SELECT CAST(coalesce(sum(CASE WHEN config_revision = $2 THEN 1 ELSE 0 END), 0) AS BIGINT), count(*) FROM clients
             WHERE project = $1 AND state = 'active'",
        )
        .bind(project)
        .bind(revision)
        .fetch_one(&self.pool)
        .await?;
        Ok((row.try_get(0)?, row.try_get(1)?))
    }

    /// How many people a project's agents belong to: an invitation is one person, and so is an agent without one.
    pub async fn people(&self, project: &str) -> Result<i64, StoreError> {
        let row = sqlx::query("SELECT count(DISTINCT coalesce(invitation, agent_id)) FROM clients WHERE project = $1 AND state <> 'revoked'")
            .bind(project)
            .fetch_one(&self.pool)
            .await?;
        Ok(row.try_get(0)?)
    }

    /// How many active agents of a project were not heard since; for alerts.
    pub async fn silent_clients(&self, project: &str, silent_before_us: i64) -> Result<i64, StoreError> {
        let row = sqlx::query(
            "SELECT count(*) FROM clients WHERE project = $1 AND state = 'active' AND coalesce(last_seen_at, enrolled_at) < $2",
        )
        .bind(project)
        .bind(silent_before_us)
        .fetch_one(&self.pool)
        .await?;
        Ok(row.try_get(0)?)
    }
}

fn client(row: &AnyRow) -> Result<Client, StoreError> {
    let error: (Option<String>, Option<String>, Option<i64>) = (row.try_get(19)?, row.try_get(20)?, row.try_get(21)?);
    Ok(Client {
        agent_id: row.try_get(0)?,
        project: row.try_get(1)?,
        code: row.try_get(2)?,
        app_key: row.try_get(3)?,
        invitation: row.try_get(4)?,
        public_key: row.try_get(5)?,
        standing: Standing::parse(row.try_get(6)?),
        team: row.try_get(7)?,
        enrolled_at_us: row.try_get(8)?,
        last_seen_at_us: row.try_get(9)?,
        reported_state: row.try_get(10)?,
        why: row.try_get(11)?,
        state_since_us: row.try_get(12)?,
        version: row.try_get(13)?,
        os: row.try_get(14)?,
        config_revision: row.try_get(15)?,
        waiting: row.try_get(16)?,
        clock_offset_us: row.try_get(17)?,
        status: row.try_get(18)?,
        error: match error {
            (Some(code), Some(message), Some(at_us)) => Some((code, message, at_us)),
            _ => None,
        },
    })
}

pub(super) fn identifier(text: String) -> Result<Uuid, StoreError> {
    text.parse().map_err(|_| StoreError::Invalid(format!("'{text}' is no id of an agent")))
}

/// Eight characters of the id that cannot be confused when read aloud (no I, L, O, U).
fn code(agent_id: Uuid) -> String {
    const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let bits = agent_id.as_u128();
    let letter = |at: u32| char::from(LETTERS[((bits >> (88 + 5 * at)) & 31) as usize]);
    (0..8)
        .map(letter)
        .enumerate()
        .flat_map(|(at, letter)| (at == 4).then_some('-').into_iter().chain([letter]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_name_can_be_read_aloud_and_tells_agents_apart() {
        let codes: std::collections::HashSet<String> = (0..1_000).map(|_| code(Uuid::new_v4())).collect();
        assert_eq!(codes.len(), 1_000);
        assert!(codes.iter().all(|code| code.len() == 9 && !code.contains(['I', 'L', 'O', 'U'])));
    }
}
