"""Python files that hold more than Python: fences and sentences around the code are taken away.

In: the texts of a repository, a finding. Out: a `Fix`, or None. Must not know the gate.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from paper2code_local.artifacts.finding import Finding
from paper2code_local.source import compile_error, outline
from paper2code_local.stages.s6_repair.mechanical.fix import Fix

_FENCED = re.compile(r"^[ \t]*```[^\n`]*\n(.*?)^[ \t]*```[ \t]*$", re.M | re.S)
_OPENED = re.compile(r"^[ \t]*```[^\n`]*\n", re.M)
_BEGINS_CODE = re.compile(r'(?:import|from|def|class|async|if|try|with|for)\b|[@#"\']|\w+(?:\s*:\s*[^=]+)?\s*=')
_ENDS = 40
"""Lines at the end of a file that may be prose."""


def code_only(texts: Mapping[str, str], finding: Finding) -> Fix | None:
    """Keep the code of a file, where taking away what stands around it leaves code that defines something."""
    text = texts[finding.path]
    for kept in (*_fenced(text), *_bare(text)):
        if compile_error(kept, finding.path) is None and outline(kept).definitions:
            return Fix(finding.path, kept, "What stood around the code, and is none, is gone.")
    return None


def _fenced(text: str) -> Iterator[str]:
    blocks = [match[1] for match in _FENCED.finditer(text)]
    if blocks:
        yield "\n".join(blocks)
        yield max(blocks, key=len)
    elif opened := _OPENED.search(text):
        yield text[opened.end() :]


def _bare(text: str) -> Iterator[str]:
    """Yield the text without sentences at its head, then without some at its end too; at most a few dozen."""
    rows = text.rstrip().split("\n")
    begin = next((n for n, row in enumerate(rows) if _BEGINS_CODE.match(row)), 0)
    ends = [n for n in range(len(rows), max(begin, len(rows) - _ENDS), -1) if n == len(rows) or not rows[n].strip()]
    yield from ("\n".join(rows[begin:end]).rstrip() + "\n" for end in ends)
