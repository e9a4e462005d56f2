CREATE OR REPLACE FUNCTION pgsim.batch_after(most integer, began timestamptz) RETURNS integer
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
    SELECT greatest(1, least(1000, 4 * most, (most * 2000 / greatest(
        1, extract(epoch FROM clock_timestamp() - began) * 1000))::integer));
$$;

COMMENT ON FUNCTION pgsim.batch_after(integer, timestamptz) IS
'Internal: after a batch of so many changes, which began then, how many changes the next one takes: as many as need two seconds, from '
'1 to 1000, and at most four times as many.';
