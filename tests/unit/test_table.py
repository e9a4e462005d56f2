"""Plain-text tables: aligned, within the width, a line a row."""

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from pgsim.table import text_table


def test_numbers_stand_to_the_right_and_long_texts_are_cut() -> None:
    rows = [
        (1, 0.75091, "Björk", "永" * 50),
        (2, 0.4653, None, "two\nlines"),
        (10, None, "🎵 duo", "1979"),
    ]
    text = text_table(("rank", "similarity", "artist", "title"), rows, 48)
    lines = text.splitlines()
    assert lines[0].split() == ["rank", "similarity", "artist", "title"]
    assert lines[2].startswith("    1       0.7509   Björk")
    assert lines[2].endswith("…")
    assert lines[3].endswith("two lines")  # no row breaks
    assert lines[4].endswith("1979")
    assert lines[4].startswith("   10                🎵 duo")


def test_without_rows_there_is_a_head() -> None:
    assert text_table(("a", "bc"), [], 80) == " a   bc\n ──────"


@given(
    st.lists(st.tuples(st.text(max_size=60), st.integers(-9, 9), st.text(max_size=60)), max_size=4),
    st.integers(40, 120),
)
def test_whatever_the_texts_are_no_line_is_wider(
    rows: list[tuple[str, int, str]], width: int
) -> None:
    lines = text_table(("a", "n", "b"), rows, width).split("\n")
    assert len(lines) == 2 + len(rows)
    assert max(map(cell_len, lines)) <= width
