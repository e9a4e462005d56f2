"""What measures audio: one module an extractor, and the one registry that names them."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from pgsim.audio.extractors import essentia, librosa, rhythm
from pgsim.errors import UsageError


class Extractor(Protocol):
    """One way to measure audio; a module can be one. Its profile bears its name."""

    name: str
    modules: tuple[str, ...]
    extra: str

    def document(self, path: Path) -> dict[str, Any]:
        """Measurements of one audio file under keys that a profile's paths name.

        With `metadata`: `audio_properties` (`length` in seconds) and `version`. The same file
        always gives the same document. Raises ExtractionError with the reason.
        """


EXTRACTORS: dict[str, Extractor] = {each.name: each for each in (essentia, librosa, rhythm)}


def installed_extractor(name: str) -> Extractor:
    """The extractor of that name; UsageError where it is unknown or what it needs is missing."""
    if name not in EXTRACTORS:
        raise UsageError(f"unknown extractor '{name}'; known: {', '.join(EXTRACTORS)}")
    extractor = EXTRACTORS[name]
    for module in extractor.modules:
        if find_spec(module) is None:
            raise UsageError(f"{module} is not installed: pip install 'pgsim[{extractor.extra}]'")
    return extractor
