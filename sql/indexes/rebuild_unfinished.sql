-- Usage: begin_rebuild(): finds the unfinished rebuild. It also prevents a second one.
CREATE UNIQUE INDEX rebuild_unfinished ON pgsim.rebuild ((finished_at IS NULL)) WHERE finished_at IS NULL;
