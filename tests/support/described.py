"""Columns of small tables, and what is proposed for them."""

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np

from pgsim.features.profile import Profile, read_profile
from pgsim.sources.description.proposal import propose_profile
from pgsim.sources.submission import Submission
from pgsim.sources.tables import members, submission

ROWS = 24


def numbers(seed: int) -> list[str]:
    """Features of as many recordings."""
    return [f"{value:.3f}" for value in np.random.default_rng(seed).random(ROWS)]


def uuids(seed: int, different: int = ROWS) -> list[str]:
    words = np.random.default_rng(seed).integers(0, 2**32, (different, 4)).astype(">u4")
    made = [str(UUID(bytes=row.tobytes(), version=4)) for row in words]
    return [made[at % different] for at in range(ROWS)]


def texts(form: str) -> list[str]:
    return [form.format(at) for at in range(ROWS)]


Table = Callable[..., Path]
ENERGY = {"energy": numbers(1), "valence": numbers(2)}


def proposed(path: Path) -> Profile:
    """The profile that is proposed for a table: it is the same each time, and `init` reads it."""
    text = propose_profile(path)
    assert propose_profile(path) == text
    (path.parent / "proposed.toml").write_text(text, encoding="utf-8")
    return read_profile(str(path.parent / "proposed.toml"))


def columns(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads(propose_profile(path))["columns"]
    return found


def features(path: Path) -> list[str]:
    """The columns that are features."""
    return [name for each in proposed(path).sets for name in each.paths]


def loaded(path: Path) -> list[Submission]:
    """The submissions of all rows, by the proposed profile."""
    profile = proposed(path)
    return [submission(member, profile) for member in members(path)]
