CREATE OR REPLACE FUNCTION pgsim.explain_set(f pgsim.feature_set, a vector, b vector) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
    WITH dimension AS (
        -- the values before fusion
        SELECT
            d.place,
            coalesce(f.labels[d.place], format('%s %s', f.name, d.place)) AS label,
            d.x,
            d.y,
            d.p,
            d.q,
            d.x / sqrt(f.weight) * coalesce(f.scale[d.place], 1) + coalesce(f.center[d.place], 0) AS u,
            d.y / sqrt(f.weight) * coalesce(f.scale[d.place], 1) + coalesce(f.center[d.place], 0) AS v
        FROM unnest(mapped(a, f.inverse), mapped(b, f.inverse), mapped(a, f.map), mapped(b, f.map)) WITH ORDINALITY AS d (x, y, p, q, place)
    ), valued AS (
        SELECT
            d.*,
            CASE f.transform
                WHEN 'hellinger' THEN d.u ^ 2
                WHEN 'log' THEN exp(least(d.u, 80))
                WHEN 'rank' THEN value_of_score(f.quantiles, d.place::integer, d.u)
                ELSE d.u
            END AS one,
            CASE f.transform
                WHEN 'hellinger' THEN d.v ^ 2
                WHEN 'log' THEN exp(least(d.v, 80))
                WHEN 'rank' THEN value_of_score(f.quantiles, d.place::integer, d.v)
                ELSE d.v
            END AS other
        FROM dimension AS d
    ), pole AS (
        -- the angle of [cos, sin] in turns: a key is in twelfths of a turn, a rate in turns of an octave
        SELECT
            p.of_one,
            turns.value AS turns,
            turns.value - log(2, 1.25) AS bpm_turns
        FROM (
            SELECT true AS of_one, min(d.u) FILTER (WHERE d.place = 1) AS c, min(d.u) FILTER (WHERE d.place = 2) AS s FROM dimension AS d
            UNION ALL
            SELECT false, min(d.v) FILTER (WHERE d.place = 1), min(d.v) FILTER (WHERE d.place = 2) FROM dimension AS d
        ) AS p
        CROSS JOIN LATERAL (SELECT atan2(p.s, p.c) / (2 * pi()) + CASE WHEN p.s < 0 THEN 1 ELSE 0 END AS value) AS turns
    ), word AS (
        SELECT string_agg(
            CASE
                WHEN f.form = 'circle_of_fifths' THEN (
                    '{C major or A minor,G major or E minor,D major or B minor,A major or F# minor,E major or C# minor,'
                    'B major or G# minor,F# major or D# minor,C# major or A# minor,G# major or F minor,D# major or C minor,'
                    'A# major or G minor,F major or D minor}'::text[]
                )[1 + round(p.turns * 12)::integer % 12]
                -- in the octave of common rates: 80 to 160 beats a minute, 2 to 4 onsets a second
                WHEN f.paths[1] LIKE '%bpm' THEN round((80 * 2 ^ (p.bpm_turns - floor(p.bpm_turns)))::numeric)::text
                ELSE round((2 * 2 ^ p.turns)::numeric, 1)::text
            END, ' and ' ORDER BY p.of_one DESC
        ) AS pair
        FROM pole AS p
    ), near AS (
        SELECT l2(a, b) <= 0.5 * sqrt(f.weight) AS value
    ), chosen AS (
        SELECT string_agg(
            format('%s %s and %s', t.label, t.one, t.other), ', ' ORDER BY t.turn
        ) AS list
        FROM (
            SELECT
                v.label,
                round(v.one::numeric, greatest(0, 2 - floor(log(greatest(abs(v.one), abs(v.other), 1e-6)))::integer)) AS one,
                round(v.other::numeric, greatest(0, 2 - floor(log(greatest(abs(v.one), abs(v.other), 1e-6)))::integer)) AS other,
                row_number() OVER (
                    -- Two near sets agree most where both are far from the mean. With a map, too, these are the dimension's parts
                    -- of the inner product and of the squared distance.
                    ORDER BY CASE WHEN near.value THEN (v.x * v.q + v.p * v.y) / 2 ELSE (v.x - v.y) * (v.p - v.q) END DESC, v.place ASC
                ) AS turn
            FROM valued AS v CROSS JOIN near
        ) AS t
        WHERE t.turn <= 2
    )
    SELECT
        CASE
            WHEN f.form = 'circle_of_fifths' THEN word.pair
            WHEN f.form = 'octaves' THEN word.pair || ', octaves aside'
            ELSE CASE WHEN near.value THEN 'agree: ' ELSE 'differ: ' END || chosen.list
        END
    FROM near CROSS JOIN chosen CROSS JOIN word;
$$;

COMMENT ON FUNCTION pgsim.explain_set(pgsim.feature_set, vector, vector) IS
'Internal: in words, the values of one feature set in which two recordings agree or differ most; a and b are the set''s slices of their '
'vectors.';
