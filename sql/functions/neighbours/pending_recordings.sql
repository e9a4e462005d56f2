CREATE OR REPLACE FUNCTION pgsim.pending_recordings() RETURNS integer[]
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
    SELECT CASE WHEN count(*) <= 500 THEN coalesce(array_agg(p.id), '{}') END
    FROM (SELECT s.id FROM stale AS s LIMIT 501) AS p;
$$;

COMMENT ON FUNCTION pgsim.pending_recordings() IS
'Internal: the recordings that changed since the last refresh of the matrix; NULL after more than 500 changes, which are too many to '
'merge into an answer.';
