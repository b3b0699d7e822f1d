"""Findings: what a check has to say about a repository, as data."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from paper2code_local.artifacts.frozen import Frozen

Severity = Literal["error", "warning"]


class Finding(Frozen):
    """One fact that a check established."""

    code: str
    """Stable, e.g. "P2C201"; the table is in docs/findings.md."""
    severity: Severity
    """`error` is certain and decides the exit code; `warning` is likely or a matter of taste."""
    path: str
    """Relative POSIX path inside the repository; "" when it concerns the whole."""
    line: int
    """1-based; 0 when no line applies."""
    message: str
    """What is wrong, in one sentence."""
    hint: str
    """What a person or a model can do about it, in one sentence."""
    about: tuple[str, ...] = Field(default=(), exclude=True)
    """What in the code it is about, for those who mend it; the module that makes the finding says what by code."""


def errors_of(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Keep the findings that decide the exit code."""
    return tuple(f for f in findings if f.severity == "error")
