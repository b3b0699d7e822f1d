"""Requirements and settings: a line to add, a number to spell so that YAML takes it for one.

In: the texts of a repository, a finding. Out: a `Fix`, or None. Must not know the gate.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from paper2code_local.artifacts.finding import Finding
from paper2code_local.stages.s6_repair.mechanical.fix import Fix

REQUIREMENTS = "requirements.txt"
_SCIENTIFIC = re.compile(r"(?<![\w.+-])([-+]?[0-9][0-9_]*)(\.[0-9_]*)?[eE]([-+]?)([0-9]+)(?![\w.])")


def number(texts: Mapping[str, str], finding: Finding) -> Fix | None:
    """Spell the number of a settings file with a dot and a sign, as YAML 1.1 wants it (yaml.org/type/float.html)."""
    rows = texts[finding.path].split("\n")
    if not 0 < finding.line <= len(rows):
        return None
    row, found = _SCIENTIFIC.subn(lambda m: f"{m[1]}{m[2] or '.0'}e{m[3] or '+'}{m[4]}", rows[finding.line - 1])
    if found != 1:
        return None
    before, rows[finding.line - 1] = rows[finding.line - 1].strip(), row
    return Fix(finding.path, "\n".join(rows), f"`{before}` is written `{row.strip()}`.")


def requirement(texts: Mapping[str, str], finding: Finding) -> Fix | None:
    """Add the distribution of an imported package to requirements.txt, where there is one."""
    if REQUIREMENTS not in texts:
        return None
    module, distribution = finding.about
    text = texts[REQUIREMENTS]
    ended = text if not text or text.endswith("\n") else text + "\n"
    what = f"`{distribution}` is added, as {finding.path} imports `{module}`."
    return Fix(REQUIREMENTS, f"{ended}{distribution}\n", what)
