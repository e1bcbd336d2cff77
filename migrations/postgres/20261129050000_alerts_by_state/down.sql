DROP INDEX alerts_by_state;
