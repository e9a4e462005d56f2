"""Ask with psycopg: values are parameters, and a problem is an exception with its cure."""

import os

import psycopg
from psycopg.rows import namedtuple_row

SEED = "b5f6c0a0-5472-58d3-911d-9bc10dbc8b5e"

with psycopg.connect(os.environ["DATABASE_URL"], row_factory=namedtuple_row) as conn:
    rows = conn.execute(
        """
        SELECT rank, title, year, similarity
        FROM similar_recordings(
            %(seed)s::uuid, 5, year_from => %(first)s, min_similarity => %(least)s
        )
        """,
        {"seed": SEED, "first": 2000, "least": 0.3},
    )
    for row in rows:
        print(f"{row.rank}. {row.title} ({row.year}), {row.similarity:.2f}")

    try:
        conn.execute("SELECT * FROM similar_recordings(%s::uuid, genre => %s)", (SEED, "polka"))
    except psycopg.errors.InvalidParameterValue as error:
        print(error.diag.message_primary)
