"""`pgsim similar`: which recordings sound alike, and why."""

import csv
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from pgsim.cli.common import Json, connection, print_json, print_table, say
from pgsim.errors import UsageError
from pgsim.postgres.connection import Connection
from pgsim.questions.file_seed import Unloaded, read_unloaded
from pgsim.questions.question import Question, Row, find
from pgsim.store.collection import read_collection

COLUMNS = ("rank", "mbid", "artist", "title", "album", "year", "genre", "distance", "similarity")
SHOWN = ("rank", "similarity", "distance", "year", "genre", "artist", "title")
OTHERS = 5  # further matches of a search that are named
EXPLAINED = 3  # feature sets of an explanation in a table


def similar(
    ctx: typer.Context,
    recording: Annotated[
        str | None,
        typer.Argument(
            metavar="[MBID|FILE]",
            help="The recording to start from; a file, a document or audio (measured by the"
            " collection's extractor), is not stored.",
        ),
    ] = None,
    k: Annotated[int, typer.Option("-k", help="How many, from 1 to 1000.")] = 10,
    artist: Annotated[
        str | None, typer.Option(help="Start from a recording with these words in its artist.")
    ] = None,
    title: Annotated[
        str | None, typer.Option(help="Start from a recording with these words in its title.")
    ] = None,
    genre: Annotated[
        str | None, typer.Option(help="Only of this genre: roc, dortmund:rock.")
    ] = None,
    decade: Annotated[int | None, typer.Option(help="Only of this decade: 1990.")] = None,
    year_from: Annotated[int | None, typer.Option(help="Only of this year or later.")] = None,
    year_to: Annotated[int | None, typer.Option(help="Only of this year or earlier.")] = None,
    same_genre: Annotated[bool, typer.Option("--same-genre", help="Only of its genre.")] = False,
    same_decade: Annotated[bool, typer.Option("--same-decade", help="Only of its decade.")] = False,
    length_from: Annotated[float | None, typer.Option(help="Only of so many seconds.")] = None,
    length_to: Annotated[float | None, typer.Option(help="Only up to so many seconds.")] = None,
    exclude: Annotated[
        list[str] | None, typer.Option(metavar="MBID", help="Not this recording; repeatable.")
    ] = None,
    exclude_artist: Annotated[
        list[str] | None, typer.Option(metavar="MBID", help="Not by this artist; repeatable.")
    ] = None,
    max_per_artist: Annotated[
        int | None, typer.Option(help="At most so many of one artist.")
    ] = None,
    distinct_titles: Annotated[
        bool, typer.Option("--distinct-titles", help="Each title once, versions counting as one.")
    ] = False,
    min_similarity: Annotated[
        float | None, typer.Option(help="Only as similar as that, from 0 to 1.")
    ] = None,
    metric: Annotated[
        str | None, typer.Option(help="By these feature sets alone: mfccs, bpm+key.")
    ] = None,
    weights: Annotated[
        str | None, typer.Option(metavar="JSON", help='Other weights: {"moods": 2, "bpm": 0}.')
    ] = None,
    approximate: Annotated[
        bool, typer.Option("--approximate", help="A metric without an index may be approximate.")
    ] = False,
    ranking: Annotated[
        str | None, typer.Option(help="similarity or distance [default: similarity].")
    ] = None,
    worst: Annotated[bool, typer.Option("--worst", help="The farthest instead.")] = False,
    stats: Annotated[
        bool, typer.Option("--stats", help="How far all are that the answer is chosen from.")
    ] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Which feature sets keep each apart.")
    ] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print comma-separated values.")] = False,
    as_json: Json = False,
) -> None:
    """Print the recordings most similar to one, found by its MBID, its words or a file."""
    if as_csv and as_json:
        raise UsageError("--csv or --json, not both")
    if (recording is None) == (artist is None and title is None):
        raise UsageError("name one recording: by MBID or file, or by --artist and --title")
    words = {
        "genre": genre,
        "decade": decade,
        "year_from": year_from,
        "year_to": year_to,
        "same_genre": same_genre or None,
        "same_decade": same_decade or None,
        "length_from": length_from,
        "length_to": length_to,
        "exclude": [_mbid(each) for each in exclude] if exclude else None,
        "exclude_artists": [_mbid(each) for each in exclude_artist] if exclude_artist else None,
        "max_per_artist": max_per_artist,
        "distinct_titles": distinct_titles or None,
        "min_similarity": min_similarity,
        "metric": metric,
        "weights": _weights(weights),
        "approximate": approximate or None,
        "ranking": ranking,
    }
    given = {word: value for word, value in words.items() if value is not None}
    with connection(ctx) as conn:
        collection = read_collection(conn)
        if recording is None:
            seed: UUID | Unloaded = _found(conn, artist, title)
        elif _is_file(recording):
            seed = read_unloaded(Path(recording), collection)
        else:
            seed = _mbid(recording)
        question = Question(seed, k, given, worst)
        started = time.perf_counter()
        rows = question.ask(conn)
        taken = (time.perf_counter() - started) * 1000
        statistics = {**question.statistics(conn), "milliseconds": taken} if stats else None
        if explain:
            for row in rows:
                row["explanation"] = question.explain(conn, row["mbid"])
    if isinstance(seed, Unloaded) and seed.missing:
        say(f"without the feature sets {', '.join(seed.missing)}: it lies at their centre")
    if as_json:
        print_json({"recordings": rows, "statistics": statistics} if stats else rows)
    elif as_csv:
        _print_csv(rows, statistics, [*COLUMNS, "explanation"] if explain else COLUMNS)
    else:
        _print(rows, statistics)


def _is_file(recording: str) -> bool:
    """Whether a file is meant: one is there, or its name could be no MBID's."""
    return Path(recording).exists() or "/" in recording or "." in recording


def _mbid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise UsageError(f"'{text}' is no MBID: 36 characters, as in a MusicBrainz URL") from None


def _weights(text: str | None) -> str | None:
    try:
        if text is None or isinstance(json.loads(text, parse_constant=_no_number), dict):
            return text
    except ValueError:
        pass
    raise UsageError(f'--weights {text!r:.80} is no JSON object: write it as {{"moods": 2}}')


def _no_number(name: str) -> None:
    raise ValueError(name)


def _found(conn: Connection, artist: str | None, title: str | None) -> UUID:
    """The best match of a search; what it was, and what else there is, is said."""
    first, *others = find(conn, artist, title, OTHERS + 1)
    say(f"starting from {_named(first)}")
    for other in others:
        say(f"    or else {_named(other)}")
    mbid: UUID = first["mbid"]
    return mbid


def _named(row: Row) -> str:
    return f"{row['mbid']}  {row['artist'] or 'unknown artist'}: {row['title'] or 'untitled'}"


def _print(rows: list[Row], statistics: Row | None) -> None:
    print_table(SHOWN, [[row[name] for name in SHOWN] for row in rows])
    reasons = [
        (row["rank"], each["feature_set"], f"{each['share']:.0%}", each["explanation"])
        for row in rows
        for each in row.get("explanation", [])[:EXPLAINED]
    ]
    if reasons:
        print_table(("rank", "feature set", "share", "values"), reasons)
    if statistics:
        print_table(list(statistics), [list(statistics.values())])


def _print_csv(rows: list[Row], statistics: Row | None, columns: Sequence[str]) -> None:
    writer = csv.DictWriter(sys.stdout, columns, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        if "explanation" in row:
            row["explanation"] = "; ".join(
                f"{each['feature_set']} {each['share']:.0%}" for each in row["explanation"]
            )
        writer.writerow(row)
    if statistics:
        known = {name: value for name, value in statistics.items() if value is not None}
        say(", ".join(f"{name} {value:g}" for name, value in known.items()))
