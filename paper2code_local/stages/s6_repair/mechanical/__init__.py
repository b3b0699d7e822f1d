"""Repair with no model: findings whose remedy is beyond doubt.

    imports.py    an import from where the name really is, by the right path, or none where nothing uses it
    missing.py    an import that a name wants: of custom, or of the one file that defines it
    settings.py   a name that is a key of the settings, read from `config`
    hiding.py     a variable that hides what it is made of, an attribute that hides a method: under another name
    keeping.py    an attribute that the constructor was given and did not keep, or that is a setting
    declared.py   a requirement to add, a number that YAML takes for text
    prose.py      fences and sentences around code

In: the texts of a repository and what the gate found. Out: `Fix`es, each a whole new text of one file. Must not know
whether a fix helps: whoever applies it asks the gate again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from paper2code_local.artifacts.finding import Finding
from paper2code_local.stages.s6_repair.mechanical.declared import number, requirement
from paper2code_local.stages.s6_repair.mechanical.fix import Fix
from paper2code_local.stages.s6_repair.mechanical.hiding import another_name, beside_method
from paper2code_local.stages.s6_repair.mechanical.imports import (
    elsewhere,
    other_path,
    regular,
    unused,
    unused_in_circle,
)
from paper2code_local.stages.s6_repair.mechanical.keeping import kept_by_constructor
from paper2code_local.stages.s6_repair.mechanical.missing import missing_import
from paper2code_local.stages.s6_repair.mechanical.prose import code_only
from paper2code_local.stages.s6_repair.mechanical.settings import from_settings

__all__ = ["FIXES", "Fix", "fix_of"]

FIXES: Mapping[str, Callable[[Mapping[str, str], Finding], Fix | None]] = {
    "P2C101": code_only,
    "P2C103": code_only,
    "P2C201": other_path,
    "P2C202": elsewhere,
    "P2C203": unused_in_circle,
    "P2C204": unused,
    "P2C205": other_path,
    "P2C207": regular,
    "P2C601": missing_import,
    "P2C605": another_name,
    "P2C607": beside_method,
    "P2C803": number,
    "P2C901": requirement,
}
"""Code → what may mend it."""


def fix_of(texts: Mapping[str, str], finding: Finding, settings: frozenset[str] = frozenset()) -> Fix | None:
    """Return what mends a finding without a model; None where that is not beyond doubt. `settings` are known keys."""
    if finding.path not in texts:
        return None
    if finding.code == "P2C603":
        return kept_by_constructor(texts, finding, settings)
    known = FIXES.get(finding.code)
    fix = known(texts, finding) if known is not None else None
    if fix is None and finding.code == "P2C601" and finding.about[0] in settings:
        fix = from_settings(texts, finding)
    return fix
