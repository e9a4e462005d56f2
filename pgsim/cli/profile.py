"""`pgsim profile`: give a collection another profile."""

from dataclasses import asdict
from typing import Annotated

import typer

from pgsim.cli.common import Json, database, print_json, progress, put, say


def profile(
    ctx: typer.Context,
    wanted: Annotated[
        str,
        typer.Argument(
            metavar="NAME|FILE", help="The new profile: a shipped one, or a file of TOML."
        ),
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, and change nothing.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Change the feature sets of a collection.

    Sets are added, left out, weighted and transformed otherwise; those that stay keep their values.
    All vectors and indexes are made anew in one transaction, and questions wait for it.
    """
    with database(ctx) as db, progress("recordings") as advance:
        report = db.change_profile(wanted, dry_run=dry_run, say=say, advance=advance)
    if as_json:
        print_json(asdict(report))
        return
    lines = [
        *(f"added: {name}" for name in report.added),
        *(f"removed: {name}" for name in report.removed),
        *(f"{name}: weight {a:.3g}, now {b:.3g}" for name, (a, b) in report.reweighted.items()),
        *(f"{name}: {how}" for name, how in report.retransformed.items()),
        *(f"its index is built anew: {name}" for name in report.indexes),
    ]
    if report.submissions:
        lines.append(f"submissions whose features move: {report.submissions}")
    if report.recordings:
        lines.append(f"vectors made anew: {report.recordings}")
    for line in lines:
        put(line)
    dimensions = f"profile '{report.profile}', {report.dimensions} dimensions"
    if report.dimensions != report.dimensions_before:
        dimensions += f" instead of {report.dimensions_before}"
    if report.is_done:
        put(f"{dimensions}: done")
    else:
        put(f"{dimensions}: " + ("nothing was done" if report.is_change else "nothing to change"))
    for step in report.next:
        say(step)
