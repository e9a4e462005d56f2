"""A proposed profile for a folder with a NumPy file for each track."""

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from pgsim.errors import PgsimError, UsageError
from pgsim.features.profile import MOST_DIMENSIONS
from pgsim.features.profile_text import toml
from pgsim.sources import vectors
from pgsim.sources.description.comments import REMARK, shown
from pgsim.sources.description.sets import set_name
from pgsim.sources.streams.files import SourceError, opened
from pgsim.sources.streams.walk import walk
from pgsim.sources.tables import mbid_in

FILES = 100  # the first files by name, whose numbers are read
_JAMENDO = re.compile(r"track_[0-9]{7}")


def propose_folder(folder: Path) -> str:
    """Return a profile for a folder, as TOML with comments; always the same for the same files.

    UsageError if no file there is a NumPy array; PgsimError if none of the first 100 can be read,
    if they differ in their dimensions, or if two files have the same id.
    """
    paths = _files(folder)
    sizes: dict[int, Path] = {}
    faults = []
    for path in islice(paths.values(), FILES):
        try:
            with opened(path) as stream:
                sizes.setdefault(vectors.frames_of(stream)[0].shape[1], path)
        except SourceError as error:
            faults.append(f"{path.relative_to(folder)}: {error}")
    if not sizes:
        raise PgsimError(f"no file of {folder} can be read: {faults[0]}")
    if len(sizes) > 1:
        (one, first), (two, second), *_ = sizes.items()
        raise PgsimError(
            f"the files of {folder} have different dimensions: {first.relative_to(folder)} has"
            f" {one}, {second.relative_to(folder)} has {two}. A track is frames x dimensions: save"
            " one whose frames are columns transposed, and what two models made in two folders"
        )
    [length] = sizes
    if length > MOST_DIMENSIONS:
        raise PgsimError(
            f"the files of {folder} have {length} dimensions; an indexed vector has at most"
            f" {MOST_DIMENSIONS}: reduce them first, by PCA for instance"
        )
    name = set_name(folder.resolve().name, set())
    return "\n".join(_lines(folder, name, length, paths, faults)) + "\n"


def _files(folder: Path) -> dict[str, Path]:
    """Return the files by their ids, in the order of their names."""
    found: dict[str, Path] = {}
    for each in walk(folder, lambda path: vectors if vectors.accepts(path) else None):
        if each.source is None:
            raise SourceError(f"cannot read {each.path}: {each.fault}")
        assert isinstance(each.path, Path)  # what lies in a folder
        vectors.enter(found, each.path)
    if not found:
        raise UsageError(f"cannot describe {folder}: no file there is named .npy")
    return found


def _lines(
    folder: Path, name: str, length: int, paths: dict[str, Path], faults: list[str]
) -> Iterator[str]:
    seen = min(len(paths), FILES)
    of_mbids = all(mbid_in(own) for own in paths)
    of_jamendo = all(map(_JAMENDO.fullmatch, paths))
    yield f"# Proposed from {seen} of {len(paths)} files in {shown(folder.name)}."
    yield "# Check it, save it, then run:"
    yield "#   pgsim init --profile THIS_FILE.toml"
    yield f"#   pgsim load {shown(str(folder))}"
    yield f"name = {toml(name)}"
    yield 'extractor = "unknown"  # the model; a database has the numbers of one only'
    yield 'genre_scheme = "genre"'
    yield ""
    yield "# The name of a file, without .npy, is the id of its track. The columns are those of a"
    yield "# table with titles, such as: pgsim load FOLDER titles.csv"
    yield "[columns]"
    yield 'mbid = "mbid"' if of_mbids else f"id = {toml('TRACK_ID' if of_jamendo else 'id')}"
    for key in ("title", "artist", "album", "year", "genre", "length"):
        yield f'{key} = "{key}"'
    for fault in faults:
        yield f"{REMARK}{shown(fault)}."
    yield ""
    yield "# The mean of the frames of each file."
    yield "[[set]]"
    yield 'name = "embedding"'
    yield f"path = {toml(vectors.PATTERN)}"
    yield f"length = {length}"
    yield 'transform = "unit"'
    yield 'aggregate = "mean"'
    yield "weight = 1"
