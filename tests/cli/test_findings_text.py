"""Findings as a person reads them."""

from __future__ import annotations

from paper2code_local.artifacts.finding import Finding
from paper2code_local.cli.findings import by_file, counted


def finding(path: str, line: int, hint: str = "") -> Finding:
    return Finding(code="P2C1", severity="error", path=path, line=line, message=f"m{line}", hint=hint)


def test_each_file_is_named_once_and_its_findings_stand_by_line() -> None:
    told = list(by_file([finding("b.py", 2), finding("a.py", 9), finding("b.py", 1, "mend\nit"), finding("", 0)]))
    assert told == [
        "the whole repository",
        "     -  error P2C1 m0",
        "",
        "a.py",
        "     9  error P2C1 m9",
        "",
        "b.py",
        "     1  error P2C1 m1",
        "        hint: mend it",
        "     2  error P2C1 m2",
        "",
    ]


def test_counts_have_their_nouns() -> None:
    assert counted([]) == "nothing found"
    assert counted([finding("a.py", 1)]) == "1 error, 0 warnings"
