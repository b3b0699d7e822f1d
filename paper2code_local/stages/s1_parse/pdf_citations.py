"""Which references a paragraph cites.

In: the bibliography, and text with citations as printed. Out: ids of references. Must not know about layout.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from paper2code_local.artifacts.paper import Reference

_BRACKETS = re.compile(r"\[([\d,;\s–-]{1,60})\]")
_AUTHOR_YEAR = re.compile(
    r"([A-Z][\w’'-]+)(?:,? et al\.?|,? (?:and|&) [A-Z][\w’'-]+)?,?\s*[(\[]?((?:19|20)\d\d[a-z]?)(?:,\s*(?:19|20)\d\d)?"
)


class Citations:
    """Finds "[3]", "[2, 4–6]" and "(Miller et al., 2017)" in text."""

    def __init__(self, references: tuple[Reference, ...]) -> None:
        self._by_number: dict[int, str] = {}
        self._by_author: dict[tuple[str, str], str] = {}
        for reference in references:
            if number := re.match(r"\[?\(?(\d{1,3})[\].)]", reference.text):
                self._by_number.setdefault(int(number[1]), reference.id)
            first = re.split(r",| and | et al|\d{4}", re.sub(r"^\[[^\]]*\]\s*", "", reference.text), maxsplit=1)[0]
            for year in re.findall(r"\b((?:19|20)\d\d[a-z]?)\b", reference.text):
                for word in re.findall(r"[\w’'-]{2,}", first):
                    self._by_author.setdefault((word, year), reference.id)

    def of(self, text: str) -> tuple[str, ...]:
        """Return the ids of the references that a text cites, in order, without repeats."""
        found = sorted([*self._numbers(text), *self._authors(text)])
        return tuple(dict.fromkeys(id_ for _, id_ in found))

    def _numbers(self, text: str) -> Iterator[tuple[tuple[int, int], str]]:
        for match in _BRACKETS.finditer(text):
            order = 0
            for part in re.split(r"[,;]", match[1]):
                ends = [int(n) for n in re.findall(r"\d{1,3}", part)]
                for number in range(ends[0], min(ends[-1], ends[0] + 50) + 1) if ends else ():
                    if number in self._by_number:
                        yield (match.start(), order), self._by_number[number]
                        order += 1

    def _authors(self, text: str) -> Iterator[tuple[tuple[int, int], str]]:
        for match in _AUTHOR_YEAR.finditer(text):
            if id_ := self._by_author.get((match[1], match[2])):
                yield (match.start(), 0), id_
