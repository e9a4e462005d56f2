CREATE OR REPLACE FUNCTION pgsim.distance_statistics(
    query vector,
    except_id integer DEFAULT NULL,
    genre text DEFAULT NULL,
    decade integer DEFAULT NULL,
    year_from integer DEFAULT NULL,
    year_to integer DEFAULT NULL,
    length_from double precision DEFAULT NULL,
    length_to double precision DEFAULT NULL,
    exclude uuid[] DEFAULT NULL,
    exclude_artists uuid[] DEFAULT NULL,
    metric text DEFAULT NULL,
    weights jsonb DEFAULT NULL
) RETURNS TABLE (candidates bigint, mean real, deviation real, p95 real, max real)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
DECLARE
    m measure := resolve_measure(metric, weights);
    conditions recording_filter :=
        resolve_filter(genre, decade, year_from, year_to, length_from, length_to, exclude, exclude_artists);
BEGIN
    PERFORM require_vector(query);
    conditions.present := m.sets;
    RETURN QUERY EXECUTE '
        SELECT
            count(*), avg(d.distance)::real, stddev_pop(d.distance)::real,
            (percentile_cont(0.95) WITHIN GROUP (ORDER BY d.distance))::real, max(d.distance)
        FROM recording AS r CROSS JOIN LATERAL (SELECT distance(r.vector, $1, $2)) AS d (distance)
        WHERE r.vector IS NOT NULL AND matches(r, $3) AND r.id IS DISTINCT FROM $4'
    USING query, m, conditions, except_id;
END
$$;

COMMENT ON FUNCTION pgsim.distance_statistics(
    vector, integer, text, integer, integer, integer, double precision, double precision, uuid[], uuid[], text, jsonb
) IS
'Statistics of the distances between a vector and all recordings that match a question, in one row: the number of these
recordings (candidates), and the mean, standard deviation, 95th percentile (p95) and maximum of the distances. Scans all
recordings that match.

- query: a vector of the database''s feature space.
- except_id: a recording (recording.id) to leave out, such as the one that the vector belongs to.
- All other arguments: as in similar_recordings().

Raises an error for a vector that is NULL or has another number of dimensions, for an unknown genre, metric or feature
set, and for a number that is out of range.';
