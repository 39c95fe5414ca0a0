"""Several processes that train one model together, on one machine or on many; MPI joins them.

Started by `mpiexec -n 4 python train.py`, each of them, a *rank*, runs the same program on the same data, and
`model.fit(..., distribute=True)` lets each compute its share of every batch.
"""

from __future__ import annotations

import functools
import os
import sys
import time
import traceback
import warnings
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .execution.parallel import share_cores
from .files.atomic import leave_writing_to_others

__all__ = ["rank", "size"]

Array = NDArray[Any]

STARTED = {"PMI_RANK", "PMIX_RANK", "OMPI_COMM_WORLD_RANK"}  # what the `mpiexec` of several MPIs sets
PATIENCE = 2.0  # seconds that an error of another rank waits for the first rank's, which says it for all


def rank() -> int:
    """Return the number of this process among those that `mpiexec` started, from 0.

    Returns:
        0 also where there is no MPI.

    Example:
        >>> rank()
        0
    """
    return ranks().number if _is_started() else 0


def size() -> int:
    """Return how many processes `mpiexec` started.

    Returns:
        1 also where there is no MPI.

    Example:
        >>> size()
        1
    """
    return ranks().size if _is_started() else 1


def _is_started() -> bool:
    """Return whether this process was started by `mpiexec`, or uses MPI already."""
    return "mpi4py.MPI" in sys.modules or not STARTED.isdisjoint(os.environ)


class Ranks:
    """The processes, and what they tell each other.

    Args:
        world: mpi4py's communicator of all of them.
    """

    def __init__(self, world: Any) -> None:
        self.world, self.number, self.size = world, int(world.rank), int(world.size)

    def share(self, count: int, number: int | None = None) -> range:
        """Return which of so many things, in order, are a rank's.

        Args:
            count: how many things there are.
            number: the rank's; default: this one's.
        """
        number = self.number if number is None else number
        first, end = (-(-count * n // self.size) for n in (number, number + 1))
        return range(first, end)

    def tell(self, own: Any) -> list[Any]:
        """Return what each rank gives, in the order of the ranks."""
        told: list[Any] = self.world.allgather(own)
        return told

    def agree(self, own: Any, what: str) -> None:
        """Raise ValueError unless all ranks give the same."""
        if len({*self.tell(own)}) > 1:
            raise ValueError(
                f"fit: with distribute=True, all ranks must train on the same, and their {what} differ: give "
                "the model a seed, and let every rank load the same data in the same order."
            )

    def follow_first(self, array: Array) -> None:
        """Write what the first rank has in an array into that of all others."""
        self.world.Bcast(array, 0)

    def exchange(self, own: Array, rows: list[int]) -> Array:
        """Return one part of the elements of all ranks' vectors; each rank gets another part.

        Args:
            own: (rows[number], N) this rank's vectors.
            rows: how many vectors each rank has.

        Returns:
            (sum(rows), share(N)), in the order of the ranks.
        """
        parts = [self.share(own.shape[1], number) for number in range(self.size)]
        sent = np.concatenate([own[:, part.start : part.stop].ravel() for part in parts])
        width = len(parts[self.number])
        received = np.empty((sum(rows), width), own.dtype)
        sizes = [len(own) * len(part) for part in parts], [count * width for count in rows]
        self.world.Alltoallv([sent, sizes[0]], [received, sizes[1]])
        return received

    def join(self, part: Array, elements: int) -> Array:
        """Return the vector of so many elements of which each rank has its share."""
        whole = np.empty(elements, part.dtype)
        sizes = [len(self.share(elements, number)) for number in range(self.size)]
        self.world.Allgatherv(np.ascontiguousarray(part), [whole, sizes])
        return whole


@functools.cache
def ranks() -> Ranks:
    """Return the processes; the first call lets this one be one of them.

    From then on only the first rank prints warnings and writes files, all share the cores of a machine, and
    an exception that nobody catches ends all ranks.

    Raises:
        ImportError: mpi4py is not there.
    """
    try:
        from mpi4py import MPI
    except (ImportError, RuntimeError) as error:
        raise ImportError(
            "distribute=True needs mpi4py and an MPI: python -m pip install mpi4py mpich, and start the "
            f"program by mpiexec -n 4 python ... ({error})"
        ) from error
    found = Ranks(MPI.COMM_WORLD)
    if found.size > 1:
        together = MPI.COMM_WORLD.Split_type(MPI.COMM_TYPE_SHARED).size  # on this machine
        share_cores(together)
        if found.number:
            warnings.simplefilter("ignore")
            leave_writing_to_others()
        sys.excepthook = functools.partial(_end_all, found)
    return found


def _end_all(
    found: Ranks, kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Say what happened, once, and end all ranks: they would wait for this one for ever."""
    if found.number:
        time.sleep(PATIENCE)
    print(f"Rank {found.number} of {found.size} ends all:", file=sys.stderr)
    traceback.print_exception(kind, error, trace)
    sys.stderr.flush()
    found.world.Abort(1)
