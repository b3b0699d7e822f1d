"""A folder to the files that the gate looks at.

In: a folder, which may hold anything. Out: path → bytes. Must not know what is checked.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from paper2code_local.errors import InputError
from paper2code_local.stages.s5_validate.syntax import MAX_BYTES

MAX_FILES = 20_000

_READ = re.compile(
    r"(?:.*/)?(?:[^/]+\.py|[^/]*requirements?[^/]*\.(?:txt|in)|requirements/[^/]+\.(?:txt|in)|pyproject\.toml"
    r"|setup\.cfg|Pipfile|[^/]*(?:env|conda)[^/]*\.ya?ml|confi?g?s?/[^/]+\.ya?ml)|[^/]+\.ya?ml"
    r"|(?i:README|INSTALL|Dockerfile)[^/]*|[^/]+\.sh"
)
"""Files that say something about the code: Python, what is required, settings, and what the reader is told."""
_SKIPPED = frozenset({"venv", "node_modules", "__pycache__", "site-packages"})


def read_repository(root: Path) -> dict[str, bytes]:
    """Read the files of a repository that the gate understands, and the names of its others (with b"" for content).

    Paths are relative and POSIX. Hidden folders, virtual environments and installed packages are skipped, links are
    never followed, and of a file at most 1 MB + 1 byte is read. Raises InputError: `input.not_a_repository` when there
    is no such folder or no Python file in it, `input.repository_too_large` above 20,000 files.
    """
    if not root.is_dir():
        raise InputError("not_a_repository", f"{root} is not a folder.", "Give the folder of a Python repository.")
    files: dict[str, bytes] = {}
    for folder, folders, names in os.walk(root, followlinks=False):
        folders[:] = sorted(f for f in folders if not f.startswith(".") and f not in _SKIPPED)
        for name in sorted(names):
            path = Path(folder, name)
            if not path.is_symlink() and path.is_file():
                name = path.relative_to(root).as_posix()
                files[name] = _content(path) if _READ.fullmatch(name) else b""
        if len(files) > MAX_FILES:
            hint = "Give the folder of the package itself."
            raise InputError("repository_too_large", f"{root} has more than {MAX_FILES:,} files.", hint)
    if not any(path.endswith(".py") for path in files):
        hint = "Give the folder of a Python repository."
        raise InputError("not_a_repository", f"There is no Python file in {root}.", hint)
    return files


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        hint = "Make the file readable, or leave it out."
        raise InputError("unreadable_file", f"{path} cannot be read: {error.strerror}.", hint) from error
