-- The subject of an incident's first mail: later ones carry the same, so that mail programs show one thread.
ALTER TABLE alerts ADD COLUMN subject TEXT;
-- The digest that tells of an alert that was held back.
ALTER TABLE alerts ADD COLUMN told_in TEXT;
-- Since when a camera sends without a pause, by arrival.
ALTER TABLE sources ADD COLUMN sending_since TIMESTAMP;
