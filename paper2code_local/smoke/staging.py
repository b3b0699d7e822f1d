"""The repository as it is tried: a copy, bounded in size, that any user may read.

In: a folder, or files that are not on a disk yet. Out: path → bytes, and a folder for the sandbox. Must not know what
is tried. The copy is what is hashed, what is run and what nobody else can change meanwhile; as root it is also what the
user number in the sandbox may read.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from paper2code_local.errors import InputError
from paper2code_local.smoke.sandbox import RUNNER

MAX_FILES = 20_000
MAX_FILE = 16 << 20
MAX_BYTES = 256 << 20
_SKIPPED = frozenset({"venv", "node_modules", "__pycache__", "site-packages"})


def files_of(root: Path) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """Read a repository: its files, and the paths of those that are too large.

    Hidden folders, virtual environments and installed packages are skipped, links are never followed. A file above
    16 MiB is left out, and what is above 256 MiB together. Raises InputError: `input.not_a_repository` without a
    Python file, `input.repository_too_large` above 20,000 files, `input.unreadable_file`.
    """
    if not root.is_dir():
        raise InputError("not_a_repository", f"{root} is not a folder.", "Give the folder of a Python repository.")
    files: dict[str, bytes] = {}
    left_out: list[str] = []
    room = MAX_BYTES
    for path in _regular(root):
        name, size = path.relative_to(root).as_posix(), path.lstat().st_size
        if len(files) >= MAX_FILES:
            hint = "Give the folder of the package itself."
            raise InputError("repository_too_large", f"{root} has more than {MAX_FILES:,} files.", hint)
        if size > min(MAX_FILE, room):
            left_out.append(name)
            continue
        files[name] = _content(path, size)
        room -= size
    if not any(name.endswith(".py") for name in files):
        hint = "Give the folder of a Python repository."
        raise InputError("not_a_repository", f"There is no Python file in {root}.", hint)
    return files, tuple(left_out)


def stage(files: Mapping[str, bytes], folder: Path) -> None:
    """Write `repo/` with `files`, and `runner.py`, into `folder`. Raises InputError (`not_a_repository`) for `..`."""
    runner = folder / "runner.py"
    runner.write_bytes(RUNNER.read_bytes())
    runner.chmod(0o644)
    root = folder / "repo"
    root.mkdir()
    root.chmod(0o755)
    for name, data in files.items():
        parts = PurePosixPath(name).parts
        if not parts or parts[0] == "/" or ".." in parts or "\0" in name:
            raise InputError("not_a_repository", f"{name!r} is no path inside a repository.", "Give relative paths.")
        at = root
        for part in parts[:-1]:
            at /= part
            at.mkdir(exist_ok=True)
            at.chmod(0o755)
        (at / parts[-1]).write_bytes(data)
        (at / parts[-1]).chmod(0o644)


def digest(files: Mapping[str, bytes]) -> str:
    """Return the sha256 of a repository's paths and contents."""
    whole = hashlib.sha256()
    for name in sorted(files):
        whole.update(hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest())
        whole.update(hashlib.sha256(files[name]).digest())
    return whole.hexdigest()


def _regular(root: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(root, followlinks=False):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in _SKIPPED)
        for name in sorted(names):
            path = Path(folder, name)
            if path.is_file() and not path.is_symlink():
                yield path


def _content(path: Path, size: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(size)
    except OSError as error:
        hint = "Make the file readable, or leave it out."
        raise InputError("unreadable_file", f"{path} cannot be read: {error.strerror}.", hint) from error
