"""`pgsim load`, `fuse`, `index`, `refresh` and `rebuild`: from files to an up-to-date matrix."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from pgsim.cli.common import (
    Json,
    database,
    ended_by_sigterm,
    print_json,
    print_table,
    progress,
    put,
    say,
)
from pgsim.errors import UsageError
from pgsim.loading.databases import place_of
from pgsim.loading.file_accounts import write_rejects
from pgsim.matrix.follow import follow_changes, follow_rebuilds
from pgsim.postgres.connection import resolve


def load(
    ctx: typer.Context,
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH",
            help="Folders and files: documents (.json, .ndjson, .tar, AcousticBrainz's feature"
            " .csv), tables (.csv, .tsv, .arff, .parquet, .npz, .npy) and .tfrecord, compressed by"
            " gzip, bzip2, xz or zstd; and the URL of AudioMuse-AI's database.",
        ),
    ],
    source: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|MODULE:NAME",
            help="The source that reads the files: its name, or a class of your own"
            " [default: by the files' names].",
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Processes that parse documents [default: one per core]."),
    ] = None,
    again: Annotated[
        bool,
        typer.Option("--again", help="Read unchanged files as well."),
    ] = False,
    rejects: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Also write the rejects, and why, to this file of NDJSON.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Load documents into the database.

    Each document is counted as new, updated, unchanged or rejected. The load can be stopped and run
    again: it reads only what has not been loaded, and files that have changed.
    """
    if rejects is not None and not rejects.absolute().parent.is_dir():
        raise UsageError(f"cannot write {rejects}: no such folder")
    with database(ctx) as db:
        with progress("documents") as advance:
            report = db.load(
                *paths, source=source, workers=workers, again=again, say=say, advance=advance
            )
        if rejects is not None:
            write_rejects(db.connection, [*map(place_of, paths)], rejects)
        if as_json:
            print_json(asdict(report))
        else:
            counts = {k: v for k, v in asdict(report).items() if isinstance(v, int)}
            too_long = counts.pop("longer_than_6_hours")
            print_table(["", "count"], [(k.replace("_", " "), v) for k, v in counts.items()])
            if too_long:
                say(
                    f"{too_long} recordings are longer than 6 hours: if their length is in"
                    ' milliseconds, set length_unit = "milliseconds" in [columns], run pgsim init'
                    " with the changed profile, and load again with --again"
                )
            if report.rejected:
                say("why documents were rejected: SELECT * FROM pgsim.reject")
            if report.unfitted:
                say(
                    f"not fitted, and 0 in every vector: {', '.join(report.unfitted)};"
                    " once recordings differ in them: pgsim fuse --refit"
                )
            if report.new or report.updated:
                say("to bring the matrix up to date: pgsim refresh")
    if report.read and report.rejected == report.read:
        raise typer.Exit(1)


def fuse(
    ctx: typer.Context,
    refit_sets: Annotated[
        bool,
        typer.Option(
            "--refit", help="Fit centres and scales again, and compute all vectors again."
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Fit centres and scales, and compute all vectors.

    A load computes the vectors of its recordings by itself. After the collection has changed much,
    fuse --refit fits centres and scales to it, and computes all vectors again from the stored
    submissions.
    """
    if not refit_sets:
        raise UsageError(
            "load computes vectors by itself; to fit again and compute all: pgsim fuse --refit"
        )
    with database(ctx) as db:
        with progress("recordings") as advance:
            report = asdict(db.refit(say=say, advance=advance))
        report["fitted"] = sorted(each.name for each in db.feature_sets() if each.fitted)
    if as_json:
        print_json(report)
    else:
        put(
            f"{report['inserted']} recordings new, {report['changed']} changed,"
            f" {report['unchanged']} unchanged"
        )


def index(
    ctx: typer.Context,
    metric: Annotated[
        str | None,
        typer.Option(help="A feature set: the index for questions by this metric alone."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Build the HNSW index where it is missing.

    The first load builds the index of whole vectors. With --metric, the command builds the index of
    one feature set. A question by a metric without an index scans all recordings.
    """
    with database(ctx) as db:
        built = db.index(metric, say=say)
    if as_json:
        print_json({"built": built})
    else:
        put("index built" if built else "the index is there already")


def refresh(
    ctx: typer.Context,
    follow: Annotated[
        bool,
        typer.Option(
            "--follow", help="Keep running; refresh whenever recordings change; stop on SIGTERM."
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Bring the matrix up to date.

    Every recording that is new, changed or deleted is taken into account.
    """
    if follow:
        with ended_by_sigterm() as is_ended:
            report = asdict(follow_changes(resolve(ctx.obj.database), is_ended, say))
    else:
        with database(ctx) as db, progress("changes") as advance:
            report = asdict(db.refresh(say=say, advance=advance))
    if as_json:
        print_json(report)
    else:
        put(f"{report['changed']} recordings had changed; {report['lists']} lists written")


def rebuild(
    ctx: typer.Context,
    engine: Annotated[
        str | None,
        typer.Option(
            help="How neighbours are found: cells, exact, faiss (needs pgsim[bulk]) or postgres"
            " (by its HNSW index) [default: cells]."
        ),
    ] = None,
    recall: Annotated[
        float, typer.Option(help="Minimum recall@k, measured on a sample; 1 is exact.")
    ] = 0.99,
    k: Annotated[
        int | None,
        typer.Option("-k", min=1, help="Neighbours in a list [default: as before, or 100]."),
    ] = None,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Threads [default: all cores].")
    ] = None,
    join: Annotated[
        bool, typer.Option("--join", help="Help a rebuild that another process has begun.")
    ] = False,
    follow: Annotated[
        bool,
        typer.Option(
            "--follow", help="With --join: keep running; join each rebuild; stop on SIGTERM."
        ),
    ] = False,
    restart: Annotated[
        bool, typer.Option("--restart", help="Drop an unfinished rebuild, and begin again.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Rebuild the whole matrix.

    An unfinished rebuild continues where it stopped. Questions are answered from the old matrix
    until the new one is complete.
    """
    if join and (restart or engine is not None or k is not None):
        raise UsageError("--join works as the rebuild was begun: leave the other options out")
    if follow and not join:
        raise UsageError("--follow waits for rebuilds to join: give --join too")
    if follow:
        with ended_by_sigterm() as is_ended:
            helped = follow_rebuilds(resolve(ctx.obj.database), is_ended, say, threads)
        if as_json:
            print_json(asdict(helped))
        else:
            put(f"{helped.lists} lists made in {helped.rebuilds} rebuilds")
        return
    with database(ctx) as db, progress("recordings") as advance:
        report = asdict(
            db.rebuild(
                engine=engine,
                k=k,
                recall=recall,
                threads=threads,
                join=join,
                restart=restart,
                say=say,
                advance=advance,
            )
        )
    print_rebuild(report, as_json)


def print_rebuild(report: dict[str, Any], as_json: bool) -> None:
    """Print the report of a rebuild."""
    if as_json:
        print_json(report)
    else:
        put(
            f"{report['lists']} lists of {report['recordings']} recordings in"
            f" {report['seconds']} s by {report['index']}"
            + (f", recall {report['recall']:.4f}" if report["recall"] is not None else "")
        )
