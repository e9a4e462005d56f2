CREATE OR REPLACE FUNCTION pgsim.explain_similarity(a uuid, b uuid)
RETURNS TABLE (feature_set text, distance real, share real, missing boolean, explanation text)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 10
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
DECLARE
    one recording;
    other recording;
    squared double precision;
    map double precision[];
    inverse double precision[];
    parts double precision[]; -- of each dimension, where a map over all sets mixes them
BEGIN
    PERFORM seed_vectors(ARRAY[a, b]);
    SELECT r.* INTO one FROM recording AS r WHERE r.id = recording_of(a);
    SELECT r.* INTO other FROM recording AS r WHERE r.id = recording_of(b);
    squared := l2(one.vector, other.vector) ^ 2;
    SELECT c.map, c.inverse INTO map, inverse FROM collection AS c;
    IF map IS NOT NULL THEN
        parts := ARRAY(
            SELECT (d.x - d.y) * (d.p - d.q)
            FROM unnest(
                mapped(one.vector, inverse), mapped(other.vector, inverse), mapped(one.vector, map), mapped(other.vector, map)
            ) WITH ORDINALITY AS d (x, y, p, q, place)
            ORDER BY d.place
        );
        one.vector := mapped(one.vector, inverse);
        other.vector := mapped(other.vector, inverse);
    END IF;
    RETURN QUERY
    SELECT
        f.name,
        (s.apart / sqrt(f.weight))::real,
        -- between two copies the distance is 0, and so is each set's share
        coalesce(s.part / nullif(squared, 0), 0)::real,
        f.name = ANY(one.missing) OR f.name = ANY(other.missing),
        CASE
            WHEN f.name = ANY(one.missing) AND f.name = ANY(other.missing) THEN 'neither has it'
            WHEN f.name = ANY(one.missing) THEN 'the first lacks it'
            WHEN f.name = ANY(other.missing) THEN 'the second lacks it'
            ELSE explain_set(f, s.own, s.others)
        END
    FROM feature_set AS f
    CROSS JOIN LATERAL (
        SELECT
            v.own,
            v.others,
            l2(v.own, v.others) AS apart,
            coalesce((SELECT sum(p.part) FROM unnest(parts[f.position:f.position + f.length - 1]) AS p (part)), l2(v.own, v.others) ^ 2) AS part
        FROM (
            SELECT slice_of(one.vector, f.position, f.length) AS own, slice_of(other.vector, f.position, f.length) AS others
        ) AS v
    ) AS s
    ORDER BY s.part DESC, f.position ASC;
END
$$;

COMMENT ON FUNCTION pgsim.explain_similarity(uuid, uuid) IS
'Why two recordings are near or far: one row for each feature set, the greatest share of the squared distance first.
distance: the distance by this set alone, scaled so that two random recordings are expected at 1; share: the set''s part
of the squared fused distance, from 0 to 1; missing: whether one of the two lacks the set; explanation: the values that
agree or differ most, those of the first recording first. Where pgsim tune --across-sets has learned one map over all
sets, the shares sum to 1 too, but one may be negative.

- a, b: MBIDs of recordings in the database, or MBIDs that redirect to them.

Raises an error for an unknown recording and for one that has no vector.';
