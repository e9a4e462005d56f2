"""Print what is suspicious in a collection's data."""

from pgsim.cli.common import print_table, put
from pgsim.evaluation.suspects import KINDS, Suspect, Suspects


def print_suspects(found: Suspects, rows: int) -> None:
    """Print the counts, then at most `rows` rows of each kind, the oddest first."""
    put(f"{found.recordings:,} recordings with a vector")
    if found.pending:
        put(f"{found.pending:,} changes are not in the lists: pgsim refresh")
    print_table(
        ["suspicious", "looked at", "found"],
        [
            [
                KINDS[each.kind],
                each.note or f"{each.looked_at:,}",
                None if each.note else each.found,
            ]
            for each in found.looked
        ],
    )
    for each in found.looked:
        own = [suspect for suspect in found.suspects if suspect.kind == each.kind]
        if not own or not rows:
            continue
        put(KINDS[each.kind] + (f", {rows} of {len(own):,}" if len(own) > rows else ""))
        print_table(
            ["mbid", "recording"],
            [[suspect.mbid, _name(suspect)] for suspect in own[:rows]],
            [_reason(suspect) for suspect in own[:rows]],
        )


def _name(suspect: Suspect) -> str:
    return " – ".join(text for text in (suspect.artist, suspect.title) if text)


def _reason(suspect: Suspect) -> str:
    if suspect.source is None:
        return suspect.reason
    return f"{suspect.source} {suspect.number}: {suspect.reason}"
