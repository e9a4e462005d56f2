CREATE OR REPLACE FUNCTION pgsim.similar_groups(
    own integer[], k integer, by_album boolean, except_keys text[], except_artists text[], min_recordings integer, f pgsim.recording_filter
) RETURNS TABLE (
    rank integer, key text, similarity real, share real, recordings integer, own_mbid uuid, similar_mbid uuid, distance real
)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pgsim, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    pending CONSTANT integer[] := pending_recordings();
    -- Of many recordings, the first of each list say enough.
    depth CONSTANT integer := greatest(10, least(50, 2000 / cardinality(own)));
    wanted integer := greatest(4 * k, 40);
    pool integer := 100;
    pointed text[];
    shares real[];
    center question_seed;
    around text[] := '{}';
    fetched integer := pool;
    compared compared_group[];
BEGIN
    SELECT coalesce(array_agg(p.key), '{}'), coalesce(array_agg(p.share), '{}') INTO pointed, shares
    FROM pointed_groups(own, depth, by_album, except_keys, except_artists, f, pending) AS p;
    LOOP
        SELECT coalesce(array_agg(c), '{}') INTO compared
        FROM compared_groups(own, pointed[:wanted] || around, by_album, coalesce(min_recordings, 1), f, pending) AS c;
        EXIT WHEN cardinality(compared) >= k OR fetched < pool;
        IF wanted < cardinality(pointed) THEN
            wanted := 4 * wanted;
        ELSE
            -- The lists point to too few: others come from around the mean.
            pool := least(4.0 * pool, 2000000000);
            SELECT mean_of(array_agg(r.vector)) INTO center.vector FROM recording AS r WHERE r.id = ANY(own);
            SELECT coalesce(array_agg(DISTINCT u.key) FILTER (
                WHERE u.key <> ALL(pointed || except_keys)
                AND (except_artists IS NULL OR NOT artist_keys(r.artist_mbids, r.artist) && except_artists)), '{}'), count(DISTINCT n.id)
            INTO around, fetched
            FROM nearest_matching(center, pool, f) AS n
            INNER JOIN recording AS r ON n.id = r.id
            CROSS JOIN LATERAL unnest(group_keys(r, by_album)) AS u (key);
        END IF;
    END LOOP;
    RETURN QUERY
    SELECT
        row_number() OVER (ORDER BY c.similarity DESC, c.distance, c.key)::integer, c.key, c.similarity,
        coalesce(shares[array_position(pointed, c.key)], 0), c.recordings, o.mbid, r.mbid, c.distance
    FROM unnest(compared) AS c
    INNER JOIN recording AS o ON c.own_id = o.id
    INNER JOIN recording AS r ON c.other_id = r.id
    ORDER BY c.similarity DESC, c.distance, c.key
    LIMIT k;
END
$$;

COMMENT ON FUNCTION pgsim.similar_groups(
    integer[], integer, boolean, text[], text[], integer, pgsim.recording_filter
) IS
'Internal: the k artists, or albums, most similar to some recordings, own. They are chosen from the max(4k, 40) with the greatest share '
'of what the lists point to; where these are fewer than k, from more, and then from the recordings around the mean.';
