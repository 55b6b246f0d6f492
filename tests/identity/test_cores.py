"""How many cores a server has."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from identity import cores


@pytest.mark.parametrize(
    ("limits", "quota"),
    [
        ({}, math.inf),
        ({"": "max 100000"}, math.inf),
        ({"": "150000 100000"}, 1.5),
        ({"a": "400000 100000", "a/b": "max 100000", "a/b/c": "250000 100000"}, 2.5),
        ({"a": "100000 100000", "a/b/c": "250000 100000"}, 1.0),
        ({"a/b/c": "nonsense"}, math.inf),
    ],
)
def test_the_strictest_limit_of_its_container_counts(
    limits: dict[str, str], quota: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cores, "CGROUPS", tmp_path / "cgroups")
    for group, limit in limits.items():
        (tmp_path / "cgroups" / group).mkdir(parents=True, exist_ok=True)
        (tmp_path / "cgroups" / group / "cpu.max").write_text(limit + "\n")
    (tmp_path / "own").write_text("0::/a/b/c\n")

    assert cores._quota(str(tmp_path / "own")) == quota
    assert cores._quota(str(tmp_path / "missing")) == math.inf


@pytest.mark.parametrize(
    ("limits", "quota"),
    [
        ({}, math.inf),
        ({"a": ("-1", "100000")}, math.inf),
        ({"a": ("150000", "100000")}, 1.5),
        ({"": ("150000", "100000"), "a": ("400000", "100000")}, 1.5),
        ({"a": ("0", "0")}, math.inf),
        ({"a": ("x", "100000")}, math.inf),
    ],
)
def test_limits_of_the_first_version_count_too(
    limits: dict[str, tuple[str, str]], quota: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cores, "CGROUPS", tmp_path)
    for group, (time, period) in limits.items():
        (tmp_path / "cpu" / group).mkdir(parents=True, exist_ok=True)
        (tmp_path / "cpu" / group / "cpu.cfs_quota_us").write_text(time)
        (tmp_path / "cpu" / group / "cpu.cfs_period_us").write_text(period)
    (tmp_path / "own").write_text("5:cpu,cpuacct:/a\n4:cpuset:/b\n0::/\n")

    assert cores._quota(str(tmp_path / "own")) == quota


@pytest.mark.parametrize(("quota", "count"), [(math.inf, 4), (0.5, 1), (1.5, 2), (3.0, 3), (64.0, 4)])
def test_a_server_has_no_more_cores_than_its_container_has_time_for(quota: float, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cores, "_allowed", lambda: 4)
    monkeypatch.setattr(cores, "_quota", lambda: quota)

    assert cores.count() == count
