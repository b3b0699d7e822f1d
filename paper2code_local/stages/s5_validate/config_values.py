"""What a value may be, as far as settings are concerned: the nouns of `config_flow`.

In: nothing. Out: data. Must not know how it is found out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from paper2code_local.stages.s5_validate.settings import Keys


@dataclass(frozen=True, slots=True)
class Text:
    """A string that may be a path."""

    text: str
    sure: bool = True
    is_tail: bool = False
    """Only the end of the path."""


@dataclass(frozen=True, slots=True)
class Stream:
    """An open settings file, or its text."""

    file: str
    sure: bool


@dataclass(frozen=True, slots=True)
class Tree:
    """What stands in a settings file under some keys."""

    file: str
    keys: Keys
    sure: bool
    attributes: Literal["none", "here", "all"] = "none"
    """Keys are read as attributes: nowhere, of this mapping, of those below it too."""

    def below(self, key: str) -> Tree:
        """Return what stands under a key of it."""
        style = self.attributes if self.attributes == "all" else "none"
        return Tree(self.file, (*self.keys, key), self.sure, style)


@dataclass(frozen=True, slots=True)
class Unknown:
    """Anything else."""


UNKNOWN = Unknown()
Value = Text | Stream | Tree | Unknown
Values = frozenset[Value]
NOTHING: Values = frozenset()
ANYTHING: Values = frozenset({UNKNOWN})


@dataclass(frozen=True, slots=True)
class Read:
    """One place where the code reads a key."""

    file: str
    keys: Keys
    path: str
    line: int
    kind: Literal["item", "attribute", "get", "default", "argument"]
    """"get" may give None, "default" something else."""
    sure: bool
    """It certainly is this file, and the line runs."""
