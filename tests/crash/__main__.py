"""make test-crash: commands are killed at random moments, and run once more.

Each trial takes a command of pgsim, measures it undisturbed, begins it again in a copy of the same
database, and at a random moment of its work kills it: the client, a process that it started, its
session, the server, the disk or the connection (see kills.py). Then the command runs once more, and
what it leaves has to be what it leaves undisturbed: every row, every list against an exact scan,
every file, the findings of `pgsim check`; and nothing else: no process, session, lock, temporary
file, unfinished rebuild, and no word of damage in the server's log.

A trial's number and the seed say all that is random in it. One that fails keeps its folder and its
database, and is tried again by the line that it prints. It needs Linux; as root it mounts a small
disk, which can be full.

    python -m tests.crash --kills 124 --seed 7 --only load,refresh --by power,socket
    python -m tests.crash --seed 7 --trial 23
"""

import argparse
import os
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from itertools import islice

from tests.bench.common import show
from tests.crash.campaign import Campaign
from tests.crash.choice import Trial, trials
from tests.crash.commands import COMMANDS, GROUPS
from tests.crash.kills import KILLS
from tests.crash.program import make_all_small
from tests.crash.runner import Runner, Verdict

DEFAULT = 4 * sum(group.weight for group in GROUPS)


def chosen(words: argparse.Namespace) -> Iterator[Trial]:
    """The trials that were asked for."""
    names = set(filter(None, words.only.split(",")))
    kills = set(filter(None, words.by.split(",")))
    known = {group.name for group in GROUPS} | COMMANDS.keys()
    if unknown := (names - known) | (kills - KILLS.keys()):
        sys.exit(
            f"unknown: {', '.join(sorted(unknown))}; known commands: {', '.join(sorted(known))};"
            f" kills: {', '.join(KILLS)}"
        )
    if not any(
        (not names or names & {group.name, *group.commands})
        and (not kills or kills & {*group.kills})
        for group in GROUPS
    ):
        sys.exit(f"none of {words.only or 'the commands'} is ended by {words.by}")
    if words.trial:
        yield from islice(trials(words.seed, GROUPS), words.trial - 1, words.trial)
        return
    fitting = (
        each
        for each in trials(words.seed, GROUPS)
        if (not names or names & {each.group, each.command}) and (not kills or each.kill in kills)
    )
    yield from islice(fitting, words.kills)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=DEFAULT, help=f"how many [{DEFAULT}]")
    parser.add_argument("--seed", type=int, help="which [a random one, which is printed]")
    parser.add_argument("--only", default="", help="commands, or lines of the table")
    parser.add_argument("--by", default="", help=f"kills: {', '.join(KILLS)}")
    parser.add_argument("--trial", type=int, help="only the one of this number")
    words = parser.parse_args()
    if words.seed is None:
        words.seed = int.from_bytes(os.urandom(3))
    if sys.platform != "linux":
        sys.exit("it needs Linux: processes are found in /proc")
    # What ignores a signal has children that do: a shell's background job, what runs under nohup.
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda _, __: None)
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    make_all_small()
    sys.exit(run(words))


def run(words: argparse.Namespace) -> int:
    """Run the trials, a line each, then a table; the exit code."""
    started = time.monotonic()
    print(f"seed {words.seed}", flush=True)
    counts: Counter[tuple[str, str, str]] = Counter()
    campaign = Campaign()
    failed = False
    try:
        runner = Runner(campaign)
        if campaign.disk.problem:
            print(
                f"no small disk can be mounted ({campaign.disk.problem}): clients' files are"
                " limited instead, and no server's disk is full"
            )
        for trial in chosen(words):
            verdict = runner.run(trial)
            counts[trial.group, trial.kill, verdict.state] += 1
            print(_line(trial, verdict), flush=True)
            if verdict.state == "FAILED":
                failed = True
                print(
                    f"      kept: {campaign.folder}/trial_{trial.number}*, and its database on"
                    f" PGSIM_HOME={campaign.server.home}; again: python -m tests.crash --seed"
                    f" {trial.seed} --trial {trial.number}",
                    flush=True,
                )
        if damage := campaign.damage():
            failed = True
            print(f"FAILED: pg_checksums of all that is left: {damage}")
    finally:
        campaign.close()
        if not failed:
            shutil.rmtree(campaign.folder, ignore_errors=True)
    _print_table(counts)
    states = Counter(state for (_, _, state), number in counts.items() for _ in range(number))
    print(
        f"{states['ok'] + states['FAILED']} kills, {states['FAILED']} failed;"
        f" {states['missed']} missed, {states['skipped']} skipped;"
        f" {time.monotonic() - started:.0f} s; seed {words.seed}"
    )
    return int(failed)


def _line(trial: Trial, verdict: Verdict) -> str:
    return (
        f"{trial.number:5} seed {trial.seed} {trial.command:<22} {trial.kill:<10}"
        f" {verdict.moment:<20} {verdict.state}: {verdict.text}"
    )


def _print_table(counts: Counter[tuple[str, str, str]]) -> None:
    """Kills by command and kind, with how many of them failed."""
    table = []
    for group in GROUPS:
        row: dict[str, object] = {"kills": group.name}
        for kill in KILLS:
            failed = counts[group.name, kill, "FAILED"]
            number = counts[group.name, kill, "ok"] + failed
            row[kill] = f"{number}, {failed} FAILED" if failed else number or None
        row["all"] = sum(
            counts[group.name, kill, state] for kill in KILLS for state in ("ok", "FAILED")
        )
        if row["all"]:
            table.append(row)
    if table:
        show(table)


if __name__ == "__main__":
    main()
