"""What distinct_titles and max_per_artist take for one song and for one artist, and what not."""

import csv
from collections import Counter
from itertools import pairwise
from pathlib import Path
from uuid import UUID

import pytest

from pgsim.postgres.connection import Connection
from tests.support.rows import one

# Two recordings a row, from real discographies: are they versions of one song?
TITLES = Path(__file__).with_name("titles.csv")
ONE_SONG = """
Song
SONG
Söng
ＳＯＮＧ
Song!
Song (Live)
Song (Live at the Royal Alb
Song (Live in Paris, 1975)
Song (Live Version)
Song (Recorded Live at Wembley)
Song (En Vivo)
Song (Live) [Remastered]
Song [Remastered 2011]
Song [Digitally Remastered]
Song (2009 Remaster)
Song 2011 Remaster
Song 2011 Digital Remaster
Song Remastered Version
Song – 2011 Remaster
Song - Remastered 2009
Song - Live at Wembley
Song - Live at Wembley - 2011 Remaster
Song (Live at Wembley / 2011 Remaster)
Song - Radio Edit (2011 Remaster)
Song (Radio Edit)
Song (7" Version)
Song (Album Version)
Song - Single Version
Song (Taylor's Version)
Song: Demo Version
Song (1994 Demo)
Song (Mono)
Song (Stereo Mix)
Song (Mono / 2009 Remaster)
Song (Extended Mix)
Song (Acoustic)
Song (MTV Unplugged)
Song (Instrumental)
Song (Take 3)
Song (Alternate Take)
Song (Bonus Track)
Song [Bonus
Song (Japanese Bonus Track)
Song (Deluxe Edition)
Song [Explicit]
Song (Clean Version)
Song feat. Somebody
Song (feat. Jay-Z)
Song (ft Somebody)
Song ft. Somebody (Live)
Song featuring Jay-Z - Live
""".strip().splitlines()
KEYS = {
    "Don’t Stop": "don t stop",
    "Song, Pt. II": "song part 2",
    "Song (Part Two) [Live]": "song part 2",
    "Rock & Roll": "rock and roll",
    "Rock ’n’ Roll": "rock and roll",
    "Long Live": "long live",
    "Song - Part 2": "song part 2",
    "Song feat. Jay-Z (Part 2)": "song part 2",
    "(Live": "live",
    "名前【ライブ】": "名前",
    "名前 （ライブ）": "名前",
    "【名前】": "名前",
    "Live": "live",
    "(Live)": "live",
    "[untitled]": "untitled",
    "!!!": "!!!",
    "": None,
    "   ": None,
    None: None,
}
# Of one artist, each is another song.
DIFFERENT = """
Hunger
Hunger (Part 1)
Hunger (Part 2)
Hunger - Part 3 (Live)
Hunger (Live, Pt. 1)
Hunger (Live) [Part 4]
Hunger - Live at Wembley - Part 5
Hunger feat. Kay (Part 6)
Stay
Stay (I Missed You)
Stay (Faraway, So Close!)
Sonata in C
Sonata in C (K. 330)
Sonata in C (K. 545)
Sonata No. 1
Sonata No. 2
Sonata No. 1, Op. 9
Sonata No. 1: I. Allegro
Sonata No. 1: II. Allegro
Prelude in C
Prelude in C#
Prelude in C♯
Prelude in C♭
Étude 1/11
Étude 11/1
Song (1)
Song (I)
Song (II)
Song (Reprise)
Song (We Live for Love)
Song (Every Breath You Take)
Song (In the Mix)
Song (Live and Let Die)
Song (Long Live)
Song (Acoustic Motorbike)
Song (Somebody Remix)
Song (Club Mix)
Song (Somebody Edit)
Song (Dub Version)
Song (Reprise Version)
Song (With Flowers in My Hair)
A
A+
""".strip().splitlines()


@pytest.fixture
def songs(plane: Connection) -> Connection:
    """The songs of other artists or of other parts, along a line in this order."""
    rows = [
        ("Intro", "Artist A"),
        ("Intro", "Artist B"),
        ("Stay (I Missed You)", "Artist C"),
        ("Stay (Faraway, So Close!)", "Artist C"),
        ("Sonata in C (K. 545)", "Pianist"),
        ("Sonata in C (K. 330)", "Pianist"),
        ("Hunger (Part 1)", "E"),
        ("Hunger (Part 2)", "E"),
        ("Hello", "Adele"),
        ("Hello", "Lio"),
        ("Intro (Live)", "ARTIST A feat. Kay"),
        ("Intro", None),
        ("Intro - Remastered 2009", None),
        (None, "Artist A"),
        (None, "Artist A"),
    ]
    for place, (title, artist) in enumerate(rows):
        plane.execute(
            "INSERT INTO pgsim.recording (mbid, title, artist, vector) VALUES (%s, %s, %s, %s)",
            (UUID(int=place), title, artist, str([place, 0])),
        )
    return plane


def titles(conn: Connection, question: str) -> list[str | None]:
    query = f"SELECT title, artist FROM {question} ORDER BY rank"
    return [" by ".join(filter(None, row)) for row in conn.execute(query.encode())]


def test_a_song_comes_once_and_another_of_its_name_too(songs: Connection) -> None:
    seed = "'00000000-0000-0000-0000-000000000000'"
    others = [
        "Intro by Artist B",
        "Stay (I Missed You) by Artist C",
        "Stay (Faraway, So Close!) by Artist C",
        "Sonata in C (K. 545) by Pianist",
        "Sonata in C (K. 330) by Pianist",
        "Hunger (Part 1) by E",
        "Hunger (Part 2) by E",
        "Hello by Adele",
        "Hello by Lio",
        # A title without an artist is compared with its like; no title with none.
        "Intro",
        "Artist A",
        "Artist A",
    ]
    words = "25, distinct_titles => true, ranking => 'distance'"
    assert titles(songs, f"pgsim.similar_recordings({seed}, {words})") == others
    assert titles(songs, f"pgsim.similar_to_all(ARRAY[{seed}]::uuid[], {words})") == others
    vector = "(SELECT vector FROM pgsim.recording WHERE title = 'Hello' AND artist = 'Lio')"
    nearest = titles(songs, f"pgsim.nearest_recordings({vector}, {words})")
    assert sorted(nearest) == sorted(["Intro (Live) by ARTIST A feat. Kay", *others])


def test_versions_of_a_song_have_one_title(conn: Connection) -> None:
    keys = conn.execute(
        "SELECT t, pgsim.title_key(t) FROM unnest(%s::text[]) AS t", (ONE_SONG,)
    ).fetchall()
    assert [(title, key) for title, key in keys if key != "song"] == []
    for title, key in KEYS.items():
        assert one(conn, "SELECT pgsim.title_key(%s)", title) == key


def test_titles_that_say_something_else_are_other_songs(conn: Connection) -> None:
    keys = conn.execute(
        "SELECT array_agg(t) FROM unnest(%s::text[]) AS t GROUP BY pgsim.title_key(t)",
        (DIFFERENT,),
    ).fetchall()
    assert [same for (same,) in keys if len(same) > 1] == []


def test_spellings_of_a_credit_are_one_artist(conn: Connection) -> None:
    key = "SELECT pgsim.artist_key(%s, %s)"
    for name in (*["Nova", "NOVA", " nova ", "Nóva", "Ｎｏｖａ", "Nova feat. Kay", "Nova ft Kay"],
                 *["Nova (featuring Kay)", "Nova; Kay", "Nova;Kay", '"Nova"']):  # fmt: skip
        assert one(conn, key, None, name) == "nova", name
    assert one(conn, key, None, "AC/DC") == one(conn, key, None, "ACDC")
    # "&" and "with" also join the members of one name; what would leave nothing is not cut off.
    others = ["Nova & Kay", "Nova with Kay", "Nova and Kay", "Simon & Garfunkel", "Simon", "Novak"]
    others += ["Nova+", "!!!", "???", ";Nova", "feat. Nova", "名前", "Featuring Nova"]
    assert len({one(conn, key, None, name) for name in [*others, "Nova"]}) == len(others) + 1
    # An MBID says more than a name.
    first, second = UUID(int=1), UUID(int=2)
    assert one(conn, key, [first], "Nova") == one(conn, key, [first, second], "Other") == str(first)
    assert one(conn, key, [second], "Nova") != one(conn, key, [first], "Nova")


def test_guests_make_no_other_artist_and_partners_do(conn: Connection) -> None:
    a, b, c, d = (UUID(int=number) for number in range(1, 5))
    credited = {
        "Ann": [([a], "Ann"), ([a, b], "Ann"), ([a, b], "Ann feat. Bo"), ([a, b], "Ann;Bo")],
        "Ann of two guests": [([a, b, c], "Ann (ft. Bo & Cy)"), ([a, b, c], None)],
        "Ann and Bo": [
            ([a, b], "Ann & Bo"),
            ([a, b, c], "Ann & Bo feat. Cy"),
            ([a, b, c, d], "Ann, Bo feat. Cy & Di"),
            ([a, b, c], "Ann & Bo feat. Cy, Cy & Cy"),
        ],
        "Simon and Garfunkel": [([c], "Simon & Garfunkel"), ([c, d], "Simon & Garfunkel feat. Di")],
    }
    keys = {
        who: {one(conn, "SELECT pgsim.artist_key(%s, %s)", *each) for each in same}
        for who, same in credited.items()
    }
    ann, two = str(a), f"{a}+{b}"
    assert list(keys.values()) == [{ann}, {ann}, {two}, {str(c)}]


def test_genuine_titles_are_told_apart_and_their_versions_are_not(conn: Connection) -> None:
    """Of 150 pairs that are one song, one is taken for two; of 150 that are two, none for one."""
    with TITLES.open(encoding="utf-8", newline="") as file:
        pairs = list(csv.DictReader(file))
    key = "SELECT pgsim.song_key(%s, NULL, %s)"
    judged = [
        (
            pair["title_a"],
            pair["title_b"],
            pair["verdict"],
            "same"
            if one(conn, key, pair["title_a"], pair["artist_a"])
            == one(conn, key, pair["title_b"], pair["artist_b"])
            else "different",
        )
        for pair in pairs
    ]
    assert Counter(pair["verdict"] for pair in pairs) == {"same": 150, "different": 150}
    assert [each for each in judged if each[2] != each[3]] == [
        ("Under Pressure (with David Bowie)", "Under Pressure", "same", "different")
    ]


def test_an_artist_is_counted_however_credited(songs: Connection) -> None:
    songs.execute(
        "UPDATE pgsim.recording SET artist = (ARRAY['Nova', 'Nova feat. Kay', 'NOVA', 'Nova;Kay'])"
        "[id % 4 + 1] WHERE title IS NOT NULL"
    )
    question = "pgsim.similar_recordings('00000000-0000-0000-0000-000000000000', 25"
    assert len(titles(songs, f"{question}, max_per_artist => 1)")) == 2  # of Nova, and Artist A
    assert len(titles(songs, f"{question}, max_per_artist => 3)")) == 5


def test_rules_take_a_guest_for_no_other_artist_and_a_partner_for_one(songs: Connection) -> None:
    nova, kay = UUID(int=1), UUID(int=2)
    for place, (mbids, credit) in enumerate(
        [([nova], "Nova"), ([nova, kay], "Nova feat. Kay"), ([nova, kay], "Nova & Kay")]
    ):
        songs.execute(
            "UPDATE pgsim.recording SET artist_mbids = %s, artist = %s WHERE id %% 3 = %s",
            (mbids, credit, place),
        )
    seed = "'00000000-0000-0000-0000-000000000000'"
    credited = "SELECT artist FROM pgsim.{} ORDER BY rank"
    question = credited.format(f"similar_recordings({seed}, 25, max_per_artist => 1)")
    found = [artist for (artist,) in songs.execute(question.encode())]
    assert len(found) == 2
    assert "Nova & Kay" in found
    question = credited.format(f"similar_recordings({seed}, 25, exclude_artists => '{{{kay}}}')")
    assert {artist for (artist,) in songs.execute(question.encode())} == {"Nova"}
    question = credited.format(f"radio(ARRAY[{seed}]::uuid[], 8, artist_gap => 1)")
    order = [artist == "Nova & Kay" for (artist,) in songs.execute(question.encode())]
    assert len(order) == 8
    assert all(one_ != next_ for one_, next_ in pairwise(order))


def test_an_artist_without_a_name_is_nobody(conn: Connection) -> None:
    nobody = "SELECT pgsim.artist_key(%s, %s)"
    for mbids, name in ((None, ""), ([], " "), ([None], "\u3000"), (None, None)):
        assert one(conn, nobody, mbids, name) is None


def test_a_title_with_a_letter_in_it_never_becomes_nothing(conn: Connection) -> None:
    parts = ["(a)", "[live]", "- live", "feat. x", "remaster", "2011 remaster", "b", "!", " ", "（"]
    titles = [f"{a}{gap}{b}" for a in parts for b in parts for gap in ("", " ", " - ")]
    rows = conn.execute(
        "SELECT title FROM unnest(%s::text[]) AS t (title)"
        " WHERE title ~ '[[:alpha:]]' AND coalesce(pgsim.title_key(title), '') = ''",
        (titles,),
    ).fetchall()
    assert rows == []
