#!/usr/bin/env bash
# musicnn 0.1.0: of the 561 filters in the front of its model MSD_musicnn, 492 have no weights.
#
# No weight of theirs is larger than 1e-9, nor are those of five more larger than 1e-6: what they
# answer is the same number for every sound. The other 69 do all the work, so the front can be
# computed by an eighth of the multiplications with the same answers.
#
# Who is hurt: whoever runs the model pays for 561 filters; whoever takes the front's answers as
# features has constants in seven of eight. Nothing is computed wrong. pgsim leaves them out in
# pgsim/audio/musicnn.py.
#
# Source: musicnn/models.py, frontend(): 204 + 204 + 3 * 51 filters, "num_filt=1.6".
# Output seen (2026-11-29): 69 of 561 filters have a weight above 1e-9, 64 of 561 above 1e-6
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
# Without what it asks for, a NumPy of 2019 and TensorFlow: its model is read as a file.
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps musicnn==0.1.0
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.2.6
cat > "$folder/finding.py" <<'PYTHON'
import sys
import sysconfig
from pathlib import Path

import numpy as np

model = Path(sysconfig.get_path("purelib"), "musicnn", "MSD_musicnn")
numbers = (model / ".data-00000-of-00001").read_bytes()
# Where each kernel begins, by the checkpoint's index; its frames, bands and filters.
KERNELS = {
    "conv2d": (81176, 7, 38, 204),
    "conv2d_1": (734792, 7, 67, 204),
    "conv2d_2": (1883516, 128, 1, 51),
    "conv2d_3": (1962464, 64, 1, 51),
    "conv2d_4": (2002244, 32, 1, 51),
}
largest = np.concatenate([
    np.abs(np.frombuffer(numbers, "<f4", frames * bands * filters, begin).reshape(-1, filters))
    .max(axis=0)
    for begin, frames, bands, filters in KERNELS.values()
])
for least in (1e-9, 1e-6):
    print(f"{(largest > least).sum()} of {len(largest)} filters have a weight above {least}")
sys.exit(((largest > 1e-9).sum(), (largest > 1e-6).sum(), len(largest)) != (69, 64, 561))
PYTHON
"$folder/venv/bin/python" "$folder/finding.py"
