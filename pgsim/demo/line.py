"""One shipped line: what the profile reads of a whole document, and the recording's tags."""

import re
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

from pgsim.demo.packages import Package
from pgsim.features.profile import Profile

# Enough for a float32, and half the bytes.
DIGITS = 6
KEPT_TAGS = ("artist", "title", "date", "genre")


def line(
    document: dict[str, Any], mbid: UUID, package: Package, path: str, profile: Profile
) -> dict[str, Any]:
    """The envelope of a recording: MBID, source id, cut-down document, package and licence."""
    cut: dict[str, Any] = {"mbid": str(mbid), "number": 0, "source_id": f"{package.name}/{path}"}
    for feature_set in profile.sets:
        for dotted in feature_set.paths:
            keep(document, cut, dotted.split("."))
    audio = document["metadata"]["audio_properties"]
    cut["metadata"] = {
        "audio_properties": {"length": rounded(audio["length"])},
        "tags": tags(document["metadata"]["tags"], package, path),
        "version": document["metadata"]["version"],
    }
    cut["extra"] = {"package": package.name, "licence": package.licence_of(path)}
    return cut


def keep(document: dict[str, Any], cut: dict[str, Any], keys: list[str]) -> None:
    """Copy the value at a path, where there is one, its numbers rounded."""
    *folders, last = keys
    for key in folders:
        document = document.get(key, {})
        cut = cut.setdefault(key, {})
    if last in document:
        cut[last] = rounded(document[last])


def rounded(value: Any) -> Any:
    """The value with its floats at six significant digits."""
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}")
    if isinstance(value, list):
        return [rounded(each) for each in value]
    return value


def tags(given: dict[str, Any], package: Package, path: str) -> dict[str, list[str]]:
    """The file's own tags; the game as album, and title and artist where the file has none."""
    kept = {
        name: values
        for name, values in given.items()
        if name in KEPT_TAGS or name.startswith("musicbrainz")
    }
    kept["album"] = [package.game]
    artist = package.artist_of(path)
    if "artist" not in kept and artist:
        kept["artist"] = [artist]
    if "title" not in kept:
        kept["title"] = [title(path, artist)]
    return dict(sorted(kept.items()))


def title(path: str, artist: str | None = None) -> str:
    """A title from a file's name, without track number and artist; a song.ogg has its folder's."""
    name = PurePosixPath(path)
    text = name.parent.name if name.stem == "song" else name.stem
    text = text.replace(".-.", " - ").replace("_", " ").strip(" @")
    text = re.sub(r"^\d{1,2}( - |[ .-])\s*(?=\S)", "", text)
    return text.removeprefix(f"{artist} - ")
