"""Title, authors and abstract of a PDF.

In: lines in reading order. Out: `Front`, the indices of the lines of each, and a function that finds where the text
begins. Must not know about sections or about pdfium.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from paper2code_local.stages.s1_parse.pdf_headings import Heading, is_distinct, is_name
from paper2code_local.stages.s1_parse.pdf_layout import Line

_RUN_IN = re.compile(r"abstract\s*[.:—–-]+\s*|(?-i:Abstract|ABSTRACT)\s+(?=[A-Z])", re.IGNORECASE)
_NUMBER = re.compile(r"(\d{1,2}(\.\d{1,2})*\.?|[IVX]+\.|[A-Z]\.)\s")
_KEYWORDS = re.compile(r"(key\s?words|index terms|ccs concepts|acm reference)\b", re.IGNORECASE)
_MIN_ABSTRACT = 300
"""Characters: a paragraph before the first heading that is at least this long is an abstract without its name."""


@dataclass(frozen=True, slots=True)
class Front:
    """Indices of lines. `rest`: affiliations, addresses, keywords; `stop`: where headings can begin."""

    title: tuple[int, ...]
    authors: tuple[int, ...]
    abstract: tuple[int, ...]
    rest: tuple[int, ...]
    stop: int


def find_title(lines: list[Line], body: float) -> tuple[int, ...]:
    """Return the lines of the title: the largest text in the upper part of the first page; () when it is a heading."""
    first = [i for i, line in enumerate(lines) if line.page == lines[0].page]
    half = (min(lines[i].y for i in first) + max(lines[i].y for i in first)) / 2
    upper = [i for i in first if lines[i].y <= half and sum(c.isalpha() for c in lines[i].text) >= 4] or first[:1]
    largest = max(lines[i].size for i in upper)
    if largest > 1.08 * body:
        start = next(i for i in upper if lines[i].size > largest - 0.3)
    else:
        start = next((i for i in upper if is_distinct(lines[i], body)), upper[0])
    stop = start + 1
    while stop < len(lines) and stop - start < 6 and _continues(lines[start], lines[stop]):
        stop += 1
    alike = [line for line in lines[stop:] if abs(line.size - lines[start].size) < 0.3 and _NUMBER.match(line.text)]
    number = _NUMBER.match(lines[start].text)
    first_of_many = number and (number[1].rstrip(".") in ("1", "I") or any(is_distinct(line, body) for line in alike))
    return () if first_of_many or is_name(lines[start].text) else tuple(range(start, stop))


def find_abstract(lines: list[Line], after: int) -> int | None:
    """Return the line that says "Abstract", alone or before its text."""
    for i in range(after, len(lines)):
        if lines[i].page > lines[0].page + 1:
            return None
        if lines[i].text.replace(" ", "").strip(".:—–-").lower() == "abstract" or _RUN_IN.match(lines[i].text):
            return i
    return None


def without_abstract_name(text: str) -> str:
    """Take the word "Abstract" off the beginning of an abstract."""
    return re.sub(r"a\s?b\s?s\s?t\s?r\s?a\s?c\s?t\b\s*[.:—–-]*\s*", "", text, count=1, flags=re.IGNORECASE)


def is_keywords(line: Line) -> bool:
    """Tell whether a line begins the list of keywords."""
    return bool(_KEYWORDS.match(line.text))


def read_front(lines: list[Line], title: tuple[int, ...], named: int | None, headings: list[Heading]) -> Front:
    """Part what stands before the first section; `named` is the line that says "Abstract"."""
    first = headings[0].start if headings else len(lines)
    if named is None:
        return _without_name(lines, title, first)
    before = [i for i in range(named) if i not in title]
    before += [i for i in range(named, first) if _beside(lines[i], lines[named])]
    stop = named + 1
    while stop < first and _goes_on(lines, named, stop):
        stop += 1
    abstract = tuple(i for i in range(named, stop) if i not in before)
    rest = tuple(i for i in range(stop, first) if i not in before)
    end = stop if not headings or lines[first].page > lines[named].page + 1 else first
    return Front(title, tuple(before), abstract, tuple(i for i in rest if i < end), end)


def _without_name(lines: list[Line], title: tuple[int, ...], first: int) -> Front:
    """Take the first long paragraph before the first heading for the abstract."""
    run: list[int] = []
    for i in [k for k in range(first) if k not in title and lines[k].page == lines[0].page]:
        if run and (lines[i].gap > 1.5 * lines[i].size or abs(lines[i].size - lines[run[-1]].size) > 0.6):
            if sum(len(lines[k].text) for k in run) >= _MIN_ABSTRACT:
                break
            run = []
        run.append(i)
    if sum(len(lines[k].text) for k in run) < _MIN_ABSTRACT:
        run = []
    start = run[0] if run else min(first, title[-1] + 1 if title else 0)
    authors = tuple(i for i in range(start) if i not in title)
    stop = run[-1] + 1 if run else start
    return Front(title, authors, tuple(run), (), stop)


def _continues(first: Line, line: Line) -> bool:
    return (
        line.page == first.page
        and abs(line.size - first.size) < 0.4
        and line.gap < 2.0 * first.size
        and (line.bold > 0.5) == (first.bold > 0.5)
    )


def _beside(line: Line, abstract: Line) -> bool:
    """Tell whether a line of another column stands higher than the abstract: authors set side by side."""
    return line.page == abstract.page and line.column != abstract.column and line.y < abstract.y - 0.5 * line.size


def _goes_on(lines: list[Line], named: int, i: int) -> bool:
    """Tell whether a line still belongs to the abstract."""
    line = lines[i]
    text = lines[min(named + 1, len(lines) - 1)]
    same_size = abs(line.size - text.size) <= 0.08 * text.size
    foot = line.y < lines[i - 1].y and line.page == lines[i - 1].page and line.column == lines[i - 1].column
    return same_size and not is_keywords(line) and not line.mark and not foot
