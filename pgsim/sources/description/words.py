"""Meanings of a column's name: its tokens, known names, units of length."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol, TypeVar
from unicodedata import normalize

_TOKEN = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")

# The names by which a recording's metadata are recognised, as lower-case letters and digits. The
# first one counts.
NAMES = {
    "title": """title tracktitle songtitle recordingtitle trackname songname recordingname name
        track song recording titel titre titulo titolo""",
    "artist": """artist artists artistname artistnames artistsname trackartist trackartists
        songartist artistcreditname artistcredit performer performers band singer author composer
        albumartist interpret kunstler interprete artiste artista""",
    "album": """album albumtitle albumname trackalbumname release releasename releasetitle
        collection""",
    "year": """year originalyear releaseyear releasedyear yearreleased trackyear songyear albumyear
        albumreleaseyear jahr erscheinungsjahr annee ano anno""",
    "date": """originaldate date releasedate releaseddate datereleased albumreleasedate
        trackalbumreleasedate albumdatereleased trackdatereleased trackdaterecorded daterecorded
        released datum""",
    "genre": """genre genres trackgenre trackgenres songgenre genreterm genretop trackgenretop
        topgenre maingenre primarygenre playlistgenre albumgenre artistgenre artistgenres style
        styles tag tags toptags mbtag label labels class category genero genere""",
    "popularity": """popularity trackpopularity songpopularity playcount plays listencount listens
        listenercount listeners streams scrobbles""",
    "url": """url link trackurl songurl recordingurl permalink href externalurl spotifyurl
        youtubeurl previewurl""",
}
KNOWN = {key: tuple(names.split()) for key, names in NAMES.items()}
# Names that are titles only where they hold texts: `track` can be the number on an album, `label` a
# class's number.
OF_TEXTS = {"track", "song", "recording", "label", "labels", "class", "category", "name", "release"}

IDS = tuple(
    """recordingid trackid songid spotifytrackid spotifyid trackuri spotifyuri uri clipid videoid
    ytid youtubeid itemid sampleid acoustid acoustidid fileid id isrc filename file filepath
    audiofile audiopath audiofilename path location mp3path wavpath clip key url trackurl
    msdid msdtrackid""".split()
)
# An id by one of these names is one even where several rows have it.
IDS_BY_NAME = frozenset(IDS[: IDS.index("fileid")])

COUNTERS = frozenset(
    """index unnamed level indexlevel row rows rowid rowno rownr rownum rownumber rownames no nr num
    counter seq sequence serial sno srno""".split()
)
NUMBERS = frozenset(
    "submission submissions submissionnumber number offset submissionoffset take version".split()
)

# Words of a column whose numbers do not say how a recording sounds.
_ABOUT_USE = frozenset(
    """popularity playcount plays listens listeners views likes dislikes comments favorites
    favourites followers streams scrobbles rank ranking chart charts playlists peak weeks price
    rating ratings votes hotttnesss hotttness hotness familiarity interest bitrate samplerate
    filesize bytes channels bitdepth timestamp latitude longitude lat lon month day week explicit
    disc target cluster split fold count reviews skips skip
    frameindex frametime""".split()
)
_USE_OF_ALL = frozenset(
    "tracknumber trackno discnumber position track views score hit ishit".split()
)
_CATEGORIES = frozenset("key keysignature mode timesignature camelot scale meter".split())

_ID = re.compile(
    r"(?:track|song|recording|artist|album|release|releasegroup|clip|video|user|label|genre|music"
    r"|spotify|deezer|youtube|file|item|sample|group|work|playlist|msd|musicbrainz|mb|echonest)s?"
    r"(?:ids?|gids?|mbids?)"
)
_LENGTH = re.compile(
    r"(?:track|song|recording|audio|clip)?(?:length|duration|playtime|playingtime|runtime|runtimeticks"
    r"|lange|dauer|spieldauer|laufzeit|duree|duracion|duracao|durata|time|totaltime|lengthin|durationin|samples|nsamples|numsamples|frames|numframes|nframes)"
    r"(ms|msec|millis|milliseconds|s|sec|secs|seconds|min|mins|minutes|us|usec|microseconds|ns"
    r"|nanoseconds|samples|frames)?"
)
_UNITS = {
    "milliseconds": ("ms", "msec", "millis", "milliseconds"),
    "seconds": ("s", "sec", "secs", "seconds"),
    "minutes": ("min", "mins", "minutes"),
    "microseconds": ("us", "usec", "microseconds"),
    "nanoseconds": ("ns", "nanoseconds"),
    "samples": ("samples", "frames"),
}
# Names of the dates of an upload or of an entry, which say nothing of the recording.
_UPLOADS = frozenset("published publish uploaded upload added created updated modified".split())
# Names of columns that say when, within a recording, a row's numbers were measured.
FRAMES = frozenset(
    """frametime frameindex frame framenumber frameno time timestamp start starttime begin end
    endtime onset segment window windowstart t""".split()
)
RATES = frozenset("samplerate samplingrate sr fs framerate audiosamplerate".split())


@lru_cache(maxsize=4096)
def tokens(column: str) -> tuple[str, ...]:
    """Return the words and numbers of a name in lower case: `trackID` has `track` and `id`."""
    return tuple(token.lower() for token in _TOKEN.findall(column))


def plain(column: str) -> str:
    """Return a name as lower-case letters and digits alone, without accents: `Länge` is `lange`."""
    return re.sub("[^a-z0-9]", "", normalize("NFKD", column).lower())


class Named(Protocol):
    """What has a name, as a column has."""

    @property
    def name(self) -> str:
        """Return the name."""


N = TypeVar("N", bound=Named)


def by_name(columns: Sequence[N]) -> dict[str, N]:
    """Return columns by their plain names: of two the first, and `title` before `meta.title`."""
    fields = {plain_field(column.name): column for column in reversed(columns)}
    return fields | {plain(column.name): column for column in reversed(columns)}


# Blocks of records in JSON and Parquet whose fields are the recording's own: `meta.title`.
_BLOCKS = frozenset(
    """meta metadata info tags tag track song recording record item data attributes fields
    properties common""".split()
)


def plain_field(column: str) -> str:
    """Return `title` for `meta.title`: the last part, if the others are blocks of the recording."""
    *blocks, last = column.split(".")
    return plain(last) if blocks and _BLOCKS.issuperset(map(plain, blocks)) else plain(column)


def stem(column: str) -> str:
    """Return a name with `#` for each number in it: columns that differ in numbers share it."""
    return re.sub("[0-9]+", "#", column)


def is_id(column: str) -> bool:
    """Return whether a column is one of ids: `trackid`, `song_id`, but not `centroid`."""
    words = tokens(column)
    last = words[-1] if words else ""
    return last in ("id", "ids", "gid", "mbid", "mbids", "uuid") or bool(
        _ID.fullmatch(plain(column)) or _ID.fullmatch(last)
    )


def no_sound(column: str) -> str | None:
    """Return why numbers of a column of this name are no feature; None if they may be one."""
    if is_id(column):
        return "an id of something else"
    if is_about_use(column):
        return "it does not say how a recording sounds"
    if not {"year", "date", "jahr"}.isdisjoint(tokens(column)) or plain(column) == "decade":
        return "a date"
    if column.lower() in OF_TEXTS:
        return "a class, whose number has no distance from another"
    if is_category(column):
        return "a name written as a number: 11 is no nearer to 10 than to 0"
    return None


def is_counter(column: str) -> bool:
    """Return whether a name is one that programs give to a counter of rows."""
    words = [word for word in tokens(column) if not word.isdecimal()]
    return "".join(words) in COUNTERS or column.strip() in ("", "#")


def is_about_use(column: str) -> bool:
    """Return whether a column counts plays, ranks or files, and says nothing about sound."""
    return not _ABOUT_USE.isdisjoint(tokens(column)) or plain(column) in _USE_OF_ALL | _ABOUT_USE


def is_upload(column: str) -> bool:
    """Return whether a column is the date of an upload: `publishedAt`, `date_added`."""
    found = set(tokens(column))
    return not _UPLOADS.isdisjoint(found) and found <= _UPLOADS | {
        *("at", "on", "date", "time", "year", "video", "track", "song", "playlist", "utc")
    }


def is_label(column: str) -> bool:
    """Return whether a name begins as those of labels do that have a column each: `genre_rock`."""
    first, *others = tokens(column) or ("",)
    return bool(others) and first in ("genre", "label", "class", "tag", "style", "mood", "category")


def is_category(column: str) -> bool:
    """Return whether a column's numbers are names, as those of keys, and have no distance."""
    return plain(column) in _CATEGORIES


def unit_of_length(column: str) -> str | None:
    """Return the unit in the name of a length, `` if it names none; None if it is no length."""
    name = plain(column)
    found = _LENGTH.fullmatch(name)
    if not found:
        return None
    unit = found[1] or ("samples" if name.endswith(("samples", "frames")) else "")
    return next((known for known, names in _UNITS.items() if unit in names), "")


def says_recording(column: str) -> bool | None:
    """Return whether an MBID's column names recordings; None if it does not say of what it is."""
    name = plain(column)
    if "releasetrack" in name or "acoustid" in name:
        return False
    if "recording" in name or "track" in name or "song" in name or name in ("mbid", "mbids"):
        return True
    others = ("artist", "release", "album", "group", "work", "label", "user", "playlist", "area")
    return False if any(each in name for each in others) else None
