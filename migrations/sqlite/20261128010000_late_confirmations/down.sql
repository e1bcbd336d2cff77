ALTER TABLE incidents DROP COLUMN confirmation_settled_at;
