-- A procedure that commits cannot have a SET clause: names are qualified.
CREATE OR REPLACE PROCEDURE pgsim.refresh_similarity(INOUT changed integer DEFAULT NULL, INOUT lists integer DEFAULT NULL)
LANGUAGE plpgsql
AS $$
DECLARE
    batch record;
    most integer := 20;
    began timestamptz;
    tries integer;
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
        tries := 0;
        WHILE NOT pgsim.try_refresh_lock() LOOP
            tries := tries + 1;
            IF tries % 600 = 30 THEN
                RAISE NOTICE 'waiting for %, which changes the matrix', pgsim.lock_holder('pgsim.similarity');
            END IF;
            PERFORM pg_catalog.pg_sleep(0.1);
            COMMIT; -- no snapshot grows older than a pause
        END LOOP;
        began := pg_catalog.clock_timestamp();
        SELECT b.changed, b.lists INTO batch FROM pgsim.refresh_batch(most) AS b;
        IF batch.changed = 0 THEN
            PERFORM pgsim.empty_stale();
            COMMIT;
            EXIT;
        END IF;
        COMMIT;
        changed := changed + batch.changed;
        lists := lists + batch.lists;
        most := pgsim.batch_after(most, began);
        IF pgsim.is_refresh_wanted() THEN
            PERFORM pg_catalog.pg_sleep(0.3); -- others first
            COMMIT;
        END IF;
    END LOOP;
END
$$;

COMMENT ON PROCEDURE pgsim.refresh_similarity (integer, integer) IS
'Brings the matrix up to date with all changes of recordings: CALL pgsim.refresh_similarity(). Works in batches of some
seconds, and commits each. Between two batches, other sessions that change the matrix get their turn; a notice names the
session that it waits for. Returns the number of changes, and of lists written. You can stop it at any point; the next
call continues.

- changed, lists: leave them out; they are the columns of the result.

Raises an error inside a transaction, and while transactions are not READ COMMITTED by default.';
