CREATE OR REPLACE FUNCTION pgsim.qualifying(
    query vector, n integer, f pgsim.recording_filter, m pgsim.measure, except_id integer,
    max_per_artist integer, distinct_titles boolean, min_similarity real, titles text[], seed_reach real, pending integer[],
    listed integer[], listed_distances real[], listed_share double precision
) RETURNS TABLE (ids integer[], distances real[])
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path FROM CURRENT
AS $$
DECLARE
    has_rules CONSTANT boolean := coalesce(distinct_titles, false) OR num_nonnulls(max_per_artist, nullif(min_similarity, 0)) > 0;
    bound CONSTANT double precision := similarity_bound(nullif(min_similarity, 0), seed_reach);
    pool integer := n;
    fetched integer;
    last_distance real;
    kept integer[];
    apart real[];
    used text[];
BEGIN
    ids := listed;
    distances := listed_distances;
    fetched := pool;
    LOOP
        IF ids IS NULL OR (NOT has_rules AND cardinality(ids) < n) THEN
            SELECT coalesce(array_agg(c.id), '{}'), coalesce(array_agg(c.distance), '{}') INTO ids, distances
            FROM nearest_matching(query, pool, f, except_id, listed_share, m) AS c;
            fetched := cardinality(ids);
        END IF;
        EXIT WHEN NOT has_rules;

        last_distance := distances[cardinality(distances)];
        IF kept IS NOT NULL THEN
            -- What was kept of the artists who had their share was not asked for again.
            SELECT array_agg(u.id ORDER BY u.distance, r.mbid), array_agg(u.distance ORDER BY u.distance, r.mbid) INTO ids, distances
            FROM (
                SELECT k.id, k.distance FROM unnest(kept, apart) AS k (id, distance)
                UNION ALL
                SELECT c.id, c.distance FROM unnest(ids, distances) AS c (id, distance) WHERE c.id <> ALL(kept)
            ) AS u INNER JOIN recording AS r ON u.id = r.id;
        END IF;
        SELECT k.kept, k.apart, k.used_artists INTO kept, apart, used
        FROM kept_by_rules(
            ids, distances, n, m, max_per_artist, coalesce(distinct_titles, false), nullif(min_similarity, 0), titles, seed_reach, pending
        ) AS k;
        ids := kept;
        distances := apart;
        EXIT WHEN cardinality(ids) >= n OR fetched < pool
            OR CASE
                WHEN m.factors IS NULL THEN last_distance > bound
                ELSE measured_similarity(last_distance, m.sample) < min_similarity
            END;
        pool := least(4.0 * pool, 2000000000);
        f.used_artists := nullif(used, '{}');
        ids := NULL;
    END LOOP;
    ids := ids[:n];
    distances := distances[:n];
    RETURN NEXT;
END
$$;

COMMENT ON FUNCTION pgsim.qualifying(
    vector, integer, pgsim.recording_filter, pgsim.measure, integer,
    integer, boolean, real, text[], real, integer[], integer[], real[], double precision
) IS
'The n nearest recordings that match and that the rules leave, nearest first, never fewer than there are: out of the matches of '
'the stored list where these do, else out of ever more candidates.';
