CREATE TABLE pgsim.rebuild_part (
    rebuild integer NOT NULL,
    first_id integer NOT NULL,
    last_id integer NOT NULL,
    done_at timestamptz,
    CONSTRAINT a_part_is_its_rebuild_and_first_id PRIMARY KEY (rebuild, first_id)
);

COMMENT ON TABLE pgsim.rebuild_part IS
'One part of a rebuild. A worker locks the row while it works on the part, so that the part of a dead worker is free again.';
COMMENT ON COLUMN pgsim.rebuild_part.rebuild IS 'The rebuild (rebuild.id).';
COMMENT ON COLUMN pgsim.rebuild_part.first_id IS 'The first recording of the part (recording.id).';
COMMENT ON COLUMN pgsim.rebuild_part.last_id IS 'The last recording of the part (recording.id).';
COMMENT ON COLUMN pgsim.rebuild_part.done_at IS 'When the lists of the part were committed; NULL until then.';
