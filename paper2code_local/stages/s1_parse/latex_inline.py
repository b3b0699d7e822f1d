r"""What stands inside a line: formulas, references, citations, footnotes, addresses, code.

In: the reader at such a command. Out: text put, marks for what is known later, display formulas as blocks. Must not
know sections or floats.
"""

from __future__ import annotations

from collections.abc import Callable

from paper2code_local.artifacts.paper import visible
from paper2code_local.stages.s1_parse.latex_commands import SIGNATURES
from paper2code_local.stages.s1_parse.latex_document import Equation, Mark, Note, without_marks
from paper2code_local.stages.s1_parse.latex_math import MANY_ROWS, ONE_ROW, Row, grouped, joined, latex, rows_of
from paper2code_local.stages.s1_parse.latex_reader import Handler, Reader
from paper2code_local.stages.s1_parse.latex_tokens import BARRIERS, PAR, RAW, untokenize

REFERENCES = ("ref", "eqref", "autoref", "cref", "Cref", "nameref", "vref", "Vref", "subref", "labelcref", "pageref")
CITATIONS = {
    **dict.fromkeys(("cite", "citep", "parencite", "autocite", "footcite", "supercite", "citealp", "citealt"), "cite"),
    **dict.fromkeys(("Citep", "Cite", "Parencite", "Autocite", "fullcite", "onlinecite", "shortcite"), "cite"),
    **dict.fromkeys(("citet", "textcite", "Citet", "Textcite", "newcite", "citeN", "citeA", "shortciteA"), "citet"),
    **dict.fromkeys(("citeauthor", "Citeauthor", "citefullauthor"), "citeauthor"),
    **dict.fromkeys(("citeyear", "citeyearpar", "citedate"), "citeyear"),
    "nocite": "nocite",
}  # fmt: skip
"""Command → what it prints of an entry."""
_LAYOUT = {"alignat": "m", "xalignat": "m", "IEEEeqnarray": "om", "empheq": "om"}
_SUPERSCRIPT = str.maketrans("0123456789*", "⁰¹²³⁴⁵⁶⁷⁸⁹*")


def _dollar(reader: Reader, token: str) -> None:
    following = reader.mouth.raw()
    if following == "$":
        content = formula(reader, lambda t: t == "$", inline=False)
        second = reader.mouth.raw()
        reader.mouth.push([second] if second is not None and second != "$" else [])
        display(reader, "displaymath*", content)
        return
    reader.mouth.push([following] if following is not None else [])
    _put_formula(reader, formula(reader, lambda t: t == "$", inline=True))


def _parenthesis(reader: Reader, token: str) -> None:
    _put_formula(reader, formula(reader, lambda t: t == "\\)", inline=True))


def _bracket(reader: Reader, token: str) -> None:
    display(reader, "displaymath*", formula(reader, lambda t: t == "\\]", inline=False))


def _ensure_math(reader: Reader, token: str) -> None:
    reader.mouth.push(["$", *reader.mouth.argument(), "$"])


def _put_formula(reader: Reader, content: list[str]) -> None:
    text = latex([token for row in rows_of(content) for token in row.tokens]) if content else ""
    if text:
        reader.put(f"${text}$", ligatures=False)


def formula(reader: Reader, closes: Callable[[str], bool], inline: bool, environment: str = "") -> list[str]:
    r"""Return a formula's tokens, expanded, up to what closes it (read away), with references as marks.

    A formula in a line also ends where its paragraph, cell or environment does: its closing sign is missing.
    """
    mouth = reader.mouth
    found: list[str] = []
    environments: list[str] = []
    depth = 0
    mouth.math = True
    while (token := mouth.expanded(grouped=bool(found) and found[-1] in ("^", "_"))) is not None:
        outermost = not environments and depth <= 0
        if token in BARRIERS or (inline and (token == PAR or (outermost and token == "&" and reader.cell))):
            mouth.push([token])
            break
        if outermost and closes(token):
            break
        if token in ("\\begin", "\\end"):
            name = mouth.word()
            group = ["{", name, "}"]
            if token == "\\begin":
                environments.append(name)
            elif environments:
                environments.pop()
            elif name == environment:
                break
            elif inline or name == "document":
                mouth.push([token, *group])
                break
            else:
                continue
            found += [token, *group]
            continue
        depth += (token == "{") - (token == "}")
        if inline and depth < 0:
            mouth.push([token])
            break
        found += _in_formula(reader, token)
    mouth.math = False
    return found


def _in_formula(reader: Reader, token: str) -> list[str]:
    name = token[1:]
    if token[0] != "\\":
        return [token]
    if name in REFERENCES or name in CITATIONS:
        reader.mouth.star()
        if name in CITATIONS:
            reader.mouth.option()
        return [RAW + reader.mark(Mark(CITATIONS.get(name, name), _keys(reader)))]
    if token == "\\label":
        return [token, "{", RAW + reader.mouth.word(), "}"]
    if token == "\\intertext":
        return ["\\text", "{", *reader.mouth.argument(), "}"]
    if token in SIGNATURES and name not in ("textcolor", "color", "raisebox", "phantom", "hspace", "kern", "mkern"):
        reader.skip(SIGNATURES[token])
        return []
    return [token]


def _environment(reader: Reader, name: str) -> None:
    reader.skip(_LAYOUT.get(name.rstrip("*"), ""))
    content = formula(reader, lambda _: False, inline=name == "math", environment=name)
    if name == "math":
        _put_formula(reader, content)
    else:
        display(reader, name, content)


def display(reader: Reader, name: str, content: list[str]) -> None:
    """Put a display formula: one for each number that it prints, one for all rows when it prints none."""
    kind, starred = name.rstrip("*"), name.endswith("*")
    rows = rows_of(content)
    if starred:
        for row in rows:
            row.numbered = False
    if kind in MANY_ROWS:
        groups = grouped(rows) if any(row.numbered or row.tag is not None for row in rows) else [joined(rows)]
    else:
        groups = [joined(rows)]
        groups[0].numbered = bool(rows) and all(row.numbered for row in rows)
    for group in groups:
        _put_row(reader, group)


def _put_row(reader: Reader, row: Row) -> None:
    text = latex(row.tokens)
    before = reader.numbers.current
    label = ""
    if row.tag is not None:
        label = row.tag
        reader.numbers.tagged("equation", row.tag.strip("()"))
    elif row.numbered and text:
        label = f"({reader.numbers.step('equation')})"
    for key in row.labels:
        reader.numbers.label(key)
    reader.numbers.current = before
    if not text:
        return
    if reader.inline or reader.by_lines:
        reader.put(f" ${text}$ ", ligatures=False)
    else:
        reader.document.seen += visible(without_marks(text))
        reader.block(Equation(label, text))


def _keys(reader: Reader) -> tuple[str, ...]:
    return tuple(key for part in reader.mouth.word().split(",") if (key := "".join(part.split())))


def _reference(reader: Reader, token: str) -> None:
    reader.mouth.star()
    reader.sink.pieces.append(reader.mark(Mark(token[1:], _keys(reader))))


def _cite(reader: Reader, token: str) -> None:
    reader.mouth.star()
    first, second = reader.mouth.option(), reader.mouth.option()
    before, after = ([], first) if second is None else (first, second)
    keys = _keys(reader)
    texts = [reader.unprinted(tokens or []) for tokens in (before, after)]
    mark = Mark(CITATIONS[token[1:]], keys, *texts)
    text = reader.mark(mark)
    if mark.command != "nocite":
        reader.sink.pieces.append(text)
        reader.sink.cites += keys


def _label(reader: Reader, token: str) -> None:
    reader.numbers.label(reader.mouth.word())


def _footnote(reader: Reader, token: str) -> None:
    given = reader.mouth.option()
    mark = untokenize(given) if given is not None else ""
    if token != "\\footnotetext":
        mark = mark or reader.numbers.step("footnote")
        reader.put(mark.translate(_SUPERSCRIPT), ligatures=False)
    if token != "\\footnotemark":
        mark = mark or reader.numbers.printed("footnote")
        _note(reader, mark)


def _thanks(reader: Reader, token: str) -> None:
    reader.mouth.option()
    _note(reader, "")


def _note(reader: Reader, mark: str) -> None:
    text, _ = reader.text(reader.mouth.argument())
    if text:
        reader.document.notes.append(Note(mark, text))


def _verb(reader: Reader, token: str) -> None:
    """The code follows as text that stands as it is."""


def _address(reader: Reader, token: str) -> None:
    r"""\href{address}{text}: the address is kept where it is not the text itself."""
    reader.mouth.option()
    address = reader.mouth.argument()
    text, cites = reader.text(reader.mouth.argument())
    plain = untokenize(address)
    reader.sink.cites += cites
    reader.sink.pieces.append(text)
    if plain.removeprefix("mailto:") not in text and not plain.startswith(("#", "mailto:")):
        reader.put(f" ({plain})", ligatures=False)


def _script(reader: Reader, token: str) -> None:
    text, cites = reader.text(reader.mouth.argument())
    small = text.translate(_SUPERSCRIPT) if without_marks(text) == text else text
    sign = "" if token != "\\textsuperscript" or small != text else "^" if text.isalnum() else ""
    if sign:
        reader.put(sign, ligatures=False)
    reader.sink.pieces.append(small if token == "\\textsuperscript" else text)
    reader.sink.cites += cites


def _first_of_two(reader: Reader, token: str) -> None:
    r"""\texorpdfstring{for the page}{for the outline}."""
    first = reader.mouth.argument()
    reader.mouth.argument()
    reader.mouth.push(first)


COMMANDS: dict[str, Handler] = {
    "$": _dollar,
    "\\(": _parenthesis,
    "\\[": _bracket,
    "\\ensuremath": _ensure_math,
    "\\label": _label,
    "\\footnote": _footnote,
    "\\footnotemark": _footnote,
    "\\footnotetext": _footnote,
    "\\thanks": _thanks,
    **{f"\\{name}": _thanks for name in ("sthanks", "authornote", "cortext", "tnotetext", "fntext")},
    "\\verb": _verb,
    "\\href": _address,
    "\\textsuperscript": _script,
    "\\textsubscript": _script,
    "\\texorpdfstring": _first_of_two,
    **{f"\\{name}": _reference for name in REFERENCES},
    **{f"\\{name}": _cite for name in CITATIONS},
}
ENVIRONMENTS: dict[str, Handler] = dict.fromkeys((*ONE_ROW, *MANY_ROWS, "math"), _environment)
