ALTER TABLE sources DROP COLUMN sending_since;
ALTER TABLE alerts DROP COLUMN told_in;
ALTER TABLE alerts DROP COLUMN subject;
