"""Essentia's MusicExtractor, whose low-level documents look like AcousticBrainz's.

Essentia is under the AGPL-3.0. Only this module imports it, in the processes that measure audio.
"""

import ctypes
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pgsim.audio.files import ExtractionError, too_short

name = "essentia"
modules = ("essentia", "mutagen")
install = "pip install 'pgsim[audio]'"

SHORTEST = 1.0  # seconds: there is no tempo in less
# Essentia decodes these files by their content, but asks their names which tags they may have.
_NAMED = {".aac": ".mp3"}
# What its errors say of a kind of file that it does not know, and of some files of Musepack.
_UNKNOWN_KIND = ("MetadataReader: File does not exist", "Unsupported codec", "phantom size")


def document(path: Path) -> dict[str, Any]:
    """Return the low-level document of one audio file, as MusicExtractor writes it.

    The document is always the same for the same file. Silent frames are dropped, since Essentia
    would fill them with noise. ExtractionError for silence, for less than a second, for a file that
    is not audio, and for Opus, which Essentia cannot read.
    """
    if _is_opus(path):
        raise ExtractionError(
            "Essentia reads no Opus: convert it to .flac, or: pgsim extract --extractor librosa"
        )
    standard = _essentia()
    # The beat tracker takes noise from the C library's rand(), which goes on from file to file.
    ctypes.CDLL(None).srand(1)
    # A new extractor for each file: after a file whose channels cancel each other in mono, an
    # extractor analyses only the left channel, of that file and of all later ones.
    extractor = standard.MusicExtractor(lowlevelSilentFrames="drop", tonalSilentFrames="drop")
    with TemporaryDirectory() as folder:
        written = Path(folder, "document.json")
        suffix = path.suffix.lower()
        audio = Path(folder, f"audio{_NAMED.get(suffix, suffix)}")
        audio.symlink_to(path.absolute())  # a path in UTF-8, whatever the file's own is
        try:
            pool, _ = extractor(str(audio))
            standard.YamlOutput(filename=str(written), format="json", writeVersion=False)(pool)
        except RuntimeError as error:
            reason = " ".join(str(error).split())
            if any(each in reason for each in _UNKNOWN_KIND):
                reason = (
                    f"Essentia reads no such {suffix or 'file'}: convert it to .flac ({reason})"
                )
            raise ExtractionError(reason) from None
        # Tags can hold bytes of another encoding.
        found: dict[str, Any] = json.loads(written.read_text("utf-8", errors="replace"))
    length = found["metadata"]["audio_properties"]["length"]
    if length < SHORTEST:
        raise too_short(length, SHORTEST)
    return found


def _is_opus(path: Path) -> bool:
    """Return whether a file's first page of Ogg begins a stream of Opus."""
    with path.open("rb") as file:
        return file.read(36)[28:] == b"OpusHead"


def _essentia() -> Any:
    """Return Essentia's algorithms, with its messages turned off before they are loaded."""
    import essentia

    essentia.log.infoActive = False
    essentia.log.warningActive = False
    import essentia.standard

    return essentia.standard
