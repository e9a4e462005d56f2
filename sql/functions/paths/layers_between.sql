CREATE OR REPLACE FUNCTION pgsim.layers_between(
    origin pgsim.question_seed, target pgsim.question_seed, layers integer, n integer, f pgsim.recording_filter, m pgsim.measure,
    rules pgsim.question_rules,
    OUT ids integer[], OUT layer_of integer[], OUT is_whole boolean
)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
DECLARE
    apart real[];
    pool integer[];
BEGIN
    -- Those nearest to the way first: of an artist or a song, the rules keep these. The ends are left out here, since with
    -- a condition each search would be a longer one.
    WITH found AS (
        SELECT l.layer, a.id, a.distance, row_number() OVER (PARTITION BY l.layer) AS place
        FROM generate_series(1, layers) AS l (layer)
        CROSS JOIN LATERAL nearest_matching(
            plain_seed(moved(origin.vector, target.vector, (l.layer - 0.5) / layers)), n + 2, f, m, true) AS a
    )
    SELECT
        array_agg(c.id ORDER BY c.place, c.layer), array_agg(c.distance ORDER BY c.place, c.layer),
        array_agg(c.layer ORDER BY c.place, c.layer), coalesce((SELECT max(w.place) FROM found AS w), 0) < n + 2
    INTO ids, apart, layer_of, is_whole
    FROM found AS c
    WHERE c.id NOT IN (origin.id, target.id);
    IF NOT rules IS NULL THEN
        SELECT array_agg(u.id ORDER BY u.place), array_agg(u.distance ORDER BY u.place) INTO pool, apart
        FROM (
            SELECT DISTINCT ON (a.id) a.id, a.distance, a.place
            FROM unnest(ids, apart) WITH ORDINALITY AS a (id, distance, place) ORDER BY a.id, a.place
        ) AS u;
        SELECT array_agg(u.id ORDER BY u.place), array_agg(u.layer ORDER BY u.place) INTO ids, layer_of
        FROM unnest(ids, layer_of) WITH ORDINALITY AS u (id, layer, place)
        WHERE u.id = ANY((SELECT k.kept FROM kept_by_rules(pool, apart, cardinality(pool), m, rules, NULL, '{}') AS k)::integer[]);
    END IF;
    ids := coalesce(ids, '{}');
END
$$;

COMMENT ON FUNCTION pgsim.layers_between(
    pgsim.question_seed, pgsim.question_seed, integer, integer, pgsim.recording_filter, pgsim.measure, pgsim.question_rules
) IS
'Internal: for each of some points, evenly apart on the way from one recording to another, about the n matching '
'recordings nearest to it, and the number of the point from 1; of all of them together, only those that the rules keep, and neither end. '
'is_whole: no others match.';
