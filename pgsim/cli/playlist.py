"""`pgsim playlist`: a playlist of another program, expanded by what sounds like it."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from pgsim.cli.common import Json, database, print_json, print_table, put, say
from pgsim.cli.words import given_words, with_words
from pgsim.playlists.expand import ExpandedPlaylist
from pgsim.questions.question import EXPANSION

SHOWN = ("rank", "similarity", "year", "artist", "title")
NAMED = 10  # tracks of a kind that are named


@with_words(EXPANSION.words, before="output")
def playlist(
    ctx: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="The playlist: .m3u, .m3u8, .jspf, .csv or .tsv (columns of MBIDs, paths, or"
            " artists and titles), or .txt with an MBID a line.",
        ),
    ],
    k: Annotated[
        int | None,
        typer.Option(
            "-k",
            help="How many recordings to append, from 1 to 1000 [default: 20; with"
            " --min-similarity as many as there are].",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write the playlist with what was appended: .m3u, .m3u8 or .jspf.",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
    as_json: Json = False,
    **words: Any,
) -> None:
    """Append recordings to a playlist.

    Each track of the playlist is looked for by MBID, own id, path, and artist and title. What is
    appended is most similar to the mean of those that were found, and is not in the playlist.
    """
    asked = given_words(words, EXPANSION.words)
    with database(ctx) as db:
        found = db.expand_playlist(file, k, output=output, force=force, **asked)
    if as_json:
        print_json(asdict(found) | {"added": [asdict(each) for each in found.added]})
        return
    _print(found)
    print_table(SHOWN, [[getattr(row, name) for name in SHOWN] for row in found.added])
    if found.written:
        whole = found.tracks + len(found.added)
        put(f"{found.written}: {whole - len(found.left_out):,} tracks")
        _name("left out of the file, since their path is not known", found.left_out, whole)


def _print(found: ExpandedPlaylist) -> None:
    ways = ", ".join(f"{count:,} by {way}" for way, count in found.matched.items())
    put(f"{found.tracks:,} tracks, of which {sum(found.matched.values()):,} are here: {ways}")
    _name("not here", found.unmatched, found.tracks)
    _name("here without a vector", found.without_vector, found.tracks)


def _name(what: str, names: list[str], total: int) -> None:
    """Say how many tracks are so, and name the first of them."""
    if names:
        say(f"{what}, {len(names):,} of {total:,} tracks:")
        for name in names[:NAMED]:
            say(f"    {name}")
        if len(names) > NAMED:
            say(f"    … and {len(names) - NAMED:,} more")
