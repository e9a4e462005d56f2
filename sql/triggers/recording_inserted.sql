CREATE TRIGGER recording_inserted AFTER INSERT ON pgsim.recording
REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION pgsim.recording_changed();

COMMENT ON TRIGGER recording_inserted ON pgsim.recording IS 'Notes new vectors for the next refresh.';
