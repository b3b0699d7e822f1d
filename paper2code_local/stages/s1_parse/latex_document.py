"""What the LaTeX reader finds, before marks are resolved and ids given.

In: nothing. Out: types that the handlers fill and `latex` makes a `Paper` of. Must not know tokens.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

Part = Literal["body", "acknowledgements", "appendix", "back"]
FloatKind = Literal["figure", "table", "algorithm"]
OPEN_MARK, CLOSE_MARK = "\ue000", "\ue001"
MARK = re.compile(f"{OPEN_MARK}(\\d+){CLOSE_MARK}")
"""Stands for `Document.marks[n]` in any text; no source text holds these characters."""


@dataclass
class Prose:
    """A paragraph, with the keys that it cites."""

    text: str
    cites: list[str]


@dataclass
class Equation:
    """A display formula."""

    label: str
    text: str


@dataclass
class Float:
    """A figure, table or algorithm."""

    kind: FloatKind
    label: str
    caption: str = ""
    rows: list[list[str]] = field(default_factory=list)
    text: str = ""


@dataclass
class OpenFloat:
    """A float being read: what it counts as, and one `Float` for each caption so far."""

    kind: FloatKind
    counter: str
    captions: list[Float] = field(default_factory=list)


Block = Prose | Equation | Float


@dataclass
class Section:
    """A heading and what follows it."""

    number: str = ""
    heading: str = ""
    level: int = 1
    part: Part = "body"
    blocks: list[Block] = field(default_factory=list)


@dataclass
class Entry:
    """An entry of the bibliography: its key, what \\citet prints of it, and its text."""

    key: str
    authors: str
    year: str
    text: str


@dataclass
class Note:
    """A footnote."""

    mark: str
    text: str


@dataclass(frozen=True)
class Mark:
    """What will stand in a place of the text: a reference or a citation."""

    command: str
    keys: tuple[str, ...]
    before: str = ""
    after: str = ""

    @property
    def is_citation(self) -> bool:
        """Whether the keys are of the bibliography."""
        return "cite" in self.command


@dataclass
class Document:
    """Everything found."""

    title: str = ""
    authors: list[str] = field(default_factory=list)
    abstract: list[Block] = field(default_factory=list)
    sections: list[Section] = field(default_factory=lambda: [Section()])
    """The first holds what stands before the first heading."""
    notes: list[Note] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    part: Part = "body"
    """Of the sections that come next."""
    seen: int = 0
    """Non-white-space characters that were printed somewhere so far."""


def without_marks(text: str) -> str:
    """Return `text` without what is not known yet."""
    return MARK.sub("", text)
