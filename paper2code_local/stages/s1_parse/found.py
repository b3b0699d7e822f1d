"""What a parser finds in a document that names its parts, before numbers, levels and ids are given.

In: nothing. Out: types that are filled by `tei_walk`, `s2orc` and `markdown` and understood by `headings`, `floats` and
`sections`. Must not know any format.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Part = Literal["body", "acknowledgements", "appendix", "back"]


@dataclass
class Prose:
    """A paragraph: its text, the ids it cites, and whatever else of the document it points at."""

    text: str
    cites: list[str]
    mentions: list[str]


@dataclass
class Equation:
    """A display formula."""

    label: str
    text: str


@dataclass
class Float:
    """A figure, table or algorithm, with the texts of its parts."""

    is_table: bool
    xml_id: str
    head: str
    label: str
    caption: str
    note: str
    rows: list[list[str]]
    """Of a table; the cells that any other figure has are in `text`."""
    text: str


Item = Prose | Equation | Float


@dataclass
class OpenSection:
    """A heading as it stands in the source, and what follows it."""

    part: Part
    depth: int
    """How deep it is nested; at least 1."""
    n: str = ""
    heading: str = ""
    items: list[Item] = field(default_factory=list)


@dataclass
class Loose:
    """A float that stands in no section, followed by what was nested in it."""

    after: int
    """How many sections had begun before it."""
    items: list[Item]


@dataclass
class Entry:
    """An entry of the bibliography: named pieces of text in order, and the year where only an attribute has it."""

    xml_id: str
    pieces: list[tuple[str, str]]
    year: str


@dataclass
class Note:
    """A footnote."""

    mark: str
    text: str


@dataclass
class Walked:
    """All of a document's text, sorted."""

    sections: list[OpenSection] = field(default_factory=list)
    loose: list[Loose] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
