-- d(x, v)^2 - d(x, w)^2 / 3 is least at v + (v - w) / 2, and grows from there as a squared distance does: what is nearest to
-- that point is near to v and far from w.
CREATE OR REPLACE FUNCTION pgsim.moved_away(v vector, w vector) RETURNS vector
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT coalesce(
        (
            SELECT array_agg(a.value + (a.value - b.value) / 2 ORDER BY a.place)::real[]
            FROM unnest(v::real[]) WITH ORDINALITY AS a (value, place)
            INNER JOIN unnest(w::real[]) WITH ORDINALITY AS b (value, place) ON a.place = b.place
        )::vector,
        v
    );
END;

COMMENT ON FUNCTION pgsim.moved_away(vector, vector) IS
'Internal: the first vector, moved by half of its difference from the second, away from it; itself where the second is NULL.';
