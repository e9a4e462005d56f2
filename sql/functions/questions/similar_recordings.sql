-- In plpgsql, whose plans last as long as the connection: inlined into the caller's query, each query that is not
-- prepared would take a millisecond to plan. plan_cache_mode: for a short list of candidates, PostgreSQL would make a
-- new plan for each question, which takes longer than the answer.
CREATE OR REPLACE FUNCTION pgsim.similar_recordings(
    seed uuid,
    k integer DEFAULT 10,
    genre text DEFAULT NULL,
    decade integer DEFAULT NULL,
    year_from integer DEFAULT NULL,
    year_to integer DEFAULT NULL,
    same_genre boolean DEFAULT false,
    same_decade boolean DEFAULT false,
    length_from double precision DEFAULT NULL,
    length_to double precision DEFAULT NULL,
    exclude uuid[] DEFAULT NULL,
    exclude_artists uuid[] DEFAULT NULL,
    max_per_artist integer DEFAULT NULL,
    max_per_album integer DEFAULT NULL,
    distinct_titles boolean DEFAULT false,
    min_similarity double precision DEFAULT NULL,
    metric text DEFAULT NULL,
    weights jsonb DEFAULT NULL,
    approximate boolean DEFAULT false,
    ranking text DEFAULT 'similarity'
) RETURNS SETOF pgsim.similar_recording
LANGUAGE plpgsql STABLE PARALLEL UNSAFE ROWS 10
SET search_path = pg_catalog, pgsim, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    asked record;
    is_plain CONSTANT boolean := k BETWEEN 1 AND 1000
    AND num_nonnulls(genre, decade, year_from, year_to, length_from, length_to, exclude, exclude_artists, max_per_artist,
        max_per_album, min_similarity, metric, weights) = 0
    AND NOT (same_genre OR same_decade OR distinct_titles)
    -- a policy is a condition, too
    AND NOT row_security_active('recording'::regclass);
BEGIN
    -- A question without conditions is answered from the stored list.
    IF is_plain AND ranking = 'similarity' THEN
        RETURN QUERY
        SELECT a.* FROM
            stored_list(seed, candidates(k, true)) AS l,
            answer(l.neighbours, l.distances, l.reach, k, '{}') AS a;
    ELSIF is_plain AND ranking = 'distance' THEN
        RETURN QUERY
        SELECT a.* FROM stored_list(seed, k) AS l, distance_answer(l.neighbours, l.distances, l.reach, '{}') AS a;
    END IF;
    IF FOUND THEN
        RETURN;
    END IF;

    PERFORM check_question(k, ranking);
    asked := resolve_question(
        seed, genre, decade, year_from, year_to, same_genre, same_decade, length_from, length_to, exclude, exclude_artists,
        max_per_artist, max_per_album, distinct_titles, min_similarity, metric, weights, approximate);
    RETURN QUERY
    SELECT a.* FROM nearest_answers(asked.s, k, ranking, asked.conditions, asked.m, asked.rules, asked.pending) AS a;
END
$$;

COMMENT ON FUNCTION pgsim.similar_recordings(
    uuid, integer, text, integer, integer, integer, boolean, boolean, double precision, double precision, uuid[], uuid[], integer,
    integer, boolean, double precision, text, jsonb, boolean, text
) IS
'The k recordings most similar to a seed, the most similar first, with their metadata, distance and similarity. Exactly
k rows come back whenever k recordings qualify. Ties are ordered by mbid. A condition that is NULL asks for nothing.

- seed: MBID of a recording in the database, or an MBID that redirects to one.
- k: number of rows, from 1 to 1000; default 10.
- genre: a label of the default scheme (roc), or of another scheme by its name (dortmund:rock).
- decade: first year of a decade; 1990 asks for the years 1990 to 1999.
- year_from, year_to: first and last year of release, both included.
- same_genre, same_decade: whether the genre, or the decade, has to be that of the seed; default false.
- length_from, length_to: least and greatest length in seconds, both included.
- exclude: MBIDs of recordings to leave out.
- exclude_artists: MBIDs of artists whose recordings to leave out.
- max_per_artist: greatest number of recordings by one artist, which is a credit without its guests: "A feat. B" is A,
  "A & B" is not. It is known by MBID, or without MBIDs by name. Recordings without an artist are not limited.
- max_per_album: greatest number of recordings of one album, which is a title and an artist. Recordings without an album
  are not limited.
- distinct_titles: whether to leave out a recording of the same song as the seed or a nearer row, which is a song of the
  same title and artist. Live, remastered, acoustic and featuring versions, demos and radio mixes are the same song.
  Remixes, Part 1 and Part 2, and titles that differ in other words are not. A recording without an artist is compared,
  by its title, only with other recordings without one. Default false.
- min_similarity: least similarity, from 0 to 1.
- metric: a feature set (mfccs), or several of equal weight (bpm+key), to compare by instead of the fused distance.
- weights: the weights of some feature sets in this question, as a JSON object: {"moods": 2}. 0 leaves a set out; a
  set that is not named keeps its weight.
- approximate: whether a metric without an index may be answered by reordering the recordings nearest by the fused
  distance, which is quicker than a scan and may miss some; default false.
- ranking: similarity (default) takes the nearest max(4k, 100) recordings and orders them by similarity; with any
  condition, the nearest max(4k, 40) that qualify. distance returns the k nearest.

Raises an error for an unknown seed, genre, metric, feature set or ranking, for a seed that has no vector or lacks
what the question needs, and for a number that is out of range.';
