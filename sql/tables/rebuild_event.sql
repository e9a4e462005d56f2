CREATE TABLE pgsim.rebuild_event (
    id integer NOT NULL,
    old_vector vector,
    event bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY
);

COMMENT ON TABLE pgsim.rebuild_event IS
'Changes that refresh applied to the shown matrix during a rebuild; they are stale again when the view switches.';
COMMENT ON COLUMN pgsim.rebuild_event.id IS 'The recording (recording.id).';
COMMENT ON COLUMN pgsim.rebuild_event.old_vector IS 'The vector before the change.';
COMMENT ON COLUMN pgsim.rebuild_event.event IS 'The number of the row.';
