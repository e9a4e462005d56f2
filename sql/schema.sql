-- Names are looked up in pg_catalog first, then among pgsim's own, then where pgvector lives, whose types tables and
-- signatures name. Functions keep a shorter path: pg_catalog, pgsim, pg_temp.
SET LOCAL search_path = pg_catalog, pg_temp;

CREATE SCHEMA IF NOT EXISTS pgsim;

COMMENT ON SCHEMA pgsim IS
'Music recording similarity: ask with SELECT * FROM pgsim.similar_recordings(mbid, 10). Without the name of the schema where pgsim is '
'on the search path. pgsim init and pgsim restore put it there; pg_restore alone does not, and pgsim init --upgrade does so afterwards.';

SELECT set_config('search_path', concat('pg_catalog, pgsim, ', quote_ident(n.nspname), ', pg_temp'), true)
FROM pg_extension AS e
INNER JOIN pg_namespace AS n ON e.extnamespace = n.oid
WHERE e.extname = 'vector';

-- Load pgvector's library: only then may an ordinary role name its settings.
SELECT '[1]'::vector;
