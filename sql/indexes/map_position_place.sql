-- Usage: map_recordings(), for a part of the map with few recordings: finds them all.
CREATE INDEX map_position_place ON pgsim.map_position USING gist (point(x, y));
