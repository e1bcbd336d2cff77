DROP TABLE notices;
DELETE FROM alerts WHERE notice IS NOT NULL OR client_id IS NULL;
ALTER TABLE alerts DROP CONSTRAINT alerts_incident_has_client;
ALTER TABLE alerts DROP COLUMN notice;
ALTER TABLE alerts ALTER COLUMN client_id SET NOT NULL;
