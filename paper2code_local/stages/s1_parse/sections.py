"""Sections as the paper has them: numbers and levels of headings, ids of sections, formulas and floats.

In: the sections that were found, with their floats in place. Out: `Section`s. Must not know any format.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from paper2code_local.artifacts.paper import Block, Formula, Paragraph, Section, Table, block_chars, visible
from paper2code_local.stages.s1_parse.floats import float_of
from paper2code_local.stages.s1_parse.found import Equation, Float, Item, OpenSection, Prose
from paper2code_local.stages.s1_parse.headings import Printed, read_headings


def sections_of(placed: Sequence[OpenSection], meaning: Mapping[str, str]) -> tuple[Section, ...]:
    """Number sections, formulas and floats in reading order and understand their headings together.

    `meaning` has the document's own ids of references, each with the id that it has in the paper.
    """
    read = read_headings([Printed(s.n, s.heading, s.part, s.depth) for s in placed])
    numbered = _Numbering()
    sections = []
    for index, (source, heading) in enumerate(zip(placed, read, strict=True), start=1):
        blocks = tuple(numbered.block(item, meaning) for item in source.items)
        section = Section(
            id=f"s{index}",
            number=heading.number,
            heading=heading.heading,
            level=heading.level,
            part=heading.part,
            blocks=blocks,
            chars=visible(heading.heading) + sum(map(block_chars, blocks)),
        )
        sections.append(section)
    return tuple(sections)


class _Numbering:
    """Ids of formulas and floats: a count for each kind, in reading order."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def block(self, item: Item, meaning: Mapping[str, str]) -> Block:
        match item:
            case Prose():
                cited = dict.fromkeys(meaning[cite] for cite in item.cites if cite in meaning)
                return Paragraph(text=item.text, citations=tuple(cited))
            case Equation():
                return Formula(id=self._next("eq"), label=item.label, text=item.text)
            case Float():
                block = float_of(item)
                prefix = "tab" if isinstance(block, Table) else block.kind[:3]
                return block.model_copy(update={"id": self._next(prefix)})

    def _next(self, prefix: str) -> str:
        self.counts[prefix] += 1
        return f"{prefix}{self.counts[prefix]}"
