DROP TABLE unfinished_imports;
