-- Append-only, without foreign key or upsert: writers never wait for one another here.
CREATE TABLE pgsim.stale (
    event bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id integer NOT NULL,
    old_vector vector,
    xact xid8 NOT NULL DEFAULT pg_current_xact_id(),
    changed_at timestamptz NOT NULL DEFAULT now()
);

COMMENT ON TABLE pgsim.stale IS
'One change of a recording''s vector that the matrix does not contain yet. Triggers write it, a refresh deletes it.';
COMMENT ON COLUMN pgsim.stale.event IS 'The number of the change.';
COMMENT ON COLUMN pgsim.stale.id IS 'The recording (recording.id) that was inserted, changed or deleted.';
COMMENT ON COLUMN pgsim.stale.old_vector IS 'The vector before the change; NULL for a new one.';
COMMENT ON COLUMN pgsim.stale.xact IS
'The transaction that made the change. A rebuild contains the changes that its snapshot shows, and no others.';
COMMENT ON COLUMN pgsim.stale.changed_at IS 'When that transaction began.';
