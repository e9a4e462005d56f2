"""`pgsim artists` and `pgsim albums`: which artists, and which albums, sound alike."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

import typer

from pgsim.cli.common import Json, database, print_json, print_table
from pgsim.cli.words import given_words, with_words
from pgsim.questions.answers import Answer, SimilarAlbum, SimilarArtist
from pgsim.questions.question import SIMILAR_ALBUMS, SIMILAR_ARTISTS

Count = Annotated[int, typer.Option("-k", help="How many, from 1 to 1000.")]


@with_words(SIMILAR_ARTISTS.words, before="as_json")
def artists(
    ctx: typer.Context,
    artist: Annotated[str, typer.Argument(metavar="MBID|NAME", help="The artist to start from.")],
    k: Count = 10,
    as_json: Json = False,
    **words: Any,
) -> None:
    """Print the artists most similar to one.

    They are compared by all their recordings. Below each artist stands the nearest pair of
    recordings, by their MBIDs: one of the artist asked about, and one of the other.
    """
    with database(ctx) as db:
        answer = db.similar_artists(artist, k, **given_words(words, SIMILAR_ARTISTS.words))
    _print(answer, ("rank", "similarity", "share", "recordings", "artist"), as_json)


@with_words(SIMILAR_ALBUMS.words, before="as_json")
def albums(
    ctx: typer.Context,
    album: Annotated[str, typer.Argument(metavar="TITLE", help="The album to start from.")],
    k: Count = 10,
    artist: Annotated[
        str | None,
        typer.Option(
            metavar="MBID|NAME",
            help="Its artist, where several have an album of that title.",
        ),
    ] = None,
    as_json: Json = False,
    **words: Any,
) -> None:
    """Print the albums most similar to one.

    They are compared by all their recordings. Below each album stands the nearest pair of
    recordings, by their MBIDs: one of the album asked about, and one of the other.
    """
    with database(ctx) as db:
        asked = given_words(words, SIMILAR_ALBUMS.words)
        answer = db.similar_albums(album, k, artist=artist, **asked)
    _print(answer, ("rank", "similarity", "share", "recordings", "artist", "album"), as_json)


def _print(
    answer: Answer[SimilarArtist] | Answer[SimilarAlbum], shown: Sequence[str], as_json: bool
) -> None:
    if as_json:
        print_json([asdict(row) for row in answer])
        return
    pairs = [f"{row.own_mbid}  {row.similar_mbid}" for row in answer]
    print_table(shown, [[getattr(row, name) for name in shown] for row in answer], pairs)
