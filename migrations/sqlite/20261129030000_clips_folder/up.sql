-- Which folder of clips is this database's. The folder of the other database has this file's twin: change both.
--
-- At most one row. A file in the folder holds the same id: a folder that is not mounted, or another database's, is
-- known by that.

CREATE TABLE clips_folder (
    id INTEGER PRIMARY KEY NOT NULL CHECK (id = 1),
    folder_id TEXT NOT NULL,
    -- When the folder first held the id; NULL while it may not hold it yet.
    marked_at TIMESTAMP
);
