"""The arguments of a question, from the types of Python to those of SQL."""

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from pgvector import Vector
from psycopg.types.json import Jsonb

from pgsim.errors import UsageError
from pgsim.questions.words import Mbid, Mbids

_MBID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")

Numbers = Sequence[float] | NDArray[np.floating[Any]] | NDArray[np.integer[Any]]


def mbid_of(value: Mbid) -> UUID:
    """Return an MBID given as a UUID or as text; UsageError for a text that is none."""
    try:
        return value if isinstance(value, UUID) else UUID(str(value))
    except ValueError:
        raise UsageError(
            f"'{value}' is not an MBID: 36 characters, as in a MusicBrainz URL"
        ) from None


def is_mbid(text: str) -> bool:
    """Return whether a text is an MBID as written; other forms of a UUID can be own ids, too."""
    return bool(_MBID.fullmatch(text))


def mbids_of(values: Mbids) -> list[UUID]:
    """Return MBIDs; one alone is a list of one."""
    return [mbid_of(each) for each in ([values] if isinstance(values, UUID | str) else values)]


def vector_of(numbers: Numbers | Vector) -> Vector:
    """Return (dimensions,) numbers as pgvector's type; UsageError for anything else."""
    if isinstance(numbers, Vector):
        return numbers
    try:
        values = np.asarray(numbers, np.float32)
    except (TypeError, ValueError):
        raise UsageError(f"{numbers!r:.80} is not a vector: give a sequence of numbers") from None
    if values.ndim != 1:
        raise UsageError(
            f"an array of shape {values.shape} is not a vector: give one row, (dimensions,)"
        )
    if not np.isfinite(values).all():
        raise UsageError("the vector has a value that is not finite: give finite numbers")
    return Vector(values)


def json_of(weights: Mapping[str, float]) -> Jsonb:
    """Return weights as JSON; UsageError for what is no mapping to finite numbers."""
    if not isinstance(weights, Mapping):
        raise UsageError(f'`weights` is {weights!r:.80}, but must be like {{"moods": 2}}')
    for name, value in weights.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise UsageError(f"weight {name} is {value}, but must be a finite number")
    return Jsonb(dict(weights), dumps=lambda each: json.dumps(each, default=float))


# By the type of the argument in SQL; values of other types go as they are.
CONVERTERS: Mapping[str, Callable[[Any], Any]] = {
    "uuid": mbid_of,
    "uuid[]": mbids_of,
    "vector": vector_of,
    "jsonb": json_of,
}
