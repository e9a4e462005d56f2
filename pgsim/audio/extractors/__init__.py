"""The extractors, which measure audio: one module each, and the registry that names them."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from pgsim.audio.extractors import essentia, librosa, musicnn, rhythm
from pgsim.errors import UsageError


class Extractor(Protocol):
    """One way to measure audio: an object, or a module with these members.

    `modules` are those that it needs, and `install` is the command that installs them. Its profile
    has the same name.
    """

    name: str
    modules: tuple[str, ...]
    install: str

    def document(self, path: Path) -> dict[str, Any]:
        """Return the measurements of one audio file, under keys that a profile's paths name.

        `metadata` has `audio_properties` (`length` in seconds) and `version`. The document is
        always the same for the same file. ExtractionError if the file cannot be measured.
        """


EXTRACTORS: dict[str, Extractor] = {
    each.name: each for each in (essentia, librosa, rhythm, musicnn)
}


def installed_extractor(name: str) -> Extractor:
    """Return the extractor of that name; UsageError if it is unknown or not installed."""
    if name not in EXTRACTORS:
        raise UsageError(f"unknown extractor '{name}'; known: {', '.join(EXTRACTORS)}")
    extractor = EXTRACTORS[name]
    for module in extractor.modules:
        if find_spec(module) is None:
            raise UsageError(f"{module} is not installed: {extractor.install}")
    return extractor
