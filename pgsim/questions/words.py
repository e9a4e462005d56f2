"""The words of a question: each with its types in Python and in SQL, and its meaning.

The classes here are the one list of these words. The methods of `pgsim.Database` take them as
keyword arguments, `questions.question` calls SQL by them, and `pgsim similar` makes its options
of them. A test compares them with the arguments of the installed functions.
"""

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypedDict, TypeVar, get_type_hints
from uuid import UUID

Mbid = UUID | str
Mbids = Mbid | Iterable[Mbid]


@dataclass(frozen=True, slots=True)
class Word:
    """A word's type and default in SQL, and its meaning in one sentence.

    Where it `names_recordings`, an own id of a recording does as well as its MBID.
    """

    kind: str
    help: str
    default: str | None = None
    names_recordings: bool = False


class Choice(TypedDict, total=False):
    """Arguments of every question: which recordings count, by genre and year."""

    genre: Annotated[
        str | None, Word("text", "Only this genre: a label, or scheme:label (dortmund:rock).")
    ]
    decade: Annotated[int | None, Word("integer", "Only this decade: its first year (1990).")]
    year_from: Annotated[int | None, Word("integer", "First year.")]
    year_to: Annotated[int | None, Word("integer", "Last year.")]


class Groups(Choice, total=False):
    """More arguments of a question for artists."""

    min_recordings: Annotated[
        int | None, Word("integer", "Minimum number of recordings that count.", "1")
    ]


class Albums(Groups, total=False):
    """More arguments of a question for albums."""

    other_artists: Annotated[bool | None, Word("boolean", "No album of the same artist.", "false")]


class Filters(Choice, total=False):
    """More arguments of a question for recordings: which may be answers, and by what distance."""

    length_from: Annotated[float | None, Word("double precision", "Shortest length, in seconds.")]
    length_to: Annotated[float | None, Word("double precision", "Longest length, in seconds.")]
    exclude: Annotated[
        Mbids | None,
        Word("uuid[]", "Leave out these recordings (MBIDs or own ids).", names_recordings=True),
    ]
    exclude_artists: Annotated[
        Mbids | None, Word("uuid[]", "Leave out recordings of these artists (MBIDs).")
    ]
    metric: Annotated[
        str | None, Word("text", "Compare by one feature set, or by several (bpm+key).")
    ]
    weights: Annotated[
        Mapping[str, float] | None,
        Word("jsonb", 'Weights that replace the profile\'s: {"moods": 2, "bpm": 0}.'),
    ]


class SeedFilters(Filters, total=False):
    """More arguments of a question about one recording: the seed's own genre and decade."""

    same_genre: Annotated[bool | None, Word("boolean", "Only the seed's genre.", "false")]
    same_decade: Annotated[bool | None, Word("boolean", "Only the seed's decade.", "false")]


class Songs(Filters, total=False):
    """More arguments of a question that gives recordings to listen to."""

    distinct_titles: Annotated[
        bool | None, Word("boolean", "Each song once; versions of it count as one.", "false")
    ]
    approximate: Annotated[
        bool | None,
        Word("boolean", "Allow an approximate answer by a metric without an index.", "false"),
    ]


class Between(Songs, total=False):
    """More arguments of a question for a path: limits on the recordings between its ends."""

    max_per_artist: Annotated[
        int | None, Word("integer", "Maximum number of recordings of one artist.")
    ]
    max_per_album: Annotated[
        int | None, Word("integer", "Maximum number of recordings of one album.")
    ]


class Rules(Between, total=False):
    """More arguments of a question for the nearest: rules and order of the answer."""

    min_similarity: Annotated[
        float | None, Word("double precision", "Minimum similarity, from 0 to 1.")
    ]
    ranking: Annotated[
        Literal["similarity", "distance"] | None,
        Word("text", "Order of the answer: similarity or distance.", "'similarity'"),
    ]


class Away(Rules, total=False):
    """What a question about a point in the space takes besides: what to move away from."""

    minus: Annotated[
        Mbids | None,
        Word("uuid[]", "Move away from these recordings, likewise.", names_recordings=True),
    ]


class Listening(Filters, total=False):
    """What an order to listen to takes besides: what is disliked, and how the order goes."""

    dislikes: Annotated[
        Mbids | None,
        Word("uuid[]", "Move away from these recordings, likewise.", names_recordings=True),
    ]
    album_gap: Annotated[
        int | None, Word("integer", "How many rows lie between two of one album.", "0")
    ]
    drift: Annotated[
        float | None,
        Word("double precision", "0 stays at the seeds, 1 goes on from the last row.", "0"),
    ]
    approximate: Annotated[
        bool | None,
        Word("boolean", "Allow an approximate answer by a metric without an index.", "false"),
    ]


class Radio(Listening, total=False):
    """What a radio takes besides: what was heard, and rules."""

    played: Annotated[
        Mbids | None,
        Word("uuid[]", "Leave out these recordings, heard before.", names_recordings=True),
    ]
    artist_gap: Annotated[
        int | None, Word("integer", "How many rows lie between two of one artist.", "0")
    ]
    popularity: Annotated[
        float | None,
        Word("double precision", "1 prefers popular recordings, -1 unknown ones.", "0"),
    ]
    distinct_titles: Annotated[
        bool | None, Word("boolean", "Each song once; versions of it count as one.", "false")
    ]


class Expanding(Listening, total=False):
    """What a playlist that is expanded takes besides: rules, and how similar rows have to be."""

    artist_gap: Annotated[
        int | None,
        Word("integer", "How many rows lie between two of one artist [default: 2].", "2"),
    ]
    distinct_titles: Annotated[
        bool | None, Word("boolean", "Each song once; versions of it count as one.", "true")
    ]
    min_similarity: Annotated[
        float | None,
        Word("double precision", "Minimum similarity to the mean of the playlist, from 0 to 1."),
    ]


class Words(SeedFilters, Rules, total=False):
    """All arguments of a question for the recordings most similar to one."""


def words_of(question: type) -> dict[str, Word]:
    """Return the words that a class of this module names, by their names."""
    hints = get_type_hints(question, include_extras=True)
    return {name: hint.__metadata__[0] for name, hint in hints.items()}


Function = TypeVar("Function", bound=Callable[..., Any])


def spell_out(question: type) -> Callable[[Function], Function]:
    """Return a decorator that shows the words in the signature and the docstring of a method.

    There, `help()` and a notebook list them. Type checkers read `**question: Unpack[...]`.
    """

    def decorate(function: Function) -> Function:
        signature = inspect.signature(function)
        kept = list(signature.parameters.values())[:-1]
        words = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=hint)
            for name, hint in get_type_hints(question).items()
        ]
        function.__signature__ = signature.replace(parameters=[*kept, *words])  # type: ignore[attr-defined]
        meanings = [f"    {name}: {word.help}" for name, word in words_of(question).items()]
        function.__doc__ = "\n".join([inspect.getdoc(function) or "", "", *meanings])
        return function

    return decorate
