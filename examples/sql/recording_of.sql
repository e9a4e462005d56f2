SELECT title FROM pgsim.recording WHERE id = recording_of('b5f6c0a0-5472-58d3-911d-9bc10dbc8b5e');
