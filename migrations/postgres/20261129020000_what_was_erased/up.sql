-- What a server removed of the client's files; NULL until it has, and for erasures before this column.
ALTER TABLE erasures ADD COLUMN files_erased BIGINT;
ALTER TABLE erasures ADD COLUMN bytes_erased BIGINT;
