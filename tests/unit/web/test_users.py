"""The secret that keys are made from."""

from pathlib import Path

import pytest

from pgsim.errors import PgsimError
from pgsim.web.users import key_of, make_secret, read_secret


def test_a_secret_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "below" / "web.secret"
    secret = make_secret(path)
    assert make_secret(path) == read_secret(path) == secret
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_secret_that_others_can_read_or_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "web.secret"
    with pytest.raises(PgsimError, match="pgsim user add makes it"):
        read_secret(path)
    make_secret(path)
    path.chmod(0o644)
    with pytest.raises(PgsimError, match="others can read"):
        read_secret(path)
    path.chmod(0o600)
    path.write_text("short\n")
    with pytest.raises(PgsimError, match="64 hexadecimal digits"):
        read_secret(path)


def test_a_key_depends_on_the_secret_the_name_and_the_salt() -> None:
    one = key_of(b"s" * 32, "anna", b"1" * 16)
    assert one == key_of(b"s" * 32, "anna", b"1" * 16)
    others = {
        key_of(b"t" * 32, "anna", b"1" * 16),
        key_of(b"s" * 32, "berta", b"1" * 16),
        key_of(b"s" * 32, "anna", b"2" * 16),
    }
    assert len(others | {one}) == 4
