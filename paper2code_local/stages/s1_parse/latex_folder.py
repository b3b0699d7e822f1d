"""Files by name inside one folder, and nothing outside of it.

In: a folder. Out: names, and the bytes of a name. Must not know LaTeX.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Protocol

from paper2code_local.errors import InputError

MAX_BYTES = 200_000_000
"""Of everything that is read, uncompressed."""
MAX_TEXT = 20_000_000
"""Of one file that a LaTeX document reaches."""
MAX_ENTRIES = 20_000
OUTSIDE = "{} was left out: it points outside of the folder."
TOO_LARGE = f"{{}} was left out: it is larger than {MAX_TEXT // 1_000_000} MB."


class Tree(Protocol):
    """Files by name: of a folder, or of an archive in memory. Names are posix, relative, and stay inside."""

    warnings: list[str]
    """What was left out, for the user."""

    def names(self) -> list[str]:
        """Return the names of all files. Raises InputError (`too_many`)."""

    def read(self, name: str) -> bytes | None:
        """Return a file's bytes; None when there is none of that name or it may not be read."""


class Folder:
    """A folder on disk. Links are followed only while they stay inside; devices and pipes are not files."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.warnings: list[str] = []

    def names(self) -> list[str]:
        """Return the names of all files; hidden folders are passed over and links to folders not followed."""
        found: list[str] = []
        seen = 0
        for folder, inside, files in os.walk(self.root):
            inside[:] = sorted(name for name in inside if not name.startswith("."))
            seen += len(inside) + len(files)
            if seen > MAX_ENTRIES:
                raise too_many(self.root.name)
            found += [Path(folder, name).relative_to(self.root).as_posix() for name in files]
        return sorted(found)

    def read(self, name: str) -> bytes | None:
        """Return the bytes of a regular file inside."""
        try:
            path = (self.root / name).resolve()
            if not path.is_relative_to(self.root):
                self._warn(OUTSIDE.format(name))
                return None
            return read_file(path, MAX_TEXT) if path.is_file() else None
        except (OSError, RuntimeError, ValueError):  # a loop of links, a name too long or with a NUL
            return None
        except InputError as error:
            self._warn(f"{name} was left out: {error.message}.")
            return None

    def _warn(self, warning: str) -> None:
        if warning not in self.warnings:
            self.warnings.append(warning)


def read_file(path: Path, limit: int) -> bytes:
    """Return the bytes of a regular file; a device or pipe is never read.

    Raises InputError: `unreadable`, `not_a_file`, `too_large`.
    """
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


def too_many(name: str) -> InputError:
    """Return the error for a folder or archive with more entries than a paper has."""
    return InputError("too_many", f"{name} holds more than {MAX_ENTRIES:,} entries", "Give the paper's own files only.")
