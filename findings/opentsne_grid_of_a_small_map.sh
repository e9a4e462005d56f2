#!/usr/bin/env bash
# openTSNE 1.0.4: a small map by the method "fft" takes several times as long with the default grid of
# at least 50 × 50 cells, min_num_intervals=50, as with 20 × 20, and ends no better.
#
# The cost of a step by "fft" is that of the points plus that of the grid. Of 500 points the grid costs
# nearly all, and the Kullback-Leibler divergence at the end is that of the coarser grid.
#
# Who is hurt: whoever chooses "fft" for collections of any size. The default, "auto", takes "bh" for
# fewer than 10,000 points. Cure: min_num_intervals=20. pgsim gives it in pgsim/mapping/layout.py.
#
# Source: the documentation of TSNE calls it "the minimum number of grid cells to use, regardless of
# the ints_in_interval parameter", and says that more are more accurate, but not what they cost.
# Output seen (2026-11-29): 50 cells 6.17 s, divergence 2.57; 20 cells 1.10 s, 2.57, on a busy machine
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    openTSNE==1.0.4 numpy==2.2.6 scipy==1.15.3
cat > "$folder/finding.py" <<'PYTHON'
import sys
import time

import numpy as np
import openTSNE
from openTSNE import TSNEEmbedding
from openTSNE.affinity import Uniform

random = np.random.default_rng(0)
points = random.normal(size=(500, 10))
begin = random.normal(size=(500, 2)) * 1e-4
seconds, divergence = {}, {}
for cells in (50, 20):
    attraction = Uniform(points, k_neighbors=10, method="exact")
    layout = TSNEEmbedding(
        begin, attraction, negative_gradient_method="fft", min_num_intervals=cells, n_jobs=1
    )
    started = time.process_time()
    layout.optimize(60, inplace=True, exaggeration=12, momentum=0.8)
    layout.optimize(140, inplace=True, exaggeration=1, momentum=0.8)
    seconds[cells] = time.process_time() - started
    divergence[cells] = layout.kl_divergence
    print(f"{openTSNE.__version__}: {cells} cells {seconds[cells]:.2f} s, {divergence[cells]:.2f}")
sys.exit(not (seconds[50] > 2 * seconds[20] and divergence[20] < 1.05 * divergence[50]))
PYTHON
"$folder/venv/bin/python" -W ignore "$folder/finding.py"
