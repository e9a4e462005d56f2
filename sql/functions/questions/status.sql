CREATE OR REPLACE FUNCTION pgsim.status() RETURNS TABLE (item text, value text, number bigint)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
    SELECT
        v.item,
        coalesce(v.value, CASE WHEN v.item LIKE '% size' THEN pg_size_pretty(v.number) ELSE v.number::text END),
        v.number
    FROM collection AS c
    CROSS JOIN LATERAL (
        SELECT count(*) AS rows, count(r.vector) AS vectors, count(p.id) FILTER (WHERE r.vector IS NOT NULL) AS places
        FROM recording AS r LEFT JOIN map_position AS p ON r.id = p.id
    ) AS r
    CROSS JOIN LATERAL (VALUES
        ('profile', c.profile, NULL),
        ('dimensions', NULL, (SELECT sum(f.length) FROM feature_set AS f)),
        ('fitted at', c.fitted_at::text, NULL),
        ('fitted on recordings', NULL, c.fitted_on),
        ('sets not fitted', (SELECT string_agg(f.name, ', ' ORDER BY f.position) FROM feature_set AS f WHERE f.center IS NULL), NULL),
        (
            'misspelt words',
            CASE
                WHEN EXISTS (SELECT FROM pg_extension AS e WHERE e.extname = 'pg_trgm') THEN 'are found, by pg_trgm'
                WHEN EXISTS (SELECT FROM pg_available_extensions AS e WHERE e.name = 'pg_trgm')
                    THEN 'are not found: CREATE EXTENSION pg_trgm'
                ELSE 'are not found: the server has no pg_trgm'
            END,
            NULL
        ),
        ('submissions', NULL, (SELECT count(*) FROM submission)),
        ('recordings', NULL, r.rows),
        ('redirects', NULL, (SELECT count(*) FROM redirect)),
        ('vectors', NULL, r.vectors),
        ('lists', NULL, (SELECT count(*) FROM similarity)),
        ('neighbours in a list', NULL, c.list_length),
        ('changes not in the lists', NULL, (SELECT count(*) FROM stale)),
        ('places on the map', CASE WHEN r.places = 0 THEN 'no map' END, r.places),
        ('recordings without a place', CASE WHEN r.places = 0 THEN 'no map' END, r.vectors - r.places),
        ('rejected documents', NULL, (SELECT count(*) FROM reject)),
        ('recording size', NULL, pg_table_size('recording')),
        (
            'vector index size',
            CASE WHEN to_regclass('recording_vector') IS NULL THEN 'no index' END,
            coalesce(pg_relation_size(to_regclass('recording_vector')), 0)
        ),
        ('matrix size', NULL, pg_total_relation_size('similarity_a') + pg_total_relation_size('similarity_b') + pg_total_relation_size('reach')),
        ('submission size', NULL, pg_total_relation_size('submission')),
        ('last load', (SELECT max(u.finished_at)::text FROM run AS u WHERE u.command = 'load' AND u.outcome = 'done'), NULL),
        ('last refresh', (SELECT max(u.finished_at)::text FROM run AS u WHERE u.command = 'refresh' AND u.outcome = 'done'), NULL),
        ('last rebuild', (SELECT max(u.finished_at)::text FROM run AS u WHERE u.command = 'rebuild' AND u.outcome = 'done'), NULL),
        ('last map', (SELECT max(u.finished_at)::text FROM run AS u WHERE u.command = 'map' AND u.outcome = 'done'), NULL),
        (
            'running',
            (SELECT string_agg(u.command, ', ' ORDER BY u.id) FROM run AS u WHERE u.outcome IS NULL AND is_running(u.id)),
            NULL
        ),
        (
            'ended badly',
            (
                SELECT string_agg(
                    format('%s %s, begun at %s', u.command, u.outcome, date_trunc('second', u.started_at)) || coalesce(': ' || u.error, ''),
                    '; ' ORDER BY u.command
                )
                FROM (
                    SELECT DISTINCT ON (e.command) e.command, e.started_at, e.error, coalesce(e.outcome, 'broken off') AS outcome
                    FROM run AS e
                    WHERE e.outcome IS NOT NULL OR NOT is_running(e.id)
                    ORDER BY e.command, e.id DESC
                ) AS u
                WHERE u.outcome <> 'done'
            ),
            NULL
        )
    ) AS v (item, value, number);
$$;

COMMENT ON FUNCTION pgsim.status() IS
'What the database holds and how far the matrix is behind, one row for each item. value is the item as text; number is a count, or a '
'size in bytes, and NULL if the item is neither. misspelt words says whether find_recordings() finds them. running names the commands '
'that are at work. ended badly names the commands whose last run failed, was interrupted or was broken off, with the reason.';
