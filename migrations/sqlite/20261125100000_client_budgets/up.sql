-- What a client's AI may cost a calendar month (UTC), in micro-euros; null: no cap of its own.
ALTER TABLE clients ADD COLUMN monthly_budget_micros BIGINT;
