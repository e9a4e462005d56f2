"""The columns of pgsim.recording that Python writes, and their types."""

RECORDING_COLUMNS = {
    "mbid": "uuid",
    "title": "text",
    "artist": "text",
    "artist_mbids": "uuid[]",
    "album": "text",
    "year": "int2",
    "length": "float4",
    "genre": "text",
    "genre_probability": "float4",
    "genres": "text[]",
    "source_id": "text",
    "url": "text",
    "popularity": "float4",
    "extra": "jsonb",
    "submissions": "int4",
    "missing": "text[]",
    "vector": "vector",
}
