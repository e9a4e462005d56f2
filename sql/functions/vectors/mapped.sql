-- A symmetric matrix by rows: v times it, and it times v, are the same.
CREATE OR REPLACE FUNCTION pgsim.mapped(v vector, matrix double precision[]) RETURNS double precision[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
    SELECT
        CASE
            WHEN matrix IS NULL THEN v::real[]::double precision[]
            ELSE ARRAY(
                SELECT sum(m.value * x.value)
                FROM unnest(matrix) WITH ORDINALITY AS m (value, place)
                INNER JOIN unnest(v::real[]) WITH ORDINALITY AS x (value, place)
                    ON x.place = 1 + (m.place - 1) % array_length(matrix, 1)
                GROUP BY (m.place - 1) / array_length(matrix, 1)
                ORDER BY (m.place - 1) / array_length(matrix, 1)
            )
        END;
$$;

COMMENT ON FUNCTION pgsim.mapped(vector, double precision[]) IS
'Internal: a vector times a symmetric matrix, such as the map of a feature set; the vector itself where there is none.';
