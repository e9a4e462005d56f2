CREATE OR REPLACE TRIGGER recording_deleted AFTER DELETE ON pgsim.recording
REFERENCING OLD TABLE AS old_rows
FOR EACH STATEMENT EXECUTE FUNCTION pgsim.recording_changed();

COMMENT ON TRIGGER recording_deleted ON pgsim.recording IS 'Writes deleted recordings to pgsim.stale, for the next refresh.';
