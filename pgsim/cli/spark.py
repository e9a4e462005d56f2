"""`pgsim spark-rebuild`: the matrix by Apache Spark."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from pgsim.cli.build import print_rebuild
from pgsim.cli.common import Json, database, progress, say


def spark_rebuild(
    ctx: typer.Context,
    master: Annotated[
        str,
        typer.Option(
            metavar="URL", help="Spark's master: spark://HOST:7077, yarn, local[4] and the like."
        ),
    ] = "local[*]",
    work: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="A folder that every executor sees, for vectors and lists"
            " [default: the system's for temporary files].",
        ),
    ] = None,
    recall: Annotated[float, typer.Option(help="Minimum recall@k, measured on a sample.")] = 0.99,
    k: Annotated[
        int | None,
        typer.Option("-k", min=1, help="Neighbours in a list [default: as before, or 100]."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Rebuild the whole matrix by Apache Spark.

    The command exports the vectors, has Spark make the lists, and imports them. Questions are
    answered from the old matrix until then. Recordings that change meanwhile are left to refresh.
    """
    with database(ctx) as db, progress("vectors") as advance:
        report = db.spark_rebuild(
            master=master, work=work, k=k, recall=recall, say=say, advance=advance
        )
    print_rebuild(asdict(report), as_json)
