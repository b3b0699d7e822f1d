r"""Figures, tables and algorithms with their captions.

In: the reader at the beginning of a float. Out: one `Float` for each caption in it, with label, caption, rows and text.
Must not know how cells or lines of an algorithm are read.
"""

from __future__ import annotations

import re

from paper2code_local.artifacts.paper import visible
from paper2code_local.stages.s1_parse.latex_algorithms import ALGORITHM2E, ALGORITHMIC
from paper2code_local.stages.s1_parse.latex_commands import ENVIRONMENTS as LAYOUT
from paper2code_local.stages.s1_parse.latex_document import Block, Equation, Float, FloatKind, OpenFloat, Prose
from paper2code_local.stages.s1_parse.latex_reader import Handler, Reader, Sink
from paper2code_local.stages.s1_parse.latex_tokens import RAW, lex

_KINDS: dict[str, FloatKind] = {
    **dict.fromkeys(("figure", "wrapfigure", "sidewaysfigure", "SCfigure", "floatingfigure", "teaserfigure"), "figure"),
    **dict.fromkeys(("table", "wraptable", "sidewaystable", "deluxetable", "margintable"), "table"),
    **dict.fromkeys(("algorithm", "algorithm2e", "listing", "procedure"), "algorithm"),
}
_BRACED = r"\{(?:[^{}]|\{[^{}]*\})*\}"
_LISTING = re.compile(rf"[ \t]*\[((?:[^\[\]{{}}]|{_BRACED}){{0,2000}})\][^\n]*")
_KEYS = re.compile(rf"(caption|label)\s*=\s*({_BRACED}|[^,\]]*)")
_MINTED = re.compile(r"[ \t]*(?:\[[^\]\n]*\])?[ \t]*\{[^{}\n]*\}")


def _float(kind: FloatKind, counter: str) -> Handler:
    def begin(reader: Reader, name: str) -> None:
        if reader.inline:
            reader.open_frame(name)
            return
        reader.skip(LAYOUT.get(name.rstrip("*"), "o"))
        outer = reader.sink, reader.blocks, reader.held, reader.by_lines, reader.in_float
        algorithm = reader.algorithm
        found = OpenFloat(kind, counter)
        reader.sink, reader.blocks, reader.held, reader.in_float = Sink(), [], [], found
        reader.by_lines = kind == "algorithm"
        reader.algorithm = ALGORITHM2E if reader.by_lines else ""
        reader.indent = 0
        reader.numbers.set(f"sub{kind}", 0)

        def end() -> None:
            if reader.by_lines:
                flush_lines(reader)
            reader.paragraph()
            content = reader.blocks
            reader.sink, reader.blocks, reader.held, reader.by_lines, reader.in_float = outer
            reader.algorithm = algorithm
            floats = _assembled(found, content)
            if reader.sink.text() and not reader.by_lines:
                reader.held += floats
            else:
                reader.blocks += floats

        reader.open_frame(name, end)

    return begin


def flush_lines(reader: Reader) -> None:
    """End a passage that is read line by line, as one paragraph that keeps its lines."""
    lines = reader.sink.lines()
    if lines:
        reader.blocks.append(Prose("\n".join(lines), reader.sink.cites))
    reader.sink = Sink()
    reader.by_lines = False


def _assembled(found: OpenFloat, content: list[Block]) -> list[Block]:
    """Give the k-th grid to the k-th caption, what is left over to the last; text goes to the first."""
    grids = [block for block in content if isinstance(block, Float) and block.kind == "table" and not block.caption]
    nested: list[Block] = [b for b in content if isinstance(b, Float) and not any(b is grid for grid in grids)]
    texts = [block.text for block in content if isinstance(block, Prose | Equation)]
    if not found.captions and not grids and not texts:
        return nested
    floats = found.captions or [Float(found.kind, "")]
    for index, grid in enumerate(grids):
        target = floats[min(index, len(floats) - 1)]
        if target.kind == "table":
            target.rows += grid.rows
        else:
            texts += [" ".join(cell for cell in row if cell) for row in grid.rows]
    floats[0].text = "\n".join(text for text in texts if text)
    return [*floats, *nested]


def _caption(reader: Reader, token: str) -> None:
    numbered = not reader.mouth.star()
    kind = reader.mouth.word() if token == "\\captionof" else ""
    reader.mouth.option()
    argument = reader.mouth.argument()
    text, cites = reader.text(argument)
    found = reader.in_float
    if reader.inline and not any(frame.name == "longtable cells" for frame in reader.frames):
        reader.sink.pieces.append(f" {text} ")
        return
    if _in_subfloat(reader):
        _put_subcaption(reader, text, cites)
        return
    counter = kind or (found.counter if found else "table" if reader.inline else "figure")
    label = f"{reader.numbers.names.get(counter, counter)} {reader.numbers.step(counter)}" if numbered else ""
    made = Float(_KINDS.get(counter, "algorithm"), label, text)
    if found:
        found.captions.append(made)
    else:
        reader.blocks.append(made)


def _in_subfloat(reader: Reader) -> bool:
    return any(frame.name.startswith(("subfigure", "subtable")) for frame in reader.frames)


def _put_subcaption(reader: Reader, text: str, cites: list[str]) -> None:
    found = reader.in_float
    counter = "subtable" if found and found.kind == "table" else "subfigure"
    to_come = found is not None and not found.captions  # the number of the float itself follows its parts
    number = reader.numbers.step(counter, ahead=to_come)
    reader.put(f" ({number[-1:]}) ", ligatures=False)
    reader.sink.pieces.append(f"{text} ")
    reader.sink.cites += cites


def _sub_caption(reader: Reader, token: str) -> None:
    reader.mouth.star()
    reader.mouth.option()
    _put_subcaption(reader, *reader.text(reader.mouth.argument()))


def _sub_float(reader: Reader, token: str) -> None:
    r"""\subfloat[caption]{content}, \subfigure[caption]{content}, \subcaptionbox{caption}{content}."""
    caption = reader.mouth.argument() if token == "\\subcaptionbox" else reader.mouth.option()
    while (more := reader.mouth.option()) is not None:
        caption = more
    if caption:
        _put_subcaption(reader, *reader.text(caption))


def _sub_environment(reader: Reader, name: str) -> None:
    reader.skip(LAYOUT.get(name.rstrip("*"), ""))
    reader.open_frame(name)


def _listing(reader: Reader, name: str) -> None:
    """Code: with a caption among its keys, a float of its own."""
    token = reader.mouth.raw()
    content = token.removeprefix(RAW) if token else ""
    keys: dict[str, str] = {}
    options = (_LISTING if name == "lstlisting" else _MINTED).match(content)
    if options:
        content = content[options.end() :]
        keys = {m[1]: m[2].strip().removeprefix("{").removesuffix("}") for m in _KEYS.finditer(options[0])}
    content = content.strip("\n").rstrip()
    reader.open_frame(name)
    if "caption" not in keys or reader.in_float or reader.inline:
        reader.inset(list(lex(keys.get("caption", ""))))
        reader.code(content)
        return
    reader.paragraph()
    caption, _ = reader.text(list(lex(keys["caption"])))
    label = f"Listing {reader.numbers.step('listing')}"
    if "label" in keys:
        reader.numbers.label(keys["label"])
    reader.document.seen += visible(content)
    reader.blocks.append(Float("algorithm", label, caption, text=content))


def _file_listing(reader: Reader, token: str) -> None:
    reader.mouth.option()
    name = reader.mouth.word()
    text = reader.mouth.text_of("listing", name)
    if text:
        reader.code(text)


def _new_float(reader: Reader, token: str) -> None:
    name = reader.mouth.word()
    reader.skip("mmo")
    _add_float(reader, name)


def _add_float(reader: Reader, name: str) -> None:
    if name and name not in _KINDS:
        reader.environments[name] = _float("algorithm", name)
        reader.numbers.names.setdefault(name, name.capitalize())


def _float_name(reader: Reader, token: str) -> None:
    name = reader.mouth.word()
    reader.numbers.names[name] = reader.unprinted(reader.mouth.argument())


def _lines(reader: Reader, name: str) -> None:
    """A passage whose lines are kept."""
    algorithm, outer = reader.algorithm, reader.by_lines
    if name.startswith("algorithmic"):
        reader.mouth.option()
        reader.algorithm, reader.indent = ALGORITHMIC, 0
    if not outer and not reader.inline:
        reader.paragraph()
        reader.by_lines = True

    def end() -> None:
        reader.algorithm = algorithm
        if reader.by_lines and not outer:
            flush_lines(reader)

    reader.open_frame(name, end)


def _tab(reader: Reader, token: str) -> None:
    if any(frame.name == "tabbing" for frame in reader.frames):
        reader.sink.pieces.append("\t")
    else:
        reader.plain(token)


def _kill(reader: Reader, token: str) -> None:
    r"""\kill: the line only sets tab stops."""
    while reader.sink.pieces and "\n" not in reader.sink.pieces[-1]:
        reader.sink.pieces.pop()


def _longtable(reader: Reader, name: str) -> None:
    """A table over several pages is float and cells in one."""
    reader.mouth.push(["\\begin", "{", "longtable cells", "}"])
    _float("table", "table")(reader, name)


COMMANDS: dict[str, Handler] = {
    "\\caption": _caption,
    "\\captionof": _caption,
    "\\subcaption": _sub_caption,
    **{f"\\{name}": _sub_float for name in ("subfloat", "subfigure", "subtable", "subcaptionbox")},
    "\\lstinputlisting": _file_listing,
    "\\verbatiminput": _file_listing,
    "\\newfloat": _new_float,
    "\\floatname": _float_name,
    "\\=": _tab,
    "\\>": _tab,
    "\\kill": _kill,
}
ENVIRONMENTS: dict[str, Handler] = {
    **{name: _float(kind, "listing" if name == "listing" else kind) for name, kind in _KINDS.items()},
    "longtable": _longtable,
    **dict.fromkeys(("subfigure", "subtable", "subfloat"), _sub_environment),
    **dict.fromkeys(("lstlisting", "minted"), _listing),
    **dict.fromkeys(("tabbing", "algorithmic", "algorithmicx", "alltt"), _lines),
}
