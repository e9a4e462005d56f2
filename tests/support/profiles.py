"""Profiles made from those that a database holds, as files."""

from collections.abc import Mapping
from pathlib import Path

from pgsim.features.profile import SHIPPED, Profile, parse_profile

EMBEDDING = """
[[set]]
name = "embedding"
path = "e*"
length = 8
transform = "unit"
aggregate = "mean"
weight = 1.0
"""
COLUMNS = """
[columns]
mbid = "mbid"
"""


def text_of(
    *, without: tuple[str, ...] = (), weights: Mapping[str, float] | None = None, name: str = ""
) -> str:
    """The profile acousticbrainz as TOML: sets left out, with other weights, by another name."""
    head, *sets = (SHIPPED / "acousticbrainz.toml").read_text().split("[[set]]")
    if name:
        head = head.replace('name = "acousticbrainz"', f'name = "{name}"')
    kept = [each for each in sets if not any(f'name = "{one}"' in each for one in without)]
    for at, each in enumerate(kept):
        for one, weight in (weights or {}).items():
            if f'name = "{one}"' in each:
                lines = [
                    f"weight = {weight}" if line.startswith("weight") else line
                    for line in each.splitlines()
                ]
                kept[at] = "\n".join(lines) + "\n"
    return head + "".join(f"[[set]]{each}" for each in kept)


def grown() -> str:
    """The profile acousticbrainz with an embedding of 8 columns e1 to e8 of a table by MBID."""
    # The share of a set may not fall below a thousandth.
    head, first, rest = text_of(weights={"onsetrate": 0.004}).partition("[[set]]")
    return f"{head}{COLUMNS}\n{first}{rest}{EMBEDDING}"


def profile_of(text: str) -> Profile:
    return parse_profile(text, Path("changed.toml"))
