"""make bench-plan: what pgsim plan foresees, beside what then happens.

The plan is made from samples of made-up recordings on a server of its own, which then makes the
whole. Exit 1 where the sum of all steps, or the rebuild alone, is more than 30 % off.
"""

import argparse
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from pgsim import embedded
from pgsim.features.profile import read_profile
from pgsim.planning.plan import SAMPLE, measure, plan
from pgsim.planning.scratch_database import made, scratch_database
from pgsim.postgres.connection import connect

ALLOWED = 0.3


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recordings", type=int, default=500_000)
    parser.add_argument("--sample", type=int, default=SAMPLE)
    words = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pgsim-bench-") as folder:
        Path(folder).chmod(0o755)
        home = Path(folder, "home")
        server = embedded.start(home)
        url = server.conninfo("postgres")
        try:
            planned = plan(url, words.recordings, sample=words.sample, say=say)
            profile = read_profile("acousticbrainz")
            with (
                closing(connect(url, autocommit=True)) as conn,
                scratch_database(conn, url, profile) as scratch,
            ):
                threads = planned.threads
                whole = measure(
                    scratch, words.recordings, made(profile, words.recordings), threads, say
                )
        finally:
            embedded.stop(home)

    foreseen = {each.step: each.seconds for each in planned.steps}
    happened = whole.seconds
    for sums in (foreseen, happened):
        sums["rebuild"] = sums["prepare"] + sums["lists"]
        sums["refresh"] = sums["compare"] + sums["enter"]
        sums["all"] = sums["load"] + sums["index"] + sums["rebuild"] + sums["refresh"]
    print(f"{words.recordings:,} recordings, foreseen from {planned.samples[-1]:,}")
    print("step       foreseen s   measured s   ratio")
    for step, seconds in foreseen.items():
        ratio = seconds / happened[step]
        print(f"{step:9}{seconds:12.1f}{happened[step]:13.1f}{ratio:8.2f}")
    print("disk of      foreseen MiB   measured MiB   ratio")
    for what, size in planned.disk.items():
        there = whole.disk[what]
        print(f"{what:12}{size / 2**20:13.0f}{there / 2**20:15.0f}{size / there:8.2f}")
    sys.exit(any(abs(foreseen[sums] / happened[sums] - 1) > ALLOWED for sums in ("rebuild", "all")))


if __name__ == "__main__":
    main()
