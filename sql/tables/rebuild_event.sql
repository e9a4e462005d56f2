CREATE TABLE pgsim.rebuild_event (
    id integer NOT NULL,
    old_vector vector
);

COMMENT ON TABLE pgsim.rebuild_event IS
'Changes that refresh applied to the shown matrix while another was being made: stale again when the view switches.';
COMMENT ON COLUMN pgsim.rebuild_event.id IS 'Recording (recording.id).';
COMMENT ON COLUMN pgsim.rebuild_event.old_vector IS 'The vector it had before the change.';
