"""The audio that a document measures: its identity, and the name of its file."""

import hashlib
import json
import re
from typing import Any

from pgsim.sources.text import Repairs

_MD5 = re.compile("[0-9a-f]{32}")
_MD5_OF_NOTHING = hashlib.md5(usedforsecurity=False).hexdigest()


def audio_id(document: dict[str, Any]) -> str:
    """Return the MD5 of the encoded audio, which Essentia writes down; else of the document.

    That of the audio does not depend on tags or names, and is the same in the low-level and the
    high-level document of one recording. That of a document does not depend on the order of keys.
    """
    audio = _value(document, "metadata", "audio_properties", "md5_encoded")
    if isinstance(audio, str) and _MD5.fullmatch(audio) and audio != _MD5_OF_NOTHING:
        return audio
    data = json.dumps(document, sort_keys=True).encode()
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def file_name(document: dict[str, Any]) -> str:
    """Return the name of the audio file, without folders; nothing if it is not known."""
    name = _value(document, "metadata", "tags", "file_name")
    if isinstance(name, list) and name:
        name = name[0]
    return Repairs().text(name) if isinstance(name, str) else ""


def _value(table: Any, *keys: str) -> Any:
    for key in keys:
        table = table.get(key) if isinstance(table, dict) else None
    return table
