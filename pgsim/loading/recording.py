"""The columns of one recording, from the metadata of its submissions."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

# The kinds of one submission's documents by precedence. Other kinds follow by name.
FIRST_KINDS = ("lowlevel", "highlevel")
_NUMBERS = ("length", "popularity")
_TEXTS = ("title", "artist", "album", "year", "source_id", "url")
# How many free-text genres a recording keeps, the most frequent ones: 94 submissions can bring
# dozens.
MOST_TAGS = 10
# Bytes of scheme:label; a longer one is no genre, and the index of genres could not hold it.
LONGEST_LABEL = 500


def recording_columns(submissions: Sequence[dict[str, Any]], genre_scheme: str) -> dict[str, Any]:
    """Return the columns of `recording` that depend on its submissions' metadata.

    Each submission is {document kind: metadata}, in the order of (source, number). A text is the
    most frequent value over submissions, the earliest of equals; a number is their median.
    """
    merged = [_merge(documents) for documents in submissions]
    said = merged[0] if len(merged) == 1 else _usual(merged)
    genres = dict(_genres(merged))
    label, probability = genres.get(genre_scheme, [(None, None)])[0]
    artist_mbids = said.get("artist_mbids")
    return {
        **{name: said.get(name) for name in (*_TEXTS, *_NUMBERS)},
        "artist_mbids": [UUID(each) for each in artist_mbids] if artist_mbids else None,
        "genre": label,
        "genre_probability": probability,
        "genres": [f"{scheme}:{name}" for scheme in genres for name, _ in genres[scheme]],
        "extra": said.get("extra", {}),
        "submissions": len(submissions),
    }


def _usual(submissions: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return what most of several submissions say, without genres."""
    found = {
        name: _most_frequent([each[name] for each in submissions if name in each])
        for name in _TEXTS
    }
    artist_mbids = [tuple(each["artist_mbids"]) for each in submissions if "artist_mbids" in each]
    found["artist_mbids"] = _most_frequent(artist_mbids)
    for name in _NUMBERS:
        numbers = sorted(each[name] for each in submissions if name in each)
        found[name] = numbers[len(numbers) // 2] if numbers else None
    found["extra"] = next((each["extra"] for each in submissions if "extra" in each), {})
    return found


def _merge(documents: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return one submission's metadata; if its documents differ, the first kind wins.

    Labels that people gave are those of all documents.
    """
    if len(documents) == 1:
        return next(iter(documents.values()))
    rest = sorted(documents.keys() - set(FIRST_KINDS))
    merged: dict[str, Any] = {}
    for kind in (*FIRST_KINDS, *rest):
        merged = {**documents.get(kind, {}), **merged}
    if "labels" in merged:
        given: dict[str, dict[str, None]] = {}
        for kind in rest:
            for scheme, labels in documents[kind].get("labels", {}).items():
                given.setdefault(scheme, {}).update(dict.fromkeys(labels))
        merged["labels"] = {scheme: list(labels) for scheme, labels in given.items()}
    return merged


def _genres(
    submissions: Iterable[dict[str, Any]],
) -> Iterator[tuple[str, list[tuple[str, float | None]]]]:
    """Yield the labels of each scheme, best first, with their mean probability.

    A classifier gives one label and its probability. People give any number of labels, and no
    probability.
    """
    votes: dict[str, list[tuple[str, float]]] = {}
    given: dict[str, list[str]] = {}
    for each in submissions:
        for scheme, vote in each.get("genres", {}).items():
            votes.setdefault(scheme, []).append(vote)
        for scheme, labels in {"tag": each.get("tags", ()), **each.get("labels", {})}.items():
            given.setdefault(scheme, []).extend(
                label for label in labels if _is_indexable(scheme, label)
            )
    for scheme in sorted(votes):
        kept = [vote for vote in votes[scheme] if _is_indexable(scheme, vote[0])]
        if kept:
            label = _most_frequent([label for label, _ in kept])
            probabilities = [probability for name, probability in kept if name == label]
            yield scheme, [(label, sum(probabilities) / len(probabilities))]
    for scheme in sorted(given):
        labels = given[scheme]
        if len(labels) > 1:
            labels = [label for label, _ in Counter(labels).most_common()]
        if labels:
            most = MOST_TAGS if scheme == "tag" else None
            yield scheme, [(label, None) for label in labels[:most]]


@lru_cache(maxsize=4096)
def _is_indexable(scheme: str, label: str) -> bool:
    return len(f"{scheme}:{label}".encode()) <= LONGEST_LABEL


def _most_frequent(values: Sequence[Any]) -> Any:
    """Return the most frequent value, the first of equals; None if there are no values."""
    if not values or values.count(values[0]) * 2 >= len(values):
        return values[0] if values else None
    counts = Counter(values)
    return max(counts, key=counts.__getitem__)
