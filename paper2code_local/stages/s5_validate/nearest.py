"""The name that was meant, among those that there are.

In: names. Out: the nearest. Must not know what they name. The work is bounded, whatever the repository.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from itertools import islice

_CANDIDATES = 2_000
"""For one name."""
_COMPARISONS = 300_000
"""For one repository: about two seconds; real repositories need a hundredth of it."""


class Nearest:
    """Answers for one repository, until there were too many questions."""

    def __init__(self) -> None:
        self._left = _COMPARISONS

    def to(self, name: str, candidates: Iterable[str], likeness: float = 0.6) -> str | None:
        """Return the candidate most like `name`; None when none is like it, or when the work is too much."""
        if self._left < 0:
            return None
        some = list(islice(candidates, _CANDIDATES))
        self._left -= len(some)
        possible = [each for each in some if abs(len(each) - len(name)) < 4]
        return next(iter(difflib.get_close_matches(name, possible, 1, likeness)), None)
