-- Mails that are about no incident: what they tell stands in `notice` (JSON) until it is put into words. One
-- about an address that no client is known of has no client.
--
-- SQLite cannot take NOT NULL off a column: the table is copied. Nothing refers to it.
CREATE TABLE alerts_copy (
    id TEXT PRIMARY KEY NOT NULL,
    incident_id TEXT,
    client_id BIGINT REFERENCES clients (id) ON DELETE CASCADE,
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
    notice TEXT,
    FOREIGN KEY (client_id, incident_id) REFERENCES incidents (client_id, id) ON DELETE CASCADE,
    -- Without a client, nothing would check whose the incident is.
    CONSTRAINT alerts_incident_has_client CHECK (incident_id IS NULL OR client_id IS NOT NULL)
);
INSERT INTO alerts_copy
    (id, incident_id, client_id, kind, channel, recipient, state, attempts, next_attempt_at, lease_until,
     last_error, message_id, created_at, updated_at)
SELECT id, incident_id, client_id, kind, channel, recipient, state, attempts, next_attempt_at, lease_until,
     last_error, message_id, created_at, updated_at
FROM alerts;
DROP TABLE alerts;
ALTER TABLE alerts_copy RENAME TO alerts;
CREATE INDEX alerts_of_client ON alerts (client_id, incident_id);
CREATE INDEX alerts_due ON alerts (state, next_attempt_at);

-- When something unusual was last told of a key or an address, so that it is told once an hour, whoever sees it.
CREATE TABLE notices (
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    client_id BIGINT REFERENCES clients (id) ON DELETE CASCADE,
    told_at TIMESTAMP NOT NULL,
    PRIMARY KEY (kind, subject)
);
CREATE INDEX notices_of_client ON notices (client_id, told_at);
