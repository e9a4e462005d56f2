"""Write a playlist: from each recording to the most similar one that was not played yet."""

from collections import Counter
from pathlib import Path
from uuid import UUID

import psycopg

from pgsim.postgres.connection import resolve

LENGTH, MOST_OF_AN_ALBUM = 8, 3
START = UUID("b5f6c0a0-5472-58d3-911d-9bc10dbc8b5e")

with psycopg.connect(resolve()) as conn:
    played, of_album, now = [START], Counter(), START
    while len(played) < LENGTH:
        full = [album for album, count in of_album.items() if count == MOST_OF_AN_ALBUM]
