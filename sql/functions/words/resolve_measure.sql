CREATE OR REPLACE FUNCTION pgsim.resolve_measure(metric text, weights jsonb DEFAULT NULL, approximate boolean DEFAULT false)
RETURNS pgsim.measure
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    result measure;
    names text[];
    shares double precision[];
    factors double precision[];
    single text := metric;
    wrong text;
BEGIN
    weights := nullif(weights, '{}');
    IF num_nonnulls(metric, weights) = 0 THEN
        RETURN NULL;
    END IF;
    IF EXISTS (SELECT FROM collection AS c WHERE c.map IS NOT NULL) THEN
        RAISE EXCEPTION '% ''%'' asks for the distance of a feature set, but a map over all sets has ended the sets'' own distances',
            CASE WHEN metric IS NULL THEN 'weights' ELSE 'metric' END, coalesce(metric, weights::text)
            USING ERRCODE = 'invalid_parameter_value',
                HINT = 'pgsim tune --across-sets has learned the map; pgsim profile NAME, by the profile of before, ends it';
    END IF;

    SELECT array_agg(m.metric) INTO names FROM known_metrics() AS m WHERE metric IS NOT NULL OR m.decay = 1;
    IF metric IS NOT NULL THEN
        SELECT u.name INTO wrong FROM unnest(string_to_array(metric, '+')) AS u (name) WHERE u.name <> ALL(names) LIMIT 1;
        IF wrong IS NOT NULL OR names IS NULL OR metric = '' THEN
            IF EXISTS (SELECT FROM feature_set AS f WHERE f.name = wrong) THEN
                RAISE EXCEPTION 'metric ''%'' has no values: its feature set is not fitted', wrong
                    USING ERRCODE = 'invalid_parameter_value', HINT = 'load recordings that differ in it, then run pgsim fuse --refit';
            END IF;
            RAISE EXCEPTION 'unknown metric ''%''', coalesce(wrong, metric)
                USING ERRCODE = 'invalid_parameter_value',
                    HINT = format('known: %s; join several with a plus', array_to_string(names, ', '));
        END IF;
        names := string_to_array(metric, '+');
        result.sets := ARRAY(SELECT DISTINCT m.feature_set FROM known_metrics() AS m WHERE m.metric = ANY(names));
        IF cardinality(result.sets) < cardinality(names) THEN
            RAISE EXCEPTION 'metric ''%'' names one feature set twice', metric
                USING ERRCODE = 'invalid_parameter_value', HINT = 'name it once: mfccs and mfccsw are one set; give it a greater weight by weights';
        END IF;
    END IF;

    IF weights IS NOT NULL THEN
        IF jsonb_typeof(weights) <> 'object' THEN
            RAISE EXCEPTION 'weights are a JSON %, but must be an object', jsonb_typeof(weights)
                USING ERRCODE = 'invalid_parameter_value', HINT = format('such as {"%s": 2}', names[1]);
        END IF;
        SELECT u.name INTO wrong FROM jsonb_object_keys(weights) AS u (name) WHERE u.name <> ALL(names) LIMIT 1;
        IF wrong IS NOT NULL THEN
            RAISE EXCEPTION 'unknown feature set ''%'' in weights', wrong
                USING ERRCODE = 'invalid_parameter_value', HINT = format('known in this question: %s', array_to_string(names, ', '));
        END IF;
        SELECT format('%s is %s', u.name, left(u.value::text, 40)) INTO wrong FROM jsonb_each(weights) AS u (name, value)
        WHERE
            CASE jsonb_typeof(u.value)
                WHEN 'number' THEN (u.value)::numeric <> 0 AND (u.value)::numeric NOT BETWEEN 0.001 AND 1000
                ELSE true
            END
        LIMIT 1;
        IF wrong IS NOT NULL THEN
            RAISE EXCEPTION 'the weight of %, but must be 0 or a number from 0.001 to 1000', wrong
                USING ERRCODE = 'invalid_parameter_value', HINT = '0 leaves a set out of the question; a set that is not named keeps its weight';
        END IF;
        -- weights make another measure than the set's own, which its index does not serve
        single := NULL;
    END IF;

    -- Shares that sum to 1, divided by the weights that the vectors contain. With a decay, too, the expected distance is 1.
    SELECT array_agg(w.share / nullif(w.total, 0) / w.weight * w.decay ^ (2 * i) / w.decayed ORDER BY w.position, i)
    INTO shares
    FROM (
        SELECT a.*, sum(a.share) OVER () AS total
        FROM (
            SELECT
                f.position, f.length, f.weight, coalesce(m.decay, 1) AS decay,
                (SELECT avg(coalesce(m.decay, 1) ^ (2 * d)) FROM generate_series(0, f.length - 1) AS d) AS decayed,
                CASE
                    WHEN m.metric IS NULL THEN 0
                    ELSE coalesce((weights ->> m.metric)::double precision, CASE WHEN metric IS NULL THEN f.weight ELSE 1 END)
                END AS share
            FROM feature_set AS f LEFT JOIN known_metrics() AS m ON f.name = m.feature_set AND m.metric = ANY(names)
        ) AS a
    ) AS w
    CROSS JOIN generate_series(0, w.length - 1) AS i;
    IF array_position(shares, NULL) IS NOT NULL THEN
        RAISE EXCEPTION 'all weights are 0' USING ERRCODE = 'invalid_parameter_value', HINT = 'give at least one set another weight';
    END IF;
    -- In units of the least factor, since pgvector raises an error where a product underflows.
    SELECT min(sqrt(u.share)) INTO result.unit FROM unnest(shares) AS u (share) WHERE u.share > 0;
    result.factors := ARRAY(SELECT sqrt(u.share) / result.unit FROM unnest(shares) WITH ORDINALITY AS u (share, place) ORDER BY u.place);
    result.approximate := approximate;
    SELECT format('(%3$s.subvector(r.vector, %1$s, %2$s)::%3$s.vector(%2$s))', m.start, m.length, pgvector_schema()) INTO result.slice
    FROM known_metrics() AS m
    WHERE m.metric = single AND m.decay = 1 AND to_regclass(format('%I', 'recording_vector_' || m.metric)) IS NOT NULL;
    result.sample := ARRAY(
        SELECT weighted_norm(p.difference, result.factors) * result.unit
        FROM (
            SELECT s.difference FROM sampled_pair AS s
            UNION ALL
            SELECT d.difference FROM draw_pairs() AS d WHERE NOT EXISTS (SELECT FROM sampled_pair)
        ) AS p
        ORDER BY 1
    );
    RETURN result;
END
$$;

COMMENT ON FUNCTION pgsim.resolve_measure(text, jsonb, boolean) IS
'Internal: the measure that metric and weights ask for, NULL where they ask for nothing. Several metrics (bpm+key) have equal weight; '
'weights replace those of the profile, and are divided by their sum. An error for an unknown metric or feature set, for a weight out '
'of range, and where a map over all sets has ended their own distances.';
