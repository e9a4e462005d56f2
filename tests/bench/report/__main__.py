"""make report: what the answers are worth, and what indexes of other libraries find and cost.

Each row is measured once and kept in docs/report/rows.jsonl: a run that was broken off goes on. To
measure a row again, delete its line.
"""

import argparse
import sys
from pathlib import Path

from tests.bench.peers import PEERS
from tests.bench.peers.index import SPACES
from tests.bench.report.page import write_report
from tests.bench.report.quality import evaluate_all
from tests.bench.report.rows import RowFile
from tests.bench.report.run import given, measure_all, plan
from tests.support.paths import CHECKOUT, GENUINE


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The words of the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.report", description=__doc__)
    parser.add_argument("--recordings", type=int, nargs="*", default=[10_000, 100_000])
    parser.add_argument("--peers", nargs="*", choices=PEERS, default=list(PEERS), metavar="PEER")
    parser.add_argument("--spaces", nargs="*", choices=SPACES, default=list(SPACES))
    parser.add_argument("--metrics", nargs="*", choices=SPACES, default=["l2"], help="their spaces")
    parser.add_argument("--hdf5", type=Path, nargs="*", default=[], help="other collections")
    parser.add_argument("--files", type=Path, default=CHECKOUT / ".work" / "report")
    parser.add_argument("--data", type=Path, default=GENUINE, help="genuine recordings")
    parser.add_argument("--folder", type=Path, default=CHECKOUT / "docs" / "report")
    return parser.parse_args(arguments)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def gather(words: argparse.Namespace) -> RowFile:
    """The rows, those that were missing measured."""
    words.folder.mkdir(parents=True, exist_ok=True)
    rows = RowFile(words.folder / "rows.jsonl")
    evaluate_all(words.data, rows, say)
    if words.recordings:
        tasks = plan(words.recordings, words.peers, words.spaces, words.metrics)
        measure_all(tasks, rows, words.files, say)
    measure_all(given(words.hdf5, words.peers), rows, words.files, say)
    return rows


def main() -> None:
    words = parse()
    write_report(gather(words), words.folder)
    say(f"report: {words.folder / 'report.html'}")


if __name__ == "__main__":
    main()
