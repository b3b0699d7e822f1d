"""What there is to know about one finding code.

In: nothing. Out: the record. Must not know which codes there are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from paper2code_local.artifacts.finding import Severity
from paper2code_local.artifacts.import_order import ImportOrder


@dataclass(frozen=True, slots=True)
class Code:
    """What one code means."""

    title: str
    severity: Severity
    """The usual one; the text says where it differs."""
    explanation: str
    wrong: Mapping[str, bytes]
    """A repository that has the finding."""
    right: Mapping[str, bytes]
    """The same without it."""
    order: ImportOrder | None = None
    """The logic design that both are checked against."""
