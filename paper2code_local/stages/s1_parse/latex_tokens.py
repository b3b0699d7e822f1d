r"""LaTeX text to tokens, and tokens back to text.

In: the text of one file. Out: tokens, strings that say by their first character what they are. Comments are dropped;
what LaTeX takes as it stands (verbatim, \verb, addresses) is one token. Must not know what a command means.

    \name   control sequence        { } [ ] $ & ^ _ ~   themselves        #1   parameter
    " "     white space             "\n\n"              end of paragraph  \x00…  text as it stands
    \x01\name  control sequence that no macro replaces (what \let took hold of)
    \x02 \x03  end of what was handed in, of a file: nothing reads an argument across them
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

SPACE, PAR, RAW, FIXED, END, FILE_END = " ", "\n\n", "\x00", "\x01", "\x02", "\x03"
BARRIERS = (END, FILE_END)
MAX_BRACES = 5
"""One inside the other in an address."""
MAX_INLINE_RAW = 4000
"""Characters of an address or \\verb: where no end is found within, it is ordinary text."""

_NEXT = r"""
    (?P<control>\\(?:[{letters}]+|[^{letters}]|\Z))
  | (?P<comment>%[^\n]*\n?[ \t]*)
  | (?P<space>\s+)
  | (?P<parameter>\#+[1-9]?)
  | (?P<special>[{{}}$&^_~\[\]])
  | (?P<text>[^\\%\s{{}}$&\#^_~\[\]]+)
"""
_TOKEN = re.compile(_NEXT.format(letters="A-Za-z"), re.VERBOSE | re.DOTALL)
_TOKEN_AT = re.compile(_NEXT.format(letters="A-Za-z@"), re.VERBOSE | re.DOTALL)
_AFTER_WORD = re.compile(r"[ \t]*(?:\n(?![ \t]*\n))?[ \t]*")
_RAW_ENVIRONMENT = re.compile(r"[ \t]*\{(verbatim\*?|[BL]?Verbatim\*?|lstlisting|minted|comment|filecontents\*?)\}")
_OPTION = re.compile(r"[ \t]*\[[^\]\n]{0,200}\]")
_ADDRESS = frozenset({"\\url", "\\path", "\\nolinkurl", "\\href", "\\doi"})
_VERB = frozenset({"\\verb", "\\lstinline", "\\mintinline"})
_IS_WORD = re.compile(r"\\[A-Za-z@]+\Z")


def lex(text: str, at_is_letter: bool = False) -> Iterator[str]:
    r"""Yield the tokens of `text`; linear in its length. `at_is_letter`: as inside a style file."""
    return _Lexer(text, at_is_letter).tokens()


def untokenize(tokens: Iterable[str]) -> str:
    """Return LaTeX that reads as `tokens`, with each run of white space one space."""
    pieces: list[str] = []
    word = False  # the last piece is a control word: a letter must not follow at once
    for token in tokens:
        if token in BARRIERS:
            continue
        piece = SPACE if token == PAR else token.lstrip(RAW + FIXED)
        if piece == SPACE and (not pieces or pieces[-1].endswith(SPACE)):
            continue
        if word and piece[:1].isalpha():
            pieces.append(SPACE)
        pieces.append(piece)
        word = bool(_IS_WORD.match(piece)) and not token.startswith(RAW)
    return "".join(pieces).strip()


def trimmed(tokens: Sequence[str]) -> Sequence[str]:
    """Return `tokens` without white space at either end."""
    start, stop = 0, len(tokens)
    while start < stop and tokens[start] in (SPACE, PAR):
        start += 1
    while stop > start and tokens[stop - 1] in (SPACE, PAR):
        stop -= 1
    return tokens[start:stop]


class _Lexer:
    def __init__(self, text: str, at_is_letter: bool) -> None:
        self.text, self.position, self.at = text, 0, at_is_letter
        self.unclosed: set[str] = set()
        """Verbatim environments whose end was looked for and is not there: not looked for again."""

    def tokens(self) -> Iterator[str]:
        while self.position < len(self.text):
            match = (_TOKEN_AT if self.at else _TOKEN).match(self.text, self.position)
            assert match is not None, "the alternatives cover every character"
            self.position = match.end()
            token = match[0]
            if match.lastgroup == "control":
                yield from self._control(token)
            elif match.lastgroup == "comment":
                if self.text[self.position : self.position + 1] == "\n":
                    yield PAR
            elif match.lastgroup == "space":
                yield PAR if token.count("\n") > 1 else SPACE
            else:
                yield token

    def _control(self, token: str) -> Iterator[str]:
        if token in ("\\makeatletter", "\\makeatother"):
            self.at = token == "\\makeatletter"
            return
        if len(token) == 1 or token[1].isspace():
            yield "\\ "
            return
        if token == "\\begin" and (raw := _RAW_ENVIRONMENT.match(self.text, self.position)):
            yield from self._environment(raw)
            return
        if token in _VERB:
            yield from self._verb(token)
            return
        yield token
        if token[1].isalpha():
            after = _AFTER_WORD.match(self.text, self.position)
            self.position = after.end() if after else self.position
        if token in _ADDRESS:
            yield from self._address()

    def _environment(self, begin: re.Match[str]) -> Iterator[str]:
        name = begin[1]
        end = f"\\end{{{name}}}"
        stop = -1 if name in self.unclosed else self.text.find(end, begin.end())
        if stop < 0:
            self.unclosed.add(name)
            yield "\\begin"
            return
        self.position = stop + len(end)
        if name != "comment":
            yield from ("\\begin", "{", name, "}", RAW + self.text[begin.end() : stop], "\\end", "{", name, "}")

    def _verb(self, token: str) -> Iterator[str]:
        """A delimiter, text, the delimiter again; \\lstinline and \\mintinline may have braces, and words before."""
        position = self.position
        if token == "\\verb":
            position += self.text.startswith("*", position)
        elif option := _OPTION.match(self.text, position):
            position = option.end()
        if token == "\\mintinline" and self.text.startswith("{", position):
            position = self.text.find("}", position, position + 100) + 1 or position
        opening = self.text[position : position + 1]
        stop = self.text.find("}" if opening == "{" else opening, position + 1, position + MAX_INLINE_RAW)
        if not opening or opening.isspace() or stop < 0:
            yield token
            return
        self.position = stop + 1
        yield from ("\\verb", RAW + self.text[position + 1 : stop])

    def _address(self) -> Iterator[str]:
        """The braces after \\url may hold %, # and _; inside a definition they may hold a parameter instead."""
        if not self.text.startswith("{", self.position):
            return
        depth = 0
        for position in range(self.position, min(len(self.text), self.position + MAX_INLINE_RAW)):
            character = self.text[position]
            depth += (character == "{") - (character == "}")
            if depth > MAX_BRACES:
                return
            if not depth:
                raw = self.text[self.position + 1 : position]
                if not re.search(r"#[1-9]", raw):
                    self.position = position + 1
                    yield from ("{", RAW + "".join(raw.split()), "}")
                return
