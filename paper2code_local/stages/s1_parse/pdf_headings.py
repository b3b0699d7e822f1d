"""Which lines of a PDF are headings.

In: lines in reading order. Out: `Heading`s with number and level. Must not know about blocks or about pdfium.

A line is a heading for one of three reasons: it carries a number that continues the numbering of the paper; it is a
name that papers give to their sections; or it is set like the headings already found.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from paper2code_local.stages.s1_parse.pdf_layout import Line

_NUMBERED = re.compile(
    r"(?:(?:Section|Appendix)\s+)?((?:\d{1,2}|[A-Z]|[IVX]{1,5})(?:\.\d{1,2}){0,3})(\s*[.)])?\s+(?=[^\W_]|[“\"(])"
)
_ROMAN = {
    "I": 1,
    "II": 2,
    "III": 3,
    "IV": 4,
    "V": 5,
    "VI": 6,
    "VII": 7,
    "VIII": 8,
    "IX": 9,
    "X": 10,
    "XI": 11,
    "XII": 12,
}
_NAMES = re.compile(
    r"(abstract|summary|introduction|background|preliminaries|notation|related works?|(prior|previous) work|"
    r"(the |our |proposed )?(methods?|methodology|approach|models?|algorithm)|materials and methods|"
    r"(problem )?(setup|formulation|statement)|(experimental|implementation) (setup|settings?|details|results)|"
    r"experiments?( and results)?|(main )?results?( and discussion)?|evaluation|analysis|ablation stud(y|ies)|"
    r"discussions?( and (conclusions?|limitations))?|limitations?|(discussion|conclusions?) and (future work|outlook)|"
    r"conclusions?|concluding remarks|future work|(broader|societal) impacts?( statement)?|impact statement|"
    r"ethic(s|al)( considerations| statement)?|reproducibility statement|(data|code)( and code)? availability.*|"
    r"(author )?contributions?|competing interests?|conflicts? of interest|funding|declarations?|"
    r"acknowledge?ments?( and .*)?|references|bibliography|literature cited|"
    r"(supplementary|supporting) (materials?|information)|"
    r"appendi(x|ces)( .{0,60})?|contents|keywords)",
    re.IGNORECASE,
)
_LETTERS_AT = 100
"""Where lettered sections (appendices) stand in the order of numbers: after all others."""


@dataclass(frozen=True, slots=True)
class Heading:
    """Lines `start` to `stop` (exclusive) are a heading; `number` is printed before `text`, "" when there is none."""

    start: int
    stop: int
    number: str
    text: str
    level: int


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A line that may be a numbered heading: where its number stands in the order, and how much speaks for it."""

    index: int
    number: str
    order: tuple[int, ...]
    score: float


_Look = tuple[float, bool, bool, bool]


def find_headings(lines: list[Line], body: float, after: int) -> list[Heading]:
    """Find the headings from line `after` on; `body` is the size of the text, in points."""
    candidates = [c for i in range(after, len(lines)) for c in _candidates(lines, i, body)]
    chain = _best_chain(_with_letters_under_romans(candidates))
    numbered = {c.index: c for c in chain}
    looks = {_look(lines[c.index]): len(c.order) for c in reversed(chain)}
    top = {look for look, depth in looks.items() if depth == 1}
    unnumbered = _Unnumbered(lines, body, after, top if len(chain) >= 3 else None)
    headings: list[Heading] = []
    i = after
    while i < len(lines):
        found = numbered.get(i)
        if found is not None:
            stop = _stop(lines, i, body)
            text = _NUMBERED.sub("", _joined(lines[i:stop]), count=1)
            text = text.rstrip(".:") if _runs_in(lines, i) else text
            level = 1 if found.order[0] >= _LETTERS_AT and len(found.order) == 1 else len(found.order)
            headings.append(Heading(i, stop, found.number, text, min(level, 6)))
        elif level := unnumbered.level(i):
            stop = _stop(lines, i, body)
            headings.append(Heading(i, stop, "", _joined(lines[i:stop]), level))
        else:
            stop = i + 1
        i = stop
    return headings


def is_name(text: str) -> bool:
    """Tell whether a whole line is a name that papers give to their sections."""
    return bool(_NAMES.fullmatch(_squeezed(text).strip(" .:—–-")))


def is_distinct(line: Line, body: float) -> bool:
    """Tell whether a line is set unlike running text: bold, larger, in capitals, or in italics throughout."""
    return line.bold > 0.8 or line.size > 1.07 * body or _capitals(line.text) or line.italic > 0.85


def _candidates(lines: list[Line], i: int, body: float) -> list[_Candidate]:
    """Return the ways in which line `i` may be a numbered heading."""
    line = lines[i]
    match = _NUMBERED.match(line.text)
    if match is None or not _may_be(lines, i, line.text[match.end() :], body):
        return []
    parts = match[1].split(".")
    rest = tuple(int(p) for p in parts[1:])
    distinct = is_distinct(line, body) or _runs_in(lines, i)
    own_cell = bool(match[2]) or line.cells[0].rstrip(".:)") == match[1] or len(parts) > 1 or line.text[0] in "AS"
    isolated = line.gap > 1.35 * body and _gap_after(lines, i) > 1.2 * body and own_cell
    if not distinct and not (isolated and line.text[match.end()].isupper()):
        return []
    score = 1.0 + 0.3 * (line.bold > 0.8) + 0.3 * (line.size > 1.07 * body) if distinct else 0.4
    score += 0.1 * (line.gap > 1.3 * body) + 0.1 * is_name(line.text[match.end() :])
    if parts[0].isdigit():
        return [_Candidate(i, match[1], (int(parts[0]), *rest), score)] if int(parts[0]) else []
    found = []
    if parts[0] in _ROMAN and own_cell:
        found.append(_Candidate(i, match[1], (_ROMAN[parts[0]], *rest), score - 0.01))
    if len(parts[0]) == 1 and (own_cell or rest):
        found.append(_Candidate(i, match[1], (_LETTERS_AT + ord(parts[0]) - ord("A"), *rest), score - 0.02))
    return found


def _may_be(lines: list[Line], i: int, text: str, body: float) -> bool:
    """Rule out what no heading looks like: sentences, rows of tables, formulas, small print."""
    line = lines[i]
    letters = sum(c.isalpha() for c in text)
    few_cells = len(line.cells) <= 3 and not any(re.fullmatch(r"[\d.,%±()-]+", cell) for cell in line.cells[1:])
    ends_well = not re.search(r"[,;=]$|[a-z]{3}\.$", text) or (
        (line.bold > 0.95 or _runs_in(lines, i)) and len(text) < 80
    )
    leaders = re.search(r"(\. ?){4,}", text) is not None  # a table of contents
    close = line.gap < 1.02 * line.size and line.gap > 0
    return (
        letters >= 3
        and letters >= 0.6 * len(text.replace(" ", ""))
        and len(text) <= 140
        and few_cells
        and not leaders
        and ends_well
        and line.math < 0.3
        and line.size > 0.85 * body
        and not (close and lines[i - 1].size >= line.size)
    )


def _with_letters_under_romans(candidates: list[_Candidate]) -> list[_Candidate]:
    """Read "A." as the first subsection where sections are numbered I, II, III."""
    romans = [c for c in candidates if c.number in _ROMAN and c.order[0] < _LETTERS_AT]
    digits = [c for c in candidates if c.number.isdigit()]
    if len({c.order for c in romans}) < 3 or len(romans) < len({c.order for c in digits}):
        return [c for c in candidates if not (c.number[0] in "IVX" and c.order[0] < _LETTERS_AT)]
    result: list[_Candidate] = []
    section = letter = 0
    for c in candidates:
        if c.number[0].isdigit():
            continue
        if c.order[0] < _LETTERS_AT:
            follows_letter = len(c.number) == 1 and letter and ord(c.number) - ord("A") + 1 == letter + 1
            if c.order[0] == section + 1 and not (follows_letter and c.order[0] != section + 1):
                section, letter = c.order[0], 0
                result.append(c)
        elif section and c.order[0] - _LETTERS_AT + 1 == letter + 1 and c.index not in {r.index for r in result}:
            letter += 1
            result.append(_Candidate(c.index, c.number, (section, letter), c.score))
    return result


def _best_chain(candidates: list[_Candidate]) -> list[_Candidate]:
    """Return the sequence of candidates with the highest score whose numbers can follow each other."""
    best: list[tuple[float, int]] = []
    for j, after in enumerate(candidates):
        start = after.order in ((1,), (2,), (1, 1), (_LETTERS_AT,))
        value, before = (after.score if start else after.score - 1.5), -1
        for i in range(j):
            if candidates[i].index < after.index and _follows(candidates[i].order, after.order):
                total = best[i][0] + after.score
                if total > value:
                    value, before = total, i
        best.append((value, before))
    chain: list[_Candidate] = []
    at = max(range(len(best)), key=lambda k: best[k][0], default=-1)
    while at >= 0:
        chain.append(candidates[at])
        at = best[at][1]
    return chain[::-1]


def _follows(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    """Tell whether number `b` can come next after `a`; one number may have been overlooked between them."""
    if b[0] >= _LETTERS_AT > a[0]:
        return b[0] == _LETTERS_AT and all(n == 1 for n in b[1:])
    same = 0
    while same < min(len(a), len(b)) and a[same] == b[same]:
        same += 1
    if same == len(b):
        return False
    step = b[same] - (a[same] if same < len(a) else 0)
    return 1 <= step <= 2 and all(n <= 1 for n in b[same + 1 :])


class _Unnumbered:
    """Decides on headings without a number; `top`: the looks of numbered top-level headings, None without any."""

    def __init__(self, lines: list[Line], body: float, after: int, top: set[_Look] | None) -> None:
        self.lines, self.body, self.top = lines, body, top
        plain = [i for i in range(after, len(lines)) if self._plausible(i)]
        named = Counter(_look(lines[i]) for i in plain if is_name(lines[i].text))
        looks = Counter(_look(lines[i]) for i in plain)
        self.first = {look for look, count in named.items() if count >= 2}
        largest = max((look[0] for look in self.first), default=0.0)
        self.second = {k for k, n in looks.items() if n >= 3 and k not in self.first and k[0] <= largest and k[1]}

    def level(self, i: int) -> int:
        """Return the level of line `i` as a heading; 0 when it is none."""
        line = self.lines[i]
        if not self._plausible(i):
            return 0
        look = _look(line)
        if is_name(line.text):
            return 1
        if self.top is not None:
            return 1 if look in self.top and line.bold > 0.8 else 0
        return 1 if look in self.first else 2 if look in self.second else 0

    def _plausible(self, i: int) -> bool:
        line = self.lines[i]
        named = is_name(line.text)
        if not _may_be(self.lines, i, _squeezed(line.text), self.body) or (len(line.cells) > 1 and not named):
            return False
        apart = line.gap > 1.25 * self.body
        alone = apart and _gap_after(self.lines, i) > 1.15 * self.body
        if not is_distinct(line, self.body):
            return named and alone and self._before_text(i)
        starts = line.text[0].isupper() or line.text[0].isdigit()
        return apart and starts and (named or (line.text[-1] not in ".:" and len(line.text) < 90))

    def _before_text(self, i: int) -> bool:
        """Tell whether a line stands before a line of text, or before a heading: not at the top of a table."""
        after = self.lines[i + 1] if i + 1 < len(self.lines) else None
        return after is not None and (len(after.text) >= 30 or is_distinct(after, self.body))


def _look(line: Line) -> _Look:
    return (round(line.size), line.bold > 0.8, _capitals(line.text), line.italic > 0.85)


def _capitals(text: str) -> bool:
    """Tell whether a text is set in capitals; small capitals come out of a PDF as capitals too."""
    letters = [c for c in text if c.isalpha()]
    return len(letters) >= 5 and sum(c.isupper() for c in letters) > 0.85 * len(letters)


def _squeezed(text: str) -> str:
    """Close up the gap after the initials of small capitals: "I NTRODUCTION"."""
    return re.sub(r"\b([A-Z]) (?=[A-Z]{3,})", r"\1", text) if _capitals(text) else text


def _gap_after(lines: list[Line], i: int) -> float:
    return lines[i + 1].gap if i + 1 < len(lines) else float("inf")


def _runs_in(lines: list[Line], i: int) -> bool:
    """Tell whether the text begins on the line of the heading (`pdf_runin`)."""
    return abs(_gap_after(lines, i)) < 0.1


def _stop(lines: list[Line], i: int, body: float) -> int:
    """Return where a heading that begins on line `i` ends: it may run over three lines."""
    first = lines[i]
    stop = i + 1
    while stop < min(i + 3, len(lines)):
        line, before = lines[stop], lines[stop - 1]
        same = line.column == first.column and _look(line)[:2] == _look(first)[:2] and is_distinct(first, body)
        full = before.x1 > first.left + 0.7 * (first.right - first.left) or before.text.endswith(("-", ":"))
        if not same or not full or line.gap > 1.5 * first.size or _NUMBERED.match(line.text) or is_name(line.text):
            break
        stop += 1
    return stop


def _joined(lines: list[Line]) -> str:
    text = ""
    for line in lines:
        part = _squeezed(line.text)
        text = text[:-1] + part if text.endswith("-") and part[:1].islower() else f"{text} {part}"
    return text.strip()
