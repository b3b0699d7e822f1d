"""What the gate says of a repository in which files may be missing, and which of two versions is better.

In: a `Repo`, the gate. Out: findings. Must not know what is done about them.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence

from paper2code_local.artifacts.finding import Finding, errors_of
from paper2code_local.artifacts.repo import Repo, SourceFile, Unwritten

Gate = Callable[[Mapping[str, str]], Awaitable[tuple[Finding, ...]]]
"""The findings of a repository given as path → text."""


async def look(repo: Repo, gate: Gate) -> tuple[Finding, ...]:
    """Return what the gate says of the written files, and one finding for each that is not written."""
    absent = tuple(
        Finding(
            code="P2C402",
            severity="error",
            path=f.path,
            line=0,
            message=f"the model gave no usable version of this file: {f.reason}.",
            hint="Write the whole file as planned.",
        )
        for f in repo.files
        if isinstance(f, Unwritten)
    )
    found = await gate(texts_of(repo) | dict.fromkeys((f.path for f in absent), ""))
    unknown = [re.compile(rf"(?<![\w/]){re.escape(f.path)}\b") for f in absent]
    return (*absent, *(f for f in found if not any(path.search(f.message) for path in unknown)))


def texts_of(repo: Repo) -> dict[str, str]:
    """Return path → text of the files that are written."""
    return {f.path: f.text for f in repo.files if isinstance(f, SourceFile)}


def weight(findings: Sequence[Finding]) -> tuple[int, int]:
    """Return how bad a repository is: its errors, then its warnings. The lesser of two is the better repository."""
    errors = len(errors_of(tuple(findings)))
    return errors, len(findings) - errors
