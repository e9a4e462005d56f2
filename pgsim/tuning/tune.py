"""Tune a collection: change what its vectors are made of, where that finds more.

Each change is learned on one half of the artists (or other classes) and measured on the other, and
the other way round. What gains is learned once more on all, and written.
"""

import errno
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pgsim.errors import PgsimError, UsageError
from pgsim.features.profile import Profile
from pgsim.features.profile_text import profile_text
from pgsim.loading.recordings import refit
from pgsim.postgres.connection import Connection
from pgsim.progress import Advance, Say, silent, still
from pgsim.store.collection import read_collection
from pgsim.transfer.output import require_free, working_folder
from pgsim.tuning.examples import Examples, read_examples, read_rated, read_triplets
from pgsim.tuning.steps import Step, steps
from pgsim.tuning.trial import State, Trial

LEAST_GROUPS = 20  # artists, or other groups, of fewer than these nothing sure can be learned


@dataclass(frozen=True, slots=True)
class TuneReport:
    """What was learned from `groups` groups, of `classes` classes, and `recordings` recordings.

    `changed` is whether the tuned sets differ from those of the collection, `written` whether they
    were written. `before` and `after` are the precision by similarity and by distance, the skewness
    of the occurrences in others' lists, and the share in nobody's list; `low` and `high` bound the
    gain by similarity. `reason` says why nothing was kept; `across_sets` is whether one map over
    all sets was.
    """

    labels: str
    classes: int
    groups: int
    recordings: int
    steps: list[Step]
    before: dict[str, float]
    after: dict[str, float]
    low: float
    high: float
    changed: bool
    written: bool
    reason: str | None
    sets: list[dict[str, Any]]
    across_sets: bool


def tune(
    conn: Connection,
    *,
    labels: str = "artist",
    triplets: Path | None = None,
    ratings: bool = False,
    across_sets: bool = False,
    dry_run: bool = False,
    profile_output: Path | None = None,
    force: bool = False,
    seed: int = 0,
    say: Say = silent,
    advance: Advance = still,
) -> TuneReport:
    """Learn what finds more of what belongs together, and refit the collection by it.

    With `across_sets` one map over all sets is tried too, in place of those within the sets.
    Nothing is written where nothing gains, and with `dry_run`. The same database and seed give the
    same result. The profile that the collection has then, or would have, is written to
    `profile_output`, a file that must not exist without `force`. PgsimError where it cannot be.
    """
    if profile_output:
        require_free(profile_output, force)
        if not profile_output.parent.is_dir():  # said before the work, not after it
            raise _unwritable(profile_output, os.strerror(errno.ENOENT))
    collection = read_collection(conn)
    profile = collection.profile
    say("reading what belongs together")
    what, examples = _read(conn, profile, labels, triplets, ratings, seed)
    halves = [len(np.unique(examples.drawn(half))) for half in (False, True)]
    if examples.groups < LEAST_GROUPS or not min(halves, default=0):
        _write(profile, profile_output)
        return TuneReport(
            *(what, examples.kinds, examples.groups, len(examples.values), [], {}, {}, 0.0, 0.0),
            changed=False,
            written=False,
            reason=f"only {examples.groups} groups have anything to find: {_lacking(what)};"
            f" at least {LEAST_GROUPS} are needed",
            sets=[],
            across_sets=False,
        )
    trial = Trial(examples, profile, seed)
    there = [
        each
        for each in profile.sets
        if collection.fit is None or each.name in collection.fit.fitted
    ]
    start = state = State.of(profile)
    tried = []
    for step, after in steps(trial, there, start, across_sets=across_sets):
        state = after
        tried.append(step)
        verb = "kept" if step.kept else "not kept"
        say(f"{step.sets}: {step.change}: {step.before:.4f} to {step.after:.4f}, {verb}")
    total = trial.gain(start, state)
    is_better = state != start and total.low > 0
    tuned = trial.tuned(state) if is_better else profile
    # A collection that was tuned before is compared by what it is made of.
    changed = tuned != profile
    written = changed and not dry_run
    if written:
        refit(conn, advance, say, profile=tuned)
    _write(tuned, profile_output)
    return TuneReport(
        *(what, examples.kinds, examples.groups, len(examples.values), tried),
        trial.summary(start),
        trial.summary(state if is_better else start),
        *(total.low, total.high) if is_better else (0.0, 0.0),
        changed=changed,
        written=written,
        reason=_reason(is_better, changed),
        sets=[
            {
                "name": each.name,
                "transform": each.transform,
                "weight": each.weight,
                "has_map": each.map is not None,
            }
            for each in tuned.sets
        ],
        across_sets=tuned.map is not None,
    )


def _read(
    conn: Connection, profile: Profile, labels: str, triplets: Path | None, ratings: bool, seed: int
) -> tuple[str, Examples]:
    """Return what says what belongs together, by its name, and the examples of it."""
    if ratings and triplets:
        raise UsageError("`triplets` or `ratings`, not both: each says what belongs together")
    if ratings:
        return "ratings", read_rated(conn, profile, seed)
    if triplets:
        return "triplets", read_triplets(conn, profile, triplets, seed)
    return labels, read_examples(conn, profile, labels, seed)


def _write(profile: Profile, path: Path | None) -> None:
    if path is None:
        return
    try:
        with working_folder(path) as folder:
            whole = folder / path.name
            whole.write_text(profile_text(profile), encoding="utf-8")
            whole.replace(path)
    except OSError as error:
        raise _unwritable(path, error.strerror) from None


def _unwritable(path: Path, reason: str | None) -> PgsimError:
    return PgsimError(f"cannot write {path}: {reason}")


def _reason(is_better: bool, changed: bool) -> str | None:
    if changed:
        return None
    return (
        "the collection is tuned like this already"
        if is_better
        else "no change gains on recordings that it was not learned from"
    )


def _lacking(what: str) -> str:
    return {
        "artist": "artists with recordings of two albums, or of unknown ones",
        "genre": "artists whose genre another artist has too",
        "mbid": "MBIDs with two submissions that differ",
        "ratings": "seeds, to each of which a person likes one answer and dislikes another",
    }.get(what, "recordings a, each of which is nearer to one than to another")
