"""Which lines of a PDF stand outside its running text: floats with captions, display formulas, footnotes.

In: lines in reading order, and which of them are headings. Out: `Float`s, `Display`s and `Note`s that name their lines.
Must not know about sections or about pdfium. All of it is best effort: what is not recognised stays running text.
"""

from __future__ import annotations

import re
from collections.abc import Set
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Literal

from paper2code_local.stages.s1_parse.pdf_layout import Line

_CAPTION = re.compile(
    r"(Fig(?:ure|\.)?|FIG(?:URE|\.)?|Table|TABLE|Tab\.|Algorithm|ALGORITHM|Listing|Scheme)\s*"
    r"(S?\d{1,3}|[IVX]{1,5}|[A-Z]\.?\d{1,2})(?![\d\w])\s*([.:|—–-]?)"
)
_LABEL = re.compile(r"\((?:\d{1,3}|[A-Z]\.?\d{1,3})(?:\.\d{1,3})?[a-z]?[′']?\)")
_RELATION = re.compile(r"[=≈≤≥∈∝→←↦≜≡∼∑∏∫√±×⊙∥]|:=")
_WORD = re.compile(r"[^\W\d_]{4,}")


@dataclass(frozen=True, slots=True)
class Float:
    """A table, figure or algorithm: the indices of its caption's lines and of the lines inside it."""

    kind: Literal["table", "figure", "algorithm"]
    label: str
    caption: tuple[int, ...]
    body: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Display:
    """A display formula: the indices of its lines, its label "(3)" or "", and its text from left to right."""

    lines: tuple[int, ...]
    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Note:
    """A footnote: the indices of its lines, and its mark."""

    lines: tuple[int, ...]
    mark: str


def find_prose(lines: list[Line], body: float) -> frozenset[int]:
    """Return the lines of running text: runs of one size and one spacing that mostly fill their column."""
    prose: set[int] = set()
    for run in _runs(lines, body):
        full = [i for i in run if _is_full(lines[i])]
        cells = sum(len(lines[i].cells) for i in run) / len(run)
        words = sum(len(_WORD.findall(lines[i].text)) for i in run) / len(run)
        large = lines[run[0]].size > 0.85 * body
        enough = len(full) >= 1 if len(run) <= 3 else len(full) >= 0.5 * len(run)
        if large and enough and cells < 1.8 and words >= 2.5:
            prose.update(run)
    return frozenset(prose)


def find_floats(lines: list[Line], body: float, prose: Set[int], taken: Set[int]) -> list[Float]:
    """Find captions, and the lines of the float that each belongs to; `taken` lines belong to none."""
    captions: dict[int, tuple[int, ...]] = {}
    for i in range(len(lines)):
        if i not in taken and _begins_caption(lines, i, body):
            captions[i] = _caption_lines(lines, i, taken)
    used = set(taken) | {k for c in captions.values() for k in c}
    floats = []
    for i, caption in captions.items():
        match = _CAPTION.match(lines[i].text)
        assert match is not None
        kind = _kind(match[1])
        inside = _inside(lines, caption, kind, body, prose, used)
        used.update(inside)
        label = lines[i].text[: match.end(2)]
        floats.append(Float(kind, label, caption, tuple(inside)))
    return floats


def find_displays(lines: list[Line], body: float, prose: Set[int], taken: Set[int]) -> list[Display]:
    """Find display formulas: lines with a number at the right edge, or set in and mathematical."""
    seeds = {i for i in range(len(lines)) if i not in taken and _is_formula(lines[i], body, i in prose)}
    block: set[int] = set()
    for seed in sorted(seeds):
        block.add(seed)
        for step in (-1, 1):
            i = seed + step
            while 0 <= i < len(lines) and i not in taken and i not in seeds:
                gap = lines[max(i, i - step)].gap
                if not _is_fragment(lines[i], lines[seed]) or gap > 1.5 * body:
                    break
                block.add(i)
                i += step
    return [d for group in _adjacent(lines, sorted(block), body) for d in _displays(lines, group, body)]


def find_notes(lines: list[Line], body: float, taken: Set[int]) -> list[Note]:
    """Find footnotes: small print at the bottom of a column that begins with a mark."""
    notes: list[Note] = []
    lowest: dict[int, float] = {}
    for line in lines:
        lowest[line.page] = max(line.y, lowest.get(line.page, 0.0))
    for _, column in groupby(range(len(lines)), key=lambda i: lines[i].column):
        indices = list(column)
        small: list[int] = []
        for i in reversed(indices):
            if i in taken or lines[i].size > 0.93 * body:
                break
            small.insert(0, i)
        starts = [i for i in small if lines[i].mark]
        if (
            not starts
            and small
            and lines[small[0]].y > 0.85 * lowest[lines[small[0]].page]
            and lines[small[0]].gap > 1.4 * body
        ):
            starts = [small[0]]
        for start, stop in pairwise([*starts, indices[-1] + 1]):
            notes.append(Note(tuple(range(start, stop)), lines[start].mark))
    return notes


def _runs(lines: list[Line], body: float) -> list[list[int]]:
    """Group lines of a column that have one size and stand close together."""
    runs: list[list[int]] = []
    for i, line in enumerate(lines):
        before = lines[i - 1] if i else None
        formula = _is_formula(line, body, in_prose=False)
        same = before is not None and before.column == line.column and abs(before.size - line.size) < 0.6
        if runs and same and line.gap < 1.65 * line.size and not formula and runs[-1][-1] == i - 1:
            runs[-1].append(i)
        elif not formula:
            runs.append([i])
    return runs


def _is_full(line: Line) -> bool:
    width = max(line.right - line.left, 1.0)
    return line.x1 - line.x0 > 0.85 * width and len(_WORD.findall(line.text)) >= 2


def _kind(name: str) -> Literal["table", "figure", "algorithm"]:
    low = name.lower()
    return "table" if low.startswith("tab") else "algorithm" if low.startswith(("alg", "list")) else "figure"


def _begins_caption(lines: list[Line], i: int, body: float) -> bool:
    """Tell a caption from a sentence that begins with "Figure 3": it stands apart or is set differently."""
    line = lines[i]
    match = _CAPTION.match(line.text)
    if match is None:
        return False
    before = lines[i - 1] if i and lines[i - 1].column == line.column else None
    apart = before is None or line.gap > 1.3 * line.size or abs(before.size - line.size) > 0.6
    rest = line.text[match.end() :].strip()
    if match[3]:
        return apart or not _is_full(before or line)
    starts = not rest or rest[0].isupper() or rest[0] == "("
    small_or_bold = line.size < 0.95 * body or line.bold > 0.05
    return apart and starts and (small_or_bold or not rest or _kind(match[1]) == "algorithm")


def _caption_lines(lines: list[Line], i: int, taken: Set[int]) -> tuple[int, ...]:
    """Return the lines of a caption: as long as size and spacing stay what they are."""
    first = lines[i]
    stop = i + 1
    algorithm = first.text.lower().startswith(("algorithm", "listing"))
    while stop < len(lines) and stop not in taken and stop - i < 30:
        line, before = lines[stop], lines[stop - 1]
        label_alone = stop == i + 1 and _CAPTION.fullmatch(first.text.strip()) is not None
        size_stays = abs(line.size - first.size) < 0.6 and line.column == first.column
        tight = line.gap < (1.6 if label_alone else 1.3) * first.size
        ended = before.x1 < before.right - 0.25 * (before.right - before.left) and not label_alone
        if not size_stays or not tight or _CAPTION.match(line.text) or len(line.cells) > 2 or algorithm:
            break
        if ended and (before.text.endswith((".", ":")) or len(line.cells) > 1):
            break
        stop += 1
    return tuple(range(i, stop))


def _inside(
    lines: list[Line], caption: tuple[int, ...], kind: str, body: float, prose: Set[int], used: Set[int]
) -> list[int]:
    """Return the lines of a float: tables and algorithms stand below their caption if anything does, figures above."""
    below = _stretch(lines, caption[-1], 1, kind, body, prose, used)
    above = _stretch(lines, caption[0], -1, kind, body, prose, used)
    if kind == "table":
        return below if _is_tabular(lines, below) or not _is_tabular(lines, above) else above
    if kind == "algorithm":
        return below or above
    return above


def _is_tabular(lines: list[Line], indices: list[int]) -> bool:
    return sum(len(lines[i].cells) > 1 for i in indices) >= max(1, 0.4 * len(indices))


def _stretch(
    lines: list[Line], start: int, step: int, kind: str, body: float, prose: Set[int], used: Set[int]
) -> list[int]:
    """Walk from a caption up or down as long as the lines are not running text."""
    origin = lines[start]
    found: list[int] = []
    i = start + step
    reach = 7 * body if kind == "figure" else 4 * body
    while 0 <= i < len(lines) and i not in used:
        line, last = lines[i], lines[i - step]
        leaves = line.page != origin.page or (line.column != origin.column and (line.y - origin.y) * step <= 0)
        distance = abs(line.y - last.y) if line.column == last.column else 0.0
        steps = (
            kind == "algorithm" and step == 1 and re.match(r"\d{1,2}\s*[:.]|(Input|Output|Require|Ensure)", line.text)
        )
        if leaves or (i in prose and not steps) or distance > reach or line.x1 < origin.left - 5:
            break
        if kind != "figure" and found and _is_left_alone(line, last, body, step) and not steps:
            break
        found.append(i)
        i += step
    return sorted(found)


def _is_left_alone(line: Line, last: Line, body: float, step: int) -> bool:
    """Tell whether a line after a gap is text again rather than one more row."""
    gap = last.y - line.y if step < 0 else line.y - last.y
    return gap > 1.9 * body and len(line.cells) == 1 and line.x0 < line.left + body and len(line.text) > 30


def _is_formula(line: Line, body: float, in_prose: bool) -> bool:
    width = max(line.right - line.left, 1.0)
    numbered = _LABEL.fullmatch(line.cells[-1]) is not None and line.x1 > line.right - 0.05 * width
    if numbered and (len(line.cells) > 1 or line.x0 > line.left + 0.5 * width):
        return True
    set_in = line.x0 > line.left + 0.04 * width and line.x1 < line.right - 0.02 * width
    letters = sum(map(len, _WORD.findall(line.text))) / max(1, len(line.text))
    if in_prose or not set_in or line.size < 0.85 * body or len(line.text) < 3:
        return False
    related = _RELATION.search(line.text) is not None
    before, after = line.x0 - line.left, line.right - line.x1
    centred = min(before, after) > 0.08 * width and abs(before - after) < 0.06 * width and line.gap > 1.25 * line.size
    if line.math > 0.3 and letters < 0.4:
        return True
    return related and (letters < 0.3 or (centred and letters < 0.6 and line.math > 0.1))


def _is_fragment(line: Line, seed: Line) -> bool:
    """Tell whether a line is a part of the formula beside it: a limit, a numerator, a bracket."""
    width = max(line.right - line.left, 1.0)
    words = len(_WORD.findall(line.text))
    inside = line.x0 > line.left + 0.04 * width or line.math > 0.4
    return line.column == seed.column and inside and words <= 2 and len(line.text) < 80 and line.bold < 0.8


def _adjacent(lines: list[Line], indices: list[int], body: float) -> list[list[int]]:
    groups: list[list[int]] = []
    for i in indices:
        joined = groups and groups[-1][-1] == i - 1 and lines[i].column == lines[i - 1].column
        if joined and lines[i].gap < 2.2 * body:
            groups[-1].append(i)
        else:
            groups.append([i])
    return groups


def _displays(lines: list[Line], group: list[int], body: float) -> list[Display]:
    """Part a group of formula lines into formulas: one per label, and each line to the nearest label."""
    labelled = [i for i in group if _LABEL.fullmatch(lines[i].cells[-1])]
    if len(labelled) <= 1:
        return [_display(lines, group, body)]
    parts: dict[int, list[int]] = {i: [] for i in labelled}
    for i in group:
        following = [k for k in labelled if k >= i]
        nearest = min(labelled, key=lambda k: abs(lines[k].y - lines[i].y))
        small = len(lines[i].text) < 0.4 * len(lines[nearest].text)
        parts[nearest if small or not following else following[0]].append(i)
    return [_display(lines, sorted(part), body) for part in parts.values()]


def _display(lines: list[Line], group: list[int], body: float) -> Display:
    """Read a formula row by row, each from left to right, so that limits stand beside their sum."""
    label = next((lines[i].cells[-1] for i in group if _LABEL.fullmatch(lines[i].cells[-1])), "")
    rows: list[list[tuple[float, str]]] = []
    for k, i in enumerate(group):
        pieces = _pieces_but(lines[i], label)
        if k and lines[i].gap < 1.35 * body:
            rows[-1].extend(pieces)
        else:
            rows.append(pieces)
    text = " ".join(text for row in rows for _, text in sorted(row, key=lambda p: p[0]))
    return Display(tuple(group), label, text)


def _pieces_but(line: Line, label: str) -> list[tuple[float, str]]:
    """Return the pieces of a line without its label."""
    if not label or line.cells[-1] != label:
        return list(line.pieces)
    if line.pieces[-1][1] == label:
        return list(line.pieces[:-1])
    return [(line.pieces[0][0], " ".join(line.cells[:-1]))]
