"""A check of a database: a function, and what it finds.

The first line of the function's docstring is what should be true. The function returns None where
it is, and else what is true instead, in words that stand by themselves. The cure stands beside the
function, or in its answer.
"""

from collections.abc import Callable
from dataclasses import dataclass

from pgsim.postgres.connection import Connection

OK, NOTE, WARNING, PROBLEM = "ok", "note", "warning", "problem"


@dataclass(frozen=True, slots=True)
class Wrong:
    """A fact that contradicts a check, with its cure."""

    what: str
    cure: str


Answer = str | Wrong | None
Function = Callable[[Connection], Answer]


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of a check: its level and, where that is not ok, what is wrong and the cure."""

    check: str
    title: str
    level: str
    wrong: str | None = None
    cure: str | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """A question to the database, asked only where the check that it stands on found all well."""

    ask: Function
    level: str
    cure: str | None
    after: Function | None

    def finding(self, wrong: Answer) -> Finding:
        """The finding that an answer makes."""
        name, title = self.ask.__name__, (self.ask.__doc__ or "").removesuffix(".")
        if wrong is None:
            return Finding(name, title, OK)
        if isinstance(wrong, Wrong):
            return Finding(name, title, self.level, wrong.what, wrong.cure)
        return Finding(name, title, self.level, wrong, self.cure)


def registering(
    checks: list[Check],
) -> Callable[..., Callable[[Function], Function]]:
    """The decorator that puts checks into a list.

    It takes the level of a check that fails, the cure, and the check that it stands on.
    """

    def check(
        level: str, cure: str | None = None, after: Function | None = None
    ) -> Callable[[Function], Function]:
        def register(ask: Function) -> Function:
            checks.append(Check(ask, level, cure, after))
            return ask

        return register

    return check
