"""The audio files of a folder, for recordings whose own id or URL is a path in it."""

import mimetypes
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response

from pgsim.web.problems import Problem
from pgsim.web.reader import Reader
from pgsim.web.recording import recording_of


def audio_file(folder: Path | None, recording: Mapping[str, Any]) -> Path | None:
    """Return the file of a recording; None for one that is not below the folder, or is no audio."""
    if folder is None:
        return None
    root = folder.resolve()
    for name in (recording["source_id"], _path_of(recording["url"])):
        if not name or "\0" in name:
            continue
        try:
            path = (root / name).resolve()
            if path.is_relative_to(root) and path.is_file() and _media_type(path):
                return path
        except OSError:  # a name that is too long
            continue
    return None


def has_audio(folder: Path | None, recording: Mapping[str, Any]) -> bool:
    """Return whether a recording can be heard: as a file of the folder, or at its URL."""
    return audio_file(folder, recording) is not None or _is_web(recording["url"])


class Audio:
    """Answers requests for the audio of recordings."""

    def __init__(self, reader: Reader, folder: Path | None) -> None:
        self._reader, self._folder = reader, folder

    async def answer(self, request: Request) -> Response:
        """Return a recording's file, or the range of it that is asked for; else lead to its URL."""
        row = await recording_of(self._reader, request.path_params["mbid"])
        path = audio_file(self._folder, row)
        if path is not None:
            return FileResponse(path, media_type=_media_type(path))
        if _is_web(row["url"]):
            return RedirectResponse(row["url"])
        raise Problem(
            HTTPStatus.NOT_FOUND,
            f"there is no audio of recording {row['mbid']}",
            "pgsim serve --audio FOLDER looks for the own id, or the URL, as a path in the folder",
        )


def _media_type(path: Path) -> str | None:
    media_type, _ = mimetypes.guess_type(path.name)
    return media_type if media_type and media_type.startswith("audio/") else None


def _path_of(url: str | None) -> str | None:
    """Return the path of a URL without a host: audio/one.flac, or file:///music/one.flac."""
    if not url:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return unquote(parts.path) if parts.scheme in ("", "file") and not parts.netloc else None


def _is_web(url: str | None) -> bool:
    return bool(url) and str(url).startswith(("http://", "https://"))
