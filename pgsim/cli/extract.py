"""`pgsim extract`: from audio files to documents that load reads."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from pgsim.audio.extract import extract as extract_files
from pgsim.audio.extract import rejects_of
from pgsim.cli.common import Json, print_json, print_table, progress, say


def extract(
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="AUDIO", help="Audio files, and folders of them."),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE.ndjson",
            help="The file to write, or to continue.",
        ),
    ],
    extractor: Annotated[
        str,
        typer.Option(
            help="essentia (extra 'audio'; Essentia is under the AGPL-3.0), librosa (extra"
            " 'librosa'), rhythm (Rhythm Patterns; extra 'rhythm') or musicnn (an embedding; extra"
            " 'musicnn' and a wheel). Each has a profile of its name."
        ),
    ] = "essentia",
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Processes that measure audio [default: one per core]."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Measure audio files.

    Each file becomes a line of NDJSON with its tags, which load reads. You can stop extract at any
    point; the next run measures the files without a line. FILE.ndjson.rejects lists the rejected
    files with the reason. A rejected file is tried again when it changes, or after you delete
    FILE.ndjson.rejects.
    """
    with progress("files") as advance:
        report = extract_files(paths, output, extractor, workers, say, advance)
    if as_json:
        print_json(asdict(report))
    else:
        print_table(["", "count"], list(asdict(report).items()))
        if report.rejected:
            say(f"why files have no line: {rejects_of(output)}")
        if report.extracted:
            say(f"to load them: pgsim init --profile {extractor}; pgsim load {output}")
    if report.rejected == report.found:
        raise typer.Exit(1)
