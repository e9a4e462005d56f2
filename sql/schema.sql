-- pgvector's library has to be loaded before an ordinary role may name its settings.
SELECT '[1]'::vector;

CREATE SCHEMA IF NOT EXISTS pgsim;

COMMENT ON SCHEMA pgsim IS
'Music recording similarity: ask with SELECT * FROM similar_recordings(mbid, 10).';

-- Functions written in plpgsql keep this path (SET search_path FROM CURRENT): pgsim's own schema,
-- then the one that pgvector lives in, and the session's temporary tables last.
SELECT set_config('search_path', format('pgsim, %I, pg_temp', n.nspname), false)
FROM pg_extension AS e
INNER JOIN pg_namespace AS n ON e.extnamespace = n.oid
WHERE e.extname = 'vector';
