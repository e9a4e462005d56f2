CREATE OR REPLACE FUNCTION pgsim.how_answered(
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
) RETURNS TABLE (way text, candidates integer, fetched integer, matching integer, pending integer)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE ROWS 1
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
DECLARE
    asked record;
BEGIN
    PERFORM check_question(k, ranking);
    asked := resolve_question(
        seed, genre, decade, year_from, year_to, same_genre, same_decade, length_from, length_to, exclude,
        exclude_artists, max_per_artist, max_per_album, distinct_titles, min_similarity, metric, weights, approximate);
    candidates := wanted_candidates(k, ranking, asked.conditions, asked.m, asked.rules);
    SELECT q.way, q.fetched, round(q.matching) INTO way, fetched, matching
    FROM qualifying(asked.s, candidates, asked.conditions, asked.m, asked.rules, asked.pending) AS q;
    pending := cardinality(asked.pending);
    RETURN NEXT;
END
$$;

COMMENT ON FUNCTION pgsim.how_answered(
    uuid, integer, text, integer, integer, integer, boolean, boolean, double precision, double precision, uuid[], uuid[], integer,
    integer, boolean, double precision, text, jsonb, boolean, text
) IS
'How a question of similar_recordings() is answered now, in one row. It searches as that function does.

- seed, k: as there.
- All other arguments: as in similar_recordings().

Columns: way says where the answer comes from: list, the stored list of the seed; index, a search of an HNSW index; scan,
a scan of all recordings that match; or rerank, the recordings nearest by the fused distance, reordered by an approximate
metric. candidates: how many of the nearest are wanted, from which the answer of k rows is chosen. fetched: how many
matching recordings the way brought, before the rules; the list brings all that it has. matching: how many recordings
match, counted to 300 and estimated from there; NULL where nobody counted. pending: how many changes since the last
refresh are merged into the list; NULL where they are too many, so that the list does not count.

Raises an error for what similar_recordings() refuses.';
