"""Where the files of recordings lie for a player, learned from the tracks that were found."""

import mimetypes
import os
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from unicodedata import normalize
from urllib.parse import quote, unquote, urlsplit

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]+:/", re.IGNORECASE)
_DRIVE = re.compile(r"[a-z]:[/\\]", re.IGNORECASE)


def is_url(location: str) -> bool:
    """Return whether a location is a URL, that of a file or another."""
    return bool(_SCHEME.match(location))


def is_absolute(path: str) -> bool:
    """Return whether a path is absolute, on this system or on Windows."""
    return path.startswith(("/", "\\")) or bool(_DRIVE.match(path))


def path_of(location: str) -> str:
    """Return the path of a file's URL, else the location as it is."""
    if not location.lower().startswith("file:/"):
        return location
    path = unquote(urlsplit(location).path, errors="surrogateescape")
    return path[1:] if _DRIVE.match(path[1:]) else path


def as_uri(location: str, folder: Path) -> str:
    """Return the URI of a path, which may be relative to a folder; a URL is one already."""
    if is_url(location):
        return location
    if _DRIVE.match(location):
        return "file:///" + quote(location.replace("\\", "/"), safe="/:", errors="surrogateescape")
    return "file://" + quote(
        os.path.normpath(folder.absolute() / location), errors="surrogateescape"
    )


class Places:
    """The folders in which a playlist has recordings, beside those that the collection names.

    `found` are pairs: the location of a track, and the url or source_id of its recording. What both
    ends have in common is the recording's; what is left at their beginnings is exchanged.
    """

    def __init__(self, found: Iterable[tuple[str, str]]) -> None:
        self._folders: Counter[tuple[str, str]] = Counter()
        for location, own in found:
            theirs, ours = path_of(location).replace("\\", "/"), path_of(own).replace("\\", "/")
            shared = _shared(theirs.split("/"), ours.split("/"))
            if shared:
                self._folders[_without(ours, shared), _without(theirs, shared)] += 1

    def of(self, own: str | None) -> str | None:
        """Return where a recording is by its url or source_id; None where that is not known."""
        if not own:
            return None
        path = path_of(own)
        if is_url(path):
            return path
        kind, _ = mimetypes.guess_type(path)
        if kind is None or not kind.startswith(("audio/", "video/")):
            return None
        for (ours, theirs), _ in self._folders.most_common():
            if path.startswith(ours) and (ours or not is_absolute(path)):
                return theirs + path[len(ours) :]
        return path if is_absolute(path) or not self._folders else None


def _shared(a: list[str], b: list[str]) -> int:
    """Return how many steps two paths share at their ends."""
    for number, (x, y) in enumerate(zip(reversed(a), reversed(b), strict=False)):
        if normalize("NFC", x).casefold() != normalize("NFC", y).casefold():
            return number
    return min(len(a), len(b))


def _without(path: str, steps: int) -> str:
    """Return the beginning of a path without its last steps, up to and with a slash."""
    return "".join(f"{step}/" for step in path.split("/")[:-steps])
