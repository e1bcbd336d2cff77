-- Films hosted elsewhere. NULL: nobody asked for that; this server alone has the film.
ALTER TABLE clips ADD COLUMN hosting TEXT CHECK (hosting IN ('pending', 'hosted', 'failed'));
ALTER TABLE clips ADD COLUMN hosting_attempts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE clips ADD COLUMN hosting_lease_until TIMESTAMP;
ALTER TABLE clips ADD COLUMN hosting_error TEXT;
-- What the hosting service calls the film, where it can be watched (a private link), and until when.
ALTER TABLE clips ADD COLUMN hosted_id TEXT;
ALTER TABLE clips ADD COLUMN hosted_url TEXT;
ALTER TABLE clips ADD COLUMN hosted_until TIMESTAMP;
CREATE INDEX clips_to_host ON clips (client_id, created_at) WHERE hosting = 'pending';
-- A service that answers two films with one link would have one client's film mailed to another.
CREATE UNIQUE INDEX clips_hosted_id ON clips (hosted_id);
CREATE UNIQUE INDEX clips_hosted_url ON clips (hosted_url);
