"""How many cores a process may use, by folders as Linux shows them."""

from __future__ import annotations

import os

import pytest

from tinynet.execution.cores import available_cores

V2 = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
V1 = (
    "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n"
    "33 31 0:31 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
    "32 31 0:29 {root} /sys/fs/cgroup/cpu,cpuacct rw master:9 - cgroup cgroup rw,cpu,cpuacct\n"
)


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """Makes the folders of a machine with 6 cores, and returns the number of cores that are counted."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 1, 2, 5, 8, 9}, raising=False)

    def cores(group, mounts, limits):
        for name, text in {"proc/self/cgroup": group, "proc/self/mountinfo": mounts, **limits}.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return available_cores(tmp_path)

    return cores


@pytest.mark.parametrize(
    ("limit", "cores"),
    [
        ("max 100000", 6), ("200000 100000", 2), ("150000 100000", 2), ("50000 100000", 1),
        ("900000 100000", 6), ("", 6), ("nonsense", 6), ("10 0", 6),
    ],
)  # fmt: skip
def test_affinity_and_container_limit_the_cores(machine, limit, cores):
    assert machine("0::/\n", V2, {"sys/fs/cgroup/cpu.max": limit + "\n"}) == cores


@pytest.mark.parametrize(
    ("limits", "cores"),
    [
        ({"": "max 100000", "/a": "300000 100000", "/a/b c": "max 100000"}, 3),
        ({"/a": "max 100000", "/a/b c": "200000 100000"}, 2),
        ({"/a": "100000 100000", "/a/b c": "400000 100000"}, 1),
        ({"/other": "100000 100000"}, 6),
    ],
)
def test_the_narrowest_of_nested_groups_counts(machine, limits, cores):
    files = {f"sys/fs/cgroup{group}/cpu.max": limit + "\n" for group, limit in limits.items()}
    assert machine("0::/a/b c\n", V2, files) == cores


@pytest.mark.parametrize(("quota", "cores"), [("-1", 6), ("200000", 2), ("250000", 3), ("1000", 1)])
@pytest.mark.parametrize(
    ("root", "path", "folder"),
    [
        ("/", "/", ""),
        ("/", "/batch/job", "/batch/job"),
        ("/", "/batch/job", "/batch"),  # the limit is that of the group around
        ("/docker/4f", "/docker/4f", ""),  # a container that sees its own group only
        ("/docker/4f", "/docker/4f/inner", "/inner"),
        ("/docker/4f", "/../../elsewhere", ""),
    ],
)
def test_quotas_of_version_1_count(machine, quota, cores, root, path, folder):
    group = f"4:cpu,cpuacct:{path}\n3:cpuset:/else\n0::/\n"
    place = "sys/fs/cgroup/cpu,cpuacct" + folder
    files = {f"{place}/cpu.cfs_quota_us": quota + "\n", f"{place}/cpu.cfs_period_us": "100000\n"}
    assert machine(group, V1.format(root=root), files) == cores


@pytest.mark.parametrize(("group", "mounts"), [("", ""), ("nonsense\n", "nonsense - \n\n"), ("0::/\n", V1)])
def test_folders_that_say_nothing_limit_nothing(machine, group, mounts):
    assert machine(group, mounts, {}) == 6


@pytest.mark.parametrize(("counted", "cores"), [(5, 5), (None, 1)])
def test_cores_where_there_is_no_affinity(monkeypatch, tmp_path, counted, cores):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: counted)
    assert available_cores(tmp_path) == cores
