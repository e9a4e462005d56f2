-- Usage: begin_rebuild(): finds the unfinished rebuild, and refuses a second one.
CREATE UNIQUE INDEX rebuild_unfinished ON pgsim.rebuild ((finished_at IS NULL)) WHERE finished_at IS NULL;
