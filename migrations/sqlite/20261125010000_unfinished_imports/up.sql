-- How far the usage of an imported key has come. The folder of the other database has this file's twin: change both.
--
-- A row stands from the transaction that makes the key until the last of its usage is here. An import that was cut
-- short is taken up from these rows, and one that is through leaves none.

CREATE TABLE unfinished_imports (
    api_key_id BIGINT PRIMARY KEY NOT NULL REFERENCES api_keys (id) ON DELETE CASCADE,
    -- The id, in the earlier database, of the last usage row that was read for this key.
    usage_read_to BIGINT NOT NULL
);
