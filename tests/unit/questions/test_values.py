"""Arguments of a question, as Python gives them."""

from typing import Any
from uuid import UUID

import numpy as np
import pytest
from pgvector import Vector

from pgsim.errors import UsageError
from pgsim.questions.values import json_of, mbid_of, mbids_of, vector_of

MBID = UUID("b5f6c0a0-5472-58d3-911d-9bc10dbc8b5e")


def test_an_mbid_is_a_uuid_or_its_text() -> None:
    assert mbid_of(MBID) == mbid_of(str(MBID)) == mbid_of(str(MBID).upper()) == MBID
    assert mbids_of([MBID, str(MBID)]) == [MBID, MBID]
    assert mbids_of(MBID) == mbids_of(str(MBID)) == [MBID]  # not its characters
    assert mbids_of(iter([])) == []
    wrong: Any
    for wrong in ("x", "", 5, None):
        with pytest.raises(UsageError, match=f"'{wrong}' is not an MBID: 36 characters"):
            mbid_of(wrong)


@pytest.mark.parametrize(
    "numbers",
    [[1, 2.5], (1.0, 2.5), np.array([1, 2.5]), np.array([1, 2.5], np.float16), Vector([1, 2.5])],
    ids=lambda value: type(value).__name__,
)
def test_a_vector_is_any_row_of_numbers(numbers: Any) -> None:
    assert vector_of(numbers).to_list() == [1, 2.5]


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ("abc", "'abc' is not a vector: give a sequence of numbers"),
        ([[1.0]], r"an array of shape \(1, 1\) is not a vector: give one row, \(dimensions,\)"),
        (5, r"an array of shape \(\) is not a vector"),
        ([1, [2]], "is not a vector: give a sequence of numbers"),
        ([1.0, float("nan")], "the vector has a value that is not finite"),
    ],
)
def test_what_is_no_vector_is_refused_by_name(numbers: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        vector_of(numbers)


def test_weights_are_a_mapping_to_finite_numbers() -> None:
    assert json_of({"bpm": np.float64(0.5), "key": 2}).obj == {"bpm": 0.5, "key": 2}
    wrong: Any
    for wrong, said in (
        ('{"bpm": 1}', '`weights` is .*, but must be like {"moods": 2}'),
        ({"bpm": float("inf")}, "weight bpm is inf, but must be a finite number"),
    ):
        with pytest.raises(UsageError, match=said):
            json_of(wrong)
