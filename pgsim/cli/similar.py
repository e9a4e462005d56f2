"""`pgsim similar`: which recordings sound alike, and why."""

import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from pgsim.cli.answers import (
    COLUMNS,
    Csv,
    Rows,
    print_csv,
    print_recordings,
    require_one_form,
    rows_of,
)
from pgsim.cli.common import Json, database, print_json, print_table, say
from pgsim.cli.words import given_words, with_words
from pgsim.database.database import Database
from pgsim.errors import PgsimError, UsageError
from pgsim.printable import one_line
from pgsim.questions.answers import Answer, FoundRecording, SimilarRecording, Way
from pgsim.questions.file_seed import FileSeed
from pgsim.questions.question import DISSIMILAR, NEAREST, SIMILAR
from pgsim.questions.words import SeedFilters, words_of

OTHERS = 5  # further matches of a search that are named
EXPLAINED = 3  # feature sets of an explanation in a table
# The words that choose recordings: --stats is about those that they choose.
CHOOSING = words_of(SeedFilters).keys()


@with_words(SIMILAR.words, before="worst")
def similar(
    ctx: typer.Context,
    recording: Annotated[
        str | None,
        typer.Argument(
            metavar="MBID|ID|FILE",
            help="The recording to start from: its MBID, its own id in the collection, or a file."
            " The file is a document, or audio that the collection's extractor measures. It is not"
            " stored.",
        ),
    ] = None,
    k: Annotated[int, typer.Option("-k", help="How many recordings, from 1 to 1000.")] = 10,
    artist: Annotated[
        str | None, typer.Option(help="Start from a recording with these words in its artist.")
    ] = None,
    title: Annotated[
        str | None, typer.Option(help="Start from a recording with these words in its title.")
    ] = None,
    worst: Annotated[
        bool, typer.Option("--worst", help="The farthest recordings, not the nearest.")
    ] = False,
    stats: Annotated[
        bool,
        typer.Option("--stats", help="Print statistics of all the distances to the seed."),
    ] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Print which feature sets make each distance.")
    ] = False,
    how: Annotated[
        bool,
        typer.Option("--how", help="Print how the question is answered: by list, index or scan."),
    ] = False,
    as_csv: Csv = False,
    as_json: Json = False,
    **words: Any,
) -> None:
    """Print the recordings most similar to one.

    The seed is an MBID, an own id, words of an artist and title, or an audio file.
    """
    require_one_form(as_csv, as_json)
    if (recording is None) == (artist is None and title is None):
        raise UsageError("name one recording: by MBID, own id or file, or by --artist and --title")
    given = given_words(words, SIMILAR.words)
    with database(ctx) as db:
        if recording is None:
            seed: UUID | FileSeed = _found(db, artist, title)
        else:
            seed = _meant(db, recording)
        if isinstance(seed, FileSeed):
            _require_seed(given, worst=worst, explain=explain, how=how)
        elif how:
            _print_how(db.how_answered(seed, k, **given), as_json)
            return
        started = time.perf_counter()
        answer = _ask(db, seed, k, given, worst)
        taken = (time.perf_counter() - started) * 1000
        rows = rows_of(db, answer)
        statistics = {**_statistics(db, seed, given), "milliseconds": taken} if stats else None
        if explain and isinstance(seed, UUID):
            for row in rows:
                row["explanation"] = [asdict(each) for each in db.explain(seed, row["mbid"])]
    if isinstance(seed, FileSeed) and seed.missing:
        say(
            f"without the feature sets {', '.join(seed.missing)}: they are those of the nearest"
            " complete recording"
        )
    if as_json:
        print_json({"recordings": rows, "statistics": statistics} if stats else rows)
    elif as_csv:
        _print_csv(rows, statistics, [*COLUMNS, "explanation"] if explain else COLUMNS)
    else:
        _print(rows, statistics)


def _ask(
    db: Database, seed: UUID | FileSeed, k: int, words: dict[str, Any], worst: bool
) -> Answer[SimilarRecording]:
    if isinstance(seed, FileSeed):
        return db.nearest(seed.vector, k, **words)
    if not worst:
        return db.similar(seed, k, **words)
    for word in words.keys() - DISSIMILAR.words.keys():
        raise UsageError(f"`{word}` cannot go with `worst`")
    return db.dissimilar(seed, k, **words)


def _statistics(db: Database, seed: UUID | FileSeed, words: dict[str, Any]) -> dict[str, Any]:
    """Return the statistics of what the question chooses from: by those words that choose."""
    chosen = {word: value for word, value in words.items() if word in CHOOSING}
    return asdict(db.statistics(seed if isinstance(seed, UUID) else seed.vector, **chosen))


def _require_seed(words: dict[str, Any], **options: bool) -> None:
    """Refuse what cannot be asked about a file."""
    given = [name for name, is_given in options.items() if is_given]
    for name in [*given, *(words.keys() - NEAREST.words.keys())]:
        raise UsageError(f"`{name}` asks about a recording in the database, by MBID")


def _meant(db: Database, recording: str) -> UUID | FileSeed:
    """Return the seed: a file where there is one of that name, else a recording's MBID or own id.

    What nobody knows is taken for a missing file where it is spelled like one.
    """
    if Path(recording).exists():
        return db.seed_of_file(recording)
    try:
        return db.mbid_of(recording)
    except UsageError:
        raise
    except PgsimError:
        if "/" in recording or "." in recording:
            return db.seed_of_file(recording)
        raise


def _found(db: Database, artist: str | None, title: str | None) -> UUID:
    """Return the best match of a search; say which it is, and what else there is."""
    found = db.find(artist=artist, title=title, k=OTHERS + 1)
    if not found:
        words = {"artist": artist, "title": title}
        asked = " and ".join(f"{name} '{value}'" for name, value in words.items() if value)
        raise PgsimError(f"no recording has the words of {asked}: try fewer or other words")
    say(f"starting from {_named(found[0])}")
    for other in found[1:]:
        say(f"    or else {_named(other)}")
    return found[0].mbid


def _named(row: FoundRecording) -> str:
    return one_line(f"{row.mbid}  {row.artist or 'unknown artist'}: {row.title or 'untitled'}")


def _print(rows: Rows, statistics: dict[str, Any] | None) -> None:
    print_recordings(rows)
    reasons = [
        (row["rank"], each["feature_set"], f"{each['share']:.0%}", each["explanation"])
        for row in rows
        for each in row.get("explanation", [])[:EXPLAINED]
    ]
    if reasons:
        print_table(("rank", "feature set", "share", "values"), reasons)
    if statistics:
        print_table(list(statistics), [list(statistics.values())])


def _print_csv(rows: Rows, statistics: dict[str, Any] | None, columns: Sequence[str]) -> None:
    for row in rows:
        if "explanation" in row:
            row["explanation"] = "; ".join(
                f"{each['feature_set']} {each['share']:.0%}" for each in row["explanation"]
            )
    print_csv(rows, columns)
    if statistics:
        known = {name: value for name, value in statistics.items() if value is not None}
        say(", ".join(f"{name} {value:g}" for name, value in known.items()))


def _print_how(way: Way, as_json: bool) -> None:
    values = asdict(way)
    if as_json:
        print_json(values)
    else:
        print_table(list(values), [list(values.values())])
