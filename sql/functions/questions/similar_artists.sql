CREATE OR REPLACE FUNCTION pgsim.similar_artists(
    artist text,
    k integer DEFAULT 10,
    genre text DEFAULT NULL,
    decade integer DEFAULT NULL,
    year_from integer DEFAULT NULL,
    year_to integer DEFAULT NULL,
    min_recordings integer DEFAULT 1
) RETURNS SETOF pgsim.similar_artist
LANGUAGE plpgsql STABLE PARALLEL UNSAFE ROWS 10
SET search_path = pg_catalog, pgsim, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    conditions recording_filter;
    own record;
BEGIN
    PERFORM check_question(k);
    PERFORM check_min_recordings(min_recordings);
    conditions := resolve_filter(genre, decade, year_from, year_to);
    SELECT a.keys, a.ids INTO own FROM artist_recordings(artist) AS a;
    RETURN QUERY
    WITH found AS MATERIALIZED (
        SELECT g.* FROM similar_groups(own.ids, k, false, own.keys, NULL, min_recordings, conditions) AS g
    ), named AS (
        -- Its own name: of a credit without others, where there is one.
        SELECT m.key, coalesce(
            mode() WITHIN GROUP (ORDER BY r.artist) FILTER (
                WHERE artist_key(r.artist_mbids, r.artist) = m.key AND r.artist !~* '[ (\[;](feat|ft|featuring)[. ]'),
            mode() WITHIN GROUP (ORDER BY r.artist)) AS name
        FROM group_members(ARRAY(SELECT f.key FROM found AS f), false, conditions) AS m INNER JOIN recording AS r ON m.id = r.id
        GROUP BY m.key
    )
    SELECT
        f.rank, n.name, CASE WHEN f.key ~ '^[0-9a-f]{8}-' THEN f.key::uuid END,
        f.similarity, f.share, f.recordings, f.own_mbid, f.similar_mbid, f.distance
    FROM found AS f INNER JOIN named AS n ON f.key = n.key
    ORDER BY f.rank;
END
$$;

COMMENT ON FUNCTION pgsim.similar_artists(text, integer, text, integer, integer, integer, integer) IS
'The k artists most similar to one, the most similar first, compared by all their recordings. Exactly k rows come back whenever k
artists qualify. Each MBID of a credit is an artist; a recording without MBIDs belongs to the artist of its credit, without guests.

- artist: the MBID of an artist, or a name; case, accents and punctuation of a name do not count.
- k: number of rows, from 1 to 1000; default 10.
- genre, decade, year_from, year_to: which recordings of other artists count, as in similar_recordings().
- min_recordings: least number of such recordings that an artist must have; default 1.

similarity is the geometric mean of two similarities: that of the mean vectors of both artists, and the average, over the
recordings of the artist asked about, of the similarity to the most similar recording of the other. share is the other''s
part of the recordings among the 50 nearest to each (fewer for an artist of more than 40 recordings), weighted by
similarity; 0 where none is among them. own_mbid and similar_mbid are the nearest pair of recordings, at distance.
The answer is chosen from the max(4k, 40) artists with the greatest share, and from those around the mean vector where
the lists hold fewer than k. share counts all recordings of an artist; similarity and the nearest pair those of the
first 25 by MBID.

Raises an error for an unknown artist, for one without a vector, for a name that several artists have, and otherwise as
similar_recordings() does.';
