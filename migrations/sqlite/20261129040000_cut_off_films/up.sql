-- How often in a row making a clip's film was begun and never ended, because the server died over it. The folder of the
-- other database has this file's twin: change both.
ALTER TABLE clips ADD COLUMN cut_off INTEGER NOT NULL DEFAULT 0;
