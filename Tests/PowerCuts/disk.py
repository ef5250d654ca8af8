"""The watched disk of a database, from the side of whoever tests with it."""

from __future__ import annotations

import ctypes
import errno
import os
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent


def build_disk(folder: Path) -> Path:
    """Compiles `disk.c`."""
    library = folder / "disk.so"
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", "-o", str(library), str(HERE / "disk.c"),
         "-ldl", "-lpthread"], check=True)
    return library


class Disk:
    """The watched disk of one database: its library, and the environment that lets a program use it."""

    def __init__(self, folder: Path, database: Path, synchronous="FULL"):
        self.log = folder / "disk.log"
        library = build_disk(folder)
        self._library = ctypes.CDLL(str(library))
        control = folder / "disk.control"
        if self._library.disk_prepare(os.fsencode(control)) or self._library.disk_attach(
                os.fsencode(control), os.fsencode(self.log)):
            raise OSError("the disk's control file could not be made")
        self.environment = {
            "LD_PRELOAD": str(library), "PORTER_DISK_DATABASE": str(database), "PORTER_DISK_LOG": str(self.log),
            "PORTER_DISK_CONTROL": str(control), "PORTER_DISK_SYNCHRONOUS": synchronous,
        }

    def fail(self, writes=0, syncs=0, checkpoints=0, error=errno.EIO) -> None:
        """Lets so many writes and syncs of the database's files, and syncs of it without its log, fail from now on."""
        self._library.disk_fail(writes, syncs, checkpoints, error)

    @property
    def failures_left(self) -> int:
        return self._library.disk_failures_left()

    def kill(self, pid: int) -> None:
        """SIGKILL to a child, at no moment between a change and its record."""
        if self._library.disk_kill(pid):
            raise OSError(f"process {pid} could not be killed")
