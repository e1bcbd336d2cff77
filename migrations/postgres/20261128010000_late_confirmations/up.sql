-- When a confirmation that had failed was tried again and answered; null: never. A veto that came so late came after
-- the mail: its incident stays in its owner's list, where one that was vetoed at once is not.
ALTER TABLE incidents ADD COLUMN confirmation_settled_at TIMESTAMP;
