CREATE TABLE pgsim.reach (
    block integer PRIMARY KEY,
    reaches real[] NOT NULL,
    CONSTRAINT a_block_has_256_recordings CHECK (cardinality(reaches) = 256)
);

-- Read where it lies: any other storage would have each block copied for each reach that is read of it.
ALTER TABLE pgsim.reach ALTER COLUMN reaches SET STORAGE PLAIN;
-- Free space keeps updates HOT.
ALTER TABLE pgsim.reach SET (fillfactor = 60);

COMMENT ON TABLE pgsim.reach IS
'pgsim.similarity.reach side by side: an answer by similarity looks up many of them, in half the time that the lists would take.';
COMMENT ON COLUMN pgsim.reach.block IS 'recording.id >> 8.';
COMMENT ON COLUMN pgsim.reach.reaches IS 'The reach of each recording of the block, at (recording.id & 255) + 1; NULL without a list.';

-- Who could read or write the lists can the reaches.
DO $$
DECLARE
    held record;
BEGIN
    FOR held IN
        SELECT
            a.privilege_type,
            CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END AS grantee,
            CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END AS option
        FROM pg_class AS c, aclexplode(c.relacl) AS a
        WHERE c.oid = 'pgsim.similarity_a'::regclass AND a.grantee <> c.relowner
    LOOP
        EXECUTE format('GRANT %s ON pgsim.reach TO %s%s', held.privilege_type, held.grantee, held.option);
    END LOOP;
END
$$;
