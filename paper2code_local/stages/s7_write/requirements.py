"""requirements.txt: the packages that the code really imports.

In: the repository's Python files. Out: distributions, sorted. Must not know the plan: what was planned and is not
imported is not needed, what was not planned and is imported is.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass

from paper2code_local.source import outline
from paper2code_local.source.distributions import usual


@dataclass(frozen=True)
class Requirement:
    """One distribution. `known` is False where we take the import's name for the distribution's, unchecked."""

    distribution: str
    known: bool


def requirements(files: Mapping[str, str]) -> tuple[Requirement, ...]:
    """Return what `files` (path → text) import that is neither in the standard library nor in `files`.

    PyYAML is always there: main.py reads config.yaml. No versions: none was tested.
    """
    local = {path.split("/")[0].removesuffix(".py") for path in files}
    imports = (i for text in files.values() for i in outline(text).imports)
    roots = {i.module.split(".")[0] for i in imports if i.level == 0 and not i.for_types}
    outside = {root for root in roots - local - sys.stdlib_module_names if root.isascii() and root.isidentifier()}
    found = {usual(root) or root: usual(root) is not None for root in outside} | {"PyYAML": True}
    return tuple(Requirement(name, found[name]) for name in sorted(found, key=lambda name: (name.lower(), name)))
