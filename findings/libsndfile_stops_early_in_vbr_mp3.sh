#!/usr/bin/env bash
# libsndfile 1.2.2 (in soundfile 0.13.1): of a variable-bit-rate MP3 without a Xing header it decodes
# only the beginning, without an error.
#
# Such a file has no stated length. libsndfile estimates it from the bit rate of the first frame and
# ends there: a file of 20 s that begins with a frame of a high bit rate is 2.9 s long to it.
# FFmpeg (PyAV 18.1.0) decodes all of it. mutagen states the same short length.
#
# Who is hurt: whoever measures music through soundfile, or through librosa.load, which calls it. A
# recording is judged by its first seconds, and its length is stored wrong.
# Cure: decode with FFmpeg where an MP3 has no Xing, Info or VBRI header.
#
# Output seen: soundfile 2.9 s, mutagen 2.9 s, FFmpeg 20.0 s
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    soundfile==0.13.1 mutagen==1.47.0 numpy==2.2.6 av==18.1.0
cat > "$folder/finding.py" <<'PYTHON'
import sys

import av
import mutagen
import numpy as np
import soundfile

RATE, path = 44100, sys.argv[1]
time = np.arange(20 * RATE) / RATE
sound = (0.3 * np.sin(2 * np.pi * 440 * time)).astype("float32")
soundfile.write(path, sound, RATE)  # variable bit rate, with a Xing header in its first frame

with open(path, "rb") as file:
    data = file.read()
rates = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
first = 144 * rates[data[2] >> 4] * 1000 // RATE + (data[2] >> 1 & 1)
assert b"Xing" in data[:first]
with open(path, "wb") as file:
    file.write(data[first:])

by_soundfile = len(soundfile.read(path)[0]) / RATE
by_mutagen = mutagen.File(path).info.length
with av.open(path) as container:
    by_ffmpeg = sum(frame.samples for frame in container.decode(audio=0)) / RATE
print(soundfile.__version__, soundfile.__libsndfile_version__, av.__version__)
print(f"soundfile {by_soundfile:.1f} s, mutagen {by_mutagen:.1f} s, FFmpeg {by_ffmpeg:.1f} s")
sys.exit(not (by_soundfile < 10 and by_mutagen < 10 and abs(by_ffmpeg - 20) < 0.1))
PYTHON
"$folder/venv/bin/python" "$folder/finding.py" "$folder/sound.mp3"
