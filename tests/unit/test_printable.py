"""What comes from a tag or a name cannot control the terminal of whoever reads it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgsim.cli.common import print_json, put, say
from pgsim.printable import escaped, one_line, printable


def test_escapes_and_turned_text_are_taken_out_and_letters_stay() -> None:
    assert printable("a\x1b[31mb\x9b2Jc\x07\x7f") == "a [31mb 2Jc  "
    assert printable("live\u202egnp.exe\u2069") == "live gnp.exe "
    assert printable("Ünïcôdé 永 🎵 שלום\u200f\n\ttwo") == "Ünïcôdé 永 🎵 שלום\u200f\n\ttwo"
    assert one_line("two\nlines\tand a tab") == "two lines and a tab"


@given(st.text())
def test_a_line_has_the_length_of_its_text_and_nothing_that_is_no_letter(text: str) -> None:
    assert len(one_line(text)) == len(text)
    assert all(each >= " " and not "\x7f" <= each <= "\x9f" for each in one_line(text))


def test_every_line_for_a_person_is_printable(capsys: pytest.CaptureFixture[str]) -> None:
    say("on\x1b[31m red\nand more")
    put("here\x9b1m too")
    said = capsys.readouterr()
    assert (said.err, said.out) == ("on [31m red and more\n", "here 1m too\n")


@given(st.text())
def test_a_json_document_says_the_same_without_what_controls_a_terminal(text: str) -> None:
    document = escaped(json.dumps({"title": text}, ensure_ascii=False))
    assert json.loads(document) == {"title": text}
    assert printable(document) == document


def test_what_commands_print_as_json_controls_no_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_json({"title": "here\x9b1m too\u202e"})
    assert capsys.readouterr().out == '{"title": "here\\u009b1m too\\u202e"}\n'
