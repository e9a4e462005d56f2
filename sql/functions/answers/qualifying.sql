CREATE OR REPLACE FUNCTION pgsim.qualifying(
    s pgsim.question_seed, n integer, f pgsim.recording_filter, m pgsim.measure, rules pgsim.question_rules, pending integer[]
) RETURNS TABLE (ids integer[], distances real[], way text, matching double precision, fetched integer)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
DECLARE
    has_rules CONSTANT boolean := NOT (rules IS NULL);
    bound CONSTANT double precision := seed_bound(s, rules.min_similarity);
    own_artists CONSTANT text[] := f.used_artists;
    own_albums CONSTANT text[] := f.used_albums;
    pool integer := n;
    last_distance real;
    kept integer[];
    apart real[];
    artists text[];
    albums text[];
BEGIN
    ids := s.listed;
    distances := s.listed_distances;
    fetched := cardinality(s.listed);
    way := 'list';
    LOOP
        IF ids IS NULL OR (NOT has_rules AND cardinality(ids) < n) THEN
            SELECT coalesce(array_agg(c.id), '{}'), coalesce(array_agg(c.distance), '{}'), coalesce(min(c.way), 'scan'), min(c.matching)
            INTO ids, distances, way, matching
            FROM nearest_matching(s, pool, f, m) AS c;
            fetched := cardinality(ids);
        END IF;
        EXIT WHEN NOT has_rules;

        last_distance := distances[cardinality(distances)];
        IF kept IS NOT NULL THEN
            -- This search left out artists and albums that have reached their maximum: the kept ones of theirs are added again.
            SELECT array_agg(u.id ORDER BY u.distance, r.mbid), array_agg(u.distance ORDER BY u.distance, r.mbid) INTO ids, distances
            FROM (
                SELECT k.id, k.distance FROM unnest(kept, apart) AS k (id, distance)
                UNION ALL
                SELECT c.id, c.distance FROM unnest(ids, distances) AS c (id, distance) WHERE c.id <> ALL(kept)
            ) AS u INNER JOIN recording AS r ON u.id = r.id;
        END IF;
        SELECT k.kept, k.apart, k.used_artists, k.used_albums INTO kept, apart, artists, albums
        FROM kept_by_rules(ids, distances, n, m, rules, s.reach, pending) AS k;
        ids := kept;
        distances := apart;
        EXIT WHEN cardinality(ids) >= n OR (way <> 'list' AND fetched < pool)
            OR CASE
                WHEN m.factors IS NULL THEN last_distance > bound
                ELSE measured_similarity(last_distance, m.sample) < rules.min_similarity
            END;
        pool := least(4.0 * pool, 2000000000);
        f.used_artists := nullif(own_artists || artists, '{}');
        f.used_albums := nullif(own_albums || albums, '{}');
        s.listed := NULL;  -- it holds recordings of these artists and albums
        ids := NULL;
    END LOOP;
    ids := ids[:n];
    distances := distances[:n];
    RETURN NEXT;
END
$$;

COMMENT ON FUNCTION pgsim.qualifying(
    pgsim.question_seed, integer, pgsim.recording_filter, pgsim.measure, pgsim.question_rules, integer[]
) IS
'Internal: the n nearest recordings that match and that the rules keep, nearest first; fewer only where fewer exist. They come from '
'the seed''s list where it holds enough, else from a search that grows until it holds enough. way, matching: list, or as of the last '
'nearest_matching(); fetched: how many recordings that match it brought, before the rules.';
