"""The changes that are tried, one after the other."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from pgsim.features.profile import LEAST_WEIGHT, FeatureSet
from pgsim.tuning.lda import METHODS
from pgsim.tuning.measure import Gain
from pgsim.tuning.trial import State, Trial

_LEAST_LENGTH = 3  # dimensions of a set that a map is learned for: a circle stays a circle
_FACTORS = (2.0, 0.5)  # of a set's weight


@dataclass(frozen=True, slots=True)
class Step:
    """A change that was tried: the precision before and after it, on artists it did not learn from.

    The gain lies between `low` and `high`, at 95 %. `kept` is whether the change was.
    """

    sets: str
    change: str
    before: float
    after: float
    low: float
    high: float
    kept: bool


def steps(
    trial: Trial, sets: Sequence[FeatureSet], state: State, *, across_sets: bool
) -> Iterator[tuple[Step, State]]:
    """Yield each change that is tried, and the state after it."""
    scored = [each.name for each in sets if each.transform == "zscore"]
    wide = [each.name for each in sets if each.length >= _LEAST_LENGTH]
    # First all sets at once, where a gain is surest; then each by itself, or all but each.
    for names, change, none, ways in (
        (scored, "normal scores", {"transform": "zscore"}, [{"transform": "rank"}]),
        (wide, "map", {"method": None}, [{"method": method} for method in METHODS]),
    ):
        if not names:
            continue
        best = _best(trial, state, [state.changed(names, **way) for way in ways])
        step, state = _attempt(trial, ", ".join(names), change, state, best)
        yield step, state
        for name in names if len(names) > 1 else []:
            if step.kept:
                alone = _attempt(trial, name, f"no {change}", state, state.changed([name], **none))
            else:
                best = _best(trial, state, [state.changed([name], **way) for way in ways])
                alone = _attempt(trial, name, change, state, best)
            _, state = alone
            yield alone
    for step, after in _weights(trial, [each.name for each in sets], state):
        state = after
        yield step, state
    if across_sets:
        without = state.changed(wide, method=None)
        found = [replace(without, across=method) for method in METHODS]
        yield _attempt(trial, "all sets", "one map", state, _best(trial, state, found))


def _best(trial: Trial, state: State, tried: Sequence[State]) -> State:
    """Return the state that finds most."""
    return max(tried, key=lambda each: trial.gain(state, each).after)


def _attempt(
    trial: Trial, sets: str, change: str, state: State, after: State
) -> tuple[Step, State]:
    step = _step(sets, change, trial.gain(state, after))
    return step, after if step.kept else state


def _step(sets: str, change: str, gain: Gain) -> Step:
    return Step(sets, change, gain.before, gain.after, gain.low, gain.high, kept=gain.low > 0)


def _weights(trial: Trial, names: Sequence[str], state: State) -> Iterator[tuple[Step, State]]:
    """Yield changes of weights: each is chosen on one half, and kept where the other gains too."""
    while len(names) > 1:
        tried = [(name, factor) for name in names for factor in _FACTORS]
        states = [_weighted(state, name, factor) for name, factor in tried]
        gains = [trial.gain(state, each, (False,)) for each in states]
        best = max(range(len(tried)), key=lambda place: gains[place].after)
        if not gains[best].low > 0:
            return
        name, _ = tried[best]
        change = f"weight {state.way(name).weight:.3f} to {states[best].way(name).weight:.3f}"
        step = _step(name, change, trial.gain(state, states[best], (True,)))
        state = states[best] if step.kept else state
        yield step, state
        if not step.kept:
            return


def _weighted(state: State, name: str, factor: float) -> State:
    """Return the state with a set's weight times a factor; all weights sum to 1 again."""
    weights = {each: way.weight * (factor if each == name else 1) for each, way in state.ways}
    for _ in range(2):  # a share below the least one is raised, and the sum with it
        total = sum(weights.values())
        weights = {each: max(weight / total, LEAST_WEIGHT) for each, weight in weights.items()}
    for each, weight in weights.items():
        state = state.changed([each], weight=weight)
    return state
