r"""Tables' cells: tabular and its kin, read into rows.

In: the reader at the beginning of such an environment. Out: a `Float` of rows without label, for the float around it
or, alone, a table of its own; inside a line, its cells as text. Must not know captions.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from paper2code_local.stages.s1_parse.latex_document import Float
from paper2code_local.stages.s1_parse.latex_reader import Handler, Reader, Sink
from paper2code_local.stages.s1_parse.latex_tokens import untokenize

_SIGNATURES = {
    **dict.fromkeys(
        ("tabular", "array", "longtable cells", "supertabular", "NiceTabular", "tabu", "tblr", "longtblr"), "om"
    ),
    **dict.fromkeys(("tabular*", "tabularx", "tabulary", "xltabular", "NiceTabular*", "NiceTabularX"), "omom"),
}
MAX_SPAN = 100


@dataclass
class _Grid:
    """A table being read."""

    rows: list[list[str]] = field(default_factory=lambda: [[]])
    span: int = 0
    """Empty cells that follow the present one, which spans several columns."""


def _grid(reader: Reader, name: str) -> None:
    in_line = bool(reader.inline)
    reader.skip(_SIGNATURES[name])
    outer = reader.sink, reader.cell, reader.line, reader.span
    grid = _Grid()

    def cell() -> None:
        grid.rows[-1] += [reader.sink.text(), *[""] * grid.span]
        outer[0].cites += reader.sink.cites
        grid.span = 0
        reader.sink = Sink()

    def line() -> None:
        cell()
        grid.rows.append([])

    def span(columns: int) -> None:
        grid.span = max(0, min(columns, MAX_SPAN) - 1)

    def end() -> None:
        cell()
        reader.sink, reader.cell, reader.line, reader.span = outer
        reader.inline -= 1
        rows = [row for row in grid.rows if any(row)]
        if in_line or reader.by_lines:
            lines = (" ".join(text for text in row if text) for row in rows)
            reader.sink.pieces.append("\n".join(["", *lines, ""]))
        elif rows:
            reader.block(Float("table", "", rows=rows))

    reader.inline += 1
    reader.sink, reader.cell, reader.line, reader.span = Sink(), cell, line, span
    reader.open_frame(name, end)


def _multicolumn(reader: Reader, token: str) -> None:
    columns = untokenize(reader.mouth.argument())
    reader.mouth.argument()
    if reader.span is not None and columns.isdecimal():
        reader.span(int(columns[:4]))


def _inset(reader: Reader, token: str) -> None:
    r"""\makecell{two\\lines}: one cell."""
    reader.mouth.star()
    reader.mouth.option()
    reader.inset(reader.mouth.argument())


def _boxed(reader: Reader, token: str) -> None:
    reader.skip("ooom")
    reader.inset(reader.mouth.argument())


def _multirow(reader: Reader, token: str) -> None:
    reader.skip("omomo")
    reader.inset(reader.mouth.argument())


def _rule(reader: Reader, token: str) -> None:
    r"""\cmidrule[width](trim){columns}."""
    reader.mouth.option()
    following = reader.mouth.skip_space()
    if following is not None and not following.startswith("("):
        reader.mouth.push([following])
    reader.mouth.argument()


def _break(reader: Reader, token: str) -> None:
    if reader.line:
        reader.line()


COMMANDS: dict[str, Handler] = {
    "\\multicolumn": _multicolumn,
    "\\multirow": _multirow,
    "\\parbox": _boxed,
    "\\cmidrule": _rule,
    **{f"\\{name}": _inset for name in ("makecell", "shortstack", "thead", "specialcell", "tabincell", "rothead")},
    **{f"\\{name}": _break for name in ("tabularnewline", "cr")},
}
ENVIRONMENTS: dict[str, Handler] = dict.fromkeys(_SIGNATURES, _grid)
