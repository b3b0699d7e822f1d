"""A repair of one file, before anyone knows whether it helps.

In: nothing. Out: the record. Must not know findings.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fix:
    """A new text for one file."""

    path: str
    text: str
    what: str
    """What was done, in one sentence."""
