"""A supplement joins its paper.

In: two `Paper`s. Out: one, with the supplement's sections as appendices after the paper's own. Must not know how either
was read.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping

from paper2code_local.artifacts.paper import (
    Block,
    Figure,
    Formula,
    Paper,
    Paragraph,
    Reference,
    Section,
    Table,
    block_chars,
    visible,
)

_MARK = re.compile(r"\A\s*(?:\[[^\]\s]{1,12}\]|\(\d{1,3}\)|\d{1,3}\.)\s+")


def join(paper: Paper, supplement: Paper, name: str) -> Paper:
    """Put `supplement` behind `paper`; `name` is what the user calls it.

    Its sections are appendices, its ids go on where the paper's end, references with the same text become one, its
    title and abstract are a section of their own, its warnings begin with its name.
    """
    references, meaning = _references(paper.references, supplement.references)
    counts: Counter[str] = Counter()
    for block in (block for section in paper.sections for block in section.blocks):
        if not isinstance(block, Paragraph):
            counts[block.id.rstrip("0123456789")] += 1
    sections = list(paper.sections)
    for section in (*_opening(paper, supplement, name), *supplement.sections):
        blocks = tuple(_renumbered(block, meaning, counts) for block in section.blocks)
        changes = {"id": f"s{len(sections) + 1}", "part": "appendix", "blocks": blocks}
        sections.append(section.model_copy(update=changes))
    return paper.model_copy(
        update={
            "sections": tuple(sections),
            "references": references,
            "footnotes": (*paper.footnotes, *supplement.footnotes),
            "chars": paper.chars + supplement.chars,
            "dropped_chars": paper.dropped_chars + supplement.dropped_chars,
            "warnings": (*paper.warnings, *(f"{name}: {warning}" for warning in supplement.warnings)),
        }
    )


def _opening(paper: Paper, supplement: Paper, name: str) -> Iterator[Section]:
    """Keep title, authors and abstract as text, as far as the paper does not have the same."""
    authors = "" if supplement.authors == paper.authors else ", ".join(supplement.authors)
    abstract = () if supplement.abstract == paper.abstract else supplement.abstract.splitlines()
    blocks = tuple(Paragraph(text=line) for line in (authors, *abstract) if line)
    if blocks or supplement.title not in ("", paper.title):
        heading = supplement.title or name
        chars = visible(heading) + sum(map(block_chars, blocks))
        yield Section(id="", number="", heading=heading, level=1, part="appendix", blocks=blocks, chars=chars)


def _renumbered(block: Block, meaning: Mapping[str, str], counts: Counter[str]) -> Block:
    match block:
        case Paragraph():
            cited = dict.fromkeys(meaning[cite] for cite in block.citations)
            return block.model_copy(update={"citations": tuple(cited)})
        case Formula() | Table() | Figure():
            prefix = block.id.rstrip("0123456789")
            counts[prefix] += 1
            return block.model_copy(update={"id": f"{prefix}{counts[prefix]}"})


def _references(
    ours: tuple[Reference, ...], theirs: tuple[Reference, ...]
) -> tuple[tuple[Reference, ...], dict[str, str]]:
    """Append the supplement's references that the paper lacks; also return what each of its ids has become."""
    known = {_essence(reference.text): reference.id for reference in reversed(ours) if _essence(reference.text)}
    taken = {reference.id for reference in ours}
    added: list[Reference] = []
    meaning: dict[str, str] = {}
    number = 0
    for reference in theirs:
        essence = _essence(reference.text)
        if essence not in known or not essence:
            while f"b{number}" in taken:
                number += 1
            taken.add(f"b{number}")
            added.append(Reference(id=f"b{number}", text=reference.text))
            known[essence] = f"b{number}"
        meaning[reference.id] = known[essence]
    return (*ours, *added), meaning


def _essence(text: str) -> str:
    """Return a reference without its mark, case and white space."""
    return "".join(_MARK.sub("", text).split()).casefold()
