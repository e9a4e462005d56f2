"""Processors: those of the machine, of the affinity, and of control groups that are made up."""

import os
from pathlib import Path

import pytest

from pgsim import threads
from pgsim.threads import cores, in_parts

CPU = "sys/fs/cgroup"


def control_groups(root: Path, groups: str, files: dict[str, str]) -> Path:
    for name, text in {"proc/self/cgroup": groups, **files}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.fixture(autouse=True)
def machine_of_eight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)


@pytest.mark.parametrize(
    ("groups", "files", "expected"),
    [
        # A container sees its own group as the mount.
        ("0::/\n", {f"{CPU}/cpu.max": "200000 100000\n"}, 2),
        # A part of a processor counts as one.
        ("0::/\n", {f"{CPU}/cpu.max": "250000 100000\n"}, 3),
        ("0::/\n", {f"{CPU}/cpu.max": "5000 100000\n"}, 1),
        ("0::/\n", {f"{CPU}/cpu.max": "max 100000\n"}, 8),
        ("0::/\n", {f"{CPU}/cpu.max": "6400000 100000\n"}, 8),
        # Every enclosing group limits too, whether it is wider or narrower.
        (
            "0::/user/job\n",
            {
                f"{CPU}/user/job/cpu.max": "max 100000\n",
                f"{CPU}/user/cpu.max": "300000 100000\n",
                f"{CPU}/cpu.max": "400000 100000\n",
            },
            3,
        ),
        # Version 1, in a group that is not its own mount, and without a limit.
        (
            "5:cpu,cpuacct:/box\n4:memory:/box\n",
            {
                f"{CPU}/cpu/box/cpu.cfs_quota_us": "-1\n",
                f"{CPU}/cpu/box/cpu.cfs_period_us": "100000\n",
                f"{CPU}/cpu/cpu.cfs_quota_us": "100000\n",
                f"{CPU}/cpu/cpu.cfs_period_us": "50000\n",
            },
            2,
        ),
        # The quota of a group that this process is not in.
        ("0::/mine\n", {f"{CPU}/yours/cpu.max": "100000 100000\n"}, 8),
        # What another version of Linux may write there.
        ("0::/\n", {f"{CPU}/cpu.max": ""}, 8),
    ],
)
def test_cores_are_those_that_the_control_groups_allow(
    tmp_path: Path, groups: str, files: dict[str, str], expected: int
) -> None:
    assert cores(control_groups(tmp_path, groups, files)) == expected


def test_cores_are_those_of_the_affinity_where_it_is_less(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = control_groups(tmp_path, "0::/\n", {f"{CPU}/cpu.max": "400000 100000\n"})
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {5})
    assert cores(root) == 1


def test_cores_without_affinity_or_control_groups_are_the_machines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 5)
    assert cores(tmp_path) == 5
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert cores(tmp_path) == 1


def test_work_in_parts_reaches_every_row_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_ROWS", 10)
    seen = [0] * 25

    def count(part: slice) -> None:
        for row in range(25)[part]:
            seen[row] += 1

    in_parts(count, 25)
    assert seen == [1] * 25
