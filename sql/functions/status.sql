CREATE OR REPLACE FUNCTION pgsim.status() RETURNS TABLE (item text, value text)
LANGUAGE sql STABLE
SET search_path FROM CURRENT
AS $$
    SELECT v.item, v.value
    FROM collection AS c
    CROSS JOIN LATERAL (SELECT count(*) AS rows, count(r.vector) AS vectors FROM recording AS r) AS r
    CROSS JOIN LATERAL (VALUES
        ('profile', c.profile),
        ('dimensions', (SELECT sum(f.length)::text FROM feature_set AS f)),
        ('fitted at', c.fitted_at::text),
        ('fitted on recordings', c.fitted_on::text),
        ('sets not fitted', (SELECT string_agg(f.name, ', ' ORDER BY f.position) FROM feature_set AS f WHERE f.center IS NULL)),
        ('submissions', (SELECT count(*)::text FROM submission)),
        ('recordings', r.rows::text),
        ('vectors', r.vectors::text),
        ('lists', (SELECT count(*)::text FROM similarity)),
        ('neighbours in a list', c.list_length::text),
        ('changes not in the lists', (SELECT count(*)::text FROM stale)),
        ('rejected documents', (SELECT count(*)::text FROM reject)),
        ('recording size', pg_size_pretty(pg_table_size('recording'))),
        ('vector index size', coalesce(pg_size_pretty(pg_relation_size(to_regclass('recording_vector'))), 'no index')),
        ('matrix size', pg_size_pretty(pg_total_relation_size('similarity_a') + pg_total_relation_size('similarity_b'))),
        ('submission size', pg_size_pretty(pg_total_relation_size('submission'))),
        ('last load', (SELECT max(u.finished_at)::text FROM run AS u WHERE u.command = 'load')),
        ('last refresh', (SELECT max(u.finished_at)::text FROM run AS u WHERE u.command = 'refresh')),
        ('last rebuild', (SELECT max(u.finished_at)::text FROM run AS u WHERE u.command = 'rebuild'))
    ) AS v (item, value);
$$;

COMMENT ON FUNCTION pgsim.status() IS 'What the database holds, and how far the matrix is behind: an item a row.';
