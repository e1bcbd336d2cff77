ALTER TABLE ai_budget_warnings DROP COLUMN most_micros;
