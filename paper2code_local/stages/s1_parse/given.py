"""What the user gave, read once and safely.

In: a path. Out: a `Given`, bytes in memory and the digest by which the run is known. Must not know what a paper looks
like inside, beyond telling LaTeX from the rest.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from paper2code_local.errors import InputError

MAX_BYTES = 200_000_000
"""Of everything that is read, uncompressed."""


@dataclass(frozen=True)
class Given:
    """The paper as it was given, before anything is understood of it."""

    name: str
    """Of the file or folder."""
    files: Mapping[str, bytes]
    """Posix names inside the folder or archive → bytes; one entry for a single file that is not LaTeX."""
    main: str
    """The entry to start from: the main .tex file, or the only entry."""
    sha256: str
    """Of the bytes of a file or archive; of names and digests of what was read when that is several loose files."""
    warnings: tuple[str, ...] = ()
    """For the user, e.g. which of several main files was chosen: they belong in front of the paper's own."""


def given(path: Path) -> Given:
    """Read the paper at `path`.

    Raises InputError: `unreadable`, `not_a_file`, `too_large`, `empty`.
    """
    data = read_file(path)
    if not data.strip():
        raise InputError("empty", f"{path.name} is empty", "Download or export the paper again.")
    return Given(path.name, {path.name: data}, path.name, hashlib.sha256(data).hexdigest())


def read_file(path: Path, limit: int = MAX_BYTES) -> bytes:
    """Return the bytes of a regular file; a device or pipe is never read. Raises InputError."""
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as stream:  # a pipe must not make us wait
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                raise InputError("not_a_file", f"{path} is neither a file nor a folder", "Give the paper itself.")
            data = stream.read(limit + 1)
    except OSError as error:
        raise InputError("unreadable", f"{path} cannot be read: {error.strerror}", "Check the path.") from error
    if len(data) > limit:
        raise InputError("too_large", f"{path.name} is larger than {limit // 1_000_000} MB", "Give the paper alone.")
    return data
