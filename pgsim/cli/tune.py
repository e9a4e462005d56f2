"""`pgsim tune`: better neighbours, learned from what the collection knows."""

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pgsim.cli.common import Json, database, print_json, print_table, progress, put, say
from pgsim.errors import UsageError
from pgsim.tuning.tune import TuneReport


class Labels(StrEnum):
    """What belongs together."""

    ARTIST = "artist"
    GENRE = "genre"
    MBID = "mbid"


def tune(
    ctx: typer.Context,
    labels: Annotated[
        Labels | None,
        typer.Option(
            help="What belongs together: recordings of an artist or of a genre, or the submissions"
            " of an MBID [default: artist]."
        ),
    ] = None,
    triplets: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.csv",
            help="Learn from a CSV of MBIDs or own ids instead, with the columns a, b and c: a is"
            " nearer to b than to c.",
        ),
    ] = None,
    ratings: Annotated[
        bool,
        typer.Option("--ratings", help="Learn from what people said of answers by pgsim.rate()."),
    ] = False,
    across_sets: Annotated[
        bool,
        typer.Option(
            "--across-sets",
            help="Try one map over all sets too, in place of maps within them. It ends the sets'"
            " own distances: metric and weights are then refused.",
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Change nothing; only say what would be kept.")
    ] = False,
    profile_output: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.toml",
            help="Also write what was learned as a profile, for init --profile; with"
            " --dry-run too.",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the halves and of the sample.")] = 0,
    as_json: Json = False,
) -> None:
    """Learn better neighbours from the collection.

    Normal scores, a map within each feature set, and weights are learned on one half of the artists
    and measured on the other. What gains is learned again on all, and every vector is made anew.
    Where nothing gains, the collection stays as it is.
    """
    if labels and (triplets or ratings):
        raise UsageError("--triplets or --ratings says what belongs together: leave --labels out")
    with database(ctx) as db, progress("recordings") as advance:
        report = db.tune(
            labels=labels or "artist",
            triplets=triplets,
            ratings=ratings,
            across_sets=across_sets,
            dry_run=dry_run,
            profile_output=profile_output,
            force=force,
            seed=seed,
            say=say,
            advance=advance,
        )
    if as_json:
        print_json(asdict(report))
    else:
        _print(report)


def _print(report: TuneReport) -> None:
    put(
        f"learned from {report.classes:,} of {report.labels}, in {report.groups:,} groups, of"
        f" {report.recordings:,} recordings"
    )
    if report.steps:
        print_table(
            ["sets", "change", "before", "after", "gain, 95 %", "kept"],
            [
                (each.sets, each.change, each.before, each.after,
                 f"{each.low:+.4f} to {each.high:+.4f}", "yes" if each.kept else "no")
                for each in report.steps
            ],
        )  # fmt: skip
        right = "right" if report.labels in ("triplets", "ratings") else "right of 10"
        rows = [
            (f"{right}, by similarity", "by_similarity"),
            (f"{right}, by distance", "by_distance"),
            ("skewness of occurrences", "skewness"),
            ("share in nobody's list", "in_none"),
        ]
        print_table(
            ["on the other half", "before", "after"],
            [(name, report.before[key], report.after[key]) for name, key in rows],
        )
    if report.reason:
        put(f"the collection stays as it was: {report.reason}")
    elif not report.written:
        put("nothing was written; without --dry-run this is kept")
    else:
        if report.across_sets:
            put("one map over all sets: they have no distances of their own any more")
        put("the vectors and their index are made anew; to make the matrix anew: pgsim rebuild")
