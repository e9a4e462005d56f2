CREATE OR REPLACE TRIGGER rebuild_finished AFTER UPDATE OF finished_at ON pgsim.rebuild
FOR EACH ROW WHEN (old.finished_at IS NULL AND new.finished_at IS NOT NULL)
EXECUTE FUNCTION pgsim.rebuild_finished();

COMMENT ON TRIGGER rebuild_finished ON pgsim.rebuild IS 'Switches the view pgsim.similarity when a rebuild is finished.';
