"""One trial: a command is measured undisturbed, killed, and run again."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import count

from tests.crash import judge
from tests.crash.bases import Bases
from tests.crash.campaign import PATIENCE, Campaign
from tests.crash.choice import Trial
from tests.crash.commands import COMMANDS, Command
from tests.crash.kills import KILLS, Kill, Measured, PowerAfterwards, through_proxy
from tests.crash.outcomes import Outcome
from tests.crash.room import Room, Running

TRIES = 4  # to kill a command before it has ended
FEED_EVERY = 0.1  # seconds between two looks at whether a command has done all


class Wrong(Exception):
    """Something is not as it should be after a kill."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a trial went: its state, when the kill came, and a text.

    The state is ok, FAILED, skipped where this machine cannot run it, or missed where the command
    always ended before the kill.
    """

    state: str
    moment: str
    text: str


class Runner:
    """Runs the trials of a campaign, and keeps what commands make undisturbed."""

    def __init__(self, campaign: Campaign) -> None:
        self._campaign = campaign
        self._bases = Bases(campaign)
        self._baselines: dict[str, Outcome] = {}
        self._seconds: dict[str, float] = {}
        self._bytes: dict[str, int] = {}
        self._numbers = count(1)

    def run(self, trial: Trial) -> Verdict:
        """Run one trial; again with an earlier kill where the command ended before it."""
        command = COMMANDS[trial.command]
        reason = command.problem
        if not reason and trial.kill == "disk" and command.disk == "data":
            reason = self._campaign.disk.problem
        if reason:
            return Verdict("skipped", "", reason)
        moment = ""
        try:
            measured = self._measure(trial)
            for attempt in range(TRIES):
                kill = KILLS[trial.kill](trial.share, measured, trial.chance())
                moment = kill.moment
                name = f"trial_{trial.number}" + f"_{attempt}" * (attempt > 0)
                found = self._attempt(command, kill, name, trial)
                if isinstance(found, str):
                    return Verdict("ok", moment, found)
                measured = found
                self._seconds[trial.command] = found.seconds
        except Exception as error:
            kind = "" if isinstance(error, Wrong | AssertionError) else f"{type(error).__name__}: "
            return Verdict("FAILED", moment, kind + " ".join(str(error).split())[:500])
        return Verdict("missed", moment, f"the command ended before it, {TRIES} times")

    def _baseline(self, name: str) -> Outcome:
        """What a command makes undisturbed; the first call runs it."""
        if name not in self._baselines:
            command = COMMANDS[name]
            with self._room(command, f"undisturbed_{next(self._numbers)}") as room:
                running = self._undisturbed(command, room)
                outcome = self._outcome(command, room, running)
            self._seconds[name] = running.seconds
            self._baselines[name] = outcome
        return self._baselines[name]

    def _measure(self, trial: Trial) -> Measured:
        """What the command of a trial takes undisturbed, as far as its kill needs it."""
        self._baseline(trial.command)
        measured = Measured(self._seconds[trial.command], self._start)
        if trial.kill != "socket":
            return measured
        if trial.command not in self._bytes:
            command = COMMANDS[trial.command]
            with (
                self._room(command, f"undisturbed_{next(self._numbers)}") as room,
                through_proxy(room, tcp=False) as proxy,
            ):
                self._undisturbed(command, room)
                self._bytes[trial.command] = proxy.passed
        return replace(measured, passed=self._bytes[trial.command])

    @cached_property
    def _start(self) -> float:
        """Seconds that Python and pgsim's imports take, when the disk has been read."""
        room = Room(self._campaign, "start", None)
        return [room.finish("--version").seconds for _ in range(2)][-1]

    def _undisturbed(self, command: Command, room: Room) -> Running:
        command.prepare(room)
        with self._beside(command, room):
            running = self._whole(command, room)
        command.between(room)
        return running

    def _whole(self, command: Command, room: Room) -> Running:
        """Run a command to its end; Wrong where it fails."""
        running = self._begin(command, room)
        self._until_done(command, room, running)
        is_excused = running.code == 1 and command.excuse and command.excuse in running.err
        if running.code and not is_excused:
            raise Wrong(f"undisturbed, exit code {running.code}: {_last(running.err)}")
        if complaint := judge.complaint(running):
            raise Wrong(complaint)
        return running

    def _begin(self, command: Command, room: Room) -> Running:
        return room.begin(*map(str, command.arguments(self._bases, room)))

    def _until_done(self, command: Command, room: Room, running: Running) -> None:
        """Wait until a command ends; one that would go on is ended when it has done all."""
        if command.feed:
            deadline = time.monotonic() + PATIENCE
            while not running.has_ended and not (command.feed(room) and room.has_idle_session()):
                if time.monotonic() > deadline:
                    raise Wrong(f"it had not done all in {PATIENCE:g} s: {_last(running.err)}")
                time.sleep(FEED_EVERY)
            running.seconds = running.seconds or time.monotonic() - running.started
            running.signal(signal.SIGTERM)
        running.wait()

    def _outcome(self, command: Command, room: Room, running: Running) -> Outcome:
        """What a command has made, after all steps; Wrong where it has left something behind."""
        command.after(room)
        outcome = command.outcome(room, running)
        if left := judge.leftovers(room):
            raise Wrong(f"left behind: {'; '.join(left)}")
        return outcome

    def _attempt(self, command: Command, kill: Kill, name: str, trial: Trial) -> str | Measured:
        """Kill a command once: how it ended, in words, or what it took if it ended before."""
        chance = trial.chance()
        wanted = self._baseline(trial.command)
        with self._room(command, name, disk=kill.disk) as room:
            command.prepare(room)
            with self._beside(command, room), kill.around(room):
                running = self._begin(command, room)
                was_struck = self._strike(command, kill, room, running)
                if not was_struck:
                    running.signal(signal.SIGTERM)
                    running.wait()
                    return kill.measured_again(running)
                self._end(command, kill, room, running)
            if kill.ends_client and not running.code and not command.feed:
                return kill.measured_again(running)  # it ended at the same moment
            self._require_ending(command, kill, running)
            # Now and then the command has to start the server itself.
            is_left = kill.is_left_down and command.is_plain and chance.random() < 0.5
            if not is_left:
                kill.mend(room)
                command.committed(room)
                command.between(room)
                if isinstance(kill, PowerAfterwards) and command.is_plain:
                    self._compare(command.outcome(room, running), wanted, room)
            code = running.code
            with self._beside(command, room):
                running = self._whole(command, room)
            self._compare(self._outcome(command, room, running), wanted, room)
        return f"exit code {code}, again {running.seconds:.1f} s"

    def _strike(self, command: Command, kill: Kill, room: Room, running: Running) -> bool:
        """Kill at the moment; False where the command has ended, or done all, before."""
        fed = time.monotonic()
        while not running.has_ended:
            if kill.is_due(running) and kill.strike(room, running):
                return True
            if command.feed and time.monotonic() - fed > FEED_EVERY:
                if command.feed(room):
                    break
                fed = time.monotonic()
            time.sleep(0.002)
        if isinstance(kill, PowerAfterwards):
            self._until_done(command, room, running)
            return kill.strike(room, running)
        running.seconds = running.seconds or time.monotonic() - running.started
        return False

    def _end(self, command: Command, kill: Kill, room: Room, running: Running) -> None:
        """Wait until a command has ended that was struck; one that goes on has to do all first."""
        if command.feed and not kill.ends_client and not running.has_ended:
            time.sleep(kill.lasts)
            kill.mend(room)
            self._until_done(command, room, running)
        else:
            running.wait()

    def _require_ending(self, command: Command, kill: Kill, running: Running) -> None:
        """Wrong where a command that was struck has not ended as it may."""
        if running.code not in kill.codes:
            raise Wrong(f"killed, exit code {running.code}: {_last(running.err)}")
        if complaint := judge.complaint(running):
            raise Wrong(complaint)
        if command.feed and running.code == 1 and command.works in running.err:
            raise Wrong(f"it goes on no more: {_last(running.err)}")

    def _compare(self, outcome: Outcome, wanted: Outcome, room: Room) -> None:
        if difference := judge.difference(outcome, wanted):
            (room.folder / "difference.txt").write_text(difference)
            raise Wrong(difference)

    @contextmanager
    def _room(self, command: Command, name: str, *, disk: bool = False) -> Iterator[Room]:
        """A room for a command, which is cleared afterwards; kept where something is wrong."""
        base = command.base(self._bases) if command.base else None
        if disk and command.disk == "out" and self._campaign.disk.problem:
            disk = False  # files are forbidden instead
        room = Room(self._campaign, name, base, command.disk if disk else "")
        try:
            yield room
        except BaseException:
            room.keep()
            raise
        else:
            room.clear()

    @contextmanager
    def _beside(self, command: Command, room: Room) -> Iterator[None]:
        """Run the command beside it; Wrong unless it ends as it should, whatever happens."""
        if not command.beside:
            yield
            return
        other = room.begin(*command.beside)
        deadline = time.monotonic() + PATIENCE
        while not room.has_idle_session():
            if other.has_ended or time.monotonic() > deadline:
                raise Wrong(f"beside it, nothing waits: {_last(other.err)}")
            time.sleep(FEED_EVERY)
        yield
        other.signal(signal.SIGTERM)
        other.wait()
        if other.code or judge.complaint(other):
            raise Wrong(f"beside it, exit code {other.code}: {_last(other.err)}")


def _last(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "not a word"
