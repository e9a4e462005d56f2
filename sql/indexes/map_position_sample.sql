-- Usage: map_recordings(), for a part of the map with many recordings: the first of them by the hash of their ids.
CREATE INDEX map_position_sample ON pgsim.map_position (hashint4(id), id);
