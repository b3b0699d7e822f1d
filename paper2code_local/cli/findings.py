"""Findings as lines for a person. In: findings. Out: text. Must not know who found them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from paper2code_local.artifacts.finding import Finding, errors_of
from paper2code_local.listeners.printable import one_line


def by_file(findings: Sequence[Finding]) -> Iterator[str]:
    """Say findings under the path of each file, by path and line."""
    ordered = sorted(findings, key=lambda finding: (finding.path, finding.line))
    for path, found in groupby(ordered, key=lambda finding: finding.path):
        yield one_line(path) or "the whole repository"
        for finding in found:
            where = finding.line or "-"
            yield f"{where:>6}  {one_line(f'{finding.severity} {finding.code} {finding.message}')}"
            if finding.hint:
                yield f"        hint: {one_line(finding.hint)}"
        yield ""


def counted(findings: Sequence[Finding]) -> str:
    """Say how many findings there are: "1 error, 2 warnings", "nothing found"."""
    errors = len(errors_of(tuple(findings)))
    return f"{number(errors, 'error')}, {number(len(findings) - errors, 'warning')}" if findings else "nothing found"


def number(count: int, noun: str) -> str:
    """Say a count with its noun: "1 file", "1,200 files"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
