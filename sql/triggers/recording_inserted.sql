CREATE OR REPLACE TRIGGER recording_inserted AFTER INSERT ON pgsim.recording
REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION pgsim.recording_changed();

COMMENT ON TRIGGER recording_inserted ON pgsim.recording IS 'Writes recordings with new vectors to pgsim.stale, for the next refresh.';
