"""What can be read of a piece of HTML: texts and tables, nothing that runs.

In: HTML as it stands in Markdown and S2ORC JSON, hostile until parsed. Out: texts, tables, images and comments in
document order. Must not know what they mean to a paper.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from lxml import etree

_BLOCKS = frozenset(
    {"p", "div", "li", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "figure", "figcaption", "caption"}
)
_UNREAD = frozenset({"script", "style"})
_SPAN = 50
"""The widest cell that is believed."""


@dataclass(frozen=True)
class HtmlText:
    """Running text, its white space collapsed."""

    text: str


@dataclass
class HtmlTable:
    """The rows of a table. Cells that another one covers are empty, so that columns stay columns."""

    rows: list[list[str]] = field(default_factory=list)


@dataclass(frozen=True)
class HtmlImage:
    """An image: all that can be read of it is its description."""

    alt: str


@dataclass(frozen=True)
class HtmlComment:
    """A comment; converters leave notes of what they could not read."""

    text: str


HtmlPart = HtmlText | HtmlTable | HtmlImage | HtmlComment


def read_html(source: str) -> tuple[list[HtmlPart], str]:
    """Return the parts of `source`, and the text of scripts and styles, which is no part of it; linear in its size."""
    target = _Target()
    if source.strip():
        etree.HTML(source.replace("\0", ""), etree.HTMLParser(target=target, no_network=True, remove_pis=True))
    target.flush()
    return target.parts, "".join(target.unread)


class _Target:
    """A parser target. A table inside a cell is text of that cell."""

    def __init__(self) -> None:
        self.parts: list[HtmlPart] = []
        self.unread: list[str] = []
        self._text: list[str] = []
        self._open: list[str] = []
        self._tables = 0
        self._rows: list[list[tuple[str, int, int]]] = []
        self._cell: tuple[int, int] | None = None

    def start(self, tag: str | bytes, attrib: dict[str | bytes, str | bytes]) -> None:
        if tag in _UNREAD:
            self._open.append(str(tag))
        elif tag == "img":
            self._break()
            if not self._tables:
                self.parts.append(HtmlImage(" ".join(str(attrib.get("alt", "")).split())))
        elif tag == "table":
            self._break()
            self._tables += 1
        elif self._tables == 1 and tag in ("tr", "caption"):
            self._end_cell()
            if tag == "tr":
                self._rows.append([])
        elif self._tables == 1 and tag in ("td", "th"):
            self._end_cell()
            self._cell = (_span(attrib.get("colspan")), _span(attrib.get("rowspan")))
        elif tag in _BLOCKS or tag in ("br", "tr", "td", "th"):
            self._break()

    def end(self, tag: str | bytes) -> None:
        if self._open and tag == self._open[-1]:
            self._open.pop()
        elif tag == "table" and self._tables:
            if self._tables == 1:
                self._end_cell()
                self.parts.append(HtmlTable(_grid(self._rows)))
                self._rows = []
            self._tables -= 1
            self._break()
        elif tag == "caption" and self._tables == 1:
            self.parts += [HtmlText(text) for text in [self._take()] if text]
        elif self._tables == 1 and tag in ("td", "th", "tr"):
            self._end_cell()
        elif tag in _BLOCKS:
            self._break()

    def data(self, data: str | bytes) -> None:
        (self.unread if self._open else self._text).append(str(data))

    def comment(self, text: str | bytes) -> None:
        self._break()
        if not self._tables:
            self.parts.append(HtmlComment(str(text).strip()))

    def close(self) -> None:
        self.flush()

    def flush(self) -> None:
        """End the text, or the cell, that is open."""
        if self._tables:
            self._end_cell()
        elif text := self._take():
            self.parts.append(HtmlText(text))

    def _take(self) -> str:
        text = " ".join("".join(self._text).split())
        self._text = []
        return text

    def _break(self) -> None:
        if self._tables:
            self._text.append(" ")
        else:
            self.flush()

    def _end_cell(self) -> None:
        """Put the text since the last cell where it belongs: into its cell, else into a row of its own."""
        text = self._take()
        if self._cell is None and not text:
            return
        if not self._rows:
            self._rows.append([])
        self._rows[-1].append((text, *(self._cell or (1, 1))))
        self._cell = None


def _span(value: str | bytes | None) -> int:
    text = str(value or "")
    return min(max(int(text), 1), _SPAN) if text.isdecimal() and len(text) < 6 else 1


def _grid(cells: list[list[tuple[str, int, int]]]) -> list[list[str]]:
    """Write out cells that span columns or rows."""
    covered: dict[int, int] = {}
    rows: list[list[str]] = []
    for line in cells:
        row: list[str] = []
        below: dict[int, int] = {column: left - 1 for column, left in covered.items() if left > 1}
        for text, wide, high in line:
            while len(row) in covered:
                row.append("")
            if high > 1:
                below |= dict.fromkeys(range(len(row), len(row) + wide), high - 1)
            row += [text, *[""] * (wide - 1)]
        while len(row) in covered:
            row.append("")
        covered = below
        rows.append(row)
    return [row for row in rows if row]
