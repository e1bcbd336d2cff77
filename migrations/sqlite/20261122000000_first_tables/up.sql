-- The first tables. The folder of the other database has this file's twin: change both.
--
-- Times are UTC. Money is whole micro-euros. Ids of customers and keys are never given twice.
-- CHECK guards the states whose steps are guarded; kinds and levels may grow, so they have none
-- (SQLite cannot change a CHECK without copying the table). Foreign keys go over (client_id, id):
-- by the schema itself, nothing of one customer can hang on a row of another's.

CREATE TABLE clients (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    locale TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended')),
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL
);
CREATE UNIQUE INDEX clients_email ON clients (lower(email));

CREATE TABLE api_keys (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    client_id BIGINT NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    key_hash TEXT NOT NULL UNIQUE CHECK (length(key_hash) = 64),
    key_prefix TEXT NOT NULL,
    name TEXT NOT NULL,
    scope TEXT NOT NULL DEFAULT 'full',
    is_active BOOLEAN NOT NULL DEFAULT TRUE,
    expires_at TIMESTAMP,
    revoked_at TIMESTAMP,
    last_used_at TIMESTAMP,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    UNIQUE (client_id, id)
);

-- One row a minute for (key, endpoint, method, status) on ingest: `minute` is set and unique.
-- One row each for an analysis or an alert: `minute` is null, and nulls never clash.
CREATE TABLE api_usage (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    api_key_id BIGINT NOT NULL REFERENCES api_keys (id) ON DELETE CASCADE,
    endpoint TEXT NOT NULL,
    method TEXT NOT NULL,
    status_code INTEGER NOT NULL,
    requests BIGINT NOT NULL,
    bytes_in BIGINT NOT NULL,
    prompt_tokens BIGINT,
    completion_tokens BIGINT,
    cost_micros BIGINT NOT NULL,
    provider_cost_micros BIGINT,
    timestamp TIMESTAMP NOT NULL,
    minute TIMESTAMP,
    UNIQUE (api_key_id, endpoint, method, status_code, minute)
);
CREATE INDEX api_usage_newest ON api_usage (api_key_id, timestamp, id);

CREATE TABLE sources (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    client_id BIGINT NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    source_id TEXT NOT NULL,
    source_name TEXT,
    analysis_enabled BOOLEAN NOT NULL DEFAULT TRUE,
    alerts_enabled BOOLEAN NOT NULL DEFAULT TRUE,
    first_seen_at TIMESTAMP NOT NULL,
    last_seen_at TIMESTAMP NOT NULL,
    silent_since TIMESTAMP,
    UNIQUE (client_id, source_id)
);

CREATE TABLE incidents (
    id TEXT PRIMARY KEY NOT NULL,
    client_id BIGINT NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    api_key_id BIGINT NOT NULL,
    source_id TEXT NOT NULL,
    source_name TEXT,
    status TEXT NOT NULL CHECK (status IN ('open', 'closed')),
    triage TEXT NOT NULL CHECK (triage IN ('new', 'acknowledged', 'dismissed', 'resolved', 'vetoed')),
    incident_type TEXT NOT NULL,
    risk_level TEXT NOT NULL,
    description TEXT NOT NULL,
    analysis TEXT NOT NULL,
    detailed_analysis TEXT,
    confirmation TEXT NOT NULL,
    is_manual BOOLEAN NOT NULL,
    occurrences BIGINT NOT NULL,
    frame_count BIGINT NOT NULL,
    first_seen_at TIMESTAMP NOT NULL,
    last_seen_at TIMESTAMP NOT NULL,
    detected_at TIMESTAMP NOT NULL,
    note TEXT,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    UNIQUE (client_id, id),
    FOREIGN KEY (client_id, api_key_id) REFERENCES api_keys (client_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX incidents_one_open ON incidents (client_id, source_id) WHERE status = 'open';
CREATE INDEX incidents_newest ON incidents (client_id, first_seen_at, id);
CREATE INDEX incidents_key ON incidents (client_id, api_key_id);

CREATE TABLE clips (
    id TEXT PRIMARY KEY NOT NULL,
    incident_id TEXT NOT NULL UNIQUE,
    client_id BIGINT NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    state TEXT NOT NULL CHECK (state IN ('pending', 'ready', 'failed', 'expired')),
    storage_key TEXT NOT NULL,
    links_revoked_at TIMESTAMP,
    bytes BIGINT,
    duration_ms BIGINT,
    width INTEGER,
    height INTEGER,
    sha256 TEXT,
    attempts INTEGER NOT NULL DEFAULT 0,
    lease_until TIMESTAMP,
    last_error TEXT,
    expires_at TIMESTAMP NOT NULL,
    created_at TIMESTAMP NOT NULL,
    FOREIGN KEY (client_id, incident_id) REFERENCES incidents (client_id, id) ON DELETE CASCADE
);
CREATE INDEX clips_of_client ON clips (client_id, incident_id);
CREATE INDEX clips_to_make ON clips (state, created_at);
CREATE INDEX clips_to_expire ON clips (expires_at);

CREATE TABLE alerts (
    id TEXT PRIMARY KEY NOT NULL,
    incident_id TEXT,
    client_id BIGINT NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    channel TEXT NOT NULL,
    recipient TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'sending', 'sent', 'held', 'dead')),
    attempts INTEGER NOT NULL DEFAULT 0,
    next_attempt_at TIMESTAMP NOT NULL,
    lease_until TIMESTAMP,
    last_error TEXT,
    message_id TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    FOREIGN KEY (client_id, incident_id) REFERENCES incidents (client_id, id) ON DELETE CASCADE
);
CREATE INDEX alerts_of_client ON alerts (client_id, incident_id);
CREATE INDEX alerts_due ON alerts (state, next_attempt_at);

-- These two outlive the customer: what was done, by whom and when; and what is to be erased.
CREATE TABLE audit_log (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    at TIMESTAMP NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    client_id BIGINT,
    key_id BIGINT,
    detail TEXT NOT NULL
);
CREATE INDEX audit_log_of_client ON audit_log (client_id, id);

CREATE TABLE erasures (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    client_id BIGINT NOT NULL,
    storage_prefix TEXT NOT NULL,
    at TIMESTAMP NOT NULL,
    done_at TIMESTAMP
);
