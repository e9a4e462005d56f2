"""Arguments of Python as options of the command line."""

import pytest

from pgsim.cli.wording import with_options


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("m.csv exists: `force=True` replaces it", "m.csv exists: --force replaces it"),
        ("`same_genre` cannot go with `worst`", "--same-genre cannot go with --worst"),
        ("`k` is 0", "-k is 0"),
        ('under `if __name__ == "__main__"`', 'under `if __name__ == "__main__"`'),
        ("no engine `Exact`, and a ` alone", "no engine `Exact`, and a ` alone"),
    ],
)
def test_an_argument_in_backticks_is_shown_as_its_option(text: str, shown: str) -> None:
    assert with_options(text) == shown
