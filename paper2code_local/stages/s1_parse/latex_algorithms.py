r"""Pseudo-code: algorithmic, algorithmicx and algorithm2e, as indented lines.

In: the reader at a command of theirs inside an algorithm. Out: lines put, with "if … then", "end for" and so on in
words. Must not know floats or numbers.

The packages share names: \If{c} … \EndIf is algorithmicx, \If{c}{body} algorithm2e. Which one it is, is told by the
environment around it.
"""

from __future__ import annotations

from collections.abc import Sequence

from paper2code_local.stages.s1_parse.latex_definitions import Macro, Parameter
from paper2code_local.stages.s1_parse.latex_reader import Handler, Reader
from paper2code_local.stages.s1_parse.latex_tokens import lex

_OPENERS = {
    "if": ("if ", " then"),
    "uif": ("if ", " then"),
    "for": ("for ", " do"),
    "forall": ("for all ", " do"),
    "foreach": ("for each ", " do"),
    "while": ("while ", " do"),
    "loop": ("loop", ""),
    "repeat": ("repeat", ""),
    "procedure": ("procedure ", ""),
    "function": ("function ", ""),
    "fn": ("function ", ""),
    "begin": ("begin ", ""),
}
"""Lower-case name of a command → what stands before and after its condition; a block follows."""
_MIDDLE = {"elsif": ("else if ", " then"), "elseif": ("else if ", " then"), "ueslseif": ("else if ", " then")}
_MIDDLE |= {"uelseif": ("else if ", " then"), "else": ("else", ""), "uelse": ("else", "")}
_HEADS = {
    "require": "Require: ", "ensure": "Ensure: ", "input": "Input: ", "output": "Output: ", "kwin": "Input: ",
    "kwout": "Output: ", "kwdata": "Data: ", "kwresult": "Result: ", "inputs": "Inputs: ", "globals": "Globals: ",
    "kwinput": "Input: ", "kwoutput": "Output: ", "initialize": "Initialize: ",
}  # fmt: skip
_NO_ARGUMENT = frozenset({"loop", "repeat", "else", "uelse", "begin"})
_WORDS = {"And": "and", "Or": "or", "Not": "not", "To": "to", "KwTo": "to", "True": "true", "False": "false"}
_WORDS |= {"AND": "and", "OR": "or", "NOT": "not", "TO": "to", "TRUE": "true", "FALSE": "false", "XOR": "xor"}
ALGORITHMIC, ALGORITHM2E = "algorithmic", "algorithm2e"
CLOSE_BLOCK = "\\ end of block"
"""A command that no source can spell: ends an algorithm2e block."""


def _line(reader: Reader, text: str = "") -> None:
    reader.new_line(reader.indent)
    reader.put(text, ligatures=False)


def _state(reader: Reader, token: str) -> None:
    _line(reader)


def _end_of_line(reader: Reader, token: str) -> None:
    _line(reader)


def _opener(reader: Reader, token: str) -> None:
    name = token[1:].lower()
    before, after = _OPENERS[name]
    _line(reader, before)
    if reader.algorithm == ALGORITHMIC:
        if name not in _NO_ARGUMENT:
            reader.inset(reader.mouth.argument())
        if name in ("procedure", "function"):
            _in_parentheses(reader, reader.mouth.argument())
        reader.put(after, ligatures=False)
        reader.indent += 1
        return
    condition = [] if name == "begin" else reader.mouth.argument()
    if name == "repeat":
        _block(reader, (*reader.mouth.argument(), CLOSE_BLOCK, *lex(r"\\until "), *condition))
        return
    reader.inset(condition)
    reader.put(after, ligatures=False)
    _block(reader, (*reader.mouth.argument(), CLOSE_BLOCK))


def _block(reader: Reader, body: Sequence[str]) -> None:
    reader.indent += 1
    reader.new_line(reader.indent)
    reader.mouth.push(body)


def _close_block(reader: Reader, token: str) -> None:
    reader.indent = max(0, reader.indent - 1)
    _line(reader)


def _middle(reader: Reader, token: str) -> None:
    name = token[1:].lower()
    package = reader.algorithm
    if package == ALGORITHMIC:
        reader.indent = max(0, reader.indent - 1)
    before, after = _MIDDLE[name]
    _line(reader, before)
    if name not in _NO_ARGUMENT:
        reader.inset(reader.mouth.argument())
    reader.put(after, ligatures=False)
    if package == ALGORITHMIC:
        reader.indent += 1
    else:
        _block(reader, (*reader.mouth.argument(), CLOSE_BLOCK))


def _if_else(reader: Reader, token: str) -> None:
    r"""\eIf{condition}{body}{body}."""
    condition, body, other = (reader.mouth.argument() for _ in range(3))
    reader.mouth.push(["\\If", "{", *condition, "}", "{", *body, "}", "\\Else", "{", *other, "}"])


def _closer(reader: Reader, token: str) -> None:
    reader.indent = max(0, reader.indent - 1)
    _line(reader, f"end {token[1:].lower().removeprefix('end')}")


def _until(reader: Reader, token: str) -> None:
    reader.indent = max(0, reader.indent - 1)
    _line(reader, "until ")
    reader.inset(reader.mouth.argument())


def _head(reader: Reader, token: str) -> None:
    _line(reader, _HEADS[token[1:].lower()])
    if reader.algorithm == ALGORITHM2E:
        reader.inset(reader.mouth.argument())
        _line(reader)


def _return(reader: Reader, token: str) -> None:
    if token in ("\\RETURN", "\\KwRet", "\\KwReturn") or reader.algorithm == ALGORITHM2E:
        _line(reader)
    reader.put("return ", ligatures=False)


def _comment(reader: Reader, token: str) -> None:
    reader.mouth.star()
    reader.put(" ▷ ", ligatures=False)
    reader.inset(reader.mouth.argument())
    if token.startswith("\\tc"):
        _line(reader)


def _call(reader: Reader, token: str) -> None:
    reader.inset(reader.mouth.argument())
    _in_parentheses(reader, reader.mouth.argument())


def _in_parentheses(reader: Reader, tokens: Sequence[str]) -> None:
    reader.put("(", ligatures=False)
    reader.inset(tokens)
    reader.put(")", ligatures=False)


def _word(reader: Reader, token: str) -> None:
    reader.put(f" {_WORDS[token[1:]]} ", ligatures=False)


def _keyword(reader: Reader, token: str) -> None:
    r"""\SetKwInOut{Input}{input}, \SetKwFunction{Train}{Train}, \SetKw{Break}{break}: the author's own words."""
    names = reader.mouth.word().split(",")
    texts = reader.mouth.argument()
    for name in names:
        if token == "\\SetKwFunction":
            body: Sequence[str] = (*texts, "(", "#1", ")")
            parameters: tuple[Parameter, ...] = (Parameter(),)
        elif token in ("\\SetKwInOut", "\\SetKwInput"):
            body, parameters = ("\\ line", *texts, ":", " "), ()
        else:
            body, parameters = tuple(texts), ()
        reader.mouth.macros[f"\\{name.strip()}"] = Macro(tuple(body), parameters)


def _both(names: Sequence[str]) -> list[str]:
    r"""Return the spellings of algorithmic (\IF) and of the others (\If, \ForAll)."""
    special = {"forall": "ForAll", "foreach": "ForEach", "elseif": "ElseIf", "elsif": "ElsIf", "uif": "uIf"}
    special |= {"uelseif": "uElseIf", "uelse": "uElse", "fn": "Fn", "kwin": "KwIn", "kwout": "KwOut"}
    special |= {"kwdata": "KwData", "kwresult": "KwResult", "kwinput": "KwInput", "kwoutput": "KwOutput"}
    return [f"\\{form}" for name in names for form in (name.upper(), special.get(name, name.capitalize()))]


_ENDS = [f"end{name}" for name in ("if", "for", "forall", "foreach", "while", "loop", "procedure", "function")]
COMMANDS: dict[str, Handler] = {
    **dict.fromkeys(_both([name for name in _OPENERS if name != "begin"]), _opener),
    **dict.fromkeys(_both(list(_MIDDLE)), _middle),
    **dict.fromkeys(
        [f"\\{a}{b}" for e in _ENDS for a, b in (("END", e[3:].upper()), ("End", e[3:].capitalize()))], _closer
    ),
    "\\EndForAll": _closer,
    **dict.fromkeys(_both(list(_HEADS)), _head),
    **dict.fromkeys(("\\State", "\\STATE", "\\Statex", "\\STATEX", "\\ line"), _state),
    "\\;": _end_of_line,
    "\\eIf": _if_else,
    **dict.fromkeys(("\\Until", "\\UNTIL"), _until),
    **dict.fromkeys(("\\Return", "\\RETURN", "\\KwRet", "\\KwReturn"), _return),
    **dict.fromkeys(("\\Comment", "\\COMMENT", "\\tcp", "\\tcc"), _comment),
    "\\Call": _call,
    CLOSE_BLOCK: _close_block,
    **{f"\\{name}": _word for name in _WORDS},
}
"""Of these, each counts only inside an algorithm."""
DEFINERS: dict[str, Handler] = dict.fromkeys(
    ("\\SetKw", "\\SetKwData", "\\SetKwFunction", "\\SetKwInOut", "\\SetKwInput"), _keyword
)


def inside(handler: Handler, outside: Handler | None) -> Handler:
    """Return a handler that is `handler` inside an algorithm and elsewhere `outside`, or nothing."""

    def chosen(reader: Reader, token: str) -> None:
        if reader.algorithm:
            handler(reader, token)
        elif outside is not None:
            outside(reader, token)
        else:
            reader.plain(token)

    return chosen
