#!/usr/bin/env bash
# nmslib 2.1.2 (wheel from PyPI): after USearch 2.26.6 was imported, it reads its parameters as empty.
#
# createIndex({"M": 16}) then raises "Failed to convert value '' from type: m". Imported the other way
# round, or alone, both work.
#
# Who is hurt: whoever compares libraries in one process, as benchmarks do. The order of two imports,
# perhaps in other modules, decides. Cure: import nmslib first, or give each library a process of its
# own. pgsim's benchmarks do the latter (tests/bench/peers).
#
# Source: the README of nmslib gives createIndex({'post': 2}) as its first example.
# Output seen (2026-11-29): usearch first: RuntimeError: Failed to convert value '' from type: m
#                           nmslib first: built
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    usearch==2.26.6 nmslib==2.1.2 numpy==2.2.6
cat > "$folder/finding.py" <<'PYTHON'
import importlib
import sys

for name in sys.argv[1:]:
    importlib.import_module(name)

import nmslib
import numpy as np

index = nmslib.init(method="hnsw", space="l2")
index.addDataPointBatch(np.eye(100, 16, dtype=np.float32))
try:
    index.createIndex({"M": 16})
    print("built")
except RuntimeError as error:
    print(f"RuntimeError: {error}")
PYTHON
"$folder/venv/bin/pip" list --disable-pip-version-check 2>/dev/null | grep -E "nmslib|usearch"
for order in "usearch.index nmslib" "nmslib usearch.index"; do
    # shellcheck disable=SC2086
    echo "$order: $("$folder/venv/bin/python" "$folder/finding.py" $order 2>/dev/null)"
done | tee "$folder/seen"
grep -q "^usearch.index nmslib: RuntimeError: Failed to convert value '' from type: m$" "$folder/seen"
grep -q "^nmslib usearch.index: built$" "$folder/seen"
