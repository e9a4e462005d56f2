-- In plpgsql, because its temporary table exists only when it runs.
CREATE OR REPLACE FUNCTION pgsim.store_redirects(
    OUT inserted bigint, OUT changed bigint, OUT to_itself bigint, OUT redirects bigint
)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
BEGIN
    WITH incoming AS (
        SELECT DISTINCT ON (i.mbid) i.mbid, i.target
        FROM pg_temp.incoming_redirect AS i
        WHERE i.mbid <> i.target
        ORDER BY i.mbid, i.line DESC
    ), stored AS (
        INSERT INTO redirect AS d (mbid, target)
        SELECT i.mbid, i.target FROM incoming AS i
        ON CONFLICT (mbid) DO UPDATE SET target = excluded.target WHERE d.target <> excluded.target
        RETURNING d.xmax = 0 AS is_new
    )
    SELECT count(*) FILTER (WHERE s.is_new), count(*) FILTER (WHERE NOT s.is_new) INTO inserted, changed
    FROM stored AS s;
    SELECT count(*) INTO to_itself FROM pg_temp.incoming_redirect AS i WHERE i.mbid = i.target;
    SELECT count(*) INTO redirects FROM redirect;
END
$$;

COMMENT ON FUNCTION pgsim.store_redirects() IS
'Internal: stores the pairs of the temporary table incoming_redirect, the last one for each old MBID; returns how many are new, how '
'many changed, how many lead to themselves and so are left out, and how many there are.';
