"""Answers as data frames, vectors as an array."""

import pandas as pd

import pgsim

SEED = "b5f6c0a0-5472-58d3-911d-9bc10dbc8b5e"

with pgsim.connect() as db:
    frame = pd.DataFrame(db.similar(SEED, 50))
    print(frame.groupby("album").similarity.agg(["count", "max"]).nlargest(3, "count").round(2))

    shares = pd.DataFrame(db.explain(SEED, frame.mbid[0])).set_index("feature_set").share
    print(shares.nlargest(3).round(2).to_dict())

    mbids, vectors = db.vectors()
    table = pd.DataFrame(vectors, index=mbids)
    print(table.shape, table.index[0])
