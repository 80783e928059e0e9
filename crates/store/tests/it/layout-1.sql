-- Layout 1 of the control database, as it was; every later program must read it. Never changed.
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
INSERT INTO meta (key, value) VALUES ('layout', '1');
INSERT INTO projects (id, slug, name, kind, min_group_size, case_rule, created_at)
    VALUES ('project-1', 'orders', 'Orders', 'imported', 1, '"auto"', 1767700000000000);
INSERT INTO users (project, user_key, user_name) VALUES ('project-1', 1, 'ann');
INSERT INTO queries (id, project, sql, state, started_at) VALUES ('query-1', 'project-1', 'SELECT 1', 'done', 1767700000000000);
