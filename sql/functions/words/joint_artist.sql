CREATE OR REPLACE FUNCTION pgsim.joint_artist(artist_mbids uuid[], artist text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
DECLARE
    joined CONSTANT text := '\s(?:&|and|und|et|y|e|i|x|och|og|и|vs\.?|with|con|mit|avec|meets|presents)\s|[,;/+×、・]';
    credit CONSTANT text := folded(artist);
    own CONSTANT text := regexp_replace(credit, '\s*;.*|[\s(\[]+(?:feat|ft|featuring)[.\s].*', '');
    guests CONSTANT text := substr(credit, length(own) + 1);
    count CONSTANT integer := cardinality(artist_mbids);
BEGIN
    RETURN array_to_string(
        artist_mbids[:CASE
            -- One name: the title alone may name the guests.
            WHEN own ~ joined IS NOT TRUE THEN 1
            WHEN guests = '' THEN count
            -- A comma in the name of a guest takes none of two artists away.
            ELSE greatest(count - 1 - regexp_count(btrim(guests, ' ;'), joined), least(2, count - 1))
        END], '+');
END
$$;

COMMENT ON FUNCTION pgsim.joint_artist(uuid[], text) IS
'Internal: the artist of a credit with several MBIDs: the first MBID of "A feat. B" and of "A", where the title names the guest; the '
'first two of "A & B" and of "A & B feat. C", joined by "+".';
