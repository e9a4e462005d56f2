CREATE OR REPLACE FUNCTION pgsim.kept_by_rules(
    ids integer[], distances real[], n integer, m pgsim.measure, max_per_artist integer, distinct_titles boolean, min_similarity real,
    titles text[], seed_reach real, pending integer[]
) RETURNS TABLE (kept integer[], apart real[], used_artists text[])
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path FROM CURRENT
AS $$
DECLARE
    c record;
    artists text[] := '{}';
    used text[] := '{}';
    seen text[] := coalesce(titles, '{}');
    title text;
BEGIN
    kept := '{}';
    apart := '{}';
    FOR c IN
        SELECT
            u.id,
            u.distance,
            r.title,
            CASE WHEN max_per_artist IS NOT NULL THEN artist_key(r.artist_mbids, r.artist) END AS artist
        FROM unnest(ids, distances) WITH ORDINALITY AS u (id, distance, place)
        INNER JOIN recording AS r ON u.id = r.id
        LEFT JOIN (
            SELECT x.id, similarity_of(x.exponent) AS similarity
            FROM exponents(ids, distances, seed_reach, pending) AS x
            WHERE min_similarity IS NOT NULL AND m.factors IS NULL
        ) AS e ON u.id = e.id
        WHERE
            min_similarity IS NULL
            OR CASE WHEN m.factors IS NULL THEN e.similarity ELSE measured_similarity(u.distance, m.sample) END >= min_similarity
        ORDER BY u.place
    LOOP
        -- what is not known is nobody's and no song's
        CONTINUE WHEN c.artist = ANY(used);
        IF distinct_titles THEN
            title := title_key(c.title);
            CONTINUE WHEN title = ANY(seen);
            seen := seen || title;
        END IF;
        IF c.artist IS NOT NULL THEN
            artists := artists || c.artist;
            IF cardinality(array_positions(artists, c.artist)) = max_per_artist THEN
                used := used || c.artist;
            END IF;
        END IF;
        kept := kept || c.id;
        apart := apart || c.distance;
        EXIT WHEN cardinality(kept) = n;
    END LOOP;
    used_artists := used;
    RETURN NEXT;
END
$$;

COMMENT ON FUNCTION pgsim.kept_by_rules(
    integer[], real[], integer, pgsim.measure, integer, boolean, real, text[], real, integer[]
) IS
'Of candidates, nearest first, the first n that max_per_artist, distinct_titles and min_similarity leave: each is judged by the nearer '
'ones that were kept; and the artists who have had their share.';
