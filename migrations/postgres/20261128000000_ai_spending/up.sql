-- What AI has cost the operator, and who has been told of it. The folder of the other database has this file's twin:
-- change both.
--
-- A month is a calendar month in UTC, such as 2026-11.

-- What the AI of a client has cost in a month, in micro-euros. No foreign key, and it outlives the client: the money
-- is spent, and counts towards the month's cap over all clients. A number is left, and nothing that names a person.
CREATE TABLE ai_spending (
    month TEXT COLLATE "C" NOT NULL,
    client_id BIGINT NOT NULL,
    spent_micros BIGINT NOT NULL,
    PRIMARY KEY (month, client_id)
);

-- Which share of a cap somebody has been told of in a month, so that it is told once, whichever server sees it.
CREATE TABLE ai_budget_warnings (
    -- 'all', or 'client:5': null has no place in a key.
    scope TEXT COLLATE "C" NOT NULL,
    month TEXT COLLATE "C" NOT NULL,
    percent INTEGER NOT NULL,
    client_id BIGINT REFERENCES clients (id) ON DELETE CASCADE,
    told_at TIMESTAMP NOT NULL,
    PRIMARY KEY (scope, month, percent),
    CONSTRAINT ai_budget_warnings_scope_names_client CHECK (
        scope = CASE WHEN client_id IS NULL THEN 'all' ELSE 'client:' || client_id END
    )
);
CREATE INDEX ai_budget_warnings_of_client ON ai_budget_warnings (client_id);
