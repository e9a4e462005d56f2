"""Ask with SQLAlchemy: a question is a table-valued function, to join and filter as you like."""

import os
from uuid import UUID

import sqlalchemy as sa

SEED = UUID("b5f6c0a0-5472-58d3-911d-9bc10dbc8b5e")

url = sa.make_url(os.environ["DATABASE_URL"]).set(drivername="postgresql+psycopg")
recording = sa.table(
    "recording", sa.column("mbid", sa.Uuid), sa.column("length", sa.Float), schema="pgsim"
)
similar = sa.func.similar_recordings(SEED, 5).table_valued(
    "rank", sa.column("mbid", sa.Uuid), "title", "similarity", name="similar"
)
question = (
    sa.select(similar.c.rank, similar.c.title, recording.c.length, similar.c.similarity)
    .join(recording, recording.c.mbid == similar.c.mbid)
    .order_by(similar.c.rank)
)

with sa.create_engine(url).connect() as conn:
    for rank, title, length, similarity in conn.execute(question):
        print(f"{rank}. {title}, {length:.0f} s, {similarity:.2f}")
