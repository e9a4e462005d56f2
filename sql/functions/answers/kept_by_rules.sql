CREATE OR REPLACE FUNCTION pgsim.kept_by_rules(
    ids integer[], distances real[], n integer, m pgsim.measure, rules pgsim.question_rules, seed_reach real, pending integer[]
) RETURNS TABLE (kept integer[], apart real[], used_artists text[], used_albums text[])
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
DECLARE
    c record;
    artists text[] := '{}';
    albums text[] := '{}';
    seen text[] := coalesce(rules.songs, '{}');
    song text;
BEGIN
    used_artists := '{}';
    used_albums := '{}';
    kept := '{}';
    apart := '{}';
    FOR c IN
        SELECT
            u.id,
            u.distance,
            r.title,
            r.artist_mbids,
            r.artist AS credit,
            CASE WHEN rules.max_per_artist IS NOT NULL THEN artist_key(r.artist_mbids, r.artist) END AS artist,
            CASE WHEN rules.max_per_album IS NOT NULL THEN album_key(r.album, r.artist_mbids, r.artist) END AS album
        FROM unnest(ids, distances) WITH ORDINALITY AS u (id, distance, place)
        INNER JOIN recording AS r ON u.id = r.id
        -- OFFSET 0: without min_similarity nothing of it runs. Pulled up, it would search for every reach that is not stored.
        LEFT JOIN (
            SELECT x.id, similarity_of(x.exponent) AS similarity
            FROM exponents(ids, distances, seed_reach, pending) AS x
            WHERE rules.min_similarity IS NOT NULL AND m.factors IS NULL
            OFFSET 0 -- noqa: AM09
        ) AS e ON u.id = e.id
        WHERE
            rules.min_similarity IS NULL
            OR CASE WHEN m.factors IS NULL THEN e.similarity ELSE measured_similarity(u.distance, m.sample) END >= rules.min_similarity
        ORDER BY u.place
    LOOP
        -- An unknown artist, album or title is like no other.
        CONTINUE WHEN c.artist = ANY(used_artists) OR c.album = ANY(used_albums);
        IF rules.distinct_titles THEN
            song := song_key(c.title, c.artist_mbids, c.credit);
            CONTINUE WHEN song = ANY(seen);
            seen := seen || song;
        END IF;
        IF c.artist IS NOT NULL THEN
            artists := artists || c.artist;
            IF cardinality(array_positions(artists, c.artist)) = rules.max_per_artist THEN
                used_artists := used_artists || c.artist;
            END IF;
        END IF;
        IF c.album IS NOT NULL THEN
            albums := albums || c.album;
            IF cardinality(array_positions(albums, c.album)) = rules.max_per_album THEN
                used_albums := used_albums || c.album;
            END IF;
        END IF;
        kept := kept || c.id;
        apart := apart || c.distance;
        EXIT WHEN cardinality(kept) = n;
    END LOOP;
    RETURN NEXT;
END
$$;

COMMENT ON FUNCTION pgsim.kept_by_rules(
    integer[], real[], integer, pgsim.measure, pgsim.question_rules, real, integer[]
) IS
'Internal: the first n candidates that the rules keep. Candidates come nearest first, and each is compared with the nearer ones that '
'were kept. used_artists, used_albums: those that have reached max_per_artist, or max_per_album.';
