DROP TABLE notices;
CREATE TABLE alerts_copy (
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
INSERT INTO alerts_copy
SELECT id, incident_id, client_id, kind, channel, recipient, state, attempts, next_attempt_at, lease_until,
     last_error, message_id, created_at, updated_at
FROM alerts
WHERE notice IS NULL AND client_id IS NOT NULL;
DROP TABLE alerts;
ALTER TABLE alerts_copy RENAME TO alerts;
CREATE INDEX alerts_of_client ON alerts (client_id, incident_id);
CREATE INDEX alerts_due ON alerts (state, next_attempt_at);
