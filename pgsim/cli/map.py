"""`pgsim map`: the collection in two dimensions."""

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pgsim.cli.common import Json, database, print_json, progress, put, say
from pgsim.evaluation.places import MapQuality
from pgsim.mapping.plot import require_map_plot


class Colour(StrEnum):
    """What the colour of a point says."""

    GENRE = "genre"
    DECADE = "decade"


def map(  # noqa: A001
    ctx: typer.Context,
    new: Annotated[
        bool,
        typer.Option(
            "--new", help="Keep the map, and only place recordings that have no place on it."
        ),
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the first places.")] = 0,
    plot_file: Annotated[
        Path | None,
        typer.Option(
            "--plot",
            metavar="FILE.png",
            help="Also draw the map (needs pgsim[plot]); or .svg, .pdf.",
        ),
    ] = None,
    colour: Annotated[
        Colour, typer.Option(help="What the colours of --plot are: genres or decades.")
    ] = Colour.GENRE,
    as_json: Json = False,
) -> None:
    """Lay the collection out in two dimensions.

    Recordings that are near each other on the map sound alike. It is made of the stored lists,
    without a search, and needs pgsim[map]. map_recordings() in SQL returns what lies in a
    rectangle. A refresh places new recordings; deleted ones are gone at once.
    """
    if plot_file:
        require_map_plot(plot_file, colour)
    with database(ctx) as db:
        with progress("steps") as advance:
            report = db.map(new=new, seed=seed, say=say, advance=advance)
        if plot_file:
            db.plot_map(plot_file, colour=colour)
            say(f"plot: {plot_file}")
    if as_json:
        print_json(asdict(report))
        return
    put(
        f"{report.recordings:,} recordings on the map, {report.placed:,} of them newly placed among"
        f" their neighbours, in {report.seconds:,} s"
    )
    if report.without:
        say(f"{report.without:,} recordings have no place: pgsim refresh, then pgsim map --new")


def print_map_quality(found: MapQuality) -> None:
    """Print what `pgsim evaluate --map` has measured."""
    put(f"{found.recordings:,} recordings on the map; {found.sample:,} of them measured")
    put(
        f"of the {found.k} nearest on the map, {100 * found.found:.1f} % are among the"
        f" {found.among} nearest in sound ({100 * found.low:.1f} to {100 * found.high:.1f} %, at"
        f" 95 %; by chance {100 * found.chance:.2g} %)"
    )
    if found.without:
        say(f"{found.without:,} recordings have no place on the map: pgsim map --new")
