"""Writing that survives a crash: a file is there whole or not at all, and a failure says what to do."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from paper2code_local.errors import WriteError

HINTS = {
    errno.ENOSPC: "Free some disk space and run the same command again: it goes on where it stopped.",
    errno.EDQUOT: "Your disk quota is used up; free some space and run the same command again.",
    errno.EACCES: "Choose a folder that you may write to.",
    errno.EROFS: "Choose a folder on a disk that is not read-only.",
    errno.ENOTDIR: "A part of the path is a file; choose another folder.",
    errno.EEXIST: "A file stands where a folder is needed; choose another folder.",
}


def replace_file(path: Path, data: bytes) -> None:
    """Write `data` to `path`: temporary name in the same folder, flush, fsync, rename, fsync of the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name[:100]}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def writing(place: Path) -> Iterator[None]:
    """Turn what the operating system says about a write into a WriteError that says what to do."""
    try:
        yield
    except OSError as error:
        hint = HINTS.get(error.errno or 0, "Check the disk, then run the same command again.")
        raise WriteError("failed", f"cannot write to {place}: {error.strerror or error}", hint) from error
