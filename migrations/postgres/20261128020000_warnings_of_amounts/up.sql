-- Of which cap it was told, in micro-euros: one that was raised since is told of anew, wherever it is set. What was told
-- before this column may be told once more.
ALTER TABLE ai_budget_warnings ADD COLUMN most_micros BIGINT NOT NULL DEFAULT 0;
