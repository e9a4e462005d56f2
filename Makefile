# Two commands on a fresh machine: make demo, make test. Both make .venv first, where it is missing.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed
# Else every process of the tests would compile them anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test test-slow test-crash test-docker test-vm check format docs bench-artists bench-index \
	bench-load bench-engine bench-map bench-matrix bench-query bench-web bench-refresh bench-small bench-trust bench-tables \
	bench-plan report clean

# On a terminal it ends with the address of a page to explore, until Ctrl-C; a script goes on.
demo: $(INSTALLED)
	$(BIN)/pgsim demo
	@if [ -t 1 ]; then $(BIN)/pgsim --database demo serve --as-owner; fi

# make check runs tests/docs. The files go out in their order: the quick ones, in tests/unit, are the
# last, so that all cores end at once.
test: $(INSTALLED)
	$(BIN)/pytest -n auto --dist loadfile --no-loadscope-reorder --ignore tests/docs

# Essentia and librosa have no wheels everywhere: without them the tests of extraction say that they
# skip. So do those of Spark, which is 300 MB, without it or Java. MusiCNN's asks for TensorFlow and an old NumPy, and needs neither. CAMPAIGN_SECONDS=60 shortens the quarter of an hour in which everything works at once.
test-slow: $(INSTALLED)
	-$(BIN)/pip install --quiet --disable-pip-version-check -e '.[audio,librosa]'
	-$(BIN)/pip install --quiet --disable-pip-version-check -e '.[spark]'
	-$(BIN)/pip install --quiet --disable-pip-version-check --no-deps musicnn==0.1.0
	$(BIN)/pytest -m slow

# Every command is killed at random moments, in every way, and has to end right when it runs again.
# A quarter of an hour on two idle cores. CRASH="--seed 7 --trial 23" repeats one kill; CRASH="--kills
# 1000 --only load --by power" asks for others; tests/crash/__main__.py says more.
test-crash: $(INSTALLED)
	$(BIN)/python -m tests.crash $(CRASH)

# DOCKER_WORK names a folder that is kept, for a quicker next run.
test-docker:
	tests/docker/prove.sh $(DOCKER_WORK)

# docker/fire-up.sh on a Debian made by debootstrap; VM_WORK as above.
test-vm:
	tests/docker/prove_vm.sh $(VM_WORK)

# The peers are installed where they can be; RECORDINGS=100000,1000000 for the real thing.
RECORDINGS ?= 100000
bench-matrix: $(INSTALLED)
	-$(BIN)/pip install --quiet --disable-pip-version-check -e '.[bulk]' hnswlib annoy nmslib
	$(BIN)/python -m tests.bench.matrix --recordings $(RECORDINGS) --plot matrix.png

# The compiled loops beside the others, in turn: RECORDINGS=400000,1000000 in half an hour.
bench-engine: $(INSTALLED)
	$(BIN)/python -m tests.bench.engine --recordings $(RECORDINGS)

bench-refresh: $(INSTALLED)
	$(BIN)/python -m tests.bench.refresh --recordings 100000,300000,1000000 \
		--newcomers 10,100,1000,10000 --plot refresh.png

# Half an hour on two idle cores. An older commit is measured beside, from git.
bench-small: $(INSTALLED)
	$(BIN)/python -m tests.bench.small

# A filter that lies far from a seed, or near: RECORDINGS="100000 1000000", half an hour for the latter.
bench-trust: $(INSTALLED)
	$(BIN)/python -m tests.bench.trust --recordings $(RECORDINGS)

bench-index: $(INSTALLED)
	$(BIN)/python -m tests.bench.index --recordings $(RECORDINGS)

# Half an hour: what is foreseen for 500,000 from 50,000, beside what then happens.
bench-plan: $(INSTALLED)
	$(BIN)/python -m tests.bench.plan

# Seven minutes; an archive of the dumps holds 1,000,000. Of 100,000 the start of worker processes is
# a tenth of the time.
DOCUMENTS ?= 300000
bench-load: $(INSTALLED)
	$(BIN)/python -m tests.bench.load --documents $(DOCUMENTS)

# A CSV of a million rows takes five minutes; ROWS=200000 one.
ROWS ?= 1000000
bench-tables: $(INSTALLED)
	$(BIN)/python -m tests.bench.tables --rows $(ROWS)

# RECORDINGS="100000 1000000" tells how each figure grows.
bench-query: $(INSTALLED)
	-$(BIN)/pip install --quiet --disable-pip-version-check -e '.[bulk,plot]' hnswlib annoy h5py redis hiredis
	$(BIN)/python -m tests.bench.query --recordings $(RECORDINGS) --plot bench-query.png

# The map's time and quality: five minutes on two idle cores. MAP="--recordings 1000000" for a large
# one, --steps 100 200 for other numbers of steps.
bench-map: $(INSTALLED)
	$(BIN)/python -m tests.bench.map $(MAP)

# The table of similar artists in docs/explanation/similarity.md, from the genuine songs: two minutes.
bench-artists: $(INSTALLED)
	$(BIN)/python -m tests.bench.artists

# What HTTP costs beside the same questions by SQL: a minute.
bench-web: $(INSTALLED)
	$(BIN)/python -m tests.bench.web

# docs/report: what is missing in its rows is measured. REPORT="--recordings 1000000" for more. The
# libraries are installed where they can be; the others have no rows.
PEERS := hnswlib annoy nmslib pynndescent usearch voyager
report: $(INSTALLED)
	-for peer in $(PEERS); do $(BIN)/pip install --quiet --disable-pip-version-check $$peer; done
	$(BIN)/python -m tests.bench.report $(REPORT)

# tests/docs builds the site with warnings as errors, and runs every block, example and notebook.
check: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/sqlfluff lint --disable-progress-bar --nocolor sql
	$(BIN)/pytest -q -n auto --dist loadgroup tests/docs

# The site, in build/site; its reference pages are written from the code by the tests.
docs: $(INSTALLED)
	PGSIM_GOLDEN=write $(BIN)/pytest -q tests/docs/test_reference.py tests/docs/test_notebook.py
	$(BIN)/mkdocs build --strict

format: $(INSTALLED)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/sqlfluff fix --disable-progress-bar sql

clean:
	rm -rf $(VENV) dist build

$(INSTALLED): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[embedded,bulk,fast,parquet,hdf5,plot,map,rhythm,musicnn,web,docs,dev]'
	touch $@
