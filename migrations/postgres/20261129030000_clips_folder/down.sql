DROP TABLE clips_folder;
