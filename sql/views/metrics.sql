CREATE OR REPLACE VIEW pgsim.metrics WITH (security_invoker = true) AS
SELECT
    m.name,
    m.labels,
    m.value
FROM (
    VALUES
    ('recordings', '{}'::jsonb, pgsim.rows_of('pgsim.recording')),
    ('submissions', '{}', pgsim.rows_of('pgsim.submission')),
    ('redirects', '{}', pgsim.rows_of('pgsim.redirect')),
    ('rejects', '{}', pgsim.rows_of('pgsim.reject')),
    ('ratings', '{}', pgsim.rows_of('pgsim.rating')),
    ('lists', '{}', pgsim.rows_of(('pgsim.' || pgsim.shown_similarity())::regclass)),
    ('size_bytes', '{"of": "recording"}', pg_table_size('pgsim.recording')::double precision),
    ('size_bytes', '{"of": "index"}', coalesce(pg_relation_size(to_regclass('pgsim.recording_vector')), 0)),
    (
        'size_bytes', '{"of": "matrix"}',
        pg_total_relation_size('pgsim.similarity_a') + pg_total_relation_size('pgsim.similarity_b')
        + pg_total_relation_size('pgsim.reach')
    ),
    ('size_bytes', '{"of": "submission"}', pg_total_relation_size('pgsim.submission'))
) AS m (name, labels, value)
UNION ALL
SELECT
    c.name,
    '{}' AS labels,
    c.value
FROM (SELECT
    count(*) AS changes,
    count(DISTINCT s.id) AS recordings,
    min(s.changed_at) AS oldest
FROM pgsim.stale AS s) AS s
CROSS JOIN
    LATERAL (
        VALUES
        ('pending_changes', s.changes),
        ('pending_recordings', s.recordings),
        ('pending_age_seconds', coalesce(extract(EPOCH FROM greatest(clock_timestamp() - s.oldest, interval '0')), 0))
    ) AS c (name, value)
UNION ALL
SELECT
    c.name,
    '{}' AS labels,
    c.value
FROM pgsim.collection AS f
CROSS JOIN
    LATERAL (
        VALUES ('list_length', f.list_length), ('fitted_recordings', f.fitted_on)
    ) AS c (name, value)
WHERE c.value IS NOT NULL
UNION ALL
SELECT
    c.name,
    '{}' AS labels,
    c.value
FROM (
    SELECT
        count(p.rebuild) AS parts,
        count(p.done_at) AS done
    FROM pgsim.rebuild AS b INNER JOIN pgsim.rebuild_part AS p ON b.id = p.rebuild
    WHERE b.finished_at IS NULL
) AS p
CROSS JOIN
    LATERAL (
        VALUES ('rebuild_parts', p.parts), ('rebuild_parts_done', p.done)
    ) AS c (name, value)
UNION ALL
SELECT
    c.name,
    jsonb_build_object('command', r.command) AS labels,
    c.value
FROM (
    SELECT DISTINCT ON (r.command)
        r.command,
        r.started_at,
        r.finished_at,
        CASE WHEN r.outcome IS NULL AND NOT pgsim.is_running(r.id) THEN 'broken off' ELSE r.outcome END AS outcome,
        (
            SELECT max(d.finished_at) FROM pgsim.run AS d
            WHERE d.command = r.command AND d.outcome = 'done'
        ) AS done_at
    FROM pgsim.run AS r
    ORDER BY r.command ASC, r.id DESC
) AS r
CROSS JOIN
    LATERAL (
        VALUES
        ('run_active', (r.outcome IS NULL)::integer::double precision),
        ('run_started_timestamp_seconds', extract(EPOCH FROM r.started_at)),
        ('run_succeeded', CASE WHEN r.outcome IS NOT NULL THEN (r.outcome = 'done')::integer END),
        ('run_duration_seconds', CASE WHEN r.outcome IS NOT NULL THEN extract(EPOCH FROM r.finished_at - r.started_at) END),
        ('run_last_success_timestamp_seconds', extract(EPOCH FROM r.done_at))
    ) AS c (name, value)
WHERE c.value IS NOT NULL
UNION ALL
SELECT
    'recall' AS name,
    jsonb_build_object('found_by', e.key, 'k', r.report -> 'k') AS labels,
    e.value::double precision AS value
FROM (
    SELECT r.report FROM pgsim.run AS r
    WHERE r.command = 'measure_recall' AND r.outcome = 'done'
    ORDER BY r.id DESC LIMIT 1
) AS r
CROSS JOIN LATERAL jsonb_each_text(r.report -> 'recall') AS e (key, value);

COMMENT ON VIEW pgsim.metrics IS
'What a monitor watches, a number a row, in the units of Prometheus: rows, pending changes and the age of the oldest, sizes, the parts of '
'an unfinished rebuild, the last run of each command, and the recall last measured by measure_recall().';
COMMENT ON COLUMN pgsim.metrics.name IS 'The name; pgsim_ before it makes it Prometheus''s.';
COMMENT ON COLUMN pgsim.metrics.labels IS 'What tells rows of one name apart.';
COMMENT ON COLUMN pgsim.metrics.value IS 'The value: a count, bytes, seconds, seconds since 1970, or 1 for true and 0 for false.';
