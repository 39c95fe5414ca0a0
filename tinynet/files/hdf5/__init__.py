"""HDF5 files, read without the HDF5 library, which damaged or hostile files can crash."""

from __future__ import annotations

from .group import Group as Group
from .group import read_hdf5 as read_hdf5
