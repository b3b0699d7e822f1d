"""The paper as every later stage sees it: what a parser understood, and a count of what it left out."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from paper2code_local.artifacts.frozen import Frozen

ParserName = Literal["grobid", "tei", "pdf", "latex", "s2orc", "markdown"]


class Paragraph(Frozen):
    """Running text; list items are paragraphs too."""

    kind: Literal["paragraph"] = "paragraph"
    text: str
    """With citations as they are printed, e.g. "as in [3]" or "(Vaswani et al., 2017)"."""
    citations: tuple[str, ...] = ()
    """Ids of the references that the text cites, in order, without repeats."""


class Formula(Frozen):
    """A display formula."""

    kind: Literal["formula"] = "formula"
    id: str
    """ "eq1", "eq2", … in reading order."""
    label: str
    """As printed, e.g. "(3)"; "" when there is none."""
    text: str


class Table(Frozen):
    """A table: caption and rows of cells."""

    kind: Literal["table"] = "table"
    id: str
    """ "tab1", "tab2", … in reading order."""
    label: str
    """As printed, e.g. "Table 2"; "" when there is none."""
    caption: str
    rows: tuple[tuple[str, ...], ...]
    """Ragged rows are kept as they are."""
    note: str = ""


class Figure(Frozen):
    """A figure or an algorithm float: what can be read of it is its caption (and text, for an algorithm)."""

    kind: Literal["figure", "algorithm"] = "figure"
    id: str
    """ "fig1", … or "alg1", … in reading order."""
    label: str
    caption: str
    text: str = ""
    """Further text inside the float, e.g. the lines of an algorithm."""


Block = Annotated[Paragraph | Formula | Table | Figure, Field(discriminator="kind")]


class Section(Frozen):
    """One heading and what stands under it, up to the next heading of any level."""

    id: str
    """ "s1", "s2", … in reading order: what the plan refers to."""
    number: str
    """As printed without the final dot, e.g. "3.1" or "A"; "" when there is none."""
    heading: str
    """Without its number; "" for text before the first heading."""
    level: Annotated[int, Field(ge=1, le=6)]
    """1 for a top-level section."""
    part: Literal["body", "acknowledgements", "appendix", "back"] = "body"
    blocks: tuple[Block, ...]
    chars: int
    """Non-white-space characters of heading and blocks (`visible` and `block_chars`)."""


class Reference(Frozen):
    """One entry of the bibliography."""

    id: str
    """ "b0", "b1", …: GROBID's own ids where it gave them."""
    text: str
    """Authors, year, title, venue in one line."""


class Footnote(Frozen):
    """A footnote, with the mark that it carries in the text ("" when unknown)."""

    mark: str
    text: str


class Paper(Frozen):
    """A parsed paper. `chars + dropped_chars` is everything the parser saw in the body of its source."""

    title: str
    authors: tuple[str, ...]
    abstract: str
    sections: tuple[Section, ...]
    references: tuple[Reference, ...]
    footnotes: tuple[Footnote, ...]
    chars: int
    """Non-white-space characters of the source's text (TEI: everything inside `text`) that are kept above."""
    dropped_chars: int
    """Non-white-space characters of the same that are not: nothing is lost without being counted."""
    parser: ParserName
    warnings: tuple[str, ...]
    """For the user: no abstract, hidden text left out, encoding trouble, …"""

    def formulas(self) -> tuple[Formula, ...]:
        """Return all display formulas in reading order."""
        return tuple(b for s in self.sections for b in s.blocks if isinstance(b, Formula))

    def tables(self) -> tuple[Table, ...]:
        """Return all tables in reading order."""
        return tuple(b for s in self.sections for b in s.blocks if isinstance(b, Table))

    def figures(self) -> tuple[Figure, ...]:
        """Return all figures and algorithm floats in reading order."""
        return tuple(b for s in self.sections for b in s.blocks if isinstance(b, Figure))


def block_chars(block: Block) -> int:
    """Count the non-white-space characters of everything readable in `block`."""
    match block:
        case Paragraph():
            return visible(block.text)
        case Formula():
            return visible(block.label) + visible(block.text)
        case Table():
            cells = sum(visible(cell) for row in block.rows for cell in row)
            return visible(block.label) + visible(block.caption) + visible(block.note) + cells
        case Figure():
            return visible(block.label) + visible(block.caption) + visible(block.text)


def visible(text: str) -> int:
    """Count the non-white-space characters of `text`: the unit of every size in a `Paper`."""
    return sum(1 for c in text if not c.isspace())
