-- Inlined into the functions that call it.
CREATE OR REPLACE FUNCTION pgsim.share_below(value real, others double precision[]) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT coalesce(avg((u.other < value)::integer), 0)::double precision FROM unnest(others) AS u (other);
END;

COMMENT ON FUNCTION pgsim.share_below(real, double precision[]) IS
'Internal: the share of some values that are less than a value; 0 for NULL, and where there are none.';
