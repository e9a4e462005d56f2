CREATE OR REPLACE TRIGGER recording_updated AFTER UPDATE ON pgsim.recording
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION pgsim.recording_changed();

COMMENT ON TRIGGER recording_updated ON pgsim.recording IS 'Writes recordings with changed vectors to pgsim.stale, for the next refresh.';
