r"""Definitions: \newcommand and its kin, read into macros.

In: the tokens after a defining command. Out: `Macro`: which arguments to read and what to put in their place. Must not
know what any command prints.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from paper2code_local.stages.s1_parse.latex_tokens import BARRIERS, FIXED, PAR, RAW, trimmed, untokenize

if TYPE_CHECKING:
    from paper2code_local.stages.s1_parse.latex_macros import Mouth

MAX_DELIMITED = 500
"""Tokens in which the delimiter of a \\def's parameter must stand."""
MAX_NAME = 200
Tokens = tuple[str, ...]
_NEW = frozenset({"\\newcommand", "\\newenvironment", "\\NewDocumentCommand", "\\NewDocumentEnvironment"})
"""Commands that only define what LaTeX does not know yet."""


@dataclass(frozen=True)
class Parameter:
    """One argument of a macro: `default` is None for a mandatory one, `until` ends a delimited one."""

    default: Tokens | None = None
    until: Tokens = ()
    star: bool = False


@dataclass(frozen=True)
class Macro:
    """What a name stands for. `opening` are tokens that must follow the name and are read away."""

    body: Tokens
    parameters: tuple[Parameter, ...] = ()
    opening: Tokens = ()

    def read(self, mouth: Mouth) -> list[Tokens]:
        """Read this macro's arguments."""
        for expected in self.opening:
            token = mouth.raw()
            if token is None or not token.startswith(expected):
                mouth.push([token] if token is not None else [])
                break
            mouth.push([token[len(expected) :]] if len(token) > len(expected) else [])
        return [_read(parameter, mouth) for parameter in self.parameters]


def substitute(body: Tokens, arguments: Sequence[Tokens]) -> list[str]:
    """Return `body` with the arguments in place of #1 …, and ## as one #."""
    found: list[str] = []
    for token in body:
        if token[0] != "#":
            found.append(token)
        elif token[:2] == "##":
            found.append(token[1:])
        elif len(token) == 2 and int(token[1]) <= len(arguments):
            found.extend(arguments[int(token[1]) - 1])
    return found


def _read(parameter: Parameter, mouth: Mouth) -> Tokens:
    if parameter.star:
        return ("*",) if mouth.star() else ()
    if parameter.until:
        return _delimited(parameter.until, mouth)
    if parameter.default is not None:
        given = mouth.option()
        return parameter.default if given is None else tuple(given)
    return tuple(mouth.argument())


def _delimited(until: Tokens, mouth: Mouth) -> Tokens:
    """Read up to the delimiter; when it does not come, nothing is an argument. Runs of letters may hold it inside."""
    read: list[str] = []
    depth = 0
    while (token := mouth.raw()) is not None:
        if not depth and len(until) == 1 and until[0] in token and token[0] not in "\\#\x00{}":
            before, _, after = token.partition(until[0])
            mouth.push([after] if after else [])
            found = [*read, before] if before else read
            return tuple(found[1:-1] if len(found) > 1 and found[0] == "{" and found[-1] == "}" else found)
        depth += (token == "{") - (token == "}")
        read.append(token)
        if not depth and tuple(read[-len(until) :]) == until:
            return tuple(read[: -len(until)])
        if token == PAR or token in BARRIERS or len(read) > MAX_DELIMITED:
            break
    mouth.push(read)
    return ()


def _name(mouth: Mouth) -> str:
    r"""Read the name to define, \x or {\x}; "" when there is none."""
    token = mouth.skip_space()
    while token == "\\expandafter":
        token = mouth.skip_space()
    if token == "\\csname":
        return csname(mouth)
    if token == "{":
        inside = trimmed(mouth.balanced(within_paragraph=True))
        token = inside[0] if inside else ""
    elif token is not None and token[0] != "\\":
        mouth.push([token])
        token = ""
    return token if token is not None and token[:1] == "\\" else ""


def csname(mouth: Mouth) -> str:
    r"""Read up to \endcsname and return the command that it names."""
    text = ""
    while (token := mouth.expanded()) is not None and token != "\\endcsname":
        if token == PAR or token in BARRIERS or token[0] == "\\" or len(text) > MAX_NAME:  # its end is missing
            mouth.push([token])
            break
        text += token.strip(RAW).strip()
    return f"\\{text}"


def _count(mouth: Mouth) -> int:
    given = untokenize(mouth.option() or ())
    return int(given) if given in tuple("0123456789") else 0


def _parameters(mouth: Mouth) -> tuple[Parameter, ...]:
    """Read [2][default]."""
    count = _count(mouth)
    default = mouth.option() if count else None
    first = Parameter(default=None if default is None else tuple(default))
    return (first, *[Parameter()] * (count - 1)) if count else ()


def _new_command(mouth: Mouth, command: str) -> None:
    mouth.star()
    name = _name(mouth)
    parameters = _parameters(mouth)
    macro = Macro(tuple(mouth.argument()), parameters)
    mouth.define(name, macro, new=command in _NEW, only_new=command == "\\providecommand")


def _def(mouth: Mouth, _: str) -> None:
    name = _name(mouth)
    pattern: list[str] = []
    while (token := mouth.raw()) not in ("{", None):
        if token == PAR or token in BARRIERS:
            mouth.push([*pattern, str(token)])
            return
        pattern.append(str(token))
    body = tuple(mouth.balanced())
    marks = [i for i, token in enumerate(pattern) if token[0] == "#" and len(token) == 2] + [len(pattern)]
    untils = (tuple(pattern[a + 1 : b]) for a, b in itertools.pairwise(marks))
    parameters = tuple(Parameter(until=until) for until in untils)
    if name[:1] == "\\":
        mouth.define(name, Macro(body, parameters, tuple(pattern[: marks[0]])))


def _let(mouth: Mouth, _: str) -> None:
    name, target = mouth.skip_space(), mouth.skip_space()
    if target == "=":
        target = mouth.skip_space()
    if name is None or target is None or name == target:
        return
    if target in mouth.macros:
        mouth.define(name, mouth.macros[target])
    elif name[0] == "\\":
        mouth.define(name, Macro((FIXED + target if target[0] == "\\" else target,)))


def _new_environment(mouth: Mouth, command: str) -> None:
    mouth.star()
    name = mouth.word()
    parameters = _parameters(mouth)
    begin, end = tuple(mouth.argument()), tuple(mouth.argument())
    _environment(mouth, name, Macro(begin, parameters), end, command in _NEW)


def _environment(mouth: Mouth, name: str, begin: Macro, end: Tokens, new: bool) -> None:
    mouth.define(f"\\begin {name}", begin, new)
    if mouth.macros.get(f"\\begin {name}") is begin:
        mouth.environments.add(name)
        mouth.macros[f"\\end {name}"] = Macro(end)


def _operator(mouth: Mouth, _: str) -> None:
    star = "*" if mouth.star() else ""
    name = _name(mouth)
    mouth.define(name, Macro(("\\operatorname", *star, "{", *mouth.argument(), "}")))


def _paired(mouth: Mouth, _: str) -> None:
    name = _name(mouth)
    left, right = mouth.argument(), mouth.argument()
    mouth.define(name, Macro((*left, "#3", *right), (Parameter(star=True), Parameter(default=()), Parameter())))


def _document_command(mouth: Mouth, command: str) -> None:
    r"""xparse: \NewDocumentCommand\x{m O{1} s}{…}."""
    is_environment = command.endswith("Environment")
    name = mouth.word() if is_environment else _name(mouth)
    parameters = _specification(mouth.argument())
    body = tuple(mouth.argument())
    if is_environment:
        _environment(mouth, name, Macro(body, parameters), tuple(mouth.argument()), command in _NEW)
    else:
        mouth.define(name, Macro(body, parameters), new=command in _NEW)


def _specification(tokens: Sequence[str]) -> tuple[Parameter, ...]:
    found: list[Parameter] = []
    depth, start = 0, 0
    for index, token in enumerate(tokens):
        if token == "{":
            start = index if not depth else start
            depth += 1
        elif token == "}":
            depth -= 1
            if not depth and found and found[-1].default == ():
                found[-1] = Parameter(default=tuple(tokens[start + 1 : index]))
        elif not depth and token[0] not in "\\ \n":
            kinds = {
                "m": Parameter(),
                "s": Parameter(star=True),
                "o": Parameter(default=()),
                "O": Parameter(default=()),
            }
            found += [kinds[letter] for letter in token if letter in kinds]
    return tuple(found)


def _new_if(mouth: Mouth, _: str) -> None:
    if (name := _name(mouth)).startswith("\\if"):
        mouth.flags[name[3:]] = False


def _new_toggle(mouth: Mouth, command: str) -> None:
    mouth.flags[mouth.word()] = command.endswith("true")


DEFINERS: dict[str, Callable[[Mouth, str], None]] = {
    **dict.fromkeys(("\\newcommand", "\\renewcommand", "\\providecommand", "\\DeclareRobustCommand"), _new_command),
    **dict.fromkeys(("\\newrobustcmd", "\\renewrobustcmd", "\\DeclareMathCommand"), _new_command),
    **dict.fromkeys(("\\def", "\\gdef", "\\edef", "\\xdef"), _def),
    **dict.fromkeys(("\\newenvironment", "\\renewenvironment"), _new_environment),
    **{
        f"\\{verb}Document{noun}": _document_command
        for verb in ("New", "Renew", "Provide", "Declare")
        for noun in ("Command", "Environment")
    },
    "\\let": _let,
    "\\DeclareMathOperator": _operator,
    "\\DeclarePairedDelimiter": _paired,
    "\\newif": _new_if,
    **dict.fromkeys(("\\newtoggle", "\\toggletrue", "\\togglefalse"), _new_toggle),
    **dict.fromkeys(("\\newboolean",), _new_toggle),
}
"""Defining command → what carries it out."""
