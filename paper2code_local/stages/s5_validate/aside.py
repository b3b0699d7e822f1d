"""Files that nobody runs as they are: templates to be filled in, and data of tests that may be broken on purpose.

In: the findings on a repository that somebody else wrote. Out: the same, errors in such files as warnings. Must not
know how a finding is made.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from paper2code_local.artifacts.finding import Finding
from paper2code_local.stages.s5_validate.imports import imported_files
from paper2code_local.stages.s5_validate.modules import Modules

_TEMPLATE = re.compile(r"(?:.*/)?(?:\w*templates?|cookiecutters?|skeletons?)/.*|.*(?:\{\{|\{%).*")
_OF_TESTS = re.compile(r"(?:.*/)?(?:tests?|testing|testdata|test_data|fixtures)/.*")
_IS_TEST = re.compile(r"(?:.*/)?(?:test_\w+|\w+_test|conftest|__init__)\.py")
_UNREADABLE = frozenset({"P2C101", "P2C102", "P2C103", "P2C104"})


def leniently(findings: Sequence[Finding], modules: Modules) -> Iterator[Finding]:
    """Yield the findings, those as warnings that are on a template or on data of tests that no file imports."""
    imported: frozenset[str] | None = None
    for each in findings:
        if each.severity == "error":
            is_data = each.code in _UNREADABLE and _OF_TESTS.fullmatch(each.path) and not _IS_TEST.fullmatch(each.path)
            if is_data or _TEMPLATE.fullmatch(each.path):
                imported = _imported(modules) if imported is None else imported
                if each.path not in imported:
                    each = each.model_copy(update={"severity": "warning"})
        yield each


def _imported(modules: Modules) -> frozenset[str]:
    """Return the files that some other file certainly imports."""
    return frozenset(
        file
        for path, outline in modules.outlines.items()
        for imported in outline.imports
        for file in imported_files(modules, imported, path)
        if file != path
    )
