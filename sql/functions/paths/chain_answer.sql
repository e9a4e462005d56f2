CREATE OR REPLACE FUNCTION pgsim.chain_answer(chain integer[], m pgsim.measure, pending integer[])
RETURNS SETOF pgsim.similar_recording
LANGUAGE sql STABLE PARALLEL UNSAFE ROWS 25
BEGIN ATOMIC
    WITH place AS (
        SELECT
            u.place::integer AS rank,
            r.id,
            r.mbid,
            r.artist,
            r.title,
            r.album,
            r.year::integer AS year,
            r.genre,
            coalesce(pgsim.distance(lag(r.vector) OVER (ORDER BY u.place), r.vector, m), 0) AS distance,
            -- at distance 1 from a reach of 1, the exponent is one over the other reach
            1 / e.exponent AS reach
        FROM unnest(chain) WITH ORDINALITY AS u (id, place)
        INNER JOIN pgsim.recording AS r ON u.id = r.id
        LEFT JOIN pgsim.exponents(
            CASE WHEN m.factors IS NULL THEN chain END, array_fill(1::real, ARRAY[cardinality(chain)]), 1, pending
        ) AS e ON u.id = e.id
    )

    SELECT
        p.rank,
        p.mbid,
        p.artist,
        p.title,
        p.album,
        p.year,
        p.genre,
        p.distance,
        CASE
            WHEN p.distance = 0 THEN 1
            WHEN m.factors IS NOT NULL THEN pgsim.measured_similarity(p.distance, m.sample)
            ELSE pgsim.similarity_of(p.distance::double precision ^ 2 / (p.reach * lag(p.reach) OVER (ORDER BY p.rank)))
        END AS similarity
    FROM place AS p
    ORDER BY p.rank ASC;
END;

COMMENT ON FUNCTION pgsim.chain_answer(integer[], pgsim.measure, integer[]) IS
'Internal: a chain of recordings with their metadata; distance and similarity are those from the one before.';
