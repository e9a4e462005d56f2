#!/usr/bin/env bash
# soundfile 0.13.1 (libsndfile 1.2.2): SoundFile.blocks() returns more samples than an MP3 holds.
#
# An MP3 without a Xing or Info header has no stated length, so libsndfile estimates one from the
# size of the file, a picture in its ID3v2 tag included. blocks() returns blocks until that estimate
# is used up. When the sound has ended, it returns its buffer again: the last second of sound, over
# and over. read() in a loop ends where the sound ends.
#
# Who is hurt: whoever measures a music file block by block gets features of a longer recording
# whose end is repeated. Cure: read(n) in a loop until it returns nothing.
#
# Source: SoundFile.blocks in python-soundfile; libsndfile's MPEG decoder states the estimated length.
# Output seen: read() 20.0 s, blocks() 35.1 s, the surplus as loud as the last sound: True
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    soundfile==0.13.1 mutagen==1.47.0 numpy==2.2.6
cat > "$folder/finding.py" <<'PYTHON'
import sys

import numpy as np
import soundfile
from mutagen.id3 import APIC, ID3

RATE, path = 44100, sys.argv[1]
time = np.arange(20 * RATE) / RATE
sound = (0.3 * np.sin(2 * np.pi * 440 * time)).astype("float32")
soundfile.write(path, sound, RATE, bitrate_mode="CONSTANT", compression_level=0.6)

# The first frame holds the Info header alone; its length follows from its bit rate.
with open(path, "rb") as file:
    data = file.read()
rates = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
first = 144 * rates[data[2] >> 4] * 1000 // RATE + (data[2] >> 1 & 1)
assert b"Info" in data[:first]
with open(path, "wb") as file:
    file.write(data[first:])
tag = ID3()
tag.add(APIC(encoding=0, mime="image/jpeg", type=3, desc="", data=bytes(300_000)))
tag.save(path)

with soundfile.SoundFile(path) as file:
    blocks = np.concatenate([block.copy() for block in file.blocks(65536)])
with soundfile.SoundFile(path) as file:
    read = 0
    while block := len(file.read(65536)):
        read += block
loud = float(np.sqrt((blocks[read:] ** 2).mean())) > 0.2
print(soundfile.__version__, soundfile.__libsndfile_version__)
print(f"read() {read / RATE:.1f} s, blocks() {len(blocks) / RATE:.1f} s,", end=" ")
print(f"the surplus as loud as the last sound: {loud}")
sys.exit(not (abs(read / RATE - 20) < 0.1 and len(blocks) > 1.5 * read and loud))
PYTHON
"$folder/venv/bin/python" "$folder/finding.py" "$folder/sound.mp3"
