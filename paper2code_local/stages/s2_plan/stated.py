"""The lines of a paper that state settings: each is asked about alone, as small models use what is near.

In: a `Paper`. Out: lines with the section each stands in. Must not know what is asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from paper2code_local.artifacts.paper import Paper, Paragraph, Section, Table
from paper2code_local.prefix import RELATED
from paper2code_local.stages.s2_plan.values import numerals

MOST, LONGEST = 14, 260
"""Lines, and characters of one."""
WORDS = re.compile(
    r"\b(learning[- ]rates?|lr|(mini-?)?batch(es| size)?|epochs?|iterations?|(warm-?up|training|gradient|time)? ?steps?"
    r"|optimi[sz]ers?|adam\w*|sgd|momentum|(weight )?decay|drop-?out|clip(ping|ped)?|patience|smoothing|seeds?|GPUs?"
    r"|hidden|layers?|heads?|dim(ension(s|al)?)?|embeddings?|kernel|stride|channels?|units|rank|initiali[sz]\w+"
    r"|temperature|threshold|margin|window|beams?|coefficients?|penalty|weighted|hyper-?parameters?"
    r"|samples?|folds?|shots?|splits?|data ?sets?|vocabulary|tokens?|sequences?|resolution|trained (on|for|with))\b"
    r"|[αβγδεηλμρστ]|\\(alpha|beta|gamma|delta|epsilon|eta|lambda|mu|rho|sigma|tau)\b",
    re.I,
)
"""What settings are called in papers on machine learning."""
_SENTENCE = re.compile(r"(?<=[.!?;])(?<!al\.)(?<!Fig\.)(?<!Eq\.)\s+(?=[A-Z(])")
_CITATION = re.compile(r"\[[\d,;\s–-]+\]|\([^()]*\b(19|20)\d\d[a-z]?[^()]*\)|\b(19|20)\d\d[a-z]?\b")
_NEAR = 24
"""Characters between a word and its number at most."""


@dataclass(frozen=True)
class Stated:
    """A line, the section that it stands in, and the numbers that it gives, as Python writes them."""

    section: str
    """Its id."""
    heading: str
    text: str

    @property
    def numbers(self) -> tuple[str, ...]:
        """The numbers of the line, without years and citations."""
        return numerals(_CITATION.sub(" ", self.text))


def stated(paper: Paper) -> tuple[Stated, ...]:
    """Return the `MOST` lines that give most settings a number, in reading order."""
    sections = (s for s in paper.sections if s.part in ("body", "appendix") and not RELATED.match(s.heading))
    found = [(settings(line.text), line) for section in sections for line in _lines(section)]
    best = sorted((i for i, (count, _) in enumerate(found) if count), key=lambda i: -found[i][0])[:MOST]
    return tuple(found[i][1] for i in sorted(best))


def settings(text: str) -> int:
    """Count the settings that `text` names with a number close by; years and citations are no numbers."""
    plain = _CITATION.sub(" ", text)
    named = {m.group().lower() for m in WORDS.finditer(plain) if _has_number(plain, m.start(), m.end())}
    return len(named)


def _has_number(text: str, start: int, end: int) -> bool:
    around = text[max(0, start - _NEAR) : start] + " " + text[end : end + _NEAR]
    return any(c.isdigit() for c in around)


def _lines(section: Section) -> Iterator[Stated]:
    for block in section.blocks:
        match block:
            case Paragraph():
                pieces = _SENTENCE.split(block.text)
            case Table():
                pieces = [" | ".join(filter(None, row)) for row in block.rows if len(row) <= 4]
            case _:
                pieces = []
        yield from (Stated(section.id, section.heading, piece.strip()[:LONGEST]) for piece in pieces)
