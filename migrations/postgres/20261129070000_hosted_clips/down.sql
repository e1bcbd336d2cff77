DROP INDEX clips_to_host;
ALTER TABLE clips DROP COLUMN hosted_until;
ALTER TABLE clips DROP COLUMN hosted_url;
ALTER TABLE clips DROP COLUMN hosted_id;
ALTER TABLE clips DROP COLUMN hosting_error;
ALTER TABLE clips DROP COLUMN hosting_lease_until;
ALTER TABLE clips DROP COLUMN hosting_attempts;
ALTER TABLE clips DROP COLUMN hosting;
