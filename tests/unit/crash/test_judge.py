"""What the judge of crashes sees of two outcomes."""

import pytest

from tests.crash.judge import difference


def test_equal_outcomes_do_not_differ() -> None:
    assert difference({"rows": [1, 2], "lists": 3}, {"rows": [1, 2], "lists": 3}) == ""


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ({"rows": [1, 2], "lists": 4}, "lists: 4 instead of 3"),
        ({"rows": [1], "lists": 3}, "rows: 1 instead of 2: [] instead of [2]"),
        ({"rows": [1, 5], "lists": 3}, "rows: [5] instead of [2]"),
        ({"lists": 3}, "rows: None instead of [1, 2]"),
        ({"rows": [1, 2], "lists": 3, "file a": "x"}, "file a: 'x' instead of None"),
    ],
)
def test_the_first_difference_is_told(found: dict[str, object], told: str) -> None:
    assert difference(found, {"rows": [1, 2], "lists": 3}) == told


def test_the_order_of_rows_counts() -> None:
    assert difference({"rows": [2, 1]}, {"rows": [1, 2]}) == "rows: [2] instead of [1]"
