-- Mails that are about no incident: what they tell stands in `notice` (JSON) until it is put into words. One
-- about an address that no client is known of has no client.
ALTER TABLE alerts ALTER COLUMN client_id DROP NOT NULL;
ALTER TABLE alerts ADD COLUMN notice TEXT;
-- Without a client, nothing would check whose the incident is.
ALTER TABLE alerts ADD CONSTRAINT alerts_incident_has_client
    CHECK (incident_id IS NULL OR client_id IS NOT NULL);

-- When something unusual was last told of a key or an address, so that it is told once an hour, whoever sees it.
CREATE TABLE notices (
    kind TEXT NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    client_id BIGINT REFERENCES clients (id) ON DELETE CASCADE,
    told_at TIMESTAMP NOT NULL,
    PRIMARY KEY (kind, subject)
);
CREATE INDEX notices_of_client ON notices (client_id, told_at);
