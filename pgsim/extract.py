"""Audio files become low-level documents: Essentia's MusicExtractor, in worker processes.

Needs the extra `pgsim[audio]`; nothing else in pgsim imports this module.
"""

import ctypes
import json
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pgsim.errors import PgsimError, UsageError


class ExtractionError(PgsimError):
    """An audio file that Essentia cannot analyse; the message names it and the reason."""


def extract_document(path: Path) -> dict[str, Any]:
    """The low-level document of one audio file, as MusicExtractor writes it.

    The same file always gives the same document. Silent frames are dropped: Essentia otherwise
    fills them with noise.
    Raises ExtractionError for silence, for what is not audio and for `.opus`, which Essentia
    cannot read; UsageError where Essentia is not installed.
    """
    if path.suffix.lower() == ".opus":
        raise ExtractionError(f"cannot analyse {path}: Essentia reads no .opus; convert it to .ogg")
    essentia = _essentia()
    # The beat tracker draws noise from the C library's rand(), wherever that stands.
    ctypes.CDLL(None).srand(1)
    # A new extractor for each file: one that has met a file which cancels out in mono analyses
    # the left channel only, of that file and of every file after it.
    extractor = essentia.MusicExtractor(lowlevelSilentFrames="drop", tonalSilentFrames="drop")
    with TemporaryDirectory() as folder:
        written = Path(folder) / "document.json"
        try:
            pool, _ = extractor(str(path))
            essentia.YamlOutput(filename=str(written), format="json", writeVersion=False)(pool)
        except RuntimeError as error:
            reason = " ".join(str(error).split())
            raise ExtractionError(f"cannot analyse {path}: {reason}") from None
        # Tags can hold bytes of another encoding.
        document: dict[str, Any] = json.loads(written.read_text("utf-8", errors="replace"))
    return document


def extract_documents(
    paths: Iterable[Path], workers: int
) -> Iterator[tuple[Path, dict[str, Any] | ExtractionError]]:
    """The documents of many files, or why there is none, as worker processes finish them."""
    with ProcessPoolExecutor(workers) as pool:
        waiting = {pool.submit(extract_document, path): path for path in paths}
        try:
            for done in as_completed(waiting):
                try:
                    yield waiting[done], done.result()
                except ExtractionError as error:
                    yield waiting[done], error
                except BrokenProcessPool:
                    raise PgsimError(
                        "a worker process died, perhaps of too little memory; try fewer workers"
                    ) from None
        finally:
            pool.shutdown(cancel_futures=True)


def _essentia() -> Any:
    """Essentia's algorithms, its own chatter turned off before they load."""
    try:
        import essentia

        essentia.log.infoActive = False
        essentia.log.warningActive = False
        import essentia.standard
    except ModuleNotFoundError:
        raise UsageError("Essentia is not installed: pip install 'pgsim[audio]'") from None
    return essentia.standard
