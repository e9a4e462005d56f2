"""Released revisions never change: databases have run them already."""

from pgsim.store.files import newest_revision, revision_of
from tests.support.freeze import FROZEN, changed, frozen, hashes, revision_files


def test_a_released_revision_is_as_it_was_released() -> None:
    assert not changed(), (
        "these files of alembic/versions were released, and databases have run them: undo the"
        " change, and write a new revision for it. Before the release, python -m"
        " tests.support.freeze --again freezes them anew"
    )


def test_the_first_revision_is_frozen() -> None:
    assert {"0001_baseline.py", "0001_baseline.sql"} <= frozen().keys()


def test_the_hashes_are_in_the_order_of_the_revisions() -> None:
    assert list(frozen()) == sorted(frozen())
    assert FROZEN.read_text().splitlines() == [
        f"{digest}  {name}" for name, digest in frozen().items()
    ]


def test_every_file_of_a_revision_is_named_for_it_and_has_a_known_kind() -> None:
    assert list(hashes()) == [path.name for path in revision_files()]
    for path in revision_files():
        assert revision_of(path).isdigit()
        assert revision_of(path) <= newest_revision()
        assert path.suffixes in ([".py"], [".sql"], [".before", ".sql"], [".after", ".sql"])
