-- A procedure that commits cannot have a SET clause: names are qualified.
CREATE OR REPLACE PROCEDURE pgsim.refresh_similarity(INOUT changed integer DEFAULT NULL, INOUT lists integer DEFAULT NULL)
LANGUAGE plpgsql
AS $$
DECLARE
    batch record;
BEGIN
    -- Inside a transaction COMMIT fails, without a hint; in this block it always fails, but with other messages.
    BEGIN
        COMMIT;
    EXCEPTION WHEN invalid_transaction_termination THEN
        IF SQLERRM = 'invalid transaction termination' THEN
            RAISE EXCEPTION 'refresh_similarity() commits after each batch, and cannot be called inside a transaction'
                USING ERRCODE = 'active_sql_transaction',
                    HINT = 'call it outside a transaction, or SELECT * FROM pgsim.refresh_batch(1000) inside it';
        END IF;
    END;
    changed := 0;
    lists := 0;
    LOOP
        SELECT b.changed, b.lists INTO batch FROM pgsim.refresh_batch(1000) AS b;
        COMMIT;
        EXIT WHEN batch.changed = 0;
        changed := changed + batch.changed;
        lists := lists + batch.lists;
    END LOOP;
    PERFORM pgsim.empty_stale();
    COMMIT;
END
$$;

COMMENT ON PROCEDURE pgsim.refresh_similarity (integer, integer) IS
'Brings the matrix up to date with all changes of recordings, in batches of 1000 that are committed one by one: CALL
pgsim.refresh_similarity(). Returns the number of changes and of lists that were written. Stopped at any point and
called again, it continues.

- changed, lists: leave them out; they are the columns of the result.

Raises an error inside a transaction, and while transactions are not READ COMMITTED by default.';
