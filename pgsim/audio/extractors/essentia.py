"""Essentia's MusicExtractor, whose low-level documents look like AcousticBrainz's.

Essentia is under the AGPL-3.0. Only this module imports it, in the processes that measure audio.
"""

import ctypes
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pgsim.audio.files import ExtractionError

name = "essentia"
modules = ("essentia", "mutagen")
extra = "audio"


def document(path: Path) -> dict[str, Any]:
    """Return the low-level document of one audio file, as MusicExtractor writes it.

    The document is always the same for the same file. Silent frames are dropped, since Essentia
    would fill them with noise. ExtractionError for silence, for a file that is not audio, and for
    `.opus`, which Essentia cannot read.
    """
    if path.suffix.lower() == ".opus":
        raise ExtractionError("Essentia cannot read .opus; convert it to .ogg")
    standard = _essentia()
    # The beat tracker takes noise from the C library's rand(), which goes on from file to file.
    ctypes.CDLL(None).srand(1)
    # A new extractor for each file: after a file whose channels cancel each other in mono, an
    # extractor analyses only the left channel, of that file and of all later ones.
    extractor = standard.MusicExtractor(lowlevelSilentFrames="drop", tonalSilentFrames="drop")
    with TemporaryDirectory() as folder:
        written = Path(folder) / "document.json"
        try:
            pool, _ = extractor(str(path))
            standard.YamlOutput(filename=str(written), format="json", writeVersion=False)(pool)
        except RuntimeError as error:
            raise ExtractionError(" ".join(str(error).split())) from None
        # Tags can hold bytes of another encoding.
        found: dict[str, Any] = json.loads(written.read_text("utf-8", errors="replace"))
    return found


def _essentia() -> Any:
    """Return Essentia's algorithms, with its messages turned off before they are loaded."""
    import essentia

    essentia.log.infoActive = False
    essentia.log.warningActive = False
    import essentia.standard

    return essentia.standard
