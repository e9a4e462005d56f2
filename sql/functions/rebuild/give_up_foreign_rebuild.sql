CREATE OR REPLACE FUNCTION pgsim.give_up_foreign_rebuild() RETURNS timestamptz
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
    DELETE FROM rebuild AS r
    USING this_database() AS d
    WHERE r.finished_at IS NULL AND (r.cluster, r.database) IS DISTINCT FROM (d.cluster, d.database)
    RETURNING r.started_at;
$$;

COMMENT ON FUNCTION pgsim.give_up_foreign_rebuild() IS
'Internal: deletes an unfinished rebuild that began on another server or in another database, as a dump brings it, and returns when it '
'began; NULL where there is none. The snapshot of such a rebuild says nothing here.';
