"""Where recordings lie for a player, learned from those whose place is known."""

import pytest

from pgsim.playlists.paths import Places


@pytest.mark.parametrize(
    ("location", "own", "other", "place"),
    [
        # a library below a folder of the player's, absolute or relative to the playlist
        (
            "/home/me/Music/Ada/East.ogg",
            "Ada/East.ogg",
            "Bob/North.ogg",
            "/home/me/Music/Bob/North.ogg",
        ),
        ("../Music/Ada/East.ogg", "Ada/East.ogg", "Bob/North.ogg", "../Music/Bob/North.ogg"),
        ("Ada/East.ogg", "Ada/East.ogg", "Bob/North.ogg", "Bob/North.ogg"),
        # one that has moved
        ("/new/Ada/East.ogg", "/old/Ada/East.ogg", "/old/Bob/North.ogg", "/new/Bob/North.ogg"),
        ("/new/Ada/East.ogg", "/old/Ada/East.ogg", "/other/Bob/a.ogg", "/other/Bob/a.ogg"),
        ("/new/Ada/East.ogg", "old/Ada/East.ogg", "other/Bob/a.ogg", None),
        ("/m/Ada/East.ogg", "Ada/East.ogg", "/m2/Bob/a.ogg", "/m2/Bob/a.ogg"),
        ("/m/Ada/East.ogg", "Ada/East.ogg", "track 17", None),
        ("M:\\Ada\\East.ogg", "Ada/East.ogg", "Bob/North.ogg", "M:/Bob/North.ogg"),
        ("file:///m/Ada/Gr%C3%B6%C3%9Fe.ogg", "Ada/Größe.ogg", "Bob/a.ogg", "/m/Bob/a.ogg"),
        # case and composed accents are the file system's
        ("/m/ada/BJO\u0308RK.ogg", "Ada/Björk.ogg", "Bob/a.ogg", "/m/Bob/a.ogg"),
        # URLs are what they are
        ("/m/Ada/East.ogg", "Ada/East.ogg", "https://e.org/1", "https://e.org/1"),
    ],
)
def test_what_one_path_has_in_common_with_its_place_tells_the_place_of_others(
    location: str, own: str, other: str, place: str | None
) -> None:
    assert Places([(location, own)]).of(other) == place


def test_without_an_example_a_path_of_audio_is_its_place_and_another_id_is_none() -> None:
    assert Places([]).of("Ada/East.ogg") == "Ada/East.ogg"
    assert [Places([]).of(own) for own in ("track 17", "a/b.json", "", None)] == [None] * 4
    assert Places([("/m/x.ogg", "track 17")]).of("Ada/East.ogg") == "Ada/East.ogg"


def test_the_place_of_most_examples_is_taken() -> None:
    examples = [("/a/1.ogg", "1.ogg"), ("/b/2.ogg", "2.ogg"), ("/b/3.ogg", "3.ogg")]
    assert Places(examples).of("4.ogg") == "/b/4.ogg"
