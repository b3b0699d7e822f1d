"""Lines joined into paragraphs, bibliography entries and names.

In: lines of one kind, in reading order. Out: strings, with words mended that were hyphenated at the end of a line. Must
not know about sections, floats or pdfium.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Set

from paper2code_local.stages.s1_parse.pdf_layout import Line

_HYPHENATED = re.compile(r"(\w+)[-‐]$")
_NUMBERED_ENTRY = re.compile(r"\[\d{1,3}\]|\[[A-Z][\w+’'-]{1,12}\d{2}[a-z]?\]|\(?\d{1,3}[.)]\s")
_BULLET = re.compile(r"[•◦▪‣·–—*-]\s|\(?(\d{1,2}|[a-z]|[ivx]{1,4})[.)]\s")
_BETWEEN_NUMBERS = re.compile(r"(?<=[\d\])%∗*†]) (?=[-−+]?\d+\.\d)")
_AFFILIATION = re.compile(
    r"universit|institut|department|laborator|consortium|ministry|foundation|group\b|college|school|research|google|microsoft|facebook|meta\b|openai|inc\b|@|"
    r"\d{4}|http|faculty|center|centre|academy|corporation|brain|abstract|preprint|hospital|arxiv|conference",
    re.IGNORECASE,
)
_MARKS = re.compile(r"[\d∗*†‡§¶♠♣♦♥⋆⋄,]+$|^[\d∗*†‡§¶,]+|\(.*?\)|\{.*?\}|[ˆ˚¹²³⁴⁵]")


class Joiner:
    """Joins lines; knows which words the paper itself writes with a hyphen."""

    def __init__(self, lines: Iterable[Line]) -> None:
        words: set[str] = set()
        for line in lines:
            words.update(w.lower() for w in re.findall(r"\w+(?:-\w+)*", line.text))
        self.words: Set[str] = words

    def join(self, lines: Iterable[Line]) -> str:
        """Return the lines as one line of text."""
        return self.texts(line.text for line in lines)

    def texts(self, parts: Iterable[str]) -> str:
        """Return the parts as one line of text, words mended at the seams."""
        text = ""
        for part in parts:
            left = _HYPHENATED.search(text)
            right = re.match(r"\w+", part)
            if left is None or right is None:
                text = f"{text} {part}" if text else part
            elif self._keeps(left[1], right[0]):
                text += part
            else:
                text = text[:-1] + part
        return text

    def _keeps(self, left: str, right: str) -> bool:
        """Tell whether the hyphen between two halves is a part of the word."""
        if f"{left}-{right}".lower() in self.words:
            return True
        return not right[0].islower() and f"{left}{right}".lower() not in self.words


def paragraphs(lines: list[Line]) -> list[list[Line]]:
    """Part running text into paragraphs: at indents, gaps, bullets and after short last lines."""
    result: list[list[Line]] = []
    for line in lines:
        if not result or _begins(line, result[-1]):
            result.append([line])
        else:
            result[-1].append(line)
    return result


def entries(lines: list[Line]) -> list[list[Line]]:
    """Part a bibliography into entries: at "[1]" or "1.", else at lines that hang out, else at gaps."""
    numbered = [bool(_NUMBERED_ENTRY.match(line.text)) for line in lines]
    if sum(numbered) >= max(2, 0.12 * len(lines)):
        starts = numbered
    else:
        hanging = [line.x0 < line.left + 0.5 * line.size for line in lines]
        if sum(hanging) < 0.85 * len(lines):
            starts = hanging
        else:
            starts = [_begins_after_gap(lines, i) for i in range(len(lines))]
    result: list[list[Line]] = []
    for line, start in zip(lines, starts, strict=True):
        if start or not result:
            result.append([line])
        else:
            result[-1].append(line)
    return result


def table_cells(line: Line) -> tuple[str, ...]:
    """Part a row of a table at wide gaps, and between numbers: narrow tables set them close together."""
    return tuple(part for cell in line.cells for part in _BETWEEN_NUMBERS.split(cell))


def names(lines: list[Line]) -> list[tuple[str, ...]]:
    """Return for each line between title and abstract the authors that it names; () for all other text."""
    return [_names(line) for line in lines]


def _names(line: Line) -> tuple[str, ...]:
    if _AFFILIATION.search(line.text):
        return ()
    found: list[str] = []
    parts = [p for cell in line.cells for p in re.split(r",|;|&|\band\b|·|•|(?<=[a-z])\d[\d,∗*†‡ ]*(?=[A-Z])", cell)]
    for part in parts:
        name = _bare(part)
        if not name:
            continue
        words = name.split()
        capital = all(w[0].isupper() or w in ("de", "van", "von", "der", "den", "la", "di", "del", "el") for w in words)
        if not capital or len(words) > 5 or len(name) > 40:
            return ()
        if len(words) >= 2:
            found.append(name)
    return tuple(found)


def _bare(part: str) -> str:
    before, name = None, part.strip()
    while name != before:
        before, name = name, _MARKS.sub("", name).strip(" .")
    return name


def _begins(line: Line, paragraph: list[Line]) -> bool:
    last = paragraph[-1]
    indent = line.x0 - line.left > 0.7 * line.size
    ends = last.text.rstrip().endswith((".", "?", "!", ":", ".”", ".)"))
    short = last.x1 < last.right - 0.1 * (last.right - last.left)
    if abs(line.size - last.size) > 0.08 * last.size:
        return True
    if line.column != last.column or line.gap <= 0:
        return (ends and (indent or short or line.text[:1].isupper())) or bool(_BULLET.match(line.text) and ends)
    if line.gap > 1.55 * line.size and line.gap > 1.25 * _leading(paragraph):
        return True
    if _BULLET.match(line.text) and (ends or last.text.endswith((",", ";"))):
        return True
    moved_in = indent and line.x0 - last.x0 > 0.6 * line.size and not _BULLET.match(paragraph[0].text)
    return (moved_in and (ends or short)) or (ends and short and line.x0 <= line.left + 0.5 * line.size)


def _leading(paragraph: list[Line]) -> float:
    """Return the distance between the lines of a paragraph; 0 when it has one."""
    return max((line.gap for line in paragraph[1:] if line.column == paragraph[0].column), default=0.0)


def _begins_after_gap(lines: list[Line], i: int) -> bool:
    if i == 0:
        return True
    line, before = lines[i], lines[i - 1]
    if line.column != before.column:
        return before.text.endswith(".")
    gaps = sorted(k.gap for k in lines if k.gap < 3 * k.size)
    usual = gaps[len(gaps) // 4] if gaps else line.size
    return line.gap > 1.15 * usual
