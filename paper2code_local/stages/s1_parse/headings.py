"""Numbers, levels and parts of headings, judged from all headings of a paper together.

In: headings as printed, with the numbers that the source keeps apart. Out: number, heading without it, level, part.
Must not know any format.

One heading alone does not tell: "A Proofs" is Appendix A where there is a "B …" too, and "A Method" is not; "C." is a
subsection where sections are Roman. So the style of the whole paper is read first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

from paper2code_local.stages.s1_parse.found import Part

_ROMAN = r"(?:X{1,2}(?:IX|IV|V?I{0,3})|IX|IV|V?I{1,3}|V)"
_LEADING = re.compile(
    r"(?P<number>\d{1,2}(?:\.\d{1,2}){0,5}|[A-Z](?:\.\d{1,2}){1,5}"
    rf"|{_ROMAN}(?:[.-](?:[A-Z]|\d{{1,2}})(?![A-Za-z])){{0,3}}|[A-Z])"
    r"(?P<mark>[.):]*)\s+(?P<rest>[^\s.):].*)",
    re.DOTALL,
)
_IS_ROMAN = re.compile(_ROMAN)
_IS_LETTERED = re.compile(r"[A-Z](?:\.\d+)*")


class Printed(NamedTuple):
    """A heading as the source has it."""

    n: str
    heading: str
    part: Part
    depth: int


class Read(NamedTuple):
    """A heading understood."""

    number: str
    heading: str
    level: int
    part: Part


class _Style(NamedTuple):
    """How a paper numbers: which capitals open numbers, and whether its top level is Roman or Arabic."""

    firsts: frozenset[str]
    top: Literal["roman", "arabic", "none"]


def read_headings(printed: Sequence[Printed]) -> list[Read]:
    """Understand the headings of one paper, in reading order; as many come back.

    Every character of a heading stays in its number or its heading, save the marks between the two and a number
    that stood both in `n` and in the text.
    """
    style = _style(printed)
    return [_read(heading, style) for heading in printed]


def _style(printed: Sequence[Printed]) -> _Style:
    leading = (_LEADING.match(h.heading) for h in printed if not h.n)
    numbers = [_clean(h.n) for h in printed if h.n] + [match["number"] for match in leading if match]
    firsts = {number: re.split(r"[.-]", number)[0] for number in numbers}
    romans = {first for first in firsts.values() if _IS_ROMAN.fullmatch(first)}
    roman = len(romans) > 1 and any(len(first) > 1 for first in romans)
    arabic = any(first.isdecimal() for first in firsts.values())
    letters = {first for first in firsts.values() if len(first) == 1 and "A" <= first <= "Z"}
    credible = {
        letter
        for letter in letters
        if {chr(ord(letter) - 1), chr(ord(letter) + 1)} & letters or any(n.startswith(f"{letter}.") for n in numbers)
    }
    return _Style(
        frozenset(credible | romans if roman else credible), "roman" if roman else "arabic" if arabic else "none"
    )


def _read(printed: Printed, style: _Style) -> Read:
    number, heading = _split(printed, style)
    part = _part(printed.part, number, heading, style)
    return Read(number, heading, _level(number, printed.depth, part, style), part)


def _split(printed: Printed, style: _Style) -> tuple[str, str]:
    match = _LEADING.match(printed.heading)
    if printed.n:
        number = _clean(printed.n)
        repeated = match is not None and match["number"] == number
        return number, match["rest"] if match and repeated else printed.heading
    if match is None or not _is_number(match, printed, style):
        return "", printed.heading
    return match["number"], match["rest"]


def _is_number(match: re.Match[str], printed: Printed, style: _Style) -> bool:
    number, mark = match["number"], match["mark"]
    if number.isdecimal():  # "3 Method", not "10 percent of …"
        return bool(mark) or match["rest"][0].isupper()
    if len(number) == 1:
        return number in style.firsts or printed.part == "appendix" or (style.top == "roman" and mark == ".")
    return style.top == "roman" or not _IS_ROMAN.match(number) or _IS_LETTERED.fullmatch(number) is not None


def _part(part: Part, number: str, heading: str, style: _Style) -> Part:
    """Say where a heading puts its section when the structure does not: appendices often stand in the body."""
    words = heading.casefold()
    if words.startswith(("acknowledgement", "acknowledgment")):
        return "acknowledgements"
    lettered = style.top == "arabic" and _IS_LETTERED.fullmatch(number)
    return "appendix" if part in ("body", "back") and (lettered or words.startswith("appendi")) else part


def _level(number: str, depth: int, part: Part, style: _Style) -> int:
    components = [c for c in re.split(r"[.-]", number) if c]
    if not components:
        return min(depth, 6)
    level = len(components)
    if style.top == "roman" and part == "body" and level == 1:  # IEEE: "IV.", then "A.", then "1)"
        first = components[0]
        level = 3 if first.isdecimal() else 2 if len(first) == 1 and first not in "IVX" else 1
    return min(level, 6)


def _clean(n: str) -> str:
    return n.strip(".):(")
