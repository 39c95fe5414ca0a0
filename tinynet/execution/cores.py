"""How many cores this process may use."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path


def available_cores(root: Path = Path("/")) -> int:
    """Return how many cores this process may use: its CPU affinity and its container's limits count.

    Args:
        root: where Linux's folders /proc and /sys are.

    Returns:
        At least 1.
    """
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    for folder in _groups(root):
        if limit := _limit(folder):
            cores = min(cores, limit)
    return max(cores, 1)


def share_of_cores() -> int:
    """Return how many cores this process should use: no more than OMP_NUM_THREADS, if that is set.

    Whoever runs several processes at once sets it for each of them, as joblib (loky) and Dask do.
    """
    first = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()  # of a list, for nested threads
    cores = available_cores()
    return min(cores, int(first)) if first.isdecimal() and int(first) else cores


def _limit(folder: Path) -> int | None:
    """Return how many cores a control group may use at once, as version 2 or 1 of them says it."""
    for names in (["cpu.max"], ["cpu.cfs_quota_us", "cpu.cfs_period_us"]):
        try:
            quota, period = " ".join((folder / name).read_text() for name in names).split()
            return math.ceil(int(quota) / int(period)) if int(quota) > 0 else None
        except (OSError, ValueError, ZeroDivisionError):
            continue  # no limit ("max"), or another version
    return None


def _groups(root: Path) -> Iterator[Path]:
    """Yield the folders of the control groups that this process is in, each with all groups around it."""
    try:
        groups = (root / "proc/self/cgroup").read_text().splitlines()
        mounts = (root / "proc/self/mountinfo").read_text().splitlines()
    except (OSError, ValueError):  # not a Linux
        return
    of_controllers = {  # "4:cpu,cpuacct:/a/b" of version 1, "0::/a/b" of version 2
        controller: path
        for _, controllers, path in (line.split(":", 2) for line in groups if line.count(":") > 1)
        for controller in controllers.split(",")
    }
    for line in mounts:  # "32 31 0:29 /root /place options - kind source options"
        before, _, after = line.partition(" - ")
        fields, kind = before.split(), after.split()
        if len(fields) < 5 or not kind or kind[0] not in ("cgroup", "cgroup2"):
            continue
        controller = "cpu" if kind[0] == "cgroup" else ""
        path = of_controllers.get(controller)
        if path is None or (controller and controller not in kind[-1].split(",")):
            continue
        folder = root / fields[4].lstrip("/")
        yield folder
        if Path(path).is_relative_to(fields[3]):  # else the group lies outside of what is mounted
            for part in Path(path).relative_to(fields[3]).parts:
                folder /= part
                yield folder
