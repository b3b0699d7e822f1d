"""Names that want an import: those of custom (`np`, `os`), and those that exactly one file of the repository defines.

In: the texts of a repository, a finding. Out: a `Fix`, or None. Must not know the gate.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping

from paper2code_local.artifacts.finding import Finding
from paper2code_local.source import known_import
from paper2code_local.stages.s6_repair.mechanical.fix import Fix
from paper2code_local.stages.s6_repair.mechanical.imports import definers, importable_as
from paper2code_local.stages.s6_repair.mechanical.statements import with_import


def missing_import(texts: Mapping[str, str], finding: Finding) -> Fix | None:
    """Import a name where it is beyond doubt what it stands for."""
    (name,) = finding.about
    path = finding.path
    homes = [home for home in definers(texts, name) if home != path]
    if len(homes) == 1 and (module := importable_as(texts, path, homes[0])):
        line = f"from {module} import {name}"
    elif homes or not (line := _of_custom(name, texts[path])):
        return None
    text = with_import(texts[path], line)
    return None if text is None else Fix(path, text, f"`{line}` is added, as `{name}` was used and never imported.")


def _of_custom(name: str, text: str) -> str:
    """Return the import of a name by custom; a module of the standard library only where it is used as a module."""
    as_module = re.search(rf"(?<![\w.]){re.escape(name)}\.\w", text)
    if name in sys.stdlib_module_names and not as_module:
        return ""
    return known_import(name) or ""
