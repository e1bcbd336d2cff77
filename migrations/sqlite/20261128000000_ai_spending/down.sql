DROP TABLE ai_budget_warnings;
DROP TABLE ai_spending;
