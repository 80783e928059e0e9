-- Layout 2 of the control database, as it was; every later program must read it. Never changed.
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE projects (
    id TEXT PRIMARY KEY, slug TEXT NOT NULL UNIQUE, name TEXT NOT NULL, kind TEXT NOT NULL,
    min_group_size BIGINT NOT NULL, case_rule TEXT NOT NULL, created_at BIGINT NOT NULL);
CREATE TABLE imports (
    id TEXT PRIMARY KEY, project TEXT NOT NULL, file TEXT NOT NULL, content_hash TEXT NOT NULL, format TEXT,
    state TEXT NOT NULL, bytes_total BIGINT NOT NULL, rows_read BIGINT NOT NULL, rows_rejected BIGINT NOT NULL,
    rows_stored BIGINT NOT NULL, message TEXT, started_at BIGINT NOT NULL, finished_at BIGINT);
CREATE INDEX imports_by_project ON imports (project, started_at);
CREATE UNIQUE INDEX imports_once ON imports (project, content_hash) WHERE state = 'done';
CREATE TABLE agents (
    project TEXT NOT NULL, agent_key BIGINT NOT NULL, agent_id TEXT NOT NULL, import TEXT,
    PRIMARY KEY (project, agent_key), UNIQUE (project, agent_id));
CREATE TABLE users (
    project TEXT NOT NULL, user_key BIGINT NOT NULL, user_name TEXT NOT NULL,
    PRIMARY KEY (project, user_key), UNIQUE (project, user_name));
CREATE TABLE files (
    path TEXT PRIMARY KEY, project TEXT NOT NULL, table_name TEXT NOT NULL, agent_min BIGINT, agent_max BIGINT,
    rows BIGINT NOT NULL, bytes BIGINT NOT NULL, time_min BIGINT, time_max BIGINT, sha256 TEXT NOT NULL,
    fingerprint TEXT NOT NULL, state TEXT NOT NULL, created_at BIGINT NOT NULL);
CREATE INDEX files_by_table ON files (project, table_name, state);
CREATE TABLE tables (
    project TEXT NOT NULL, name TEXT NOT NULL, fingerprint TEXT NOT NULL, rows BIGINT NOT NULL,
    bytes BIGINT NOT NULL, built_at BIGINT NOT NULL, PRIMARY KEY (project, name));
CREATE TABLE jobs (
    project TEXT NOT NULL, name TEXT NOT NULL, sql TEXT, enabled BIGINT NOT NULL, schedule TEXT,
    PRIMARY KEY (project, name));
CREATE TABLE runs (
    id TEXT PRIMARY KEY, project TEXT NOT NULL, job TEXT NOT NULL, state TEXT NOT NULL, started_at BIGINT NOT NULL,
    finished_at BIGINT, rows_in BIGINT, rows_out BIGINT, peak_memory_bytes BIGINT, partitions BIGINT, partitions_reused BIGINT,
    error TEXT, error_line BIGINT, error_column BIGINT);
CREATE INDEX runs_by_project ON runs (project, started_at);
CREATE TABLE queries (
    id TEXT PRIMARY KEY, project TEXT NOT NULL, sql TEXT NOT NULL, state TEXT NOT NULL, rows BIGINT, elapsed_ms BIGINT,
    message TEXT, started_at BIGINT NOT NULL);
CREATE INDEX queries_by_project ON queries (project, started_at);
CREATE TABLE label_rules (project TEXT PRIMARY KEY, rules TEXT NOT NULL, revision BIGINT NOT NULL);
CREATE TABLE accounts (
    id TEXT PRIMARY KEY, email TEXT NOT NULL UNIQUE, name TEXT NOT NULL, admin BIGINT NOT NULL, disabled BIGINT NOT NULL,
    password_hash TEXT, oidc_issuer TEXT, oidc_subject TEXT, totp_secret TEXT, totp_active BIGINT NOT NULL,
    totp_step BIGINT NOT NULL, created_at BIGINT NOT NULL, last_login_at BIGINT);
CREATE UNIQUE INDEX accounts_by_subject ON accounts (oidc_issuer, oidc_subject);
CREATE TABLE recovery_codes (account TEXT NOT NULL, code_hash TEXT NOT NULL, PRIMARY KEY (account, code_hash));
CREATE TABLE password_links (token_hash TEXT PRIMARY KEY, account TEXT NOT NULL, expires_at BIGINT NOT NULL);
CREATE INDEX password_links_by_account ON password_links (account);
CREATE TABLE api_tokens (
    id TEXT PRIMARY KEY, account TEXT NOT NULL, project TEXT, name TEXT NOT NULL, read_only BIGINT NOT NULL,
    secret_hash TEXT NOT NULL, created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL, last_used_at BIGINT);
CREATE INDEX api_tokens_by_account ON api_tokens (account);
CREATE TABLE app_keys (
    id TEXT PRIMARY KEY, project TEXT NOT NULL, name TEXT NOT NULL, hash TEXT NOT NULL, created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL, uses BIGINT NOT NULL, uses_max BIGINT, hold BIGINT NOT NULL, address_range TEXT,
    invitation TEXT, revoked_at BIGINT);
CREATE INDEX app_keys_by_project ON app_keys (project, created_at);
CREATE TABLE audit (
    n BIGINT PRIMARY KEY, at BIGINT NOT NULL, actor_kind TEXT NOT NULL, actor_id TEXT NOT NULL, actor_name TEXT NOT NULL,
    action TEXT NOT NULL, project TEXT, subject_kind TEXT, subject_id TEXT, detail TEXT NOT NULL, hash TEXT NOT NULL);
CREATE INDEX audit_by_project ON audit (project, n);
CREATE TABLE audit_heads (
    n BIGINT PRIMARY KEY, hash TEXT NOT NULL, signed_at BIGINT NOT NULL, public_key TEXT NOT NULL, signature TEXT NOT NULL);
CREATE TABLE configurations (
    project TEXT NOT NULL, revision BIGINT NOT NULL, xml TEXT NOT NULL, header TEXT NOT NULL, signature TEXT NOT NULL,
    key_id TEXT NOT NULL, note TEXT NOT NULL, author TEXT NOT NULL, published_at BIGINT NOT NULL, percent BIGINT NOT NULL,
    state TEXT NOT NULL, PRIMARY KEY (project, revision));
CREATE TABLE configuration_drafts (
    project TEXT PRIMARY KEY, xml TEXT NOT NULL, saved_at BIGINT NOT NULL, saved_by TEXT NOT NULL);
CREATE TABLE erasures (
    id TEXT PRIMARY KEY, project TEXT NOT NULL, subject TEXT NOT NULL, asked_at BIGINT NOT NULL, done_at BIGINT,
    certificate TEXT);
CREATE TABLE folds (id TEXT PRIMARY KEY, project TEXT NOT NULL, batches TEXT NOT NULL);
CREATE TABLE invitations (
    id TEXT PRIMARY KEY, project TEXT NOT NULL, token_hash TEXT NOT NULL UNIQUE, person TEXT NOT NULL, team TEXT,
    created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL, revoked_at BIGINT);
CREATE INDEX invitations_by_project ON invitations (project, created_at);
CREATE TABLE login_sessions (
    id TEXT PRIMARY KEY, token_hash TEXT NOT NULL UNIQUE, account TEXT NOT NULL, created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL, address TEXT NOT NULL, user_agent TEXT NOT NULL);
CREATE INDEX login_sessions_by_account ON login_sessions (account);
CREATE TABLE members (
    project TEXT NOT NULL, account TEXT NOT NULL, role TEXT NOT NULL, grants TEXT NOT NULL, since BIGINT NOT NULL,
    PRIMARY KEY (project, account));
CREATE INDEX members_by_account ON members (account);
CREATE TABLE project_keys (
    id TEXT PRIMARY KEY, project TEXT NOT NULL, kind TEXT NOT NULL, sealed TEXT NOT NULL, public TEXT,
    created_at BIGINT NOT NULL, retired_at BIGINT);
CREATE TABLE project_settings (project TEXT PRIMARY KEY, settings TEXT NOT NULL);
CREATE TABLE alerts_sent (project TEXT PRIMARY KEY, at BIGINT NOT NULL);
CREATE TABLE requests (
    id TEXT PRIMARY KEY, project TEXT NOT NULL, kind TEXT NOT NULL, subject TEXT, value BIGINT, reason TEXT NOT NULL,
    asked_by TEXT NOT NULL, asked_at BIGINT NOT NULL, state TEXT NOT NULL, decided_by TEXT, decided_at BIGINT);
CREATE INDEX requests_by_project ON requests (project, asked_at);
CREATE TABLE service_settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
INSERT INTO meta (key, value) VALUES ('layout', '2');
INSERT INTO projects (id, slug, name, kind, min_group_size, case_rule, created_at)
    VALUES ('project-1', 'orders', 'Orders', 'imported', 1, '"auto"', 1767700000000000);
INSERT INTO users (project, user_key, user_name) VALUES ('project-1', 1, 'ann');
INSERT INTO queries (id, project, sql, state, started_at) VALUES ('query-1', 'project-1', 'SELECT 1', 'done', 1767700000000000);
