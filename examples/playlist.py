"""Write a playlist: from each recording to the most similar one that was not played yet."""

from collections import Counter
from pathlib import Path
from uuid import UUID

import pgsim

SEED, LENGTH, MOST_OF_AN_ALBUM = UUID("b5f6c0a0-5472-58d3-911d-9bc10dbc8b5e"), 10, 3

with pgsim.connect() as db:
    played, of_album = [SEED], Counter({"M.A.R.S.": 1})
    while len(played) < LENGTH:
        hits = db.similar(played[-1], 100, exclude=played, distinct_titles=True)
        hit = next(hit for hit in hits if of_album[hit.album] < MOST_OF_AN_ALBUM)
        played.append(hit.mbid)
        of_album[hit.album] += 1

    lines = db.connection.execute(
        """
        SELECT concat(r.album, ' - ', r.title), round(r.length), coalesce(r.url, r.source_id)
        FROM unnest(%s::uuid[]) WITH ORDINALITY AS p (mbid, place)
        JOIN pgsim.recording AS r ON r.mbid = p.mbid
        ORDER BY p.place
        """,
        (played,),
    ).fetchall()

playlist = [f"#EXTINF:{seconds:.0f},{name}\n{where}\n" for name, seconds, where in lines]
Path("playlist.m3u").write_text("#EXTM3U\n" + "".join(playlist), encoding="utf-8")
print("\n".join(name for name, _, _ in lines))
