"""Folders with a NumPy file for each track: its frames' embeddings, of which the mean is taken.

MTG-Jamendo's tools and Essentia's models write such files: `14/214.npy` has frames x dimensions. A
profile reads them if the path of one of its feature sets is a pattern such as `*.npy`. A track is
known by its file's name, and meets the row of a table that has this name as its id.
"""

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import IO, Any

import numpy as np
import orjson
from numpy.typing import NDArray

from pgsim.errors import Rejected
from pgsim.features.profile import FeatureSet, Profile
from pgsim.sources import tables
from pgsim.sources.arrays import load_array
from pgsim.sources.streams import files
from pgsim.sources.streams.files import Member, SourceError
from pgsim.sources.streams.walk import Input
from pgsim.sources.submission import Submission

name = "vectors"

PATTERN = "*.npy"
_DOCUMENT = "frames"


def is_wanted(profile: Profile) -> bool:
    """Return whether a profile reads a folder of such files."""
    return bool(profile.columns) and any(map(_is_pattern, profile.sets))


def accepts(path: Path) -> bool:
    """Return whether a file is a NumPy array, judging by its name."""
    return files.is_known(path, _READERS)


def members(path: Path) -> Iterator[Member]:
    """Yield the mean of a file's frames, as JSON, with the file's id and path."""
    for member in files.members(path, _READERS):
        if not member.fault:
            track = {"id": id_of(path), "path": _plain_path(path)}
            member.view = orjson.dumps(track)[:-1] + b"," + member.data[1:]
        yield member


def require_unique(found: Iterable[Input], profile: Profile) -> Iterator[Input]:
    """Yield the files; SourceError if one of a set would replace another, as both have one id."""
    seen: dict[str, dict[str, Path]] = {}
    for each in found:
        if isinstance(each.path, Path) and each.source is not None and each.source.name == name:
            for one in _sets_of(_plain_path(each.path), profile):
                enter(seen.setdefault(one.name, {}), each.path)
        yield each


def enter(known: dict[str, Path], path: Path) -> None:
    """Enter a file by its id; SourceError if another one has that id."""
    own = id_of(path)
    other = known.setdefault(own, path)
    if other != path:
        raise SourceError(
            f"{other} and {path} have the same id, {own!r}: a track is known by its file's name;"
            " rename one of them"
        )


def submission(member: Member, profile: Profile) -> Submission:
    """Return the submission in one file; Rejected says why there is none."""
    if member.fault:
        raise Rejected(member.fault)
    track = orjson.loads(member.data)
    columns = dict(profile.columns)
    column = columns.get("mbid" if tables.mbid_in(track["id"]) else "id") or columns.get("id")
    if not isinstance(column, str):
        raise Rejected(
            f"{track['id']!r:.60} is no MBID, and the profile's [columns] have no single 'id' to be"
            " the name of a file"
        )
    row: dict[str, Any] = {column: track["id"]}
    for each in _sets_of(track["path"], profile):
        if len(track["mean"]) != each.length:
            raise Rejected(
                f"{len(track['mean'])} dimensions; set '{each.name}' of profile"
                f" '{profile.name}' has {each.length}"
            )
        row[each.paths[0]] = track["mean"]
    found = tables.submission(Member(f"{_DOCUMENT}:0", orjson.dumps(row)), profile)
    if track["left_out"]:
        found.metadata["extra"] = {"frames_with_nan": track["left_out"]}
    return found


def id_of(path: Path) -> str:
    """Return the id of the track in a file: the file's name without its endings."""
    base = files.storable(path.name)
    return base[: len(files.base_of(base).removesuffix(".npy"))]


def frames_of(stream: IO[bytes]) -> tuple[NDArray[np.float64], int]:
    """Return the (frames, dimensions) numbers of a track, and how many more frames have a NaN.

    An array of one dimension is one frame. SourceError if there is none.
    """
    array = load_array(stream)
    if array.dtype.kind not in "iuf":
        raise SourceError(f"an array of {array.dtype}, which are no numbers")
    if array.ndim not in (1, 2):
        raise SourceError(
            f"an array of shape {array.shape}; a track is frames x dimensions, or one vector"
        )
    frames = np.atleast_2d(array).astype(np.float64)
    if not frames.size:
        raise SourceError(f"an array of shape {array.shape}: there is no frame in it")
    whole: NDArray[np.float64] = frames[~np.isnan(frames).any(axis=1)]
    if not len(whole):
        raise SourceError(f"each of its {len(frames)} frames has a NaN")
    if np.isinf(whole).any():
        raise SourceError("infinity is not a number")
    return whole, len(frames) - len(whole)


def _mean(stream: IO[bytes], name: str) -> Iterator[Member]:
    frames, left_out = frames_of(stream)
    found = {"mean": frames.mean(axis=0), "left_out": left_out}
    yield Member(name, orjson.dumps(found, option=orjson.OPT_SERIALIZE_NUMPY))


def _plain_path(path: Path) -> str:
    """Return where a file lies, without a compression's ending."""
    folder = files.storable(path.absolute().parent.as_posix())
    return f"{folder}/{id_of(path)}.npy"


def _sets_of(path: str, profile: Profile) -> Iterator[FeatureSet]:
    """Yield the sets whose pattern a path matches."""
    for each in filter(_is_pattern, profile.sets):
        if fnmatchcase(path, f"*/{each.paths[0]}"):
            yield each


def _is_pattern(each: FeatureSet) -> bool:
    return len(each.paths) == 1 and each.paths[0].endswith(".npy")


_READERS = {"npy": _mean}
