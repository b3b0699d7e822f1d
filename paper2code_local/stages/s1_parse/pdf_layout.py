"""From glyphs to lines in reading order.

In: the `Page`s of a PDF. Out: `Line`s, column by column, without running heads, page numbers and line numbers. Must not
know what a heading, a table or a paper is.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

from paper2code_local.stages.s1_parse.pdf_glyphs import Glyph, Page
from paper2code_local.stages.s1_parse.pdf_runin import run_in

CELL_GAP = 0.9
"""In ems: wider than the spaces of justified text, narrower than the gap between columns of a table."""
_WORD_GAP = 0.2
_OPERATORS = "∑∏∫⋃⋂⨁∐"
_MARGIN = 0.09
"""Share of the page's height at top and bottom where running heads stand."""
_CAPTION = re.compile(r"(fig(ure|\.)|tab(le|\.)|algorithm|listing)\s*(\d|[ivx]+\b)", re.IGNORECASE)
_LONGEST_HEAD = 100
"""Characters without spaces."""
_PAGE_NUMBER = re.compile(r"[-–—\s]*(page\s*)?(\d{1,4}|[ivxl]{1,6})(\s*(of|/)\s*\d{1,4})?[-–—\s]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Line:
    """One printed line of one column. Lengths are points; `y` is its baseline, down from the top of the page."""

    page: int
    column: int
    """Counts the columns of the whole document, in reading order."""
    cells: tuple[str, ...]
    """The text, parted at wide gaps."""
    pieces: tuple[tuple[float, str], ...]
    """Its runs of glyphs with the middle of each, but the left edge where a large operator begins it: sorted by these,
    the parts of a formula read from left to right, limits after their sum."""
    x0: float
    x1: float
    y: float
    size: float
    """Of most of its letters."""
    bold: float
    italic: float
    math: float
    """Shares, 0 to 1, of its characters that are set bold, in italics, in a mathematical font."""
    mark: str
    """A raised mark at its beginning, e.g. the number of a footnote; part of the text too."""
    gap: float
    """From the baseline of the line before it in its column; infinite for the first."""
    left: float
    right: float
    """Edges of the column's text on this page."""

    @property
    def text(self) -> str:
        """The whole line."""
        return " ".join(self.cells)


@dataclass(frozen=True, slots=True)
class _Piece:
    """Glyphs that follow each other in the file and on the page without a wide gap."""

    glyphs: tuple[Glyph, ...]
    x0: float
    x1: float
    y: float
    size: float

    @property
    def text(self) -> str:
        return _text(self.glyphs)


def read_lines(pages: list[Page]) -> list[Line]:
    """Order the text of all pages into lines."""
    pieces = _without_line_numbers([_pieces(page.glyphs) for page in pages])
    furniture = _furniture(pages, pieces)
    lines: list[Line] = []
    column = 0
    for page, found in zip(pages, pieces, strict=True):
        kept = [p for p in found if (page.number, id(p)) not in furniture]
        for group in _columns(kept):
            lines.extend(_lines(group, page.number, column))
            column += 1
    return _less_usual(lines)


def body_size(lines: list[Line]) -> float:
    """Return the size that most of the text is set in, to half a point."""
    sizes: Counter[float] = Counter()
    for line in lines:
        sizes[round(line.size * 2) / 2] += len(line.text)
    return sizes.most_common(1)[0][0] if sizes else 10.0


def _less_usual(lines: list[Line]) -> list[Line]:
    """Where most of the text is bold or in italics, that distinguishes nothing."""
    total = sum(len(line.text) for line in lines)
    if sum(line.bold * len(line.text) for line in lines) > 0.6 * total:
        lines = [replace(line, bold=0.0) for line in lines]
    if sum(line.italic * len(line.text) for line in lines) > 0.6 * total:
        lines = [replace(line, italic=0.0) for line in lines]
    return lines


def _text(glyphs: tuple[Glyph, ...]) -> str:
    """Return the text of glyphs; the gap before a sub- or superscript is no space."""
    text = glyphs[0].text
    for before, glyph in pairwise(glyphs):
        raised = abs(glyph.y - before.y) > 1 and glyph.x0 - before.x1 < 0.12 * before.style.size
        text += (" " if glyph.space and not raised else "") + glyph.text
    return text


def _pieces(glyphs: tuple[Glyph, ...]) -> list[_Piece]:
    """Cut the glyphs of a page wherever the next one is not close to the right."""
    pieces: list[_Piece] = []
    run: list[Glyph] = []
    for glyph in glyphs:
        if run and _breaks(run, glyph):
            pieces.append(_piece(run))
            run = []
        run.append(glyph)
    if run:
        pieces.append(_piece(run))
    return _drop_caps(pieces)


def _breaks(run: list[Glyph], glyph: Glyph) -> bool:
    last = run[-1]
    size = max(last.style.size, glyph.style.size, 1.0)
    if abs(glyph.y - run[0].y) > 0.55 * size:
        return True
    gap = glyph.x0 - last.x1
    number = min(last.style.size, glyph.style.size) < 0.7 * size and gap > 0.4 * size  # of a line, beside a heading
    return number or gap > CELL_GAP * size or gap < -2.0 * size


def _piece(run: list[Glyph]) -> _Piece:
    weights: Counter[float] = Counter()
    for glyph in run:
        weights[glyph.style.size] += 1
    size = weights.most_common(1)[0][0]
    y = next(g.y for g in run if g.style.size == size)
    return _Piece(tuple(run), min(g.x0 for g in run), max(g.x1 for g in run), y, size)


def _drop_caps(pieces: list[_Piece]) -> list[_Piece]:
    """Put a large initial on the line that it begins."""
    result = list(pieces)
    for i, (piece, after) in enumerate(pairwise(pieces)):
        beside = 0 <= after.x0 - piece.x1 < after.size and piece.y - 4 * after.size < after.y < piece.y
        if len(piece.glyphs) == 1 and piece.size > 1.8 * after.size and beside:
            result[i] = replace(piece, y=after.y, size=after.size)
    return result


def _without_line_numbers(pages: list[list[_Piece]]) -> list[list[_Piece]]:
    """Leave out the numbers that a draft prints beside every line: columns of them that stand beside all text."""
    stacks: defaultdict[int, list[list[_Piece]]] = defaultdict(list)
    for pieces in pages:
        text = [p for p in pieces if len(p.glyphs) >= 25]
        columns: defaultdict[int, list[_Piece]] = defaultdict(list)
        for piece in pieces:
            beside = re.fullmatch(r"\d{1,4}", piece.text) and not any(p.x0 < piece.x1 and piece.x0 < p.x1 for p in text)
            if beside:
                columns[round(piece.x1 / 3)].append(piece)
        for place, column in columns.items():
            stacks[place].append(sorted(column, key=lambda p: p.y))
    numbers = {id(p) for columns in stacks.values() if _count_lines(columns) for column in columns for p in column}
    return [[p for p in pieces if id(p) not in numbers] for pieces in pages]


def _count_lines(columns: list[list[_Piece]]) -> bool:
    """Tell whether columns of numbers, one a page, mostly count by one: a heading may have swallowed some."""
    steps = [int(b.text) - int(a.text) for column in columns for a, b in pairwise(column)]
    return len(steps) >= 14 and sum(step == 1 for step in steps) >= 0.8 * len(steps)


def _furniture(pages: list[Page], pieces: list[list[_Piece]]) -> set[tuple[int, int]]:
    """Find running heads and page numbers: pieces in the margins that come again, or that only count pages."""
    seen: defaultdict[tuple[str, int], list[tuple[int, int]]] = defaultdict(list)
    result: set[tuple[int, int]] = set()
    for page, found in zip(pages, pieces, strict=True):
        if not found:
            continue
        first, last = min(p.y for p in found), max(p.y for p in found)
        for piece in found:
            margin = piece.y < _MARGIN * page.height or piece.y > (1 - _MARGIN) * page.height
            edge = abs(piece.y - last) < 2 or abs(piece.y - first) < 2
            caption = _CAPTION.match(piece.text)  # floats stand at the top of pages, and their numbers differ as well
            if not caption and (margin or (edge and _outside(piece, page))):
                seen[re.sub(r"\d+", "#", piece.text), round(piece.y / 4)].append((page.number, id(piece)))
    result.update(_running_heads(pages, pieces))
    enough = max(2, round(len(pages) * 0.2))
    for places in seen.values():
        if len({number for number, _ in places}) >= enough:
            result.update(places)
    for page, found in zip(pages, pieces, strict=True):
        result.update((page.number, id(p)) for p in _page_numbers(page, found, result))
    return result


def _running_heads(pages: list[Page], pieces: list[list[_Piece]]) -> Iterator[tuple[int, int]]:
    """Yield the pieces of first rows that stand at one height on most pages, apart from the text below.

    Such a row is a running head even where it names the section at hand and thus changes from page to page.
    """
    rows: list[tuple[int, float, list[_Piece]]] = []
    for page, found in zip(pages, pieces, strict=True):
        top = min((p.y for p in found), default=page.height)
        row = [p for p in found if p.y < top + 1]
        below = min((p.y - p.size for p in found if p.y >= top + 1), default=top)
        short = sum(len(p.glyphs) for p in row) < _LONGEST_HEAD
        if top < 0.12 * page.height and short and below - top > 0.6 * max(p.size for p in row):
            rows.append((page.number, top, row))
    for _, y, _ in rows:
        alike = [(number, row) for number, other, row in rows if abs(other - y) < 0.7]
        if len(alike) >= max(3, 0.6 * (len(pages) - 1)):
            yield from ((number, id(p)) for number, row in alike for p in row)
            return


def _page_numbers(page: Page, found: list[_Piece], furniture: set[tuple[int, int]]) -> list[_Piece]:
    """Return the numbers in the first and the last row of a page that share it with nothing but furniture."""
    numbers = [p for p in found if _PAGE_NUMBER.fullmatch(p.text) and _outside(p, page)]
    text = [p for p in found if p not in numbers and (page.number, id(p)) not in furniture]
    if not text:
        return []
    first, last = min(p.y for p in text), max(p.y for p in text)
    return [p for p in numbers if p.y < first - 0.6 * p.size or p.y > last + 0.6 * p.size]


def _outside(piece: _Piece, page: Page) -> bool:
    return piece.y < 0.12 * page.height or piece.y > 0.86 * page.height


def _columns(pieces: list[_Piece]) -> list[list[_Piece]]:
    """Part a page into columns in reading order; what spans both columns is a column of its own."""
    gutter = _gutter(pieces)
    if gutter is None:
        return [pieces] if pieces else []
    wide = sorted((p for p in pieces if _spans(p, gutter)), key=lambda p: p.y)
    bands: list[tuple[float, float]] = []
    for piece in wide:
        top, bottom = piece.y - piece.size, piece.y + 0.3 * piece.size
        if bands and top - bands[-1][1] < 2.2 * piece.size:
            bands[-1] = (bands[-1][0], max(bottom, bands[-1][1]))
        else:
            bands.append((top, bottom))
    bands = _with_rows(bands, [p for p in pieces if not _spans(p, gutter)])
    groups: list[list[_Piece]] = [[] for _ in range(3 * len(bands) + 2)]
    for piece in pieces:
        above = sum(1 for _, bottom in bands if bottom < piece.y)
        inside = above < len(bands) and bands[above][0] <= piece.y
        slot = 2 if inside else 0 if (piece.x0 + piece.x1) / 2 < gutter else 1
        groups[3 * above + slot].append(piece)
    return [group for group in groups if group]


def _spans(piece: _Piece, gutter: float) -> bool:
    return piece.x0 < gutter - 3 and piece.x1 > gutter + 3


def _with_rows(bands: list[tuple[float, float]], pieces: list[_Piece]) -> list[tuple[float, float]]:
    """Extend what spans both columns by the rows of a wide table, whose cells stand on either side of the gutter."""
    levels: defaultdict[int, list[_Piece]] = defaultdict(list)
    for piece in pieces:
        levels[round(piece.y)].append(piece)
    rows = [row for row in levels.values() if len(row) >= 3 and median(len(p.glyphs) for p in row) <= 12]
    rows.sort(key=lambda row: row[0].y)
    result: list[tuple[float, float]] = []
    for top, bottom in bands:
        low, high = top, bottom
        for row in rows:
            if 0 < row[0].y - high < 2.2 * row[0].size:
                high = row[0].y + 0.3 * row[0].size
        for row in reversed(rows):
            if 0 < low - row[0].y < 2.2 * row[0].size:
                low = row[0].y - row[0].size
        if result and low <= result[-1][1]:
            result[-1] = (result[-1][0], max(high, result[-1][1]))
        else:
            result.append((low, high))
    return result


def _gutter(pieces: list[_Piece]) -> float | None:
    """Return where the white strip between two columns runs; None on a page of one column."""
    long = [p for p in pieces if len(p.glyphs) >= 25]
    if len(long) < 6:
        return None
    left, right = min(p.x0 for p in long), max(p.x1 for p in long)
    start, stop = round(left + 0.3 * (right - left)), round(left + 0.7 * (right - left))
    crossing = [0] * (stop - start + 1)
    for piece in pieces:
        for x in range(max(start, round(piece.x0)), min(stop, round(piece.x1)) + 1):
            crossing[x - start] += len(piece.glyphs)
    if not crossing:
        return None
    best = min(crossing)
    runs = re.finditer("y+", "".join("y" if c <= 1.15 * best else "n" for c in crossing))
    strip = max(runs, key=lambda m: m.end() - m.start())
    middle = start + (strip.start() + strip.end() - 1) / 2
    total = sum(len(p.glyphs) for p in pieces)
    full = 0.35 * (right - left)
    beside = [p for p in long if p.x1 - p.x0 > full]
    sides = (sum(p.x1 <= middle + 2 for p in beside), sum(p.x0 >= middle - 2 for p in beside))
    return middle if best < 0.45 * total and min(sides) >= 3 and sum(sides) >= 10 else None


def _lines(pieces: list[_Piece], page: int, column: int) -> list[Line]:
    """Join the pieces of a column that stand on one line."""
    rows: list[list[_Piece]] = []
    for piece in sorted(pieces, key=lambda p: p.y):
        row = next((r for r in reversed(rows[-3:]) if _level(max(r, key=lambda p: len(p.glyphs)), piece)), None)
        if row is None:
            rows.append([piece])
        else:
            row.append(piece)
    parts = [part for row in rows for part in _parted(sorted(row, key=lambda p: p.x0))]
    lines = sorted((_line(part, page, column) for part in parts), key=lambda line: (round(line.y, 1), line.x0))
    long = [line for line in lines if len(line.text) >= 25] or lines
    left, right = min(line.x0 for line in long), max(line.x1 for line in long)
    gaps = [float("inf")] + [b.y - a.y for a, b in pairwise(lines)]
    return [replace(line, gap=gap, left=left, right=right) for line, gap in zip(lines, gaps, strict=True)]


def _parted(row: list[_Piece]) -> list[list[_Piece]]:
    """Make two lines of one that begins with a heading."""
    glyphs = [glyph for piece in row for glyph in piece.glyphs]
    stop = run_in(glyphs)
    return [row] if stop is None else [[_piece(glyphs[:stop])], [_piece(glyphs[stop:])]]


def _level(a: _Piece, b: _Piece) -> bool:
    """Tell whether two pieces overlap in height by half of the smaller: a line with its sub- and superscripts."""
    overlap = min(a.y + 0.25 * a.size, b.y + 0.25 * b.size) - max(a.y - 0.75 * a.size, b.y - 0.75 * b.size)
    return overlap > 0.5 * min(a.size, b.size)


def _line(row: list[_Piece], page: int, column: int) -> Line:
    main = max(row, key=lambda p: len(p.glyphs))
    cells: list[str] = []
    end = float("-inf")
    for piece in row:
        gap = piece.x0 - end
        if not cells or gap > CELL_GAP * main.size:
            cells.append(piece.text)
        else:
            near = _WORD_GAP / 2 if piece.glyphs[0].space else _WORD_GAP
            cells[-1] += (" " if gap > near * main.size else "") + piece.text
        end = max(end, piece.x1)
    glyphs = [g for piece in row for g in piece.glyphs]
    count = len(glyphs)
    x0 = min(p.x0 for p in row)
    return Line(
        page=page,
        column=column,
        cells=tuple(cells),
        pieces=tuple((p.x0 if p.text[0] in _OPERATORS else (p.x0 + p.x1) / 2, p.text) for p in row),
        x0=x0,
        x1=max(p.x1 for p in row),
        y=main.y,
        size=main.size,
        bold=sum(g.style.bold for g in glyphs) / count,
        italic=sum(g.style.italic and not g.style.math for g in glyphs) / count,
        math=sum(g.style.math for g in glyphs) / count,
        mark=_mark(glyphs, main),
        gap=float("inf"),
        left=x0,
        right=x0,
    )


def _mark(glyphs: list[Glyph], main: _Piece) -> str:
    """Return the raised characters at the beginning of a line."""
    mark = ""
    for glyph in glyphs[:4]:
        if glyph.y > main.y - 0.15 * main.size and glyph.text not in "∗*†‡§¶":
            break
        mark += glyph.text
    return mark if len(mark) < len(glyphs) and len(mark) < 4 else ""
