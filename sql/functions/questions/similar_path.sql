CREATE OR REPLACE FUNCTION pgsim.similar_path(
    from_mbid uuid,
    to_mbid uuid,
    steps integer DEFAULT 25,
    genre text DEFAULT NULL,
    decade integer DEFAULT NULL,
    year_from integer DEFAULT NULL,
    year_to integer DEFAULT NULL,
    length_from double precision DEFAULT NULL,
    length_to double precision DEFAULT NULL,
    exclude uuid[] DEFAULT NULL,
    exclude_artists uuid[] DEFAULT NULL,
    max_per_artist integer DEFAULT NULL,
    max_per_album integer DEFAULT NULL,
    distinct_titles boolean DEFAULT false,
    metric text DEFAULT NULL,
    weights jsonb DEFAULT NULL,
    approximate boolean DEFAULT false
) RETURNS SETOF pgsim.similar_recording
LANGUAGE plpgsql STABLE PARALLEL UNSAFE ROWS 25
SET search_path = pg_catalog, pgsim, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    conditions recording_filter;
    m measure;
    rules question_rules;
    origin record;
    target record;
    -- Seven points on the way, and a hundred recordings around each: with fewer of either, some largest step among 20,000 was
    -- more than 1.3 times the least that can be.
    layers CONSTANT integer := least(greatest(steps, 2) - 2, 7);
    n integer := 100;
    few CONSTANT integer := 30;
    ends question_seed[];
    around record;
    rough chain;
    better chain;
    chain integer[];
BEGIN
    IF steps IS NULL OR steps NOT BETWEEN 2 AND 200 THEN
        RAISE EXCEPTION 'steps is %, but must be from 2 to 200', coalesce(steps::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'both ends count';
    ELSIF recording_of(from_mbid) = recording_of(to_mbid) THEN
        RAISE EXCEPTION 'both ends are recording %', from_mbid
            USING ERRCODE = 'invalid_parameter_value', HINT = 'ask for a path to another recording, or for radio() around this one';
    END IF;
    m := resolve_measure(metric, weights, approximate);
    SELECT s.* INTO origin FROM seed_vectors(ARRAY[from_mbid]) AS s;
    SELECT s.* INTO target FROM seed_vectors(ARRAY[to_mbid]) AS s;
    PERFORM require_sets(origin.mbid, origin.missing, m);
    PERFORM require_sets(target.mbid, target.missing, m);
    ends := ARRAY[plain_seed(origin.vector, origin.id), plain_seed(target.vector, target.id)];
    conditions := resolve_filter(genre, decade, year_from, year_to, length_from, length_to, exclude, exclude_artists);
    conditions.present := m.sets;
    rules := resolve_rules(max_per_artist, max_per_album, distinct_titles, NULL, ARRAY[
        song_key(origin.title, origin.artist_mbids, origin.artist), song_key(target.title, target.artist_mbids, target.artist)]);
    LOOP
        around := layers_between(ends[1], ends[2], layers, n, conditions, m, rules);
        -- The chain through the few nearest to each point bounds the others, which end where their largest step is no smaller.
        rough := evenest_chain(origin.id, around.ids[:few * layers], around.layer_of[:few * layers], target.id, m);
        better := evenest_chain(origin.id, around.ids, around.layer_of, target.id, m, rough.largest);
        chain := filled_chain(coalesce(better.ids, rough.ids), steps, ARRAY(
            SELECT u.id FROM unnest(around.ids) WITH ORDINALITY AS u (id, place) GROUP BY u.id ORDER BY min(u.place)), m);
        EXIT WHEN cardinality(chain) = steps OR around.is_whole;
        n := least(4.0 * n, 2000000000);
    END LOOP;
    RETURN QUERY SELECT a.* FROM chain_answer(chain, m, pending_recordings()) AS a;
END
$$;

COMMENT ON FUNCTION pgsim.similar_path(
    uuid, uuid, integer, text, integer, integer, integer, double precision, double precision, uuid[], uuid[], integer, integer,
    boolean, text, jsonb, boolean
) IS
'A path of recordings from one to another, in order, whose largest step is as small as can be found. No recording is in it twice.

- from_mbid, to_mbid: MBIDs of the two ends, which are the first and the last row.
- steps: number of rows, both ends included, from 2 to 200; default 25. Fewer rows come back only where fewer recordings
  qualify.
- All other arguments: as in similar_recordings(). They hold for the recordings between the ends. distinct_titles leaves
  out other versions of the ends, too.

distance and similarity are those from the row before; the first row has 0 and 1. Recordings are chosen among those
nearest to the straight way between the ends, so a path with a smaller largest step may exist.

Raises an error for ends that are one recording, for steps out of range, and otherwise as similar_recordings() does.';
