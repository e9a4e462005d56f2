"""`pgsim describe`: a table's columns, or a folder's arrays, as a profile to edit."""

import tomllib
from pathlib import Path
from typing import Annotated

import typer

from pgsim.cli.common import Json, print_json
from pgsim.sources.description.proposal import propose_profile


def describe(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="PATH",
            help="A .csv, .tsv, .arff, .parquet, .npz or .npy file, a database of bliss or mStream,"
            " or a folder with an .npy for each track.",
        ),
    ],
    as_json: Json = False,
) -> None:
    """Propose a profile for a table, or arrays.

    It says which columns are titles, artists and so on, and which are features. Edit it, then give
    it to init: pgsim describe songs.csv > songs.toml
    """
    text = propose_profile(file)
    if as_json:
        print_json(tomllib.loads(text))
    else:
        typer.echo(text, nl=False)
