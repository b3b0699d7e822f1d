"""What stands before a paper's first section: title, authors, abstract.

In: the blocks of a document. Out: which of them are what, and where the sections begin. Must not know Markdown.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from paper2code_local.stages.s1_parse.markdown_blocks import Heading, RawBlock, Text

_ABSTRACT = re.compile(r"abstract\s*[.:]?", re.IGNORECASE)
_ABSTRACT_TEXT = re.compile(r"abstract\s*(?:[.:—–-]+\s*|\n+)(?=\S)", re.IGNORECASE)
_BESIDE = re.compile(
    r"(?:keywords?|key words|index terms|ccs concepts|general terms|highlights|article info|acm ?reference format)\b",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"(?:\d{1,2}(?:\.\d{1,2})*[.)]?|[A-Z]\.\d[.\d]*|[IVX]{1,5}[.)]|[A-Z][.)])\s+\S")
_SECTION = re.compile(
    r"(?:introduction|background|motivation|related work|preliminaries|methods?|references|bibliography"
    r"|appendi(?:x|ces)\b.*|supplement.*|acknowledge?ments?|conclusions?|results|experiments?)\s*[.:]?",
    re.IGNORECASE,
)
_LONG = 300
"""Characters from which a text before the first section is its abstract although nothing says so."""
_SHORT = 120
"""Characters up to which a line of a text without markup may be a heading."""

_MARKS = re.compile(r"\$[^$\n]*\$|[\d*†‡§¶∗#]+(?:,[\d*†‡§¶∗]+)*|\S+@\S+|\{[^}]*\}\s*@\S+|(?<=[\w.])\s*\([^)]*@[^)]*\)")
_NAME = re.compile(
    r"(?:[A-ZÀ-Þ][\w.’'-]*\.?\s+)(?:(?:[A-ZÀ-Þ][\w.’'-]*\.?|v[ao]n|d[aeiou]|der|den|la|le|bin|al|ten|y)\s+){0,4}[A-ZÀ-Þ][\w’'-]+"
)
_PLACE = re.compile(
    r"\b(?:univ\w*|institut\w*|dep\w*t\w*|school|college|research|lab\w*|inc|corp\w*|academy|cent(?:er|re)|google|microsoft"
    r"|meta|openai|deepmind|nvidia|amazon|ibm|facult\w*|polytechni\w*|hospital|conference|proceedings|preprint)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Front:
    """The front matter. `rest` is what else stands there: affiliations, keywords, a figure."""

    title: str
    authors: tuple[str, ...]
    abstract: str
    rest: tuple[RawBlock, ...]
    start: int
    """Index of the first block of the sections."""


def with_headings(blocks: Sequence[RawBlock]) -> list[RawBlock]:
    """In a text without any heading, take short lines for headings: the first, numbered and well-known ones."""
    if any(isinstance(block, Heading) for block in blocks):
        return list(blocks)
    found: list[RawBlock] = []
    for i, block in enumerate(blocks):
        if isinstance(block, Text) and "\n" not in block.text and len(block.text) <= _SHORT and block.text[-1:] != ".":
            known = _ABSTRACT.fullmatch(block.text) or _SECTION.fullmatch(block.text)
            numbered = re.match(r"\d{1,2}(?:\.\d{1,2})*[.)]?\s+[A-Z]", block.text)
            if known or numbered or (i == 0 and len(blocks) > 1 and not block.is_item):
                found.append(Heading(1, block.text))
                continue
        found.append(block)
    return found


def read_front(blocks: Sequence[RawBlock]) -> Front:
    """Find the title, the abstract with or without its name, and the authors between the two."""
    at = _title(blocks)
    after = 0 if at is None else at + 1
    named = _abstract(blocks, after)
    if named is None:
        before, abstract, rest, start = _unnamed(blocks, after)
    else:
        before = blocks[after : named[0]]
        abstract, rest, start = _named(blocks, *named)
    split = [_names_first(block) for block in before]
    other = [*(blocks[:at] if at else ()), *(left for _, left in split if left is not None), *rest]
    title = blocks[at] if at is not None else None
    return Front(
        title=title.text if isinstance(title, Heading) else "",
        authors=tuple(name for names, _ in split for name in names),
        abstract="\n".join(" ".join(text.split()) for text in abstract),
        rest=tuple(other),
        start=start,
    )


def _named(blocks: Sequence[RawBlock], named: int, opening: str) -> tuple[list[str], list[RawBlock], int]:
    """Return the abstract's paragraphs, what stands between them and the first section, and where that begins.

    `opening` is what stands on the line of its name; then only long paragraphs belong to it.
    """
    texts, rest = [opening] if opening else [], list[RawBlock]()
    for i in range(named + 1, len(blocks)):
        block = blocks[i]
        if isinstance(block, Heading) and not _BESIDE.match(block.text):
            return texts, rest, i
        is_text = isinstance(block, Text) and not _BESIDE.match(block.text) and (not opening or _is_long(block))
        if isinstance(block, Text) and is_text and not rest:
            texts.append(block.text)
        else:
            rest.append(block)
    return (texts, rest, len(blocks)) if not opening else ([opening], [], named + 1)  # no heading: the text goes on


def _unnamed(blocks: Sequence[RawBlock], after: int) -> tuple[Sequence[RawBlock], list[str], list[RawBlock], int]:
    """Do the same where nothing names the abstract; what stands before it comes first."""
    start = next((i for i in range(after, len(blocks)) if isinstance(blocks[i], Heading)), len(blocks))
    if after == 0 or start == len(blocks) or not _is_section(blocks[start]):
        return (), [], [], after
    front = blocks[after:start]
    long = [block for block in front if _is_long(block)]
    return [b for b in front if not _is_long(b)], [b.text for b in long if isinstance(b, Text)], [], start


def _title(blocks: Sequence[RawBlock]) -> int | None:
    """Return the first heading if it is no section's, and nothing long stands before it."""
    for i, block in enumerate(blocks):
        if isinstance(block, Heading):
            is_other = _is_section(block) or _ABSTRACT.fullmatch(block.text) or _BESIDE.match(block.text)
            return None if is_other else i
        if isinstance(block, Text) and _ABSTRACT_TEXT.match(block.text):
            return None
        if _is_long(block):
            return None
    return None


def _abstract(blocks: Sequence[RawBlock], after: int) -> tuple[int, str] | None:
    """Return where the abstract is named, and what of it stands on that line."""
    for i in range(after, len(blocks)):
        block = blocks[i]
        if isinstance(block, Heading | Text) and _ABSTRACT.fullmatch(block.text.strip()):
            return i, ""
        if isinstance(block, Heading) and _is_section(block):
            return None
        if isinstance(block, Text) and (match := _ABSTRACT_TEXT.match(block.text)):
            return i, block.text[match.end() :]
    return None


def _is_section(block: RawBlock) -> bool:
    return isinstance(block, Heading) and bool(_NUMBERED.match(block.text) or _SECTION.fullmatch(block.text))


def _is_long(block: RawBlock) -> bool:
    return isinstance(block, Text) and len(block.text) >= _LONG


def _names_first(block: RawBlock) -> tuple[tuple[str, ...], RawBlock | None]:
    """Take the lines of names off the beginning of a block; return them and what is left."""
    if not isinstance(block, Text):
        return (), block
    lines, found = block.text.split("\n"), list[str]()
    while lines and (names := _names(lines[0])):
        found += names
        lines.pop(0)
    return tuple(found), Text("\n".join(lines)) if lines else None


def _names(line: str) -> tuple[str, ...]:
    """Return the names that a line consists of, without marks and addresses; () when it is not all names."""
    pieces = re.split(r",|;|\band\b|&", _MARKS.sub(",", line))
    names = [name for piece in pieces if (name := " ".join(piece.split()).strip(" .:"))]
    good = names and all(_NAME.fullmatch(name) and not _PLACE.search(name) for name in names)
    return tuple(names) if good else ()
