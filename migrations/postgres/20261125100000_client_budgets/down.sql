ALTER TABLE clients DROP COLUMN monthly_budget_micros;
