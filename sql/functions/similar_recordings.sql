-- In SQL and without SET, so that it becomes a part of the caller's query: a stored list is answered by its plan alone.
CREATE OR REPLACE FUNCTION pgsim.similar_recordings(
    seed uuid,
    k integer DEFAULT 10,
    genre text DEFAULT NULL,
    decade integer DEFAULT NULL,
    year_from integer DEFAULT NULL,
    year_to integer DEFAULT NULL,
    same_genre boolean DEFAULT false,
    same_decade boolean DEFAULT false,
    length_from real DEFAULT NULL,
    length_to real DEFAULT NULL,
    exclude uuid[] DEFAULT NULL,
    exclude_artists uuid[] DEFAULT NULL,
    max_per_artist integer DEFAULT NULL,
    distinct_titles boolean DEFAULT false,
    min_similarity real DEFAULT NULL,
    metric text DEFAULT NULL,
    weights jsonb DEFAULT NULL,
    approximate boolean DEFAULT false,
    ranking text DEFAULT 'similarity'
) RETURNS SETOF pgsim.similar_recording
LANGUAGE sql STABLE PARALLEL UNSAFE ROWS 10
BEGIN ATOMIC
    -- The list as it stands, where nothing has changed since it was made and nothing is asked of its members.
    WITH stored AS MATERIALIZED (
        SELECT
            s.neighbours[:w.candidates] AS neighbours,
            s.distances[:w.candidates] AS distances,
            s.reach
        FROM (
            SELECT
                CASE
                    WHEN
                        num_nonnulls(
                            genre, decade, year_from, year_to, length_from, length_to, exclude, exclude_artists,
                            max_per_artist, min_similarity, metric, weights
                        ) = 0
                        AND NOT (same_genre OR same_decade OR distinct_titles)
                        AND k BETWEEN 1 AND 1000
                        THEN CASE ranking WHEN 'similarity' THEN greatest(4 * k, 80) WHEN 'distance' THEN k END
                END AS candidates
        ) AS w
        INNER JOIN pgsim.recording AS r ON r.mbid = seed
        INNER JOIN pgsim.similarity AS s ON r.id = s.id AND cardinality(s.neighbours) >= w.candidates
        WHERE
            r.vector IS NOT NULL
            AND NOT EXISTS (SELECT FROM pgsim.stale)
    )

    SELECT
        a.rank,
        a.mbid,
        a.artist,
        a.title,
        a.album,
        a.year,
        a.genre,
        a.distance,
        a.similarity
    FROM stored AS l
    CROSS JOIN LATERAL pgsim.answer(l.neighbours, l.distances, l.reach, k, ranking, '{}') AS a
    UNION ALL
    SELECT
        a.rank,
        a.mbid,
        a.artist,
        a.title,
        a.album,
        a.year,
        a.genre,
        a.distance,
        a.similarity
    FROM
        pgsim.searched_recordings(
            seed, k, genre, decade, year_from, year_to, same_genre, same_decade, length_from, length_to, exclude,
            exclude_artists, max_per_artist, distinct_titles, min_similarity, metric, weights, approximate, ranking
        ) AS a
    WHERE NOT EXISTS (SELECT FROM stored);
END;

COMMENT ON FUNCTION pgsim.similar_recordings(
    uuid, integer, text, integer, integer, integer, boolean, boolean, real, real, uuid[], uuid[], integer, boolean, real,
    text, jsonb, boolean, text
) IS
'The k recordings most similar to a seed. genre: a label of the default scheme, or scheme:label; decade: 1990; '
'year_from, year_to: inclusive; same_genre, same_decade: as the seed; length_from, length_to: seconds; exclude, exclude_artists: '
'MBIDs. max_per_artist, distinct_titles (the seed''s own included) and min_similarity leave out what is farther. metric: mfccs, or '
'bpm+key; weights: {"moods": 2}, in place of the profile''s; approximate: a metric without an index may be answered by a rerank. '
'ranking: similarity (default) orders the nearest max(4k, 80) by similarity, or max(4k, 40) of those that qualify where something '
'is asked of them; distance gives the k nearest. Exactly k rows whenever k qualify.';
