-- SECURITY DEFINER, as recording_changed().
CREATE OR REPLACE FUNCTION pgsim.recording_replicated() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
BEGIN
    PERFORM require_own_table(TG_RELID, 'recording');
    -- A subscription to the matrix too brings the rows that the publisher wrote, under the same numbers.
    IF EXISTS (SELECT FROM pg_subscription_rel AS s WHERE s.srrelid = 'stale'::regclass) THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'UPDATE' AND NEW.id = OLD.id THEN
        INSERT INTO stale (id, old_vector)
        SELECT NEW.id, OLD.vector
        WHERE differ(NEW.vector, OLD.vector) OR (NEW.mbid <> OLD.mbid AND NEW.vector IS NOT NULL);
    ELSE
        INSERT INTO stale (id, old_vector)
        SELECT c.id, c.old_vector
        FROM (VALUES (OLD.id, OLD.vector, OLD.vector), (NEW.id, NULL, NEW.vector)) AS c (id, old_vector, vector)
        WHERE c.vector IS NOT NULL;
    END IF;
    IF FOUND AND (SELECT c.notifies FROM collection AS c) THEN
        NOTIFY pgsim_stale;
    END IF;
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION pgsim.recording_replicated() IS
'Internal: trigger function. Writes a change that logical replication makes to pgsim.stale, as recording_changed() writes those of '
'statements.';
