-- Logical replication changes rows without statements, whose triggers do not fire then; this one fires only then.
CREATE OR REPLACE TRIGGER recording_replicated AFTER INSERT OR UPDATE OR DELETE ON pgsim.recording
FOR EACH ROW EXECUTE FUNCTION pgsim.recording_replicated();

ALTER TABLE pgsim.recording ENABLE REPLICA TRIGGER recording_replicated;

COMMENT ON TRIGGER recording_replicated ON pgsim.recording IS
'Writes recordings that logical replication changes to pgsim.stale, for the next refresh.';
