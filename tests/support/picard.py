"""Tags that MusicBrainz Picard writes, by its own classes: Debian's package picard."""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

_PYTHON = Path("/usr/bin/python3")  # Debian's, which has PyQt5
_HOME = Path("/usr/lib/picard")
_PROGRAM = """
import json, sys
from unittest.mock import MagicMock

sys.path.insert(0, sys.argv[1])
from PyQt5 import QtCore

app = QtCore.QCoreApplication([])
QtCore.QObject.tagger = MagicMock()  # Picard's window, which saving a file has no need of
from picard.config import get_config, setup_config

setup_config(app, sys.argv[2] + ".ini")
import picard.formats
import picard.ui.options.ratings
import picard.ui.options.tags
import picard.ui.options.tags_compatibility_aac
import picard.ui.options.tags_compatibility_id3
import picard.ui.options.tags_compatibility_wave
from picard.metadata import Metadata

given = json.load(sys.stdin)
for name, value in given["settings"].items():
    get_config().setting[name] = value
metadata = Metadata()
for name, value in given["tags"].items():
    metadata[name] = value
picard.formats.open_(sys.argv[2])._save(sys.argv[2], metadata)
"""


def tag(path: Path, tags: Mapping[str, Any], **settings: Any) -> None:
    """Tag a file as Picard does with these settings; skip the test where it is not installed."""
    if not (_HOME / "picard").is_dir():
        pytest.skip("Picard is not installed: Debian's package picard")
    subprocess.run(
        [_PYTHON, "-c", _PROGRAM, _HOME, path],
        input=json.dumps({"settings": settings, "tags": tags}).encode(),
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "XDG_RUNTIME_DIR": str(path.parent)},
        check=True,
        capture_output=True,
    )
