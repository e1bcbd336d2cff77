ALTER TABLE erasures DROP COLUMN bytes_erased;
ALTER TABLE erasures DROP COLUMN files_erased;
