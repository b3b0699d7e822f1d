r"""Conditions that can be decided without typesetting.

In: the tokens after \if…. Out: whether the condition holds; of commands that choose between arguments, the one chosen.
What depends on lengths, boxes or TeX's insides counts as not holding. Must not know what a command prints.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from paper2code_local.stages.s1_parse.latex_definitions import Macro, csname
from paper2code_local.stages.s1_parse.latex_sources import Pointer, candidates
from paper2code_local.stages.s1_parse.latex_tokens import PAR, RAW, SPACE, untokenize

if TYPE_CHECKING:
    from paper2code_local.stages.s1_parse.latex_macros import Mouth


def _never(_: Mouth) -> bool:
    return False


def _always(_: Mouth) -> bool:
    return True


def _in_math(mouth: Mouth) -> bool:
    return mouth.math


def _same(mouth: Mouth) -> bool:
    r"""\ifx: two names with the same meaning."""
    left, right = mouth.skip_space(), mouth.skip_space()
    if left is None or right is None:
        return False
    return left == right or (left in mouth.macros and mouth.macros[left] == mouth.macros.get(right))


def _same_characters(mouth: Mouth) -> bool:
    left, right = mouth.expanded(), mouth.expanded()
    return left == right


def _number(mouth: Mouth) -> bool:
    r"""\ifnum 1<2: decided for plain numbers; anything else does not hold."""
    text = ""
    while (token := mouth.expanded()) is not None and len(text) < 60:
        if token in (SPACE, PAR) or token[0] == "\\":
            mouth.push([token] if token != SPACE else [])
            break
        text += token
    match = re.fullmatch(r"([-+]?\d{1,9})([<=>])([-+]?\d{1,9})", text)
    if match is None:
        return False
    left, right = int(match[1]), int(match[3])
    return {"<": left < right, "=": left == right, ">": left > right}[match[2]]


def _defined(mouth: Mouth) -> bool:
    name = mouth.skip_space() or ""
    return name in mouth.macros or name in mouth.protected


def _csname_defined(mouth: Mouth) -> bool:
    return csname(mouth) in mouth.macros


def _choose(mouth: Mouth, holds: bool) -> None:
    yes, no = mouth.argument(), mouth.argument()
    mouth.push(yes if holds else no)


def _if_then_else(mouth: Mouth) -> None:
    test = untokenize(mouth.all_expanded(mouth.argument()))
    _choose(mouth, _test(mouth, test))


def _test(mouth: Mouth, text: str) -> bool:
    """ifthen's tests: one of boolean, equal, not, or a comparison of numbers; anything else does not hold."""
    text = text.strip()
    if match := re.fullmatch(r"\\(?:NOT|not)\s*(.*)", text, re.DOTALL):
        return not _test(mouth, match[1])
    if match := re.fullmatch(r"\\boolean\s*\{\s*([\w@]+)\s*\}", text):
        return mouth.flags.get(match[1], False)
    if match := re.fullmatch(r"\\equal\s*\{([^{}]*)\}\s*\{([^{}]*)\}", text):
        return match[1].strip() == match[2].strip()
    match = re.fullmatch(r"(\d{1,9})\s*([<=>])\s*(\d{1,9})", text)
    left, right = (int(match[1]), int(match[3])) if match else (0, 0)
    return match is not None and {"<": left < right, "=": left == right, ">": left > right}[match[2]]


def _if_toggle(mouth: Mouth) -> None:
    _choose(mouth, mouth.flags.get(mouth.word(), False))


def _if_undefined(mouth: Mouth) -> None:
    name = f"\\{mouth.word()}"
    _choose(mouth, name not in mouth.macros and name not in mouth.protected)


def _if_file(mouth: Mouth) -> None:
    names = candidates(Pointer("text", "", mouth.word()), ("",))
    _choose(mouth, any(name in mouth.files for name in names))


def _if_blank(mouth: Mouth) -> None:
    _choose(mouth, not mouth.word())


def _if_star(mouth: Mouth) -> None:
    yes, no = mouth.argument(), mouth.argument()
    mouth.push(yes if mouth.star() else no)


def _if_next(mouth: Mouth) -> None:
    expected, yes, no = mouth.argument(), mouth.argument(), mouth.argument()
    token = mouth.skip_space()
    mouth.push([token] if token is not None else [])
    mouth.push(yes if token is not None and [token[0]] == [e[0] for e in expected] else no)


def _if_given(mouth: Mouth) -> None:
    _choose(mouth, bool(mouth.argument()))


def _if_not_given(mouth: Mouth) -> None:
    _choose(mouth, not mouth.argument())


def _first_of_two(mouth: Mouth) -> None:
    _choose(mouth, True)


def _second_of_two(mouth: Mouth) -> None:
    _choose(mouth, False)


def _name_command(mouth: Mouth) -> None:
    mouth.push([csname(mouth)])


def _use_name(mouth: Mouth) -> None:
    mouth.push([f"\\{mouth.word()}"])


def _define_name(mouth: Mouth) -> None:
    name = f"\\{mouth.word()}"
    mouth.define(name, Macro(tuple(mouth.argument())))


def _set_boolean(mouth: Mouth) -> None:
    name = mouth.word()
    mouth.flags[name] = mouth.word().lower() == "true"


def _as_text(mouth: Mouth) -> None:
    token = mouth.raw()
    mouth.push([RAW + token] if token is not None and token[0] == "\\" else [token] if token is not None else [])


CONDITIONS: dict[str, Callable[[Mouth], bool]] = {
    "\\iftrue": _always,
    "\\iffalse": _never,
    "\\ifmmode": _in_math,
    "\\ifx": _same,
    "\\if": _same_characters,
    "\\ifcat": _never,
    "\\ifnum": _number,
    "\\ifdefined": _defined,
    "\\ifcsname": _csname_defined,
    "\\ifpdf": _always,
    "\\ifpdftex": _always,
    "\\ifPDFTeX": _always,
    "\\ifvmode": _never,
    **dict.fromkeys(("\\ifdim", "\\ifodd", "\\ifcase", "\\ifvoid", "\\ifhbox", "\\ifvbox", "\\ifeof"), _never),
    **dict.fromkeys(("\\ifhmode", "\\ifinner", "\\ifxetex", "\\ifluatex", "\\ifXeTeX", "\\ifLuaTeX"), _never),
    **dict.fromkeys(("\\if@twocolumn", "\\if@twoside", "\\if@filesw", "\\if@nobreak", "\\if@noskipsec"), _never),
}
"""\\if… → read what it tests and say whether it holds."""
EXPANDERS: dict[str, Callable[[Mouth], None]] = {
    "\\ifthenelse": _if_then_else,
    "\\iftoggle": _if_toggle,
    "\\ifbool": _if_toggle,
    "\\@ifundefined": _if_undefined,
    "\\ifundef": _if_undefined,
    "\\IfFileExists": _if_file,
    "\\ifblank": _if_blank,
    "\\ifstrempty": _if_blank,
    "\\@ifstar": _if_star,
    "\\@ifnextchar": _if_next,
    "\\IfBooleanTF": _if_given,
    "\\IfValueTF": _if_given,
    "\\IfNoValueTF": _if_not_given,
    "\\@firstoftwo": _first_of_two,
    "\\@secondoftwo": _second_of_two,
    "\\csname": _name_command,
    "\\csuse": _use_name,
    "\\@nameuse": _use_name,
    "\\@namedef": _define_name,
    "\\csdef": _define_name,
    "\\setboolean": _set_boolean,
    "\\setbool": _set_boolean,
    "\\string": _as_text,
    "\\detokenize": lambda mouth: mouth.push([RAW + untokenize(mouth.argument())]),
}
"""Commands that are replaced by one of their arguments or by another command → what carries them out."""
