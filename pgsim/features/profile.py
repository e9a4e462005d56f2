"""A profile defines what a vector is made of: feature sets, their paths, transforms and weights."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pgsim.errors import UsageError
from pgsim.features.forms import FORMS
from pgsim.features.metrics import GENRE_LABELS, METRICS
from pgsim.regular_file import read_small

SHIPPED = Path(__file__).parent / "profiles"
TRANSFORMS = ("zscore", "rank", "isotropic", "hellinger", "unit", "log")
AGGREGATES = ("median", "mean")
LARGEST = 2**26  # bytes of a profile; a map of 512 dimensions takes a tenth of that
# Below this share a set could not be searched by itself: float32 rounding would hide its part.
LEAST_WEIGHT = 0.001
# Of the directions of a map, so that it has an inverse, by which an explanation finds the values.
LEAST_STRETCH = 1e-4
# The most dimensions that pgvector's HNSW index takes: of a `vector`, and of a `halfvec`, which has
# half the precision.
WHOLE_DIMENSIONS, MOST_DIMENSIONS = 2000, 4000

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
# The keys of a profile's [columns]: what a table can hold about a recording beside its features.
COLUMN_KEYS = (
    "mbid",
    "id",
    "number",
    "title",
    "artist",
    "artist_mbid",
    "album",
    "year",
    "date",
    "genre",
    "length",
    "popularity",
    "url",
)
# Keys of [columns] that are no columns, but say how cells are read.
CELL_KEYS = ("length_unit", "artist_separators", "genre_separators", "nothing")
# How many units of length are a second; a sample rate, such as "44100 Hz", is a unit too.
UNITS = {
    "seconds": 1.0,
    "milliseconds": 1e3,
    "microseconds": 1e6,
    "nanoseconds": 1e9,
    "minutes": 1 / 60,
}
_RATE = re.compile(r"([1-9][0-9]{0,6}) Hz")
_PROFILE_KEYS = {"name", "extractor", "genre_scheme", "columns", "set", "map"}
_SET_KEYS = {"name", "path", "form", "length", "transform", "aggregate", "weight", "map"}


Rows = tuple[tuple[float, ...], ...]  # of a matrix


@dataclass(frozen=True, slots=True)
class FeatureSet:
    """A named slice of the vector.

    `map` is a symmetric positive definite matrix that its standardised values are multiplied by,
    (length, length) by rows; None for none. `pgsim tune` learns it.
    """

    name: str
    paths: tuple[str, ...]
    form: str
    length: int
    transform: str
    aggregate: str
    weight: float
    position: int
    map: Rows | None = None

    @property
    def slice(self) -> slice:
        """Return where the set lies in a (dimensions,) array."""
        return slice(self.position, self.position + self.length)

    @property
    def labels(self) -> list[str]:
        """Return each dimension's name: a classifier's label, the end of its path, or a number."""
        if len(self.paths) == 1 and len(GENRE_LABELS.get(self.paths[0], ())) == self.length:
            return list(GENRE_LABELS[self.paths[0]])
        if len(self.paths) == self.length:
            return [path.removesuffix(".mean").rsplit(".", 1)[-1] for path in self.paths]
        return [f"{self.name} {number}" for number in range(1, self.length + 1)]


@dataclass(frozen=True, slots=True)
class Profile:
    """The feature sets of one vector space, in the order in which they lie in the vector.

    `columns` says which column of a table has the recording's title and so on, as (key, column)
    pairs in the order of COLUMN_KEYS, and then how cells are read, by CELL_KEYS. An `id` can be
    several columns together. If there are any, the paths of the sets are columns too.

    `map` is a matrix like that of a set, (dimensions, dimensions), for the whole vector. With it a
    set is no slice of the vector, and has no distance of its own.
    """

    name: str
    extractor: str
    genre_scheme: str
    sets: tuple[FeatureSet, ...]
    columns: tuple[tuple[str, str | tuple[str, ...]], ...] = ()
    map: Rows | None = None

    def __hash__(self) -> int:
        """Return the hash of the name, since a hash is needed for every document."""
        return hash(self.name)

    @property
    def dimensions(self) -> int:
        """Return the length of the vector."""
        return sum(each.length for each in self.sets)

    def set(self, name: str) -> FeatureSet:
        """Return the feature set of that name; UsageError if there is none."""
        for each in self.sets:
            if each.name == name:
                return each
        known = ", ".join(each.name for each in self.sets)
        raise UsageError(f"unknown feature set '{name}'; known: {known}")


def read_profile(name_or_path: str) -> Profile:
    """Return a shipped profile by its name, or that of a TOML file.

    UsageError if there is no such profile, or if it has a fault.
    """
    path = _find(name_or_path)
    try:
        text = read_small(path, LARGEST).decode("utf-8")
    except OSError as error:
        raise UsageError(f"cannot read profile {path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"profile {path} is not UTF-8: {error.reason}") from None
    return parse_profile(text, path)


def parse_profile(text: str, path: Path) -> Profile:
    """Return the profile in a text of TOML; UsageError, which names `path`, if it has a fault."""
    try:
        return _profile(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"profile {path} is not TOML: {error}") from None
    except RecursionError:
        raise UsageError(f"profile {path} is nested too deeply: no key needs that") from None
    except UsageError as error:
        raise UsageError(f"profile {path}: {error}") from None


def shipped_names() -> list[str]:
    """Return the names of the shipped profiles."""
    return sorted(each.stem for each in SHIPPED.glob("*.toml"))


def _find(name_or_path: str) -> Path:
    if _NAME.fullmatch(name_or_path) and (SHIPPED / f"{name_or_path}.toml").is_file():
        return SHIPPED / f"{name_or_path}.toml"
    path = Path(name_or_path)
    if not path.exists():
        known = ", ".join(shipped_names())
        raise UsageError(f"unknown profile '{name_or_path}': no such file; shipped: {known}")
    return path


def _profile(table: dict[str, Any]) -> Profile:
    _known_keys(table, _PROFILE_KEYS, "the profile")
    name, extractor, genre_scheme = (
        _text(table, key, "the profile") for key in ("name", "extractor", "genre_scheme")
    )
    columns = _columns(table["columns"]) if "columns" in table else ()
    tables = table.get("set")
    if not isinstance(tables, list) or not tables:
        raise UsageError("no feature set; give at least one [[set]]")
    weights = [_weight(each) for each in tables]
    total = sum(weights)
    sets: list[FeatureSet] = []
    position = 0
    for each, weight in zip(tables, weights, strict=True):
        sets.append(_feature_set(each, weight / total, position, bool(columns)))
        position += sets[-1].length
    names = [each.name for each in sets]
    for each_name in names:
        if names.count(each_name) > 1:
            raise UsageError(f"two sets are named '{each_name}': rename one")
    if position > MOST_DIMENSIONS:
        raise UsageError(
            f"{position} dimensions; pgvector's HNSW index takes at most {MOST_DIMENSIONS}:"
            " leave a set out, or shorten one, by PCA for instance"
        )
    across = _map(table["map"], position, "the profile") if "map" in table else None
    return Profile(name, extractor, genre_scheme, tuple(sets), columns, across)


def _columns(table: Any) -> tuple[tuple[str, str | tuple[str, ...]], ...]:
    where = "[columns]"
    if not isinstance(table, dict):
        raise UsageError(f"columns {table!r} is not a table; write [columns]")
    _known_keys(table, {*COLUMN_KEYS, *CELL_KEYS}, where)
    if not {"mbid", "id"} & table.keys():
        raise UsageError("[columns] needs the column of the 'mbid', or of the source's own 'id'")
    units_a_second(table.get("length_unit", "seconds"))
    return tuple(
        (key, _texts(table, key, where) if key in ("id", "nothing") else _text(table, key, where))
        for key in (*COLUMN_KEYS, *CELL_KEYS)
        if key in table
    )


def units_a_second(unit: Any) -> float:
    """Return how many of a `length_unit` are a second; UsageError if it is no unit of length."""
    if isinstance(unit, str):
        if unit in UNITS:
            return UNITS[unit]
        if rate := _RATE.fullmatch(unit):
            return float(rate[1])
    known = ", ".join(UNITS)
    raise UsageError(
        f"[columns]: unknown length_unit {unit!r}; known: {known}, or a sample rate as '44100 Hz'"
    )


def _feature_set(
    table: dict[str, Any], share: float, position: int, in_columns: bool
) -> FeatureSet:
    name = _text(table, "name", "a set")
    where = f"set '{name}'"
    if not _NAME.fullmatch(name):
        raise UsageError(f"{where}: a name has lower-case letters, digits and '_' only")
    _known_keys(table, _SET_KEYS, where)
    # Weights that sum to 1 can have shares that differ from them in the last bit.
    if share < LEAST_WEIGHT * (1 - 1e-9):
        raise UsageError(f"{where}: its share of the weights is {share:.3g}, below {LEAST_WEIGHT}")
    paths, form, length = _read_from(table, name, where, in_columns)
    return FeatureSet(
        name,
        paths,
        form,
        length,
        _choice(table, "transform", TRANSFORMS, where),
        _choice(table, "aggregate", AGGREGATES, where),
        share,
        position,
        _map(table["map"], length, where) if "map" in table else None,
    )


def _read_from(
    table: dict[str, Any], name: str, where: str, in_columns: bool
) -> tuple[tuple[str, ...], str, int]:
    """Return paths, form and length: those of the metric, or those that the set gives."""
    if "path" not in table:
        metric = METRICS.get(name)
        if metric is None or metric.of != name:
            known = ", ".join(each for each, metric in METRICS.items() if metric.of == each)
            raise UsageError(f"{where}: no 'path', and not one of the metrics {known}")
        if own := {"form", "length"} & table.keys():
            raise UsageError(f"{where}: the metric defines '{min(own)}'; leave it out")
        return metric.paths, metric.form, metric.length
    path = table["path"]
    paths = tuple(path) if isinstance(path, list) else (path,)
    is_path = all if not in_columns else any  # a column's name may have dots anywhere
    if not paths or not all(isinstance(each, str) and is_path(each.split(".")) for each in paths):
        kind = "column" if in_columns else "dotted path"
        raise UsageError(f"{where}: path {path!r} is neither a {kind} nor a list of them")
    form = FORMS[_choice({"form": "numbers", **table}, "form", tuple(FORMS), where)]
    if form.paths not in (None, len(paths)):
        raise UsageError(f"{where}: form '{form.name}' needs {form.paths} paths, not {len(paths)}")
    length = table.get("length", form.length)
    if type(length) is not int or length < 1:
        raise UsageError(f"{where}: length {length!r} is not a number of dimensions")
    if form.length not in (None, length):
        raise UsageError(f"{where}: form '{form.name}' has {form.length} dimensions, not {length}")
    return paths, form.name, length


def _map(rows: Any, length: int, where: str) -> Rows:
    """Return the matrix; UsageError unless it is symmetric and positive definite."""
    try:
        matrix = np.array(rows, np.float64)
    except (TypeError, ValueError):
        matrix = np.empty(0)
    if matrix.shape != (length, length):
        raise UsageError(f"{where}: the map is not {length} rows of {length} numbers")
    if not np.isfinite(matrix).all() or not np.allclose(matrix, matrix.T, rtol=1e-6, atol=0):
        raise UsageError(f"{where}: the map is not symmetric: its row n must equal its column n")
    shares = np.linalg.eigvalsh(matrix)
    if shares[0] < LEAST_STRETCH * shares[-1]:
        raise UsageError(
            f"{where}: the map stretches one direction {shares[0]:.3g} and another"
            f" {shares[-1]:.3g}; the least must be at least {LEAST_STRETCH} of the most"
        )
    return tuple(map(tuple, matrix.tolist()))


def _weight(table: Any) -> float:
    if not isinstance(table, dict):
        raise UsageError(f"set {table!r} is not a table; write [[set]]")
    weight: Any = table.get("weight")
    if type(weight) not in (int, float) or not LEAST_WEIGHT <= weight < float("inf"):
        name = table.get("name")
        raise UsageError(f"set {name!r}: weight {weight!r} is not a number from {LEAST_WEIGHT} up")
    return float(weight)


def _known_keys(table: dict[str, Any], known: set[str], where: str) -> None:
    for key in table.keys() - known:
        raise UsageError(f"unknown key '{key}' in {where}; known: {', '.join(sorted(known))}")


def _text(table: dict[str, Any], key: str, where: str) -> str:
    value = table.get(key)
    if not isinstance(value, str) or not value:
        raise UsageError(f"{where} needs a '{key}', a text; it is {value!r}")
    return value


def _texts(table: dict[str, Any], key: str, where: str) -> str | tuple[str, ...]:
    """Return a text, or a list of texts as a tuple."""
    value = table.get(key)
    if not isinstance(value, list):
        return _text(table, key, where)
    if not value or not all(isinstance(each, str) and each for each in value):
        raise UsageError(f"{where} needs a '{key}', a text or a list of texts; it is {value!r}")
    return tuple(value)


def _choice(table: dict[str, Any], key: str, known: tuple[str, ...], where: str) -> str:
    value = table.get(key)
    if value not in known:
        raise UsageError(f"{where}: unknown {key} {value!r}; known: {', '.join(known)}")
    return str(value)
