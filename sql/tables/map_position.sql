-- No foreign key: questions leave deleted recordings out by a join, and a refresh deletes their places.
CREATE TABLE pgsim.map_position (
    id integer PRIMARY KEY,
    x real NOT NULL,
    y real NOT NULL,
    CONSTRAINT x_and_y_are_from_minus_1_to_1 CHECK (x BETWEEN -1 AND 1 AND y BETWEEN -1 AND 1)
);

COMMENT ON TABLE pgsim.map_position IS
'The map: the place of each recording in two dimensions, where near recordings sound alike. pgsim map writes it; a refresh gives a '
'place to new recordings.';
COMMENT ON COLUMN pgsim.map_position.id IS 'The recording (recording.id).';
COMMENT ON COLUMN pgsim.map_position.x IS 'How far to the right the recording lies, from -1 to 1.';
COMMENT ON COLUMN pgsim.map_position.y IS 'How far up it lies, from -1 to 1.';
