-- Append-only, without foreign key or upsert: writers must never wait for one another here.
CREATE TABLE pgsim.stale (
    event bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id integer NOT NULL,
    old_vector vector,
    xact xid8 NOT NULL DEFAULT pg_current_xact_id()
);

COMMENT ON TABLE pgsim.stale IS
'One change to a recording''s vector that the matrix has not seen; filled by triggers, emptied by refresh.';
COMMENT ON COLUMN pgsim.stale.event IS 'Number of the change.';
COMMENT ON COLUMN pgsim.stale.id IS 'Recording (recording.id) that was inserted, changed or deleted.';
COMMENT ON COLUMN pgsim.stale.old_vector IS 'The vector it had before; NULL for a new one.';
COMMENT ON COLUMN pgsim.stale.xact IS
'Transaction that made the change: a rebuild has seen those, and only those, that its snapshot shows.';
