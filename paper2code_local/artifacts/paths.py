"""Paths inside a generated repository: parsed once, trusted afterwards."""

from __future__ import annotations

import keyword
import re
import sys
from pathlib import PurePosixPath
from typing import Annotated

from pydantic import AfterValidator

STEM = r"[a-z][a-z0-9_]{0,30}"
PATTERN = rf"^({STEM}/){{0,2}}{STEM}\.py$"
"""What a model may call a file: at most two folders deep, Python only."""
_WHOLE = re.compile(PATTERN)


def _checked(path: str) -> str:
    if not _WHOLE.fullmatch(path):
        raise ValueError(f"{path!r} is not a Python file inside the repository")
    if problem := unusable(path):
        raise ValueError(f"{path!r} {problem}")
    return path


RepoPath = Annotated[str, AfterValidator(_checked)]
"""A relative POSIX path of a Python file inside the repository, whose parts are importable names."""


def unusable(path: str) -> str | None:
    """Return why a well-formed path cannot be a module of ours: a keyword, a shadowed standard module or package."""
    parts = PurePosixPath(path).with_suffix("").parts
    if any(keyword.iskeyword(part) or keyword.issoftkeyword(part) for part in parts):
        return "uses a Python keyword"
    if parts[0] in sys.stdlib_module_names or parts[0] in SHADOWED:
        return f"would shadow the module {parts[0]}"
    return None


SHADOWED = frozenset(
    {"torch", "numpy", "yaml", "scipy", "sklearn", "pandas", "transformers", "datasets", "tqdm", "tests", "docs"}
)
"""Packages that generated code imports, and folders that are not modules: no file of ours may take their names."""


def module_of(path: str) -> str:
    """Return the dotted module name of a file: "data/loader.py" → "data.loader"."""
    return ".".join(PurePosixPath(path).with_suffix("").parts)
