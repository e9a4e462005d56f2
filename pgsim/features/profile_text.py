"""A profile as the text of its file."""

import json
from collections.abc import Iterator

from pgsim.features.profile import Profile, Rows


def toml(value: str | list[str]) -> str:
    """Return a text, or a list of texts, in TOML, which has all of JSON's escapes."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def profile_text(profile: Profile) -> str:
    """Return the TOML that read_profile() makes this profile of, but for the weights' last bits."""
    return "\n".join(_lines(profile)) + "\n"


def _lines(profile: Profile) -> Iterator[str]:
    yield f"name = {toml(profile.name)}"
    yield f"extractor = {toml(profile.extractor)}"
    yield f"genre_scheme = {toml(profile.genre_scheme)}"
    yield from _map(profile.map)
    if profile.columns:
        yield "\n[columns]"
        for key, value in profile.columns:
            yield f"{key} = {toml(value if isinstance(value, str) else list(value))}"
    for each in profile.sets:
        yield "\n[[set]]"
        yield f"name = {toml(each.name)}"
        yield f"path = {toml(each.paths[0] if len(each.paths) == 1 else list(each.paths))}"
        yield f"form = {toml(each.form)}"
        yield f"length = {each.length}"
        yield f"transform = {toml(each.transform)}"
        yield f"aggregate = {toml(each.aggregate)}"
        yield f"weight = {each.weight!r}"
        yield from _map(each.map)


def _map(rows: Rows | None) -> Iterator[str]:
    if rows is not None:
        yield "map = ["
        yield from (f"    [{', '.join(map(repr, row))}]," for row in rows)
        yield "]"
