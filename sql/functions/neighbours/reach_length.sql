-- Inlined into the functions that call it. pgsim/store/lists.py has the same number (REACH).
CREATE OR REPLACE FUNCTION pgsim.reach_length() RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN 50;

COMMENT ON FUNCTION pgsim.reach_length() IS
'Internal: how many nearest distances are averaged to a recording''s reach.';
