CREATE OR REPLACE FUNCTION pgsim.measure_recall(sample integer DEFAULT 100, k integer DEFAULT 10)
RETURNS TABLE (found_by text, seeds integer, recall double precision, low double precision, high double precision)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
DECLARE
    started CONSTANT timestamptz := clock_timestamp();
    one record;
    within real;
    wanted integer;
    answers double precision[] := '{}';
    searches double precision[] := '{}';
    lists double precision[] := '{}';
    found jsonb;
BEGIN
    IF sample IS NULL OR sample NOT BETWEEN 1 AND 100000 THEN
        RAISE EXCEPTION 'sample is %, but must be from 1 to 100000', coalesce(sample::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'each recording of the sample is compared with all others';
    END IF;
    PERFORM check_question(k);
    FOR one IN
        SELECT r.id, r.mbid, r.vector, l.neighbours
        FROM recording AS r LEFT JOIN similarity AS l ON r.id = l.id
        WHERE r.vector IS NOT NULL ORDER BY random() LIMIT sample
    LOOP
        SELECT e.distances[cardinality(e.distances)], cardinality(e.distances) INTO within, wanted
        FROM exact_neighbours(ARRAY[one.id], k) AS e;
        CONTINUE WHEN wanted = 0;
        -- As near as the last true one counts as found; sums in another order differ in their last bits.
        within := within * 1.000001;
        answers := answers || (
            SELECT count(*)::double precision / wanted
            FROM similar_recordings(one.mbid, k, ranking => 'distance') AS a WHERE a.distance <= within);
        searches := searches || (
            SELECT count(*)::double precision / wanted
            FROM nearest_matching(plain_seed(one.vector, one.id), k) AS n WHERE n.distance <= within);
        IF one.neighbours IS NOT NULL THEN
            lists := lists || (
                SELECT count(*)::double precision / wanted
                FROM unnest(one.neighbours[:k]) AS n (id) INNER JOIN recording AS r ON n.id = r.id
                WHERE l2(r.vector, one.vector) <= within);
        END IF;
    END LOOP;
    SELECT jsonb_object_agg(w.found_by, (SELECT avg(s.share) FROM unnest(w.shares) AS s (share))) INTO found
    FROM (VALUES ('answer', answers), ('live', searches), ('matrix', lists)) AS w (found_by, shares)
    WHERE cardinality(w.shares) > 0;
    IF found IS NOT NULL AND NOT current_setting('transaction_read_only')::boolean AND has_table_privilege('run', 'INSERT') THEN
        INSERT INTO run (command, started_at, finished_at, outcome, report)
        VALUES (
            'measure_recall', started, clock_timestamp(), 'done',
            jsonb_build_object('sample', cardinality(answers), 'k', k, 'recall', found));
    END IF;
    RETURN QUERY
    SELECT
        w.found_by,
        count(*)::integer,
        avg(s.share),
        greatest(0, avg(s.share) - 1.96 * stddev_pop(s.share) / sqrt(count(*))),
        least(1, avg(s.share) + 1.96 * stddev_pop(s.share) / sqrt(count(*)))
    FROM (VALUES ('answer', answers), ('live', searches), ('matrix', lists)) AS w (found_by, shares)
    CROSS JOIN unnest(w.shares) AS s (share)
    GROUP BY w.found_by
    ORDER BY w.found_by;
END
$$;

COMMENT ON FUNCTION pgsim.measure_recall(integer, integer) IS
'The share of the k truly nearest recordings that answers, the search without stored lists, and the stored lists have,
measured on random recordings by an exact scan for each. A row for each of the three (answer, live, matrix), with the
interval in which the recall over all recordings lies at 95 %.

- sample: how many random recordings, from 1 to 100000; default 100.
- k: how many nearest, from 1 to 1000; default 10.

It takes the time of a scan of the collection for each recording of the sample. Where the caller may write to pgsim.run,
the result is noted there, and the view pgsim.metrics shows it.

Raises an error for a number that is out of range.';
