"""Essentia's MusicExtractor: the low-level documents that AcousticBrainz's own look like.

Essentia is under the AGPL-3.0: it is imported here alone, by the processes that analyse audio.
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
    """The low-level document of one audio file, as MusicExtractor writes it.

    The same file always gives the same document. Silent frames are dropped: Essentia otherwise
    fills them with noise.
    Raises ExtractionError for silence, for what is not audio and for `.opus`, which Essentia
    cannot read.
    """
    if path.suffix.lower() == ".opus":
        raise ExtractionError("Essentia reads no .opus; convert it to .ogg")
    standard = _essentia()
    # The beat tracker draws noise from the C library's rand(), wherever that stands.
    ctypes.CDLL(None).srand(1)
    # A new extractor for each file: one that has met a file which cancels out in mono analyses
    # the left channel only, of that file and of every file after it.
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
    """Essentia's algorithms, its own chatter turned off before they load."""
    import essentia

    essentia.log.infoActive = False
    essentia.log.warningActive = False
    import essentia.standard

    return essentia.standard
