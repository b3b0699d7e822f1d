"""What repair is asked for and what it did, as data."""

from __future__ import annotations

from typing import Literal

from paper2code_local.artifacts.finding import Finding
from paper2code_local.artifacts.frozen import Frozen

Repairer = Literal["mechanical", "model"]
Ending = Literal["clean", "rounds", "stuck", "tokens"]
"""Why repair ended: nothing left to repair; all rounds used; two rounds in a row brought nothing; tokens spent."""


class Fault(Frozen):
    """A function, method or file that the gate refuses."""

    path: str
    unit: str | None
    """Qualified name of the function or method that must be written again; None for the whole file."""
    findings: tuple[Finding, ...]
    complaint: str
    """The findings in words, with the lines in question; "" when there is nothing worth saying."""
    avoid: tuple[str, ...] = ()
    """Words that the findings prove wrong."""
    asked: int = 0
    """In how many rounds of this repair it was asked for; it is at fault still."""
    sample: int = 0
    """Which of several answers of a round is wanted."""


class Change(Frozen):
    """One thing that repair changed."""

    by: Repairer
    path: str
    codes: tuple[str, ...]
    """Of the findings that it answers."""
    what: str
    """What was done, in one sentence."""


class RepairReport(Frozen):
    """What repair did to a repository."""

    before: tuple[Finding, ...]
    """Of the repository as it was written."""
    mended: tuple[Finding, ...]
    """After the mechanical repair."""
    after: tuple[Finding, ...]
    """At the end."""
    rounds: int
    """In which a model was asked."""
    ended: Ending
    changes: tuple[Change, ...]
