CREATE OR REPLACE TRIGGER recording_truncated AFTER TRUNCATE ON pgsim.recording
FOR EACH STATEMENT EXECUTE FUNCTION pgsim.recording_truncated();

-- For a TRUNCATE that logical replication brings, too.
ALTER TABLE pgsim.recording ENABLE ALWAYS TRIGGER recording_truncated;

COMMENT ON TRIGGER recording_truncated ON pgsim.recording IS 'Empties the matrix together with pgsim.recording.';
