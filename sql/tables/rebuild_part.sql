CREATE TABLE pgsim.rebuild_part (
    rebuild integer NOT NULL,
    first_id integer NOT NULL,
    last_id integer NOT NULL,
    done_at timestamptz,
    CONSTRAINT a_part_is_its_rebuild_and_first_id PRIMARY KEY (rebuild, first_id)
);

COMMENT ON TABLE pgsim.rebuild_part IS
'One part of a rebuild: a worker locks the row while it works on it, so that a dead worker''s part is free again.';
COMMENT ON COLUMN pgsim.rebuild_part.rebuild IS 'Rebuild that it is a part of (rebuild.id).';
COMMENT ON COLUMN pgsim.rebuild_part.first_id IS 'First recording whose list it makes (recording.id).';
COMMENT ON COLUMN pgsim.rebuild_part.last_id IS 'Last recording whose list it makes.';
COMMENT ON COLUMN pgsim.rebuild_part.done_at IS 'When its lists were committed.';
