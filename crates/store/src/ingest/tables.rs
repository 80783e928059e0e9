//! The tables of the ingest database.

use crate::StoreError;
use sqlx::AnyPool;

/// Tables whose rows belong to a project, for whoever removes one.
pub(super) const OF_PROJECT: &[&str] = &[
    "clients",
    "client_tokens",
    "client_history",
    "client_errors",
    "streams",
    "batches",
    "event_hashes",
    "dead_letters",
    "pictures",
    "picture_keys",
];

/// Makes the tables that are not there yet; PostgreSQL has another name for bytes.
pub(super) async fn make(pool: &AnyPool) -> Result<(), StoreError> {
    let connection = pool.acquire().await?;
    let bytes = if connection.backend_name() == "PostgreSQL" { "BYTEA" } else { "BLOB" };
    drop(connection);
    let mut transaction = pool.begin().await?;
    for statement in TABLES {
        sqlx::query(sqlx::AssertSqlSafe(statement.replace("BYTES", bytes))).execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    Ok(())
}

const TABLES: &[&str] = &[
    "CREATE TABLE IF NOT EXISTS clients (
        agent_id TEXT PRIMARY KEY, project TEXT NOT NULL, code TEXT NOT NULL, app_key TEXT NOT NULL, invitation TEXT,
        public_key TEXT NOT NULL, state TEXT NOT NULL, team TEXT, enrolled_at BIGINT NOT NULL, last_seen_at BIGINT,
        reported_state TEXT, why TEXT, state_since BIGINT, version TEXT NOT NULL, os TEXT NOT NULL,
        config_revision BIGINT, waiting BIGINT NOT NULL, clock_offset_us BIGINT NOT NULL, status TEXT,
        error_code TEXT, error_message TEXT, error_at BIGINT)",
    // All that lists search, sort and count by: their questions never touch the wide rows.
    "CREATE INDEX IF NOT EXISTS clients_listed ON clients (
        project, state, reported_state, last_seen_at, team, code, version, os, waiting, enrolled_at, agent_id)",
    "CREATE INDEX IF NOT EXISTS clients_by_last_seen ON clients (project, coalesce(last_seen_at, 0), agent_id)",
    "CREATE INDEX IF NOT EXISTS clients_by_enrolment ON clients (project, enrolled_at, agent_id)",
    "CREATE INDEX IF NOT EXISTS clients_by_waiting ON clients (project, waiting, agent_id)",
    "CREATE INDEX IF NOT EXISTS clients_by_version ON clients (project, version, agent_id)",
    "CREATE INDEX IF NOT EXISTS clients_by_reported_state ON clients (project, coalesce(reported_state, ''), agent_id)",
    "DROP INDEX IF EXISTS clients_by_project",
    "DROP INDEX IF EXISTS clients_by_state",
    "CREATE TABLE IF NOT EXISTS client_tokens (
        hash TEXT PRIMARY KEY, agent_id TEXT NOT NULL, project TEXT NOT NULL, expires_at BIGINT NOT NULL)",
    "CREATE INDEX IF NOT EXISTS client_tokens_by_agent ON client_tokens (agent_id)",
    "CREATE TABLE IF NOT EXISTS client_history (
        agent_id TEXT NOT NULL, project TEXT NOT NULL, at BIGINT NOT NULL, state TEXT NOT NULL, why TEXT)",
    "CREATE INDEX IF NOT EXISTS client_history_by_agent ON client_history (agent_id, at)",
    "CREATE TABLE IF NOT EXISTS client_errors (
        project TEXT NOT NULL, code TEXT NOT NULL, agent_id TEXT NOT NULL, message TEXT NOT NULL, count BIGINT NOT NULL,
        first_seen BIGINT NOT NULL, last_seen BIGINT NOT NULL, PRIMARY KEY (project, code, agent_id))",
    "CREATE TABLE IF NOT EXISTS streams (
        agent_id TEXT NOT NULL, epoch TEXT NOT NULL, project TEXT NOT NULL, ranges TEXT NOT NULL, removed TEXT NOT NULL,
        stored BIGINT NOT NULL, erased BIGINT NOT NULL, expired BIGINT NOT NULL, last_at BIGINT NOT NULL,
        PRIMARY KEY (agent_id, epoch))",
    "CREATE INDEX IF NOT EXISTS streams_by_project ON streams (project, agent_id)",
    "CREATE TABLE IF NOT EXISTS batches (
        id TEXT PRIMARY KEY, project TEXT NOT NULL, agent_id TEXT NOT NULL, epoch TEXT NOT NULL, events BIGINT NOT NULL,
        received_at BIGINT NOT NULL, body BYTES NOT NULL)",
    "CREATE INDEX IF NOT EXISTS batches_by_project ON batches (project, id)",
    "CREATE TABLE IF NOT EXISTS event_hashes (
        agent_id TEXT NOT NULL, epoch TEXT NOT NULL, project TEXT NOT NULL, seq_min BIGINT NOT NULL, seq_max BIGINT NOT NULL,
        stored_at BIGINT NOT NULL, hashes BYTES NOT NULL)",
    "CREATE INDEX IF NOT EXISTS event_hashes_by_stream ON event_hashes (agent_id, epoch, seq_max)",
    "CREATE INDEX IF NOT EXISTS event_hashes_by_time ON event_hashes (stored_at)",
    "CREATE TABLE IF NOT EXISTS dead_letters (
        id TEXT PRIMARY KEY, project TEXT NOT NULL, agent_id TEXT NOT NULL, epoch TEXT NOT NULL, seq BIGINT,
        reason TEXT NOT NULL, received_at BIGINT NOT NULL, body BYTES NOT NULL)",
    "CREATE INDEX IF NOT EXISTS dead_letters_by_project ON dead_letters (project, received_at)",
    "CREATE TABLE IF NOT EXISTS pictures (
        project TEXT NOT NULL, screenshot_id TEXT NOT NULL, agent_id TEXT NOT NULL, day BIGINT NOT NULL, sent_sha256 TEXT NOT NULL,
        path TEXT NOT NULL, bytes BIGINT NOT NULL, width BIGINT NOT NULL, height BIGINT NOT NULL, note TEXT NOT NULL,
        received_at BIGINT NOT NULL, hidden BIGINT NOT NULL, PRIMARY KEY (project, screenshot_id))",
    "CREATE INDEX IF NOT EXISTS pictures_by_agent ON pictures (project, agent_id, day)",
    "CREATE TABLE IF NOT EXISTS picture_keys (
        project TEXT NOT NULL, agent_id TEXT NOT NULL, day BIGINT NOT NULL, sealed TEXT NOT NULL,
        PRIMARY KEY (project, agent_id, day))",
];
